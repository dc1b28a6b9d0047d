//! What a scan concludes from its ledger: pure.

use atg_azure::{AzureError, PageError};
use atg_jobs::OperationError;
use atg_models::ErrorCode;
use atg_models::graph::{CollectionState, Gap, LedgerEntry, NotPlanned, Verdict};
use atg_models::job::JobError;

/// How a collection stands when nothing of it is left to be read. `problem` is what kept a partition
/// from being read to its end.
pub(super) fn settlement(entry: &LedgerEntry, problem: Option<CollectionState>) -> CollectionState {
    if let Some(problem) = problem {
        return problem;
    }
    if entry.partitions.iter().any(|partition| !partition.done) {
        let reason = "it was not read to its end".to_owned();
        return CollectionState::Failed { reason };
    }
    let rows = entry.rows();
    match entry.expected {
        Some(expected) if expected != rows => CollectionState::Failed {
            reason: format!("{rows} rows were read, and a second source counts {expected}"),
        },
        Some(_) | None => CollectionState::Complete,
    }
}

/// The verdict and the gaps of a ledger.
pub(super) fn verdict(ledger: &[LedgerEntry]) -> (Verdict, Vec<Gap>) {
    let mut gaps: Vec<_> = ledger.iter().filter_map(gap).collect();
    gaps.sort_by(|one, two| one.collection.cmp(&two.collection));
    let verdict = if gaps.is_empty() {
        Verdict::Complete
    } else {
        Verdict::Partial
    };
    (verdict, gaps)
}

fn gap(entry: &LedgerEntry) -> Option<Gap> {
    let reason = match &entry.state {
        CollectionState::Complete => return None,
        CollectionState::Planned | CollectionState::Reading => "it was not read to its end".to_owned(),
        CollectionState::Failed { reason } => reason.clone(),
        CollectionState::Forbidden { permission } => format!("missing permission: {permission}"),
        CollectionState::Skipped { why } => why.clone(),
    };
    let state = if entry.state.is_settled() {
        entry.state.as_str()
    } else {
        "failed"
    };
    Some(Gap {
        collection: entry.collection.clone(),
        state: state.to_owned(),
        reason,
    })
}

/// Whether the ledger proves that what a collection owns and was not seen is gone.
pub(super) fn may_sweep(entry: &LedgerEntry) -> bool {
    entry.sweepable && !entry.swept && entry.state == CollectionState::Complete
}

/// What was left out, with the rows of other tenants that turned up while reading.
pub(super) fn not_planned(mut planned: Vec<NotPlanned>, other_tenant: u64) -> Vec<NotPlanned> {
    if other_tenant > 0 {
        planned.push(NotPlanned {
            what: "other_tenant".to_owned(),
            reason: "rows of other tenants are not stored".to_owned(),
            count: Some(other_tenant),
        });
    }
    planned.sort_by(|one, two| (&one.what, &one.reason).cmp(&(&two.what, &two.reason)));
    planned
}

/// How a job ends when its plan could not be made, or nothing can be read any more.
pub(super) fn job_end(error: PageError) -> OperationError {
    let retry = |code, message| OperationError::Retryable(JobError::new(code, message));
    match error {
        PageError::Cancelled => OperationError::Stopped,
        PageError::Fatal(error) => azure_end(&error),
        PageError::Forbidden { permission } => OperationError::Fatal(JobError::new(
            ErrorCode::AzureForbidden,
            format!("the principal lacks {permission}"),
        )),
        PageError::Failed { reason } => retry(
            ErrorCode::AzureUnavailable,
            format!("the scan could not be planned: {reason}"),
        ),
        PageError::CursorExpired => retry(ErrorCode::AzureUnavailable, "the scan could not be planned".to_owned()),
    }
}

/// How a job ends on an error of Azure as a whole.
pub(super) fn azure_end(error: &AzureError) -> OperationError {
    let job_error = JobError::new(error.code(), error.to_string());
    if error.is_retryable() {
        OperationError::Retryable(job_error)
    } else {
        OperationError::Fatal(job_error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use atg_models::graph::{CollectionKey, Partition, PartitionKey};

    fn entry(state: CollectionState, expected: Option<u64>, parts: &[(u64, bool)]) -> LedgerEntry {
        LedgerEntry {
            collection: CollectionKey::new("arg.resources", "s"),
            sweepable: true,
            expected,
            state,
            partitions: parts
                .iter()
                .map(|(rows, done)| Partition {
                    rows: *rows,
                    done: *done,
                    ..Partition::unread(PartitionKey(rows.to_string()))
                })
                .collect(),
            swept: false,
        }
    }

    #[test]
    fn a_collection_is_complete_only_when_it_was_read_whole_and_counts_agree() {
        let reading = CollectionState::Reading;
        let forbidden = CollectionState::Forbidden {
            permission: "Reader".to_owned(),
        };
        let cases = [
            (None, vec![(3, true), (2, true)], None, "complete"),
            (Some(5), vec![(3, true), (2, true)], None, "complete"),
            (Some(6), vec![(3, true), (2, true)], None, "failed"),
            (Some(4), vec![(3, true), (2, true)], None, "failed"),
            (Some(5), vec![(3, true), (2, false)], None, "failed"),
            (Some(5), vec![(3, true), (2, true)], Some(forbidden), "forbidden"),
        ];
        for (expected, parts, problem, state) in cases {
            let entry = entry(reading.clone(), expected, &parts);
            assert_eq!(settlement(&entry, problem).as_str(), state, "{expected:?} {parts:?}");
        }
    }

    #[test]
    fn only_a_ledger_without_gaps_is_complete() {
        let complete = entry(CollectionState::Complete, None, &[(1, true)]);
        assert_eq!(verdict(std::slice::from_ref(&complete)), (Verdict::Complete, vec![]));
        for state in [
            CollectionState::Planned,
            CollectionState::Reading,
            CollectionState::Failed { reason: "x".to_owned() },
            CollectionState::Forbidden {
                permission: "x".to_owned(),
            },
            CollectionState::Skipped {
                why: "limit".to_owned(),
            },
        ] {
            let (verdict, gaps) = verdict(&[complete.clone(), entry(state.clone(), None, &[])]);
            assert_eq!((verdict, gaps.len()), (Verdict::Partial, 1), "{state:?}");
            assert!(!may_sweep(&entry(state, None, &[])));
        }
        assert!(may_sweep(&complete));
        assert!(!may_sweep(&LedgerEntry {
            swept: true,
            ..complete.clone()
        }));
        assert!(!may_sweep(&LedgerEntry {
            sweepable: false,
            ..complete
        }));
    }
}
