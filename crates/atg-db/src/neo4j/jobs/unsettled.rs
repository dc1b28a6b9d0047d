//! Calls whose end is not known, when even the driver's tries were used up.
//!
//! Whoever called tries again with the same content. The call then carries the mark of the first, by which the
//! job's node says whether it was carried out.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use atg_models::job::{Event, EventBody, WorkerId};
use atg_models::{Fence, JobId};
use sha2::{Digest as _, Sha256};

use crate::StoreError;
use crate::job_store::Transition;
use crate::neo4j::jobs::transition::fence_of;
use crate::neo4j::limits::UNSETTLED_CALLS;

/// What was called, by its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Call {
    Append {
        job: JobId,
        fence: Fence,
        events: usize,
        content: [u8; 32],
    },
    Change {
        job: JobId,
        /// Of the attempt that speaks; none does when a client or another server does.
        fence: Option<Fence>,
        content: [u8; 32],
    },
    Claim(WorkerId),
}

impl Call {
    pub(super) fn append(job: JobId, fence: Fence, events: &[EventBody]) -> Self {
        Self::Append {
            job,
            fence,
            events: events.len(),
            content: digest(events),
        }
    }

    pub(super) fn change(job: JobId, event: &Event, with: &Transition) -> Self {
        let content = Sha256::digest(format!("{event:?} {with:?}"));
        Self::Change {
            job,
            fence: fence_of(event),
            content: content.into(),
        }
    }
}

fn digest(events: &[EventBody]) -> [u8; 32] {
    Sha256::digest(format!("{events:?}")).into()
}

/// Events that a call of this mark wrote, if it was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) mark: String,
    /// How many of the next call's first events they are.
    pub(super) events: usize,
}

/// The calls, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Unsettled(Mutex<VecDeque<(Call, String)>>);

impl Unsettled {
    fn calls(&self) -> MutexGuard<'_, VecDeque<(Call, String)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The mark of the same call before.
    pub(super) fn mark_of(&self, call: &Call) -> Option<String> {
        let calls = self.calls();
        calls
            .iter()
            .find(|(known, _)| known == call)
            .map(|(_, mark)| mark.clone())
    }

    /// Earlier appends of the same attempt whose events these ones begin with.
    pub(super) fn written(&self, job: JobId, fence: Fence, events: &[EventBody]) -> Vec<Written> {
        let same = |(call, mark): &(Call, String)| match call {
            Call::Append {
                job: of,
                fence: under,
                events: count,
                content,
            } => {
                let begin = events.get(..*count)?;
                let is_begin = *of == job && *under == fence && digest(begin) == *content;
                is_begin.then(|| Written {
                    mark: mark.clone(),
                    events: *count,
                })
            }
            Call::Change { .. } | Call::Claim(_) => None,
        };
        self.calls().iter().filter_map(same).collect()
    }

    /// Takes in how a call ended.
    pub(super) fn end<T>(&self, call: Call, mark: String, outcome: &Result<T, StoreError>) {
        let mut calls = self.calls();
        match outcome {
            Err(error) if error.is_retryable() => {
                if !calls.iter().any(|(_, known)| *known == mark) {
                    if calls.len() >= UNSETTLED_CALLS {
                        calls.pop_front();
                    }
                    calls.push_back((call, mark));
                }
            }
            // What was looked at under the job's lock is settled, the appends before it too.
            Ok(_) | Err(_) => calls.retain(|(known, _)| *known != call && !follows(&call, known)),
        }
    }
}

/// Whether `known` is an append of the attempt that went on with `call`.
fn follows(call: &Call, known: &Call) -> bool {
    let Call::Append {
        job: of, fence: under, ..
    } = known
    else {
        return false;
    };
    match call {
        Call::Append { job, fence, .. } => job == of && fence == under,
        Call::Change { job, fence, .. } => job == of && fence.as_ref() == Some(under),
        Call::Claim(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::jobs::{id, line};

    const FENCE: Fence = Fence::new(1);

    fn lost() -> Result<(), StoreError> {
        Err(StoreError::Unavailable {
            doing: "testing",
            source: "lost".into(),
        })
    }

    #[test]
    fn a_call_is_known_again_by_its_content_until_it_has_ended() {
        let unsettled = Unsettled::default();
        let call = || Call::append(id(1), FENCE, &[line("a")]);
        unsettled.end(call(), "m1".to_owned(), &lost());
        assert_eq!(unsettled.mark_of(&call()), Some("m1".to_owned()));
        assert_eq!(unsettled.mark_of(&Call::append(id(2), FENCE, &[line("a")])), None);
        assert_eq!(unsettled.mark_of(&Call::append(id(1), FENCE, &[line("b")])), None);
        unsettled.end(call(), "m1".to_owned(), &Ok(()));
        assert_eq!(unsettled.mark_of(&call()), None);
    }

    #[test]
    fn events_that_may_be_written_are_found_at_the_begin_of_others() {
        let unsettled = Unsettled::default();
        let call = Call::append(id(1), FENCE, &[line("a"), line("b")]);
        unsettled.end(call, "m1".to_owned(), &lost());
        let written = |events: &[&str], fence| {
            let events: Vec<_> = events.iter().map(|text| line(text)).collect();
            unsettled.written(id(1), fence, &events).len()
        };
        assert_eq!(written(&["a", "b", "c"], FENCE), 1);
        assert_eq!(written(&["a", "b"], FENCE), 1);
        assert_eq!(written(&["a"], FENCE), 0);
        assert_eq!(written(&["b", "a", "b"], FENCE), 0);
        assert_eq!(written(&["a", "b", "c"], FENCE.next()), 0);
        let cancel = Call::change(id(1), &Event::CancelRequested, &Transition::default());
        unsettled.end(cancel, "m2".to_owned(), &Ok(()));
        assert_eq!(written(&["a", "b", "c"], FENCE), 1, "who cancels has not looked");
        // The end of the attempt settles what it was written behind.
        let change = Call::change(id(1), &Event::Succeeded { fence: FENCE }, &Transition::default());
        unsettled.end(change, "m3".to_owned(), &Ok(()));
        assert_eq!(written(&["a", "b", "c"], FENCE), 0);
    }

    #[test]
    fn their_number_has_a_bound() {
        let unsettled = Unsettled::default();
        for number in 0..=UNSETTLED_CALLS {
            let call = Call::append(id(1), FENCE, &[line(&number.to_string())]);
            unsettled.end(call, number.to_string(), &lost());
        }
        let first = Call::append(id(1), FENCE, &[line("0")]);
        let last = Call::append(id(1), FENCE, &[line(&UNSETTLED_CALLS.to_string())]);
        assert_eq!(unsettled.calls().len(), UNSETTLED_CALLS);
        assert_eq!(
            (unsettled.mark_of(&first), unsettled.mark_of(&last).is_some()),
            (None, true)
        );
    }
}
