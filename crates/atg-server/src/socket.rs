//! One open progress socket: reads the job's log from its own position, and writes frames.
//!
//! A slow reader is not waited for: it is closed with a code that means “come back with your cursor”.

use actix_web::web;
use actix_ws::{AggregatedMessage, CloseCode, CloseReason, MessageStream, Session};
use atg_db::StoreError;
use atg_jobs::{EventReader, Item};
use atg_models::api::{EventFrame, FrameOptions};
use atg_models::{JobId, Seq, limits};
use futures_util::StreamExt as _;
use time::OffsetDateTime;

use crate::keys::StreamPass;
use crate::metrics::Metric;
use crate::state::AppState;

/// Too slow: resume with the cursor.
const TOO_SLOW: u16 = 4408;
/// How long one frame may wait for its reader.
const SEND_TIMEOUT: time::Duration = time::Duration::seconds(10);
/// How long the close frame may wait for its reader.
const CLOSE_TIMEOUT: time::Duration = time::Duration::seconds(2);
/// Retries of a store that does not answer, before the reader is sent away.
const STORE_RETRIES: u32 = 5;

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
}

/// Why a socket ends.
enum End {
    /// With this close code.
    Close(CloseCode, &'static str),
    /// The other side is gone.
    Gone,
}

impl Follower {
    /// Runs until the job's completion was sent, the reader went, its key ended, or the server drains.
    pub(crate) async fn run(self, pass: StreamPass, session: Session, incoming: MessageStream) {
        let _open = self.state.meters.held(Metric::SocketsOpen);
        let draining = self.state.draining.clone();
        let (mut sender, mut pinger) = (session.clone(), session.clone());
        let end = tokio::select! {
            end = self.follow(&mut sender) => end,
            end = self.listen(&mut pinger, incoming) => end,
            () = pass.ended() => End::Close(CloseCode::Policy, "the key was revoked or has expired"),
            () = draining.cancelled() => End::Close(CloseCode::Away, "the server is shutting down"),
        };
        if let End::Close(code, description) = end {
            let reason = CloseReason {
                code,
                description: Some(description.to_owned()),
            };
            let clock = &self.state.clock;
            // The reader may be gone by now, or so slow that not even this gets through.
            tokio::select! {
                _ = session.close(Some(reason)) => {}
                () = clock.sleep_until(clock.now() + CLOSE_TIMEOUT) => {}
            }
        }
    }

    async fn follow(&self, session: &mut Session) -> End {
        let after = match self.start(session).await {
            Ok(Some(after)) => after,
            Ok(None) => return End::Close(CloseCode::Normal, "the job has ended"),
            Err(end) => return end,
        };
        let mut reader = self.state.engine.reader(self.job, after);
        loop {
            match self.next(&mut reader).await {
                Ok(Some(item)) => {
                    if let Some(frame) = self.frame(&item)
                        && let Err(end) = self.send(session, &frame).await
                    {
                        return end;
                    }
                }
                Ok(None) => return End::Close(CloseCode::Normal, "the job has ended"),
                Err(end) => return end,
            }
        }
    }

    /// Sends what a stream without a cursor starts with. Answers where to follow from, `None` when
    /// the job has ended and all was said.
    async fn start(&self, session: &mut Session) -> Result<Option<Seq>, End> {
        if let Some(after) = self.after {
            return Ok(Some(after));
        }
        // The position first, the state after it: what happens in between is then in the log.
        let last = self
            .state
            .jobs
            .events(self.job, Seq::ZERO, 1)
            .await
            .map_err(|error| broken(&error))?
            .last;
        let job = self.state.jobs.get(self.job).await.map_err(|error| broken(&error))?;
        let Some(job) = job else {
            return Err(End::Close(CloseCode::Error, "the job is gone"));
        };
        self.send(session, &EventFrame::of_state(&job, self.options)).await?;
        let end = EventFrame::of_end(&job);
        for frame in &end {
            self.send(session, frame).await?;
        }
        Ok(end.is_empty().then_some(last))
    }

    async fn next(&self, reader: &mut EventReader) -> Result<Option<Item>, End> {
        let mut tries = 0;
        loop {
            match reader.next().await {
                Ok(item) => return Ok(item),
                Err(error) if error.is_retryable() && tries < STORE_RETRIES => {
                    tries += 1;
                    let clock = &self.state.clock;
                    clock.sleep_until(clock.now() + limits::REPLICA_POLL).await;
                }
                Err(error) => return Err(broken(&error)),
            }
        }
    }

    fn frame(&self, item: &Item) -> Option<EventFrame> {
        match item {
            Item::Event(event) => EventFrame::of(self.job, event, self.options),
            Item::Gap { from, to } => self
                .options
                .seq
                .then(|| EventFrame::gap(self.job, *from, *to, self.state.clock.now())),
        }
    }

    async fn send(&self, session: &mut Session, frame: &EventFrame) -> Result<(), End> {
        let text =
            serde_json::to_string(frame).map_err(|_| End::Close(CloseCode::Error, "a frame could not be written"))?;
        let clock = &self.state.clock;
        tokio::select! {
            sent = session.text(text) => sent.map_err(|_| End::Gone),
            () = clock.sleep_until(clock.now() + SEND_TIMEOUT) => {
                Err(End::Close(CloseCode::Other(TOO_SLOW), "too slow, resume with after"))
            }
        }
    }

    /// Pings, notices silence, and ignores what the reader says.
    async fn listen(&self, session: &mut Session, incoming: MessageStream) -> End {
        let mut incoming = incoming
            .max_frame_size(limits::SOCKET_INCOMING_MAX_BYTES)
            .aggregate_continuations()
            .max_continuation_size(limits::SOCKET_INCOMING_MAX_BYTES);
        let clock = &self.state.clock;
        let mut heard: OffsetDateTime = clock.now();
        let mut ping_at = heard + limits::SOCKET_PING;
        loop {
            tokio::select! {
                message = incoming.next() => match message {
                    None => return End::Gone,
                    Some(Err(_)) => return End::Close(CloseCode::Size, "a message is larger than 4 KiB"),
                    Some(Ok(AggregatedMessage::Close(_))) => return End::Close(CloseCode::Normal, ""),
                    Some(Ok(AggregatedMessage::Ping(bytes))) => {
                        heard = clock.now();
                        if session.pong(&bytes).await.is_err() {
                            return End::Gone;
                        }
                    }
                    Some(Ok(_)) => heard = clock.now(),
                },
                () = clock.sleep_until(ping_at) => {
                    if clock.now() - heard >= limits::SOCKET_IDLE {
                        return End::Close(CloseCode::Policy, "no answer to pings");
                    }
                    ping_at = clock.now() + limits::SOCKET_PING;
                    if session.ping(b"").await.is_err() {
                        return End::Gone;
                    }
                }
            }
        }
    }
}

fn broken(error: &StoreError) -> End {
    tracing::warn!(error = crate::error::chain(error), "a progress stream broke off");
    End::Close(CloseCode::Error, "the database is not available, resume with after")
}
