//! What the engine does next: pure, so that every case is a line of a table.
//!
//! Relies on nothing but its arguments. The driver gathers the view, acts, and sleeps until [`next_wake`].

use atg_models::limits::ENGINE_TICK;
use atg_models::{Fence, JobId};
use time::OffsetDateTime;

/// All that the decision depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct View {
    /// Whether jobs of earlier owners of the store were released.
    pub(crate) recovered: bool,
    /// Whether the process shuts down.
    pub(crate) draining: bool,
    /// Not to ask the store before: it did not answer.
    pub(crate) store_down_until: Option<OffsetDateTime>,
    /// When jobs and artifacts are purged next.
    pub(crate) purge_at: OffsetDateTime,
    /// When the next job becomes due or the next lease passes, as the store says.
    pub(crate) next_due: Option<OffsetDateTime>,
    /// The attempts of this process.
    pub(crate) attempts: Vec<AttemptView>,
}

/// An attempt of this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AttemptView {
    /// Its job.
    pub(crate) id: JobId,
    /// Of its claim.
    pub(crate) fence: Fence,
    /// When its lease is to be renewed.
    pub(crate) renew_at: OffsetDateTime,
    /// When it has to be over.
    pub(crate) deadline: OffsetDateTime,
    /// Whether it was asked to stop.
    pub(crate) stopping: bool,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Ask an attempt to stop: its time is over.
    StopLate(JobId, Fence),
    /// Renew a lease.
    Renew(JobId, Fence),
    /// Release the jobs of earlier owners, who are dead.
    Recover,
    /// Release jobs whose lease has passed.
    ReleaseExpired,
    /// Claim at most so many jobs.
    Claim(usize),
    /// Remove what is too old.
    Purge,
}

/// What is to be done at `now`, in order.
///
/// Leases are renewed before expired ones are looked for, so that a process that slept takes up
/// its own jobs again and does not release them.
pub(crate) fn plan(view: &View, capacity: usize, now: OffsetDateTime) -> Vec<Action> {
    let mut actions = Vec::new();
    for attempt in &view.attempts {
        if !attempt.stopping && now >= attempt.deadline {
            actions.push(Action::StopLate(attempt.id, attempt.fence));
        }
    }
    if view.store_down_until.is_some_and(|until| now < until) {
        return actions;
    }
    for attempt in &view.attempts {
        if now >= attempt.renew_at {
            actions.push(Action::Renew(attempt.id, attempt.fence));
        }
    }
    if view.draining {
        return actions;
    }
    if !view.recovered {
        actions.push(Action::Recover);
    }
    if view.next_due.is_some_and(|due| now >= due) {
        actions.push(Action::ReleaseExpired);
        let free = capacity.saturating_sub(view.attempts.len());
        if free > 0 {
            actions.push(Action::Claim(free));
        }
    }
    if now >= view.purge_at {
        actions.push(Action::Purge);
    }
    actions
}

/// When the driver looks again if nobody wakes it. `planned` is the moment of the last plan: what was
/// due by then has been tried, and waits for a signal or for the next look.
pub(crate) fn next_wake(view: &View, planned: OffsetDateTime) -> OffsetDateTime {
    let mut times = vec![planned + ENGINE_TICK];
    for attempt in &view.attempts {
        if !attempt.stopping {
            times.push(attempt.deadline);
        }
    }
    if let Some(until) = view.store_down_until {
        times.push(until);
    } else {
        times.extend(view.attempts.iter().map(|attempt| attempt.renew_at));
        if !view.draining {
            times.push(view.purge_at);
            times.extend(view.next_due);
        }
    }
    times
        .into_iter()
        .filter(|time| *time > planned)
        .min()
        .unwrap_or(planned + ENGINE_TICK)
}

#[cfg(test)]
mod tests {
    use super::*;
    use atg_models::JobKind;
    use time::Duration;
    use time::macros::datetime;
    use uuid::Uuid;

    const NOW: OffsetDateTime = datetime!(2026-01-01 12:00 UTC);
    const ID: JobId = JobId::new(JobKind::Scan, Uuid::nil());
    const FENCE: Fence = Fence::new(1);

    fn idle() -> View {
        View {
            recovered: true,
            draining: false,
            store_down_until: None,
            purge_at: NOW + Duration::minutes(10),
            next_due: None,
            attempts: Vec::new(),
        }
    }

    fn attempt(renew_s: i64, deadline_s: i64) -> AttemptView {
        AttemptView {
            id: ID,
            fence: FENCE,
            renew_at: NOW + Duration::seconds(renew_s),
            deadline: NOW + Duration::seconds(deadline_s),
            stopping: false,
        }
    }

    fn cases() -> Vec<(&'static str, View, usize, Vec<Action>)> {
        let due = View {
            next_due: Some(NOW),
            ..idle()
        };
        let busy = View {
            attempts: vec![attempt(0, 60)],
            ..due.clone()
        };
        let late = View {
            attempts: vec![attempt(5, 0)],
            ..idle()
        };
        let stopped = View {
            attempts: vec![AttemptView {
                stopping: true,
                ..attempt(5, 0)
            }],
            ..idle()
        };
        let down = View {
            store_down_until: Some(NOW + Duration::SECOND),
            attempts: vec![attempt(0, 0)],
            ..due.clone()
        };
        vec![
            ("nothing to do", idle(), 3, vec![]),
            (
                "a due job",
                due.clone(),
                3,
                vec![Action::ReleaseExpired, Action::Claim(3)],
            ),
            (
                "renewal comes first",
                busy.clone(),
                2,
                vec![Action::Renew(ID, FENCE), Action::ReleaseExpired, Action::Claim(1)],
            ),
            (
                "no room",
                busy.clone(),
                1,
                vec![Action::Renew(ID, FENCE), Action::ReleaseExpired],
            ),
            (
                "draining renews only",
                View { draining: true, ..busy },
                3,
                vec![Action::Renew(ID, FENCE)],
            ),
            ("too late", late, 3, vec![Action::StopLate(ID, FENCE)]),
            ("stopped once", stopped, 3, vec![]),
            ("store down", down, 3, vec![Action::StopLate(ID, FENCE)]),
        ]
    }

    #[test]
    fn what_is_due_is_done_in_order() {
        for (name, view, capacity, expected) in cases() {
            assert_eq!(plan(&view, capacity, NOW), expected, "{name}");
        }
    }

    #[test]
    fn recovery_comes_before_claims_and_old_jobs_go_last() {
        let view = View {
            recovered: false,
            next_due: Some(NOW),
            purge_at: NOW,
            ..idle()
        };
        let expected = vec![Action::Recover, Action::ReleaseExpired, Action::Claim(1), Action::Purge];
        assert_eq!(plan(&view, 1, NOW), expected);
    }

    #[test]
    fn the_driver_sleeps_until_the_next_thing_that_is_not_past() {
        let blocked = View {
            next_due: Some(NOW - Duration::SECOND),
            ..idle()
        };
        let soon = View {
            next_due: Some(NOW + Duration::SECOND),
            attempts: vec![attempt(3, 60)],
            ..idle()
        };
        let down = View {
            store_down_until: Some(NOW + Duration::milliseconds(100)),
            ..soon.clone()
        };
        assert_eq!(next_wake(&idle(), NOW), NOW + ENGINE_TICK);
        assert_eq!(
            next_wake(&blocked, NOW),
            NOW + ENGINE_TICK,
            "a job held back is no busy loop"
        );
        assert_eq!(next_wake(&soon, NOW), NOW + Duration::SECOND);
        assert_eq!(next_wake(&down, NOW), NOW + Duration::milliseconds(100));
    }
}
