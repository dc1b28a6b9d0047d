//! Readers of a log that grows.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_events_reach_slow_and_cut_readers_once_and_in_order() {
    let world = World::new(1);
    let id = world.submit(JobKind::Scan, Script::Talk(1000)).await;
    let ticking = async {
        loop {
            world.clock.advance(Duration::milliseconds(50));
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    };
    let reading = |cut_every: usize| {
        let engine = world.engine.clone();
        async move {
            let mut events = Vec::new();
            let mut reader = engine.reader(id, Seq::ZERO);
            while let Some(item) = reader.next().await.unwrap() {
                let Item::Event(event) = item else {
                    panic!("no gap is due")
                };
                events.push(event);
                if events.len() % cut_every == 0 {
                    reader = engine.reader(id, reader.cursor());
                }
            }
            events
        }
    };
    let (whole, cut) = tokio::select! {
        both = futures_util::future::join(reading(usize::MAX), reading(7)) => both,
        () = ticking => unreachable!("it ticks for ever"),
    };
    let seqs: Vec<u64> = whole.iter().map(|event| event.seq.get()).collect();
    assert_eq!(seqs, (1..).take(whole.len()).collect::<Vec<_>>());
    assert!(
        (1000..EVENT_LOG_TAIL_ROWS).contains(seqs.last().unwrap()),
        "{}",
        whole.len()
    );
    assert_eq!(cut, whole);
    assert_eq!(world.engine.hub().watched_jobs(), 0);
    let percents: Vec<f64> = whole
        .iter()
        .filter_map(|event| match &event.body {
            EventBody::Progress(progress) => Some(progress.percent),
            EventBody::Log { .. } | EventBody::Error(_) | EventBody::Completion { .. } => None,
        })
        .collect();
    assert!(percents.is_sorted(), "{percents:?}");
    assert_eq!(percents.last(), Some(&100.0));
    let appends = world.jobs.appends.load(Ordering::SeqCst);
    assert!(appends <= 30, "1,000 lines in 5 s came in {appends} writes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_poll_answers_when_its_time_is_up_and_when_something_happens() {
    let world = World::new(1);
    let id = world.submit(JobKind::Scan, Script::Hold).await;
    world.started(1).await;
    let mut reader = world.engine.reader(id, Seq::ZERO);
    let page = reader.page(10, world.clock.now()).await.unwrap();
    assert!(page.events.is_empty());
    let waiting = reader.page(10, world.clock.now() + Duration::HOUR);
    world.probe.permits.add_permits(1);
    let page = waiting.await.unwrap();
    assert!(page.complete && page.events.len() == 2, "{page:?}");
    assert_eq!(reader.cursor(), page.last);
}
