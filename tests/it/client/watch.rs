//! The three ways to a job's log.

use atg_client::{Via, Watch};
use atg_models::Seq;
use atg_models::api::Frame;
use atg_tests::{DEADLINE, Treatment, World};

use super::behind;

const WAYS: [Via; 3] = [Via::Socket, Via::Stream, Via::Poll];

async fn read(mut watch: Watch) -> (Vec<Frame>, Seq) {
    let all = async {
        let mut frames = Vec::new();
        while let Some(frame) = watch.next().await.unwrap() {
            frames.push(frame);
        }
        (frames, watch.cursor())
    };
    tokio::time::timeout(DEADLINE, all).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn all_ways_tell_the_same() {
    let world = World::small().await;
    let job = world.start_scan().await;
    // Live, side by side; then again from the middle and from the end.
    let live = WAYS.map(|via| read(world.client.watch(job).via(via)));
    let [socket, stream, poll] = live;
    let (socket, stream, poll) = tokio::join!(socket, stream, poll);
    assert!(socket.0.len() > 3, "{socket:?}");
    assert!(matches!(socket.0.last(), Some(Frame::Completion(_))));
    assert_eq!(socket, stream);
    assert_eq!(socket, poll);
    let (frames, end) = socket;
    for via in WAYS {
        let after = |seq| world.client.watch(job).after(seq).via(via);
        assert_eq!(read(after(Seq::new(2))).await, (frames[2..].to_vec(), end), "{via}");
        assert_eq!(read(after(end)).await, (Vec::new(), end), "{via}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_ways_tell_of_a_gap() {
    let mut world = World::small().await;
    let lines = (0..3_000).map(|at| format!("line {at}")).collect();
    let job = world.written_log(lines).await;
    let mut told = Vec::new();
    for via in WAYS {
        let (frames, end) = read(world.client.watch(job).via(via)).await;
        let Some(Frame::Gap(gap)) = frames.first() else {
            panic!("{via}: {:?}", frames.first());
        };
        told.push((gap.from, gap.to, frames[1..].to_vec(), end));
    }
    assert!(told[0] == told[1] && told[0] == told[2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_streams_go_on_without_a_gap_or_a_repetition() {
    let world = World::small().await;
    let (job, _) = world.scan().await;
    let whole = read(world.client.watch(job)).await;
    for via in WAYS {
        let rule = |_: &str, before: usize| match before {
            0..4 => Treatment::CutAfter(900),
            _ => Treatment::Pass,
        };
        let (proxy, client) = behind(&world, rule).await;
        assert_eq!(read(client.watch(job).via(via)).await, whole, "{via}");
        assert!(proxy.heads().len() > 4, "{via}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_way_that_is_refused_is_left_for_the_next() {
    let world = World::small().await;
    let (job, _) = world.scan().await;
    let whole = read(world.client.watch(job)).await;
    for (refused, taken) in [
        (&["upgrade: websocket"][..], Via::Stream),
        (&["upgrade: websocket", "text/event-stream"], Via::Poll),
    ] {
        let rule = |head: &str, _: usize| {
            if refused.iter().any(|what| head.contains(what)) {
                Treatment::Refuse
            } else {
                Treatment::Pass
            }
        };
        let (_proxy, client) = behind(&world, rule).await;
        let mut watch = client.watch(job);
        let mut frames = Vec::new();
        let mut changes = Vec::new();
        while let Some(frame) = watch.next().await.unwrap() {
            frames.push(frame);
            changes.extend(watch.fell_back());
        }
        assert_eq!((frames, watch.cursor()), whole);
        assert_eq!(changes.last().map(|change| change.to), Some(taken));
        assert_eq!(changes.len(), 1, "said once");
        // Who asks for one way gets that or an error.
        assert!(client.watch(job).via(Via::Socket).next().await.is_err());
    }
}
