//! `/openapi.json`, `/docs`, `/redoc`: from the binary, without the network.

use atg_tests::{Document, World};
use reqwest::Method;
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn the_served_document_is_the_one_of_the_code() {
    let world = World::small().await;
    let response = world.anonymous(Method::GET, "/openapi.json").send().await.unwrap();
    assert_eq!(response.status(), 200);
    let served: Value = response.json().await.unwrap();
    assert_eq!(&served, Document::of_code().value());
    assert!(served["openapi"].as_str().unwrap().starts_with("3.1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_refers_to_nothing_outside() {
    let world = World::small().await;
    for path in ["/docs", "/docs/"] {
        let response = world.anonymous(Method::GET, path).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        let policy = response.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .to_owned();
        assert!(policy.starts_with("default-src 'self'"), "{policy}");
        let page = response.text().await.unwrap();
        assert!(page.contains("swagger-ui"), "{page}");
        for link in ["href=\"http", "src=\"http", "src=\"//", "href=\"//"] {
            assert!(!page.contains(link), "{link} in {page}");
        }
    }
    for file in [
        "/docs/swagger-ui-bundle.js",
        "/docs/swagger-ui.css",
        "/docs/swagger-initializer.js",
        "/docs/oauth2-redirect",
    ] {
        let response = world.anonymous(Method::GET, file).send().await.unwrap();
        assert_eq!(response.status(), 200, "{file}");
    }
    let missing = world.anonymous(Method::GET, "/docs/nothing.js").send().await.unwrap();
    assert_eq!(missing.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn redoc_leads_to_the_page() {
    let world = World::small().await;
    let response = world.anonymous(Method::GET, "/redoc").send().await.unwrap();
    assert_eq!(response.status(), 308);
    assert_eq!(response.headers()["location"], "/docs");
}
