//! `GET /ws/progress/{job_id}`.

use atg_sim::{Fault, FaultKind};
use atg_tests::{AheadClock, DEADLINE, KEY, Setup, World, until};
use futures_util::StreamExt as _;
use reqwest::Method;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

pub(crate) type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

pub(crate) async fn connect(world: &World, path: &str, header: bool) -> Result<Socket, (u16, Value)> {
    let url = format!("{}{path}", world.url().replacen("http", "ws", 1));
    let mut request = url.into_client_request().unwrap();
    if header {
        let value = format!("Bearer {KEY}").parse().unwrap();
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

/// A frame, or the code of the close.
async fn read<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut WebSocketStream<S>) -> Result<Value, u16> {
    loop {
        let message = tokio::time::timeout(DEADLINE, socket.next())
            .await
            .expect("a frame in time");
        match message.expect("a close before the end").unwrap() {
            Message::Text(text) => return Ok(serde_json::from_str(&text).unwrap()),
            Message::Close(reason) => return Err(reason.unwrap().code.into()),
            Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_) => {}
        }
    }
}

pub(crate) async fn read_all<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut WebSocketStream<S>) -> (Vec<Value>, u16) {
    let mut frames = Vec::new();
    loop {
        match read(socket).await {
            Ok(frame) => frames.push(frame),
            Err(code) => return (frames, code),
        }
    }
}

fn keys(frame: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = frame.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_comes_in_the_header_or_the_query() {
    let world = World::small().await;
    let job = world.start_scan().await;
    let path = format!("/ws/progress/{job}");
    assert!(connect(&world, &path, true).await.is_ok());
    assert!(connect(&world, &format!("{path}?api_key={KEY}"), false).await.is_ok());
    for wrong in [path.clone(), format!("{path}?api_key=nonsense")] {
        let (status, body) = connect(&world, &wrong, false).await.unwrap_err();
        assert_eq!(
            (status, body["error"]["code"].as_str()),
            (401, Some("AUTHENTICATION_FAILED"))
        );
    }
    world.completion(job).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_that_cannot_be_is_refused() {
    let world = World::small().await;
    let (job, _) = world.scan().await;
    let unknown = "/ws/progress/scan-01890a5d-ac96-774b-bcce-b302099a8057";
    assert_eq!(connect(&world, unknown, true).await.unwrap_err().0, 404);
    for after in ["x", "-1", "", "1.5", "99999999999999999999999"] {
        let path = format!("/ws/progress/{job}?after={after}");
        let (status, body) = connect(&world, &path, true).await.unwrap_err();
        assert_eq!(
            (status, body["error"]["code"].as_str()),
            (400, Some("INVALID_REQUEST")),
            "{after}"
        );
    }
    let response = world.get(&format!("/ws/progress/{job}")).await;
    assert_eq!(response.status(), 426);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["error"]["code"], "UPGRADE_REQUIRED");
    let plain = world.anonymous(Method::GET, &format!("/ws/progress/{job}"));
    assert_eq!(plain.send().await.unwrap().status(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_is_followed_to_its_end() {
    let world = World::small().await;
    let job = world.start_scan().await;
    let mut socket = connect(&world, &format!("/ws/progress/{job}"), true).await.unwrap();
    let (frames, code) = read_all(&mut socket).await;
    assert_eq!(code, 1000);
    assert_eq!(frames[0]["type"], "progress");
    let last = frames.last().unwrap();
    assert_eq!(
        (last["type"].as_str(), last["status"].as_str()),
        (Some("completion"), Some("completed"))
    );
    assert_eq!(keys(last), ["job_id", "result", "status", "timestamp", "type"]);
    let mut percent = 0.0;
    for frame in &frames {
        assert_eq!(frame["job_id"], job.to_string());
        if frame["type"] == "progress" {
            assert_eq!(keys(frame), ["job_id", "message", "progress", "timestamp", "type"]);
            let now = frame["progress"].as_f64().unwrap();
            assert!(now >= percent && now <= 100.0, "{now} after {percent}");
            percent = now;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_comes_late_gets_the_end() {
    let world = World::small().await;
    let (job, _) = world.scan().await;
    let mut socket = connect(&world, &format!("/ws/progress/{job}"), true).await.unwrap();
    let (frames, code) = read_all(&mut socket).await;
    assert_eq!(code, 1000);
    assert_eq!(frames.last().unwrap()["type"], "completion");
    let mut socket = connect(&world, &format!("/ws/progress/{job}?after=0&detail=1"), true)
        .await
        .unwrap();
    let (frames, code) = read_all(&mut socket).await;
    assert_eq!(code, 1000);
    assert!(frames.len() > 2, "{frames:?}");
    assert!(frames.iter().all(|frame| frame["seq"].is_u64()), "{frames:?}");
    let progress = frames.iter().find(|frame| frame["type"] == "progress").unwrap();
    assert!(
        progress["phase"].is_string() && progress["percent"].is_number(),
        "{progress}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_job_says_why_and_then_ends() {
    let world = Setup::new(7, 50).start().await;
    world.sim.arm(Fault::new(FaultKind::WrongTenantToken));
    let job = world.start_scan().await;
    world.completion(job).await;
    for path in [format!("/ws/progress/{job}"), format!("/ws/progress/{job}?after=0")] {
        let mut socket = connect(&world, &path, true).await.unwrap();
        let (frames, code) = read_all(&mut socket).await;
        assert_eq!(code, 1000);
        let [.., error, completion] = frames.as_slice() else {
            panic!("{frames:?}");
        };
        assert_eq!(error["type"], "error");
        assert_eq!(error["error_code"], "AZURE_AUTHENTICATION_FAILED");
        assert!(error["error_message"].is_string());
        assert_eq!(
            (completion["type"].as_str(), completion["status"].as_str()),
            (Some("completion"), Some("failed"))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_is_cut_100_times_misses_nothing_and_gets_nothing_twice() {
    let world = Setup::new(7, 600).start().await;
    world.sim.arm(Fault {
        count: u64::MAX,
        value: Some(60),
        ..Fault::new(FaultKind::Slow)
    });
    let job = world.start_scan().await;
    let (mut after, mut seen, mut cuts) = (0, Vec::new(), 0);
    'streams: loop {
        let path = format!("/ws/progress/{job}?after={after}&detail=1");
        let mut socket = connect(&world, &path, true).await.unwrap();
        // None or one frame a connection, so that there are enough connections; then the line is cut
        // without a close. A log that was read to its end is closed by the server.
        let frames = cuts % 2;
        for _ in 0..frames {
            match read(&mut socket).await {
                Ok(frame) => {
                    after = frame["seq"].as_u64().unwrap();
                    seen.push(frame);
                }
                Err(code) => {
                    assert_eq!(code, 1000);
                    break 'streams;
                }
            }
        }
        drop(socket);
        cuts += 1;
        assert!(cuts < 10_000, "no end");
        if cuts >= 100 && seen.last().is_some_and(|frame| frame["type"] == "completion") {
            break;
        }
        if seen.last().is_some_and(|frame| frame["type"] == "completion") && cuts < 100 {
            // The log is short: it is read again from its start, cut at other places.
            check(&world, job, &seen).await;
            (after, seen) = (0, Vec::new());
        }
    }
    assert!(cuts >= 100, "{cuts}");
    check(&world, job, &seen).await;
}

/// What was seen is the log, from its first event to its last, once.
async fn check(world: &World, job: atg_models::JobId, seen: &[Value]) {
    let mut whole = connect(world, &format!("/ws/progress/{job}?after=0&detail=1"), true)
        .await
        .unwrap();
    let (frames, _) = read_all(&mut whole).await;
    assert_eq!(seen, frames);
    let sequences: Vec<u64> = frames.iter().map(|frame| frame["seq"].as_u64().unwrap()).collect();
    let expected: Vec<u64> = (1..=u64::try_from(frames.len()).unwrap()).collect();
    assert_eq!(sequences, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_over_4_kib_ends_the_socket() {
    use futures_util::SinkExt as _;
    let world = Setup::new(7, 150).start().await;
    world.sim.arm(Fault {
        count: u64::MAX,
        value: Some(2_000),
        ..Fault::new(FaultKind::Slow)
    });
    let job = world.start_scan().await;
    let mut socket = connect(&world, &format!("/ws/progress/{job}"), true).await.unwrap();
    socket.send(Message::text("is ignored")).await.unwrap();
    socket.send(Message::text("x".repeat(5_000))).await.unwrap();
    assert_eq!(read_all(&mut socket).await.1, 1009);
    world.client.cancel(job).await.unwrap();
}

/// What the system holds of this connection that the other side has not taken, at the server's end.
#[cfg(target_os = "linux")]
fn on_the_way_bytes(server: std::net::SocketAddr, client: std::net::SocketAddr) -> u64 {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let ends = [server, client].map(|end| format!(":{:04X}", end.port()));
    let rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let mut own = rows.filter(|row| row.len() > 4 && row[1].ends_with(&ends[0]) && row[2].ends_with(&ends[1]));
    let queues = own.next().expect("the connection is in the system's table")[4];
    u64::from_str_radix(queues.split(':').next().unwrap(), 16).unwrap()
}

/// The log is larger than what the system keeps of a connection.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_is_too_slow_is_sent_away_and_comes_back() {
    /// Looks at which nothing has moved: the server cannot write on.
    const STILL: u32 = 50;
    let clock = AheadClock::default();
    let mut world = Setup::new(7, 50).clock(clock.clone()).start().await;
    let line = "x".repeat(4_000);
    let lines = (0..1_900).map(|_| line.clone()).collect();
    let job = world.written_log(lines).await;

    // Nothing between the two may take what the reader does not.
    let server = world.direct_url().trim_start_matches("http://").parse().unwrap();
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(8 * 1024).unwrap();
    let stream = socket.connect(server).await.unwrap();
    let client = stream.local_addr().unwrap();
    let url = format!(
        "{}/ws/progress/{job}?after=0&api_key={KEY}",
        world.direct_url().replacen("http", "ws", 1)
    );
    let (mut socket, _) = tokio_tungstenite::client_async(url, stream).await.unwrap();
    let mut still = (0, 0);
    until("the server cannot write on", || {
        let bytes = on_the_way_bytes(server, client);
        still = if bytes > 0 && bytes == still.0 {
            (bytes, still.1 + 1)
        } else {
            (bytes, 0)
        };
        let stands = still.1 >= STILL;
        async move { stands.then_some(()) }
    })
    .await;
    clock.advance(time::Duration::seconds(11));
    let (frames, code) = read_all(&mut socket).await;
    let mut sequences: Vec<u64> = frames.iter().map(|frame| frame["seq"].as_u64().unwrap()).collect();
    assert_eq!(code, 4408);
    let last = *sequences.last().unwrap();
    assert!(last < 1_900, "{last}");
    assert_eq!(sequences, (1..=last).collect::<Vec<_>>());

    let path = format!("/ws/progress/{job}?after={last}");
    let (frames, code) = read_all(&mut connect(&world, &path, true).await.unwrap()).await;
    assert_eq!(code, 1000);
    sequences.extend(frames.iter().map(|frame| frame["seq"].as_u64().unwrap()));
    assert_eq!(sequences, (1..=1_901).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_in_parts_are_measured_whole() {
    use futures_util::SinkExt as _;
    use tokio_tungstenite::tungstenite::protocol::frame::Frame;
    use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
    let world = Setup::new(7, 150).start().await;
    world.sim.arm(Fault {
        count: u64::MAX,
        value: Some(30_000),
        ..Fault::new(FaultKind::Slow)
    });
    let job = world.start_scan().await;
    let mut socket = connect(&world, &format!("/ws/progress/{job}"), true).await.unwrap();
    let part = |kind, last| Message::Frame(Frame::message(vec![b'x'; 1_500], OpCode::Data(kind), last));
    for (kind, last) in [(Data::Text, false), (Data::Continue, true), (Data::Text, false)] {
        socket.send(part(kind, last)).await.unwrap();
    }
    socket.send(Message::Ping(vec![7].into())).await.unwrap();
    loop {
        match tokio::time::timeout(DEADLINE, socket.next())
            .await
            .unwrap()
            .unwrap()
            .unwrap()
        {
            Message::Pong(bytes) => break assert_eq!(bytes.as_ref(), [7]),
            Message::Text(_) | Message::Ping(_) => {}
            other @ (Message::Binary(_) | Message::Close(_) | Message::Frame(_)) => panic!("{other:?}"),
        }
    }
    for last in [false, true] {
        socket.send(part(Data::Continue, last)).await.unwrap();
    }
    assert_eq!(read_all(&mut socket).await.1, 1009);
}
