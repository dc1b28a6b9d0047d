//! What every job store does.

pub mod events;
pub mod lists;
pub mod states;
pub mod submissions;

use atg_models::job::{EventBody, JobRecord, LogLevel, NewJob, OnCrash, Progress, TenantUse, WorkerId};
use atg_models::{JobId, JobKind};
use serde_json::json;
use uuid::Uuid;

use crate::contract::world::at;
use crate::{Inserted, JobStore};

/// Runs the suite against the job stores that a factory makes.
#[macro_export]
macro_rules! job_contract {
    ($factory:path) => {
        $crate::contract_cases! { $factory, $crate::contract::jobs;
            submissions::{
                a_job_reads_back, a_key_makes_one_job, keys_of_two_clients_are_two, a_client_has_a_share_of_the_queue,
                a_key_is_remembered_for_a_day, a_key_has_so_many_scans_an_hour,
                what_a_key_made_is_answered_beyond_the_limit
            }
            states::{
                the_oldest_due_job_is_claimed, a_scan_holds_its_tenant_alone, a_held_back_job_says_so_once,
                a_late_worker_is_refused, a_job_ends_with_its_outcome, a_failed_job_ends_with_its_error,
                a_retry_waits, leases_expire, a_checkpoint_belongs_to_the_attempt
            }
            events::{
                a_log_is_numbered, a_progress_is_the_jobs, a_log_keeps_a_tail, an_ended_job_takes_no_event,
                news_say_how_far_each_job_is
            }
            lists::{
                lists_are_newest_first, lists_are_filtered, a_job_of_a_tenant_is_listed_to_that_tenant,
                what_is_old_is_removed
            }
        }
    };
}

pub(crate) fn id(number: u128) -> JobId {
    JobId::new(JobKind::GenerateIac, Uuid::from_u128(number))
}

pub(crate) fn worker() -> WorkerId {
    WorkerId("w1".to_owned())
}

pub(crate) fn new(number: u128) -> NewJob {
    NewJob {
        id: id(number),
        tenant: Uuid::from_u128(0x11).to_string(),
        tenant_use: TenantUse::Shared,
        on_crash: OnCrash::Rerun,
        key_prefix: "12345678".to_owned(),
        params: json!({"a": [1, null]}),
        created_at: at(0),
    }
}

pub(crate) async fn insert<S: JobStore>(store: &S, job: NewJob) -> JobRecord {
    match store.insert(job, None).await.unwrap() {
        Inserted::New(job) => job,
        other @ (Inserted::Replayed(_) | Inserted::Mismatch | Inserted::Full(_)) => panic!("{other:?}"),
    }
}

/// A job that this worker runs.
pub(crate) async fn running<S: JobStore>(store: &S, number: u128) -> JobRecord {
    insert(store, new(number)).await;
    store.claim(&worker(), at(1)).await.unwrap().unwrap().job
}

pub(crate) fn line(text: &str) -> EventBody {
    EventBody::Log {
        level: LogLevel::Info,
        message: text.to_owned(),
    }
}

pub(crate) fn percent(percent: f64) -> EventBody {
    EventBody::Progress(Progress {
        phase: "resources".to_owned(),
        percent,
        ..Progress::default()
    })
}
