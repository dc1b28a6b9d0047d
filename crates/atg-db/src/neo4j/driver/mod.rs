//! The only code that knows `neo4rs`: every call in bounded time, every error by what can be done about it.
//!
//! A write is a transaction that is tried again for a passing reason:
//! `transaction!(driver, "storing a page", |tx| apply(tx, &page))`. Its statements run again then, so what
//! they read is read again. When the end of a commit is not known the transaction is tried again too: the
//! statements must find out for themselves whether they were carried out (by [`Tx::mark`], by a unique key,
//! or by being the same the second time).

mod advice;
mod reread;
mod trouble;
mod value;

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use backon::BackoffBuilder as _;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use secrecy::ExposeSecret as _;
use tokio::sync::{Semaphore, SemaphorePermit};

pub(crate) use reread::reread;
pub(crate) use trouble::{Outcome, Trouble};
pub(crate) use value::{Row, Statement, Value, moment, nanos};

use super::config::Neo4jConfig;
use super::limits::{self, BOUNDS, Bounds};
use crate::StoreError;

/// A Neo4j server, through a bounded number of connections.
pub(crate) struct Driver {
    graph: neo4rs::Graph,
    connections: Semaphore,
    instance: String,
    marks: AtomicU64,
    /// Whether it may be used: not before the schema is known to be current.
    open: AtomicBool,
    /// The last transaction was refused: the server may answer, and take no writes.
    refuses_writes: AtomicBool,
    bounds: Bounds,
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver")
            .field("instance", &self.instance)
            .finish_non_exhaustive()
    }
}

impl Driver {
    /// As [`Driver::new`]; every call is refused until [`Driver::open`].
    pub(crate) fn closed(config: &Neo4jConfig) -> Result<Self, StoreError> {
        let driver = Self::new(config)?;
        driver.open.store(false, Ordering::Release);
        Ok(driver)
    }

    /// Lets calls through from now on.
    pub(crate) fn open(&self) {
        self.open.store(true, Ordering::Release);
    }

    /// Whether calls are let through.
    pub(crate) fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    /// Prepares the connections. None is made: the server may be down now and up later.
    pub(crate) fn new(config: &Neo4jConfig) -> Result<Self, StoreError> {
        let pool_size = usize::try_from(config.pool_size.max(limits::CONNECTIONS_MIN)).unwrap_or(1);
        let mut settings = neo4rs::ConfigBuilder::default()
            .uri(config.uri.as_str())
            .user(config.user.as_str())
            .password(config.password.expose_secret())
            .max_connections(pool_size)
            .fetch_size(limits::FETCH_ROWS)
            .connection_timeout(limits::CONNECTION_TIMEOUT);
        if let Some(database) = &config.database {
            settings = settings.db(database.as_str());
        }
        if let Some(file) = &config.ca_file {
            settings = settings.with_client_certificate(file);
        }
        let graph = settings.build().and_then(neo4rs::Graph::connect);
        Ok(Self {
            graph: graph.map_err(|error| Trouble::from(error).while_doing("preparing the connection to Neo4j"))?,
            connections: Semaphore::new(pool_size),
            instance: config.instance.clone(),
            marks: AtomicU64::new(0),
            open: AtomicBool::new(true),
            refuses_writes: AtomicBool::new(false),
            bounds: BOUNDS,
        })
    }

    #[cfg(test)]
    pub(crate) fn refuses_writes(&self) -> bool {
        self.refuses_writes.load(Ordering::Relaxed)
    }

    /// With other bounds.
    #[cfg(test)]
    pub(crate) fn within(mut self, bounds: Bounds) -> Self {
        self.bounds = bounds;
        self
    }

    /// Rows of a statement that writes nothing; the server refuses one that does.
    pub(crate) async fn read(&self, doing: &'static str, statement: Statement) -> Result<Vec<Row>, StoreError> {
        self.collect(doing, self.bounds.read, statement).await
    }

    /// As [`Driver::read`], for a statement that walks a whole tenant.
    pub(crate) async fn read_long(&self, doing: &'static str, statement: Statement) -> Result<Vec<Row>, StoreError> {
        self.collect(doing, self.bounds.long_read, statement).await
    }

    /// As [`Driver::read`], of what needs no schema: before [`Driver::open`] too, and past the permits.
    pub(crate) async fn read_unopened(
        &self,
        doing: &'static str,
        statement: Statement,
    ) -> Result<Vec<Row>, StoreError> {
        let mut rows = Vec::new();
        let take = |row| {
            rows.push(row);
            Ok(())
        };
        let passed = self.read_at_once(self.bounds.read, statement, take).await;
        passed.map_err(|trouble| trouble.while_doing(doing))?;
        Ok(rows)
    }

    /// As [`Driver::read_long`], row by row: for more of them than are to be kept.
    pub(crate) async fn each(
        &self,
        doing: &'static str,
        statement: Statement,
        take: impl FnMut(Row) -> Outcome<()> + Send,
    ) -> Result<(), StoreError> {
        let passed = self.read_within(self.bounds.long_read, statement, take).await;
        passed.map_err(|trouble| trouble.while_doing(doing))
    }

    /// Whether the server answers a query now; and takes a write, when it has refused the last one.
    pub(crate) async fn answers(&self) -> bool {
        if !self.is_open() {
            return false;
        }
        // Not through the permits: the question is about the server, not about how busy we are.
        let ask = Box::pin(async {
            let mut rows = self.graph.execute_read("RETURN 1 AS one").await?;
            while rows.next().await?.is_some() {}
            Ok(())
        });
        let asked = async {
            bounded(self.bounds.health, ask).await?;
            if self.refuses_writes.load(Ordering::Relaxed) {
                bounded(self.bounds.health, Box::pin(self.write_nothing())).await?;
                self.refuses_writes.store(false, Ordering::Relaxed);
            }
            Ok::<(), Trouble>(())
        };
        asked.await.is_ok()
    }

    /// Changes what nobody reads.
    async fn write_nothing(&self) -> Outcome<()> {
        let text = "MATCH (l:MigrationLock {id: 'schema'}) SET l._asked = $mark";
        let statement = Statement::new(text).with("mark", self.mark());
        let mut txn = self.graph.start_txn().await?;
        let mut rows = txn.execute(statement.query()).await?;
        while rows.next(txn.handle()).await?.is_some() {}
        txn.commit().await?;
        Ok(())
    }

    /// A mark for one transaction: no other has it, of this process or another.
    pub(crate) fn mark(&self) -> String {
        let serial = self.marks.fetch_add(1, Ordering::Relaxed);
        format!("{}/{serial}", self.instance)
    }

    /// The tries of one transaction. Through `transaction!`.
    pub(crate) fn tries(&self, doing: &'static str, mark: String) -> Tries<'_> {
        let waits = backon::ExponentialBuilder::default()
            .with_min_delay(limits::FIRST_WAIT)
            .with_max_delay(limits::LONGEST_WAIT)
            .with_max_times(usize::try_from(limits::TRIES).unwrap_or(1) - 1)
            .with_jitter()
            .build();
        Tries {
            driver: self,
            doing,
            mark,
            waits,
            was_silent: false,
        }
    }

    async fn collect(
        &self,
        doing: &'static str,
        limit: Duration,
        statement: Statement,
    ) -> Result<Vec<Row>, StoreError> {
        let mut rows = Vec::new();
        let take = |row| {
            rows.push(row);
            Ok(())
        };
        let passed = self.read_within(limit, statement, take).await;
        passed.map_err(|trouble| trouble.while_doing(doing))?;
        Ok(rows)
    }

    async fn read_within(
        &self,
        limit: Duration,
        statement: Statement,
        take: impl FnMut(Row) -> Outcome<()> + Send,
    ) -> Outcome<()> {
        let _permit = self.permit().await?;
        self.read_at_once(limit, statement, take).await
    }

    async fn read_at_once(
        &self,
        limit: Duration,
        statement: Statement,
        mut take: impl FnMut(Row) -> Outcome<()> + Send,
    ) -> Outcome<()> {
        let server = limit.saturating_sub(limits::SERVER_FIRST);
        let query = statement.query().extra("tx_timeout", millis(server));
        bounded(
            limit,
            Box::pin(async {
                let mut stream = self.graph.execute_read(query).await?;
                // What is wrong with a row is said once all are read: a half-read answer costs the connection.
                let mut wrong = None;
                while let Some(row) = stream.next().await? {
                    if wrong.is_none() {
                        wrong = take(Row::new(row)).err();
                    }
                }
                wrong.map_or(Ok(()), Err)
            }),
        )
        .await
    }

    async fn permit(&self) -> Outcome<SemaphorePermit<'_>> {
        if !self.is_open() {
            return Err(Trouble::Refused("its schema was not seen to be current yet".into()));
        }
        match tokio::time::timeout(self.bounds.acquire, self.connections.acquire()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(Trouble::Refused("all connections to Neo4j are in use".into())),
        }
    }
}

/// One transaction, tried until it ends well, for good, or too often.
pub(crate) struct Tries<'d> {
    driver: &'d Driver,
    doing: &'static str,
    mark: String,
    waits: backon::ExponentialBackoff,
    /// The server has let a try wait for its whole time.
    was_silent: bool,
}

impl<'d> Tries<'d> {
    /// Begins a try.
    pub(crate) async fn begin(&mut self) -> Result<Tx<'d>, StoreError> {
        loop {
            match self.start().await {
                Ok(tx) => return Ok(tx),
                // Nothing has run yet: any passing reason may be tried again.
                Err(trouble) => self.wait(trouble).await?,
            }
        }
    }

    /// Ends a try: `Some` is the outcome, `None` asks for another try.
    pub(crate) async fn end<T>(&mut self, tx: Tx<'d>, done: Outcome<T>) -> Result<Option<T>, StoreError> {
        let trouble = match done {
            Ok(value) => match tx.commit().await {
                Ok(()) => {
                    self.driver.refuses_writes.store(false, Ordering::Relaxed);
                    return Ok(Some(value));
                }
                Err(trouble) => trouble,
            },
            Err(trouble) => {
                tx.roll_back().await;
                trouble
            }
        };
        self.wait(trouble).await?;
        Ok(None)
    }

    async fn start(&self) -> Outcome<Tx<'d>> {
        let permit = self.driver.permit().await?;
        // Nothing was asked for yet: a server that does not even begin is away, and another try would wait again.
        let begin = Box::pin(async { Ok(self.driver.graph.start_txn().await?) });
        let txn = match bounded(self.driver.bounds.begin, begin).await {
            Err(Trouble::Silent(_)) => return Err(Trouble::Refused("no transaction was begun in time".into())),
            begun => begun?,
        };
        Ok(Tx {
            txn,
            mark: self.mark.clone(),
            bounds: self.driver.bounds,
            _permit: permit,
        })
    }

    async fn wait(&mut self, trouble: Trouble) -> Result<(), StoreError> {
        if matches!(trouble, Trouble::Refused(_)) {
            self.driver.refuses_writes.store(true, Ordering::Relaxed);
        }
        // Once more after a silence, to learn what became of it; not for minutes.
        let is_silent = matches!(trouble, Trouble::Silent(_));
        let is_again = is_silent && std::mem::replace(&mut self.was_silent, is_silent);
        let wait = if trouble.may_pass_soon() && !is_again {
            self.waits.next()
        } else {
            None
        };
        let Some(wait) = wait else {
            return Err(trouble.while_doing(self.doing));
        };
        tracing::debug!(doing = self.doing, %trouble, "a transaction is tried again");
        tokio::time::sleep(wait).await;
        Ok(())
    }
}

/// A transaction that is open.
pub(crate) struct Tx<'d> {
    txn: neo4rs::Txn,
    mark: String,
    bounds: Bounds,
    _permit: SemaphorePermit<'d>,
}

impl Tx<'_> {
    /// The same for every try of one transaction, and of no other: what a `_lock` is set to. A try that finds
    /// it there was carried out before.
    pub(crate) fn mark(&self) -> &str {
        &self.mark
    }

    /// Runs a statement and reads its rows to the end: before that nothing is certain.
    pub(crate) async fn run(&mut self, statement: Statement) -> Outcome<Vec<Row>> {
        let txn = &mut self.txn;
        bounded(
            self.bounds.statement,
            Box::pin(async {
                let mut stream = txn.execute(statement.query()).await?;
                let mut rows = Vec::new();
                while let Some(row) = stream.next(txn.handle()).await? {
                    rows.push(Row::new(row));
                }
                Ok(rows)
            }),
        )
        .await
    }

    /// As [`Tx::run`], for a statement that answers at most one row.
    pub(crate) async fn one(&mut self, statement: Statement) -> Outcome<Option<Row>> {
        Ok(self.run(statement).await?.into_iter().next())
    }

    async fn commit(self) -> Outcome<()> {
        let commit = async { Ok(self.txn.commit().await.map(drop)?) };
        bounded(self.bounds.statement, Box::pin(commit)).await
    }

    /// Lets go of the locks now, not when the pool looks at the connection again.
    async fn roll_back(self) {
        let roll_back = Box::pin(async { Ok(self.txn.rollback().await?) });
        let _ = bounded(self.bounds.rollback, roll_back).await;
    }
}

/// Tries a transaction until it ends: `transaction!(driver, "doing what", |tx| future)`. A caller that tries the
/// same again after an error gives the same mark both times, in front of `|tx|`.
macro_rules! transaction {
    ($driver:expr, $doing:expr, |$tx:ident| $body:expr) => {
        $crate::neo4j::driver::transaction!($driver, $doing, $driver.mark(), |$tx| $body)
    };
    ($driver:expr, $doing:expr, $mark:expr, |$tx:ident| $body:expr) => {{
        let mut tries = $driver.tries($doing, $mark);
        loop {
            let mut open = tries.begin().await?;
            let done: $crate::neo4j::driver::Outcome<_> = {
                let $tx = &mut open;
                $body.await
            };
            if let Some(outcome) = tries.end(open, done).await? {
                break outcome;
            }
        }
    }};
}
pub(crate) use transaction;

/// What is cut may still be carried out. The driver's futures are of many kilobytes, so they stand on the heap,
/// not in every future that waits for them.
///
/// An answer that ends where it should not makes the driver panic: that is the end of the answer alone.
async fn bounded<T>(limit: Duration, work: BoxFuture<'_, Outcome<T>>) -> Outcome<T> {
    let work = AssertUnwindSafe(work).catch_unwind();
    match tokio::time::timeout(limit, work).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err(Trouble::Unknown(
            "the driver cannot read what the server answers".into(),
        )),
        Err(_) => Err(Trouble::Silent(limit)),
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
