//! Several servers over one database, each with its own way to it. They run where worlds are on Neo4j
//! (`ATG_TEST_STORE=neo4j`): a data folder is one server's.

mod clock;
mod drain;
mod idempotency;
mod jobs;
mod keys;
mod news;
mod rates;
mod retention;
mod scans;
mod tickets;

use atg_sim::{Fault, FaultKind};
use atg_tests::{Database, Setup, World};

/// The first of several servers; `None` where a world has a data folder.
async fn first(setup: Setup) -> Option<World> {
    if !Database::is_wanted() {
        println!("left out: several servers need a Neo4j (cargo xtask test runs these tests on one)");
        return None;
    }
    Some(Box::pin(setup.start()).await)
}

/// One more.
async fn another(world: &World) -> World {
    Box::pin(Setup::beside(world).start()).await
}

async fn two(setup: Setup) -> Option<[World; 2]> {
    let one = first(setup).await?;
    let other = another(&one).await;
    Some([one, other])
}

/// From now on Azure takes so long over each answer.
fn slow(world: &World, ms: u64) {
    world.sim.arm(Fault {
        count: u64::MAX,
        value: Some(ms),
        ..Fault::new(FaultKind::Slow)
    });
}
