//! What a whole run leaves to be searched at its end: every key and ticket that was issued, and everything that a
//! server wrote or answered. `cargo xtask test` names a folder for it and searches; without one nothing is kept.
//!
//! Each process writes files of its own, at once, because nothing tells it that it ends.

use std::collections::HashSet;
use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::{LazyLock, Mutex};

use atg_models::secrets::redact_text;
use reqwest::Method;
use reqwest::header::HeaderMap;
use tempfile::TempDir;

/// Names the run's folder.
const FOLDER: &str = "ATG_TEST_RUN_DIR";
/// All that is traced in this process, but for a library that only callers use and that traces each request as it
/// sends it, key and all.
const TRACED: &str = "trace,tungstenite=off";
/// Digits of a key behind its environment, or of a ticket.
const DIGITS: usize = 64;
/// The first digits of a key are public.
const PUBLIC_DIGITS: usize = 8;
/// What of an answer is held back before it is written, so that few writes are needed.
const TEXT_BYTES: usize = 64 * 1024;
/// What is written twice where an answer is written in parts, so that no secret is cut: one is shorter.
const OVERLAP_BYTES: usize = 128;

struct Run {
    folder: PathBuf,
    known: Mutex<HashSet<String>>,
    secrets: File,
    answers: File,
    said: File,
    counts: File,
    problems: File,
}

static RUN: LazyLock<Option<Run>> = LazyLock::new(|| {
    let folder = PathBuf::from(std::env::var_os(FOLDER)?);
    let file = |kind: &str| File::create(folder.join(format!("{kind}-{}", std::process::id()))).unwrap();
    let trace = file("trace.log");
    // The servers of this process have no log of their own: what they would write at the finest level goes here.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(TRACED)
        .with_ansi(false)
        .with_writer(Mutex::new(trace))
        .try_init();
    Some(Run {
        known: Mutex::default(),
        secrets: file("secrets"),
        answers: file("answers"),
        said: file("said"),
        counts: file("counts"),
        problems: file("problems"),
        folder,
    })
});

/// Begins to record, if the run has a folder.
pub(crate) fn start() {
    LazyLock::force(&RUN);
}

/// What servers that are programs log: everything, when that is searched.
pub(crate) fn log_level() -> &'static str {
    if RUN.is_some() { "trace" } else { "info" }
}

/// A folder for a server's data and log, or anything else that a test makes: temporary, or kept for the search.
pub fn folder() -> TempDir {
    let Some(run) = RUN.as_ref() else {
        return tempfile::tempdir().unwrap();
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix("folder-").disable_cleanup(true);
    builder.tempdir_in(&run.folder).unwrap()
}

/// A key or a ticket was handed out. Anything else is nothing that has to be kept.
pub fn issued(secret: &str) {
    let (environment, digits) = secret.rsplit_once('_').unwrap_or(("", secret));
    let is_secret = digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let Some(run) = RUN.as_ref().filter(|_| is_secret) else {
        return;
    };
    let digits = digits.to_ascii_lowercase();
    let (name, rest) = digits.split_at(PUBLIC_DIGITS);
    let recorded = if environment.is_empty() {
        format!("ticket {name} {digits}\n")
    } else {
        format!("key {environment}_{name} {rest}\n")
    };
    if run.known.lock().unwrap().insert(recorded.clone()) {
        (&run.secrets).write_all(recorded.as_bytes()).unwrap();
    }
}

/// Every key of a setting.
pub(crate) fn issued_all(setting: &str) {
    setting.split(',').for_each(|key| issued(key.trim()));
}

/// Runs a program to its end and records what it said.
pub fn output(command: &mut Command) -> std::io::Result<Output> {
    let output = command.output()?;
    said(&output.stdout);
    said(&output.stderr);
    Ok(output)
}

/// A program said this.
pub fn said(text: &[u8]) {
    if let Some(run) = RUN.as_ref() {
        (&run.said).write_all(&[text, b"\n"].concat()).unwrap();
    }
}

/// An answer was judged, or could not be.
pub(crate) fn count(what: &str, place: &str) {
    if let Some(run) = RUN.as_ref() {
        (&run.counts)
            .write_all(format!("{what}\t{place}\n").as_bytes())
            .unwrap();
    }
}

/// An answer does not fit, and there is no test any more that could fail.
pub(crate) fn problem(problem: &str) {
    if let Some(run) = RUN.as_ref() {
        (&run.problems).write_all(format!("{problem}\n").as_bytes()).unwrap();
    }
}

/// The answers of one connection, on their way to the file.
#[derive(Default)]
pub(crate) struct Text(Vec<u8>);

impl Text {
    /// An answer begins.
    pub(crate) fn start(&mut self, method: &Method, path: &str, status: u16, headers: &HeaderMap) {
        // Whoever searches reads here what the answer was to: without what a caller has put into the path.
        self.add(format!("\n== {method} {} {status}\n", redact_text(path)).as_bytes());
        for (name, value) in headers {
            self.add(&[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\n"].concat());
        }
    }

    /// Some of it.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        if RUN.is_none() {
            return;
        }
        self.0.extend_from_slice(bytes);
        if self.0.len() > TEXT_BYTES {
            let again = self.0.split_off(self.0.len() - OVERLAP_BYTES);
            self.0.extend_from_slice(&again);
            self.end();
            self.0 = again;
        }
    }

    /// It has ended.
    pub(crate) fn end(&mut self) {
        if let Some(run) = RUN.as_ref() {
            (&run.answers).write_all(&self.0).unwrap();
        }
        self.0.clear();
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        self.end();
    }
}
