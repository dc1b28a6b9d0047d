//! Whether a server has a key to start with.

use anyhow::Context as _;
use atg_auth::{ApiKey, KeyRecord, Keyring, Scope, Tenants};
use atg_models::{Clock, Environment, IdGen};
use time::OffsetDateTime;

use super::see;
use crate::config::{Config, StoreChoice};
use crate::stores::{self, PresentKeys};

/// Why a server does not start.
pub(crate) fn no_key(environment: Environment) -> String {
    format!("{environment} needs at least one key: make one with `atg-server keys create`, or set ATG_API_KEYS")
}

/// Says whether a server may start with the keys of its configuration and its stores. Makes neither. Answers why the
/// stores cannot be asked at the moment, if that is so: a server would start and wait for them.
///
/// # Errors
/// When it may not, or the stored keys cannot be read.
pub async fn check_key(config: &Config, now: OffsetDateTime, ids: &dyn IdGen) -> anyhow::Result<Option<String>> {
    let needs_key = config.environment != Environment::Dev;
    if !needs_key && matches!(config.store, StoreChoice::Sqlite) {
        return Ok(None);
    }
    let present = stores::present_keys(config, ids).await?;
    if let PresentKeys::Away(problem) = present {
        return Ok(Some(problem));
    }
    anyhow::ensure!(
        !needs_key || opens(config, now, present).await?,
        no_key(config.environment)
    );
    Ok(None)
}

/// Makes a key for a server in `dev` that has none, and adds it to `config`. To be printed once.
///
/// # Errors
/// When the stored keys cannot be read.
pub async fn generated_key(config: &mut Config, clock: &dyn Clock, ids: &dyn IdGen) -> anyhow::Result<Option<ApiKey>> {
    if config.environment != Environment::Dev || has_key(config, clock.now(), ids).await? {
        return Ok(None);
    }
    let key = ApiKey::random(Environment::Dev, ids);
    config.keyring = Keyring::new(vec![KeyRecord::of(&key, "generated", Scope::Admin, Tenants::All)]);
    Ok(Some(key))
}

async fn has_key(config: &Config, now: OffsetDateTime, ids: &dyn IdGen) -> anyhow::Result<bool> {
    opens(config, now, stores::present_keys(config, ids).await?).await
}

async fn opens(config: &Config, now: OffsetDateTime, present: PresentKeys) -> anyhow::Result<bool> {
    let mut keyring = config.keyring.clone();
    match present {
        PresentKeys::None => {}
        PresentKeys::Stored(store) => {
            let seen = see(&keyring, store.as_ref()).await;
            keyring = seen.context("reading the stored keys")?.keyring;
        }
        // The database that cannot be asked now may hold a key.
        PresentKeys::Away(_) => return Ok(true),
    }
    Ok(keyring.opens(now, config.environment))
}
