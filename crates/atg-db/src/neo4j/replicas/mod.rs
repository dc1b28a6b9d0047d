//! What servers keep together for a short time.

mod requests;
mod tickets;

use std::sync::Arc;

use async_trait::async_trait;
use atg_auth::KeyPrefix;
use time::OffsetDateTime;

use super::driver::Driver;
use crate::StoreError;
use crate::replica_store::{Back, Grant, KeptTicket, ReplicaStore};

/// The common memory of the servers of a Neo4j.
#[derive(Debug)]
pub struct Neo4jReplicas {
    driver: Arc<Driver>,
}

impl Neo4jReplicas {
    pub(super) const fn new(driver: Arc<Driver>) -> Self {
        Self { driver }
    }
}

#[async_trait]
impl ReplicaStore for Neo4jReplicas {
    async fn take_requests(
        &self,
        key: &KeyPrefix,
        wanted: u32,
        limit: u32,
        back: Option<Back>,
        now: OffsetDateTime,
    ) -> Result<Grant, StoreError> {
        requests::take(&self.driver, key, wanted, limit, back, now).await
    }

    async fn put_ticket(&self, digest: [u8; 32], ticket: KeptTicket, now: OffsetDateTime) -> Result<bool, StoreError> {
        tickets::put(&self.driver, digest, &ticket, now).await
    }

    async fn take_ticket(&self, digest: [u8; 32]) -> Result<Option<KeptTicket>, StoreError> {
        tickets::take(&self.driver, digest).await
    }
}
