//! Where a world keeps what it keeps: in a folder, or with `ATG_TEST_STORE=neo4j` in a Neo4j.
//!
//! A Neo4j holds one database, and jobs and keys are of the whole database: so a world has one to itself as long
//! as it lives, out of the few that the environment names. It is emptied before a world gets it, and what is
//! left of the world before cannot reach it: that one's way to it is a proxy which ended with it.

use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use atg_db::neo4j::{ByHand, Neo4jConfig};
use atg_neo4j::{Access, Measured};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::BoltProxy;

/// The tests of the integration suite that are about the embedded store itself, and why. They run on it in every
/// pass; all others run on either store.
pub const EMBEDDED: &[(&str, &str)] = &[
    (
        "keys::life::production_starts_with_a_stored_key_of_its_own_only",
        "stores its keys in a data folder that no server has opened yet",
    ),
    (
        "rate_limits::a_day_passes",
        "a day of the server's clock; servers that share a store go by the store's, which no test moves",
    ),
    (
        "retention::results_and_jobs_are_kept_for_their_time",
        "days of the server's clock, to the minute; servers that share a store go by the store's",
    ),
];

/// Which store worlds have, unless they choose.
const STORE: &str = "ATG_TEST_STORE";
/// How long a world waits for its turn: as long as the longest tests before it.
const TURN_WITHIN: Duration = Duration::from_mins(5);

static POOL: LazyLock<Pool> = LazyLock::new(|| {
    let servers: Vec<_> = [Access::from_environment(), Access::second_from_environment()]
        .into_iter()
        .flatten()
        .collect();
    assert!(
        !servers.is_empty(),
        "{STORE}=neo4j needs NEO4J_TEST_URI and NEO4J_TEST_PASSWORD: cargo xtask neo4j starts a server"
    );
    Pool {
        turns: Arc::new(Semaphore::new(servers.len())),
        free: Mutex::new(servers),
    }
});

struct Pool {
    turns: Arc<Semaphore>,
    free: Mutex<Vec<Access>>,
}

/// An empty database that nobody else uses as long as this lives, or another server's way to the same.
pub struct Database {
    // First: who comes next must not meet what passes here.
    proxy: BoltProxy,
    access: Access,
    turn: Option<Arc<Turn>>,
}

/// One of the pool's databases, given back when the last way to it is gone.
struct Turn {
    access: Access,
    _permit: OwnedSemaphorePermit,
}

impl Database {
    /// Whether worlds that do not choose have one.
    pub fn is_wanted() -> bool {
        match std::env::var(STORE).as_deref() {
            Err(_) | Ok("" | "sqlite") => false,
            Ok("neo4j") => true,
            Ok(other) => panic!("{STORE}={other}: sqlite and neo4j are known"),
        }
    }

    /// One for this test, if its store is Neo4j.
    pub(crate) async fn for_this_test() -> Option<Self> {
        let thread = std::thread::current();
        let name = thread.name().unwrap_or_default();
        if !Self::is_wanted() || EMBEDDED.iter().any(|(test, _)| *test == name) {
            return None;
        }
        let turn = tokio::time::timeout(TURN_WITHIN, Arc::clone(&POOL.turns).acquire_owned());
        let turn = turn
            .await
            .expect("no database was free in time: does a test keep two worlds?");
        let access = POOL.free.lock().unwrap().pop().unwrap();
        let mut database = Self::at(access.clone());
        database.turn = Some(Arc::new(Turn {
            access,
            _permit: turn.unwrap(),
        }));
        ByHand::new(&config(&database.access)).unwrap().wipe().await.unwrap();
        database.prepare().await;
        Some(database)
    }

    /// A server of the test's own, as it is.
    pub fn at(access: Access) -> Self {
        let port = access.uri.rsplit(':').next().and_then(|port| port.parse().ok());
        Self {
            proxy: BoltProxy::start(port.unwrap_or_else(|| panic!("{} names no port", access.uri))),
            access,
            turn: None,
        }
    }

    /// Another server's way to it, with a proxy of its own.
    #[must_use]
    pub fn another_way(&self) -> Self {
        let mut other = Self::at(self.access.clone());
        other.turn.clone_from(&self.turn);
        other
    }

    /// Brings the schema up to this version. A server does so by itself, and waits for a cold database only so long.
    pub async fn prepare(&self) {
        atg_db::neo4j::migrate(&config(&self.access)).await.unwrap();
    }

    /// What is between the world's server and it.
    pub fn proxy(&self) -> &BoltProxy {
        &self.proxy
    }

    /// The settings that lead a server to it.
    pub(crate) fn settings(&self) -> [(String, String); 4] {
        let named = |name: &str, value: String| (name.to_owned(), value);
        [
            named("ATG_STORE", "neo4j".to_owned()),
            named("NEO4J_URI", self.proxy.uri()),
            named("NEO4J_USER", self.access.user.clone()),
            named("NEO4J_PASSWORD", self.access.password.clone()),
        ]
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        POOL.free.lock().unwrap().push(self.access.clone());
    }
}

/// The way to a server past every proxy.
pub fn config(access: &Access) -> Neo4jConfig {
    Neo4jConfig {
        uri: access.uri.clone(),
        user: access.user.clone(),
        password: access.password.clone().into(),
        database: None,
        ca_file: None,
        pool_size: 2,
        instance: "test".to_owned(),
    }
}

/// A Neo4j for a measurement, with nothing in it.
pub async fn emptied_neo4j() -> Measured {
    let server = Measured::from_environment().unwrap();
    let server = server.expect("NEO4J_TEST_JARS or NEO4J_TEST_URI: cargo xtask bench sets one");
    let by_hand = ByHand::new(&config(server.access())).unwrap();
    by_hand.wipe().await.unwrap();
    server
}
