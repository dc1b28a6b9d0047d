//! Writes what an attempt says into its job's log, a few times a second, each event once.
//!
//! An error of the store does not say whether the events were written. Under its fence an attempt is
//! the only one to write to the log, so the log's end tells: it is looked at before anything is
//! written again. Must never give an event up while the job is the attempt's own.

use atg_db::StoreError;
use atg_models::Seq;
use atg_models::job::EventBody;
use atg_models::limits::PROGRESS_INTERVAL;
use time::{Duration, OffsetDateTime};
use tokio_util::sync::CancellationToken;

use crate::attempt::{Attempt, StopReason, chain};
use crate::engine::Inner;
use crate::limits::STORE_RETRY_MAX;

/// Writes what the operation says until it has ended, and answers what is not written by then. A
/// write that is under way, or whose outcome is not known, is waited for.
pub(crate) async fn write_journal(inner: &Inner, attempt: &Attempt, closing: &CancellationToken) -> Vec<EventBody> {
    let writing = async {
        if let Ok(unwritten) = Scribe::new(inner, attempt).write(closing).await {
            unwritten
        } else {
            attempt.stop(StopReason::Lost);
            Vec::new()
        }
    };
    tokio::select! {
        unwritten = writing => unwritten,
        () = inner.hard.cancelled() => Vec::new(),
    }
}

/// Another attempt holds the job.
struct Lost;

struct Scribe<'a> {
    inner: &'a Inner,
    attempt: &'a Attempt,
    /// Events that are not known to be written.
    kept: Vec<EventBody>,
    /// The log's end before `kept`, once it was looked up.
    end: Option<Seq>,
    /// `kept` may be written already.
    uncertain: bool,
    /// Until the next try.
    wait: Duration,
}

impl<'a> Scribe<'a> {
    fn new(inner: &'a Inner, attempt: &'a Attempt) -> Self {
        Self {
            inner,
            attempt,
            kept: Vec::new(),
            end: None,
            uncertain: false,
            wait: PROGRESS_INTERVAL,
        }
    }

    async fn write(mut self, closing: &CancellationToken) -> Result<Vec<EventBody>, Lost> {
        let journal = self.attempt.journal();
        loop {
            if self.kept.is_empty() {
                tokio::select! {
                    () = journal.grown() => self.kept = journal.take(),
                    () = closing.cancelled() => return Ok(self.kept),
                }
                if self.kept.is_empty() {
                    continue;
                }
            }
            let now = self.inner.clock.now();
            self.turn(now).await?;
            tokio::select! {
                () = self.inner.clock.sleep_until(now + self.wait) => {}
                () = closing.cancelled() => break,
            }
        }
        while self.uncertain {
            let now = self.inner.clock.now();
            if let Err(error) = self.look().await {
                self.failed(&error)?;
                self.inner.clock.sleep_until(now + self.wait).await;
            }
        }
        Ok(self.kept)
    }

    /// Tries once.
    async fn turn(&mut self, now: OffsetDateTime) -> Result<(), Lost> {
        match self.append(now).await {
            Ok(()) => {
                self.wait = PROGRESS_INTERVAL;
                Ok(())
            }
            Err(error) => self.failed(&error),
        }
    }

    async fn append(&mut self, now: OffsetDateTime) -> Result<(), StoreError> {
        if self.uncertain || self.end.is_none() {
            self.look().await?;
            if self.kept.is_empty() {
                return Ok(());
            }
        }
        // From here on until the answer, a failure may be the answer's alone.
        self.uncertain = true;
        let Attempt { id, fence, .. } = *self.attempt;
        let end = self.inner.jobs.append(id, fence, self.kept.clone(), now).await?;
        self.written(end);
        Ok(())
    }

    /// Looks where the log ends: behind its known end, the events are written.
    async fn look(&mut self) -> Result<(), StoreError> {
        let behind_all = Seq::new(u64::MAX);
        let last = self.inner.jobs.events(self.attempt.id, behind_all, 1).await?.last;
        if self.uncertain && self.end.is_some_and(|end| last > end) {
            self.written(last);
        }
        self.uncertain = false;
        self.end = Some(last);
        Ok(())
    }

    fn written(&mut self, end: Seq) {
        self.kept.clear();
        self.uncertain = false;
        self.end = Some(end);
        self.inner.hub.stir(self.attempt.id);
    }

    /// The events stay, and are written when the store is back.
    fn failed(&mut self, error: &StoreError) -> Result<(), Lost> {
        match error {
            StoreError::Fenced { .. } | StoreError::Refused(_) | StoreError::NotFound { .. } => return Err(Lost),
            StoreError::Unavailable { .. } => {}
            StoreError::TooLarge { .. }
            | StoreError::Corrupt { .. }
            | StoreError::TooNew { .. }
            | StoreError::HalfImported { .. }
            | StoreError::Locked { .. } => {
                tracing::error!(job = %self.attempt.id, error = %chain(error), "events of a job were not written");
            }
        }
        self.wait = Duration::min(self.wait * 2, STORE_RETRY_MAX);
        Ok(())
    }
}
