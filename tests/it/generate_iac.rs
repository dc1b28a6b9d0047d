//! `POST /api/v1/generate-iac`, `GET /api/v1/generate-iac/{job_id}`.

use atg_tests::World;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn the_only_tenant_needs_no_name_and_nothing_is_lost() {
    let world = World::small().await;
    let (_, scanned) = world.scan().await;
    let response = world
        .post("/api/v1/generate-iac", &json!({"output_format": "terraform"}))
        .await;
    assert_eq!(response.status(), 202);
    let taken: Value = response.json().await.unwrap();
    let job = taken["job_id"].as_str().unwrap();
    assert!(job.starts_with("iac-"));
    let result = world.result(job.parse().unwrap()).await;
    let outcome = result.result.unwrap();
    let count = |name: &str| outcome[name].as_u64().unwrap_or_else(|| panic!("{name} of {outcome}"));
    assert_eq!(count("resources_in"), count("emitted") + count("reported"), "{outcome}");
    assert!(count("emitted") > 0);
    assert_eq!(outcome["based_on"]["graph_digest"], scanned.graph_digest, "{outcome}");
    assert!(result.files.iter().any(|file| file.filename == "providers.tf"));
    let status: Value = world
        .get(&format!("/api/v1/generate-iac/{job}"))
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(status["status"], "completed");
    assert_eq!(status["operation_type"], "generate-iac");
    assert_eq!(world.get(&format!("/api/v1/scan/{job}")).await.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn templates_are_downloaded_in_both_languages() {
    let world = World::small().await;
    world.scan().await;
    let mut emitted = Vec::new();
    for (format, main) in [("arm", "main.json"), ("bicep", "main.bicep")] {
        let taken: Value = world
            .post("/api/v1/generate-iac", &json!({"output_format": format}))
            .await
            .json()
            .await
            .unwrap();
        let job = taken["job_id"].as_str().unwrap_or_else(|| panic!("{taken}"));
        let job = job.parse().unwrap();
        let outcome = world.result(job).await.result.unwrap();
        assert_eq!(outcome["format"], format, "{outcome}");
        let path = world.scratch().join(format!("{format}.zip"));
        world.client.download(job, &path, |_, _| {}).await.unwrap();
        let mut zip = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
        let text = std::io::read_to_string(zip.by_name(main).unwrap()).unwrap();
        match format {
            "arm" => {
                let template: Value = serde_json::from_str(&text).unwrap();
                let schema = template["$schema"].as_str().unwrap();
                assert!(schema.ends_with("/subscriptionDeploymentTemplate.json#"), "{schema}");
            }
            _ => assert!(text.starts_with("targetScope = 'subscription'\n"), "{text}"),
        }
        let report = std::io::read_to_string(zip.by_name("report.json").unwrap()).unwrap();
        let report: Value = serde_json::from_str(&report).unwrap();
        assert_eq!(report["emitted"], outcome["emitted"]);
        assert_eq!(report["based_on"]["graph_digest"], outcome["based_on"]["graph_digest"]);
        emitted.push(outcome["emitted"].clone());
    }
    assert_eq!(emitted[0], emitted[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_tenant_nothing_can_be_meant() {
    let world = World::small().await;
    let response = world.post("/api/v1/generate-iac", &json!({})).await;
    assert_eq!(response.status(), 400);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["error"]["details"]["fields"][0]["field"], "tenant_id", "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_tenant_fails_the_job() {
    let world = World::small().await;
    for tenant in ["nonsense", "99999999-9999-9999-9999-999999999999"] {
        let taken: Value = world
            .post("/api/v1/generate-iac", &json!({"tenant_id": tenant}))
            .await
            .json()
            .await
            .unwrap();
        let result = world.result(taken["job_id"].as_str().unwrap().parse().unwrap()).await;
        assert_eq!(result.error.unwrap().code.as_str(), "TENANT_NOT_FOUND");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_graph_gives_the_same_bytes() {
    let world = World::small().await;
    world.scan().await;
    let mut hashes = Vec::new();
    for number in 0..2 {
        let job = world.generate().await;
        let file = world.scratch().join(format!("{number}.zip"));
        hashes.push(world.client.download(job, &file, |_, _| {}).await.unwrap().sha256);
    }
    assert_eq!(hashes[0], hashes[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn options_reach_the_code() {
    const TARGET_TENANT: &str = "77777777-7777-4777-8777-777777777777";
    const TARGET: &str = "66666666-6666-4666-8666-666666666666";
    let world = World::small().await;
    world.scan().await;
    let source = world.tenant.to_string();
    let request = json!({
        "target_tenant_id": TARGET_TENANT, "target_subscription": TARGET, "naming_suffix": "copy", "location": "North Europe",
        "auto_import_existing": true, "import_strategy": "selective", "auto_register_providers": true, "auto_fix_subnets": true,
        "resource_filters": "type=Microsoft.Network/* & !name=*-none-*, Microsoft.KeyVault/vaults",
    });
    let taken: Value = world.post("/api/v1/generate-iac", &request).await.json().await.unwrap();
    let job = taken["job_id"].as_str().unwrap().parse().unwrap();
    let outcome = world.result(job).await.result.unwrap();
    let count = |name: &str| outcome[name].as_u64().unwrap_or_else(|| panic!("{name} of {outcome}"));
    assert_eq!(count("resources_in"), count("emitted") + count("reported"), "{outcome}");
    assert!(count("emitted") > 0, "{outcome}");
    let notes: Vec<&str> = outcome["notes"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert!(notes.iter().any(|note| note.contains("scan it first")), "{notes:?}");
    let path = world.scratch().join("options.zip");
    world.client.download(job, &path, |_, _| {}).await.unwrap();
    let mut zip = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    for at in 0..zip.len() {
        let mut file = zip.by_index(at).unwrap();
        let name = file.name().to_owned();
        let mut text = String::new();
        std::io::Read::read_to_string(&mut file, &mut text).unwrap();
        // These say what the code rests on.
        if ["README.md", "REPORT.md", "report.json"].contains(&name.as_str()) {
            continue;
        }
        assert!(
            !text.to_lowercase().contains(&source),
            "{name} names the source:\n{text}"
        );
        if name == "providers.tf" {
            assert!(text.contains(TARGET) && text.contains(TARGET_TENANT), "{text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_filter_is_refused_with_its_place() {
    let world = World::small().await;
    world.scan().await;
    for (filter, message) in [
        (
            "Microsoft.Web/sites,",
            "is wrong at character 21: a condition is missing",
        ),
        ("nmae=x", "is wrong at character 1: there is no field \"nmae\""),
        ("", "is wrong at character 1"),
    ] {
        let response = world
            .post("/api/v1/generate-iac", &json!({"resource_filters": filter}))
            .await;
        assert_eq!(response.status(), 400, "{filter}");
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["error"]["code"], "INVALID_REQUEST", "{body}");
        let field = &body["error"]["details"]["fields"][0];
        assert_eq!(field["field"], "resource_filters", "{body}");
        assert!(field["message"].as_str().unwrap().starts_with(message), "{body}");
    }
}
