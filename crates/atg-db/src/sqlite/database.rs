//! One SQLite file: a writer thread, a pool of readers, and streams with a state of their own.
//!
//! Must never: run SQL on an async thread, or let a read wait behind a write.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::stream::{BoxStream, StreamExt as _};
use rusqlite::{Connection, InterruptHandle, OpenFlags, TransactionBehavior};
use tokio::sync::{Semaphore, mpsc};

use crate::limits;
use crate::sqlite::fault::{Fault, Outcome, stopped};
use crate::sqlite::folder::{FolderLock, OpenMarker};
use crate::sqlite::migrations::migrate;
use crate::sqlite::trouble::Trouble;
use crate::sqlite::writer::{Session, Writer};
use crate::{Health, StoreError};

/// How a file is opened.
pub(crate) struct Plan {
    /// Its name in the data folder.
    pub(crate) file: &'static str,
    /// Its migrations.
    pub(crate) steps: &'static [&'static str],
}

/// An open file. Dropping it waits for the writer and marks the file as closed.
pub(crate) struct Database {
    path: PathBuf,
    writer: Option<Writer>,
    idle: Arc<Mutex<Vec<Connection>>>,
    readers: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    marker: OpenMarker,
    trouble: Arc<Trouble>,
    // The last to go.
    _lock: Arc<FolderLock>,
}

impl Database {
    /// Opens the file, brings it up to date, and checks it if the last stop was not clean.
    pub(crate) fn open(folder: &Path, lock: Arc<FolderLock>, plan: &Plan) -> Result<Self, StoreError> {
        const DOING: &str = "opening the database";
        let path = folder.join(plan.file);
        let marker = OpenMarker::set(&path)?;
        let open = || -> Outcome<Connection> {
            let mut connection = Connection::open(&path)?;
            prepare_writer(&connection)?;
            if marker.was_unclean {
                quick_check(&connection)?;
            }
            migrate(&mut connection, plan.file, plan.steps)?;
            Ok(connection)
        };
        let connection = open().map_err(|fault| named(plan.file, fault.while_doing(DOING)))?;
        let session = Session::new(connection);
        #[cfg(any(test, feature = "faults"))]
        let session = session.with_faults(plan.file, &lock.faults);
        let trouble = Arc::<Trouble>::default();
        Ok(Self {
            writer: Some(Writer::start(session, Arc::clone(&trouble))?),
            idle: Arc::default(),
            readers: Arc::new(Semaphore::new(limits::READERS)),
            streams: Arc::new(Semaphore::new(limits::STREAMS)),
            path,
            marker,
            trouble,
            _lock: lock,
        })
    }

    /// Runs `work` in one write transaction, on the writer's thread.
    pub(crate) async fn write<T, F>(&self, doing: &'static str, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Session) -> Outcome<T> + Send + 'static,
    {
        match &self.writer {
            Some(writer) => writer.run(doing, work).await,
            None => Err(stopped(doing)),
        }
    }

    /// Runs `work` in one read transaction, on a blocking thread.
    pub(crate) async fn read<T, F>(&self, doing: &'static str, timeout: Duration, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Outcome<T> + Send + 'static,
    {
        let permit = Arc::clone(&self.readers).acquire_owned();
        let permit = tokio::time::timeout(timeout, permit).await;
        let permit = permit.map_err(|_| late(doing))?.map_err(|_| stopped(doing))?;
        let idle = Arc::clone(&self.idle);
        let path = self.path.clone();
        let guard = InterruptOnDrop::default();
        let running = Arc::clone(&guard.0);
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let kept = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut connection = match kept {
                Some(connection) => connection,
                None => open_reader(&path)?,
            };
            running.set(Some(connection.get_interrupt_handle()));
            let outcome = in_read_transaction(&mut connection, work);
            // Before the connection is anyone else's: a caller that goes now must not stop their read.
            running.set(None);
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            outcome
        });
        deadline(task, timeout, &guard, doing, &self.trouble).await
    }

    /// Streams what `work` sends, from one read transaction on a connection of its own. The reader
    /// sets the pace; dropping the stream ends the work.
    pub(crate) async fn stream<T, F>(
        &self,
        doing: &'static str,
        work: F,
    ) -> Result<BoxStream<'static, Result<T, StoreError>>, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, &PageSender<T>) -> Outcome<()> + Send + 'static,
    {
        let permit = Arc::clone(&self.streams).acquire_owned().await;
        let permit = permit.map_err(|_| stopped(doing))?;
        let path = self.path.clone();
        let trouble = Arc::clone(&self.trouble);
        let (send, receive) = mpsc::channel(limits::STREAM_QUEUE);
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let sender = PageSender {
                pages: send,
                is_cut: Cell::new(false),
            };
            let run = || -> Outcome<()> {
                let mut connection = open_reader(&path)?;
                in_read_transaction(&mut connection, |connection| {
                    // The state is fixed by the first read, not by BEGIN.
                    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
                    let _ = begun.send(());
                    work(connection, &sender)
                })
            };
            let last = match run() {
                Ok(()) => Message::End,
                Err(fault) => {
                    trouble.after_fault(&fault);
                    Message::Failed(fault.while_doing(doing))
                }
            };
            sender.put(last);
        });
        // An error before the beginning comes as the stream's first item.
        let _ = has_begun.await;
        let pages = futures_util::stream::unfold(Some(receive), move |receive| async move {
            let mut receive = receive?;
            let (items, rest): (Vec<Result<T, StoreError>>, _) = match receive.recv().await {
                Some(Message::Page(items)) => (items.into_iter().map(Ok).collect(), Some(receive)),
                Some(Message::End) => (Vec::new(), None),
                Some(Message::Failed(error)) => (vec![Err(error)], None),
                // Cut off without a word: what was read so far must not pass for all.
                None => (vec![Err(stopped(doing))], None),
            };
            Some((futures_util::stream::iter(items), rest))
        });
        Ok(pages.flatten().boxed())
    }

    /// Whether a trivial read is answered in time, or a trivial write when the last write found the disk full or
    /// read-only: nothing else may be written until this says that it can be. A damaged file stays disconnected.
    pub(crate) async fn health(&self) -> Health {
        const DOING: &str = "asking for its health";
        if self.trouble.is_damaged() {
            return Health::Disconnected;
        }
        let answer = async {
            if self.trouble.takes_no_writes() {
                return self.write(DOING, |session| write_nothing(&session.connection)).await;
            }
            let look = |connection: &Connection| {
                Ok(connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?)
            };
            self.read(DOING, limits::HEALTH_TIMEOUT, look).await
        };
        match tokio::time::timeout(limits::HEALTH_TIMEOUT, answer).await {
            Ok(Ok(())) => Health::Connected,
            Ok(Err(_)) | Err(_) => Health::Disconnected,
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        drop(idle);
        // The next start looks through a file in which damage was found, however this one stops.
        if self.writer.take().is_some_and(Writer::stop) && !self.trouble.is_damaged() {
            self.marker.clear();
        }
    }
}

/// What a stream's worker says. Only after [`Message::End`] the stream was whole.
enum Message<T> {
    Page(Vec<T>),
    Failed(StoreError),
    End,
}

/// Sends a stream's pages. Fails when the reader has gone, or has not read for too long: its state
/// would keep the write-ahead log from being folded in.
pub(crate) struct PageSender<T> {
    pages: mpsc::Sender<Message<T>>,
    /// A page was lost: the stream must not end as if it were whole.
    is_cut: Cell<bool>,
}

impl<T> PageSender<T> {
    /// Sends a page; `false` when nobody reads any more.
    pub(crate) fn send(&self, page: Vec<T>) -> bool {
        page.is_empty() || self.put(Message::Page(page))
    }

    fn put(&self, message: Message<T>) -> bool {
        if self.is_cut.get() {
            return false;
        }
        let send = async { tokio::time::timeout(limits::STREAM_STALL, self.pages.send(message)).await };
        let sent = matches!(tokio::runtime::Handle::current().block_on(send), Ok(Ok(())));
        self.is_cut.set(!sent);
        sent
    }
}

/// The handle of a read for as long as its connection is the read's own.
#[derive(Default)]
struct Running(Mutex<Option<InterruptHandle>>);

impl Running {
    fn set(&self, handle: Option<InterruptHandle>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = handle;
    }

    /// Stops the read if it runs. The lock is held meanwhile, so that the connection cannot pass on.
    fn interrupt(&self) {
        if let Some(handle) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            handle.interrupt();
        }
    }
}

/// A caller that goes away stops its statement.
#[derive(Default)]
struct InterruptOnDrop(Arc<Running>);

impl Drop for InterruptOnDrop {
    fn drop(&mut self) {
        self.0.interrupt();
    }
}

async fn deadline<T>(
    mut task: tokio::task::JoinHandle<Outcome<T>>,
    timeout: Duration,
    guard: &InterruptOnDrop,
    doing: &'static str,
    trouble: &Trouble,
) -> Result<T, StoreError> {
    let joined = if let Ok(joined) = tokio::time::timeout(timeout, &mut task).await {
        joined
    } else {
        guard.0.interrupt();
        task.await
    };
    match joined {
        Ok(outcome) => outcome.map_err(|fault| {
            trouble.after_fault(&fault);
            fault.while_doing(doing)
        }),
        Err(_) => Err(stopped(doing)),
    }
}

fn late(doing: &'static str) -> StoreError {
    StoreError::Unavailable {
        doing,
        source: "all readers are busy".into(),
    }
}

fn in_read_transaction<T>(connection: &mut Connection, work: impl FnOnce(&Connection) -> Outcome<T>) -> Outcome<T> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
    work(&transaction)
}

fn prepare_writer(connection: &Connection) -> Outcome<()> {
    connection.busy_timeout(limits::BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cache_size", -limits::WRITER_CACHE_KIB)?;
    connection.pragma_update(None, "foreign_keys", false)?;
    connection.set_prepared_statement_cache_capacity(limits::STATEMENTS);
    Ok(())
}

fn open_reader(path: &Path) -> Outcome<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(limits::BUSY_TIMEOUT)?;
    connection.pragma_update(None, "cache_size", -limits::READER_CACHE_KIB)?;
    connection.set_prepared_statement_cache_capacity(limits::STATEMENTS);
    Ok(connection)
}

/// Writes a page that holds what it held.
fn write_nothing(connection: &Connection) -> Outcome<()> {
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    Ok(connection.pragma_update(None, "user_version", version)?)
}

/// An error of opening says which file it is about.
fn named(file: &str, error: StoreError) -> StoreError {
    match error {
        StoreError::Corrupt { doing, problem } => StoreError::Corrupt {
            doing,
            problem: format!("{file}: {problem}"),
        },
        other @ (StoreError::Unavailable { .. }
        | StoreError::Fenced { .. }
        | StoreError::Refused(_)
        | StoreError::NotFound { .. }
        | StoreError::TooLarge { .. }
        | StoreError::TooNew { .. }
        | StoreError::HalfImported { .. }
        | StoreError::Locked { .. }) => other,
    }
}

/// Looks through the file's pages.
pub(crate) fn quick_check(connection: &Connection) -> Outcome<()> {
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" {
        Ok(())
    } else {
        Err(Fault::Row(verdict))
    }
}

#[cfg(test)]
mod tests;
