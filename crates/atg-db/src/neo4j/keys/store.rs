//! The trait, method by method.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use atg_auth::{KeyPrefix, Rotation, StoredKey};
use atg_models::limits::{DEAD_KEY_TTL, STORED_KEYS_MAX};
use time::OffsetDateTime;

use crate::StoreError;
use crate::key_store::{KeyPut, KeyStore};
use crate::neo4j::driver::{Driver, Outcome, Statement, Tx, Value, transaction};
use crate::neo4j::keys::row::{columns, create, read};
use crate::neo4j::limits::UNWIND_ROWS;

/// The condition of the key `k` that lets someone in at `$now`.
macro_rules! living {
    () => {
        "k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > $now)"
    };
}

/// The keys that servers and commands share.
#[derive(Debug, Clone)]
pub struct Neo4jKeys {
    driver: Arc<Driver>,
}

impl Neo4jKeys {
    pub(crate) const fn new(driver: Arc<Driver>) -> Self {
        Self { driver }
    }

    async fn select(&self, doing: &'static str, statement: Statement) -> Result<Vec<StoredKey>, StoreError> {
        let rows = self.driver.read(doing, statement).await?;
        let keys: Outcome<Vec<StoredKey>> = rows.iter().map(read).collect();
        keys.map_err(|trouble| trouble.while_doing(doing))
    }
}

#[async_trait]
impl KeyStore for Neo4jKeys {
    async fn find(&self, prefix: &KeyPrefix) -> Result<Option<StoredKey>, StoreError> {
        let text = concat!("MATCH (k:ApiKey {prefix: $prefix}) RETURN ", columns!());
        let find = Statement::new(text).with("prefix", prefix.as_str());
        Ok(self.select("reading a key", find).await?.pop())
    }

    async fn put(&self, key: StoredKey) -> Result<KeyPut, StoreError> {
        Ok(transaction!(self.driver, "adding a key", |tx| put(tx, &key)))
    }

    async fn replace(&self, old: &KeyPrefix, with: Rotation) -> Result<KeyPut, StoreError> {
        Ok(transaction!(self.driver, "rotating a key", |tx| replace(
            tx, old, &with
        )))
    }

    async fn revoke(&self, name: &str, now: OffsetDateTime) -> Result<u64, StoreError> {
        Ok(transaction!(self.driver, "revoking a key", |tx| revoke(tx, name, now)))
    }

    async fn list(&self) -> Result<Vec<StoredKey>, StoreError> {
        let text = concat!("MATCH (k:ApiKey) RETURN ", columns!(), " ORDER BY k.place");
        self.select("listing the keys", Statement::new(text)).await
    }

    async fn touch(&self, uses: Vec<(KeyPrefix, OffsetDateTime)>) -> Result<(), StoreError> {
        let mut last: BTreeMap<String, OffsetDateTime> = BTreeMap::new();
        for (prefix, at) in uses {
            let known = last.entry(prefix.as_str().to_owned()).or_insert(at);
            *known = at.max(*known);
        }
        // Sorted by prefix: of two servers that write down the same keys, none waits for the other in turn.
        let rows = last
            .into_iter()
            .map(|(prefix, at)| Value::Map(vec![("prefix", prefix.into()), ("at", at.into())]));
        let rows: Vec<Value> = rows.collect();
        for rows in rows.chunks(UNWIND_ROWS) {
            transaction!(self.driver, "writing down the use of keys", |tx| touch(
                tx,
                rows.to_vec()
            ));
        }
        Ok(())
    }

    async fn revision(&self) -> Result<u64, StoreError> {
        let doing = "looking for changed keys";
        let look = Statement::new("MATCH (r:KeyRevision {id: 'keys'}) RETURN r.number AS number");
        let rows = self.driver.read(doing, look).await?;
        let number = rows.first().map_or(Ok(0), |row| row.count("number"));
        number.map_err(|trouble| trouble.while_doing(doing))
    }
}

/// Nobody else changes keys until the end of the transaction.
async fn lock(tx: &mut Tx<'_>) -> Outcome<()> {
    let text = "MERGE (r:KeyRevision {id: 'keys'}) ON CREATE SET r.number = 0 SET r._lock = $mark";
    let mark = tx.mark().to_owned();
    tx.run(Statement::new(text).with("mark", mark)).await.map(drop)
}

/// Tells the servers. Answers the new number.
async fn changed(tx: &mut Tx<'_>) -> Outcome<u64> {
    let text = "MATCH (r:KeyRevision {id: 'keys'}) SET r.number = r.number + 1 RETURN r.number AS number";
    let row = tx.one(Statement::new(text)).await?;
    row.map_or(Ok(0), |row| row.count("number"))
}

async fn put(tx: &mut Tx<'_>, key: &StoredKey) -> Outcome<KeyPut> {
    lock(tx).await?;
    if is_made(tx, key).await? {
        return Ok(KeyPut::Made);
    }
    let text = concat!(
        "MATCH (k:ApiKey {name: $name}) WHERE ",
        living!(),
        " RETURN count(k) AS living"
    );
    let same_name = Statement::new(text)
        .with("name", key.record.name.as_str())
        .with("now", key.created_at);
    if number(tx, same_name, "living").await? > 0 {
        return Ok(KeyPut::NameTaken);
    }
    add(tx, key).await
}

async fn replace(tx: &mut Tx<'_>, old: &KeyPrefix, with: &Rotation) -> Outcome<KeyPut> {
    let Rotation {
        successor,
        old_expires_at,
    } = with;
    lock(tx).await?;
    if is_made(tx, successor).await? {
        return Ok(KeyPut::Made);
    }
    // First the successor: a taken prefix leaves the old key as it is.
    let put = add(tx, successor).await?;
    if put != KeyPut::Made {
        return Ok(put);
    }
    let text = concat!(
        "MATCH (k:ApiKey {prefix: $prefix}) WHERE k.rotated_at IS NULL AND ",
        living!(),
        " SET k.rotated_at = $now, k.expires_at = $expires_at RETURN count(k) AS rotated"
    );
    let rotate = Statement::new(text)
        .with("prefix", old.as_str())
        .with("now", successor.created_at)
        .with("expires_at", *old_expires_at);
    if number(tx, rotate, "rotated").await? == 0 {
        return Err(StoreError::NotFound { what: "living key" }.into());
    }
    Ok(put)
}

async fn revoke(tx: &mut Tx<'_>, name: &str, now: OffsetDateTime) -> Outcome<u64> {
    lock(tx).await?;
    let mark = tx.mark().to_owned();
    let text = "MATCH (k:ApiKey {name: $name}) WHERE k.revoked_by = $mark RETURN count(k) AS revoked";
    let before = Statement::new(text).with("name", name).with("mark", mark.as_str());
    let before = number(tx, before, "revoked").await?;
    if before > 0 {
        return Ok(before);
    }
    let text = concat!(
        "MATCH (k:ApiKey {name: $name}) WHERE ",
        living!(),
        " SET k.revoked_at = $now, k.revoked_by = $mark RETURN count(k) AS revoked"
    );
    let revoke = Statement::new(text)
        .with("name", name)
        .with("now", now)
        .with("mark", mark);
    let revoked = number(tx, revoke, "revoked").await?;
    if revoked > 0 {
        changed(tx).await?;
    }
    Ok(revoked)
}

async fn touch(tx: &mut Tx<'_>, rows: Vec<Value>) -> Outcome<()> {
    let text = "UNWIND $rows AS row MATCH (k:ApiKey {prefix: row.prefix}) SET k._lock = $mark
        WITH k, row WHERE coalesce(k.last_used_at, 0) < row.at SET k.last_used_at = row.at";
    let mark = tx.mark().to_owned();
    let update = Statement::new(text).with("rows", Value::List(rows)).with("mark", mark);
    tx.run(update).await.map(drop)
}

/// Whether this transaction was carried out before.
async fn is_made(tx: &mut Tx<'_>, key: &StoredKey) -> Outcome<bool> {
    let text = "MATCH (k:ApiKey {prefix: $prefix}) WHERE k.made_by = $mark RETURN count(k) AS made";
    let mark = tx.mark().to_owned();
    let look = Statement::new(text)
        .with("prefix", key.record.prefix.as_str())
        .with("mark", mark);
    Ok(number(tx, look, "made").await? > 0)
}

/// Adds a key whose name was looked at.
async fn add(tx: &mut Tx<'_>, key: &StoredKey) -> Outcome<KeyPut> {
    let text = "MATCH (k:ApiKey) WHERE k.revoked_at < $before OR k.expires_at < $before DELETE k";
    let forget = Statement::new(text).with("before", key.created_at - DEAD_KEY_TTL);
    tx.run(forget).await?;
    let text = "MATCH (k:ApiKey {prefix: $prefix}) RETURN count(k) AS taken";
    let taken = Statement::new(text).with("prefix", key.record.prefix.as_str());
    if number(tx, taken, "taken").await? > 0 {
        return Ok(KeyPut::PrefixTaken);
    }
    let held = Statement::new("MATCH (k:ApiKey) RETURN count(k) AS held");
    if number(tx, held, "held").await? >= u64::from(STORED_KEYS_MAX) {
        return Err(StoreError::TooLarge {
            what: "the number of stored keys",
            limit: u64::from(STORED_KEYS_MAX),
        }
        .into());
    }
    let place = changed(tx).await?;
    let mark = tx.mark().to_owned();
    tx.run(create(key, place, &mark)).await?;
    Ok(KeyPut::Made)
}

async fn number(tx: &mut Tx<'_>, statement: Statement, column: &str) -> Outcome<u64> {
    let row = tx.one(statement).await?;
    row.map_or(Ok(0), |row| row.count(column))
}
