//! Makes readers. All readers of a tenant share one quota planner.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use atg_models::{Clock, TenantId};
use tokio::sync::OnceCell;

use super::AzureReader;
use super::memory::Memory;
use super::shared::Shared;
use crate::client::Client;
use crate::cloud::ConfigError;
use crate::config::AzureConfig;
use crate::credential::TokenSource;
use crate::http::{self, Http};
use crate::quota::Planner;
use crate::{AzureError, TenantReader, limits};

/// How one scan wants to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReaderOptions {
    /// Requests in flight at most.
    pub max_concurrency: usize,
    /// Tries of one request after the first.
    pub max_retries: u32,
}

/// Gives readers of tenants.
#[async_trait]
pub trait Azure: Send + Sync {
    /// A reader of this tenant. Nothing is asked of Azure before its first use.
    async fn reader(&self, tenant: TenantId, options: ReaderOptions) -> Result<Arc<dyn TenantReader>, AzureError>;
}

/// Gives readers of the configured cloud with the configured credential.
pub struct AzureReaders {
    config: AzureConfig,
    clock: Arc<dyn Clock>,
    pub(super) client: reqwest::Client,
    /// The credential is one, so that the tenant names the principal too.
    planners: Mutex<HashMap<TenantId, Arc<Planner>>>,
}

impl AzureReaders {
    /// Checks the configuration.
    pub fn new(config: AzureConfig, clock: Arc<dyn Clock>) -> Result<Self, AzureError> {
        config.validate().map_err(|error| misconfigured(&error))?;
        Ok(Self {
            config,
            clock,
            client: http::client()?,
            planners: Mutex::new(HashMap::new()),
        })
    }

    fn planner(&self, tenant: TenantId) -> Arc<Planner> {
        let mut planners = self.planners.lock().unwrap_or_else(PoisonError::into_inner);
        if planners.len() >= limits::PLANNERS && !planners.contains_key(&tenant) {
            // Those that nobody uses have forgotten nothing that the headers will not say again.
            planners.retain(|_, planner| Arc::strong_count(planner) > 1);
        }
        let planner = planners
            .entry(tenant)
            .or_insert_with(|| Arc::new(Planner::new(Arc::clone(&self.clock))));
        Arc::clone(planner)
    }

    pub(super) fn make(&self, tenant: TenantId, options: ReaderOptions) -> Result<AzureReader, AzureError> {
        let endpoints = self.config.cloud.endpoints().map_err(|error| misconfigured(&error))?;
        let tokens = TokenSource::new(
            self.config.credential.clone(),
            tenant,
            endpoints.clone(),
            Arc::clone(&self.clock),
            self.client.clone(),
        );
        let http = Http::new(
            self.client.clone(),
            tokens,
            self.planner(tenant),
            Arc::clone(&self.clock),
            options.max_concurrency,
            options.max_retries,
        );
        Ok(AzureReader {
            tenant,
            client: Client { http, endpoints },
            verified: OnceCell::new(),
            subscriptions: OnceCell::new(),
            versions: OnceCell::new(),
            memory: Memory::default(),
            shared: Shared::default(),
        })
    }
}

#[async_trait]
impl Azure for AzureReaders {
    async fn reader(&self, tenant: TenantId, options: ReaderOptions) -> Result<Arc<dyn TenantReader>, AzureError> {
        Ok(Arc::new(self.make(tenant, options)?))
    }
}

impl AzureReader {
    /// A reader of its own, with the configured bounds.
    pub fn connect(config: AzureConfig, tenant: TenantId, clock: Arc<dyn Clock>) -> Result<Self, AzureError> {
        let options = ReaderOptions {
            max_concurrency: config.max_concurrency,
            max_retries: config.max_retries,
        };
        AzureReaders::new(config, clock)?.make(tenant, options)
    }
}

fn misconfigured(error: &ConfigError) -> AzureError {
    AzureError::Authentication {
        problem: error.to_string(),
    }
}
