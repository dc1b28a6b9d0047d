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
    assert_eq!(cut, whole);
    // On a busy machine the clock outruns the writes: lines that found no place are counted, not forgotten.
    let lines = whole.iter().filter_map(|event| match &event.body {
        EventBody::Log { message, .. } => Some(match message.split_once(" more lines") {
            Some((left_out, _)) => left_out.parse::<usize>().unwrap(),
            None => 1,
        }),
        EventBody::Progress(_) | EventBody::Error(_) | EventBody::Completion { .. } => None,
    });
    // And the one that says that the attempt begins.
    assert_eq!(lines.sum::<usize>(), 1001);
    assert!(whole.len() < usize::try_from(EVENT_LOG_TAIL_ROWS).unwrap());
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
    // Behind the line that says that the attempt begins.
    let mut reader = world.engine.reader(id, Seq::new(1));
    let page = reader.page(10, world.clock.now()).await.unwrap();
    assert!(page.events.is_empty());
    let waiting = reader.page(10, world.clock.now() + Duration::HOUR);
    world.probe.permits.add_permits(1);
    let page = waiting.await.unwrap();
    assert!(page.complete && page.events.len() == 2, "{page:?}");
    assert_eq!(reader.cursor(), page.last);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_readers_cost_no_more_reads_than_a_few() {
    const READERS: usize = 1_000;
    const APPENDS: usize = 20;
    let world = World::new(1);
    let id = world.submit(JobKind::Scan, Script::Hold).await;
    world.started(1).await;
    let fence = world.reach(id, JobState::Running).await.machine.fence;
    let tasks = tokio_util::task::TaskTracker::new();
    let readers: Vec<_> = (0..READERS)
        .map(|_| {
            let mut reader = world.engine.reader(id, Seq::ZERO);
            tasks.spawn(async move {
                let mut seqs = Vec::new();
                while let Some(item) = reader.next().await.unwrap() {
                    let Item::Event(event) = item else {
                        panic!("no gap is due")
                    };
                    seqs.push(event.seq.get());
                }
                seqs
            })
        })
        .collect();
    for number in 1..=APPENDS {
        let line = EventBody::Log {
            level: LogLevel::Info,
            message: number.to_string(),
        };
        world
            .jobs
            .append(id, fence, vec![line], world.clock.now())
            .await
            .unwrap();
        world.engine.hub().stir(id);
    }
    world.probe.permits.add_permits(1);
    // The begin of the attempt, its last progress, and the job's completion.
    let expected: Vec<u64> = (1..=u64::try_from(APPENDS).unwrap() + 3).collect();
    for reader in readers {
        assert_eq!(reader.await.unwrap(), expected);
    }
    let reads = world.jobs.reads.load(Ordering::SeqCst);
    assert!(reads <= 10 * APPENDS, "{READERS} readers read the store {reads} times");
    assert_eq!(world.engine.hub().watched_jobs(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_of_a_store_that_is_back_go_on() {
    let world = World::new(1);
    let id = world.submit(JobKind::Scan, Script::Hold).await;
    world.started(1).await;
    world.jobs.down.store(true, Ordering::SeqCst);
    let mut readers: Vec<_> = (0..10).map(|_| world.engine.reader(id, Seq::ZERO)).collect();
    for reader in &mut readers {
        let error = reader.next().await.unwrap_err();
        assert!(error.is_retryable(), "{error}");
    }
    world.jobs.down.store(false, Ordering::SeqCst);
    world.probe.permits.add_permits(1);
    for reader in &mut readers {
        assert!(matches!(reader.next().await, Ok(Some(Item::Event(_)))));
    }
}

/// Each reader is cut at places of its own; what it has seen is the log, once and in order.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_readers_cut_a_hundred_times_each_miss_nothing() {
    use rand::{RngExt as _, SeedableRng as _};
    const READERS: u64 = 1_000;
    const CUTS: usize = 100;
    const LINES: u64 = 198;
    let world = World::new(1);
    let id = world.submit(JobKind::Scan, Script::Hold).await;
    world.started(1).await;
    let fence = world.reach(id, JobState::Running).await.machine.fence;
    let reading = (0..READERS).map(|seed| {
        let engine = world.engine.clone();
        async move {
            let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
            let (mut seqs, mut cuts) = (Vec::new(), 0);
            let mut reader = engine.reader(id, Seq::ZERO);
            while let Some(item) = reader.next().await.unwrap() {
                let Item::Event(event) = item else {
                    panic!("no gap is due")
                };
                seqs.push(event.seq.get());
                if cuts < CUTS && random.random_bool(0.6) {
                    // What was read ahead is lost with the line.
                    reader = engine.reader(id, reader.cursor());
                    cuts += 1;
                }
            }
            (seqs, cuts)
        }
    });
    let writing = async {
        for number in 0..LINES / 2 {
            let line = |number: u64| EventBody::Log {
                level: LogLevel::Info,
                message: number.to_string(),
            };
            let lines = vec![line(2 * number), line(2 * number + 1)];
            world.jobs.append(id, fence, lines, world.clock.now()).await.unwrap();
            world.engine.hub().stir(id);
        }
        world.probe.permits.add_permits(1);
    };
    let (seen, ()) = tokio::join!(futures_util::future::join_all(reading), writing);
    let whole: Vec<u64> = (1..=LINES + 3).collect();
    let mut cuts = 0;
    for (seqs, cut) in seen {
        assert_eq!(seqs, whole);
        cuts += cut;
    }
    assert!(cuts >= 95 * usize::try_from(READERS).unwrap(), "{cuts} cuts");
}
