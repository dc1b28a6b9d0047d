//! What befalls the servers: at moments that a seed chooses they are killed, told to leave, or stopped where they are
//! for longer than a lease, and come back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::process::ExitStatus;
use tokio::task::JoinHandle;

use super::fleet::Fleet;

/// Between two acts.
const PAUSE_MS: std::ops::Range<u64> = 500..4_000;
/// How long a server stays away.
const AWAY_MS: std::ops::Range<u64> = 100..3_000;
/// How long one stands still: its leases have passed then, and others have its jobs.
const STILL_MS: std::ops::Range<u64> = 31_000..40_000;
/// Of a hundred acts so many are kills, and so many orders to leave; the others are stops.
const KILLS: u32 = 60;
const LEAVES: u32 = 30;
/// When the first act comes, which is a stop: jobs are running by then.
const FIRST: Duration = Duration::from_secs(2);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// What was done.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) kills: u64,
    pub(crate) leaves: u64,
    /// Of those that left, these had to drop work.
    pub(crate) late: u64,
    pub(crate) stops: u64,
}

enum State {
    There,
    Away(Instant),
    Still(Instant),
    Leaving(JoinHandle<ExitStatus>),
}

struct Unrest {
    fleet: Arc<Fleet>,
    random: ChaCha8Rng,
    states: Vec<State>,
    done: Done,
}

/// Disturbs for so long; then all servers are there.
pub(crate) async fn disturb(fleet: Arc<Fleet>, seed: u64, lasting: Duration) -> Done {
    let mut unrest = Unrest {
        random: ChaCha8Rng::seed_from_u64(seed),
        states: (0..fleet.size()).map(|_| State::There).collect(),
        done: Done::default(),
        fleet,
    };
    let started = Instant::now();
    let mut act_at = started + FIRST;
    while started.elapsed() < lasting {
        unrest.mend().await;
        if Instant::now() >= act_at {
            unrest.act();
            act_at = Instant::now() + unrest.some_time(PAUSE_MS);
        }
        tokio::time::sleep(LOOK).await;
    }
    while !unrest.states.iter().all(|state| matches!(state, State::There)) {
        unrest.mend().await;
        tokio::time::sleep(LOOK).await;
    }
    unrest.done
}

impl Unrest {
    fn some_time(&mut self, ms: std::ops::Range<u64>) -> Duration {
        Duration::from_millis(self.random.random_range(ms))
    }

    fn act(&mut self) {
        let there = self.states.iter().enumerate();
        let there: Vec<usize> = there
            .filter(|(_, state)| matches!(state, State::There))
            .map(|(place, _)| place)
            .collect();
        if there.is_empty() {
            return;
        }
        let place = there[self.random.random_range(0..there.len())];
        let is_first = self.done.stops == 0;
        let number = self.random.random_range(0..100);
        self.states[place] = if is_first || number >= KILLS + LEAVES {
            self.done.stops += 1;
            self.fleet.pause(place);
            State::Still(Instant::now() + self.some_time(STILL_MS))
        } else if number < KILLS {
            self.done.kills += 1;
            self.fleet.kill(place);
            State::Away(Instant::now() + self.some_time(AWAY_MS))
        } else {
            self.done.leaves += 1;
            State::Leaving(self.fleet.leave(place))
        };
    }

    /// Lets those come back whose time it is.
    async fn mend(&mut self) {
        for place in 0..self.states.len() {
            let now = Instant::now();
            match &mut self.states[place] {
                State::Away(until) if now >= *until => {
                    self.fleet.join(place);
                    self.states[place] = State::There;
                }
                State::Still(until) if now >= *until => {
                    self.fleet.resume(place);
                    self.states[place] = State::There;
                }
                State::Leaving(left) if left.is_finished() => {
                    let status = left.await.unwrap();
                    // One that had to drop its work after its time of grace says so: others take it up.
                    let is_late = status.code() == Some(1);
                    assert!(
                        status.success() || is_late,
                        "a server that was told to leave ended with {status}"
                    );
                    if is_late {
                        self.done.late += 1;
                        println!("a server left late: {}", self.fleet.log_tail(place));
                    }
                    let until = Instant::now() + self.some_time(AWAY_MS);
                    self.states[place] = State::Away(until);
                }
                State::There | State::Away(_) | State::Still(_) | State::Leaving(_) => {}
            }
        }
    }
}
