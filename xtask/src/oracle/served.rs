//! A server with a simulated tenant, for judges that need one to ask.

use std::fs;

use anyhow::Context as _;

use crate::demo::{self, Running};
use crate::out::{line, step};
use crate::run::{build_programs, target_dir};

/// Limits that a judge would meet, and that are not what it judges.
const RAISED: [(&str, &str); 3] = [
    ("ATG_RATE_LIMIT_PER_MINUTE", "1000000"),
    ("ATG_RATE_LIMIT_SCANS_PER_HOUR", "1000000"),
    ("ATG_MAX_JOBS_PER_KEY", "1000000"),
];
/// The simulated tenant.
const SEED: u64 = 7;
/// Small: the contract is judged, not the speed.
const RESOURCES: u64 = 60;

/// Both programs; they end with it.
pub(super) struct Served {
    /// Where the server is.
    pub(super) url: String,
    /// Who can be scanned.
    pub(super) tenant: String,
    _server: Running,
    _simulator: Running,
}

/// Builds and starts both, on loopback.
pub(super) fn start(name: &str) -> anyhow::Result<Served> {
    step("building atg");
    build_programs()?;
    step("starting a simulated Azure tenant and the atg server");
    let programs = target_dir().join("debug");
    let folder = target_dir().join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("emptying {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let options = demo::Options {
        exit: true,
        seed: SEED,
        resources: RESOURCES,
        snapshot: None,
        output: None,
        release: false,
    };
    let (simulator_process, simulator) = demo::start_simulator(&programs, &options)?;
    let (server_process, url) = demo::start_server(&programs, &folder, &simulator, &RAISED)?;
    line(&format!("  server {url}, log {}", folder.join("server.log").display()));
    Ok(Served {
        url,
        tenant: simulator.tenant,
        _server: server_process,
        _simulator: simulator_process,
    })
}
