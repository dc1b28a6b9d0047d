//! Where artifacts are kept.

use std::path::PathBuf;
use std::sync::Arc;

use object_store::azure::MicrosoftAzureBuilder;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::{ObjectArtifacts, StoreError};

/// A place for artifacts.
#[derive(Debug, Clone)]
pub enum ArtifactPlace {
    /// A folder: of this machine, or one that all servers share.
    Folder(PathBuf),
    /// A container of an Azure storage account.
    AzureContainer(AzureContainer),
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
}

impl ArtifactPlace {
    /// Opens the place. A folder is made if it is missing; a container is not asked yet.
    pub fn open(&self) -> Result<ObjectArtifacts, StoreError> {
        match self {
            Self::Folder(folder) => ObjectArtifacts::in_folder(folder),
            Self::AzureContainer(container) => Ok(ObjectArtifacts::in_store(Arc::new(container.build()?))),
        }
    }
}

impl AzureContainer {
    fn build(&self) -> Result<object_store::azure::MicrosoftAzure, StoreError> {
        let Self {
            account,
            container,
            key,
            endpoint,
            client_id,
            tenant_id,
            federated_token_file,
        } = self;
        let mut builder = MicrosoftAzureBuilder::new()
            .with_account(account)
            .with_container_name(container);
        if let Some(endpoint) = endpoint {
            let base = endpoint.as_str().trim_end_matches('/');
            builder = builder
                .with_endpoint(base.to_owned())
                .with_allow_http(endpoint.scheme() == "http");
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
        builder.build().map_err(|source| StoreError::Unavailable {
            doing: "preparing the artifacts' container",
            source: Box::new(source),
        })
    }
}
