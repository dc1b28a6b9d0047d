//! Reading: the partitions of a step side by side, each page stored together with its ledger progress.

use std::sync::{Arc, Mutex, PoisonError};

use atg_azure::{PageError, PageRead, Step as PlannedStep, TenantReader};
use atg_db::GraphStore;
use atg_jobs::{OperationContext, OperationError};
use atg_models::graph::{CollectionKey, CollectionState, LedgerProgress, Partition, PartitionKey, ScanHandle};
use atg_models::job::LogLevel;
use atg_models::limits::LEDGER_PAGES_MAX;
use atg_models::{Clock, Seq};
use futures_util::stream::{self, StreamExt as _};
use futures_util::{FutureExt as _, future::BoxFuture};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::limits::{DIRECTORY_PAGES, LARGE_PAGES, RESTARTS_MAX, SMALL_PAGES};
use crate::patience::{Patience, patiently};
use crate::scan::board::Board;
use crate::scan::decide::{azure_end, settlement};
use crate::scan::limit::ResourceLimit;
use crate::scan::parents::StoredParents;
use crate::scan::tally::{Count, Tally};

/// Why the rest of a collection is not read, as the ledger says it.
const SKIPPED_BY_LIMIT: &str = "limit";

/// All that reading needs.
pub(super) struct Reading<'a> {
    pub(super) context: &'a dyn OperationContext,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) cancelled: CancellationToken,
    pub(super) graph: &'a Arc<dyn GraphStore>,
    pub(super) reader: &'a dyn TenantReader,
    pub(super) handle: ScanHandle,
    pub(super) board: &'a Board,
    pub(super) limit: ResourceLimit,
    pub(super) tally: Mutex<Tally>,
    /// Bounds what of Azure's answers is in memory.
    pub(super) pages: PagesInMemory,
    /// Requests in flight.
    pub(super) max_concurrency: usize,
}

/// Room for pages: large ones of Resource Graph, those of the directory's objects, and the others.
pub(super) struct PagesInMemory {
    large: Semaphore,
    directory: Semaphore,
    small: Semaphore,
}

impl PagesInMemory {
    pub(super) fn new() -> Self {
        Self {
            large: Semaphore::new(LARGE_PAGES),
            directory: Semaphore::new(DIRECTORY_PAGES),
            small: Semaphore::new(SMALL_PAGES),
        }
    }

    fn of(&self, step: &str, collection: &CollectionKey) -> &Semaphore {
        if collection.source().starts_with("arg.") {
            &self.large
        } else if step == "directory" {
            &self.directory
        } else {
            &self.small
        }
    }
}

/// How a partition was left.
enum Left {
    /// Read to its end.
    Done,
    /// Not, and why.
    Problem(PartitionKey, CollectionState),
}

/// What became of one page.
enum Step {
    /// The partition stands here now.
    At(Partition),
    Left(Left),
}

impl Reading<'_> {
    /// Reads all collections of a step that are not settled, and settles them.
    pub(super) async fn step(&self, step: &PlannedStep) -> Result<(), OperationError> {
        let unsettled: Vec<BoxFuture<'_, _>> = step
            .collections
            .iter()
            .filter(|planned| {
                self.board
                    .entry(&planned.collection)
                    .is_some_and(|entry| !entry.state.is_settled())
            })
            .map(|planned| {
                self.collection(&planned.collection, self.pages.of(step.name, &planned.collection))
                    .boxed()
            })
            .collect();
        let mut reading = stream::iter(unsettled).buffer_unordered(self.max_concurrency);
        while let Some(read) = reading.next().await {
            read?;
        }
        Ok(())
    }

    async fn collection(&self, collection: &CollectionKey, room: &Semaphore) -> Result<(), OperationError> {
        let partitions = self
            .board
            .entry(collection)
            .map(|entry| entry.partitions)
            .unwrap_or_default();
        let forbidden = CancellationToken::new();
        let unread: Vec<BoxFuture<'_, _>> = partitions
            .into_iter()
            .filter(|partition| !partition.done)
            .map(|partition| self.partition(collection, partition, room, &forbidden).boxed())
            .collect();
        let mut reading = stream::iter(unread).buffer_unordered(self.max_concurrency);
        let mut problem: Option<(PartitionKey, CollectionState)> = None;
        while let Some(left) = reading.next().await {
            if let Left::Problem(key, state) = left? {
                // The first partition by key speaks for all, so that the same faults give the same gaps.
                if problem.as_ref().is_none_or(|(first, _)| key < *first) {
                    problem = Some((key, state));
                }
            }
        }
        self.settle(collection, problem.map(|(_, state)| state)).await
    }

    /// Closes a collection in the ledger.
    pub(super) async fn settle(
        &self,
        collection: &CollectionKey,
        problem: Option<CollectionState>,
    ) -> Result<(), OperationError> {
        let Some(entry) = self.board.entry(collection) else {
            return Ok(());
        };
        let state = settlement(&entry, problem);
        patiently(Arc::clone(&self.clock), || {
            self.graph.settle(self.handle, collection, state.clone())
        })
        .await?;
        match &state {
            CollectionState::Planned | CollectionState::Reading | CollectionState::Complete => {}
            CollectionState::Failed { reason } => self.warn(format!("{collection} was not read whole: {reason}")),
            CollectionState::Forbidden { permission } => {
                self.warn(format!("{collection} was not read: missing permission: {permission}"));
            }
            CollectionState::Skipped { why } => self.warn(format!("{collection} was cut off: {why}")),
        }
        self.board.settled(collection, state);
        self.board.tell(self.context, Some(collection));
        Ok(())
    }

    async fn partition(
        &self,
        collection: &CollectionKey,
        mut partition: Partition,
        room: &Semaphore,
        forbidden: &CancellationToken,
    ) -> Result<Left, OperationError> {
        let parents = StoredParents::new(Arc::clone(self.graph), self.reader.tenant());
        let mut patience = Patience::new(Arc::clone(&self.clock));
        let mut restarts: u32 = 0;
        loop {
            if forbidden.is_cancelled() {
                // Another partition has said so, and says it for all.
                return Ok(Left::Done);
            }
            if self.limit.is_used_up(collection.source()) {
                self.limit.note_cut();
                return Ok(Left::Problem(partition.key, skipped()));
            }
            if partition.pages >= LEDGER_PAGES_MAX {
                let reason = format!("it has more than {LEDGER_PAGES_MAX} pages");
                return Ok(Left::Problem(partition.key, CollectionState::Failed { reason }));
            }
            // Held until the page is stored. The semaphore is never closed.
            let _held = room.acquire().await;
            let read = self
                .reader
                .page(
                    collection,
                    &partition.key,
                    partition.cursor.as_deref(),
                    &parents,
                    &self.cancelled,
                )
                .await;
            let step = match read {
                Ok(page) => self.store(collection, &partition, page, &mut patience).await?,
                Err(PageError::CursorExpired) if restarts < RESTARTS_MAX => {
                    restarts = restarts.saturating_add(1);
                    self.restart(collection, partition).await?
                }
                Err(error) => {
                    let left = self
                        .problem(error, partition.key.clone(), &parents, &mut patience)
                        .await?;
                    if let Some(Left::Problem(_, CollectionState::Forbidden { .. })) = &left {
                        forbidden.cancel();
                    }
                    left.map_or(Step::At(partition), Step::Left)
                }
            };
            match step {
                Step::At(now) if now.done => return Ok(Left::Done),
                Step::At(now) => partition = now,
                Step::Left(left) => return Ok(left),
            }
        }
    }

    /// Stores a page. When the store does not answer, the page is read again later: a copy that is
    /// kept for the second try would cost as much memory as the page itself, on every page.
    async fn store(
        &self,
        collection: &CollectionKey,
        partition: &Partition,
        page: PageRead,
        patience: &mut Patience,
    ) -> Result<Step, OperationError> {
        let PageRead {
            mut batch,
            rows,
            next,
            other_tenant,
        } = page;
        if next.is_some() && next == partition.cursor {
            let reason = "its pages go round in a circle".to_owned();
            return Ok(Step::Left(Left::Problem(
                partition.key.clone(),
                CollectionState::Failed { reason },
            )));
        }
        let number = partition.pages.saturating_add(1);
        let taken = self.limit.take(collection.source(), &mut batch);
        let count = Count {
            other_tenant,
            resources: if self.limit.is_set() { taken.resources } else { 0 },
        };
        self.count(collection, &partition.key, number, count).await?;
        let now = Partition {
            key: partition.key.clone(),
            pages: number,
            rows: partition.rows.saturating_add(rows),
            done: next.is_none() && !taken.cut,
            cursor: if taken.cut { partition.cursor.clone() } else { next },
        };
        let progress = LedgerProgress {
            collection: collection.clone(),
            partition: now.clone(),
            page: Seq::new(number),
        };
        if let Err(error) = self.graph.apply(self.handle, batch, progress).await {
            patience.after(error).await?;
            self.limit.give_back(taken.resources);
            return Ok(Step::At(partition.clone()));
        }
        self.board.moved(collection, &now, taken.resources);
        self.board.tell(self.context, Some(collection));
        if taken.cut {
            return Ok(Step::Left(Left::Problem(now.key, skipped())));
        }
        Ok(Step::At(now))
    }

    /// Keeps counts that the ledger has no place for, before the page is stored.
    async fn count(
        &self,
        collection: &CollectionKey,
        partition: &PartitionKey,
        page: u64,
        count: Count,
    ) -> Result<(), OperationError> {
        if count == Count::default() {
            return Ok(());
        }
        let checkpoint = {
            let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
            tally.add(collection, partition, page, count);
            tally.print()
        };
        patiently(Arc::clone(&self.clock), || self.context.keep(checkpoint.clone())).await
    }

    async fn restart(&self, collection: &CollectionKey, partition: Partition) -> Result<Step, OperationError> {
        self.warn(format!(
            "the cursor of {collection} has expired: it is read again from its start"
        ));
        patiently(Arc::clone(&self.clock), || {
            self.graph.restart_partition(self.handle, collection, &partition.key)
        })
        .await?;
        self.tally
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .restart(collection, &partition.key);
        let unread = Partition::unread(partition.key);
        self.board.moved(collection, &unread, 0);
        Ok(Step::At(unread))
    }

    /// What an error means for its partition; `None` = the page is to be read again.
    async fn problem(
        &self,
        error: PageError,
        key: PartitionKey,
        parents: &StoredParents,
        patience: &mut Patience,
    ) -> Result<Option<Left>, OperationError> {
        if let Some(failure) = parents.take_failure() {
            patience.after(failure).await?;
            return Ok(None);
        }
        let state = match error {
            PageError::Forbidden { permission } => CollectionState::Forbidden { permission },
            PageError::Failed { reason } => CollectionState::Failed { reason },
            PageError::CursorExpired => CollectionState::Failed {
                reason: format!("its cursor expired {RESTARTS_MAX} times"),
            },
            PageError::Cancelled => return Err(OperationError::Stopped),
            PageError::Fatal(error) => return Err(azure_end(&error)),
        };
        Ok(Some(Left::Problem(key, state)))
    }

    fn warn(&self, message: String) {
        self.context.log(LogLevel::Warning, message);
    }
}

fn skipped() -> CollectionState {
    CollectionState::Skipped {
        why: SKIPPED_BY_LIMIT.to_owned(),
    }
}
