//! `GET /api/v1/operations/{job_id}/result`.

use atg_sim::{Fault, FaultKind};
use atg_tests::{Setup, World};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn the_files_are_described() {
    let world = World::small().await;
    world.scan().await;
    let job = world.generate().await;
    let result: Value = world
        .get(&format!("/api/v1/operations/{job}/result"))
        .await
        .json()
        .await
        .unwrap();
    let files = result["files"].as_array().unwrap();
    let names: Vec<&str> = files.iter().map(|file| file["filename"].as_str().unwrap()).collect();
    for name in ["report.json", "REPORT.md"] {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
    for file in files {
        assert_eq!(file["sha256"].as_str().unwrap().len(), 64);
        assert!(file["size"].as_u64().unwrap() > 0, "{file}");
        let url = file["download_url"].as_str().unwrap();
        assert!(url.contains(&job.to_string()), "{file}");
        let path = url.strip_prefix(world.url()).unwrap_or(url);
        let found = world.get(path).await;
        assert_eq!(found.status(), 200, "a link that leads nowhere: {url}");
        assert_eq!(found.headers()["content-type"], file["content_type"].as_str().unwrap());
        assert_eq!(
            u64::try_from(found.bytes().await.unwrap().len()).unwrap(),
            file["size"].as_u64().unwrap()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_runs_has_none_yet() {
    let world = Setup::new(7, 150).start().await;
    world.sim.arm(Fault {
        count: u64::MAX,
        value: Some(2_000),
        ..Fault::new(FaultKind::Slow)
    });
    let job = world.start_scan().await;
    for path in ["result", "download"] {
        let response = world.get(&format!("/api/v1/operations/{job}/{path}")).await;
        assert_eq!(response.status(), 409, "{path}");
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["error"]["code"], "JOB_NOT_FINISHED");
    }
    world.client.cancel(job).await.unwrap();
    let result: Value = world
        .get(&format!("/api/v1/operations/{job}/result"))
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(result["status"], "cancelled");
    assert_eq!(result["files"].as_array().unwrap().len(), 0);
}
