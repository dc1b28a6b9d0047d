//! Containers of Azurite, the published emulator of the blob service, where the run of the tests has one.

use std::sync::atomic::{AtomicU32, Ordering};

use object_store::ClientOptions;
use object_store::azure::{AzureAccessKey, AzureAuthorizer, AzureCredential};
use object_store::client::{HttpConnector as _, HttpRequest, HttpRequestBody, ReqwestConnector};
use secrecy::{ExposeSecret as _, SecretString};

use crate::AzureContainer;

/// A container that nobody has made yet; `None` without a blob service.
pub fn container() -> Option<AzureContainer> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    #[allow(
        clippy::disallowed_methods,
        reason = "what `cargo xtask test` started is named in the environment"
    )]
    let setting = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let (Some(endpoint), Some(key)) = (setting("ATG_TEST_AZURITE"), setting("ATG_TEST_AZURITE_KEY")) else {
        tracing::warn!("left out: ATG_TEST_AZURITE is not set (cargo xtask test starts Azurite)");
        return None;
    };
    let account = endpoint.rsplit('/').next().unwrap().to_owned();
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    Some(AzureContainer {
        account,
        container: format!("test-{}-{number}", std::process::id()),
        key: Some(SecretString::from(key)),
        endpoint: Some(endpoint.parse().unwrap()),
        client_id: None,
        tenant_id: None,
        federated_token_file: None,
        identity_endpoint: None,
    })
}

/// Makes a container, or removes it: the server does neither.
pub async fn ask(method: &str, container: &AzureContainer) {
    let endpoint = container.endpoint.as_ref().unwrap();
    let url = format!("{endpoint}/{}?restype=container", container.container);
    let mut request = HttpRequest::new(HttpRequestBody::empty());
    *request.method_mut() = method.parse().unwrap();
    *request.uri_mut() = url.parse().unwrap();
    request.headers_mut().insert("content-length", "0".parse().unwrap());
    let key = container.key.as_ref().unwrap().expose_secret();
    let credential = AzureCredential::AccessKey(AzureAccessKey::try_new(key).unwrap());
    let authorizer = AzureAuthorizer::new(&credential, &container.account);
    authorizer.try_authorize(&mut request).unwrap();
    let options = ClientOptions::new().with_allow_http(true);
    let client = ReqwestConnector::default().connect(&options).unwrap();
    let answer = client.execute(request).await.unwrap();
    assert!(answer.status().is_success(), "{method}: {}", answer.status());
}
