//! What holds on every route: HEAD, trailing slashes, 405; and the time that a request may take to arrive.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};

use atg_tests::{Document, KEY, Setup, ShiftedClock, World};
use reqwest::{Method, Response};
use time::Duration;

/// Paths of the document with the methods that each has, made concrete.
fn paths(world: &World, job: &str) -> BTreeMap<String, Vec<String>> {
    let mut paths: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for operation in Document::of_code().operations() {
        let path = operation
            .path
            .replace("{job_id}", job)
            .replace("{path}", "REPORT.md")
            .replace("{tenant_id}", &world.tenant.to_string());
        paths.entry(path).or_default().push(operation.method.to_uppercase());
    }
    paths
}

async fn send(world: &World, method: Method, path: &str) -> Response {
    world.request(method, path).send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_has_head_a_slash_and_its_methods() {
    let world = World::small().await;
    world.scan().await;
    let job = world.generate().await.to_string();
    let mut paths = paths(&world, &job);
    for page in ["/openapi.json", "/docs", "/docs/oauth2-redirect", "/redoc"] {
        paths.insert(page.to_owned(), vec!["GET".to_owned()]);
    }
    assert!(paths.len() >= 15, "{paths:?}");
    for (path, methods) in &paths {
        let other = send(&world, Method::PATCH, path).await;
        assert_eq!(other.status(), 405, "{path}");
        let allow = other.headers()["allow"].to_str().unwrap().to_owned();
        let allowed: Vec<&str> = allow.split(", ").collect();
        let heads = methods.iter().any(|method| method == "GET");
        assert_eq!(allowed.contains(&"HEAD"), heads, "{path} {allow}");
        assert_eq!(allowed.len(), methods.len() + usize::from(heads), "{path} {allow}");
        assert!(
            methods.iter().all(|method| allowed.contains(&method.as_str())),
            "{path} {allow}"
        );

        let head = send(&world, Method::HEAD, path).await;
        if !heads {
            assert_eq!(head.status(), 405, "{path}");
            continue;
        }
        let get = send(&world, Method::GET, path).await;
        assert_eq!(head.status(), get.status(), "{path}");
        assert_eq!(
            head.headers().get("content-type"),
            get.headers().get("content-type"),
            "{path}"
        );
        // What is counted or timed anew has another length each time.
        if !["/metrics", "/api/v1/operations"].contains(&path.as_str()) {
            assert_eq!(
                head.headers().get("content-length"),
                get.headers().get("content-length"),
                "{path}"
            );
        }
        assert!(head.bytes().await.unwrap().is_empty(), "{path}");
        let slash = send(&world, Method::GET, &format!("{path}/")).await;
        assert_eq!(slash.status(), get.status(), "{path}/");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_get_on_a_socket_is_426() {
    let world = World::small().await;
    let (job, _) = world.scan().await;
    let response = send(&world, Method::GET, &format!("/ws/progress/{job}")).await;
    assert_eq!(response.status(), 426);
    let body: serde_json::Value = response.json().await.unwrap();
    assert_eq!(body["error"]["code"], "UPGRADE_REQUIRED");
}

/// Between two looks for an answer.
const LOOK: std::time::Duration = std::time::Duration::from_millis(50);

/// What the server says, as it is on the wire, when a body stops in its middle.
pub(crate) async fn answer_to_half_a_body() -> String {
    let clock = ShiftedClock::default();
    let world = Setup::new(7, 50).clock(clock.clone()).start().await;
    let address = world.url().strip_prefix("http://").unwrap().to_owned();
    let answer = tokio::task::spawn_blocking(move || {
        let mut stream = std::net::TcpStream::connect(&address).unwrap();
        stream.set_read_timeout(Some(atg_tests::DEADLINE)).unwrap();
        let head = format!(
            "POST /api/v1/scan HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {KEY}\r\n\
             Content-Type: application/json\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        // The server asks for the body once it reads it: from then on its time runs.
        let mut buffer = [0; 4096];
        let asked = stream.read(&mut buffer).unwrap();
        assert!(
            buffer[..asked].starts_with(b"HTTP/1.1 100"),
            "{:?}",
            String::from_utf8_lossy(&buffer[..asked])
        );
        stream.write_all(b"{\"tenant").unwrap();
        // Which it may do a moment after it has said so.
        stream.set_read_timeout(Some(LOOK)).unwrap();
        let started = std::time::Instant::now();
        while started.elapsed() < atg_tests::DEADLINE {
            clock.advance(Duration::seconds(61));
            if let Ok(read) = stream.read(&mut buffer) {
                return String::from_utf8_lossy(&buffer[..read]).into_owned();
            }
        }
        panic!("no answer to half a body");
    });
    answer.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_arrive_is_given_up() {
    let answer = answer_to_half_a_body().await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("REQUEST_TIMEOUT"), "{answer}");
}
