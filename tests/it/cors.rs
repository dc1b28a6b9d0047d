//! Pages of other origins.

use atg_tests::{Setup, World};
use reqwest::{Method, Response};

const APP: &str = "https://app.example.com";

async fn world() -> World {
    let origins = format!("{APP}, http://localhost:3000");
    Setup::new(7, 50)
        .setting("CORS_ALLOWED_ORIGINS", &origins)
        .start()
        .await
}

async fn preflight(world: &World, path: &str, origin: &str) -> Response {
    world
        .anonymous(Method::OPTIONS, path)
        .header("Origin", origin)
        .header("Access-Control-Request-Method", "POST")
        .header("Access-Control-Request-Headers", "authorization,content-type")
        .send()
        .await
        .unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_learns_what_it_may_send() {
    let world = world().await;
    for (path, methods) in [
        ("/api/v1/scan", "POST"),
        ("/api/v1/scan/", "POST"),
        ("/api/v1/operations/x", "GET, HEAD, DELETE"),
        ("/api/v1/operations/x/files/a/b.tf", "GET, HEAD"),
    ] {
        let answer = preflight(&world, path, APP).await;
        assert_eq!(answer.status(), 204, "{path}");
        assert_eq!(header(&answer, "access-control-allow-origin"), Some(APP));
        assert_eq!(header(&answer, "access-control-allow-methods"), Some(methods));
        let headers = header(&answer, "access-control-allow-headers").unwrap();
        for name in ["Authorization", "Content-Type", "Idempotency-Key", "Prefer", "Range"] {
            assert!(headers.contains(name), "{name} in {headers}");
        }
        assert!(header(&answer, "access-control-max-age").is_some());
        assert!(header(&answer, "access-control-allow-credentials").is_none());
        assert!(header(&answer, "x-request-id").is_some());
    }
    assert_eq!(preflight(&world, "/nothing", APP).await.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_origin_may_nothing() {
    let world = world().await;
    for origin in [
        "https://evil.example",
        "https://app.example.com.evil.example",
        "http://app.example.com",
        "null",
    ] {
        let answer = preflight(&world, "/api/v1/scan", origin).await;
        assert_eq!(answer.status(), 405, "{origin}");
        assert_eq!(header(&answer, "access-control-allow-origin"), None, "{origin}");
        let read = world
            .request(Method::GET, "/api/v1/operations")
            .header("Origin", origin);
        let read = read.send().await.unwrap();
        assert_eq!(read.status(), 200, "the key decides, not the origin");
        assert_eq!(header(&read, "access-control-allow-origin"), None, "{origin}");
        assert_eq!(header(&read, "vary"), Some("Origin"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_may_read_what_the_contract_is_made_of() {
    let world = world().await;
    let answers = [
        world.request(Method::GET, "/api/v1/operations").header("Origin", APP),
        world.anonymous(Method::GET, "/api/v1/operations").header("Origin", APP),
        world.request(Method::GET, "/nothing").header("Origin", APP),
        world
            .request(Method::OPTIONS, "/api/v1/operations")
            .header("Origin", APP),
    ];
    for (answer, status) in answers.into_iter().zip([200, 401, 404, 405]) {
        let answer = answer.send().await.unwrap();
        assert_eq!(answer.status(), status);
        assert_eq!(header(&answer, "access-control-allow-origin"), Some(APP), "{status}");
        let readable = header(&answer, "access-control-expose-headers").unwrap();
        for name in [
            "Operation-Location",
            "Retry-After",
            "X-Request-ID",
            "X-RateLimit-Remaining",
            "ETag",
            "Content-Disposition",
            "Content-Range",
            "X-Total-Count",
        ] {
            assert!(readable.contains(name), "{name} in {readable}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_star_stands_for_every_origin_and_none_for_no_pages() {
    let all = Setup::new(7, 50).setting("CORS_ALLOWED_ORIGINS", "*").start().await;
    let answer = preflight(&all, "/api/v1/scan", "https://any.example").await;
    assert_eq!(header(&answer, "access-control-allow-origin"), Some("*"));
    drop(all);
    let none = World::small().await;
    let answer = preflight(&none, "/api/v1/scan", APP).await;
    assert_eq!(answer.status(), 405);
    assert!(header(&answer, "vary").is_none());
}
