//! A store that does what it is asked, and whose answer is lost.

use std::sync::atomic::AtomicUsize;

use super::ends::line;
use super::*;

impl World {
    async fn reach_in_time(&self, id: JobId, wanted: JobState, within: Duration) -> JobRecord {
        let end = self.clock.now() + within;
        eventually(|| async {
            if self.clock.now() < end {
                self.clock.advance(Duration::milliseconds(250));
            }
            self.state(id).await == wanted
        })
        .await;
        self.jobs.get(id).await.unwrap().unwrap()
    }
}

async fn talk(failing: impl Fn(&WatchedJobs) -> &AtomicUsize, lines: u32) {
    let world = World::new(1);
    failing(&world.jobs).store(2, Ordering::SeqCst);
    let id = world.submit(JobKind::Scan, Script::Talk(lines)).await;
    world.reach_in_time(id, JobState::Succeeded, Duration::minutes(1)).await;
    let events = world.jobs.events(id, Seq::ZERO, 1_000).await.unwrap().events;
    let said: Vec<String> = events.iter().filter_map(line).map(str::to_owned).collect();
    let begins = std::iter::once("attempt 1 begins at one, under lease 1".to_owned());
    let expected: Vec<String> = begins.chain((0..lines).map(|line| line.to_string())).collect();
    assert_eq!(said, expected);
    let all = u64::try_from(events.len()).unwrap();
    assert_eq!(events.last().unwrap().seq, Seq::new(all));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_whose_answer_is_lost_are_written_once() {
    talk(|jobs| &jobs.lost_appends, 120).await;
}

/// The events that wait when an operation ends go with its end, unless they are there already.
#[tokio::test(flavor = "multi_thread")]
async fn events_whose_answer_is_lost_at_the_end_are_written_once() {
    // The operation ends before the first write is tried again.
    talk(|jobs| &jobs.lost_appends, 50).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_were_refused_are_not_given_up() {
    talk(|jobs| &jobs.broken_appends, 120).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_whose_answer_is_lost_is_given_back_before_its_lease_has_passed() {
    const LESS_THAN_A_LEASE: Duration = Duration::seconds(20);
    let world = World::new(1);
    world.jobs.lost_claims.store(2, Ordering::SeqCst);
    let id = world.submit(JobKind::Scan, Script::Finish).await;
    let record = world.reach_in_time(id, JobState::Succeeded, LESS_THAN_A_LEASE).await;
    assert_eq!(record.machine.attempt, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_job_published_that_fails_is_withdrawn() {
    let world = World::new(1);
    let id = world.submit(JobKind::Scan, Script::Fatal).await;
    world.reach(id, JobState::Failed).await;
    eventually(|| async { *world.artifacts.deleted.lock().unwrap() == vec![id] }).await;
}
