//! `GET /api/v1/operations/{job_id}/download`.

use std::io::Read as _;

use atg_tests::World;
use sha2::{Digest as _, Sha256};

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for byte in Sha256::digest(bytes) {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn the_zip_holds_the_published_files() {
    let world = World::small().await;
    world.scan().await;
    let job = world.generate().await;
    let response = world.get(&format!("/api/v1/operations/{job}/download")).await;
    assert_eq!(response.status(), 200);
    let headers = response.headers().clone();
    assert_eq!(headers["content-type"], "application/zip");
    assert_eq!(
        headers["content-disposition"],
        format!("attachment; filename=\"{job}.zip\"")
    );
    let bytes = response.bytes().await.unwrap();
    assert_eq!(headers["content-length"], bytes.len().to_string());
    assert_eq!(headers["etag"], format!("\"{}\"", hex(&bytes)));
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let published = world.client.result(job).await.unwrap().files;
    assert_eq!(zip.len(), published.len());
    for file in published {
        let mut content = Vec::new();
        zip.by_name(&file.filename).unwrap().read_to_end(&mut content).unwrap();
        assert_eq!(u64::try_from(content.len()).unwrap(), file.size, "{}", file.filename);
        assert_eq!(hex(&content), file.sha256, "{}", file.filename);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_has_nothing_to_fetch() {
    let world = World::small().await;
    let (job, _) = world.scan().await;
    assert_eq!(
        world.get(&format!("/api/v1/operations/{job}/download")).await.status(),
        404
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_gone_are_410() {
    let world = World::small().await;
    world.scan().await;
    let job = world.generate().await;
    std::fs::remove_dir_all(world.folder().join("artifacts")).unwrap();
    let response = world.get(&format!("/api/v1/operations/{job}/download")).await;
    assert_eq!(response.status(), 410);
    let body: serde_json::Value = response.json().await.unwrap();
    assert_eq!(body["error"]["code"], "ARTIFACT_EXPIRED");
}
