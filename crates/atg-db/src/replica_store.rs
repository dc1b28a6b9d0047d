//! What servers that share a store keep together for a short time: how much a key has used, and tickets.

use async_trait::async_trait;
use atg_auth::{KeyPrefix, Principal};
use atg_models::JobId;
use time::OffsetDateTime;

use crate::StoreError;

/// What a server may let in of a key's requests before it asks again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// How many requests were granted now, at most as many as were wanted. They count from now on.
    pub granted: u32,
    /// How many of the key's requests count at this moment on all servers, these included.
    pub used: u32,
    /// When the oldest of them counts no longer.
    pub next_at: Option<OffsetDateTime>,
}

/// What is left of an earlier grant, and counts no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Back {
    /// How many requests of it were not let in.
    pub unused: u32,
    /// When it was granted.
    pub granted_at: OffsetDateTime,
}

/// A ticket that waits to be used. The store knows its digest only.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptTicket {
    /// The job whose socket it opens.
    pub job: JobId,
    /// Who asked for it.
    pub principal: Principal,
    /// When it opens nothing any more.
    pub expires_at: OffsetDateTime,
}

/// Kept by all servers of a store together. Every call is one short transaction.
#[async_trait]
pub trait ReplicaStore: Send + Sync + 'static {
    /// Takes up to `wanted` of the `limit` requests that a key has within
    /// [`atg_models::limits::REQUESTS_WINDOW`], and gives back what is left of an earlier grant.
    async fn take_requests(
        &self,
        key: &KeyPrefix,
        wanted: u32,
        limit: u32,
        back: Option<Back>,
        now: OffsetDateTime,
    ) -> Result<Grant, StoreError>;

    /// Keeps a ticket under its digest; `false` when its key, or all keys together, hold too many
    /// ([`atg_models::limits::SOCKET_TICKETS_PER_KEY_MAX`], [`atg_models::limits::SOCKET_TICKETS_MAX`]).
    async fn put_ticket(&self, digest: [u8; 32], ticket: KeptTicket, now: OffsetDateTime) -> Result<bool, StoreError>;

    /// Takes a ticket away and answers it, expired or not: whoever comes second gets nothing.
    async fn take_ticket(&self, digest: [u8; 32]) -> Result<Option<KeptTicket>, StoreError>;
}
