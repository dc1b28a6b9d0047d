//! The process of a server.

use std::fs::File;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::error::{Error, tried};
use crate::home::Home;
use crate::limits::LOOK;
use crate::{Java, Jit, Options};

/// From here on Java warns of native code that was not allowed to.
const NATIVE_ACCESS: u32 = 24;
/// What the server asks for to reach its memory directly.
const OPENED: &[&str] = &["java.base/java.nio", "java.base/java.io", "java.base/sun.nio.ch"];

/// A process that is killed when it is dropped, and when the process that started it ends.
pub(crate) struct Process {
    child: Child,
    _keeper: Sender<()>,
}

impl Process {
    /// Starts a server.
    ///
    /// The system sends the signal at the parent's death when the *thread* that started the process ends, and
    /// the threads of tests end early. So a thread of its own starts it, and stays as long as the process.
    pub(crate) fn spawn(options: &Options, java: &Java, home: &Home) -> Result<Self, Error> {
        let mut command = command(options, java, home)?;
        let (keeper, dropped) = channel::<()>();
        let (started, child) = channel();
        let starting = "starting a thread for Neo4j";
        std::thread::Builder::new()
            .name("neo4j-keeper".to_owned())
            .spawn(move || {
                let _ = started.send(command.spawn());
                // Ends when the other side is dropped.
                let _ = dropped.recv();
            })
            .map_err(tried(starting))?;
        let child = child
            .recv()
            .map_err(|_| std::io::Error::other("the thread ended"))
            .map_err(tried(starting))?
            .map_err(tried(format!("starting {}", java.program.display())))?;
        Ok(Self { child, _keeper: keeper })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it has ended, if it has.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>, Error> {
        self.child.try_wait().map_err(tried("looking at Neo4j's process"))
    }

    /// Sends it a signal. It has not been waited for, so its id is no one else's.
    pub(crate) fn signal(&mut self, signal: Signal) -> Result<(), Error> {
        if self.ended()?.is_some() {
            return Err(Error::NotRunning);
        }
        let id = i32::try_from(self.child.id()).map_err(|_| Error::NotRunning)?;
        kill(Pid::from_raw(id), signal).map_err(tried(format!("sending {signal} to Neo4j")))
    }

    /// Ends it as a power cut does.
    pub(crate) fn kill(&mut self) -> Result<ExitStatus, Error> {
        let killing = "killing Neo4j";
        self.child.kill().map_err(tried(killing))?;
        self.child.wait().map_err(tried(killing))
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self, within: Duration) -> Result<Option<ExitStatus>, Error> {
        let deadline = Deadline::new(within);
        loop {
            let ended = self.ended()?;
            if ended.is_some() || deadline.passed() {
                return Ok(ended);
            }
            std::thread::park_timeout(LOOK);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.kill();
    }
}

/// When to give up.
pub(crate) struct Deadline {
    begun: Instant,
    within: Duration,
}

impl Deadline {
    #[expect(
        clippy::disallowed_methods,
        reason = "a process of the system is waited for by the system's clock"
    )]
    pub(crate) fn new(within: Duration) -> Self {
        Self {
            begun: Instant::now(),
            within,
        }
    }

    pub(crate) fn passed(&self) -> bool {
        self.elapsed() >= self.within
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }
}

pub(crate) fn command(options: &Options, java: &Java, home: &Home) -> Result<Command, Error> {
    let console = home.console();
    let printed = File::options()
        .create(true)
        .append(true)
        .open(&console)
        .map_err(tried(format!("making {}", console.display())))?;
    let errors = printed.try_clone().map_err(tried("sharing the file of the console"))?;
    let mut command = dying_with_parent(java);
    command
        .arg(format!("-Xms{}m", options.heap_mib))
        .arg(format!("-Xmx{}m", options.heap_mib))
        .arg("-XX:+UseSerialGC");
    if options.jit == Jit::Quick {
        command.arg("-XX:TieredStopAtLevel=1");
    }
    for opened in OPENED {
        command.arg(format!("--add-opens={opened}=ALL-UNNAMED"));
    }
    if java.version >= NATIVE_ACCESS {
        command.arg("--enable-native-access=ALL-UNNAMED");
    }
    command
        .arg("-cp")
        .arg(options.jars.folder().join("*"))
        .arg(options.jars.main_class())
        .arg(format!("--home-dir={}", home.folder().display()))
        .arg(format!("--config-dir={}", home.conf().display()))
        .current_dir(home.folder())
        .stdin(Stdio::null())
        .stdout(printed)
        .stderr(errors);
    Ok(command)
}

/// Java, by way of `setpriv` where there is one: the system then kills it when its parent ends in whatever way.
fn dying_with_parent(java: &Java) -> Command {
    let by_way = Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "true"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !by_way.is_ok_and(|status| status.success()) {
        return Command::new(&java.program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]).arg(&java.program);
    command
}
