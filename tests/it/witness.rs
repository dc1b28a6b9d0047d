//! Whatever a server answers, to whomever, is judged on its way: seen on servers that answer wrongly.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use atg_tests::{Framing, Piece, SocketFrames, Start, StreamFrames, Wire, Witness};

const ID: &str = "X-Request-ID: r\r\nConnection: close\r\n";
const JSON: &str = "Content-Type: application/json\r\n";
const HEALTHY: &str =
    r#"{"status":"healthy","version":"1","neo4j_status":"connected","environment":"dev","graph_store":"sqlite"}"#;
const LOG: &str = r#"{"type":"log","job_id":"j","level":"INFO","message":"m","timestamp":"2026-01-01T00:00:00.000Z"}"#;

/// A server that gives one caller this answer, whatever is asked.
fn server(answer: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut caller, _) = listener.accept().unwrap();
        let mut byte = [0];
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") && caller.read(&mut byte).unwrap() == 1 {
            head.push(byte[0]);
        }
        caller.write_all(&answer).unwrap();
    });
    url
}

/// What a witness says of an answer to this request. The caller gets every byte of it.
fn problems(request: &str, answer: &[u8]) -> Vec<String> {
    let witness = Witness::rehearsing(&server(answer.to_vec()));
    let mut stream = TcpStream::connect(witness.url().trim_start_matches("http://")).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut got = Vec::new();
    stream.read_to_end(&mut got).unwrap();
    assert_eq!(got, answer);
    witness.forgive()
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n")
}

fn sized(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

#[test]
fn an_answer_that_does_not_fit_is_noticed_whoever_asks() {
    let headers = format!("{ID}{JSON}");
    let health = get("/health");
    let (half, rest) = HEALTHY.split_at(0x14);
    let chunked = |second: &str| {
        let head = format!("HTTP/1.1 200 OK\r\n{headers}Transfer-Encoding: chunked\r\n\r\n");
        format!("{head}14\r\n{half}\r\n{:x}\r\n{second}\r\n0\r\n\r\n", second.len()).into_bytes()
    };
    let to_the_end = |body: &str| format!("HTTP/1.1 200 OK\r\n{headers}\r\n{body}").into_bytes();
    for answer in [
        sized("200 OK", &headers, HEALTHY),
        chunked(rest),
        to_the_end(HEALTHY),
        [
            b"HTTP/1.1 100 Continue\r\n\r\n",
            &sized("200 OK", &headers, HEALTHY)[..],
        ]
        .concat(),
    ] {
        assert_eq!(problems(&health, &answer), [""; 0]);
    }
    for answer in [
        sized("200 OK", &headers, "{}"),
        sized("200 OK", JSON, HEALTHY),
        sized("200 OK", ID, HEALTHY),
        sized("418 Teapot", &headers, HEALTHY),
        sized("503 Service Unavailable", &headers, "{}"),
        chunked(&rest.replace("sqlite", "oracle")),
        to_the_end("{}"),
    ] {
        let shown = String::from_utf8_lossy(&answer).into_owned();
        assert_eq!(problems(&health, &answer).len(), 1, "{shown}");
    }
    // What the parser refuses has no body, and everything else has.
    let nonsense = "\u{1}\r\n\r\n";
    assert_eq!(problems(nonsense, &sized("400 Bad Request", "", "")), [""; 0]);
    assert_eq!(problems(nonsense, &sized("400 Bad Request", "", "no")).len(), 1);
    assert_eq!(problems(&health, &sized("400 Bad Request", "", "")).len(), 1);
}

#[test]
fn frames_are_answers_too() {
    let wrong = LOG.replace("INFO\",", "INFO\",\"type\":");
    let events = get("/api/v1/operations/x/events");
    let socket = get("/ws/progress/x");
    for (frame, expected) in [(LOG, 0), (&wrong, 1)] {
        let head = format!("HTTP/1.1 200 OK\r\n{ID}Content-Type: text/event-stream\r\n\r\n: keep-alive\n\n");
        let stream = format!("{head}id: 1\ndata: {frame}\n\n").into_bytes();
        assert_eq!(problems(&events, &stream).len(), expected, "{frame}");
        let head = String::from("HTTP/1.1 101 Switching Protocols\r\nX-Request-ID: r\r\nUpgrade: websocket\r\n\r\n");
        let length = u8::try_from(frame.len()).unwrap();
        let frames = [head.as_bytes(), &[0x89, 0], &[0x81, 126, 0, length], frame.as_bytes()].concat();
        assert_eq!(problems(&socket, &frames).len(), expected, "{frame}");
    }
}

#[test]
fn the_test_that_holds_the_witness_fails() {
    let witness = Witness::rehearsing(&server(sized("200 OK", &format!("{ID}{JSON}"), "{}")));
    let mut stream = TcpStream::connect(witness.url().trim_start_matches("http://")).unwrap();
    stream.write_all(get("/health").as_bytes()).unwrap();
    stream.read_to_end(&mut Vec::new()).unwrap();
    let failed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(witness)));
    let said = failed.unwrap_err().downcast::<String>().unwrap();
    assert!(said.contains("GET /health answered 200"), "{said}");
}

/// The messages of some bytes that come in pieces of this size.
fn messages(bytes: &[u8], size: usize) -> Vec<(Start, Vec<u8>)> {
    let mut wire = Wire::new(false);
    let mut messages: Vec<(Start, Vec<u8>)> = Vec::new();
    let mut ends = 0;
    for piece in bytes.chunks(size) {
        wire.push(piece);
        while let Some(piece) = wire.piece() {
            match piece {
                Piece::Head(start, headers) => {
                    wire.body(Framing::of(&headers, Framing::Sized(0)));
                    messages.push((start, Vec::new()));
                }
                Piece::Body(body) => messages.last_mut().unwrap().1.extend(body),
                Piece::End => ends += 1,
                Piece::Raw(raw) => panic!("{raw:?}"),
            }
        }
    }
    assert_eq!(ends, messages.len());
    messages
}

#[test]
fn the_pieces_that_bytes_come_in_make_no_difference() {
    let bytes = [
        sized("200 OK", "", "first"),
        sized("204 No Content", "", ""),
        b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nsec\r\n3;x=y\r\nond\r\n0\r\nT: t\r\n\r\n"
            .to_vec(),
        sized("500 Oh", "", "third"),
    ]
    .concat();
    let expected = [(200, "first"), (204, ""), (404, "second"), (500, "third")];
    let expected = expected.map(|(status, body)| (Start::Answer(status), body.as_bytes().to_vec()));
    for size in 1..bytes.len() {
        assert_eq!(messages(&bytes, size), expected, "{size}");
    }
    let long = "l".repeat(70_000);
    let frames = [
        &[
            0x01, 2, b'a', b'b', 0x89, 1, 0, 0x80, 1, b'c', 0x81, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x70,
        ][..],
        long.as_bytes(),
        &[0x88, 2, 3, 232],
    ]
    .concat();
    let events = b": keep-alive\n\nid: 1\ndata: {\"a\":1}\n\nevent: gap\nid: 2\ndata: {}\n\ndata: half";
    for size in [1, 2, 3, 7, 100, frames.len()] {
        let mut socket = SocketFrames::default();
        let found: Vec<_> = frames.chunks(size).flat_map(|piece| socket.push(piece)).collect();
        assert_eq!(found, [b"abc".to_vec(), long.clone().into_bytes()], "{size}");
        let mut stream = StreamFrames::default();
        let found: Vec<_> = events.chunks(size).flat_map(|piece| stream.push(piece)).collect();
        assert_eq!(found, [b"{\"a\":1}".to_vec(), b"{}".to_vec()], "{size}");
    }
}
