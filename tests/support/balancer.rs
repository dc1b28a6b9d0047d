//! What stands before several servers: each connection goes to the next of them that takes it, and stays there.
//!
//! It knows nothing of their health: whoever takes connections gets them, as one that is stopped or about to leave
//! does. It has a runtime of its own, because tests wait for programs.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// What is read at a time.
const PIECE_BYTES: usize = 16 * 1024;
/// How long a server may take to take a connection.
const CONNECTED_WITHIN: Duration = Duration::from_secs(1);

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("balancer")
        .enable_all()
        .build()
        .unwrap()
});

/// The place of one server.
#[derive(Default)]
struct Place {
    server: Mutex<Option<SocketAddr>>,
    /// Ends the connections to the server that is there.
    present: Mutex<CancellationToken>,
    /// Of all answers, what clients were given.
    answered: AtomicU64,
    /// What of a connection's answers passes before it stands still; 0 for all.
    passes: AtomicU64,
    /// Connections that stand still.
    held: AtomicUsize,
}

struct Shared {
    places: Vec<Place>,
    next: AtomicUsize,
    closed: CancellationToken,
}

/// A balancer on a port of its own; it ends with this value, and its connections too.
pub struct Balancer {
    url: String,
    shared: Arc<Shared>,
}

impl Balancer {
    /// Starts one with so many places, where no server is yet.
    pub fn start(places: usize) -> Self {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            places: (0..places).map(|_| Place::default()).collect(),
            next: AtomicUsize::new(0),
            closed: CancellationToken::new(),
        });
        let serving = Arc::clone(&shared);
        RUNTIME.spawn(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            loop {
                let client = tokio::select! {
                    () = serving.closed.cancelled() => return,
                    accepted = listener.accept() => accepted,
                };
                if let Ok((client, _)) = client {
                    RUNTIME.spawn(Arc::clone(&serving).serve(client));
                }
            }
        });
        Self { url, shared }
    }

    /// Where clients find it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A server has come.
    pub fn put(&self, place: usize, url: &str) {
        let address = url.trim_start_matches("http://").parse().unwrap();
        *self.shared.places[place].server.lock().unwrap() = Some(address);
    }

    /// A server has gone: its connections are cut, and it gets no new ones.
    pub fn take(&self, place: usize) {
        let place = &self.shared.places[place];
        *place.server.lock().unwrap() = None;
        std::mem::take(&mut *place.present.lock().unwrap()).cancel();
    }

    /// The next connection goes here first.
    pub fn next_is(&self, place: usize) {
        self.shared.next.store(place, Ordering::SeqCst);
    }

    /// Each connection to this place stands still when so many bytes of its answers have passed.
    pub fn hold_after(&self, place: usize, bytes: u64) {
        self.shared.places[place].passes.store(bytes, Ordering::SeqCst);
    }

    /// From now on everything passes; what stands still stays.
    pub fn pass(&self, place: usize) {
        self.hold_after(place, 0);
    }

    /// How many connections stand still.
    pub fn held(&self, place: usize) -> usize {
        self.shared.places[place].held.load(Ordering::SeqCst)
    }

    /// How many bytes of answers clients were given by the servers of this place.
    pub fn answered(&self, place: usize) -> u64 {
        self.shared.places[place].answered.load(Ordering::SeqCst)
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.shared.closed.cancel();
    }
}

impl Shared {
    async fn serve(self: Arc<Self>, client: TcpStream) {
        let first = self.next.fetch_add(1, Ordering::SeqCst);
        for at in (0..self.places.len()).map(|step| (first + step) % self.places.len()) {
            let place = &self.places[at];
            let present = place.present.lock().unwrap().clone();
            let address = *place.server.lock().unwrap();
            let Some(address) = address else { continue };
            let connecting = tokio::time::timeout(CONNECTED_WITHIN, TcpStream::connect(address));
            let Ok(Ok(server)) = connecting.await else { continue };
            tokio::select! {
                () = present.cancelled() => {}
                () = self.closed.cancelled() => {}
                // A connection that breaks is what this is for.
                _ = place.pass_on(client, server) => {}
            }
            return;
        }
    }
}

impl Place {
    /// Until one of the two has gone: no client of ours sends its end and still reads.
    async fn pass_on(&self, client: TcpStream, server: TcpStream) -> std::io::Result<()> {
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let (mut from_client, to_client) = client.into_split();
        let (from_server, mut to_server) = server.into_split();
        tokio::select! {
            ended = copy(&mut from_client, &mut to_server) => ended.map(drop),
            ended = self.answers(from_server, to_client) => ended,
        }
    }

    async fn answers(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> std::io::Result<()> {
        let mut piece = vec![0; PIECE_BYTES];
        let mut passed = 0;
        loop {
            let read = from.read(&mut piece).await?;
            if read == 0 {
                return to.shutdown().await;
            }
            to.write_all(&piece[..read]).await?;
            let read = u64::try_from(read).unwrap();
            passed += read;
            self.answered.fetch_add(read, Ordering::SeqCst);
            let passes = self.passes.load(Ordering::SeqCst);
            if passes > 0 && passed >= passes {
                let _held = Held::of(&self.held);
                return std::future::pending().await;
            }
        }
    }
}

/// Counts as long as it lives.
struct Held<'a>(&'a AtomicUsize);

impl<'a> Held<'a> {
    fn of(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
