//! Follows a job's progress over a WebSocket, and takes a broken one up where it broke.

use std::collections::VecDeque;

use atg_models::api::{EventFrame, Frame};
use atg_models::{JobId, Seq};
use futures_util::StreamExt as _;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::AUTHORIZATION;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::error::ClientError;
use crate::{Client, limits};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A job's frames, in order, each once.
pub struct Watch {
    client: Client,
    job: JobId,
    after: Seq,
    socket: Option<Socket>,
    ready: VecDeque<Frame>,
    ended: bool,
    /// Connections in a row that brought no frame.
    fruitless: u32,
}

impl Watch {
    pub(crate) fn new(client: Client, job: JobId) -> Self {
        Self {
            client,
            job,
            after: Seq::ZERO,
            socket: None,
            ready: VecDeque::new(),
            ended: false,
            fruitless: 0,
        }
    }

    /// Starts behind a sequence that was seen already.
    #[must_use]
    pub fn after(mut self, seq: Seq) -> Self {
        self.after = seq;
        self
    }

    /// The sequence to come back with.
    pub fn cursor(&self) -> Seq {
        self.after
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
            let mut socket = match self.socket.take() {
                Some(socket) => socket,
                None => match self.connect().await {
                    Ok(socket) => socket,
                    Err(error) if error.is_retryable() && self.fruitless < limits::RESUMES => {
                        self.pause().await;
                        continue;
                    }
                    Err(error) => return Err(error),
                },
            };
            if let Ok(Some(Ok(message))) = tokio::time::timeout(limits::STREAM_SILENCE, socket.next()).await {
                if self.take(message) {
                    self.socket = Some(socket);
                }
                continue;
            }
            // Broken, closed or silent: taken up again from the cursor.
            if self.fruitless >= limits::RESUMES {
                return Err(self.client.unreachable(SocketError::ConnectionClosed));
            }
            self.pause().await;
        }
    }

    /// Takes a message; answers whether the socket is still of use.
    fn take(&mut self, message: Message) -> bool {
        match message {
            Message::Text(text) => {
                if let Ok(EventFrame { seq, frame }) = serde_json::from_str::<EventFrame>(&text) {
                    self.fruitless = 0;
                    self.accept(seq, frame);
                }
                true
            }
            Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_) => true,
            Message::Close(reason) => {
                // 1000 behind a log that was read to its end: the job ended before the cursor.
                if reason.is_some_and(|reason| u16::from(reason.code) == 1000) && self.ready.is_empty() {
                    self.ended = true;
                }
                false
            }
        }
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

    async fn connect(&mut self) -> Result<Socket, ClientError> {
        let mut url = self.client.url(&format!("ws/progress/{}", self.job))?;
        let scheme = if url.scheme() == "https" { "wss" } else { "ws" };
        // Both are special schemes, so the change is always allowed.
        let _ = url.set_scheme(scheme);
        url.query_pairs_mut()
            .append_pair("after", &self.after.to_string())
            .append_pair("detail", "1");
        let mut request = url
            .as_str()
            .into_client_request()
            .map_err(|error| self.client.unreachable(error))?;
        if let Some(key) = self.client.key() {
            let value = HeaderValue::from_str(&format!("Bearer {key}"));
            let mut value =
                value.map_err(|_| ClientError::Settings("the API key has characters that no key has".to_owned()))?;
            value.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        // The handshake's state is large, and lives for a moment only.
        let handshake = Box::pin(connect_async(request));
        match tokio::time::timeout(limits::CONNECT_TIMEOUT, handshake).await {
            Ok(Ok((socket, _))) => Ok(socket),
            Ok(Err(SocketError::Http(response))) => Err(self
                .client
                .refused_handshake(response.status().as_u16(), response.body().as_deref())),
            Ok(Err(error)) => Err(self.client.unreachable(error)),
            Err(elapsed) => Err(self.client.unreachable(elapsed)),
        }
    }

    async fn pause(&mut self) {
        let doubled = limits::RESUME_WAIT * 2_u32.saturating_pow(self.fruitless.min(10));
        self.fruitless += 1;
        tokio::time::sleep(doubled.min(limits::RESUME_WAIT_MAX)).await;
    }
}
