//! Where artifacts are kept.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use object_store::azure::MicrosoftAzureBuilder;
use object_store::{ClientOptions, RetryConfig};
use secrecy::{ExposeSecret as _, SecretString};
use url::{Host, Url};

use crate::limits::{BLOB_CONNECT, BLOB_RETRIED_WITHIN, BLOB_RETRIES, BLOB_SILENCE};
use crate::{ObjectArtifacts, StoreError};

#[cfg(test)]
mod tests;

/// A place for artifacts.
#[derive(Debug, Clone)]
pub enum ArtifactPlace {
    /// A folder: of this machine, or one that all servers share.
    Folder(PathBuf),
    /// A container of an Azure storage account.
    AzureContainer(Box<AzureContainer>),
}

/// A container of an Azure storage account, and how to sign in to it.
#[derive(Debug, Clone)]
pub struct AzureContainer {
    /// The storage account.
    pub account: String,
    /// The container, which must be there.
    pub container: String,
    /// The account's key. `None` signs in with the identity that the machine has: a workload identity when
    /// there is a token file, else the managed identity.
    pub key: Option<SecretString>,
    /// The blob endpoint, where it is not the public cloud's.
    pub endpoint: Option<Url>,
    /// Which of several identities.
    pub client_id: Option<String>,
    /// The identity's tenant, for a workload identity.
    pub tenant_id: Option<String>,
    /// The token file of a workload identity.
    pub federated_token_file: Option<PathBuf>,
    /// Where a managed identity gets its tokens, on a platform that names a place of its own: Container Apps and App
    /// Service do, virtual machines do not.
    pub identity_endpoint: Option<Url>,
}

impl ArtifactPlace {
    /// Opens the place. A folder is made if it is missing; a container is not asked yet.
    pub fn open(&self) -> Result<ObjectArtifacts, StoreError> {
        match self {
            Self::Folder(folder) => ObjectArtifacts::in_folder(folder),
            Self::AzureContainer(container) => Ok(ObjectArtifacts::in_store(Arc::new(container.build(BLOB_SILENCE)?))),
        }
    }
}

impl AzureContainer {
    fn build(&self, silence: Duration) -> Result<object_store::azure::MicrosoftAzure, StoreError> {
        let Self {
            account,
            container,
            key,
            endpoint,
            client_id,
            tenant_id,
            federated_token_file,
            identity_endpoint,
        } = self;
        let in_the_clear = endpoint.as_ref().is_some_and(is_own_machine);
        let mut builder = MicrosoftAzureBuilder::new()
            .with_account(account)
            .with_container_name(container)
            .with_client_options(client_options(in_the_clear, silence))
            .with_retry(retry_config());
        if let Some(endpoint) = endpoint {
            let base = endpoint.as_str().trim_end_matches('/');
            builder = builder.with_endpoint(base.to_owned());
        }
        if let Some(key) = key {
            builder = builder.with_access_key(key.expose_secret());
        }
        if let Some(client_id) = client_id {
            builder = builder.with_client_id(client_id);
        }
        if let Some(tenant_id) = tenant_id {
            builder = builder.with_tenant_id(tenant_id);
        }
        if let Some(file) = federated_token_file {
            builder = builder.with_federated_token_file(file.to_string_lossy());
        }
        if let Some(endpoint) = identity_endpoint {
            builder = builder.with_msi_endpoint(endpoint.as_str());
        }
        builder.build().map_err(|source| StoreError::Unavailable {
            doing: "preparing the artifacts' container",
            source: Box::new(source),
        })
    }
}

/// Keys and results go over plain HTTP to this machine only, whoever made the configuration.
fn is_own_machine(endpoint: &Url) -> bool {
    match endpoint.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Silence is bounded, and not the length of an answer.
fn client_options(allow_http: bool, silence: Duration) -> ClientOptions {
    ClientOptions::new()
        .with_allow_http(allow_http)
        .with_connect_timeout(BLOB_CONNECT)
        .with_timeout_disabled()
        .with_read_timeout(silence)
}

fn retry_config() -> RetryConfig {
    RetryConfig {
        max_retries: BLOB_RETRIES,
        retry_timeout: BLOB_RETRIED_WITHIN,
        ..RetryConfig::default()
    }
}
