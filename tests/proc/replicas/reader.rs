//! Who follows one job from its beginning to its end, over whichever server there is: a line that breaks, falls
//! silent or has lasted long enough is taken up again elsewhere, behind the last event that was heard.

use std::time::Duration;

use atg_models::JobId;
use bytes::Bytes;
use futures_util::StreamExt as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use reqwest::{RequestBuilder, Response};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::{AGAIN, http};

/// A line without a word for so long is given up; there need not be news, though.
const SILENCE: Duration = Duration::from_secs(5);
/// The longest that a reader stays with one server.
const STAY_MS: u64 = 8_000;

/// How a reader reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// `WebSocket`.
    Socket,
    /// Event stream.
    Stream,
    /// Pages that wait for news.
    Poll,
}

impl Way {
    pub(crate) fn of(number: usize) -> Self {
        [Self::Socket, Self::Stream, Self::Poll][number % 3]
    }
}

/// What a reader has heard.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) job: JobId,
    pub(crate) way: Way,
    pub(crate) frames: Vec<Value>,
    /// How often a line was opened, or tried to be.
    pub(crate) lines: u64,
    complete: bool,
}

/// The line is of no more use.
struct Broken;

impl From<reqwest::Error> for Broken {
    fn from(_: reqwest::Error) -> Self {
        Self
    }
}

/// Follows a job to its end.
pub(crate) async fn follow(url: String, key: String, job: JobId, way: Way, seed: u64) -> Heard {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut heard = Heard {
        job,
        way,
        frames: Vec::new(),
        lines: 0,
        complete: false,
    };
    while !heard.complete {
        heard.lines += 1;
        let stay = Duration::from_millis(random.random_range(STAY_MS / 4..STAY_MS));
        let listening = async {
            match way {
                Way::Socket => heard.socket(&url, &key).await,
                Way::Stream => heard.stream(&url, &key).await,
                Way::Poll => heard.poll(&url, &key).await,
            }
        };
        let listened = tokio::time::timeout(stay, listening).await;
        if !matches!(listened, Ok(Ok(()))) {
            tokio::time::sleep(AGAIN).await;
        }
    }
    heard
}

impl Heard {
    fn hear(&mut self, frame: Value) {
        let next = self.frames.len() + 1;
        assert_eq!(frame["seq"], next, "an event is missing or came twice: {frame}");
        assert!(!self.complete, "behind the completion: {frame}");
        self.complete = frame["type"] == "completion";
        self.frames.push(frame);
    }

    async fn socket(&mut self, url: &str, key: &str) -> Result<(), Broken> {
        let server = url.trim_start_matches("http://");
        let after = self.frames.len();
        let url = format!("ws://{server}/ws/progress/{}?after={after}&detail=1", self.job);
        let mut request = url.into_client_request().unwrap();
        let bearer = format!("Bearer {key}").parse().unwrap();
        request.headers_mut().insert("authorization", bearer);
        let line = TcpStream::connect(server).await.map_err(|_| Broken)?;
        let mut socket = match tokio_tungstenite::client_async(request, line).await {
            Ok((socket, _)) => socket,
            Err(Error::Http(refusal)) => {
                assert_eq!(refusal.status(), 503, "{refusal:?}");
                return Err(Broken);
            }
            Err(_) => return Err(Broken),
        };
        loop {
            let message = tokio::time::timeout(SILENCE, socket.next()).await.map_err(|_| Broken)?;
            match message {
                Some(Ok(Message::Text(text))) => self.hear(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(reason))) => {
                    let code = reason.map(|reason| u16::from(reason.code));
                    assert!(
                        code != Some(1000) || self.complete,
                        "{} was closed before its completion",
                        self.job
                    );
                    return Err(Broken);
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(Broken),
            }
        }
    }

    async fn stream(&mut self, url: &str, key: &str) -> Result<(), Broken> {
        let place = self.frames.len().to_string();
        let request = self.events(url, key, "detail=1");
        let request = request.timeout(Duration::from_millis(STAY_MS));
        let request = request
            .header("last-event-id", place)
            .header("accept", "text/event-stream");
        let Some(answer) = answered(request).await? else {
            return Err(Broken);
        };
        let mut pieces = answer.bytes_stream();
        let mut held: Vec<u8> = Vec::new();
        loop {
            let piece: Option<Result<Bytes, _>> =
                tokio::time::timeout(SILENCE, pieces.next()).await.map_err(|_| Broken)?;
            let Some(piece) = piece else {
                return Err(Broken);
            };
            held.extend_from_slice(&piece?);
            while let Some(end) = held.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = held.drain(..end + 2).collect();
                let block = std::str::from_utf8(&block).unwrap();
                if let Some((head, data)) = block.split_once("data: ") {
                    self.hear(serde_json::from_str(data).unwrap());
                    assert_eq!(head, format!("id: {}\n", self.frames.len()));
                }
            }
        }
    }

    async fn poll(&mut self, url: &str, key: &str) -> Result<(), Broken> {
        while !self.complete {
            let query = format!("after={}&detail=1&limit=50", self.frames.len());
            let request = self.events(url, key, &query).header("prefer", "wait=4");
            let Some(answer) = answered(request).await? else {
                return Err(Broken);
            };
            let page: Value = answer.json().await?;
            assert_eq!(page.get("gap"), None, "{page}");
            let events = page["events"].as_array().unwrap();
            for frame in events {
                self.hear(frame.clone());
            }
            assert_eq!(page["next"], self.frames.len(), "{page}");
            assert_eq!(page["complete"], self.complete, "{page}");
        }
        Ok(())
    }

    fn events(&self, url: &str, key: &str, query: &str) -> RequestBuilder {
        let url = format!("{url}/api/v1/operations/{}/events?{query}", self.job);
        http().get(url).bearer_auth(key)
    }
}

/// The answer, unless the server is about to leave or has no database.
async fn answered(request: RequestBuilder) -> Result<Option<Response>, Broken> {
    let answer = request.send().await?;
    if answer.status() == 503 {
        return Ok(None);
    }
    assert_eq!(answer.status(), 200, "{answer:?}");
    Ok(Some(answer))
}
