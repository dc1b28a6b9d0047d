//! Which waiting job may start: a scan holds its tenant alone, readers share it.

use crate::ids::{JobId, TenantId};
use serde::{Deserialize, Serialize};

/// How a job uses its tenant's graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TenantUse {
    /// Not at all.
    None,
    /// It reads.
    Shared,
    /// It writes.
    Exclusive,
}

impl TenantUse {
    /// The word of the stores.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Shared => "shared",
            Self::Exclusive => "exclusive",
        }
    }

    /// The use with this word.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::None, Self::Shared, Self::Exclusive]
            .into_iter()
            .find(|tenant_use| tenant_use.as_str() == name)
    }
}

/// A job that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// Which.
    pub id: JobId,
    /// On which tenant.
    pub tenant: Option<TenantId>,
    /// How it uses it.
    pub tenant_use: TenantUse,
}

/// A job that a worker holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Active {
    /// Which.
    pub id: JobId,
    /// On which tenant.
    pub tenant: Option<TenantId>,
    /// How it uses it.
    pub tenant_use: TenantUse,
}

/// The first of `waiting` (oldest first) that may run beside `active`, and for those in front of
/// it which job each waits for.
///
/// A waiting writer holds back the readers behind it, so it is not starved by them.
pub fn admit(waiting: &[Waiting], active: &[Active]) -> (Option<JobId>, Vec<(JobId, JobId)>) {
    let mut held_back = Vec::new();
    for (at, job) in waiting.iter().enumerate() {
        let in_front = waiting
            .iter()
            .take(at)
            .map(|other| (other.id, other.tenant, other.tenant_use));
        let running = active.iter().map(|other| (other.id, other.tenant, other.tenant_use));
        let blocker = running
            .chain(in_front)
            .find(|(_, tenant, tenant_use)| conflicts(job, *tenant, *tenant_use))
            .map(|(id, _, _)| id);
        match blocker {
            Some(blocker) => held_back.push((job.id, blocker)),
            None => return (Some(job.id), held_back),
        }
    }
    (None, held_back)
}

fn conflicts(job: &Waiting, tenant: Option<TenantId>, other: TenantUse) -> bool {
    if job.tenant.is_none() || job.tenant != tenant {
        return false;
    }
    match (job.tenant_use, other) {
        (TenantUse::None, _) | (_, TenantUse::None) | (TenantUse::Shared, TenantUse::Shared) => false,
        (TenantUse::Exclusive, TenantUse::Shared | TenantUse::Exclusive)
        | (TenantUse::Shared, TenantUse::Exclusive) => true,
    }
}
