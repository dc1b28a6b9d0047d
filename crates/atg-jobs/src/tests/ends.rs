//! How jobs end: well, with an error, on request, at their deadline.

use atg_models::job::JobEvent;

use super::*;

/// What an event says, when it is a line.
pub(super) fn line(event: &JobEvent) -> Option<&str> {
    match &event.body {
        EventBody::Log { message, .. } => Some(message),
        EventBody::Progress(_) | EventBody::Error(_) | EventBody::Completion { .. } => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_runs_to_its_end_and_says_so() {
    let world = World::new(3);
    let id = world.submit(JobKind::Scan, Script::Talk(3)).await;
    let record = world
        .engine
        .wait_terminal(id, world.clock.now() + Duration::HOUR)
        .await
        .unwrap();
    assert_eq!(record.machine.state, JobState::Succeeded);
    assert_eq!(record.result, Some(json!("done")));
    assert_eq!(record.progress.map(|progress| progress.percent), Some(100.0));
    let events = world.jobs.events(id, Seq::ZERO, 100).await.unwrap().events;
    assert!(matches!(events.last().unwrap().body, EventBody::Completion { .. }));
    let lines: Vec<_> = events.iter().filter_map(line).collect();
    assert_eq!(lines, ["attempt 1 begins at one, under lease 1", "0", "1", "2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_end_as_their_kind_says() {
    let world = World::new(3);
    for (script, code) in [
        (Script::Fatal, ErrorCode::TenantNotFound),
        (Script::Panic, ErrorCode::Internal),
    ] {
        let id = world.submit(JobKind::Scan, script).await;
        let record = world.reach(id, JobState::Failed).await;
        assert_eq!(World::error_code(&record), Some(code));
    }
    let id = world.submit(JobKind::Scan, Script::Finish).await;
    world.reach(id, JobState::Succeeded).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_cannot_be_read_fails() {
    let world = World::new(3);
    let mut job = world
        .engine
        .new_job(JobKind::Scan, TENANT.to_owned(), String::new(), json!(1), &world.ids)
        .unwrap();
    job.params = json!({"nonsense": 1});
    let id = job.id;
    world.engine.submit(job, None).await.unwrap();
    let record = world.reach(id, JobState::Failed).await;
    assert_eq!(World::error_code(&record), Some(ErrorCode::InvalidRequest));
    assert!(
        world
            .engine
            .new_job(
                JobKind::AgentMode,
                TENANT.to_owned(),
                String::new(),
                json!(1),
                &world.ids
            )
            .is_none(),
        "no such operation"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retryable_failure_is_tried_again_after_its_wait() {
    let world = World::new(3);
    let id = world.submit(JobKind::Scan, Script::FailBefore(2)).await;
    world.started(1).await;
    world.reach(id, JobState::Queued).await;
    world.clock.advance(BACKOFF_BASE);
    let record = world.reach(id, JobState::Succeeded).await;
    assert_eq!(record.machine.attempt, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_end_at_the_operations_own_limit() {
    let world = World::new(3);
    let id = world.submit(JobKind::Scan, Script::StoreDown).await;
    for attempt in 1..=3 {
        world.started(attempt).await;
        if attempt < 3 {
            world.reach(id, JobState::Queued).await;
            world.clock.advance(Duration::seconds(30));
        }
    }
    let record = world.reach(id, JobState::Failed).await;
    assert_eq!(World::error_code(&record), Some(ErrorCode::AttemptsExhausted));
    assert_eq!(record.machine.attempt, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_stops_what_runs_and_what_waits() {
    let world = World::new(1);
    let running = world.submit(JobKind::Scan, Script::Hold).await;
    let waiting = world.submit(JobKind::Scan, Script::Hold).await;
    world.started(1).await;
    world.engine.cancel(waiting).await.unwrap();
    assert_eq!(world.state(waiting).await, JobState::Cancelled);
    let record = world.engine.cancel(running).await.unwrap();
    assert_eq!(record.machine.state, JobState::Cancelling);
    world.reach(running, JobState::Cancelled).await;
    assert!(matches!(
        world.engine.cancel(running).await,
        Err(StoreError::Refused(Refused::Finished))
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_that_does_not_stop_is_dropped() {
    let world = World::new(1);
    let id = world.submit(JobKind::Scan, Script::Deaf).await;
    world.started(1).await;
    world.engine.cancel(id).await.unwrap();
    eventually(|| async {
        world.clock.advance(Duration::milliseconds(100));
        world.state(id).await == JobState::Cancelled
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cancels_are_quick() {
    let world = World::new(3);
    let mut took = Vec::new();
    for _ in 0..20 {
        let before = world.probe.started.load(Ordering::SeqCst);
        let id = world.submit(JobKind::Scan, Script::Hold).await;
        world.started(before + 1).await;
        let begin = tokio::time::Instant::now();
        world.engine.cancel(id).await.unwrap();
        let end = world.clock.now() + Duration::HOUR;
        let record = world.engine.wait_terminal(id, end).await.unwrap();
        assert_eq!(record.machine.state, JobState::Cancelled);
        took.push(begin.elapsed());
    }
    took.sort();
    assert!(took[18].as_millis() < 1000, "p95 {:?}", took[18]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_ends_at_its_deadline() {
    let world = World::new(1);
    let id = world.submit(JobKind::Scan, Script::Hold).await;
    world.started(1).await;
    world.clock.advance(Duration::HOUR);
    let record = world.reach(id, JobState::Failed).await;
    assert_eq!(World::error_code(&record), Some(ErrorCode::DeadlineExceeded));
}
