//! `ATG_TRUSTED_PROXIES`: whose word on host, scheme and client counts.

use atg_tests::{Setup, World};
use reqwest::Method;
use serde_json::{Value, json};

const STANDARD: [(&str, &str); 1] = [("Forwarded", "for=198.51.100.7;proto=https;host=\"atg.example:8443\"")];
const OLDER: [(&str, &str); 3] = [
    ("X-Forwarded-For", "198.51.100.7"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Host", "atg.example:8443"),
];

async fn socket(world: &World, headers: &[(&str, &str)]) -> String {
    let mut request = world
        .request(Method::POST, "/api/v1/scan")
        .json(&json!({"tenant_id": world.tenant}));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let taken: Value = request.send().await.unwrap().json().await.unwrap();
    let url = taken["websocket_url"].as_str().unwrap().to_owned();
    url.split_once("/ws/").unwrap().0.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_proxy_says_what_the_client_saw() {
    let proxies = "10.0.0.0/8, 127.0.0.1";
    let world = Setup::new(7, 50).setting("ATG_TRUSTED_PROXIES", proxies).start().await;
    assert_eq!(socket(&world, &STANDARD).await, "wss://atg.example:8443");
    assert_eq!(socket(&world, &OLDER).await, "wss://atg.example:8443");
    assert_eq!(socket(&world, &[]).await, world.url().replacen("http", "ws", 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn anybody_else_says_nothing() {
    for setting in [None, Some("10.0.0.0/8")] {
        let mut setup = Setup::new(7, 50);
        if let Some(proxies) = setting {
            setup = setup.setting("ATG_TRUSTED_PROXIES", proxies);
        }
        let world = setup.start().await;
        let own = world.url().replacen("http", "ws", 1);
        assert_eq!(socket(&world, &STANDARD).await, own);
        assert_eq!(socket(&world, &OLDER).await, own);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_address_wins() {
    let world = Setup::new(7, 50)
        .setting("ATG_TRUSTED_PROXIES", "127.0.0.1")
        .setting("ATG_PUBLIC_URL", "https://public.example/atg")
        .start()
        .await;
    assert_eq!(socket(&world, &STANDARD).await, "wss://public.example/atg");
}
