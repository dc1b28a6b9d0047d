//! Stands between every caller of a server and that server, and passes on each byte as it is. Each answer is
//! judged by the `OpenAPI` document before its end reaches the caller, whoever that is: a test's client, the
//! command line, a browser, a bare socket. An answer that does not fit fails the test that holds the witness.

mod exchange;
mod frames;
mod wire;

use std::net::TcpListener as Listener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::task::{JoinHandle, JoinSet};

use crate::judge::{Answer, JUDGE};
use crate::record;
use exchange::Exchange;

pub use frames::{SocketFrames, StreamFrames};
pub use wire::{Framing, Piece, Start, Wire};

/// What is read at a time.
const PIECE_BYTES: usize = 16 * 1024;
/// What is shown of a problem.
const PROBLEM_BYTES: usize = 1_000;
/// How long a caller may still send to a server that has ended the connection.
const LINGER: Duration = Duration::from_millis(500);

/// Apart from the tests' own runtimes, which may stand still while a test waits for a program.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("witness")
        .enable_all()
        .build()
        .unwrap()
});

/// The witness of one server.
pub struct Witness {
    url: String,
    seen: Arc<Seen>,
    task: JoinHandle<()>,
}

/// What all connections to one server have shown.
#[derive(Default)]
struct Seen {
    /// Of the server's own port for metrics the document knows one path.
    only_metrics: bool,
    /// What is seen is no answer of ours.
    is_rehearsal: bool,
    problems: Mutex<Vec<String>>,
    /// Nobody looks at the problems any more.
    is_over: AtomicBool,
}

impl Witness {
    /// Of the server at this address.
    pub fn of(server: &str) -> Self {
        Self::start(server, Seen::default())
    }

    /// Of the port at this address, where nothing is but metrics.
    pub fn of_metrics(server: &str) -> Self {
        let seen = Seen {
            only_metrics: true,
            ..Seen::default()
        };
        Self::start(server, seen)
    }

    /// Of a server that a test has made up: what it answers does not count.
    pub fn rehearsing(server: &str) -> Self {
        let seen = Seen {
            is_rehearsal: true,
            ..Seen::default()
        };
        Self::start(server, seen)
    }

    fn start(server: &str, seen: Seen) -> Self {
        record::start();
        let listener = Listener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = server.trim_start_matches("http://").to_owned();
        let seen = Arc::new(seen);
        let task = RUNTIME.spawn(accept(listener, server, Arc::clone(&seen)));
        Self { url, seen, task }
    }

    /// Where callers find it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What was wrong so far.
    pub fn problems(&self) -> Vec<String> {
        self.seen.problems.lock().unwrap().clone()
    }

    /// Takes what was wrong: the test that asks has expected it.
    pub fn forgive(&self) -> Vec<String> {
        std::mem::take(&mut self.seen.problems.lock().unwrap())
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.task.abort();
        self.seen.is_over.store(true, Ordering::SeqCst);
        let problems = self.problems();
        if !std::thread::panicking() {
            assert!(
                problems.is_empty(),
                "answers that the document does not describe: {problems:#?}"
            );
        }
    }
}

impl Seen {
    fn judge(&self, answer: &Answer<'_>) {
        let elsewhere = format!("/own-port{}", answer.path);
        let is_elsewhere = self.only_metrics && answer.path != "/metrics";
        let path = if is_elsewhere { &elsewhere } else { answer.path };
        if let Some(problem) = JUDGE.problem(&Answer { path, ..*answer }) {
            self.problem(problem);
        }
    }

    fn judge_frame(&self, frame: &[u8]) {
        self.count("frames of sockets and event streams", "");
        if let Some(problem) = JUDGE.frame_problem(frame) {
            self.problem(format!("a frame: {problem}"));
        }
    }

    fn count(&self, what: &str, place: &str) {
        if !self.is_rehearsal {
            record::count(what, place);
        }
    }

    fn problem(&self, mut problem: String) {
        // The whole body of an answer helps nobody.
        problem.truncate(problem.floor_char_boundary(PROBLEM_BYTES));
        if self.is_over.load(Ordering::SeqCst) {
            record::problem(&problem);
        }
        self.problems.lock().unwrap().push(problem);
    }
}

async fn accept(listener: Listener, server: String, seen: Arc<Seen>) {
    let listener = TcpListener::from_std(listener).unwrap();
    // Ends with this task, and the connections with it.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((caller, _)) = accepted {
                    connections.spawn(pass(caller, server.clone(), Arc::clone(&seen)));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Passes a connection on. One that breaks is broken on the other side too.
async fn pass(mut caller: TcpStream, server: String, seen: Arc<Seen>) {
    let Ok(mut server) = TcpStream::connect(server).await else {
        return;
    };
    let _ = (caller.set_nodelay(true), server.set_nodelay(true));
    let exchange = Mutex::new(Exchange::new(seen));
    let (mut from_caller, mut to_caller) = caller.split();
    let (mut from_server, mut to_server) = server.split();
    let requests = async {
        let ended = copy(&mut from_caller, &mut to_server, |bytes| {
            exchange.lock().unwrap().sent(bytes);
        });
        ended.await?;
        // A caller that has sent all it has to send still waits for its answer.
        std::future::pending::<std::io::Result<()>>().await
    };
    let answers = copy(&mut from_server, &mut to_caller, |bytes| {
        let mut exchange = exchange.lock().unwrap();
        match bytes {
            [] => exchange.ended(),
            bytes => exchange.answered(bytes),
        }
    });
    let answered = tokio::select! {
        ended = requests => ended.is_ok(),
        ended = answers => ended.is_ok(),
    };
    if answered {
        // Closing on bytes that nobody has read would take the answer from the caller.
        let mut rest = tokio::io::sink();
        let _ = tokio::time::timeout(LINGER, tokio::io::copy(&mut from_caller, &mut rest)).await;
    }
}

/// Until there is no more, which the other side is told, and who looks on sees as nothing.
async fn copy(from: &mut ReadHalf<'_>, to: &mut WriteHalf<'_>, mut look: impl FnMut(&[u8])) -> std::io::Result<()> {
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let read = from.read(&mut piece).await?;
        look(&piece[..read]);
        if read == 0 {
            return to.shutdown().await;
        }
        to.write_all(&piece[..read]).await?;
    }
}
