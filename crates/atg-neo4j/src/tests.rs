//! The server in all its states. Without the jars that `NEO4J_TEST_JARS` names, what needs them is left out.

mod login;

use std::path::Path;
use std::time::Duration;

use crate::home::{Home, auth_line};
use crate::jars::version;
use crate::java::major;
use crate::port;
use crate::process::{Deadline, Process, command};
use crate::tests::login::logs_in;
use crate::{Error, Jars, Java, LONG_TERM, NEWEST, Options, Server};

fn jars(what: &str) -> Option<Jars> {
    let found = Jars::from_environment().unwrap();
    if found.is_none() {
        println!("left out: NEO4J_TEST_JARS is not set, so {what}");
    }
    found
}

fn until(what: &str, mut look: impl FnMut() -> bool) {
    let deadline = Deadline::new(Duration::from_mins(1));
    while !look() {
        assert!(!deadline.passed(), "waited in vain: {what}");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

/// Whether the process does not run, as the system says it: `T` is stopped.
fn is_stopped(id: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
    stat.rsplit_once(") ").unwrap().1.starts_with('T')
}

#[test]
fn neo4j_lives_as_long_as_its_owner_and_not_as_the_thread_that_started_it() {
    let Some(jars) = jars("a server is not stopped, killed and started again") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::functional(jars);
    folder.path().clone_into(&mut options.folder);
    let starter = std::thread::spawn(move || Server::start(options).unwrap());
    let mut server = starter.join().unwrap();
    assert!(server.is_running().unwrap() && server.answers());
    assert!(!logs_in(server.port(), "another password"));
    let (port, password, home) = (server.port(), server.access().password, server.home().to_owned());
    assert!(home.starts_with(folder.path()) && home.join("data").is_dir());

    server.pause().unwrap();
    let id = server.id().unwrap();
    until("it stands still", || is_stopped(id));
    assert!(server.is_running().unwrap());
    assert!(!server.answers(), "a paused server answers");
    server.resume().unwrap();
    until("it answers again", || server.answers());

    server.kill().unwrap();
    assert!(!server.is_running().unwrap() && !server.answers());
    assert!(matches!(server.pause(), Err(Error::NotRunning)));
    server.options_mut().heap_mib = 400;
    server.restart().unwrap();
    assert!(server.answers());
    assert_eq!((port, &password), (server.port(), &server.access().password));
    assert!(logs_in(port, &password), "the password does not hold");
    let command = std::fs::read_to_string(format!("/proc/{}/cmdline", server.id().unwrap())).unwrap();
    assert!(command.contains("-Xmx400m"), "{command}");

    server.pause().unwrap();
    server.terminate().unwrap();
    assert!(!server.is_running().unwrap() && home.is_dir());
    assert!(server.log_tail().contains("Stopped."), "{}", server.log_tail());
    drop(server);
    assert!(!home.exists(), "the home is still there");
}

#[test]
fn neo4j_that_cannot_start_says_why() {
    let Some(jars) = jars("a server with a wrong configuration is not started") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::functional(jars).with_setting("server.bolt.no_such_setting", "7");
    folder.path().clone_into(&mut options.folder);
    let Err(Error::Ended { status, log }) = Server::start(options) else {
        panic!("it started, or failed otherwise");
    };
    assert!(!status.success());
    assert!(log.contains("server.bolt.no_such_setting"), "{log}");
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        0,
        "the home is still there"
    );
}

#[test]
fn neo4j_that_is_not_ready_in_time_is_killed() {
    let Some(jars) = jars("a server without time is not started") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::functional(jars);
    folder.path().clone_into(&mut options.folder);
    options.ready_within = Duration::ZERO;
    assert!(matches!(Server::start(options), Err(Error::NotReady { .. })));
    assert_gone(folder.path());
}

#[test]
fn neo4j_that_is_dropped_is_gone_with_its_home() {
    let Some(jars) = jars("a server is not dropped") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::functional(jars);
    folder.path().clone_into(&mut options.folder);
    let home = Home::new(folder.path()).unwrap();
    home.configure(&options, port::free().unwrap()).unwrap();
    let java = Java::find(options.jars.java()).unwrap();
    // On its way up, which is as good as up.
    let process = Process::spawn(&options, &java, &home).unwrap();
    let running = || processes_of(folder.path());
    until("it is there", || running() == [process.id()]);
    drop(process);
    drop(home);
    assert_gone(folder.path());
}

fn assert_gone(folder: &Path) {
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 0, "the home is still there");
    assert_eq!(processes_of(folder), [0; 0], "the process is still there");
}

/// The processes with this folder in their command line.
fn processes_of(folder: &Path) -> Vec<u32> {
    let folder = folder.to_str().unwrap();
    let ids = std::fs::read_dir("/proc").unwrap().flatten();
    let ids = ids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter(|id| std::fs::read_to_string(format!("/proc/{id}/cmdline")).is_ok_and(|line| line.contains(folder)))
        .collect()
}

#[test]
fn options_are_flags_of_the_virtual_machine() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("neo4j-5.26.30.jar"), "").unwrap();
    let jars = Jars::open(folder.path()).unwrap();
    let home = Home::new(folder.path()).unwrap();
    let flags = |options: &Options, version: u32| {
        let java = Java {
            program: "java".into(),
            version,
        };
        format!("{:?}", command(options, &java, &home).unwrap())
    };
    let quick = flags(&Options::functional(jars.clone()), 17);
    assert!(
        quick.contains("TieredStopAtLevel=1") && quick.contains("\"-Xmx512m\""),
        "{quick}"
    );
    assert!(
        !quick.contains("--enable-native-access"),
        "Java 17 does not know it: {quick}"
    );
    let mut full = Options::performance(jars);
    full.heap_mib = 700;
    let full = flags(&full, 25);
    assert!(
        !full.contains("TieredStopAtLevel") && full.contains("\"-Xmx700m\""),
        "{full}"
    );
    assert!(full.contains("--enable-native-access"), "{full}");
}

#[test]
fn the_home_of_a_killed_owner_is_removed_and_no_other() {
    let within = tempfile::tempdir().unwrap();
    let old = std::time::SystemTime::UNIX_EPOCH + Duration::from_hours(1);
    let home = |name: &str, age: Option<std::time::SystemTime>| {
        let folder = within.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        let lock = std::fs::File::create(folder.join("lock")).unwrap();
        if let Some(age) = age {
            lock.set_modified(age).unwrap();
        }
        (folder, lock)
    };
    let (orphan, _) = home("atg-neo4j-orphan", Some(old));
    let (young, _) = home("atg-neo4j-young", None);
    let (foreign, _) = home("something-else", Some(old));
    let (owned, lock) = home("atg-neo4j-owned", Some(old));
    lock.lock().unwrap();
    let made = Home::new(within.path()).unwrap();
    assert!(!orphan.exists());
    assert!(young.exists() && foreign.exists() && owned.exists() && made.folder().exists());
}

#[test]
fn the_line_of_a_password_is_what_neo4j_writes() {
    // Written by `neo4j-admin dbms set-initial-password correct-horse` of 5.26.30.
    let line = "neo4j:SHA-256,05f2673c265f3e9a6d3f2bd028b392f3625cc82cfda4304df978176e114151fa,\
        1543bef96f3d9aa408539dcc2ee42ff1c9a67e586ecdf58c2433695a2a554fe0,1024:\n";
    let salt: Vec<u8> = line
        .split([',', ':'])
        .nth(3)
        .unwrap()
        .as_bytes()
        .chunks(2)
        .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
        .collect();
    assert_eq!(auth_line("correct-horse", &salt), line);
}

#[test]
fn releases_and_javas_are_known_by_their_versions() {
    assert_eq!(version("neo4j-5.26.30.jar").as_deref(), Some("5.26.30"));
    assert_eq!(version("neo4j-io-5.26.30.jar"), None);
    assert_eq!(major("openjdk version \"17.0.15\" 2025-04-15"), Some(17));
    assert_eq!(major("openjdk version \"25\" 2025-09-16"), Some(25));
    assert_eq!(major("java version \"1.8.0_412\""), Some(1));
    assert_eq!(major("The operation couldn’t be completed."), None);
}

#[test]
fn a_folder_without_a_known_release_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(Jars::open(folder.path()), Err(Error::NoJars(_))));
    for (jar, known) in [(LONG_TERM.version, true), (NEWEST.version, true), ("4.4.1", false)] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(format!("neo4j-{jar}.jar")), "").unwrap();
        let opened = Jars::open(folder.path());
        assert_eq!(opened.is_ok(), known, "{jar}");
        if !known {
            assert!(matches!(opened, Err(Error::UnknownRelease(_))));
        }
    }
}
