//! The log as an event stream (`text/event-stream`).

use std::pin::Pin;

use atg_models::api::EventFrame;
use atg_models::{JobId, Seq};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Method, StatusCode};

use super::Brought;
use crate::error::ClientError;
use crate::{Client, limits};

const EVENT_STREAM: &str = "text/event-stream";

/// An open stream; without one the server said that nothing more will come.
pub(super) struct EventStream {
    pieces: Option<Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>>,
    parser: Parser,
    /// Whether a piece has come: a proxy that collects the answer first lets none through.
    has_begun: bool,
}

impl EventStream {
    pub(super) async fn open(client: &Client, job: JobId, after: Seq) -> Result<Self, ClientError> {
        let url = client.url(&format!("api/v1/operations/{job}/events?detail=1"))?;
        let request = client
            .request(Method::GET, url)
            .header(ACCEPT, EVENT_STREAM)
            .header("last-event-id", after.to_string());
        let asked = tokio::time::timeout(limits::CONNECT_TIMEOUT, client.send(request)).await;
        let response = asked.map_err(|elapsed| client.cut(elapsed))??;
        let is_stream = response
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|kind| kind.starts_with(EVENT_STREAM));
        let pieces = match response.status() {
            StatusCode::NO_CONTENT => None,
            _ if is_stream => Some(response.bytes_stream().boxed()),
            _ => {
                return Err(ClientError::NotUnderstood {
                    url: response.url().to_string(),
                    problem: "it is no event stream".to_owned(),
                });
            }
        };
        Ok(Self {
            pieces,
            parser: Parser::default(),
            has_begun: false,
        })
    }

    pub(super) async fn next(&mut self) -> Brought {
        let Some(pieces) = &mut self.pieces else {
            return Brought::End;
        };
        // The server's first piece comes at once.
        let patience = if self.has_begun {
            limits::STREAM_SILENCE
        } else {
            limits::CONNECT_TIMEOUT
        };
        let Ok(Some(Ok(piece))) = tokio::time::timeout(patience, pieces.next()).await else {
            return Brought::Broken;
        };
        self.has_begun = true;
        match self.parser.push(&piece) {
            Ok(texts) if texts.is_empty() => Brought::Life,
            Ok(texts) => {
                let frames = texts.iter().filter_map(|text| serde_json::from_slice(text).ok());
                Brought::Frames(frames.collect::<Vec<EventFrame>>())
            }
            Err(TooLong) => Brought::Broken,
        }
    }
}

/// An event beyond the bound.
#[derive(Debug, PartialEq, Eq)]
struct TooLong;

/// Takes an event stream apart, wherever its pieces are cut.
#[derive(Default)]
struct Parser {
    line: Vec<u8>,
    data: Vec<u8>,
}

impl Parser {
    /// The data of the events that end in this piece.
    fn push(&mut self, piece: &[u8]) -> Result<Vec<Vec<u8>>, TooLong> {
        let mut events = Vec::new();
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if self.line.len().saturating_add(self.data.len()) > limits::EVENT_MAX_BYTES {
                return Err(TooLong);
            }
            if part.ends_with(b"\n") {
                let line = std::mem::take(&mut self.line);
                events.extend(self.take(line.trim_ascii_end()));
            }
        }
        Ok(events)
    }

    /// Takes a line; an empty one ends an event. Names and ids stand in the data as well.
    fn take(&mut self, line: &[u8]) -> Option<Vec<u8>> {
        if line.is_empty() {
            return Some(std::mem::take(&mut self.data)).filter(|data| !data.is_empty());
        }
        if let Some(data) = line.strip_prefix(b"data:") {
            if !self.data.is_empty() {
                self.data.push(b'\n');
            }
            self.data.extend_from_slice(data.trim_ascii_start());
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_the_same_wherever_the_pieces_are_cut() {
        let stream = ": keep-alive\n\nid: 1\ndata: {\"a\": \"ü\"}\n\nevent: gap\r\nid: 2\r\ndata: one\r\ndata:two\r\n\r\nid: 3\n\n";
        let expected = ["{\"a\": \"ü\"}".as_bytes().to_vec(), b"one\ntwo".to_vec()];
        for at in 0..=stream.len() {
            let (first, second) = stream.as_bytes().split_at(at);
            let mut parser = Parser::default();
            let mut events = parser.push(first).unwrap();
            events.extend(parser.push(second).unwrap());
            assert_eq!(events, expected, "cut at {at}");
        }
    }

    #[test]
    fn an_event_without_end_is_broken_off() {
        let mut parser = Parser::default();
        let piece = vec![b'x'; limits::EVENT_MAX_BYTES];
        assert_eq!(parser.push(&piece), Ok(Vec::new()));
        assert_eq!(parser.push(b"x"), Err(TooLong));
    }
}
