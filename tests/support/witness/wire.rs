//! One direction of an HTTP/1.1 connection, cut into heads and bodies. Pure: bytes in, pieces out.

use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

/// Headers of one message, which is more than either side sends.
const HEADERS_MAX: usize = 128;

/// What comes first in a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Start {
    /// Of a request: its method, path and query.
    Request(Method, String),
    /// Of an answer: its status.
    Answer(u16),
}

/// A part of a message.
#[derive(Debug)]
pub enum Piece {
    /// Its head; [`Wire::body`] has to say then how its body is delimited.
    Head(Start, HeaderMap),
    /// Some of its body, without what delimits it.
    Body(Vec<u8>),
    /// Its end.
    End,
    /// What is no HTTP: behind an upgrade, or not to be understood.
    Raw(Vec<u8>),
}

/// How a body is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// So many bytes.
    Sized(usize),
    /// Pieces that say their sizes.
    Chunked,
    /// All until the connection ends.
    ToTheEnd,
    /// Not HTTP any more.
    Upgraded,
}

impl Framing {
    /// As the headers say; `otherwise` where they say nothing.
    pub fn of(headers: &HeaderMap, otherwise: Self) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        if text("transfer-encoding").is_some_and(|value| value.to_ascii_lowercase().contains("chunked")) {
            return Self::Chunked;
        }
        let length = text("content-length").and_then(|value| value.trim().parse().ok());
        length.map_or(otherwise, Self::Sized)
    }
}

#[derive(Debug, Clone, Copy)]
enum State {
    Head,
    /// The head is given away, and nothing is known of the body yet.
    Asking,
    Sized(usize),
    ChunkSize,
    Chunk(usize),
    ChunkEnd,
    Trailer,
    ToTheEnd,
    Raw,
}

/// The reader of one direction.
pub struct Wire {
    requests: bool,
    buffer: Vec<u8>,
    state: State,
}

impl Wire {
    /// Of the direction that requests go, or the other one.
    pub fn new(requests: bool) -> Self {
        Self {
            requests,
            buffer: Vec::new(),
            state: State::Head,
        }
    }

    /// Takes what has come.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Says how the body behind the last head is delimited.
    pub fn body(&mut self, framing: Framing) {
        self.state = match framing {
            Framing::Sized(bytes) => State::Sized(bytes),
            Framing::Chunked => State::ChunkSize,
            Framing::ToTheEnd => State::ToTheEnd,
            Framing::Upgraded => State::Raw,
        };
    }

    /// Whether all of a message has come once the connection has ended.
    pub fn ends_with_connection(&self) -> bool {
        matches!(self.state, State::ToTheEnd)
    }

    /// The next piece that is there.
    pub fn piece(&mut self) -> Option<Piece> {
        loop {
            match self.state {
                State::Asking => return None,
                State::Head => return self.head(),
                State::Sized(0) => {
                    self.state = State::Head;
                    return Some(Piece::End);
                }
                State::Sized(left) => {
                    let piece = self.take(left)?;
                    self.state = State::Sized(left - piece.len());
                    return Some(Piece::Body(piece));
                }
                State::ChunkSize => match httparse::parse_chunk_size(&self.buffer) {
                    Ok(httparse::Status::Complete((head, size))) => {
                        self.buffer.drain(..head);
                        let size = usize::try_from(size).unwrap();
                        self.state = if size == 0 { State::Trailer } else { State::Chunk(size) };
                    }
                    Ok(httparse::Status::Partial) => return None,
                    Err(_) => self.state = State::Raw,
                },
                State::Chunk(0) => self.state = State::ChunkEnd,
                State::Chunk(left) => {
                    let piece = self.take(left)?;
                    self.state = State::Chunk(left - piece.len());
                    return Some(Piece::Body(piece));
                }
                State::ChunkEnd => {
                    self.line()?;
                    self.state = State::ChunkSize;
                }
                State::Trailer => {
                    if self.line()?.is_empty() {
                        self.state = State::Sized(0);
                    }
                }
                State::ToTheEnd => return self.take(usize::MAX).map(Piece::Body),
                State::Raw => return self.take(usize::MAX).map(Piece::Raw),
            }
        }
    }

    fn head(&mut self) -> Option<Piece> {
        if self.buffer.is_empty() {
            return None;
        }
        let mut room = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let parsed = if self.requests {
            let mut head = httparse::Request::new(&mut room);
            head.parse(&self.buffer).ok().and_then(|status| match status {
                httparse::Status::Partial => Some(None),
                httparse::Status::Complete(bytes) => {
                    let method = Method::from_bytes(head.method?.as_bytes()).ok()?;
                    let start = Start::Request(method, head.path?.to_owned());
                    Some(Some((bytes, start, headers(head.headers)?)))
                }
            })
        } else {
            let mut head = httparse::Response::new(&mut room);
            head.parse(&self.buffer).ok().and_then(|status| match status {
                httparse::Status::Partial => Some(None),
                httparse::Status::Complete(bytes) => {
                    Some(Some((bytes, Start::Answer(head.code?), headers(head.headers)?)))
                }
            })
        };
        match parsed {
            Some(None) => None,
            Some(Some((bytes, start, headers))) => {
                self.buffer.drain(..bytes);
                self.state = State::Asking;
                Some(Piece::Head(start, headers))
            }
            None => {
                self.state = State::Raw;
                self.take(usize::MAX).map(Piece::Raw)
            }
        }
    }

    /// At most so many bytes of what is there, if anything is.
    fn take(&mut self, most: usize) -> Option<Vec<u8>> {
        let bytes = self.buffer.len().min(most);
        (bytes > 0).then(|| self.buffer.drain(..bytes).collect())
    }

    /// A line without its end, once that is there.
    fn line(&mut self) -> Option<Vec<u8>> {
        let end = self.buffer.windows(2).position(|pair| pair == b"\r\n")?;
        let line = self.buffer.drain(..end).collect();
        self.buffer.drain(..2);
        Some(line)
    }
}

fn headers(parsed: &[httparse::Header<'_>]) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for header in parsed {
        let name = HeaderName::from_bytes(header.name.as_bytes()).ok()?;
        headers.append(name, HeaderValue::from_bytes(header.value).ok()?);
    }
    Some(headers)
}
