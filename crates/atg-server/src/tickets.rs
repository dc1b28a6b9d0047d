//! Tickets: a browser's way to a socket without a key in its address. Single use, short-lived, bound to
//! a job and to the key that asked.
//!
//! Only digests are kept, in memory: a restart is longer than a ticket's life.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use atg_auth::Principal;
use atg_models::api::TicketResponse;
use atg_models::{ErrorCode, IdGen, JobId, limits};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use crate::error::ApiError;
use crate::rates::seconds_up;

/// The tickets that wait to be used.
#[derive(Default)]
pub(crate) struct Tickets(Mutex<Held>);

#[derive(Default)]
struct Held {
    by_digest: HashMap<[u8; 32], Ticket>,
    swept_at: Option<OffsetDateTime>,
}

struct Ticket {
    job: JobId,
    principal: Principal,
    expires_at: OffsetDateTime,
}

impl Tickets {
    /// Makes a ticket for a job.
    pub(crate) fn issue(
        &self,
        principal: &Principal,
        job: JobId,
        ids: &dyn IdGen,
        now: OffsetDateTime,
    ) -> Result<TicketResponse, ApiError> {
        let ticket = format!("{:032x}{:032x}", ids.random_u128(), ids.random_u128());
        let expires_at = now + limits::SOCKET_TICKET_TTL;
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.sweep(now);
        if held.is_full_for(principal) {
            let message = "the rate limit of tickets that wait to be used is reached";
            let wait = seconds_up(limits::SOCKET_TICKET_TTL);
            return Err(ApiError::new(ErrorCode::RateLimited, message).retry_after(wait));
        }
        let kept = Ticket {
            job,
            principal: principal.clone(),
            expires_at,
        };
        held.by_digest.insert(digest(&ticket), kept);
        Ok(TicketResponse { ticket, expires_at })
    }

    /// Uses a ticket up, and answers whose it is. Whoever comes second gets nothing; neither does who
    /// brings it to another job, and it is used up then too.
    pub(crate) fn take(&self, ticket: &str, job: &str, now: OffsetDateTime) -> Option<Principal> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = held.by_digest.remove(&digest(ticket))?;
        let key_holds = kept.principal.expires_at.is_none_or(|until| until > now);
        let fits = job.parse::<JobId>().ok() == Some(kept.job) && kept.expires_at > now && key_holds;
        fits.then_some(kept.principal)
    }

    /// How many are held, expired ones included.
    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).by_digest.len()
    }
}

impl Held {
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

    #[test]
    fn a_ticket_works_once_for_its_job_and_not_for_long() {
        let tickets = Tickets::default();
        let job = JOB.to_string();
        let issue = || tickets.issue(&principal("01234567"), JOB, &SystemIds, NOW).unwrap();
        let first = issue();
        assert_eq!(first.ticket.len(), 64);
        assert_eq!(tickets.take(&first.ticket, &job, NOW), Some(principal("01234567")));
        assert_eq!(tickets.take(&first.ticket, &job, NOW), None);
        let other = JobId::new(JobKind::Scan, Uuid::from_u128(2)).to_string();
        let astray = issue();
        assert_eq!(tickets.take(&astray.ticket, &other, NOW), None);
        assert_eq!(tickets.take(&astray.ticket, &job, NOW), None);
        let last = issue();
        let end = last.expires_at;
        assert_eq!(end, NOW + Duration::seconds(30));
        assert_eq!(tickets.take(&last.ticket, &job, end), None);
        let just = issue();
        assert!(tickets.take(&just.ticket, &job, end - Duration::MILLISECOND).is_some());
        assert_eq!(tickets.len(), 0);
    }

    #[test]
    fn neither_a_key_nor_all_keys_fill_the_memory() {
        let tickets = Tickets::default();
        let issue = |key: &str, now| tickets.issue(&principal(key), JOB, &SystemIds, now);
        for _ in 0..limits::SOCKET_TICKETS_PER_KEY_MAX {
            issue("01234567", NOW).unwrap();
        }
        assert!(issue("01234567", NOW).is_err());
        for key in 1.. {
            if (0..limits::SOCKET_TICKETS_PER_KEY_MAX).any(|_| issue(&format!("{key:08x}"), NOW).is_err()) {
                break;
            }
        }
        assert_eq!(tickets.len(), limits::SOCKET_TICKETS_MAX);
        issue("01234567", NOW + limits::SOCKET_TICKET_TTL).unwrap();
        assert_eq!(tickets.len(), 1);
    }

    #[test]
    fn a_key_that_has_expired_opens_nothing() {
        let tickets = Tickets::default();
        let mut soon = principal("01234567");
        soon.expires_at = Some(NOW + Duration::seconds(5));
        let ticket = tickets.issue(&soon, JOB, &SystemIds, NOW).unwrap().ticket;
        assert_eq!(
            tickets.take(&ticket, &JOB.to_string(), NOW + Duration::seconds(5)),
            None
        );
    }
}
