//! The commands of the program: the one place that reads the process environment and prints.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is the program's terminal output"
)]

use std::io::IsTerminal as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use atg_server::{Config, ConfigError, Loaded, RunningServer, StopReport, SystemClock, SystemIds};

use crate::keys_command::{self, KeysCommand};

/// How long threads may take to end after the server has.
const THREADS_GRACE: std::time::Duration = std::time::Duration::from_secs(2);

/// Runs the server until it is told to stop.
pub(crate) fn serve(config: Option<&Path>, port: Option<u16>) -> ExitCode {
    let loaded = match load(config, port) {
        Ok(loaded) => loaded,
        Err(problems) => return refuse(&problems),
    };
    start_log(&loaded.config);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("starting the runtime");
    let ended = runtime.and_then(|runtime| {
        let ended = runtime.block_on(run(loaded.config));
        // Work on other threads that does not end cannot keep the program.
        runtime.shutdown_timeout(THREADS_GRACE);
        ended
    });
    match ended {
        Ok(StopReport { clean: true }) => ExitCode::SUCCESS,
        Ok(StopReport { clean: false }) => fail("some work did not stop in time; it goes on at the next start"),
        Err(error) => fail(&format!("{error:#}")),
    }
}

async fn run(mut config: Config) -> anyhow::Result<StopReport> {
    let mut signals = StopSignals::listen()?;
    let _too_large = outlive_a_file_size_limit()?;
    let generated = atg_server::generated_key(&mut config, &SystemClock, &SystemIds).await?;
    let server = tokio::select! {
        server = RunningServer::start(config, Arc::new(SystemClock), Arc::new(SystemIds)) => server?,
        () = signals.next() => anyhow::bail!("told to stop before it had started"),
    };
    if let Some(key) = generated {
        eprintln!(
            "No ATG_API_KEYS is set and no key is stored: this key is valid until the server stops: {}",
            key.expose()
        );
    }
    println!("atg-server listening on {}", server.url());
    signals.next().await;
    tracing::info!("stopping: running jobs are given back, a second signal ends at once");
    tokio::select! {
        report = server.stop() => Ok(report),
        () = signals.next() => anyhow::bail!("ended by a second signal; running jobs go on at the next start"),
    }
}

/// Under a limit of file sizes (`ulimit -f`, a quota) a write that passes it raises a signal that would end the
/// program. Once that is listened for, the write fails instead, and what waits for the disk goes on later.
fn outlive_a_file_size_limit() -> anyhow::Result<tokio::signal::unix::Signal> {
    use nix::sys::signal::Signal;
    use tokio::signal::unix::{SignalKind, signal};
    #[expect(
        clippy::as_conversions,
        reason = "the number of a signal is what the kind is made from"
    )]
    let number = Signal::SIGXFSZ as i32;
    signal(SignalKind::from_raw(number)).context("listening for SIGXFSZ")
}

/// What tells the program to stop. Listened for from the start on: a signal that came before would end it at once.
struct StopSignals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl StopSignals {
    fn listen() -> anyhow::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate()).context("listening for SIGTERM")?,
            interrupt: signal(SignalKind::interrupt()).context("listening for Ctrl-C")?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Prints what holds.
pub(crate) fn check_config(config: Option<&Path>, port: Option<u16>) -> ExitCode {
    match load(config, port) {
        Ok(loaded) => {
            print!("{}", loaded.effective);
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let checked = runtime.context("starting the runtime").and_then(|runtime| {
                let now = atg_models::Clock::now(&SystemClock);
                runtime.block_on(atg_server::check_key(&loaded.config, now, &SystemIds))
            });
            match checked {
                Ok(None) => ExitCode::SUCCESS,
                Ok(Some(problem)) => {
                    eprintln!("atg-server: notice: the server would start, and wait: {problem}");
                    ExitCode::SUCCESS
                }
                Err(error) => fail(&format!("{error:#}")),
            }
        }
        Err(problems) => refuse(&problems),
    }
}

/// Does something with the stored keys.
pub(crate) fn keys(config: Option<&Path>, command: &KeysCommand) -> ExitCode {
    match load(config, None) {
        Ok(loaded) => keys_command::run(&loaded.config, command),
        Err(problems) => refuse(&problems),
    }
}

/// Prints the `OpenAPI` document.
pub(crate) fn openapi() -> ExitCode {
    match atg_server::openapi_json() {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => fail(&error.to_string()),
    }
}

/// Prints the reference of all settings.
pub(crate) fn configuration() -> ExitCode {
    print!("{}", atg_server::configuration_reference());
    ExitCode::SUCCESS
}

/// Prints the reference of all metrics.
pub(crate) fn metrics() -> ExitCode {
    print!("{}", atg_server::metrics_reference());
    ExitCode::SUCCESS
}

/// Says why the program ends.
pub(crate) fn fail(message: &str) -> ExitCode {
    eprintln!("atg-server: {message}");
    ExitCode::FAILURE
}

pub(crate) fn refuse(problems: &[ConfigError]) -> ExitCode {
    eprintln!("atg-server: the configuration is not valid:");
    for problem in problems {
        eprintln!("  {problem}");
    }
    ExitCode::FAILURE
}

pub(crate) fn load(config: Option<&Path>, port: Option<u16>) -> Result<Loaded, Vec<ConfigError>> {
    let environment =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    atg_server::load_config(environment, Some(Path::new(".env")), config, port)
}

fn start_log(config: &Config) {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_new(&config.log_filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        // Where the log cannot be written, saying so on the same stream would only end the thread.
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    // Fails only when a subscriber is set already, which this program does nowhere else.
    let _ = if config.log_json {
        subscriber.json().try_init()
    } else {
        subscriber.try_init()
    };
}
