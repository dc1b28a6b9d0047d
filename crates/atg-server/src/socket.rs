//! One open progress socket: reads the job's log from its own position, and writes frames.
//!
//! The connection pulls: it asks for the next frame when it has room for it, so nothing waits in
//! memory for a reader but its place in the log. A slow reader is not waited for: it is closed with a
//! code that means “come back with your cursor”. One that takes nothing at all is cut off by the
//! system ([`limits::STALLED_CONNECTION`]).

use std::convert::Infallible;
use std::sync::Arc;

use actix_http::ws::{CloseCode, CloseReason, Codec, Frame, Item as Part, Message};
use actix_web::web;
use actix_web::web::{Bytes, BytesMut};
use atg_db::StoreError;
use atg_jobs::{EventReader, Item};
use atg_models::api::{EventFrame, FrameOptions};
use atg_models::job::JobRecord;
use atg_models::{JobId, Seq, limits};
use futures_util::future::LocalBoxFuture;
use futures_util::{Stream, StreamExt as _};
use time::OffsetDateTime;
use tokio_util::codec::{Decoder as _, Encoder as _};
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::keys::StreamPass;
use crate::metrics::{Held, Metric};
use crate::state::AppState;
use crate::streams::Seat;

/// Too slow: resume with the cursor.
const TOO_SLOW: u16 = 4408;
/// How long one frame may wait for its reader.
pub(crate) const SEND_TIMEOUT: time::Duration = time::Duration::seconds(10);
/// Retries of a store that does not answer, before the reader is sent away.
pub(crate) const STORE_RETRIES: u32 = 5;

/// What one socket follows.
pub(crate) struct Follower {
    /// The server.
    pub(crate) state: web::Data<AppState>,
    /// The job.
    pub(crate) job: JobId,
    /// Where the reader resumes; `None` starts with the present state.
    pub(crate) after: Option<Seq>,
    /// What frames carry.
    pub(crate) options: FrameOptions,
    /// The key's place.
    pub(crate) seat: Seat,
}

/// Why a socket ends.
enum End {
    /// With this close code.
    Close(CloseCode, &'static str),
    /// The other side is gone.
    Gone,
}

const ENDED: End = End::Close(CloseCode::Normal, "the job has ended");

impl Follower {
    /// The bytes of the frames, until the job's completion was sent, the reader went, its key ended, or
    /// the server drains. Shutdown waits for it.
    pub(crate) fn run(
        self,
        pass: StreamPass,
        incoming: web::Payload,
    ) -> impl Stream<Item = Result<Bytes, Infallible>> + 'static {
        let now = self.state.clock.now();
        let socket = Socket {
            stage: Stage::Start(self.after),
            pending: Vec::new(),
            key_ended: Box::pin(pass.ended()),
            incoming: Incoming::new(incoming),
            codec: Codec::new(),
            heard_at: now,
            sent_at: now,
            ping_at: now + limits::SOCKET_PING,
            failures: 0,
            _held: (
                self.seat,
                self.state.tasks.token(),
                self.state.meters.held(Metric::SocketsOpen),
            ),
            state: self.state,
            job: self.job,
            options: self.options,
        };
        futures_util::stream::unfold(Some(socket), |socket| async move {
            let mut socket = socket?;
            match socket.message().await {
                Ok(message) => {
                    let bytes = socket.encode(message)?;
                    socket.sent_at = socket.state.clock.now();
                    Some((Ok(bytes), Some(socket)))
                }
                Err(End::Gone) => None,
                Err(End::Close(code, description)) => {
                    let reason = CloseReason {
                        code,
                        description: Some(description.to_owned()),
                    };
                    let bytes = socket.encode(Message::Close(Some(reason)))?;
                    Some((Ok(bytes), None))
                }
            }
        })
    }
}

struct Socket {
    state: web::Data<AppState>,
    job: JobId,
    options: FrameOptions,
    stage: Stage,
    /// Frames to be sent before the log is read on, the last first.
    pending: Vec<Bytes>,
    incoming: Incoming,
    key_ended: LocalBoxFuture<'static, ()>,
    codec: Codec,
    /// When the reader last gave a sign of life.
    heard_at: OffsetDateTime,
    /// When the last frame was handed to the connection.
    sent_at: OffsetDateTime,
    ping_at: OffsetDateTime,
    /// Of the store, in a row.
    failures: u32,
    /// The key's place, what shutdown waits for, and what is counted as open.
    _held: (Seat, TaskTrackerToken, Held),
}

/// How far a socket is.
enum Stage {
    /// Nothing was read yet.
    Start(Option<Seq>),
    /// The log is followed.
    Follow(Box<EventReader>),
    /// All was said.
    Over,
}

/// What happens next at a socket.
enum Next {
    Draining,
    KeyEnded,
    Heard(Heard),
    Read(Result<Option<Bytes>, StoreError>),
    PingDue,
}

impl Socket {
    /// The next message for the reader, or why there is none.
    async fn message(&mut self) -> Result<Message, End> {
        let clock = Arc::clone(&self.state.clock);
        // The connection asks for the next frame as soon as it has room for one.
        if clock.now() - self.sent_at > SEND_TIMEOUT {
            return Err(End::Close(CloseCode::Other(TOO_SLOW), "too slow, resume with after"));
        }
        loop {
            let state = self.state.clone();
            let next = tokio::select! {
                biased;
                () = state.draining.cancelled() => Next::Draining,
                () = &mut self.key_ended => Next::KeyEnded,
                heard = self.incoming.heard() => Next::Heard(heard),
                read = read(&state, self.job, self.options, &mut self.stage, &mut self.pending) => Next::Read(read),
                () = clock.sleep_until(self.ping_at) => Next::PingDue,
            };
            match next {
                Next::Draining => return Err(End::Close(CloseCode::Away, "the server is shutting down")),
                Next::KeyEnded => {
                    return Err(End::Close(CloseCode::Policy, "the key was revoked or has expired"));
                }
                Next::Heard(heard) => {
                    self.heard_at = clock.now();
                    match heard {
                        Heard::Nothing => {}
                        Heard::Ping(bytes) => return Ok(Message::Pong(bytes)),
                        Heard::Close => return Err(End::Close(CloseCode::Normal, "")),
                        Heard::TooMuch => return Err(End::Close(CloseCode::Size, "a message is larger than 4 KiB")),
                        Heard::Gone => return Err(End::Gone),
                    }
                }
                Next::Read(Ok(Some(text))) => {
                    self.failures = 0;
                    let text = text.try_into().map_err(|_| broken_frame())?;
                    return Ok(Message::Text(text));
                }
                Next::Read(Ok(None)) => return Err(ENDED),
                Next::Read(Err(error)) => self.store_failed(&error).await?,
                Next::PingDue => {
                    if clock.now() - self.heard_at >= limits::SOCKET_IDLE {
                        return Err(End::Close(CloseCode::Policy, "no answer to pings"));
                    }
                    self.ping_at = clock.now() + limits::SOCKET_PING;
                    return Ok(Message::Ping(Bytes::new()));
                }
            }
        }
    }

    async fn store_failed(&mut self, error: &StoreError) -> Result<(), End> {
        self.failures = self.failures.saturating_add(1);
        if !error.is_retryable() || self.failures > STORE_RETRIES {
            tracing::warn!(error = crate::error::chain(error), "a progress stream broke off");
            let why = "the database is not available, resume with after";
            return Err(End::Close(CloseCode::Error, why));
        }
        let clock = &self.state.clock;
        clock.sleep_until(clock.now() + limits::REPLICA_POLL).await;
        Ok(())
    }

    fn encode(&mut self, message: Message) -> Option<Bytes> {
        let mut bytes = BytesMut::new();
        self.codec.encode(message, &mut bytes).ok()?;
        Some(bytes.freeze())
    }
}

fn broken_frame() -> End {
    End::Close(CloseCode::Error, "a frame could not be written")
}

/// The text of the next frame, `None` when all was said. Dropping the future loses nothing.
async fn read(
    state: &AppState,
    job: JobId,
    options: FrameOptions,
    stage: &mut Stage,
    pending: &mut Vec<Bytes>,
) -> Result<Option<Bytes>, StoreError> {
    loop {
        if let Some(text) = pending.pop() {
            return Ok(Some(text));
        }
        match stage {
            Stage::Over => return Ok(None),
            Stage::Start(Some(after)) => {
                let reader = state.engine.reader(job, *after);
                *stage = Stage::Follow(Box::new(reader));
            }
            Stage::Start(None) => {
                // The position first, the state after it: what happens in between is then in the log.
                let last = state.jobs.events(job, Seq::ZERO, 1).await?.last;
                let record = state.jobs.get(job).await?;
                let record = record.ok_or(StoreError::NotFound { what: "job" })?;
                *pending = texts_of_state(&record, options);
                *stage = if record.machine.state.is_terminal() {
                    Stage::Over
                } else {
                    Stage::Follow(Box::new(state.engine.reader(job, last)))
                };
            }
            Stage::Follow(reader) => match reader.next().await? {
                None => *stage = Stage::Over,
                Some(Item::Event(event)) => pending.extend(event.text(options)),
                Some(Item::Gap { from, to }) if options.seq => {
                    pending.extend(text(&EventFrame::gap(job, from, to, state.clock.now())));
                }
                Some(Item::Gap { .. }) => {}
            },
        }
    }
}

/// What a stream without a cursor starts with, the last first: the present state, and the end where there is one.
fn texts_of_state(job: &JobRecord, options: FrameOptions) -> Vec<Bytes> {
    let state = EventFrame::of_state(job, options);
    let frames = std::iter::once(state).chain(EventFrame::of_end(job));
    let mut texts: Vec<Bytes> = frames.filter_map(|frame| text(&frame)).collect();
    texts.reverse();
    texts
}

fn text(frame: &EventFrame) -> Option<Bytes> {
    serde_json::to_vec(frame).ok().map(Bytes::from)
}

/// What the reader says.
enum Heard {
    /// A sign of life.
    Nothing,
    Ping(Bytes),
    Close,
    TooMuch,
    Gone,
}

/// Listens to the reader, and keeps nothing of what it says.
struct Incoming {
    payload: web::Payload,
    codec: Codec,
    buffer: BytesMut,
    /// Of a message that comes in parts.
    message_bytes: usize,
}

impl Incoming {
    fn new(payload: web::Payload) -> Self {
        Self {
            payload,
            codec: Codec::new().max_size(limits::SOCKET_INCOMING_MAX_BYTES),
            buffer: BytesMut::new(),
            message_bytes: 0,
        }
    }

    /// The next thing that it says. Dropping the future loses nothing.
    async fn heard(&mut self) -> Heard {
        loop {
            match self.codec.decode(&mut self.buffer) {
                Ok(Some(frame)) => return self.judge(frame),
                Ok(None) => {}
                Err(_) => return Heard::TooMuch,
            }
            match self.payload.next().await {
                Some(Ok(bytes)) => self.buffer.extend_from_slice(&bytes),
                Some(Err(_)) | None => return Heard::Gone,
            }
        }
    }

    fn judge(&mut self, frame: Frame) -> Heard {
        // The buffer is given back once it is empty: a reader that says nothing holds none.
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        }
        match frame {
            Frame::Ping(bytes) => Heard::Ping(bytes),
            Frame::Close(_) => Heard::Close,
            Frame::Continuation(Part::FirstText(bytes) | Part::FirstBinary(bytes)) => {
                self.message_bytes = bytes.len();
                Heard::Nothing
            }
            Frame::Continuation(Part::Continue(bytes) | Part::Last(bytes)) => {
                self.message_bytes = self.message_bytes.saturating_add(bytes.len());
                if self.message_bytes > limits::SOCKET_INCOMING_MAX_BYTES {
                    Heard::TooMuch
                } else {
                    Heard::Nothing
                }
            }
            Frame::Text(_) | Frame::Binary(_) | Frame::Pong(_) => Heard::Nothing,
        }
    }
}
