//! The writer: one thread, one connection, one transaction at a time.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::{Connection, InterruptHandle};
use tokio::sync::{mpsc, oneshot};

use crate::StoreError;
use crate::limits;
use crate::sqlite::fault::{Outcome, stopped, unavailable};
use crate::sqlite::trouble::Trouble;
use crate::sqlite::words::Words;

/// What a write transaction works with.
pub(crate) struct Session {
    /// In a transaction while a job runs.
    pub(crate) connection: Connection,
    /// Interned words, valid for what is committed and for this transaction.
    pub(crate) words: Words,
    #[cfg(any(test, feature = "faults"))]
    faults: Option<(crate::faults::FaultPoint, crate::faults::Faults)>,
}

impl Session {
    pub(crate) fn new(connection: Connection) -> Self {
        Self {
            connection,
            words: Words::default(),
            #[cfg(any(test, feature = "faults"))]
            faults: None,
        }
    }

    /// Lets the commits of this file be a place that fails on purpose.
    #[cfg(any(test, feature = "faults"))]
    pub(crate) fn with_faults(mut self, file: &str, faults: &crate::faults::Faults) -> Self {
        let point = match file {
            "jobs.db" => Some(crate::faults::FaultPoint::CommitJobs),
            "graph.db" => Some(crate::faults::FaultPoint::CommitGraph),
            _ => None,
        };
        self.faults = point.map(|point| (point, faults.clone()));
        self
    }

    fn in_transaction<T>(&mut self, work: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T> {
        begin(&self.connection)?;
        let outcome = work(self).and_then(|value| {
            #[cfg(any(test, feature = "faults"))]
            self.pass(crate::faults::Moment::Before)?;
            self.connection.execute_batch("COMMIT")?;
            Ok(value)
        });
        #[cfg(any(test, feature = "faults"))]
        let outcome = outcome.and_then(|value| {
            self.pass(crate::faults::Moment::After)?;
            Ok(value)
        });
        if outcome.is_err() {
            self.words.forget();
            // Fails when SQLite has rolled back already.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        outcome
    }
}

#[cfg(any(test, feature = "faults"))]
impl Session {
    fn pass(&self, moment: crate::faults::Moment) -> Outcome<()> {
        match &self.faults {
            Some((point, faults)) => Ok(faults.pass(*point, moment)?),
            None => Ok(()),
        }
    }
}

type Job = Box<dyn FnOnce(&mut Session) + Send>;

/// Which job runs, so that a late one is interrupted and never its successor.
#[derive(Default)]
struct Running {
    current: u64,
    last: u64,
}

/// The handle to the writer's thread.
pub(crate) struct Writer {
    jobs: mpsc::Sender<Job>,
    thread: JoinHandle<()>,
    running: Arc<Mutex<Running>>,
    interrupt: Arc<InterruptHandle>,
    trouble: Arc<Trouble>,
}

impl Writer {
    pub(crate) fn start(mut session: Session, trouble: Arc<Trouble>) -> Result<Self, StoreError> {
        let (jobs, mut queue) = mpsc::channel::<Job>(limits::WRITE_QUEUE);
        let interrupt = Arc::new(session.connection.get_interrupt_handle());
        let thread = std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || {
                while let Some(job) = queue.blocking_recv() {
                    job(&mut session);
                }
                // A closed file without a log opens faster; if it fails, the log is read then.
                let _ = session
                    .connection
                    .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
            })
            .map_err(unavailable("starting the writer"))?;
        Ok(Self {
            jobs,
            thread,
            running: Arc::default(),
            interrupt,
            trouble,
        })
    }

    /// Queues `work` and waits for its outcome. Once queued it runs even if the caller goes away.
    pub(crate) async fn run<T, F>(&self, doing: &'static str, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Session) -> Outcome<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let (started, has_started) = oneshot::channel();
        let running = Arc::clone(&self.running);
        let trouble = Arc::clone(&self.trouble);
        let job: Job = Box::new(move |session| {
            let number = begin_job(&running);
            let _ = started.send(number);
            let outcome = session.in_transaction(work);
            trouble.after_write(&outcome);
            running.lock().unwrap_or_else(PoisonError::into_inner).current = 0;
            let _ = reply.send(outcome);
        });
        self.jobs.send(job).await.map_err(|_| stopped(doing))?;
        let number = has_started.await.map_err(|_| stopped(doing))?;
        let mut answer = answer;
        let outcome = if let Ok(outcome) = tokio::time::timeout(limits::WRITE_TIMEOUT, &mut answer).await {
            outcome
        } else {
            self.interrupt_job(number);
            answer.await
        };
        outcome
            .map_err(|_| stopped(doing))?
            .map_err(|fault| fault.while_doing(doing))
    }

    /// Lets the queue run dry and ends the thread; `false` when it had panicked.
    pub(crate) fn stop(self) -> bool {
        let Self { jobs, thread, .. } = self;
        drop(jobs);
        thread.join().is_ok()
    }

    fn interrupt_job(&self, number: u64) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.current == number {
            self.interrupt.interrupt();
        }
    }
}

fn begin_job(running: &Mutex<Running>) -> u64 {
    let mut running = running.lock().unwrap_or_else(PoisonError::into_inner);
    running.last += 1;
    running.current = running.last;
    running.current
}

fn begin(connection: &Connection) -> Outcome<()> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    Ok(())
}
