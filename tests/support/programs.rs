//! The three programs as processes.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

use crate::{DEADLINE, KEY, Witness, record};

/// A program of this workspace, beside the test's own target folder; built when it is not there.
pub fn binary(name: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let folder = BUILT.get_or_init(|| {
        let test = std::env::current_exe().unwrap();
        let folder = test.parent().unwrap().parent().unwrap().to_owned();
        if ["atg", "atg-server", "atg-sim"]
            .iter()
            .any(|one| !folder.join(one).exists())
        {
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
            let target = folder.parent().unwrap();
            let built = Command::new(env!("CARGO"))
                .args(["build", "--bins", "-p", "atg-cli", "-p", "atg-server", "-p", "atg-sim"])
                .current_dir(root)
                .env("CARGO_TARGET_DIR", target)
                .status();
            assert!(built.unwrap().success(), "the programs could not be built");
        }
        folder
    });
    folder.join(name)
}

/// A folder below the target folder, for what a person may want to look at after a run.
pub fn scratch(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().unwrap().parent().unwrap().join("test-output").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn clean(program: &str) -> Command {
    let mut command = Command::new(binary(program));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let ours = ["ATG_", "AZURE_", "NEO4J_"]
            .iter()
            .any(|prefix| name.starts_with(prefix));
        if ours || name == "ENVIRONMENT" {
            command.env_remove(name);
        }
    }
    command
}

fn first_line(child: &mut Child, log: &Path) -> String {
    // A byte at a time, so that nothing behind the line is taken.
    let out = child.stdout.as_mut().unwrap();
    let mut line = Vec::new();
    let mut byte = [0];
    while out.read(&mut byte).unwrap() == 1 && byte[0] != b'\n' {
        line.push(byte[0]);
    }
    let said = std::fs::read_to_string(log).unwrap_or_default();
    assert!(!line.is_empty(), "the program ended without a word: {said}");
    String::from_utf8(line).unwrap()
}

/// Waits for a program's end; one that does not end in time is killed, and the test fails.
fn wait(child: &mut Child) -> ExitStatus {
    let id = child.id().to_string();
    std::thread::scope(|scope| {
        let (ended, end) = std::sync::mpsc::channel();
        scope.spawn(move || ended.send(child.wait()));
        let in_time = end.recv_timeout(DEADLINE);
        if in_time.is_err() {
            Command::new("kill").args(["-9", &id]).status().unwrap();
        }
        in_time.expect("a program did not end").unwrap()
    })
}

/// `atg-sim`.
pub struct SimProcess {
    child: Child,
    /// What it said at its start.
    pub told: Value,
}

impl SimProcess {
    /// Starts one.
    pub fn start(folder: &Path, arguments: &[&str]) -> Self {
        let log = folder.join("sim.log");
        let mut child = clean("atg-sim")
            .args(["--port", "0", "--control"])
            .args(arguments)
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let told = serde_json::from_str(&first_line(&mut child, &log)).unwrap();
        Self { child, told }
    }

    /// One of the texts that it said.
    pub fn told(&self, name: &str) -> &str {
        self.told[name].as_str().unwrap()
    }
}

impl Drop for SimProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `atg-server`.
pub struct ServerProcess {
    child: Child,
    /// Where it is for all callers: each answer is judged on its way.
    pub url: String,
    /// Where it listens itself.
    pub direct_url: String,
    _witness: Witness,
}

impl ServerProcess {
    /// The command of a server on this folder that reads the simulator at this address.
    pub fn command(folder: &Path, azure: &str) -> Command {
        let mut command = clean("atg-server");
        command
            .args(["--port", "0"])
            .current_dir(folder)
            .env("ATG_SERVER_HOST", "127.0.0.1")
            .env("ATG_SERVER_WORKERS", "1")
            .env("ATG_DATA_DIR", folder.join("data"))
            .env("ATG_API_KEYS", KEY)
            .env("ATG_AZURE_CLOUD", "custom")
            .env("ATG_AZURE_ARM_ENDPOINT", azure)
            .env("ATG_AZURE_GRAPH_ENDPOINT", azure)
            .env("ATG_AZURE_AUTHORITY", azure)
            .env("ATG_AZURE_STATIC_TOKEN", "static")
            .env("ATG_LOG", record::log_level());
        command
    }

    /// Starts a command and waits until it listens. Its log is `server.log` of the folder.
    pub fn start(mut command: Command, folder: &Path) -> Self {
        let keys = command.get_envs().find(|(name, _)| *name == "ATG_API_KEYS");
        if let Some((_, Some(keys))) = keys {
            record::issued_all(keys.to_str().unwrap());
        }
        let log = folder.join("server.log");
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)
            .unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(file).spawn().unwrap();
        let line = first_line(&mut child, &log);
        let direct_url = line.rsplit(' ').next().unwrap().to_owned();
        assert!(direct_url.starts_with("http://"), "{line}");
        let witness = Witness::of(&direct_url);
        Self {
            child,
            url: witness.url().to_owned(),
            direct_url,
            _witness: witness,
        }
    }

    /// Its peak memory so far.
    pub fn peak_mib(&self) -> u64 {
        crate::peak_mib(&self.child.id().to_string())
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a power cut does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends it SIGTERM and answers how it ended.
    pub fn terminate(mut self) -> ExitStatus {
        self.signal("-TERM");
        wait(&mut self.child)
    }

    /// Stops it where it is: connections stay open and nothing answers.
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let told = Command::new("kill").args([signal, &id]).status();
        assert!(told.unwrap().success());
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a run of `atg` ended.
#[derive(Debug)]
pub struct CliRun {
    /// The exit code.
    pub code: i32,
    /// Its results.
    pub out: String,
    /// Everything else.
    pub err: String,
}

/// Runs `atg` against a server.
pub fn run_cli(folder: &Path, server: &str, key: &str, arguments: &[&str]) -> CliRun {
    let mut command = clean("atg");
    command
        .args(arguments)
        .current_dir(folder)
        .env("ATG_SERVICE_URL", server)
        .env("ATG_API_KEY", key)
        .env("XDG_CONFIG_HOME", folder);
    let output = record::output(&mut command).unwrap();
    CliRun {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}
