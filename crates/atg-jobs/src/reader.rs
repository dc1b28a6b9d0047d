//! Reads a job's log from a cursor on: the same for WebSocket, SSE and long poll.
//!
//! Pages come from the store; the hub only says when to look again. A reader that is slow, or
//! comes back with its cursor, loses nothing that the log still holds.

use std::collections::VecDeque;
use std::sync::Arc;

use atg_db::{EventPage, JobStore, StoreError};
use atg_models::job::{EventBody, JobEvent};
use atg_models::{Clock, JobId, Seq};
use futures_util::Stream;
use time::OffsetDateTime;

use crate::Hub;
use crate::hub::Listener;
use crate::limits::{READER_LOOK, READER_PAGE_EVENTS};

/// What a reader gets.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// An event.
    Event(JobEvent),
    /// These are no longer held; both ends included.
    Gap {
        /// The first.
        from: Seq,
        /// The last.
        to: Seq,
    },
}

/// Follows one job's log.
pub struct EventReader {
    jobs: Arc<dyn JobStore>,
    clock: Arc<dyn Clock>,
    listener: Listener,
    job: JobId,
    after: Seq,
    ready: VecDeque<Item>,
    complete: bool,
}

impl EventReader {
    pub(crate) fn new(jobs: Arc<dyn JobStore>, hub: &Hub, clock: Arc<dyn Clock>, job: JobId, after: Seq) -> Self {
        Self {
            jobs,
            clock,
            listener: hub.listen(job),
            job,
            after,
            ready: VecDeque::new(),
            complete: false,
        }
    }

    /// The sequence to come back with: that of the last event that was handed out.
    pub fn cursor(&self) -> Seq {
        self.after
    }

    /// The next event or gap, waiting for it; `None` after the job's completion. Dropping the future
    /// loses nothing, and after an error it may be called again.
    pub async fn next(&mut self) -> Result<Option<Item>, StoreError> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                self.after = match &item {
                    Item::Event(event) => event.seq,
                    Item::Gap { from: _, to } => *to,
                };
                return Ok(Some(item));
            }
            if self.complete {
                return Ok(None);
            }
            let page = self.jobs.events(self.job, self.after, READER_PAGE_EVENTS).await?;
            if self.take(page) || self.complete {
                continue;
            }
            self.wait(None).await;
        }
    }

    /// A page of events after the cursor, for long polls: at once if there is one, else as soon as
    /// there is, or empty at `until`. Moves the cursor behind it.
    pub async fn page(&mut self, limit: u32, until: OffsetDateTime) -> Result<EventPage, StoreError> {
        loop {
            let page = self.jobs.events(self.job, self.after, limit).await?;
            let done = page.complete && self.after >= page.last;
            if !page.events.is_empty() || page.gap.is_some() || done || self.clock.now() >= until {
                if let Some((_, to)) = page.gap {
                    self.after = self.after.max(to);
                }
                if let Some(event) = page.events.last() {
                    self.after = event.seq;
                }
                return Ok(page);
            }
            self.wait(Some(until)).await;
        }
    }

    /// All that [`EventReader::next`] answers, as a stream that ends after the completion or an error.
    pub fn into_stream(self) -> impl Stream<Item = Result<Item, StoreError>> + Send {
        futures_util::stream::unfold(Some(self), |reader| async move {
            let mut reader = reader?;
            match reader.next().await {
                Ok(Some(item)) => Some((Ok(item), Some(reader))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        })
    }

    /// Takes a page; answers whether it said anything.
    fn take(&mut self, page: EventPage) -> bool {
        let EventPage {
            events,
            gap,
            last,
            complete,
        } = page;
        let ends = events
            .last()
            .is_some_and(|event| matches!(event.body, EventBody::Completion { .. }));
        self.complete = ends || (events.is_empty() && complete && self.after >= last);
        if let Some((from, to)) = gap {
            self.ready.push_back(Item::Gap { from, to });
        }
        self.ready.extend(events.into_iter().map(Item::Event));
        !self.ready.is_empty()
    }

    async fn wait(&mut self, until: Option<OffsetDateTime>) {
        let look = self.clock.now() + READER_LOOK;
        let until = until.map_or(look, |until| until.min(look));
        tokio::select! {
            () = self.listener.stirred() => {}
            () = self.clock.sleep_until(until) => {}
        }
    }
}
