//! The log over a WebSocket.
//!
//! The handshake is a request like all others, by the same HTTP client: tungstenite's own would write the whole of
//! it, with the key, to whoever listens to its log.

use atg_models::api::EventFrame;
use atg_models::{JobId, Seq};
use futures_util::StreamExt as _;
use reqwest::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use reqwest::{Method, Response, StatusCode, Upgraded};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};

use super::Brought;
use crate::error::ClientError;
use crate::{Client, limits};

/// The version of RFC 6455.
const VERSION: &str = "13";

/// An open socket.
pub(super) struct Socket(WebSocketStream<Upgraded>);

impl Socket {
    pub(super) async fn open(client: &Client, job: JobId, after: Seq) -> Result<Self, ClientError> {
        // The handshake's state is large, and lives for a moment only.
        let handshake = Box::pin(shake_hands(client, job, after));
        let shaken = tokio::time::timeout(limits::CONNECT_TIMEOUT, handshake).await;
        let upgraded = shaken.map_err(|elapsed| client.cut(elapsed))??;
        Ok(Self(
            WebSocketStream::from_raw_socket(upgraded, Role::Client, None).await,
        ))
    }

    pub(super) async fn next(&mut self) -> Brought {
        match tokio::time::timeout(limits::STREAM_SILENCE, self.0.next()).await {
            Ok(Some(Ok(message))) => read(&message),
            // Broken, closed or silent.
            Ok(Some(Err(_)) | None) | Err(_) => Brought::Broken,
        }
    }
}

async fn shake_hands(client: &Client, job: JobId, after: Seq) -> Result<Upgraded, ClientError> {
    let mut url = client.url(&format!("ws/progress/{job}"))?;
    url.query_pairs_mut()
        .append_pair("after", &after.to_string())
        .append_pair("detail", "1");
    let nonce = generate_key();
    let request = client
        .patient_request(Method::GET, url, limits::CONNECT_TIMEOUT)
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_VERSION, VERSION)
        .header(SEC_WEBSOCKET_KEY, &nonce);
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) if error.is_connect() => return Err(client.unreachable(error)),
        // Whoever answers with something else than a handshake does not speak this way.
        Err(error) => return Err(client.cut(error)),
    };
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(client.refused_handshake(response).await);
    }
    check_accepted(&response, &nonce).map_err(|error| client.cut(SocketError::Protocol(error)))?;
    response.upgrade().await.map_err(|error| client.cut(error))
}

/// Whether who answers has read the handshake, and is no cache or echo.
fn check_accepted(response: &Response, nonce: &str) -> Result<(), ProtocolError> {
    let says = |name, expected: &str| {
        let value = response.headers().get(name).and_then(|value| value.to_str().ok());
        value.is_some_and(|value| value.eq_ignore_ascii_case(expected))
    };
    if !says(UPGRADE, "websocket") {
        return Err(ProtocolError::MissingUpgradeWebSocketHeader);
    }
    let accepted = response.headers().get(SEC_WEBSOCKET_ACCEPT);
    if accepted.is_none_or(|value| value.as_bytes() != derive_accept_key(nonce.as_bytes()).as_bytes()) {
        return Err(ProtocolError::SecWebSocketAcceptKeyMismatch);
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use atg_models::JobKind;
    use atg_models::api::{Frame, LogFrame};
    use atg_models::job::LogLevel;
    use futures_util::SinkExt as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tracing_subscriber::fmt::MakeWriter;

    use super::*;

    const KEY: &str = "atg_dev_00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    /// What was traced.
    #[derive(Clone, Default)]
    struct Traced(Arc<Mutex<Vec<u8>>>);

    impl Write for Traced {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Traced {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    /// A client of somebody who answers the first request so; `{accept}` stands for what its handshake asks for.
    async fn answered(answer: &'static str) -> Result<Socket, ClientError> {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let serve = async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(stream.read_u8().await.unwrap());
            }
            let request = String::from_utf8(request).unwrap();
            let header = |name: &str| {
                let lines = request.lines().filter_map(|line| line.split_once(": "));
                let mut values = lines.filter(|(known, _)| known.eq_ignore_ascii_case(name));
                values.next().map(|(_, value)| value.to_owned()).unwrap_or_default()
            };
            assert_eq!(header("authorization"), format!("Bearer {KEY}"));
            assert_eq!(header("sec-websocket-version"), VERSION);
            let accept = derive_accept_key(header("sec-websocket-key").as_bytes());
            let answer = answer.replace("{accept}", &accept);
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream
        };
        let client = Client::new(&base, Some(KEY.to_owned().into())).unwrap();
        let job = JobId::new(JobKind::Scan, uuid::Uuid::nil());
        let (mut stream, opened) = tokio::join!(serve, Socket::open(&client, job, Seq::ZERO));
        let mut opened = opened?;
        let mut server = WebSocketStream::from_raw_socket(&mut stream, Role::Server, None).await;
        let event = EventFrame {
            seq: Some(Seq::new(1)),
            frame: Frame::Log(LogFrame {
                job_id: job,
                level: LogLevel::Info,
                message: "hello".to_owned(),
                timestamp: time::OffsetDateTime::UNIX_EPOCH,
            }),
        };
        let event = Message::text(serde_json::to_string(&event).unwrap());
        server.send(event).await.unwrap();
        assert!(matches!(opened.next().await, Brought::Frames(frames) if frames.len() == 1));
        Ok(opened)
    }

    #[tokio::test]
    async fn a_socket_is_opened_and_nobody_who_traces_sees_the_key() {
        let traced = Traced::default();
        // Libraries that speak to the log crate are heard too.
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(traced.clone())
            .try_init()
            .unwrap();
        let switch = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
            Sec-WebSocket-Accept: {accept}\r\n\r\n";
        answered(switch).await.unwrap();
        let traced = String::from_utf8(traced.0.lock().unwrap().clone()).unwrap();
        assert!(
            traced.contains("received frame"),
            "nothing of the socket was traced: {traced}"
        );
        assert!(!traced.contains(KEY), "{traced}");
    }

    #[tokio::test]
    async fn an_answer_that_is_no_handshake_is_told_apart() {
        let echo = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
            Sec-WebSocket-Accept: bm90IHlvdXJz\r\n\r\n";
        let other = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\
            Sec-WebSocket-Accept: {accept}\r\n\r\n";
        for answer in [echo, other, "no HTTP at all\r\n\r\n"] {
            let error = answered(answer).await.err().unwrap();
            assert!(matches!(error, ClientError::Cut { .. }), "{answer}: {error:?}");
        }
        let page = answered("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>").await;
        assert!(matches!(page.err().unwrap(), ClientError::NotUnderstood { .. }));
        let draining = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\nContent-Length: 52\r\n\r\n\
            {\"error\":{\"code\":\"DRAINING\",\"message\":\"shuts down\"}}";
        let error = answered(draining).await.err().unwrap();
        assert_eq!(
            error.retry_after(),
            Some(std::time::Duration::from_secs(7)),
            "{error:?}"
        );
    }
}
