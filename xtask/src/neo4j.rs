//! A real Neo4j for the tests: fetched once, started for a run, stopped at its end.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use atg_neo4j::{Access, JARS, Jars, Java, LONG_TERM, NEWEST, Release, Server};
use nix::sys::signal::{SigSet, Signal};

use crate::out::{line, notice, step};
use crate::run::{is_ci, on_path, output, root, timed};
use crate::tools;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The newest release instead of the one with long-term support
    #[arg(long)]
    newest: bool,
    /// Compile fully (C2) and with a larger page cache, for measurements
    #[arg(long)]
    performance: bool,
}

/// What a run of the tests has of Neo4j.
pub(crate) struct Neo4j {
    /// The server that the caller has named.
    given: Option<Access>,
    /// For the shared server, and for tests that start their own.
    jars: Option<Jars>,
    newest: Option<Jars>,
    left_out: Vec<String>,
}

/// Variables for the tests, and the server that they lead to, which ends with this.
pub(crate) struct Started {
    pub(crate) environment: Vec<(&'static str, String)>,
    server: Option<Server>,
}

impl Neo4j {
    /// Fetches what is not there yet. With `CI=true` the release with long-term support must be had.
    pub(crate) fn prepare() -> anyhow::Result<Self> {
        let mut neo4j = Self {
            given: Access::from_environment(),
            jars: Jars::from_environment()?,
            newest: None,
            left_out: Vec::new(),
        };
        if neo4j.jars.is_none() {
            match fetch(&LONG_TERM) {
                Ok(jars) => neo4j.jars = Some(jars),
                Err(error) if is_ci() => return Err(error.context("Neo4j for the tests")),
                Err(error) => {
                    let what = match &neo4j.given {
                        Some(_) => "the tests that start a Neo4j of their own",
                        None => "the tests on Neo4j",
                    };
                    neo4j.leave_out(format!("{what} ({error:#})"));
                    return Ok(neo4j);
                }
            }
            match fetch(&NEWEST) {
                Ok(jars) => neo4j.newest = Some(jars),
                Err(error) => neo4j.leave_out(format!("the tests on Neo4j {} ({error:#})", NEWEST.version)),
            }
        }
        Ok(neo4j)
    }

    fn leave_out(&mut self, what: String) {
        notice(&format!("left out: {what}"));
        self.left_out.push(what);
    }

    /// The jars of the release with long-term support.
    pub(crate) fn into_jars(self) -> Option<Jars> {
        self.jars
    }

    /// Whether the newest release could be tested too.
    pub(crate) fn has_newest(&self) -> bool {
        self.newest.is_some()
    }

    /// What was left out, and why.
    pub(crate) fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// The server for the whole run.
    pub(crate) fn start(&self) -> anyhow::Result<Started> {
        match (&self.given, &self.jars) {
            (Some(access), jars) => {
                line(&format!("  Neo4j at {}, as the environment says", access.uri));
                Ok(Started::new(access, jars.as_ref(), None))
            }
            (None, Some(jars)) => Started::own(jars),
            (None, None) => Ok(Started {
                environment: Vec::new(),
                server: None,
            }),
        }
    }

    /// Another server of the same release, for tests that take two databases at a time.
    pub(crate) fn start_second(&self) -> anyhow::Result<Option<Started>> {
        let Some(jars) = &self.jars else {
            return Ok(None);
        };
        let mut started = Started::own(jars)?;
        started.environment = started.second();
        Ok(Some(started))
    }

    /// The newest release for a second run, where there is a Java for it.
    pub(crate) fn start_newest(&self) -> anyhow::Result<Option<Started>> {
        self.newest.as_ref().map(Started::own).transpose()
    }
}

impl Started {
    fn own(jars: &Jars) -> anyhow::Result<Self> {
        step(&format!("starting Neo4j {}", jars.version()));
        let server = start(atg_neo4j::Options::functional(jars.clone()))?;
        Ok(Self::new(&server.access(), Some(jars), Some(server)))
    }

    /// Whether it leads to a server.
    pub(crate) fn is_there(&self) -> bool {
        !self.environment.is_empty()
    }

    /// The variables of a second server.
    fn second(&self) -> Vec<(&'static str, String)> {
        let access = self.server.as_ref().map(Server::access);
        let named = access.iter().flat_map(Access::second_environment);
        named.map(|(name, value)| (name, value.to_owned())).collect()
    }

    fn new(access: &Access, jars: Option<&Jars>, server: Option<Server>) -> Self {
        let mut environment: Vec<_> = access
            .environment()
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        environment.extend(jars.map(|jars| (JARS, jars.folder().to_string_lossy().into_owned())));
        Self { environment, server }
    }
}

fn start(options: atg_neo4j::Options) -> anyhow::Result<Server> {
    let server = Server::start(options)?;
    line(&format!(
        "  {}, ready in {:.1} s",
        server.access().uri,
        server.started_in().as_secs_f64()
    ));
    Ok(server)
}

/// `cargo xtask neo4j`: a server to develop against, until Ctrl-C.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let jars = fetch(if options.newest { &NEWEST } else { &LONG_TERM })?;
    // From here on taken by `wait` alone, so that the server's home is removed at the end.
    let mut ends = SigSet::empty();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGCHLD] {
        ends.add(signal);
    }
    ends.thread_block().context("blocking signals")?;
    step(&format!("starting Neo4j {}", jars.version()));
    let started = start(if options.performance {
        atg_neo4j::Options::performance(jars.clone())
    } else {
        atg_neo4j::Options::functional(jars.clone())
    });
    let mut server = started?;
    let access = server.access();
    line(&format!("  user {}, password {}", access.user, access.password));
    line("For the tests, in another terminal:");
    for (name, value) in Started::new(&access, Some(&jars), None).environment {
        line(&format!("  export {name}={value}"));
    }
    line("Press Ctrl-C to end.");
    loop {
        let signal = ends.wait().context("waiting for Ctrl-C")?;
        if !server.is_running()? {
            bail!("Neo4j ended by itself; the end of its log:\n{}", server.log_tail());
        }
        // Of the processes that were started before; or the server was paused.
        if signal != Signal::SIGCHLD {
            return Ok(());
        }
    }
}

/// The jars of a release, from the cache or from Maven's repository.
fn fetch(release: &Release) -> anyhow::Result<Jars> {
    need(release)?;
    let folder = tools::cache()?.join(format!("neo4j-{}", release.version));
    // One at a time: two would write the same half-filled folder.
    let lock = beside(&folder, "lock");
    let lock = File::create(&lock).with_context(|| format!("making {}", lock.display()))?;
    lock.lock().context("waiting for another fetch")?;
    if folder.exists() {
        line(&format!("  the jars of Neo4j {} lie in the cache", release.version));
    } else {
        step(&format!("fetching Neo4j {} (once)", release.version));
        let (fetched, took) = timed(|| download(release, &folder));
        fetched?;
        line(&format!("  fetched in {:.1} s", took.as_secs_f64()));
    }
    Ok(Jars::open(&folder)?)
}

fn download(release: &Release, folder: &Path) -> anyhow::Result<()> {
    let partial = beside(folder, "partial");
    if partial.exists() {
        fs::remove_dir_all(&partial).with_context(|| format!("emptying {}", partial.display()))?;
    }
    let maven = on_path("mvn").context("Maven is not installed")?;
    output(
        Command::new(maven)
            // Quiet, without questions, and strict about checksums.
            .args(["-B", "-q", "-C", "-Dstyle.color=never", "-f"])
            .arg(root().join("xtask/neo4j/pom.xml"))
            .arg("dependency:copy-dependencies")
            .arg(format!("-Dneo4j.version={}", release.version))
            .arg(format!("-DoutputDirectory={}", partial.display())),
    )?;
    Jars::open(&partial)?;
    fs::rename(&partial, folder).with_context(|| format!("putting {} in its place", folder.display()))
}

/// `…/neo4j-5.26.30.lock`.
fn beside(folder: &Path, what: &str) -> PathBuf {
    let mut name = folder.as_os_str().to_owned();
    name.push(".");
    name.push(what);
    PathBuf::from(name)
}

/// Java and Maven, from the system's packages where they may be installed.
fn need(release: &Release) -> anyhow::Result<()> {
    let missing = || {
        let java = Java::find(release.java).is_none();
        java.then(|| format!("Java {} or newer", release.java))
            .or_else(|| on_path("mvn").is_none().then(|| "Maven".to_owned()))
    };
    if missing().is_some() && release.version == LONG_TERM.version {
        tools::apt("Java and Maven", &["default-jre-headless", "maven"])?;
    }
    match missing() {
        None => Ok(()),
        Some(what) => bail!("{what} is not installed"),
    }
}
