//! A seeded simulator over the state machine: several jobs and workers; crashes, stalls past the
//! lease, late messages, cancels, shutdowns.
//!
//! The network is a list of messages that arrive late and in any order. What must hold: a job
//! finishes at most once, attempts never exceed the limit, terminal is final, a stale fence is never
//! accepted, and every job terminates.

use rand::RngExt as _;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use time::{Duration, OffsetDateTime};

use super::{Event, JobError, JobState, MachineState, OnCrash, Policy, Refused, WorkerId, apply};
use crate::error_code::ErrorCode;
use crate::ids::Fence;

const SEEDS: u64 = 20_000;
const JOBS: usize = 3;
const WORKERS: usize = 3;
/// Chaos for so many steps, then only time passes and honest workers finish.
const CHAOTIC_STEPS: usize = 40;
const CALM_STEPS: usize = 400;

struct Job {
    machine: MachineState,
    policy: Policy,
    finished: u32,
    /// Claims that were not given back by a yield.
    counted_claims: u32,
    cancel_requested: bool,
}

/// What a worker believes to be doing. It may be wrong by now.
struct Work {
    job: usize,
    fence: Fence,
}

struct Message {
    job: usize,
    event: Event,
}

struct World {
    random: ChaCha8Rng,
    now: OffsetDateTime,
    jobs: Vec<Job>,
    workers: Vec<Option<Work>>,
    late: Vec<Message>,
    /// Numbers given to processes: a restarted worker is another owner.
    starts: u32,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let now = OffsetDateTime::UNIX_EPOCH;
        let jobs = (0..JOBS).map(|_| Job {
            machine: MachineState::new(now),
            policy: policy(if random.random_bool(0.8) {
                OnCrash::Rerun
            } else {
                OnCrash::Interrupt
            }),
            finished: 0,
            counted_claims: 0,
            cancel_requested: false,
        });
        let jobs = jobs.collect();
        Self {
            random,
            now,
            jobs,
            workers: (0..WORKERS).map(|_| None).collect(),
            late: Vec::new(),
            starts: 0,
        }
    }

    fn run(&mut self) {
        for _ in 0..CHAOTIC_STEPS {
            self.chaos();
        }
        for _ in 0..CALM_STEPS {
            if self.jobs.iter().all(|job| job.machine.state.is_terminal()) {
                break;
            }
            self.calm();
        }
        // What was under way arrives after all is over.
        for message in std::mem::take(&mut self.late) {
            let _ = self.send(message.job, &message.event);
        }
        for job in &self.jobs {
            assert!(
                job.machine.state.is_terminal(),
                "every job terminates: {:?}",
                job.machine
            );
            assert_eq!(job.finished, 1, "exactly one end");
        }
    }

    fn chaos(&mut self) {
        self.pass_time(40);
        let worker = self.random.random_range(0..WORKERS);
        let job = self.random.random_range(0..JOBS);
        match self.random.random_range(0..12_u32) {
            0..=3 => self.work(worker),
            4 => self.claim(worker),
            5 => {
                let _ = self.send(job, &Event::LeaseExpired);
            }
            // Its worker is dead, or only slow: it does not know that it was given up.
            6 => {
                if self.random.random_bool(0.3) {
                    let _ = self.send(job, &Event::OwnerGone);
                }
            }
            7 => {
                if self.random.random_bool(0.3) {
                    self.jobs[job].cancel_requested |= self.send(job, &Event::CancelRequested).is_ok();
                }
            }
            // A crash: what it had sent may still arrive.
            8 => self.workers[worker] = None,
            9 => self.pass_time(90),
            _ => self.deliver(),
        }
    }

    /// Time goes on, leases expire, honest workers finish what they hold.
    fn calm(&mut self) {
        self.now += Duration::seconds(31);
        for job in 0..JOBS {
            let _ = self.send(job, &Event::LeaseExpired);
        }
        for worker in 0..WORKERS {
            self.workers[worker] = None;
            self.claim(worker);
            if let Some(work) = self.workers[worker].take() {
                let _ = self.send(work.job, &Event::Succeeded { fence: work.fence });
            }
        }
    }

    fn pass_time(&mut self, max_seconds: i64) {
        let seconds = self.random.random_range(0..=max_seconds);
        self.now += Duration::seconds(seconds);
    }

    fn claim(&mut self, worker: usize) {
        if self.workers[worker].is_some() {
            return;
        }
        self.starts += 1;
        let owner = WorkerId(format!("{worker}-{}", self.starts));
        for job in 0..JOBS {
            if self.send(job, &Event::Claimed { owner: owner.clone() }).is_ok() {
                let fence = self.jobs[job].machine.fence;
                self.workers[worker] = Some(Work { job, fence });
                return;
            }
        }
    }

    /// The worker says something about its job: now, late, or twice.
    fn work(&mut self, worker: usize) {
        let Some(work) = &self.workers[worker] else {
            return self.claim(worker);
        };
        let (job, fence) = (work.job, work.fence);
        let error = JobError::new(ErrorCode::AzureUnavailable, "no answer");
        let event = match self.random.random_range(0..10_u32) {
            0..=4 => Event::Renewed { fence },
            5 => Event::Succeeded { fence },
            6 => Event::FailedRetryable { fence, error },
            7 => Event::FailedFatal { fence, error },
            8 => Event::Stopped { fence },
            _ => Event::Yielded { fence },
        };
        let ends_work = !matches!(event, Event::Renewed { .. });
        let (now, later) = match self.random.random_range(0..4_u32) {
            0 => (false, true),
            1 => (true, true),
            _ => (true, false),
        };
        if now {
            let _ = self.send(job, &event);
        }
        if later {
            self.late.push(Message { job, event });
        }
        if ends_work {
            self.workers[worker] = None;
        }
    }

    fn deliver(&mut self) {
        if self.late.is_empty() {
            return;
        }
        let at = self.random.random_range(0..self.late.len());
        let message = self.late.swap_remove(at);
        let _ = self.send(message.job, &message.event);
    }

    /// The store: applies an event and checks what must hold.
    fn send(&mut self, at: usize, event: &Event) -> Result<(), Refused> {
        let job = &mut self.jobs[at];
        let before = job.machine.clone();
        let after = apply(&before, event, self.now, &job.policy)?;
        assert!(
            !before.state.is_terminal(),
            "terminal is final: {event:?} on {before:?}"
        );
        if let Some(fence) = fence_of(event) {
            assert_eq!(fence, before.fence, "a stale fence is never accepted: {event:?}");
            assert!(before.state.is_held(), "only a holder speaks: {event:?} on {before:?}");
        }
        if let Event::LeaseExpired = event {
            assert!(before.lease_until.is_some_and(|until| until <= self.now), "{before:?}");
        }
        if let Event::Claimed { .. } = event {
            assert!(after.fence > before.fence && self.now >= before.due);
            job.counted_claims += 1;
        }
        if let (Event::Yielded { .. }, JobState::Queued) = (event, after.state) {
            job.counted_claims -= 1;
        }
        assert!(after.attempt <= job.policy.max_attempts, "{after:?}");
        assert_eq!(after.attempt, job.counted_claims, "attempts are the claims that count");
        assert_eq!(after.state.is_held(), after.owner.is_some(), "{after:?}");
        assert_eq!(after.state.is_held(), after.lease_until.is_some(), "{after:?}");
        assert!(after.fence >= before.fence, "fences only grow");
        if after.state.is_terminal() {
            job.finished += 1;
            assert_eq!(job.finished, 1, "finishes at most once");
            assert_eq!(after.state == JobState::Failed, after.error.is_some(), "{after:?}");
        }
        if after.state == JobState::Cancelled {
            assert!(job.cancel_requested || matches!(event, Event::CancelRequested));
        }
        job.machine = after;
        Ok(())
    }
}

fn policy(on_crash: OnCrash) -> Policy {
    Policy {
        lease: Duration::seconds(30),
        max_attempts: 5,
        backoff_base: Duration::seconds(2),
        backoff_max: Duration::seconds(60),
        on_crash,
    }
}

fn fence_of(event: &Event) -> Option<Fence> {
    match event {
        Event::Renewed { fence }
        | Event::Succeeded { fence }
        | Event::FailedRetryable { fence, .. }
        | Event::FailedFatal { fence, .. }
        | Event::Stopped { fence }
        | Event::Yielded { fence } => Some(*fence),
        Event::Claimed { .. } | Event::CancelRequested | Event::LeaseExpired | Event::OwnerGone => None,
    }
}

#[test]
fn nothing_that_happens_breaks_a_job() {
    let mut ends = std::collections::BTreeMap::new();
    for seed in 0..SEEDS {
        let mut world = World::new(seed);
        let run = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world.run()));
        assert!(run.is_ok(), "seed {seed}");
        for job in &world.jobs {
            let code = job.machine.error.as_ref().map(|error| error.code);
            *ends.entry((job.machine.state, code)).or_insert(0_u32) += 1;
        }
    }
    // The walk is wide enough to prove something: every way to end occurs often.
    for end in [
        (JobState::Succeeded, None),
        (JobState::Cancelled, None),
        (JobState::Failed, Some(ErrorCode::AzureUnavailable)),
        (JobState::Failed, Some(ErrorCode::Interrupted)),
        (JobState::Failed, Some(ErrorCode::AttemptsExhausted)),
    ] {
        assert!(ends.get(&end).copied().unwrap_or_default() > 50, "{end:?} of {ends:?}");
    }
}
