//! A server: started, paused, killed, started again.

use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::environment::FIRST_USER;
use crate::error::Error;
use crate::home::Home;
use crate::limits::{LOOK, PORT_TRIES, STOPPED_WITHIN};
use crate::port;
use crate::probe::speaks_bolt;
use crate::process::{Deadline, Process};
use crate::random::{hex, random};
use crate::{Access, Java, Options};

/// What the log says when something else has taken the port.
const PORT_TAKEN: &str = "Address already in use";

/// A Neo4j server on a free loopback port. Dropping it kills it and removes its home.
pub struct Server {
    // First: the process must be gone before its home goes.
    process: Option<Process>,
    home: Home,
    options: Options,
    java: Java,
    port: u16,
    password: String,
    started_in: Duration,
}

impl Server {
    /// Starts a server with a fresh home, and waits until it speaks Bolt.
    pub fn start(options: Options) -> Result<Self, Error> {
        let java = Java::find(options.jars.java()).ok_or_else(|| Error::NoJava {
            version: options.jars.version().to_owned(),
            java: options.jars.java(),
        })?;
        let mut server = Self {
            process: None,
            home: Home::new(&options.folder)?,
            java,
            port: port::free()?,
            password: hex(&random::<16>()?),
            started_in: Duration::ZERO,
            options,
        };
        server.home.set_first_password(&server.password)?;
        for _ in 1..PORT_TRIES {
            match server.boot() {
                Err(Error::Ended { log, .. }) if log.contains(PORT_TAKEN) => server.port = port::free()?,
                other => return other.map(|()| server),
            }
        }
        server.boot()?;
        Ok(server)
    }

    fn boot(&mut self) -> Result<(), Error> {
        self.home.configure(&self.options, self.port)?;
        let deadline = Deadline::new(self.options.ready_within);
        let process = self
            .process
            .insert(Process::spawn(&self.options, &self.java, &self.home)?);
        loop {
            let answers = speaks_bolt(self.port);
            // Looked at after the port: the answer may have been another program's.
            if let Some(status) = process.ended()? {
                self.process = None;
                let log = self.home.log_tail();
                return Err(Error::Ended { status, log });
            }
            if answers {
                self.started_in = deadline.elapsed();
                return Ok(());
            }
            if deadline.passed() {
                self.process = None;
                return Err(Error::NotReady {
                    within: self.options.ready_within,
                    log: self.home.log_tail(),
                });
            }
            std::thread::park_timeout(LOOK);
        }
    }

    /// Stops it where it is: connections stay open and nothing answers, until [`Server::resume`].
    pub fn pause(&mut self) -> Result<(), Error> {
        self.running()?.signal(Signal::SIGSTOP)
    }

    /// Lets it go on.
    pub fn resume(&mut self) -> Result<(), Error> {
        self.running()?.signal(Signal::SIGCONT)
    }

    /// Ends it as a power cut does. Home, port and password stay for [`Server::restart`].
    pub fn kill(&mut self) -> Result<(), Error> {
        self.running()?.kill()?;
        self.process = None;
        Ok(())
    }

    /// Asks it to stop, and waits until it has; also when it is paused.
    pub fn terminate(&mut self) -> Result<ExitStatus, Error> {
        let process = self.running()?;
        process.signal(Signal::SIGTERM)?;
        process.signal(Signal::SIGCONT)?;
        let ended = process.wait(STOPPED_WITHIN)?;
        self.process = None;
        ended.ok_or_else(|| Error::NotStopped {
            within: STOPPED_WITHIN,
            log: self.home.log_tail(),
        })
    }

    /// Starts it again on the same port and data, with the options as they are now; kills it before if it runs.
    pub fn restart(&mut self) -> Result<(), Error> {
        self.process = None;
        self.boot()
    }

    /// How it is to be started the next time.
    pub fn options_mut(&mut self) -> &mut Options {
        &mut self.options
    }

    fn running(&mut self) -> Result<&mut Process, Error> {
        self.process.as_mut().ok_or(Error::NotRunning)
    }

    /// Whether its process is there, paused or not.
    pub fn is_running(&mut self) -> Result<bool, Error> {
        match &mut self.process {
            Some(process) => Ok(process.ended()?.is_none()),
            None => Ok(false),
        }
    }

    /// Whether it answers a Bolt handshake within two seconds.
    pub fn answers(&self) -> bool {
        speaks_bolt(self.port)
    }

    /// How to reach it. The password is the one that the data began with.
    pub fn access(&self) -> Access {
        Access {
            uri: format!("bolt://127.0.0.1:{}", self.port),
            user: FIRST_USER.to_owned(),
            password: self.password.clone(),
        }
    }

    /// Its port on the loopback interface.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its process, when there is one.
    pub fn id(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
    }

    /// Its home folder.
    pub fn home(&self) -> &Path {
        self.home.folder()
    }

    /// How long the last start took.
    pub fn started_in(&self) -> Duration {
        self.started_in
    }

    /// The end of what it has printed and logged.
    pub fn log_tail(&self) -> String {
        self.home.log_tail()
    }
}
