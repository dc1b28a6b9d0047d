//! The home folder of a server: configuration, password, data and logs.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::Options;
use crate::environment::FIRST_USER;
use crate::error::{Error, tried};
use crate::limits::{LOG_LINES, ORPHAN_AGE};
use crate::random::{hex, random};

/// How the name of every home begins.
const PREFIX: &str = "atg-neo4j-";
/// The file that its owner holds locked. The system lets go of it whatever ends the owner.
const LOCK: &str = "lock";
/// How often the password is hashed: what the server writes itself.
const HASHED: u32 = 1024;
/// What it printed, and what it logged: a wrong configuration is only printed.
const LOGS: &[&str] = &["console.log", "logs/neo4j.log"];

/// The usual lines of `neo4j.conf`, beside those with figures.
const SETTINGS: &[(&str, &str)] = &[
    ("server.bolt.enabled", "true"),
    ("server.http.enabled", "false"),
    ("server.https.enabled", "false"),
    ("dbms.usage_report.enabled", "false"),
    ("dbms.security.auth_enabled", "true"),
    ("db.transaction.timeout", "60s"),
    ("db.lock.acquisition.timeout", "10s"),
    // Two files of 256 MB otherwise, before the first byte is written.
    ("db.tx_log.preallocate", "false"),
    // An orderly stop then takes 3 s instead of 11 s.
    ("internal.dbms.bolt.netty_server_shutdown_quiet_period", "0"),
    ("internal.dbms.bolt.netty_server_shutdown_timeout", "1s"),
    ("internal.server.bolt.thread_pool_shutdown_wait_time", "1s"),
    ("internal.server.bolt.connection_shutdown_wait_time", "1s"),
];

/// The further lines of a server with TLS.
const TLS_SETTINGS: &[(&str, &str)] = &[
    ("server.bolt.tls_level", "OPTIONAL"),
    ("dbms.ssl.policy.bolt.enabled", "true"),
    ("dbms.ssl.policy.bolt.base_directory", "certificates/bolt"),
    ("dbms.ssl.policy.bolt.private_key", "private.key"),
    ("dbms.ssl.policy.bolt.public_certificate", "public.crt"),
    ("dbms.ssl.policy.bolt.client_auth", "NONE"),
];

/// A home; it goes when it is dropped.
pub(crate) struct Home {
    folder: PathBuf,
    _lock: File,
}

impl Home {
    /// Makes one, after removing those that killed processes have left.
    pub(crate) fn new(within: &Path) -> Result<Self, Error> {
        sweep(within);
        let folder = within.join(format!("{PREFIX}{}", hex(&random::<6>()?)));
        let making = format!("making {}", folder.display());
        fs::create_dir_all(folder.join("conf")).map_err(tried(&*making))?;
        let lock = File::create(folder.join(LOCK)).map_err(tried(&*making))?;
        lock.lock().map_err(tried(&*making))?;
        Ok(Self { folder, _lock: lock })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder of `neo4j.conf`.
    pub(crate) fn conf(&self) -> PathBuf {
        self.folder.join("conf")
    }

    /// Where the process prints to.
    pub(crate) fn console(&self) -> PathBuf {
        self.folder.join("console.log")
    }

    /// Writes `neo4j.conf`.
    pub(crate) fn configure(&self, options: &Options, port: u16) -> Result<(), Error> {
        let address = format!("127.0.0.1:{port}");
        let mut lines: BTreeMap<&str, String> = SETTINGS
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        lines.insert("server.bolt.listen_address", address.clone());
        lines.insert("server.bolt.advertised_address", address);
        lines.insert("server.memory.pagecache.size", format!("{}m", options.page_cache_mib));
        if let Some(tls) = &options.tls {
            lines.extend(TLS_SETTINGS.iter().map(|(name, value)| (*name, (*value).to_owned())));
            let folder = self.folder.join("certificates/bolt");
            fs::create_dir_all(&folder).map_err(tried(format!("making {}", folder.display())))?;
            self.write("certificates/bolt/public.crt", &tls.certificate)?;
            self.write("certificates/bolt/private.key", &tls.key)?;
        }
        // The server refuses a name that stands there twice.
        for (name, value) in &options.settings {
            lines.insert(name, value.clone());
        }
        let lines: Vec<_> = lines.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        self.write("conf/neo4j.conf", &lines.concat())
    }

    /// Sets the password with which the data begin. It is read at the first start only.
    pub(crate) fn set_first_password(&self, password: &str) -> Result<(), Error> {
        let line = auth_line(password, &random::<32>()?);
        let folder = self.folder.join("data/dbms");
        fs::create_dir_all(&folder).map_err(tried(format!("making {}", folder.display())))?;
        self.write("data/dbms/auth.ini", &line)
    }

    fn write(&self, file: &str, text: &str) -> Result<(), Error> {
        let path = self.folder.join(file);
        fs::write(&path, text).map_err(tried(format!("writing {}", path.display())))
    }

    /// The end of what the server has printed and logged.
    pub(crate) fn log_tail(&self) -> String {
        let mut tail = Vec::new();
        for log in LOGS {
            let Ok(bytes) = fs::read(self.folder.join(log)) else {
                continue;
            };
            let text = String::from_utf8_lossy(&bytes);
            let lines: Vec<_> = text.lines().map(|line| format!("{log}: {line}")).collect();
            let shown = lines.len().saturating_sub(LOG_LINES);
            tail.extend(lines.into_iter().skip(shown));
        }
        tail.join("\n")
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next one's sweep.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// One line: user, algorithm, hash, salt, how often it is hashed, and no flag.
pub(crate) fn auth_line(password: &str, salt: &[u8]) -> String {
    let mut hash = Sha256::new().chain_update(salt).chain_update(password).finalize();
    for _ in 1..HASHED {
        hash = Sha256::digest(hash);
    }
    format!("{FIRST_USER}:SHA-256,{},{},{HASHED}:\n", hex(&hash), hex(salt))
}

/// Removes homes whose owner is gone. Those of other users stay: removing them is refused.
fn sweep(within: &Path) {
    for entry in fs::read_dir(within).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(PREFIX) && is_orphan(&entry.path()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn is_orphan(home: &Path) -> bool {
    let Ok(lock) = File::open(home.join(LOCK)) else {
        return false;
    };
    let age = lock.metadata().and_then(|data| data.modified()).ok();
    let old = age.and_then(|at| at.elapsed().ok()).is_some_and(|age| age > ORPHAN_AGE);
    old && !matches!(lock.try_lock(), Err(TryLockError::WouldBlock | TryLockError::Error(_)))
}
