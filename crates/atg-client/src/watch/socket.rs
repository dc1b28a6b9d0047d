//! The log over a WebSocket.

use atg_models::api::EventFrame;
use atg_models::{JobId, Seq};
use futures_util::StreamExt as _;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::AUTHORIZATION;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::Brought;
use crate::error::ClientError;
use crate::{Client, limits};

/// An open socket.
pub(super) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub(super) async fn open(client: &Client, job: JobId, after: Seq) -> Result<Self, ClientError> {
        let mut url = client.url(&format!("ws/progress/{job}"))?;
        let scheme = if url.scheme() == "https" { "wss" } else { "ws" };
        // Both are special schemes, so the change is always allowed.
        let _ = url.set_scheme(scheme);
        url.query_pairs_mut()
            .append_pair("after", &after.to_string())
            .append_pair("detail", "1");
        let mut request = url
            .as_str()
            .into_client_request()
            .map_err(|error| client.unreachable(error))?;
        if let Some(key) = client.key() {
            let value = HeaderValue::from_str(&format!("Bearer {key}"));
            let mut value =
                value.map_err(|_| ClientError::Settings("the API key has characters that no key has".to_owned()))?;
            value.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        // The handshake's state is large, and lives for a moment only.
        let handshake = Box::pin(connect_async(request));
        match tokio::time::timeout(limits::CONNECT_TIMEOUT, handshake).await {
            Ok(Ok((socket, _))) => Ok(Self(socket)),
            Ok(Err(SocketError::Http(response))) => {
                Err(client.refused_handshake(response.status().as_u16(), response.body().as_deref()))
            }
            // Whoever answers with something else than a handshake does not speak this way.
            Ok(Err(error @ SocketError::Protocol(_))) => Err(client.cut(error)),
            Ok(Err(error)) => Err(client.unreachable(error)),
            Err(elapsed) => Err(client.cut(elapsed)),
        }
    }

    pub(super) async fn next(&mut self) -> Brought {
        match tokio::time::timeout(limits::STREAM_SILENCE, self.0.next()).await {
            Ok(Some(Ok(message))) => read(&message),
            // Broken, closed or silent.
            Ok(Some(Err(_)) | None) | Err(_) => Brought::Broken,
        }
    }
}

fn read(message: &Message) -> Brought {
    match message {
        // A frame that a newer server has is left out.
        Message::Text(text) => {
            serde_json::from_str::<EventFrame>(text).map_or(Brought::Life, |frame| Brought::Frames(vec![frame]))
        }
        Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_) => Brought::Life,
        // 1000 behind a log that was read to its end: the job ended before the cursor.
        Message::Close(Some(reason)) if u16::from(reason.code) == 1000 => Brought::End,
        Message::Close(_) => Brought::Broken,
    }
}
