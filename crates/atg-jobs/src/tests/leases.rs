//! Leases, recovery, shutdown, admission, and a store that is away.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_renewed_while_the_work_goes_on() {
    let world = World::new(1);
    let id = world.submit(JobKind::Scan, Script::Hold).await;
    world.started(1).await;
    for renewals in 1..=6 {
        world.clock.advance(Duration::seconds(10));
        eventually(|| async { world.jobs.renewals.load(Ordering::SeqCst) >= renewals }).await;
    }
    assert_eq!(world.state(id).await, JobState::Running);
    world.probe.permits.add_permits(1);
    assert_eq!(world.reach(id, JobState::Succeeded).await.machine.attempt, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_slept_past_its_leases_goes_on_with_its_own_jobs() {
    let world = World::new(1);
    let id = world.submit(JobKind::Scan, Script::Hold).await;
    world.started(1).await;
    world.clock.advance(Duration::minutes(5));
    eventually(|| async { world.jobs.renewals.load(Ordering::SeqCst) >= 1 }).await;
    world.probe.permits.add_permits(1);
    assert_eq!(world.reach(id, JobState::Succeeded).await.machine.attempt, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_lost_its_job_stops_and_writes_nothing() {
    let world = World::new(1);
    let id = world.submit(JobKind::Scan, Script::Hold).await;
    world.started(1).await;
    let now = world.clock.now();
    let other = WorkerId("other".to_owned());
    world
        .jobs
        .transition(id, Event::OwnerGone, Transition::default(), now)
        .await
        .unwrap();
    world.jobs.claim(&other, now).await.unwrap().unwrap();
    world.clock.advance(Duration::seconds(10));
    eventually(|| async { world.engine.running() == 0 }).await;
    let record = world.reach(id, JobState::Running).await;
    assert_eq!(record.machine.owner, Some(other));
    // Nobody renews the other worker's lease: the job comes back.
    world.probe.permits.add_permits(1);
    world.clock.advance(Duration::seconds(30));
    let record = world.reach(id, JobState::Succeeded).await;
    assert_eq!(record.machine.fence, Fence::new(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_of_a_dead_process_are_taken_up_at_once() {
    let mut world = World::new(3);
    let now = world.clock.now();
    let scan = world
        .engine
        .new_job(
            JobKind::Scan,
            TENANT.to_owned(),
            String::new(),
            json!(Script::Finish),
            &world.ids,
        )
        .unwrap();
    let iac = world
        .engine
        .new_job(
            JobKind::GenerateIac,
            String::new(),
            String::new(),
            json!(Script::Finish),
            &world.ids,
        )
        .unwrap();
    world.engine.shutdown(now).await;
    let dead = WorkerId("dead".to_owned());
    for job in [scan.clone(), iac.clone()] {
        world.jobs.insert(job, None).await.unwrap();
        world.jobs.claim(&dead, now).await.unwrap().unwrap();
    }
    world.next_process();
    let record = world.reach(scan.id, JobState::Succeeded).await;
    assert_eq!(record.machine.attempt, 2);
    let record = world.reach(iac.id, JobState::Failed).await;
    assert_eq!(World::error_code(&record), Some(ErrorCode::Interrupted));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_yields_and_the_next_process_goes_on_from_the_checkpoint() {
    let mut world = World::new(3);
    let id = world.submit(JobKind::Scan, Script::Checkpoint).await;
    eventually(|| async { world.jobs.checkpoint_get(id).await.unwrap().is_some() }).await;
    let report = world.engine.shutdown(world.clock.now() + Duration::MINUTE).await;
    assert_eq!(report.dropped, 0);
    assert_eq!(world.state(id).await, JobState::Queued);
    world.next_process();
    let record = world.reach(id, JobState::Succeeded).await;
    assert_eq!(record.machine.attempt, 1, "a yield is not counted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_does_not_wait_for_ever() {
    let world = World::new(3);
    let id = world.submit(JobKind::Scan, Script::Deaf).await;
    world.started(1).await;
    let report = world.engine.shutdown(world.clock.now()).await;
    assert_eq!(report.dropped, 1);
    assert_eq!(world.state(id).await, JobState::Queued, "given back, not lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn scans_of_a_tenant_run_one_by_one_and_readers_together() {
    let world = World::new(9);
    let first = world.submit(JobKind::Scan, Script::Hold).await;
    world.started(1).await;
    let second = world.submit(JobKind::Scan, Script::Hold).await;
    let readers = [
        world.submit(JobKind::GenerateIac, Script::Hold).await,
        world.submit(JobKind::GenerateIac, Script::Hold).await,
    ];
    let elsewhere = "22222222-2222-2222-2222-222222222222";
    let other = world.submit_for(JobKind::Scan, Script::Finish, elsewhere).await;
    world.reach(other, JobState::Succeeded).await;
    assert_eq!(world.state(second).await, JobState::Queued);
    world.probe.permits.add_permits(1);
    world.reach(first, JobState::Succeeded).await;
    world.reach(second, JobState::Running).await;
    assert_eq!(world.state(readers[0]).await, JobState::Queued);
    world.probe.permits.add_permits(1);
    for reader in readers {
        world.reach(reader, JobState::Running).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_jobs_run_than_allowed() {
    let world = World::new(2);
    for tenant in 0..4 {
        let tenant = format!("00000000-0000-0000-0000-00000000000{tenant}");
        world.submit_for(JobKind::Scan, Script::Hold, &tenant).await;
    }
    for started in 2..=4 {
        world.started(started).await;
        assert!(world.engine.running() <= 2);
        world.probe.permits.add_permits(1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_away_is_waited_for() {
    let world = World::new(1);
    let id = world.submit(JobKind::Scan, Script::Hold).await;
    world.started(1).await;
    world.jobs.down.store(true, Ordering::SeqCst);
    world.probe.permits.add_permits(1);
    for _ in 0..50 {
        world.clock.advance(Duration::SECOND);
        tokio::task::yield_now().await;
    }
    assert_eq!(world.engine.running(), 1, "the end waits to be written");
    world.jobs.down.store(false, Ordering::SeqCst);
    eventually(|| async {
        world.clock.advance(Duration::SECOND);
        world.state(id).await == JobState::Succeeded
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_jobs_go_with_their_artifacts() {
    let world = World::new(1);
    let id = world.submit(JobKind::Scan, Script::Finish).await;
    world.reach(id, JobState::Succeeded).await;
    world.clock.advance(Duration::days(31));
    eventually(|| async { world.jobs.get(id).await.unwrap().is_none() }).await;
    eventually(|| async { world.artifacts.sweeps.load(Ordering::SeqCst) >= 2 }).await;
    assert_eq!(*world.artifacts.deleted.lock().unwrap(), vec![id]);
}
