//! A progress socket as a client has it.

use futures_util::StreamExt as _;
use serde_json::Value;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::DEADLINE;

/// An open one.
pub type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

/// Opens one with this key in the header, or what the refusal says.
pub async fn open_socket(server: &str, path: &str, key: Option<&str>) -> Result<Socket, (u16, Value)> {
    let url = format!("{}{path}", server.replacen("http", "ws", 1));
    let mut request = url.into_client_request().unwrap();
    if let Some(key) = key {
        let value = format!("Bearer {key}").parse().unwrap();
        request.headers_mut().insert("authorization", value);
    }
    match connect_async(request).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(response)) => {
            let body = response.body().as_deref().unwrap_or_default();
            Err((response.status().as_u16(), serde_json::from_slice(body).unwrap()))
        }
        Err(other) => panic!("{other}"),
    }
}

/// Its frames until the server closes it, and the code of that.
pub async fn read_to_close(socket: &mut Socket) -> (Vec<Value>, u16) {
    let mut frames = Vec::new();
    loop {
        let message = tokio::time::timeout(DEADLINE, socket.next()).await;
        match message
            .expect("a frame in time")
            .expect("a close before the end")
            .unwrap()
        {
            Message::Text(text) => frames.push(serde_json::from_str(&text).unwrap()),
            Message::Close(reason) => return (frames, reason.unwrap().code.into()),
            Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_) => {}
        }
    }
}
