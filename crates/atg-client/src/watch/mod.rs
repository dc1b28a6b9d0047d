//! Follows a job's progress, and takes a broken stream up where it broke.
//!
//! There are three ways to the same log: a WebSocket, an event stream, a long poll. They share one cursor
//! here, so a reader notices nothing of a change between them. A way that does not get through, such as
//! a socket behind a proxy that does not upgrade, is left for the next one.

mod poll;
mod socket;
mod stream;
mod way;

use std::collections::VecDeque;
use std::time::Duration;

use atg_models::api::{EventFrame, Frame};
use atg_models::{JobId, Seq};

use crate::error::ClientError;
use crate::{Client, limits};

pub use way::{Fallback, Via};

/// A job's frames, in order, each once.
pub struct Watch {
    client: Client,
    job: JobId,
    after: Seq,
    via: Via,
    /// Whether another way may be tried.
    is_free: bool,
    reader: Option<Reader>,
    ready: VecDeque<Frame>,
    ended: bool,
    /// Connections in a row that brought no frame.
    fruitless: u32,
    /// Connections in a row that were answered, but brought no sign of life.
    mute: u32,
    fell_back: Option<Fallback>,
}

/// An open way to the log.
enum Reader {
    Socket(Box<socket::Socket>),
    Stream(stream::EventStream),
    Poll,
}

/// What a reader brings.
enum Brought {
    /// Frames, in order.
    Frames(Vec<EventFrame>),
    /// It lives, and has no news.
    Life,
    /// The log was read to its end.
    End,
    /// The connection is of no more use.
    Broken,
}

impl Watch {
    pub(crate) fn new(client: Client, job: JobId) -> Self {
        Self {
            client,
            job,
            after: Seq::ZERO,
            via: Via::Socket,
            is_free: true,
            reader: None,
            ready: VecDeque::new(),
            ended: false,
            fruitless: 0,
            mute: 0,
            fell_back: None,
        }
    }

    /// Starts behind a sequence that was seen already.
    #[must_use]
    pub fn after(mut self, seq: Seq) -> Self {
        self.after = seq;
        self
    }

    /// Reads this way and no other.
    #[must_use]
    pub fn via(mut self, via: Via) -> Self {
        self.via = via;
        self.is_free = false;
        self
    }

    /// The sequence to come back with.
    pub fn cursor(&self) -> Seq {
        self.after
    }

    /// The change to another way, once after it happened.
    pub fn fell_back(&mut self) -> Option<Fallback> {
        self.fell_back.take()
    }

    /// The next frame, waiting for it; `None` after the completion.
    ///
    /// # Errors
    /// When the server refuses the stream, or could not be reached again within the bounds.
    pub async fn next(&mut self) -> Result<Option<Frame>, ClientError> {
        loop {
            if let Some(frame) = self.ready.pop_front() {
                self.ended = matches!(frame, Frame::Completion(_));
                return Ok(Some(frame));
            }
            if self.ended {
                return Ok(None);
            }
            match self.bring().await {
                Ok(Brought::Frames(frames)) => {
                    (self.fruitless, self.mute) = (0, 0);
                    for EventFrame { seq, frame } in frames {
                        self.accept(seq, frame);
                    }
                }
                Ok(Brought::Life) => self.mute = 0,
                Ok(Brought::End) => self.ended = true,
                Ok(Brought::Broken) => {
                    self.mute += 1;
                    let broken = self.client.cut(std::io::Error::from(std::io::ErrorKind::UnexpectedEof));
                    self.come_back(broken).await?;
                }
                Err(error) => {
                    self.mute += u32::from(way::was_answered(&error));
                    self.come_back(error).await?;
                }
            }
        }
    }

    async fn bring(&mut self) -> Result<Brought, ClientError> {
        let mut reader = match self.reader.take() {
            Some(reader) => reader,
            None => self.open().await?,
        };
        let brought = match &mut reader {
            Reader::Socket(socket) => socket.next().await,
            Reader::Stream(stream) => stream.next().await,
            Reader::Poll => poll::next(&self.client, self.job, self.after).await?,
        };
        match brought {
            Brought::Frames(_) | Brought::Life => self.reader = Some(reader),
            Brought::End | Brought::Broken => {}
        }
        Ok(brought)
    }

    async fn open(&self) -> Result<Reader, ClientError> {
        match self.via {
            Via::Socket => socket::Socket::open(&self.client, self.job, self.after)
                .await
                .map(|socket| Reader::Socket(Box::new(socket))),
            Via::Stream => stream::EventStream::open(&self.client, self.job, self.after)
                .await
                .map(Reader::Stream),
            Via::Poll => Ok(Reader::Poll),
        }
    }

    /// Waits before the log is taken up again from the cursor, by the next way when this one does not get through.
    async fn come_back(&mut self, error: ClientError) -> Result<(), ClientError> {
        if self.is_free
            && let Some(next) = way::after(self.via, &error, self.mute)
        {
            self.fell_back = Some(Fallback {
                from: self.via,
                to: next,
                why: error.to_string(),
            });
            (self.via, self.mute) = (next, 0);
            return Ok(());
        }
        if !error.is_retryable() || self.fruitless >= limits::RESUMES {
            return Err(error);
        }
        let doubled = limits::RESUME_WAIT * 2_u32.saturating_pow(self.fruitless.min(10));
        self.fruitless += 1;
        let asked = error.retry_after().unwrap_or(Duration::ZERO);
        tokio::time::sleep(doubled.max(asked).min(limits::RESUME_WAIT_MAX)).await;
        Ok(())
    }

    fn accept(&mut self, seq: Option<Seq>, frame: Frame) {
        match (&frame, seq) {
            (Frame::Gap(gap), _) => self.after = self.after.max(gap.to),
            // Seen before the connection broke.
            (_, Some(seq)) if seq <= self.after => return,
            (_, Some(seq)) => self.after = seq,
            (_, None) => {}
        }
        self.ready.push_back(frame);
    }
}
