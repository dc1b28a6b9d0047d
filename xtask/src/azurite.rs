//! A real blob service for the tests: Azurite, fetched once, started for a run, killed at its end.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context as _, bail, ensure};

use crate::out::{line, notice, step};
use crate::run::{is_ci, on_path, output, target_dir};
use crate::tools;

/// The last release that runs on the Node of Debian (18 or newer).
const PACKAGE: &str = "azurite@3.35.0";
/// The program within it.
const MAIN: &str = "node_modules/azurite/dist/src/blob/main.js";
/// The only account.
const ACCOUNT: &str = "atgtest";
/// Prints a key as Azure makes them.
const KEY: &str = "console.log(require('crypto').randomBytes(64).toString('base64'))";
/// What it prints when it listens, before its address.
const LISTENS: &str = "successfully listen";

/// Where the tests find it.
const URL_VARIABLE: &str = "ATG_TEST_AZURITE";
/// And the account's key.
const KEY_VARIABLE: &str = "ATG_TEST_AZURITE_KEY";

/// What a run of the tests has of it.
pub(crate) enum Azurite {
    /// The folder of its packages, and Node.
    Fetched(PathBuf, PathBuf),
    /// Why it cannot be had.
    LeftOut(String),
}

/// It runs as long as this lives.
pub(crate) struct Started {
    pub(crate) environment: Vec<(&'static str, String)>,
    _server: Option<Server>,
}

struct Server {
    child: Child,
    /// Kept open: who writes into a closed one ends.
    said: BufReader<ChildStdout>,
    folder: PathBuf,
}

impl Azurite {
    /// Fetches what is not there yet. With `CI=true` it must be had.
    pub(crate) fn prepare() -> anyhow::Result<Self> {
        match fetch() {
            Ok((packages, node)) => Ok(Self::Fetched(packages, node)),
            Err(error) if is_ci() => Err(error.context("Azurite for the tests")),
            Err(error) => {
                let what = format!("the tests on Azurite ({error:#})");
                notice(&format!("left out: {what}"));
                Ok(Self::LeftOut(what))
            }
        }
    }

    /// What was left out, and why.
    pub(crate) fn left_out(&self) -> Option<&str> {
        match self {
            Self::Fetched(..) => None,
            Self::LeftOut(what) => Some(what),
        }
    }

    /// The service for the whole run, on a free loopback port, with a key of its own.
    pub(crate) fn start(&self) -> anyhow::Result<Started> {
        let Self::Fetched(packages, node) = self else {
            return Ok(Started {
                environment: Vec::new(),
                _server: None,
            });
        };
        step("starting Azurite");
        let key = output(Command::new(node).args(["-e", KEY]))?.trim().to_owned();
        let (server, address) = Server::start(node, packages, &key)?;
        line(&format!("  http://{address}"));
        Ok(Started {
            environment: vec![
                (URL_VARIABLE, format!("http://{address}/{ACCOUNT}")),
                (KEY_VARIABLE, key),
            ],
            _server: Some(server),
        })
    }
}

impl Server {
    /// Starts it; answers its address too.
    fn start(node: &Path, packages: &Path, key: &str) -> anyhow::Result<(Self, String)> {
        let folder = target_dir().join("azurite");
        if folder.exists() {
            std::fs::remove_dir_all(&folder).with_context(|| format!("emptying {}", folder.display()))?;
        }
        std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        let mut child = dying_with_this(node)
            .arg(packages.join(MAIN))
            .args(["--blobHost", "127.0.0.1", "--blobPort", "0"])
            // A newer version of the protocol is no reason to refuse; nothing is told to anyone.
            .args(["--silent", "--skipApiVersionCheck", "--disableTelemetry", "--location"])
            .arg(&folder)
            .env("AZURITE_ACCOUNTS", format!("{ACCOUNT}:{key}"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("starting Azurite")?;
        let said = child.stdout.take().context("Azurite has no output")?;
        let mut server = Self {
            child,
            said: BufReader::new(said),
            folder,
        };
        let mut all = String::new();
        loop {
            let before = all.len();
            server.said.read_line(&mut all).context("reading what Azurite says")?;
            let said = all.get(before..).unwrap_or_default();
            ensure!(!said.is_empty(), "Azurite ended by itself:\n{all}");
            if said.contains(LISTENS) {
                let address = said.split_whitespace().last().unwrap_or_default();
                let address = address.trim_start_matches("http://").to_owned();
                return Ok((server, address));
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// By way of `setpriv` where there is one: the system then kills it when this program ends in whatever way.
fn dying_with_this(program: &Path) -> Command {
    match on_path("setpriv") {
        Some(setpriv) if cfg!(target_os = "linux") => {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", "KILL"]).arg(program);
            command
        }
        Some(_) | None => Command::new(program),
    }
}

/// The folder of the packages, and Node.
fn fetch() -> anyhow::Result<(PathBuf, PathBuf)> {
    if on_path("node").is_none() || on_path("npm").is_none() {
        tools::apt("Node.js and npm", &["nodejs", "npm"])?;
    }
    let Some(node) = on_path("node") else {
        bail!("Node.js is not installed");
    };
    let packages = tools::npm("azurite", PACKAGE)?;
    ensure!(packages.join(MAIN).is_file(), "{PACKAGE} has no {MAIN}");
    Ok((packages, node))
}
