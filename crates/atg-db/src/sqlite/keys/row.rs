//! A key's row, read and written.

use atg_auth::{KeyDigest, KeyPrefix, KeyRecord, StoredKey};
use rusqlite::{Connection, Row, params};
use time::OffsetDateTime;

use crate::sqlite::fault::{Fault, Outcome, moment, nanos, parsed};

const COLUMNS: &str =
    "name, prefix, digest, environment, scope, tenants, created_at, expires_at, rotated_at, revoked_at, last_used_at";

/// The condition of a key that lets someone in at the time of the parameter `?1`.
pub(super) const LIVING: &str = "revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?1)";

/// The keys that a condition holds for, the oldest first.
pub(super) fn select(
    connection: &Connection,
    condition: &str,
    params: impl rusqlite::Params,
) -> Outcome<Vec<StoredKey>> {
    let sql = format!("SELECT {COLUMNS} FROM api_key WHERE {condition} ORDER BY k");
    let mut find = connection.prepare_cached(&sql)?;
    let mut rows = find.query(params)?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        keys.push(read(row)?);
    }
    Ok(keys)
}

fn read(row: &Row<'_>) -> Outcome<StoredKey> {
    let word = |column: usize| row.get::<_, String>(column);
    let time_at = |column: usize| -> Outcome<Option<OffsetDateTime>> {
        row.get::<_, Option<i64>>(column)?.map(moment).transpose()
    };
    let digest: Vec<u8> = row.get(2)?;
    let digest = digest
        .try_into()
        .map_err(|_| Fault::Row("a digest of another length".to_owned()))?;
    let record = KeyRecord {
        name: word(0)?,
        prefix: KeyPrefix::from_stored(&word(1)?).ok_or_else(|| Fault::Row("an unreadable prefix".to_owned()))?,
        digest: KeyDigest::from_bytes(digest),
        environment: parsed(&word(3)?)?,
        scope: parsed(&word(4)?)?,
        tenants: parsed(&word(5)?)?,
        expires_at: time_at(7)?,
    };
    Ok(StoredKey {
        record,
        created_at: moment(row.get(6)?)?,
        rotated_at: time_at(8)?,
        revoked_at: time_at(9)?,
        last_used_at: time_at(10)?,
    })
}

/// Adds a row.
pub(super) fn insert(connection: &Connection, key: &StoredKey) -> Outcome<()> {
    let StoredKey {
        record,
        created_at,
        rotated_at,
        revoked_at,
        last_used_at,
    } = key;
    let KeyRecord {
        name,
        prefix,
        digest,
        environment,
        scope,
        tenants,
        expires_at,
    } = record;
    let sql = format!("INSERT INTO api_key({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");
    connection.prepare_cached(&sql)?.execute(params![
        name,
        prefix.as_str(),
        digest.bytes().as_slice(),
        environment.as_str(),
        scope.as_str(),
        tenants.to_string(),
        nanos(*created_at),
        expires_at.map(nanos),
        rotated_at.map(nanos),
        revoked_at.map(nanos),
        last_used_at.map(nanos),
    ])?;
    Ok(())
}
