//! Readers of one job's log whose lines are cut again and again while the job writes.
//!
//! Each merges what the server has sent by its sequence, and fails at the first event that is missing or comes
//! twice. It knows nothing of the product's client.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use atg_models::JobId;
use atg_sim::{Fault, FaultKind};
use bytes::Bytes;
use futures_util::StreamExt as _;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_util::task::AbortOnDropHandle;

use crate::{DEADLINE, KEY, Setup, until};

/// A line that breaks at a byte breaks before this one of the answer. A head has about 300, a frame 200.
const CUT_BYTES: u64 = 1_500;
/// A line that is left at a moment is left before this one; the answer to a handshake takes a few.
const CUT_MS: u64 = 400;
/// No line is held longer than this before its cut.
const HELD_MS: u64 = 600;
/// Events of a page of a long poll, at most.
const PAGE_EVENTS: u32 = 20;

/// A key's readers: few, because the server learns late that a silent line was cut, and counts it until then.
const READERS_PER_KEY: usize = 10;
/// Events that a scan has at the least when it ends, beside its last.
const EVENTS: u64 = 10;
/// How long Azure takes over a page, and so about how far events lie apart.
const PAGE_MS: u64 = 250;

/// How a reader reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// `WebSocket`.
    Socket,
    /// Event stream.
    Stream,
    /// Pages that wait for news.
    Poll,
}

/// One reader.
#[derive(Debug)]
struct CutReader {
    server: SocketAddr,
    key: String,
    job: JobId,
    way: Way,
    /// Chooses where its lines are cut.
    seed: u64,
    cuts: u32,
}

/// A log, as a reader has merged it.
#[derive(Debug, Default, PartialEq, Eq, Clone)]
pub struct Merged {
    /// Its events, and so the sequence of the last.
    pub events: u64,
    /// Of all their members.
    digest: u64,
    /// Whether the last of them is the completion.
    pub complete: bool,
}

impl Merged {
    fn hear(&mut self, frame: &Value) {
        let next = self.events + 1;
        assert_eq!(frame["seq"], next, "an event is missing or came twice: {frame}");
        assert!(!self.complete, "behind the completion: {frame}");
        // The ways write the members in orders of their own.
        let members: BTreeMap<_, _> = frame.as_object().unwrap().iter().collect();
        let mut hasher = DefaultHasher::new();
        (self.digest, serde_json::to_string(&members).unwrap()).hash(&mut hasher);
        *self = Self {
            events: next,
            digest: hasher.finish(),
            complete: frame["type"] == "completion",
        };
    }
}

/// Lets so many readers follow one scan of this tenant, by all ways, each cut so often. The scan ends when all have had
/// their cuts. Answers the whole log, as one reads it who comes behind its end, and what each of them has merged.
pub async fn cut_readers(setup: Setup, readers: usize, cuts: u32) -> (Merged, Vec<Merged>) {
    let keys = (0..readers.div_ceil(READERS_PER_KEY)).map(key);
    let keys: Vec<String> = std::iter::once(KEY.to_owned()).chain(keys).collect();
    let setup = setup.sim(|sim| sim.arg_page_rows = 5);
    let setup = setup.setting("ATG_API_KEYS", &keys.join(","));
    let setup = setup.setting("ATG_RATE_LIMIT_PER_MINUTE", "1000000");
    let world = setup.start().await;
    // Azure holds the scan up, with news all the time.
    world.sim.arm(Fault {
        count: u64::MAX,
        value: Some(PAGE_MS),
        ..Fault::new(FaultKind::Slow)
    });
    let job = world.start_scan().await;
    let reader = |number: usize, cuts| CutReader {
        server: world.url().trim_start_matches("http://").parse().unwrap(),
        key: key(number / READERS_PER_KEY),
        job,
        way: [Way::Socket, Way::Stream, Way::Poll][number % 3],
        seed: u64::try_from(number).unwrap(),
        cuts,
    };
    let cut = Arc::new(Semaphore::new(0));
    let mut following = JoinSet::new();
    for number in 0..readers {
        following.spawn(reader(number, cuts).follow(Arc::clone(&cut)));
    }
    tokio::select! {
        done = cut.acquire_many(u32::try_from(readers).unwrap()) => drop(done.unwrap()),
        failed = following.join_next() => panic!("a reader has ended before all were cut: {failed:?}"),
    }
    // On a busy machine a scan tells of itself less often.
    let behind = format!("/api/v1/operations/{job}/events?after={EVENTS}");
    until("the log is long enough", async || {
        let page: Value = world.get(&behind).await.json().await.unwrap();
        page["events"]
            .as_array()
            .is_some_and(|events| !events.is_empty())
            .then_some(())
    })
    .await;
    world.client.cancel(job).await.unwrap();
    let mut merged = Vec::new();
    let all = async {
        while let Some(reader) = following.join_next().await {
            merged.push(reader.unwrap());
        }
    };
    tokio::time::timeout(DEADLINE, all).await.expect("all hear of the end");
    let whole = reader(0, 0).follow(cut).await;
    (whole, merged)
}

fn key(number: usize) -> String {
    format!("atg_dev_{number:08x}{}", "a".repeat(56))
}

/// A line was cut, by us or by the server.
#[derive(Debug)]
struct Broken;

/// A line to the server.
trait Line: AsyncRead + AsyncWrite + Unpin + Send + 'static {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + 'static> Line for T {}

impl CutReader {
    async fn follow(self, cut: Arc<Semaphore>) -> Merged {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let mut merged = Merged::default();
        for _ in 0..self.cuts {
            let (bytes, held_ms) = if random.random_bool(0.5) {
                (random.random_range(0..CUT_BYTES), HELD_MS)
            } else {
                (u64::MAX, random.random_range(0..CUT_MS))
            };
            let line = self.line(bytes, random.random_bool(0.5)).await;
            let reading = self.read(line, &mut random, &mut merged);
            // Whether the time is up or the line is broken: it is cut.
            let _cut = tokio::time::timeout(Duration::from_millis(held_ms), reading).await;
            assert!(!merged.complete, "the job has ended before its readers were cut");
        }
        cut.add_permits(1);
        let line = self.line(u64::MAX, false).await;
        let read = self.read(line, &mut random, &mut merged).await;
        assert!(
            read.is_ok() && merged.complete,
            "{self:?} was cut by the server: {merged:?}"
        );
        merged
    }

    /// A new line, of which so many bytes can be read. Half of those that are cut end with a reset.
    async fn line(&self, bytes: u64, reset: bool) -> impl Line {
        let stream = TcpStream::connect(self.server).await.unwrap();
        stream.set_nodelay(true).unwrap();
        if reset {
            stream.set_zero_linger().unwrap();
        }
        let (read, write) = tokio::io::split(stream);
        tokio::io::join(read.take(bytes), write)
    }

    /// Reads until the job's completion was heard and the server has ended the answer.
    async fn read(&self, line: impl Line, random: &mut ChaCha8Rng, merged: &mut Merged) -> Result<(), Broken> {
        match self.way {
            Way::Socket => self.socket(line, merged).await,
            Way::Stream => self.stream(line, random.random_bool(0.5), merged).await,
            Way::Poll => self.poll(line, random, merged).await,
        }
    }

    async fn socket(&self, line: impl Line, merged: &mut Merged) -> Result<(), Broken> {
        let Self { server, job, key, .. } = self;
        let url = format!("ws://{server}/ws/progress/{job}?after={}&detail=1", merged.events);
        let mut request = url.into_client_request().unwrap();
        let bearer = format!("Bearer {key}").parse().unwrap();
        request.headers_mut().insert("authorization", bearer);
        let mut socket = match tokio_tungstenite::client_async(request, line).await {
            Ok((socket, _)) => socket,
            Err(Error::Http(refusal)) => panic!("refused: {refusal:?}"),
            Err(_) => return Err(Broken),
        };
        loop {
            match socket.next().await {
                Some(Ok(Message::Text(text))) => merged.hear(&serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(reason))) => {
                    assert_eq!(reason.map(|reason| u16::from(reason.code)), Some(1000), "{merged:?}");
                    assert!(merged.complete, "closed before the completion");
                    return Ok(());
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(Broken),
            }
        }
    }

    async fn stream(&self, line: impl Line, by_header: bool, merged: &mut Merged) -> Result<(), Broken> {
        let place = merged.events.to_string();
        let (query, mut headers) = if by_header {
            (String::new(), vec![("last-event-id", place)])
        } else {
            (format!("after={place}&"), Vec::new())
        };
        headers.push(("accept", "text/event-stream".to_owned()));
        let mut asking = Asking::open(line).await?;
        let mut body = asking.get(self, &format!("{query}detail=1"), &headers).await?;
        let mut held: Vec<u8> = Vec::new();
        while let Some(piece) = body.frame().await {
            let Ok(data) = piece.map_err(|_| Broken)?.into_data() else {
                continue;
            };
            held.extend_from_slice(&data);
            while let Some(end) = held.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = held.drain(..end + 2).collect();
                let block = std::str::from_utf8(&block).unwrap();
                if let Some((head, data)) = block.split_once("data: ") {
                    merged.hear(&serde_json::from_str(data).unwrap());
                    assert_eq!(head, format!("id: {}\n", merged.events));
                }
            }
        }
        assert!(
            merged.complete && held.is_empty(),
            "the stream has ended before the completion"
        );
        Ok(())
    }

    async fn poll(&self, line: impl Line, random: &mut ChaCha8Rng, merged: &mut Merged) -> Result<(), Broken> {
        let mut asking = Asking::open(line).await?;
        loop {
            let limit = random.random_range(1..=PAGE_EVENTS);
            let wait = format!("wait={}", random.random_range(1..30));
            let query = format!("after={}&detail=1&limit={limit}", merged.events);
            let body = asking.get(self, &query, &[("prefer", wait)]).await?;
            let body = body.collect().await.map_err(|_| Broken)?.to_bytes();
            let page: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(page.get("gap"), None, "{page}");
            page["events"]
                .as_array()
                .unwrap()
                .iter()
                .for_each(|frame| merged.hear(frame));
            assert_eq!(page["next"], merged.events, "{page}");
            assert_eq!(page["complete"], merged.complete, "{page}");
            if merged.complete {
                return Ok(());
            }
        }
    }
}

/// HTTP on one line, which is closed with this value.
struct Asking {
    sender: http1::SendRequest<Empty<Bytes>>,
    _connection: AbortOnDropHandle<hyper::Result<()>>,
}

impl Asking {
    async fn open(line: impl Line) -> Result<Self, Broken> {
        let (sender, connection) = http1::handshake(TokioIo::new(line)).await.map_err(|_| Broken)?;
        Ok(Self {
            sender,
            _connection: AbortOnDropHandle::new(tokio::spawn(connection)),
        })
    }

    /// The body of the answer, which has to be a success.
    async fn get(&mut self, by: &CutReader, query: &str, headers: &[(&str, String)]) -> Result<Incoming, Broken> {
        let mut request = hyper::Request::get(format!("/api/v1/operations/{}/events?{query}", by.job))
            .header("host", by.server.to_string())
            .header("authorization", format!("Bearer {}", by.key));
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        self.sender.ready().await.map_err(|_| Broken)?;
        let answer = self.sender.send_request(request.body(Empty::new()).unwrap()).await;
        let answer = answer.map_err(|_| Broken)?;
        assert_eq!(answer.status(), 200, "refused: {answer:?}");
        Ok(answer.into_body())
    }
}
