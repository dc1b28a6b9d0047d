//! Event logs.

use atg_models::Seq;
use atg_models::job::{Event, EventBody, JobState, Refused};

use super::{id, insert, line, new, percent, running};
use crate::contract::world::at;
use crate::{JobStore, News, StoreError, Transition};

pub async fn a_log_is_numbered<S: JobStore>(store: &S) {
    let fence = running(store, 1).await.machine.fence;
    let last = store
        .append(id(1), fence, vec![line("a"), line("b")], at(2))
        .await
        .unwrap();
    assert_eq!(last, Seq::new(2));
    assert_eq!(
        store.append(id(1), fence, vec![line("c")], at(3)).await.unwrap(),
        Seq::new(3)
    );
    let page = store.events(id(1), Seq::new(1), 1).await.unwrap();
    assert_eq!((page.events[0].seq, page.events[0].at), (Seq::new(2), at(2)));
    assert_eq!(
        (page.events.len(), page.last, page.gap, page.complete),
        (1, Seq::new(3), None, false)
    );
    let end = store.events(id(1), Seq::new(3), 10).await.unwrap();
    assert_eq!((end.events.len(), end.gap), (0, None));
}

pub async fn a_progress_is_the_jobs<S: JobStore>(store: &S) {
    let fence = running(store, 1).await.machine.fence;
    store
        .append(id(1), fence, vec![percent(10.0), percent(20.5)], at(2))
        .await
        .unwrap();
    let job = store.get(id(1)).await.unwrap().unwrap();
    assert_eq!((job.progress.unwrap().percent, job.updated_at), (20.5, at(2)));
    let with = Transition {
        events: vec![percent(100.0)],
        ..Transition::default()
    };
    let done = store
        .transition(id(1), Event::Succeeded { fence }, with, at(3))
        .await
        .unwrap();
    assert_eq!(done.progress.clone().unwrap().percent, 100.0);
    assert_eq!(store.get(id(1)).await.unwrap(), Some(done));
}

/// What is no longer held is said, not passed over.
pub async fn a_log_keeps_a_tail<S: JobStore>(store: &S) {
    const OVER: u64 = 5;
    let fence = running(store, 1).await.machine.fence;
    let rows = atg_models::limits::EVENT_LOG_TAIL_ROWS + OVER;
    let lines: Vec<EventBody> = (0..rows).map(|n| line(&n.to_string())).collect();
    store.append(id(1), fence, lines, at(2)).await.unwrap();
    let page = store.events(id(1), Seq::new(2), 1).await.unwrap();
    assert_eq!(page.gap, Some((Seq::new(3), Seq::new(OVER))));
    assert_eq!((page.events[0].seq, page.last), (Seq::new(OVER + 1), Seq::new(rows)));
    assert_eq!(store.events(id(1), Seq::new(OVER), 1).await.unwrap().gap, None);
}

pub async fn an_ended_job_takes_no_event<S: JobStore>(store: &S) {
    let fence = running(store, 1).await.machine.fence;
    store
        .transition(id(1), Event::Succeeded { fence }, Transition::default(), at(2))
        .await
        .unwrap();
    let late = store.append(id(1), fence, vec![line("late")], at(3)).await;
    assert!(matches!(late, Err(StoreError::Refused(Refused::Finished))), "{late:?}");
    let missing = store.events(id(9), Seq::ZERO, 1).await;
    assert!(
        matches!(missing, Err(StoreError::NotFound { what: "job" })),
        "{missing:?}"
    );
}

pub async fn news_say_how_far_each_job_is<S: JobStore>(store: &S) {
    let fence = running(store, 1).await.machine.fence;
    insert(store, new(2)).await;
    insert(store, new(3)).await;
    let news = async |numbers: &[u128]| {
        let ids: Vec<_> = numbers.iter().map(|number| id(*number)).collect();
        let mut news = store.news(&ids).await.unwrap();
        news.sort_by_key(|news| news.id.to_string());
        news
    };
    let is = |number, last, state| News {
        id: id(number),
        last: Seq::new(last),
        state,
    };
    assert_eq!(
        news(&[2, 9, 1]).await,
        [is(1, 0, JobState::Running), is(2, 0, JobState::Queued)]
    );
    store
        .append(id(1), fence, vec![line("a"), line("b")], at(2))
        .await
        .unwrap();
    assert_eq!(news(&[1]).await, [is(1, 2, JobState::Running)]);
    store
        .transition(id(1), Event::Succeeded { fence }, Transition::default(), at(3))
        .await
        .unwrap();
    assert_eq!(news(&[1]).await, [is(1, 3, JobState::Succeeded)]);
    assert_eq!(news(&[]).await, []);
}
