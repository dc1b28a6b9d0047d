//! Pages of logs, shared by the readers that stand at the same place: one read of the store for all of
//! them, and one text of each frame.
//!
//! Never the truth. What is in a log does not change, so a page that says something stays right; one
//! that says nothing holds only until the hub hints at news of its job.

use std::collections::{HashMap, VecDeque};
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use atg_db::{JobStore, StoreError};
use atg_models::api::{EventFrame, FrameOptions};
use atg_models::clock::BoxFuture;
use atg_models::job::{EventBody, JobEvent};
use atg_models::{JobId, Seq};
use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::Shared;
use time::OffsetDateTime;

use crate::limits::{PAGES_MAX, PAGES_MAX_BYTES, READER_LOOK, READER_PAGE_EVENTS};

/// An event as all of its readers share it.
#[derive(Debug)]
pub struct SharedEvent {
    job: JobId,
    event: JobEvent,
    /// The text of its frame, by what the reader wants of it.
    texts: [OnceLock<Option<Bytes>>; 4],
}

impl SharedEvent {
    fn new(job: JobId, event: JobEvent) -> Self {
        Self {
            job,
            event,
            texts: Default::default(),
        }
    }

    /// The JSON text of its frame, made once; `None` for an event that makes no frame.
    pub fn text(&self, options: FrameOptions) -> Option<Bytes> {
        let FrameOptions { detail, seq } = options;
        let at = usize::from(detail).saturating_mul(2).saturating_add(usize::from(seq));
        let text = self.texts.get(at)?.get_or_init(|| {
            let frame = EventFrame::of(self.job, &self.event, options)?;
            serde_json::to_vec(&frame).ok().map(Bytes::from)
        });
        text.clone()
    }
}

impl Deref for SharedEvent {
    type Target = JobEvent;

    fn deref(&self) -> &JobEvent {
        &self.event
    }
}

impl PartialEq for SharedEvent {
    fn eq(&self, other: &Self) -> bool {
        (self.job, &self.event) == (other.job, &other.event)
    }
}

/// A page as it was read.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) events: Vec<Arc<SharedEvent>>,
    pub(crate) gap: Option<(Seq, Seq)>,
    pub(crate) last: Seq,
    pub(crate) complete: bool,
}

impl Page {
    /// Whether it says anything.
    fn speaks(&self) -> bool {
        !self.events.is_empty() || self.gap.is_some()
    }

    /// About what it takes in memory, with one text of each frame.
    fn size_bytes(&self) -> usize {
        /// Of an event without its texts.
        const EVENT: usize = 512;
        let events = self.events.iter().map(|event| {
            let text = match &event.body {
                EventBody::Progress(progress) => progress.message.len().saturating_add(progress.phase.len()),
                EventBody::Log { level: _, message } => message.len(),
                EventBody::Error(error) => error.message.len(),
                EventBody::Completion { state: _, result } => result.to_string().len(),
            };
            text.saturating_mul(2).saturating_add(EVENT)
        });
        events.sum::<usize>().saturating_add(EVENT)
    }
}

type Loaded = Result<Arc<Page>, Arc<StoreError>>;
type Load = Shared<BoxFuture<'static, Loaded>>;
/// Behind which sequence of which job.
type Place = (JobId, Seq);

/// The pages that readers share.
pub(crate) struct Pages {
    jobs: Arc<dyn JobStore>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    by_place: HashMap<Place, Slot>,
    /// The oldest first; places that were filled anew stand in it more than once.
    order: VecDeque<(Place, u64)>,
    bytes: usize,
    last_number: u64,
}

struct Slot {
    number: u64,
    /// The hint that was the last one when the page was asked for.
    hint: u64,
    asked_at: OffsetDateTime,
    load: Load,
    bytes: usize,
}

impl Pages {
    pub(crate) fn new(jobs: Arc<dyn JobStore>) -> Self {
        Self {
            jobs,
            kept: Mutex::default(),
        }
    }

    /// The page behind a place, at least as new as `hint`, and the hint that it is as new as. Without a
    /// hint nothing tells whether a kept one is old, and the store is asked.
    pub(crate) async fn page(
        &self,
        place: Place,
        hint: Option<u64>,
        now: OffsetDateTime,
    ) -> Result<(Arc<Page>, Option<u64>), StoreError> {
        let Some(hint) = hint else {
            let page = load(Arc::clone(&self.jobs), place).await?;
            return Ok((Arc::new(page), None));
        };
        loop {
            let (number, asked_with, load) = self.slot(place, hint, now);
            match load.await {
                Ok(page) => {
                    self.settle(place, number, &page);
                    // A read that began before the hint may have missed the news.
                    if page.speaks() || asked_with >= hint {
                        return Ok((page, Some(asked_with)));
                    }
                }
                Err(error) => {
                    self.forget(place, number);
                    return Err(again(&error));
                }
            }
        }
    }

    fn slot(&self, place: Place, hint: u64, now: OffsetDateTime) -> (u64, u64, Load) {
        let mut kept = self.kept();
        if let Some(slot) = kept.by_place.get(&place) {
            let holds = match slot.load.peek() {
                None => true,
                Some(Ok(page)) => page.speaks() || (slot.hint >= hint && now - slot.asked_at < READER_LOOK),
                Some(Err(_)) => false,
            };
            if holds {
                return (slot.number, slot.hint, slot.load.clone());
            }
        }
        let jobs = Arc::clone(&self.jobs);
        let load = async move { load(jobs, place).await.map(Arc::new).map_err(Arc::new) };
        kept.put(place, hint, now, load.boxed().shared())
    }

    /// Counts what a page takes, once.
    fn settle(&self, place: Place, number: u64, page: &Page) {
        let mut kept = self.kept();
        let Some(slot) = kept.by_place.get_mut(&place) else {
            return;
        };
        if slot.number == number && slot.bytes == 0 {
            let bytes = page.size_bytes();
            slot.bytes = bytes;
            kept.bytes = kept.bytes.saturating_add(bytes);
            kept.trim();
        }
    }

    fn forget(&self, place: Place, number: u64) {
        self.kept().remove(place, number);
    }

    /// How many are kept, and their bytes.
    pub(crate) fn held(&self) -> (usize, usize) {
        let kept = self.kept();
        (kept.by_place.len(), kept.bytes)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn put(&mut self, place: Place, hint: u64, asked_at: OffsetDateTime, load: Load) -> (u64, u64, Load) {
        if let Some(old) = self.by_place.get(&place).map(|slot| slot.number) {
            self.remove(place, old);
        }
        self.last_number = self.last_number.wrapping_add(1);
        let number = self.last_number;
        let slot = Slot {
            number,
            hint,
            asked_at,
            load: load.clone(),
            bytes: 0,
        };
        self.by_place.insert(place, slot);
        self.order.push_back((place, number));
        self.trim();
        (number, hint, load)
    }

    fn remove(&mut self, place: Place, number: u64) {
        if self.by_place.get(&place).is_some_and(|slot| slot.number == number)
            && let Some(slot) = self.by_place.remove(&place)
        {
            self.bytes = self.bytes.saturating_sub(slot.bytes);
        }
    }

    /// Readers that wait for a page keep it by themselves.
    fn trim(&mut self) {
        while self.bytes > PAGES_MAX_BYTES || self.order.len() > PAGES_MAX {
            let Some((place, number)) = self.order.pop_front() else {
                return;
            };
            self.remove(place, number);
        }
    }
}

async fn load(jobs: Arc<dyn JobStore>, (job, after): Place) -> Result<Page, StoreError> {
    let page = jobs.events(job, after, READER_PAGE_EVENTS).await?;
    let share = |event| Arc::new(SharedEvent::new(job, event));
    Ok(Page {
        events: page.events.into_iter().map(share).collect(),
        gap: page.gap,
        last: page.last,
        complete: page.complete,
    })
}

/// The error of a read that several waited for, once more.
fn again(error: &Arc<StoreError>) -> StoreError {
    const DOING: &str = "reading a job's log";
    match error.as_ref() {
        StoreError::NotFound { what } => StoreError::NotFound { what },
        StoreError::Unavailable { .. } => StoreError::Unavailable {
            doing: DOING,
            source: Box::new(Arc::clone(error)),
        },
        other @ (StoreError::Fenced { .. }
        | StoreError::Refused(_)
        | StoreError::TooLarge { .. }
        | StoreError::Corrupt { .. }
        | StoreError::TooNew { .. }
        | StoreError::HalfImported { .. }
        | StoreError::Locked { .. }) => StoreError::Corrupt {
            doing: DOING,
            problem: crate::attempt::chain(other),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use atg_models::JobKind;
    use uuid::Uuid;

    const JOB: JobId = JobId::new(JobKind::Scan, Uuid::nil());

    fn put(kept: &mut Kept, at: u64, bytes: usize) {
        let page = Page {
            events: Vec::new(),
            gap: None,
            last: Seq::ZERO,
            complete: false,
        };
        let load: Load = std::future::ready(Ok(Arc::new(page))).boxed().shared();
        let place = (JOB, Seq::new(at));
        drop(kept.put(place, 0, OffsetDateTime::UNIX_EPOCH, load));
        kept.by_place.get_mut(&place).unwrap().bytes = bytes;
        kept.bytes += bytes;
        kept.trim();
    }

    #[test]
    fn what_is_kept_is_bounded_in_number_and_bytes() {
        let mut kept = Kept::default();
        for at in 0..2 * u64::try_from(PAGES_MAX).unwrap() {
            put(&mut kept, at, 1);
        }
        assert_eq!((kept.by_place.len(), kept.bytes), (PAGES_MAX, PAGES_MAX));
        for at in 0..100 {
            put(&mut kept, at, PAGES_MAX_BYTES / 10);
        }
        assert!(
            kept.by_place.len() <= 10 && kept.bytes <= PAGES_MAX_BYTES,
            "{}",
            kept.bytes
        );
    }

    /// The same place filled anew again and again, as that of readers who wait.
    #[test]
    fn a_place_that_is_filled_anew_takes_no_more() {
        let mut kept = Kept::default();
        for _ in 0..2 * PAGES_MAX {
            put(&mut kept, 7, 10);
        }
        assert_eq!((kept.by_place.len(), kept.bytes), (1, 10));
        assert!(kept.order.len() <= PAGES_MAX);
    }
}
