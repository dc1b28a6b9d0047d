//! A walk over the OpenAPI document: every operation answers as it is documented.

use std::path::Path;

use atg_tests::{Answer, Described, Document, JUDGE, KEY, World};
use reqwest::{Method, RequestBuilder};

const UNKNOWN_JOB: &str = "scan-01890a5d-ac96-774b-bcce-b302099a8057";

fn asked(world: &World, operation: &Described) -> RequestBuilder {
    let method = Method::from_bytes(operation.method.to_uppercase().as_bytes()).unwrap();
    let path = operation
        .path
        .replace("{job_id}", UNKNOWN_JOB)
        .replace("{path}", "folder/main.tf")
        .replace("{tenant_id}", "99999999-9999-9999-9999-999999999999");
    assert!(
        !path.contains('{'),
        "{path} has a parameter that this walk does not know"
    );
    world.anonymous(method, &path)
}

async fn judge(document: &Document, operation: &Described, request: RequestBuilder) -> u16 {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    assert!(response.headers().contains_key("x-request-id"), "{operation:?}");
    let body = response.bytes().await.unwrap();
    if let Some(problem) = document.problem(&operation.method, &operation.path, status, &body) {
        panic!("{problem}");
    }
    status
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_answers_as_documented() {
    let world = World::small().await;
    let document = Document::of_code();
    let operations = document.operations();
    assert!(operations.len() >= 15, "{operations:?}");
    for operation in &operations {
        let anonymous = judge(&document, operation, asked(&world, operation)).await;
        if !operation.secured {
            assert_eq!(anonymous, 200, "{operation:?}");
            continue;
        }
        assert_eq!(anonymous, 401, "{operation:?}");
        let unknown = format!("Bearer atg_dev_{}", "f".repeat(64));
        let malformed = ["Bearer nonsense", "Basic YTpi", "Bearer", unknown.as_str()];
        for header in malformed {
            let request = asked(&world, operation).header("Authorization", header);
            assert_eq!(
                judge(&document, operation, request).await,
                401,
                "{operation:?} {header}"
            );
        }
        // An empty POST has no media type; a job that is not there is not found; lists are there.
        let expected = match (operation.method.as_str(), operation.path.contains('{')) {
            ("post", _) => 415,
            (_, true) => 404,
            (_, false) => 200,
        };
        let request = asked(&world, operation).header("Authorization", format!("bEARER {KEY}"));
        assert_eq!(judge(&document, operation, request).await, expected, "{operation:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_about_jobs_fit_the_document() {
    let world = World::small().await;
    let document = Document::of_code();
    let response = world
        .post("/api/v1/scan", &serde_json::json!({"tenant_id": world.tenant}))
        .await;
    let body = response.bytes().await.unwrap();
    assert_eq!(document.problem("post", "/api/v1/scan", 202, &body), None);
    let taken: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let scan: atg_models::JobId = taken["job_id"].as_str().unwrap().parse().unwrap();
    world.completion(scan).await;
    let iac = world.generate().await;
    let spec = world.specify(&serde_json::json!({})).await;
    let cases = [
        ("/api/v1/scan/{job_id}", Some(scan)),
        ("/api/v1/generate-iac/{job_id}", Some(iac)),
        ("/api/v1/generate-spec/{job_id}", Some(spec)),
        ("/api/v1/operations", None),
        ("/api/v1/operations/{job_id}", Some(iac)),
        ("/api/v1/operations/{job_id}/result", Some(scan)),
        ("/api/v1/operations/{job_id}/result", Some(iac)),
        ("/api/v1/operations/{job_id}/result", Some(spec)),
        ("/api/v1/tenants", None),
    ];
    for (path, job) in cases {
        let concrete = job.map_or_else(|| path.to_owned(), |job| path.replace("{job_id}", &job.to_string()));
        let response = world.get(&concrete).await;
        assert_eq!(response.status(), 200, "{concrete}");
        let body = response.bytes().await.unwrap();
        assert_eq!(document.problem("get", path, 200, &body), None);
    }
    let again = world
        .request(Method::DELETE, &format!("/api/v1/operations/{scan}"))
        .send()
        .await
        .unwrap();
    assert_eq!(again.status(), 409);
    let body = again.bytes().await.unwrap();
    assert_eq!(
        document.problem("delete", "/api/v1/operations/{job_id}", 409, &body),
        None
    );
}

#[test]
fn a_body_that_does_not_fit_is_noticed() {
    let document = Document::of_code();
    let wrong = br#"{"status": "healthy"}"#;
    assert!(document.problem("get", "/health", 200, wrong).is_some());
    assert!(document.problem("get", "/health", 418, b"{}").is_some());
}

#[test]
fn an_answer_that_does_not_fit_is_noticed() {
    let judged = |path: &str, status: u16, headers: &[(&str, &str)], body: &str| {
        let mut map = reqwest::header::HeaderMap::new();
        for (name, value) in headers {
            let name: reqwest::header::HeaderName = name.parse().unwrap();
            map.insert(name, value.parse().unwrap());
        }
        let answer = Answer {
            method: &Method::GET,
            path,
            status,
            headers: &map,
            body: Some(body.as_bytes()),
        };
        JUDGE.problem(&answer)
    };
    let id = ("x-request-id", "r");
    let json = ("content-type", "application/json");
    let list = "/api/v1/operations";
    let error = r#"{"error": {"code": "NOT_FOUND", "message": "m"}}"#;
    for (path, status, headers, body) in [
        (list, 200, &[id, json, ("x-total-count", "0")][..], "[]"),
        ("/api/v1/operations/x/files/a/b.tf", 404, &[id, json], error),
        ("/nothing", 404, &[id, json], error),
    ] {
        assert_eq!(judged(path, status, headers, body), None);
    }
    for (path, status, headers, body) in [
        (list, 200, &[json, ("x-total-count", "0")][..], "[]"),
        (list, 200, &[id, json], "[]"),
        (
            list,
            200,
            &[id, ("content-type", "text/html"), ("x-total-count", "0")],
            "[]",
        ),
        (list, 200, &[id, json, ("x-total-count", "0")], "[{}]"),
        (list, 404, &[id, json], error),
        (list, 503, &[id, json], error),
        ("/nothing", 404, &[id, json], "{}"),
        ("/nothing", 404, &[id], error),
    ] {
        assert!(
            judged(path, status, headers, body).is_some(),
            "{path} {status} {headers:?}"
        );
    }
}

#[test]
fn the_document_that_is_checked_in_is_the_one_of_the_code() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi/atg-v1.json");
    let text = std::fs::read_to_string(file).expect("openapi/atg-v1.json is made by cargo xtask openapi");
    let same = text.trim_end() == atg_server::openapi_json().unwrap().trim_end();
    assert!(same, "openapi/atg-v1.json is not up to date: cargo xtask openapi");
}
