//! Servers over one Neo4j, behind one address; any of them can be taken away and come back.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::{Arc, Mutex};

use atg_client::Client;
use atg_models::TenantId;
use atg_neo4j::Server;
use atg_sim::world::{SeededWorld, World};
use atg_sim::{SimConfig, Simulator};
use atg_tests::{Balancer, KEY, ServerProcess};
use tempfile::TempDir;

use crate::bench::slow;

/// Keys of the clients that only read: a key may have so many streams and no more.
const READER_KEYS: usize = 40;

pub(crate) struct Fleet {
    // First: they go before what they work with.
    places: Vec<Mutex<Option<ServerProcess>>>,
    pub(crate) balancer: Balancer,
    pub(crate) azure: Azure,
    pub(crate) neo4j: Server,
    folder: TempDir,
}

impl Fleet {
    /// So many servers, all there.
    pub(crate) fn start(neo4j: Server, azure: Azure, servers: usize) -> Self {
        let fleet = Self {
            places: (0..servers).map(|_| Mutex::default()).collect(),
            balancer: Balancer::start(servers),
            azure,
            neo4j,
            folder: atg_tests::folder(),
        };
        (0..servers).for_each(|place| fleet.join(place));
        fleet
    }

    pub(crate) fn size(&self) -> usize {
        self.places.len()
    }

    /// Where clients find it.
    pub(crate) fn url(&self) -> &str {
        self.balancer.url()
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.url(), Some(KEY.to_owned().into())).unwrap()
    }

    /// A folder for what a test writes.
    pub(crate) fn scratch(&self) -> &Path {
        self.folder.path()
    }

    /// Where the results of all lie.
    pub(crate) fn results(&self) -> PathBuf {
        self.folder.path().join("results")
    }

    /// A server comes, or comes back.
    pub(crate) fn join(&self, place: usize) {
        let folder = self.folder.path().join(format!("server-{place}"));
        std::fs::create_dir_all(&folder).unwrap();
        let access = self.neo4j.access();
        let mut command = ServerProcess::command(&folder, self.azure.url());
        self.azure.sign_in(&mut command, &folder);
        command
            .env("ATG_LOG", "info")
            .env("ATG_STORE", "neo4j")
            .env("NEO4J_URI", access.uri)
            .env("NEO4J_USER", access.user)
            .env("NEO4J_PASSWORD", access.password)
            .env("ATG_ARTIFACT_URL", format!("file://{}", self.results().display()))
            .env("ATG_API_KEYS", keys().join(","))
            .env("ATG_MAX_JOBS_PER_KEY", "1000")
            .env("ATG_RATE_LIMIT_SCANS_PER_HOUR", "100000")
            .env("ATG_RATE_LIMIT_PER_MINUTE", "1000000");
        let server = tokio::task::block_in_place(|| ServerProcess::start(command, &folder));
        self.balancer.put(place, &server.url);
        *self.place(place) = Some(server);
    }

    /// A server ends as in a power cut.
    pub(crate) fn kill(&self, place: usize) {
        let server = self.place(place).take().unwrap();
        tokio::task::block_in_place(|| server.kill());
        self.balancer.take(place);
    }

    /// A server is told to leave; answers how it did. New clients find it until it has.
    pub(crate) fn leave(self: &Arc<Self>, place: usize) -> tokio::task::JoinHandle<ExitStatus> {
        let server = self.place(place).take().unwrap();
        let fleet = Arc::clone(self);
        tokio::task::spawn_blocking(move || {
            let status = server.terminate();
            fleet.balancer.take(place);
            status
        })
    }

    /// A server stands still, and does not know it.
    pub(crate) fn pause(&self, place: usize) {
        self.place(place).as_ref().unwrap().pause();
    }

    /// It goes on where it was.
    pub(crate) fn resume(&self, place: usize) {
        self.place(place).as_ref().unwrap().resume();
    }

    /// The end of what a server has logged.
    pub(crate) fn log_tail(&self, place: usize) -> String {
        const LINES: usize = 25;
        let log = self.folder.path().join(format!("server-{place}/server.log"));
        let log = std::fs::read_to_string(log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LINES)..].join("\n")
    }

    fn place(&self, place: usize) -> std::sync::MutexGuard<'_, Option<ServerProcess>> {
        self.places[place].lock().unwrap()
    }
}

/// The key that gives orders, and those that read.
pub(crate) fn keys() -> Vec<String> {
    let readers = (0..READER_KEYS).map(reader_key);
    std::iter::once(KEY.to_owned()).chain(readers).collect()
}

/// One of the readers' keys.
pub(crate) fn reader_key(number: usize) -> String {
    format!("atg_dev_{:08x}{}", number % READER_KEYS, "b".repeat(56))
}

/// A few small tenants at one address. A service principal reads them, as their tokens tell them apart.
pub(crate) struct Azure {
    sim: Simulator,
    pub(crate) tenants: Vec<TenantId>,
}

impl Azure {
    /// So many tenants of so many resources; each answer takes so long.
    pub(crate) fn start(tenants: u64, resources: usize, slow_ms: u64) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mut worlds: Vec<Arc<dyn World>> = Vec::new();
        for seed in 1..=tenants {
            worlds.push(Arc::new(SeededWorld::new(seed, resources)));
        }
        let tenants = worlds.iter().map(|world| world.tenant_id()).collect();
        let mut config = SimConfig::new(worlds.remove(0));
        config.beside = worlds;
        config.tls = true;
        config.quotas = false;
        config.arg_page_rows = 20;
        config.arm_page_rows = 20;
        config.graph_page_rows = 20;
        config.faults = vec![slow(slow_ms)];
        Self {
            sim: Simulator::start(config).unwrap(),
            tenants,
        }
    }

    /// Nothing is slow any more.
    pub(crate) fn hurry(&self) {
        self.sim.clear_faults();
    }

    pub(crate) fn url(&self) -> &str {
        self.sim.tls_url().unwrap()
    }

    /// Lets a server read them.
    pub(crate) fn sign_in(&self, command: &mut std::process::Command, folder: &Path) {
        let certificate = folder.join("certificate.pem");
        std::fs::write(&certificate, self.sim.certificate_pem().unwrap()).unwrap();
        command
            .env_remove("ATG_AZURE_STATIC_TOKEN")
            .env("SSL_CERT_FILE", certificate)
            .env("ATG_AZURE_CREDENTIAL", "client_secret")
            .env("AZURE_TENANT_ID", self.tenants[0].to_string())
            .env("AZURE_CLIENT_ID", "11111111-1111-1111-1111-111111111111")
            .env("AZURE_CLIENT_SECRET", "a-secret-of-the-tests");
    }
}
