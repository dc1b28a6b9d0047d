//! What an attempt says, until it is written: progress coalesced, log lines bounded.

use std::sync::{Mutex, PoisonError};

use atg_models::job::{EventBody, LogLevel, Progress};
use atg_models::limits::{LOG_QUEUE_LINES, MESSAGE_MAX_BYTES};
use tokio::sync::Notify;

/// Events of one attempt that wait for the next write.
#[derive(Default)]
pub(crate) struct Journal {
    pending: Mutex<Pending>,
    grown: Notify,
}

#[derive(Default)]
struct Pending {
    lines: Vec<(LogLevel, String)>,
    dropped: u64,
    progress: Option<Progress>,
    last: Progress,
}

impl Journal {
    /// Takes the newest progress; its percentage never falls.
    pub(crate) fn progress(&self, mut progress: Progress) {
        self.with(|pending| {
            progress.percent = rising(pending.last.percent, progress.percent);
            pending.last = progress.clone();
            pending.progress = Some(progress);
        });
        self.grown.notify_one();
    }

    /// Takes a line, or counts it when there are too many.
    pub(crate) fn log(&self, level: LogLevel, message: String) {
        let line = shortened(message);
        self.with(|pending| {
            if pending.lines.len() < LOG_QUEUE_LINES {
                pending.lines.push((level, line));
            } else {
                pending.dropped = pending.dropped.saturating_add(1);
            }
        });
        self.grown.notify_one();
    }

    /// Resolves when something was said since the last call.
    pub(crate) async fn grown(&self) {
        self.grown.notified().await;
    }

    /// All that waits, log lines first.
    pub(crate) fn take(&self) -> Vec<EventBody> {
        self.with(|pending| {
            let mut events: Vec<_> = pending
                .lines
                .drain(..)
                .map(|(level, message)| EventBody::Log { level, message })
                .collect();
            let dropped = std::mem::take(&mut pending.dropped);
            if dropped > 0 {
                events.push(EventBody::Log {
                    level: LogLevel::Warning,
                    message: format!("{dropped} more lines were left out"),
                });
            }
            events.extend(pending.progress.take().map(EventBody::Progress));
            events
        })
    }

    /// The last progress of an attempt that succeeded.
    pub(crate) fn last_progress(&self) -> Progress {
        self.with(|pending| Progress {
            phase: "completed".to_owned(),
            message: "completed".to_owned(),
            percent: 100.0,
            current_subscription: None,
            ..pending.last.clone()
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Pending) -> T) -> T {
        act(&mut self.pending.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// `next`, but neither below `last`, nor over 100, nor not a number.
fn rising(last: f64, next: f64) -> f64 {
    // `max` and `min` answer the other number when one is not a number.
    next.max(last).min(100.0)
}

fn shortened(mut message: String) -> String {
    if message.len() > MESSAGE_MAX_BYTES {
        message.truncate(message.floor_char_boundary(MESSAGE_MAX_BYTES));
        message.push('…');
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(percent: f64) -> Progress {
        Progress {
            percent,
            ..Progress::default()
        }
    }

    #[test]
    fn only_the_newest_progress_is_kept_and_it_never_falls() {
        let journal = Journal::default();
        for percent in [10.0, 40.0, 20.0, f64::NAN, 130.0, -5.0] {
            journal.progress(at(percent));
        }
        assert_eq!(journal.take(), vec![EventBody::Progress(at(100.0))]);
        assert!(journal.take().is_empty());
        journal.progress(at(50.0));
        assert_eq!(journal.take(), vec![EventBody::Progress(at(100.0))]);
    }

    #[test]
    fn lines_beyond_the_bound_are_counted_and_long_ones_cut() {
        let journal = Journal::default();
        journal.log(LogLevel::Info, "ä".repeat(MESSAGE_MAX_BYTES));
        for _ in 0..LOG_QUEUE_LINES + 6 {
            journal.log(LogLevel::Info, String::new());
        }
        let events = journal.take();
        assert_eq!(events.len(), LOG_QUEUE_LINES + 1);
        let EventBody::Log { message, .. } = &events[0] else {
            panic!("a line");
        };
        assert_eq!(message.len(), MESSAGE_MAX_BYTES + '…'.len_utf8());
        assert_eq!(
            events.last(),
            Some(&EventBody::Log {
                level: LogLevel::Warning,
                message: "7 more lines were left out".to_owned(),
            })
        );
    }
}
