//! A proxy before a Neo4j that knows where one message of Bolt ends and the next begins: it counts statements, and
//! cuts a connection at the commit that a test chooses, on the side that it chooses.
//!
//! It has a runtime of its own, so that the tasks of the test are the server's alone.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader, copy};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// The client's magic number and its four proposals.
const HANDSHAKE: u64 = 20;
/// What the server chooses of them.
const CHOSEN: u64 = 4;
/// A structure without fields, and what COMMIT is called.
const COMMIT: [u8; 2] = [0xB0, 0x12];
/// What RUN is called: each carries one statement.
const RUN: u8 = 0x10;

/// How long the end of the connections may take.
const CLOSED_WITHIN: Duration = Duration::from_secs(5);
/// Between two looks at them.
const LOOK: Duration = Duration::from_millis(1);

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("bolt-proxy")
        .enable_all()
        .build()
        .unwrap()
});

/// Where a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The server never sees COMMIT.
    BeforeCommit,
    /// The server has committed; nothing of its answer passes.
    BeforeAnswer,
    /// The server has committed; half of its answer passes.
    WithinAnswer,
    /// The answer has passed; the connection is of no more use.
    AfterAnswer,
}

/// Which commits are cut, counted from 1.
type Rule = Box<dyn Fn(u64) -> Option<Cut> + Send>;

#[derive(Default)]
struct Shared {
    rule: Mutex<Option<Rule>>,
    commits: AtomicU64,
    cuts: AtomicU64,
    statements: AtomicU64,
    refuses: AtomicBool,
    open: AtomicUsize,
    /// Ends the connections that are there.
    present: Mutex<CancellationToken>,
    /// Ends everything.
    closed: CancellationToken,
}

/// A proxy on a port of its own. When this value has gone, so have its connections, and no new ones are taken.
pub struct BoltProxy {
    port: u16,
    shared: Arc<Shared>,
}

impl BoltProxy {
    /// Starts one before the server on this loopback port.
    pub fn start(server: u16) -> Self {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        let serving = Arc::clone(&shared);
        RUNTIME.spawn(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            loop {
                let client = tokio::select! {
                    () = serving.closed.cancelled() => return,
                    accepted = listener.accept() => accepted,
                };
                let Ok((client, _)) = client else { continue };
                if serving.refuses.load(Ordering::SeqCst) {
                    continue;
                }
                RUNTIME.spawn(Arc::clone(&serving).serve(client, server));
            }
        });
        Self { port, shared }
    }

    /// Where clients find it.
    pub fn uri(&self) -> String {
        format!("bolt://127.0.0.1:{}", self.port)
    }

    /// From now on the rule says which commits are cut; it is given their number from now on.
    pub fn cut_commits(&self, rule: impl Fn(u64) -> Option<Cut> + Send + 'static) {
        let mut current = self.shared.rule.lock().unwrap();
        self.shared.commits.store(0, Ordering::SeqCst);
        *current = Some(Box::new(rule));
    }

    /// From now on everything passes.
    pub fn pass(&self) {
        *self.shared.rule.lock().unwrap() = None;
    }

    /// From now on no new connection comes about, or each does again.
    pub fn refuse(&self, refuses: bool) {
        self.shared.refuses.store(refuses, Ordering::SeqCst);
    }

    /// Cuts the connections that are there.
    pub fn cut_all(&self) {
        let mut present = self.shared.present.lock().unwrap();
        present.cancel();
        *present = CancellationToken::new();
    }

    /// How many connections were cut at a commit.
    pub fn cuts(&self) -> u64 {
        self.shared.cuts.load(Ordering::SeqCst)
    }

    /// How many statements have passed.
    pub fn statements(&self) -> u64 {
        self.shared.statements.load(Ordering::SeqCst)
    }

    /// How many connections there are.
    pub fn connections(&self) -> usize {
        self.shared.open.load(Ordering::SeqCst)
    }
}

impl Drop for BoltProxy {
    fn drop(&mut self) {
        self.shared.closed.cancel();
        let begun = Instant::now();
        while self.connections() > 0 && begun.elapsed() < CLOSED_WITHIN {
            std::thread::park_timeout(LOOK);
        }
    }
}

impl Shared {
    async fn serve(self: Arc<Self>, client: TcpStream, server: u16) {
        let present = self.present.lock().unwrap().clone();
        self.open.fetch_add(1, Ordering::SeqCst);
        tokio::select! {
            () = present.cancelled() => {}
            () = self.closed.cancelled() => {}
            // A connection that breaks is what this is for.
            _ = self.pass_on(client, server) => {}
        }
        self.open.fetch_sub(1, Ordering::SeqCst);
    }

    async fn pass_on(&self, client: TcpStream, server: u16) -> std::io::Result<()> {
        let server = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        let cut = Mutex::new(None);
        tokio::select! {
            ended = self.requests(from_client, to_server, &cut) => ended,
            ended = answers(from_server, to_client, &cut) => ended,
        }
    }

    /// From the client to the server.
    async fn requests(
        &self,
        from: OwnedReadHalf,
        mut to: OwnedWriteHalf,
        cut: &Mutex<Option<Cut>>,
    ) -> std::io::Result<()> {
        let mut from = BufReader::new(from);
        copy(&mut (&mut from).take(HANDSHAKE), &mut to).await?;
        loop {
            let message = message(&mut from).await?;
            if message.get(3) == Some(&RUN) {
                self.statements.fetch_add(1, Ordering::SeqCst);
            }
            if message.get(2..4) == Some(&COMMIT) {
                let chosen = self.at_commit();
                if chosen.is_some() {
                    self.cuts.fetch_add(1, Ordering::SeqCst);
                }
                if chosen == Some(Cut::BeforeCommit) {
                    return Ok(());
                }
                *cut.lock().unwrap() = chosen;
            }
            to.write_all(&message).await?;
        }
    }

    fn at_commit(&self) -> Option<Cut> {
        let rule = self.rule.lock().unwrap();
        let number = self.commits.fetch_add(1, Ordering::SeqCst) + 1;
        rule.as_ref().and_then(|rule| rule(number))
    }
}

/// From the server to the client. What comes behind a COMMIT is its answer: the client has read everything before.
async fn answers(from: OwnedReadHalf, mut to: OwnedWriteHalf, cut: &Mutex<Option<Cut>>) -> std::io::Result<()> {
    let mut from = BufReader::new(from);
    copy(&mut (&mut from).take(CHOSEN), &mut to).await?;
    loop {
        let message = message(&mut from).await?;
        let cut = *cut.lock().unwrap();
        let passes = match cut {
            None | Some(Cut::AfterAnswer) => message.len(),
            Some(Cut::WithinAnswer) => message.len() / 2,
            Some(Cut::BeforeAnswer | Cut::BeforeCommit) => 0,
        };
        to.write_all(&message[..passes]).await?;
        if cut.is_some() {
            return Ok(());
        }
    }
}

/// One message as it comes: pieces with their lengths, up to an empty one.
async fn message(from: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let length = from.read_u16().await?;
        whole.extend(length.to_be_bytes());
        if length == 0 {
            return Ok(whole);
        }
        let begin = whole.len();
        whole.resize(begin + usize::from(length), 0);
        from.read_exact(&mut whole[begin..]).await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_message_ends_with_its_empty_piece() {
        let mut bytes: &[u8] = &[0, 2, 0xB0, 0x12, 0, 1, 9, 0, 0, 0, 0, 0, 1, 7];
        assert_eq!(message(&mut bytes).await.unwrap(), [0, 2, 0xB0, 0x12, 0, 1, 9, 0, 0]);
        assert_eq!(message(&mut bytes).await.unwrap(), [0, 0]);
        assert!(message(&mut bytes).await.is_err());
    }
}
