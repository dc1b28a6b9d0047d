//! Whether a server has a key to start with.

use anyhow::Context as _;
use atg_auth::{ApiKey, KeyRecord, Keyring, Scope, Tenants};
use atg_models::{Clock, Environment, IdGen};
use time::OffsetDateTime;

use super::see;
use crate::config::Config;
use crate::stores::{self, PresentKeys};

/// Why a server does not start.
pub(crate) fn no_key(environment: Environment) -> String {
    format!("{environment} needs at least one key: make one with `atg-server keys create`, or set ATG_API_KEYS")
}

/// Says whether a server may start with the keys of its configuration and its data folder. Makes neither.
///
/// # Errors
/// When it may not, or the stored keys cannot be read.
pub async fn check_key(config: &Config, now: OffsetDateTime, ids: &dyn IdGen) -> anyhow::Result<()> {
    anyhow::ensure!(
        config.environment == Environment::Dev || has_key(config, now, ids).await?,
        no_key(config.environment)
    );
    Ok(())
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
    let mut keyring = config.keyring.clone();
    match stores::present_keys(config, ids).await? {
        PresentKeys::None => {}
        PresentKeys::Stored(store) => {
            let seen = see(&keyring, store.as_ref()).await;
            keyring = seen.context("reading the stored keys")?.keyring;
        }
        // The database that cannot be reached now may hold a key.
        PresentKeys::Away => return Ok(true),
    }
    Ok(keyring.opens(now, config.environment))
}
