//! What passes over one connection: each answer is put to its request, judged and recorded.

use std::collections::VecDeque;
use std::sync::Arc;

use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::Value;

use super::Seen;
use super::frames::{SocketFrames, StreamFrames};
use super::wire::{Framing, Piece, Start, Wire};
use crate::judge::{Answer, JUDGE};
use crate::record;

/// Where tickets are handed out.
const TICKETS: &str = "/api/v1/ws-tickets";
/// What the parser may answer before there is a request.
const OF_THE_PARSER: [u16; 3] = [400, 408, 431];

/// A request that waits for its answer.
struct Asked {
    method: Method,
    path: String,
    /// What it came with that opens something.
    keys: Vec<String>,
}

/// An answer that is on its way.
struct Answering {
    asked: Asked,
    status: u16,
    headers: HeaderMap,
    kind: Kind,
    /// What is judged at its end.
    body: Vec<u8>,
}

enum Kind {
    Json,
    EventStream(StreamFrames),
    Socket(SocketFrames),
    /// Pages, files, and what has no body: judged by status and headers.
    Other,
}

/// One connection.
pub(super) struct Exchange {
    requests: Wire,
    answers: Wire,
    waiting: VecDeque<Asked>,
    now: Option<Answering>,
    seen: Arc<Seen>,
    text: record::Text,
}

impl Exchange {
    pub(super) fn new(seen: Arc<Seen>) -> Self {
        Self {
            requests: Wire::new(true),
            answers: Wire::new(false),
            waiting: VecDeque::new(),
            now: None,
            seen,
            text: record::Text::default(),
        }
    }

    /// Takes what the caller sends.
    pub(super) fn sent(&mut self, bytes: &[u8]) {
        self.requests.push(bytes);
        while let Some(piece) = self.requests.piece() {
            if let Piece::Head(Start::Request(method, target), headers) = piece {
                self.requests.body(Framing::of(&headers, Framing::Sized(0)));
                self.waiting.push_back(Asked::of(method, &target, &headers));
            }
        }
    }

    /// Takes what the server answers.
    pub(super) fn answered(&mut self, bytes: &[u8]) {
        self.answers.push(bytes);
        while let Some(piece) = self.answers.piece() {
            match piece {
                Piece::Head(Start::Answer(status), headers) => self.head(status, headers),
                Piece::Head(Start::Request(..), _) => unreachable!("this side reads answers"),
                Piece::Body(bytes) => self.body(&bytes),
                Piece::Raw(bytes) => self.raw(&bytes),
                Piece::End => self.end(),
            }
        }
    }

    /// The server has ended the connection.
    pub(super) fn ended(&mut self) {
        if self.answers.ends_with_connection() {
            self.end();
        }
    }

    fn head(&mut self, status: u16, headers: HeaderMap) {
        if (100..200).contains(&status) && status != 101 {
            // The answer is still to come.
            self.answers.body(Framing::Sized(0));
            return;
        }
        let Some(asked) = self.waiting.pop_front() else {
            self.unasked(status, &headers);
            return;
        };
        let bodiless = asked.method == Method::HEAD || [204, 304].contains(&status);
        let framing = match status {
            101 => Framing::Upgraded,
            _ if bodiless => Framing::Sized(0),
            _ => Framing::of(&headers, Framing::ToTheEnd),
        };
        if status == 101 {
            self.requests.body(Framing::Upgraded);
        }
        self.answers.body(framing);
        asked.opens(status);
        self.text.start(&asked.method, &asked.path, status, &headers);
        let kind = if bodiless {
            Kind::Other
        } else {
            kind(&asked, status, &headers)
        };
        let answering = Answering {
            kind,
            asked,
            status,
            headers,
            body: Vec::new(),
        };
        if !matches!(answering.kind, Kind::Json) {
            self.seen.judge(&answering.answer(None));
        }
        self.now = Some(answering);
    }

    /// Only what the parser refuses has no request, and then nothing is said but the status.
    fn unasked(&mut self, status: u16, headers: &HeaderMap) {
        let framing = Framing::of(headers, Framing::ToTheEnd);
        self.answers.body(framing);
        if OF_THE_PARSER.contains(&status) && framing == Framing::Sized(0) {
            self.seen
                .count("refused by the parser, judged to have no body", &status.to_string());
        } else {
            self.seen.problem(format!("{status} {headers:?} answers no request"));
        }
    }

    fn body(&mut self, bytes: &[u8]) {
        let Some(now) = &mut self.now else {
            return;
        };
        match &mut now.kind {
            Kind::Json => now.body.extend_from_slice(bytes),
            Kind::EventStream(frames) => {
                for frame in frames.push(bytes) {
                    self.seen.judge_frame(&frame);
                }
            }
            Kind::Socket(_) | Kind::Other => {}
        }
        if !now.hands_out() {
            self.text.add(bytes);
        }
    }

    fn raw(&mut self, bytes: &[u8]) {
        self.text.add(bytes);
        if let Some(Answering {
            kind: Kind::Socket(frames),
            ..
        }) = &mut self.now
        {
            for frame in frames.push(bytes) {
                self.seen.judge_frame(&frame);
            }
        }
    }

    fn end(&mut self) {
        self.text.end();
        let Some(now) = self.now.take() else {
            return;
        };
        let place = now.place();
        match now.kind {
            Kind::Json => {
                if now.hands_out() {
                    let body: Value = serde_json::from_slice(&now.body).unwrap_or_default();
                    record::issued(body["ticket"].as_str().unwrap_or_default());
                }
                self.seen.judge(&now.answer(Some(&now.body)));
                self.seen.count("judged with their body", &place);
            }
            Kind::EventStream(_) => self.seen.count("event streams, judged frame by frame", &place),
            Kind::Other | Kind::Socket(_) => self.seen.count(
                "judged by status and headers: pages, files, answers without a body",
                &place,
            ),
        }
    }
}

impl Drop for Exchange {
    /// The connection has ended, and what was on its way is cut.
    fn drop(&mut self) {
        let Some(now) = self.now.take() else {
            return;
        };
        let what = match now.kind {
            Kind::Socket(_) => "sockets, judged frame by frame",
            Kind::EventStream(_) => "event streams that ended early, judged frame by frame",
            Kind::Other => "cut after their head, judged by status and headers",
            Kind::Json => {
                self.seen.judge(&now.answer(None));
                "cut before the end of their body, judged by status and headers"
            }
        };
        self.seen.count(what, &now.place());
    }
}

impl Asked {
    fn of(method: Method, target: &str, headers: &HeaderMap) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let header = headers.get("authorization").and_then(|value| value.to_str().ok());
        let header = header
            .and_then(|value| value.split_once(' '))
            .map(|(_, key)| key.trim());
        let queried = query.split('&').filter_map(|pair| pair.strip_prefix("api_key="));
        Self {
            method,
            path: path.to_owned(),
            keys: header.into_iter().chain(queried).map(str::to_owned).collect(),
        }
    }

    /// A key that opens something is one that was issued.
    fn opens(&self, status: u16) {
        if status == 101 || (200..300).contains(&status) {
            self.keys.iter().for_each(|key| record::issued(key));
        }
    }
}

impl Answering {
    fn answer<'a>(&'a self, body: Option<&'a [u8]>) -> Answer<'a> {
        Answer {
            method: &self.asked.method,
            path: &self.asked.path,
            status: self.status,
            headers: &self.headers,
            body,
        }
    }

    /// Whether it is the one answer that may hold a ticket.
    fn hands_out(&self) -> bool {
        self.status == 201 && self.asked.path.trim_end_matches('/') == TICKETS
    }

    fn place(&self) -> String {
        format!(
            "{} {} {}",
            self.asked.method,
            JUDGE.template(&self.asked.path),
            self.status
        )
    }
}

fn kind(asked: &Asked, status: u16, headers: &HeaderMap) -> Kind {
    let content_type = headers.get("content-type").map(HeaderValue::as_bytes);
    let starts = |with: &[u8]| content_type.is_some_and(|value| value.starts_with(with));
    let is_file = asked.path.contains("/files/") && (200..300).contains(&status);
    if status == 101 {
        Kind::Socket(SocketFrames::default())
    } else if starts(b"text/event-stream") {
        Kind::EventStream(StreamFrames::default())
    } else if starts(b"application/json") && !is_file {
        Kind::Json
    } else {
        Kind::Other
    }
}
