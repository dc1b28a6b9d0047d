//! `atg-server keys`: makes, lists, revokes and rotates stored keys, beside a running server or without one.
//!
//! A key goes to the terminal once, alone on the standard output; everything else goes to the other one. No
//! message repeats what was typed: it may be a key in the wrong place.
#![expect(clippy::print_stderr, reason = "this is the program's terminal output")]

mod input;
mod table;

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use atg_auth::{ApiKey, KeyName, KeyRecord, KeyStatus, Rotation, StoredKey};
use atg_db::{KeyPut, KeyStore};
use atg_models::{Clock, time_text};
use atg_server::{Config, SystemClock, SystemIds};
use clap::{Args, Subcommand};
use time::OffsetDateTime;

use input::{Span, Wrong};

/// The exit code of a wrong command line, as the parser's.
const USAGE: u8 = 2;

/// What is done with stored keys. A running server sees the change within a second.
#[derive(Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a key and print it, once
    Create(Create),
    /// List the keys: names, prefixes and rights, never the keys themselves
    List {
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Take back every living key with this name; its open sockets are closed
    Revoke {
        /// The key's name
        name: String,
    },
    /// Make a new key with the same name and rights, and let the old one expire
    Rotate {
        /// The key's name
        name: String,
        /// How long the old key goes on: a duration such as 24h; 0s ends it at once
        #[arg(long, value_name = "DURATION", default_value = "24h")]
        overlap: String,
    },
}

/// What a new key is and may do.
#[derive(Args)]
pub(crate) struct Create {
    /// For people: letters, digits, dots, hyphens and underscores; unique among living keys
    #[arg(long)]
    name: String,
    /// What it may do: read, operate (start and cancel jobs), admin (remove tenants); each includes those before it
    #[arg(long, value_name = "SCOPES", default_value = "read,operate")]
    scopes: String,
    /// What it may see: all, or tenant ids separated by commas
    #[arg(long, value_name = "all|UUID,…", default_value = "all")]
    tenants: String,
    /// When it ends: a time such as 2030-01-31T00:00:00Z
    #[arg(long, value_name = "TIME", conflicts_with = "expires_in")]
    expires_at: Option<String>,
    /// When it ends, from now: a duration such as 30d
    #[arg(long, value_name = "DURATION")]
    expires_in: Option<String>,
}

/// Why a command ends without having done what it was to do.
enum End {
    /// The command line is wrong.
    Usage(Wrong),
    /// It could not be done.
    Failed(anyhow::Error),
}

impl From<Wrong> for End {
    fn from(wrong: Wrong) -> Self {
        Self::Usage(wrong)
    }
}

impl From<anyhow::Error> for End {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

/// Runs one command on the keys of a configuration's data folder.
pub(crate) fn run(config: &Config, command: &KeysCommand) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime
        .context("starting the runtime")
        .map_err(End::Failed)
        .and_then(|runtime| runtime.block_on(execute(config, command)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(End::Usage(wrong)) => {
            eprintln!("atg-server: {wrong}");
            ExitCode::from(USAGE)
        }
        Err(End::Failed(error)) => {
            eprintln!("atg-server: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn execute(config: &Config, command: &KeysCommand) -> Result<(), End> {
    let now = SystemClock.now();
    // The command line is read before anything is made or opened.
    match command {
        KeysCommand::Create(wanted) => {
            let wanted = input::create(wanted, now)?;
            let keys = Keys::open(config, now).await?;
            Ok(keys.create(wanted).await?)
        }
        KeysCommand::List { json } => {
            let keys = Keys::open(config, now).await?;
            Ok(keys.list(*json).await?)
        }
        KeysCommand::Revoke { name } => {
            let name = input::name(name)?;
            let keys = Keys::open(config, now).await?;
            Ok(keys.revoke(&name).await?)
        }
        KeysCommand::Rotate { name, overlap } => {
            let (name, overlap) = (input::name(name)?, input::overlap(overlap)?);
            let keys = Keys::open(config, now).await?;
            Ok(keys.rotate(&name, overlap).await?)
        }
    }
}

/// The stored keys, and the moment of the command.
struct Keys<'a> {
    config: &'a Config,
    store: Arc<dyn KeyStore>,
    now: OffsetDateTime,
}

impl<'a> Keys<'a> {
    async fn open(config: &'a Config, now: OffsetDateTime) -> anyhow::Result<Self> {
        let store = atg_server::open_keys(config, &SystemIds).await?;
        Ok(Self { config, store, now })
    }

    async fn create(&self, wanted: input::Wanted) -> anyhow::Result<()> {
        let input::Wanted {
            name,
            scope,
            tenants,
            expires_at,
        } = wanted;
        let stored = |key: &ApiKey| {
            let mut record = KeyRecord::of(key, name.as_str(), scope, tenants.clone());
            record.expires_at = expires_at;
            StoredKey::new(record, self.now)
        };
        let key = self.make(async |key| self.store.put(stored(key)).await, &name).await?;
        let made = stored(&key);
        eprintln!("Made the key {name}: {}.", table::summary(&made));
        hand_over(&key)
    }

    async fn list(&self, json: bool) -> anyhow::Result<()> {
        let keys = self.store.list().await?;
        if json {
            let rows: Vec<_> = keys.iter().map(|key| table::json(key, self.now)).collect();
            show(&format!("{}\n", serde_json::to_string_pretty(&rows)?))?;
        } else if keys.is_empty() {
            eprintln!("No keys are stored. `atg-server keys create --name NAME` makes one.");
        } else {
            show(&table::text(&keys, self.now))?;
        }
        Ok(())
    }

    async fn revoke(&self, name: &KeyName) -> anyhow::Result<()> {
        match self.store.revoke(name.as_str(), self.now).await? {
            0 => Err(self.no_living_key(name).await?),
            1 => {
                eprintln!("Revoked the key {name}. Running servers refuse it within a second.");
                Ok(())
            }
            several => {
                eprintln!("Revoked {several} keys with the name {name}. Running servers refuse them within a second.");
                Ok(())
            }
        }
    }

    async fn rotate(&self, name: &KeyName, overlap: Span) -> anyhow::Result<()> {
        let keys = self.store.list().await?;
        let of_name = keys.iter().filter(|key| key.record.name == name.as_str());
        let active = of_name
            .into_iter()
            .find(|key| key.status(self.now) == KeyStatus::Active);
        let Some(old) = active else {
            return Err(self.no_living_key(name).await?);
        };
        let rotation = |key: &ApiKey| old.rotate(key, overlap.0, self.now);
        let put = async |key: &ApiKey| self.store.replace(&old.record.prefix, rotation(key)).await;
        let key = self.make(put, name).await?;
        let Rotation {
            successor,
            old_expires_at,
        } = rotation(&key);
        eprintln!("Made a new key {name}: {}.", table::summary(&successor));
        eprintln!(
            "The old one, {}, ends at {}.",
            old.record.prefix,
            time_text::print(old_expires_at)
        );
        hand_over(&key)
    }

    /// Takes in a new random key under a prefix that no other key has.
    async fn make(
        &self,
        put: impl AsyncFn(&ApiKey) -> Result<KeyPut, atg_db::StoreError>,
        name: &KeyName,
    ) -> anyhow::Result<ApiKey> {
        /// A prefix of a full store is met once in 400,000 keys: more tries than this mean a defect.
        const TRIES: u32 = 16;
        for _ in 0..TRIES {
            let key = ApiKey::random(self.config.environment, &SystemIds);
            if self.config.keyring.has_prefix(key.prefix()) {
                continue;
            }
            match put(&key).await? {
                KeyPut::Made => return Ok(key),
                KeyPut::PrefixTaken => {}
                KeyPut::NameTaken => {
                    bail!("there is a living key with the name {name}: choose another, or rotate or revoke that one")
                }
            }
        }
        bail!("no free prefix was found for a new key")
    }

    async fn no_living_key(&self, name: &KeyName) -> anyhow::Result<anyhow::Error> {
        let keys = self.store.list().await?;
        let last = keys.iter().rfind(|key| key.record.name == name.as_str());
        Ok(match last.map(|key| key.status(self.now)) {
            None => anyhow!("there is no key with the name {name}; `atg-server keys list` shows them"),
            Some(KeyStatus::Revoked) => anyhow!("the key {name} is revoked already"),
            Some(KeyStatus::Expired) => anyhow!("the key {name} has expired already"),
            Some(KeyStatus::Rotated | KeyStatus::Active) => {
                anyhow!("the key {name} was changed by another command at the same time, try again")
            }
        })
    }
}

/// The one time that a key is shown.
fn hand_over(key: &ApiKey) -> anyhow::Result<()> {
    eprintln!("It is shown this once; only its digest is stored:");
    let mut out = std::io::stdout();
    let written = writeln!(out, "{}", key.expose()).and_then(|()| out.flush());
    written.context("the key could not be printed and nobody has it: revoke it, and make another")
}

/// Prints a list. A reader that has seen enough is no failure.
fn show(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error).context("printing the keys"),
        Ok(()) | Err(_) => Ok(()),
    }
}
