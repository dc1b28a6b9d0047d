//! Leases go by the database's clock: a machine whose clock is wrong takes no job from the others, and loses none.

use atg_models::JobId;
use atg_models::api::{CompletionStatus, JobStatusResponse};
use atg_tests::{Setup, ShiftedClock, World, until};
use reqwest::Method;
use time::{Duration, OffsetDateTime};

use super::{first, slow};

/// What the clocks of two programs on one machine may seem apart.
const APART: Duration = Duration::seconds(3);

fn wrong_by(by: Duration) -> ShiftedClock {
    let clock = ShiftedClock::default();
    clock.advance(by);
    clock
}

async fn wrong(world: &World, by: Duration) -> World {
    let setup = Setup::beside(world).clock(wrong_by(by)).time_of_the_store();
    Box::pin(setup.start()).await
}

async fn ended(world: &World, job: JobId) -> JobStatusResponse {
    assert_eq!(world.completion(job).await.status, CompletionStatus::Completed);
    world.client.operation(job).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_wrong_takes_no_job_from_others() {
    let Some(right) = first(Setup::new(7, 300).time_of_the_store()).await else {
        return;
    };
    slow(&right, 150);
    let job = right.start_scan().await;
    let calls = || right.sim.stats().calls.values().sum::<u64>();
    until("the first server scans", async || (calls() >= 3).then_some(())).await;
    let ahead = wrong(&right, Duration::HOUR).await;
    let behind = wrong(&right, -Duration::HOUR).await;
    for world in [&ahead, &behind] {
        assert_eq!(
            ended(world, job).await.attempt,
            1,
            "somebody took it for a dead server's"
        );
    }
}

/// Until the database answers, nobody can say how wrong a clock is.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_not_compared_yet_takes_no_job_from_others() {
    let Some(right) = first(Setup::new(7, 300).time_of_the_store()).await else {
        return;
    };
    slow(&right, 150);
    let job = right.start_scan().await;
    let away = right.database().unwrap().another_way();
    away.proxy().refuse(true);
    let setup = Setup::beside(&right).neo4j(away).clock(wrong_by(Duration::HOUR));
    let ahead = Box::pin(setup.time_of_the_store().start()).await;
    assert_eq!(
        ahead.anonymous(Method::GET, "/readyz").send().await.unwrap().status(),
        503
    );
    ahead.database().unwrap().proxy().refuse(false);
    until("it is ready", async || {
        let ready = ahead.anonymous(Method::GET, "/readyz").send().await.unwrap();
        (ready.status() == 200).then_some(())
    })
    .await;
    assert_eq!(
        ended(&ahead, job).await.attempt,
        1,
        "it took the job for a dead server's"
    );
    // Once it has compared them, it works like the others.
    let mut right = right;
    right.stop_server().await;
    ahead.scan().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_wrong_loses_no_job_to_others() {
    let setup = Setup::new(7, 300).time_of_the_store().clock(wrong_by(-Duration::HOUR));
    let Some(behind) = first(setup).await else { return };
    slow(&behind, 150);
    let job = behind.start_scan().await;
    let calls = || behind.sim.stats().calls.values().sum::<u64>();
    until("the first server scans", async || (calls() >= 3).then_some(())).await;
    let right = Box::pin(Setup::beside(&behind).time_of_the_store().start()).await;
    let status = ended(&right, job).await;
    assert_eq!(status.attempt, 1, "its lease was taken for one that has passed");
    let now = OffsetDateTime::now_utc();
    for at in [status.created_at, status.completed_at.unwrap()] {
        assert!(
            at <= now + APART && at >= now - Duration::MINUTE - APART,
            "{at} at {now}"
        );
    }
}
