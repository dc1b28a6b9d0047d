//! Results in a container of a real blob service. Without Azurite, which `cargo xtask test` starts, they are left out.

use atg_db::AzureContainer;
use atg_db::contract::azurite::{ask, container};
use atg_server::{RunningServer, SystemClock, SystemIds, load_config};
use atg_tests::{Setup, World};
use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde_json::Value;

use crate::operations::hex;

fn settings(container: &AzureContainer) -> [(&'static str, String); 4] {
    let key = container.key.as_ref().unwrap().expose_secret();
    [
        ("ATG_ARTIFACT_URL", format!("az://{}", container.container)),
        ("AZURE_STORAGE_ACCOUNT_NAME", container.account.clone()),
        ("AZURE_STORAGE_ACCOUNT_KEY", key.to_owned()),
        (
            "AZURE_STORAGE_ENDPOINT",
            container.endpoint.as_ref().unwrap().to_string(),
        ),
    ]
}

async fn world(container: &AzureContainer) -> World {
    let settings = settings(container);
    let setup = settings
        .iter()
        .fold(Setup::new(7, 150), |setup, (name, value)| setup.setting(name, value));
    Box::pin(setup.start()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_is_written_fetched_and_missed_in_a_container() {
    let Some(container) = container() else { return };
    ask("PUT", &container).await;
    let world = world(&container).await;
    world.scan().await;
    let job = world.generate().await;
    let path = format!("/api/v1/operations/{job}/download");
    let whole = world.get(&path).await;
    assert_eq!(whole.status(), 200);
    let tag = whole.headers()["etag"].clone();
    let whole = whole.bytes().await.unwrap();
    assert_eq!(tag, format!("\"{}\"", hex(&whole)));
    let part = world.request(Method::GET, &path).header("Range", "bytes=10-19");
    let part = part.send().await.unwrap();
    assert_eq!(
        (part.status().as_u16(), part.bytes().await.unwrap()),
        (206, whole.slice(10..20))
    );
    let published = world.client.result(job).await.unwrap().files;
    assert_eq!(world.files(job).await.len(), published.len());
    let file = world.get(&published[0].download_url).await.bytes().await.unwrap();
    assert_eq!(hex(&file), published[0].sha256);
    // Nothing lies in the data folder.
    assert!(!world.zip(job).exists());

    // A container that has gone is no result whose time has passed.
    ask("DELETE", &container).await;
    let away = world.get(&path).await;
    assert_eq!(away.status(), 503);
    assert!(away.headers().contains_key("retry-after"));
    let said: Value = away.json().await.unwrap();
    assert_eq!(said["error"]["code"], "DATABASE_UNAVAILABLE");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_does_not_start_on_a_place_that_cannot_be_used() {
    let Some(container) = container() else { return };
    let folder = atg_tests::folder();
    let start = async |container: &AzureContainer| {
        let data = folder.path().join("data").to_str().unwrap().to_owned();
        let others = [("ATG_SERVER_HOST", "127.0.0.1".to_owned()), ("ATG_DATA_DIR", data)];
        let all = settings(container).into_iter().chain(others);
        let all = all.map(|(name, value)| (name.to_owned(), value));
        let config = load_config(all, None, None, Some(0)).unwrap().config;
        let (clock, ids) = (std::sync::Arc::new(SystemClock), std::sync::Arc::new(SystemIds));
        RunningServer::start(config, clock, ids)
            .await
            .map_err(|error| format!("{error:#}"))
    };
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let absent = start(&container).await.err().unwrap();
    assert!(
        absent.contains("the container of the results does not exist"),
        "{absent}"
    );
    assert!(absent.contains("hint: ATG_ARTIFACT_URL"), "{absent}");
    ask("PUT", &container).await;
    let wrong = AzureContainer {
        key: Some("d3Jvbmc=".to_owned().into()),
        ..container.clone()
    };
    let refused = start(&wrong).await.err().unwrap();
    assert!(refused.contains("refuses the key or identity"), "{refused}");
    start(&container).await.unwrap().stop().await;
    // A service that is away for the moment is waited for.
    let away = AzureContainer {
        endpoint: Some("http://127.0.0.1:9/atgtest".parse().unwrap()),
        ..container
    };
    start(&away).await.unwrap().stop().await;
}
