//! Reads a job's log from a cursor on: the same for WebSocket, SSE and long poll.
//!
//! Pages come from the store, read once for all that stand at the same place; the hub only says when
//! to look again. A reader that is slow, or comes back with its cursor, loses nothing that the log
//! still holds.

use std::sync::Arc;

use atg_db::{EventPage, JobStore, StoreError};
use atg_models::job::EventBody;
use atg_models::{Clock, JobId, Seq};
use futures_util::Stream;
use time::OffsetDateTime;

use crate::hub::Listener;
use crate::limits::{READER_LOOK, READER_PAGE_EVENTS};
use crate::pages::{Page, Pages};
use crate::{Hub, SharedEvent};

/// What a reader gets.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// An event.
    Event(Arc<SharedEvent>),
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
    pages: Arc<Pages>,
    clock: Arc<dyn Clock>,
    listener: Listener,
    job: JobId,
    after: Seq,
    /// What is handed out at present, and how many of its events were.
    page: Option<(Arc<Page>, usize)>,
    gap: Option<(Seq, Seq)>,
    /// The last hint that there was when the end of the log was seen, for as long as it is the end.
    seen_up_to: Option<u64>,
    complete: bool,
}

impl EventReader {
    pub(crate) fn new(
        jobs: Arc<dyn JobStore>,
        pages: Arc<Pages>,
        hub: &Hub,
        clock: Arc<dyn Clock>,
        job: JobId,
        after: Seq,
    ) -> Self {
        Self {
            jobs,
            pages,
            clock,
            listener: hub.listen(job),
            job,
            after,
            page: None,
            gap: None,
            seen_up_to: None,
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
            if let Some(item) = self.ready() {
                return Ok(Some(item));
            }
            if self.complete {
                return Ok(None);
            }
            if self.has_seen_all() {
                self.wait(None).await;
                self.seen_up_to = None;
            }
            let (page, hint) = self.shared_page().await?;
            if !self.take(page, hint) && !self.complete && self.seen_up_to.is_none() {
                self.wait(None).await;
            }
        }
    }

    /// A page of events after the cursor, for long polls: at once if there is one, else as soon as
    /// there is, or empty at `until`. Moves the cursor behind it.
    pub async fn page(&mut self, limit: u32, until: OffsetDateTime) -> Result<EventPage, StoreError> {
        loop {
            let page = self.page_of(limit).await?;
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

    /// The next item of the page that is at hand.
    fn ready(&mut self) -> Option<Item> {
        if let Some((from, to)) = self.gap.take() {
            self.after = to;
            return Some(Item::Gap { from, to });
        }
        let (page, at) = self.page.as_mut()?;
        let Some(event) = page.events.get(*at) else {
            self.page = None;
            return None;
        };
        *at = at.saturating_add(1);
        self.after = event.seq;
        Some(Item::Event(Arc::clone(event)))
    }

    /// Whether nothing was hinted at since the end of the log was seen: there is nothing to read then.
    fn has_seen_all(&self) -> bool {
        self.seen_up_to.is_some() && self.seen_up_to == self.listener.hint()
    }

    /// Takes a page that is as new as a hint; answers whether it said anything.
    fn take(&mut self, page: Arc<Page>, hint: Option<u64>) -> bool {
        let last = page.events.last();
        let ends = last.is_some_and(|event| matches!(event.body, EventBody::Completion { .. }));
        self.complete = ends || (last.is_none() && page.complete && self.after >= page.last);
        let end = last.map_or(self.after, |event| event.seq);
        self.seen_up_to = hint.filter(|_| end >= page.last);
        self.gap = page.gap;
        if last.is_some() {
            self.page = Some((page, 0));
        }
        self.gap.is_some() || self.page.is_some()
    }

    async fn shared_page(&self) -> Result<(Arc<Page>, Option<u64>), StoreError> {
        let hint = self.listener.hint();
        self.pages.page((self.job, self.after), hint, self.clock.now()).await
    }

    /// The shared page where it holds as much as is wanted, or as there is; else one of its own.
    async fn page_of(&self, limit: u32) -> Result<EventPage, StoreError> {
        let (shared, _) = self.shared_page().await?;
        let held = u32::try_from(shared.events.len()).unwrap_or(u32::MAX);
        if held >= READER_PAGE_EVENTS && limit > held {
            return self.jobs.events(self.job, self.after, limit).await;
        }
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let events = shared.events.iter().take(wanted);
        Ok(EventPage {
            events: events.map(|event| (***event).clone()).collect(),
            gap: shared.gap,
            last: shared.last,
            complete: shared.complete,
        })
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
