//! Tickets: a browser's way to a socket without a key in its address. Single use, short-lived, bound to
//! a job and to the key that asked.
//!
//! Only digests are kept: by one server in memory, since a restart is longer than a ticket's life; by servers
//! that share a store, in it, so that a ticket of one opens a socket of any.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use atg_auth::Principal;
use atg_db::{KeptTicket, ReplicaStore};
use atg_models::api::TicketResponse;
use atg_models::{ErrorCode, IdGen, JobId, limits};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use crate::error::ApiError;
use crate::rates::seconds_up;

/// The tickets that wait to be used.
pub(crate) enum Tickets {
    /// Of this server.
    Own(Mutex<Held>),
    /// Of all servers of a store.
    Shared(Arc<dyn ReplicaStore>),
}

/// Tickets in memory.
#[derive(Default)]
pub(crate) struct Held {
    by_digest: HashMap<[u8; 32], KeptTicket>,
    swept_at: Option<OffsetDateTime>,
}

impl Tickets {
    /// Kept together with other servers where there is such a store.
    pub(crate) fn new(shared: Option<Arc<dyn ReplicaStore>>) -> Self {
        shared.map_or_else(|| Self::Own(Mutex::default()), Self::Shared)
    }

    /// Makes a ticket for a job.
    pub(crate) async fn issue(
        &self,
        principal: &Principal,
        job: JobId,
        ids: &dyn IdGen,
        now: OffsetDateTime,
    ) -> Result<TicketResponse, ApiError> {
        let ticket = format!("{:032x}{:032x}", ids.random_u128(), ids.random_u128());
        let expires_at = now + limits::SOCKET_TICKET_TTL;
        let kept = KeptTicket {
            job,
            principal: principal.clone(),
            expires_at,
        };
        let has_room = match self {
            Self::Own(held) => held
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .put(digest(&ticket), kept, now),
            Self::Shared(store) => store.put_ticket(digest(&ticket), kept, now).await?,
        };
        if !has_room {
            let message = "the rate limit of tickets that wait to be used is reached";
            let wait = seconds_up(limits::SOCKET_TICKET_TTL);
            return Err(ApiError::new(ErrorCode::RateLimited, message).retry_after(wait));
        }
        Ok(TicketResponse { ticket, expires_at })
    }

    /// Uses a ticket up, and answers whose it is. Whoever comes second gets nothing; neither does who
    /// brings it to another job, and it is used up then too.
    pub(crate) async fn take(
        &self,
        ticket: &str,
        job: &str,
        now: OffsetDateTime,
    ) -> Result<Option<Principal>, ApiError> {
        let digest = digest(ticket);
        let kept = match self {
            Self::Own(held) => held
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .by_digest
                .remove(&digest),
            Self::Shared(store) => store.take_ticket(digest).await?,
        };
        let fits = |kept: &KeptTicket| {
            let key_holds = kept.principal.expires_at.is_none_or(|until| until > now);
            job.parse::<JobId>().ok() == Some(kept.job) && kept.expires_at > now && key_holds
        };
        Ok(kept.filter(fits).map(|kept| kept.principal))
    }

    /// How many this server holds in memory, expired ones included.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Own(held) => held.lock().unwrap_or_else(PoisonError::into_inner).by_digest.len(),
            Self::Shared(_) => 0,
        }
    }
}

impl Held {
    fn put(&mut self, digest: [u8; 32], ticket: KeptTicket, now: OffsetDateTime) -> bool {
        self.sweep(now);
        let has_room = !self.is_full_for(&ticket.principal);
        if has_room {
            self.by_digest.insert(digest, ticket);
        }
        has_room
    }

    /// Forgets what has expired, now and then; an expired ticket opens nothing meanwhile.
    fn sweep(&mut self, now: OffsetDateTime) {
        let due = self
            .swept_at
            .is_none_or(|at| (now - at).abs() >= limits::SOCKET_TICKET_TTL);
        if due {
            self.swept_at = Some(now);
            self.by_digest.retain(|_, ticket| ticket.expires_at > now);
        }
    }

    fn is_full_for(&self, principal: &Principal) -> bool {
        let held = self.by_digest.len();
        let own = || {
            let prefixes = self.by_digest.values().map(|ticket| &ticket.principal.key_prefix);
            prefixes.filter(|prefix| **prefix == principal.key_prefix).count()
        };
        held >= limits::SOCKET_TICKETS_MAX
            || (held >= limits::SOCKET_TICKETS_PER_KEY_MAX && own() >= limits::SOCKET_TICKETS_PER_KEY_MAX)
    }
}

fn digest(ticket: &str) -> [u8; 32] {
    Sha256::digest(ticket.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemIds;
    use atg_auth::{KeyPrefix, Scope, Tenants};
    use atg_models::JobKind;
    use time::Duration;
    use time::macros::datetime;
    use uuid::Uuid;

    const NOW: OffsetDateTime = datetime!(2026-01-01 12:00 UTC);
    const JOB: JobId = JobId::new(JobKind::Scan, Uuid::from_u128(1));

    fn principal(prefix: &str) -> Principal {
        Principal {
            key_prefix: KeyPrefix::from_stored(prefix).unwrap(),
            key_name: "k".to_owned(),
            scope: Scope::Read,
            tenants: Tenants::All,
            expires_at: None,
        }
    }

    #[tokio::test]
    async fn a_ticket_works_once_for_its_job_and_not_for_long() {
        let tickets = Tickets::new(None);
        let job = JOB.to_string();
        let issue = async || {
            tickets
                .issue(&principal("01234567"), JOB, &SystemIds, NOW)
                .await
                .unwrap()
        };
        let take = async |ticket: &str, job: &str, now| tickets.take(ticket, job, now).await.unwrap();
        let first = issue().await;
        assert_eq!(first.ticket.len(), 64);
        assert_eq!(take(&first.ticket, &job, NOW).await, Some(principal("01234567")));
        assert_eq!(take(&first.ticket, &job, NOW).await, None);
        let other = JobId::new(JobKind::Scan, Uuid::from_u128(2)).to_string();
        let astray = issue().await;
        assert_eq!(take(&astray.ticket, &other, NOW).await, None);
        assert_eq!(take(&astray.ticket, &job, NOW).await, None);
        let last = issue().await;
        let end = last.expires_at;
        assert_eq!(end, NOW + Duration::seconds(30));
        assert_eq!(take(&last.ticket, &job, end).await, None);
        let just = issue().await;
        assert!(take(&just.ticket, &job, end - Duration::MILLISECOND).await.is_some());
        assert_eq!(tickets.len(), 0);
    }

    #[tokio::test]
    async fn neither_a_key_nor_all_keys_fill_the_memory() {
        let tickets = Tickets::new(None);
        let issue = async |key: &str, now| tickets.issue(&principal(key), JOB, &SystemIds, now).await;
        for _ in 0..limits::SOCKET_TICKETS_PER_KEY_MAX {
            issue("01234567", NOW).await.unwrap();
        }
        assert!(issue("01234567", NOW).await.is_err());
        'all: for key in 1.. {
            for _ in 0..limits::SOCKET_TICKETS_PER_KEY_MAX {
                if issue(&format!("{key:08x}"), NOW).await.is_err() {
                    break 'all;
                }
            }
        }
        assert_eq!(tickets.len(), limits::SOCKET_TICKETS_MAX);
        issue("01234567", NOW + limits::SOCKET_TICKET_TTL).await.unwrap();
        assert_eq!(tickets.len(), 1);
    }

    #[tokio::test]
    async fn a_key_that_has_expired_opens_nothing() {
        let tickets = Tickets::new(None);
        let mut soon = principal("01234567");
        soon.expires_at = Some(NOW + Duration::seconds(5));
        let ticket = tickets.issue(&soon, JOB, &SystemIds, NOW).await.unwrap().ticket;
        assert_eq!(
            tickets
                .take(&ticket, &JOB.to_string(), NOW + Duration::seconds(5))
                .await
                .unwrap(),
            None
        );
    }
}
