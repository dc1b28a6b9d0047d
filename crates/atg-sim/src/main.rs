//! Starts a simulated tenant and serves it until it is told to stop.
//!
//! The first line of the standard output is a JSON object with the URLs; it is written when
//! requests are accepted. Logs go to the standard error.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use atg_sim::world::{SeededWorld, SnapshotWorld, World};
use atg_sim::{Fault, SimConfig, Simulator};
use clap::Parser;
use serde_json::json;

/// A simulated Azure tenant: Entra tokens, ARM, Resource Graph and Microsoft Graph on the loopback interface.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    /// The seed of the tenant: the same seed and size give the same answers
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// How many resources the tenant holds
    #[arg(long, default_value_t = 2_000)]
    resources: usize,
    /// Port on the loopback interface; 0 lets the system choose
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Serve HTTPS and an HTTPS proxy as well, with a self-signed certificate
    #[arg(long)]
    tls: bool,
    /// Where to write the certificate (PEM); beside the other temporary files when absent
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// Serve the bodies of this file instead of a seeded tenant
    #[arg(long, value_name = "FILE")]
    snapshot: Option<PathBuf>,
    /// Do not enforce the documented budgets
    #[arg(long)]
    no_quota: bool,
    /// Permute rows where nothing orders them
    #[arg(long, value_name = "N")]
    order_seed: Option<u64>,
    /// Change the casing of ids and types
    #[arg(long, value_name = "N")]
    casing_seed: Option<u64>,
    /// What goes wrong: NAME[:lane=…,path=…,nth=…,count=…,value=…,target=…] or NAME:seed=N
    #[arg(long = "fault", value_name = "FAULT", value_parser = Fault::parse)]
    faults: Vec<Fault>,
    /// Life of a token
    #[arg(long, value_name = "SECONDS", default_value_t = 3_600)]
    token_ttl: u64,
    /// The only client secret that is accepted; any, when absent
    #[arg(long, value_name = "SECRET")]
    client_secret: Option<String>,
    /// Most rows of a Resource Graph page
    #[arg(long, value_name = "ROWS", default_value_t = 1_000)]
    page_rows: usize,
    /// Serve /_sim/… (stats, faults, marks, planted changes)
    #[arg(long)]
    control: bool,
}

fn main() -> anyhow::Result<()> {
    // Before anything can ask for a provider; it is the only one, so a second call changes nothing.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(tracing::Level::WARN)
        .init();
    let options = Options::parse();
    let world = world(&options)?;
    let left_out = world.left_out().len();
    let mut config = SimConfig::new(Arc::clone(&world));
    config.port = options.port;
    config.tls = options.tls;
    config.quotas = !options.no_quota;
    config.order_seed = options.order_seed;
    config.casing_seed = options.casing_seed;
    config.seed = options.seed;
    config.faults.clone_from(&options.faults);
    config.token_ttl_s = options.token_ttl;
    config.client_secret.clone_from(&options.client_secret);
    config.arg_page_rows = options.page_rows.clamp(1, 1_000);
    config.control = options.control;
    let simulator = Simulator::start(config)?;
    let certificate = write_certificate(&simulator, &options)?;
    let line = json!({
        "url": simulator.url(),
        "tls_url": simulator.tls_url(),
        "proxy_url": simulator.proxy_url(),
        "certificate": certificate,
        "tenant_id": world.tenant_id().to_string(),
        "domain": world.domain(),
        "left_out": left_out,
    });
    let mut out = std::io::stdout();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .context("cannot write the URL")?;
    wait_for_the_end()?;
    simulator.stop();
    Ok(())
}

fn world(options: &Options) -> anyhow::Result<Arc<dyn World>> {
    if let Some(file) = &options.snapshot {
        let world =
            SnapshotWorld::from_file(file).with_context(|| format!("cannot serve the bodies of {}", file.display()))?;
        return Ok(Arc::new(world));
    }
    Ok(Arc::new(SeededWorld::new(options.seed, options.resources)))
}

fn write_certificate(simulator: &Simulator, options: &Options) -> anyhow::Result<Option<PathBuf>> {
    let (Some(pem), Some(url)) = (simulator.certificate_pem(), simulator.tls_url()) else {
        return Ok(None);
    };
    let port = url.rsplit(':').next().unwrap_or_default();
    let beside = || std::env::temp_dir().join(format!("atg-sim-{port}.pem"));
    let path = options.certificate.clone().unwrap_or_else(beside);
    std::fs::write(&path, pem).with_context(|| format!("cannot write the certificate to {}", path.display()))?;
    let path = path.canonicalize().context("cannot find the certificate again")?;
    Ok(Some(path))
}

/// Returns on an interrupt or when asked to end.
fn wait_for_the_end() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut ended = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted?,
            _ = ended.recv() => {}
        }
        Ok(())
    })
}
