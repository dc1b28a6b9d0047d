//! A key's node, read and written.

use atg_auth::{KeyDigest, KeyPrefix, KeyRecord, StoredKey};

use crate::neo4j::driver::{Outcome, Row, Statement, Trouble, Value};

/// What [`read`] reads of the node `k`.
macro_rules! columns {
    () => {
        "k.name AS name, k.prefix AS prefix, k.digest AS digest, k.environment AS environment, k.scope AS scope,
         k.tenants AS tenants, k.created_at AS created_at, k.expires_at AS expires_at, k.rotated_at AS rotated_at,
         k.revoked_at AS revoked_at, k.last_used_at AS last_used_at, k.made_by AS made_by"
    };
}
pub(super) use columns;

/// Reads a row of [`columns!`].
pub(super) fn read(row: &Row) -> Outcome<StoredKey> {
    let digest: Vec<u8> = row.get("digest")?;
    let digest = digest
        .try_into()
        .map_err(|_| Trouble::Unreadable("a digest of another length".to_owned()))?;
    let record = KeyRecord {
        name: row.text("name")?,
        prefix: KeyPrefix::from_stored(&row.text("prefix")?)
            .ok_or_else(|| Trouble::Unreadable("an unreadable prefix".to_owned()))?,
        digest: KeyDigest::from_bytes(digest),
        environment: row.parsed("environment")?,
        scope: row.parsed("scope")?,
        tenants: row.parsed("tenants")?,
        expires_at: row.maybe_moment("expires_at")?,
    };
    Ok(StoredKey {
        record,
        created_at: row.moment("created_at")?,
        rotated_at: row.maybe_moment("rotated_at")?,
        revoked_at: row.maybe_moment("revoked_at")?,
        last_used_at: row.maybe_moment("last_used_at")?,
    })
}

/// Adds a node: `place` says which is older, `mark` which transaction made it.
pub(super) fn create(key: &StoredKey, place: u64, mark: &str) -> Statement {
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
    let text = "CREATE (k:ApiKey {place: $place, made_by: $mark, name: $name, prefix: $prefix, digest: $digest,
          environment: $environment, scope: $scope, tenants: $tenants, created_at: $created_at,
          expires_at: $expires_at, rotated_at: $rotated_at, revoked_at: $revoked_at,
          last_used_at: $last_used_at})";
    Statement::new(text)
        .with("place", place)
        .with("mark", mark)
        .with("name", name.as_str())
        .with("prefix", prefix.as_str())
        .with("digest", Value::Bytes(digest.bytes().to_vec()))
        .with("environment", environment.as_str())
        .with("scope", scope.as_str())
        .with("tenants", tenants.to_string())
        .with("created_at", *created_at)
        .with("expires_at", *expires_at)
        .with("rotated_at", *rotated_at)
        .with("revoked_at", *revoked_at)
        .with("last_used_at", *last_used_at)
}
