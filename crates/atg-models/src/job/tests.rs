//! The table of the state machine, pair by pair, and the rules of admission.

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{
    Active, Event, JobError, JobState, MachineState, OnCrash, Policy, Refused, TenantUse, Waiting, WorkerId, admit,
    apply,
};
use crate::error_code::ErrorCode;
use crate::ids::{Fence, JobId, JobKind, TenantId};

use JobState::{Cancelled, Cancelling, Failed, Queued, Running, Succeeded};

const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;
const FENCE: Fence = Fence::new(7);

const POLICY: Policy = Policy {
    lease: Duration::seconds(30),
    max_attempts: 5,
    backoff_base: Duration::seconds(2),
    backoff_max: Duration::seconds(60),
    on_crash: OnCrash::Rerun,
};

fn at(state: JobState, attempt: u32) -> MachineState {
    let held = state.is_held();
    MachineState {
        state,
        attempt,
        fence: FENCE,
        owner: held.then(|| WorkerId("w".to_owned())),
        lease_until: held.then_some(NOW),
        due: NOW,
        error: None,
    }
}

fn error() -> JobError {
    JobError::new(ErrorCode::AzureUnavailable, "no answer")
}

fn events(fence: Fence) -> [Event; 10] {
    let owner = WorkerId("w2".to_owned());
    [
        Event::Claimed { owner },
        Event::Renewed { fence },
        Event::CancelRequested,
        Event::Succeeded { fence },
        Event::FailedRetryable { fence, error: error() },
        Event::FailedFatal { fence, error: error() },
        Event::Stopped { fence },
        Event::Yielded { fence },
        Event::LeaseExpired,
        Event::OwnerGone,
    ]
}

/// One row a state; the columns as [`events`] orders them; `None` = refused.
fn check(state: JobState, attempt: u32, on_crash: OnCrash, row: [Option<JobState>; 10]) {
    let policy = Policy { on_crash, ..POLICY };
    for (event, expected) in events(FENCE).iter().zip(row) {
        let after = apply(&at(state, attempt), event, NOW, &policy).ok();
        assert_eq!(after.map(|after| after.state), expected, "{event:?} on {state:?}");
    }
}

#[test]
fn every_pair_of_state_and_event_is_as_designed() {
    let rerun = OnCrash::Rerun;
    check(
        Queued,
        0,
        rerun,
        [
            Some(Running),
            None,
            Some(Cancelled),
            None,
            None,
            None,
            None,
            None,
            None,
            None,
        ],
    );
    let running = |retry, yielded, lost| {
        [
            None,
            Some(Running),
            Some(Cancelling),
            Some(Succeeded),
            Some(retry),
            Some(Failed),
            None,
            Some(yielded),
            Some(lost),
            Some(lost),
        ]
    };
    check(Running, 1, rerun, running(Queued, Queued, Queued));
    check(Running, 5, rerun, running(Failed, Queued, Failed));
    check(Running, 1, OnCrash::Interrupt, running(Queued, Failed, Failed));
    for attempt in [1, 5] {
        for on_crash in [rerun, OnCrash::Interrupt] {
            let end = Some(Cancelled);
            check(
                Cancelling,
                attempt,
                on_crash,
                [
                    None,
                    Some(Cancelling),
                    Some(Cancelling),
                    Some(Succeeded),
                    end,
                    end,
                    end,
                    end,
                    end,
                    end,
                ],
            );
        }
    }
    for terminal in [Succeeded, Failed, Cancelled] {
        check(terminal, 1, rerun, [None; 10]);
        for event in events(FENCE) {
            assert_eq!(apply(&at(terminal, 1), &event, NOW, &POLICY), Err(Refused::Finished));
        }
    }
}

#[test]
fn a_stale_fence_is_refused_in_every_state() {
    for stale in [Fence::new(6), Fence::new(8)] {
        for state in [Queued, Running, Cancelling] {
            for event in events(stale).into_iter().skip(1).take(7) {
                if event != Event::CancelRequested {
                    assert_eq!(
                        apply(&at(state, 1), &event, NOW, &POLICY),
                        Err(Refused::StaleFence),
                        "{event:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_claim_waits_for_its_time_and_a_lease_holds_to_its_end() {
    let claim = Event::Claimed {
        owner: WorkerId("w".to_owned()),
    };
    let mut state = at(Queued, 0);
    state.due = NOW + Duration::SECOND;
    assert_eq!(apply(&state, &claim, NOW, &POLICY), Err(Refused::NotDue));
    let running = apply(&state, &claim, state.due, &POLICY).unwrap();
    assert_eq!((running.attempt, running.fence), (1, FENCE.next()));
    let until = running.lease_until.unwrap();
    assert_eq!(until, state.due + POLICY.lease);
    let early = until - Duration::MILLISECOND;
    assert_eq!(
        apply(&running, &Event::LeaseExpired, early, &POLICY),
        Err(Refused::LeaseHolds)
    );
    assert_eq!(
        apply(&running, &Event::LeaseExpired, until, &POLICY).unwrap().state,
        Queued
    );
}

#[test]
fn waits_double_up_to_their_bound_and_a_yield_costs_no_attempt() {
    let fence = FENCE;
    let fail = Event::FailedRetryable { fence, error: error() };
    let wait = |attempt| apply(&at(Running, attempt), &fail, NOW, &POLICY).unwrap().due - NOW;
    assert_eq!([1, 2, 3].map(wait), [2, 4, 8].map(Duration::seconds));
    let patient = Policy {
        max_attempts: 100,
        ..POLICY
    };
    let late = apply(&at(Running, 90), &fail, NOW, &patient).unwrap();
    assert_eq!(late.due - NOW, POLICY.backoff_max);
    let yielded = apply(&at(Running, 3), &Event::Yielded { fence }, NOW, &POLICY).unwrap();
    assert_eq!((yielded.attempt, yielded.due), (2, NOW));
}

#[test]
fn the_end_says_why() {
    let code = |state: &MachineState| state.error.as_ref().map(|error| error.code);
    let last = apply(&at(Running, 5), &Event::OwnerGone, NOW, &POLICY).unwrap();
    assert_eq!(code(&last), Some(ErrorCode::AttemptsExhausted));
    let fence = FENCE;
    let last = apply(
        &at(Running, 5),
        &Event::FailedRetryable { fence, error: error() },
        NOW,
        &POLICY,
    )
    .unwrap();
    assert_eq!(code(&last), Some(ErrorCode::AttemptsExhausted));
    assert!(last.error.unwrap().message.contains("no answer"));
    let once = Policy {
        on_crash: OnCrash::Interrupt,
        ..POLICY
    };
    let gone = apply(&at(Running, 1), &Event::OwnerGone, NOW, &once).unwrap();
    assert_eq!(code(&gone), Some(ErrorCode::Interrupted));
}

/// A job from a short word: `s1` shares tenant 1, `x1` holds it alone, `n1` does not use it, `s-` has no tenant.
fn job(number: u128, word: &str) -> Waiting {
    let tenant_use = match word.as_bytes()[0] {
        b's' => TenantUse::Shared,
        b'x' => TenantUse::Exclusive,
        _ => TenantUse::None,
    };
    let tenant = word
        .trim_start_matches(char::is_alphabetic)
        .parse()
        .ok()
        .map(|n| TenantId::new(Uuid::from_u128(n)));
    Waiting {
        id: JobId::new(JobKind::Scan, Uuid::from_u128(number)),
        tenant,
        tenant_use,
    }
}

/// Words of what runs, words of what waits, oldest first; the place of the one that starts, and what
/// those in front of it wait for: an index into running and waiting together.
fn admits(active: &[&str], waiting: &[&str], starts: Option<usize>, waits_for: &[usize]) {
    let numbers = |from: u128| move |(at, word): (usize, &&str)| job(from + u128::try_from(at).unwrap(), word);
    let active: Vec<_> = active.iter().enumerate().map(numbers(0)).collect();
    let waiting: Vec<_> = waiting.iter().enumerate().map(numbers(100)).collect();
    let running: Vec<_> = active
        .iter()
        .map(|job| Active {
            id: job.id,
            tenant: job.tenant,
            tenant_use: job.tenant_use,
        })
        .collect();
    let (admitted, held_back) = admit(&waiting, &running);
    assert_eq!(admitted, starts.map(|at| waiting[at].id));
    let all: Vec<_> = active.iter().chain(&waiting).map(|job| job.id).collect();
    let expected: Vec<_> = waits_for
        .iter()
        .enumerate()
        .map(|(at, by)| (waiting[at].id, all[*by]))
        .collect();
    assert_eq!(held_back, expected);
}

#[test]
fn scans_of_one_tenant_follow_each_other() {
    admits(&[], &["x1", "x1"], Some(0), &[]);
    admits(&["x1"], &["x1", "x1"], None, &[0, 0]);
    admits(&["x1"], &["x1", "x2"], Some(1), &[0]);
}

#[test]
fn readers_share_and_never_read_while_a_scan_writes() {
    admits(&["s1", "s1"], &["s1"], Some(0), &[]);
    admits(&["x1"], &["s1"], None, &[0]);
    admits(&["s1"], &["x1"], None, &[0]);
}

#[test]
fn a_waiting_writer_is_not_starved() {
    // The reader behind the writer waits for it, although it could share with the one that runs.
    admits(&["s1"], &["x1", "s1"], None, &[0, 1]);
    admits(&["s1"], &["x1", "s2"], Some(1), &[0]);
    admits(&["s1"], &["s1", "x1"], Some(0), &[]);
}

#[test]
fn who_does_not_use_a_tenant_waits_for_nobody() {
    admits(&["x1"], &["n1"], Some(0), &[]);
    admits(&["x-"], &["x-"], Some(0), &[]);
    admits(&["x1"], &["x1", "s1", "n1"], Some(2), &[0, 0]);
    admits(&[], &[], None, &[]);
}
