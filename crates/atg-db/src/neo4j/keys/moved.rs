//! Stored keys as records, and back.

use crate::moving::{Hex, MoveError, MovedKey, Record, Take};
use crate::neo4j::driver::{Driver, Outcome, Row, Statement, Trouble, Tx, Value};

const DOING: &str = "exporting the stored keys";

/// Keys, the oldest first.
pub(in crate::neo4j) async fn read_moved(driver: &Driver, take: Take<'_>) -> Result<(), MoveError> {
    let text = "MATCH (k:ApiKey)
        RETURN k.name AS name, k.prefix AS prefix, k.digest AS digest, k.environment AS environment, k.scope AS scope,
          k.tenants AS tenants, k.created_at AS created_at, k.expires_at AS expires_at, k.rotated_at AS rotated_at,
          k.revoked_at AS revoked_at, k.last_used_at AS last_used_at
        ORDER BY k.place";
    for row in driver.read(DOING, Statement::new(text)).await? {
        let key = key(&row).map_err(|trouble| trouble.while_doing(DOING))?;
        take(Record::Key(Box::new(key)))?;
    }
    Ok(())
}

fn key(row: &Row) -> Outcome<MovedKey> {
    Ok(MovedKey {
        name: row.text("name")?,
        prefix: row.text("prefix")?,
        digest: Hex(row.get("digest")?),
        environment: row.text("environment")?,
        scope: row.text("scope")?,
        tenants: row.text("tenants")?,
        created_at: row.get("created_at")?,
        expires_at: row.maybe("expires_at")?,
        rotated_at: row.maybe("rotated_at")?,
        revoked_at: row.maybe("revoked_at")?,
        last_used_at: row.maybe("last_used_at")?,
    })
}

/// Writes keys behind those that are there.
pub(in crate::neo4j) async fn write_moved(tx: &mut Tx<'_>, records: &[Record]) -> Outcome<()> {
    let text = "MERGE (r:KeyRevision {id: 'keys'}) ON CREATE SET r.number = 0
        WITH r UNWIND range(0, size($rows) - 1) AS i
        CREATE (k:ApiKey) SET k = $rows[i], k.place = r.number + i + 1
        WITH r, count(k) AS made SET r.number = r.number + made";
    let rows = records.iter().map(|record| match record {
        Record::Key(key) => Ok(fields(key)),
        Record::Job(_)
        | Record::Event(_)
        | Record::Idempotency(_)
        | Record::Tenant(_)
        | Record::Node(_)
        | Record::Edge(_)
        | Record::Names(_)
        | Record::Scan(_)
        | Record::Ledger(_)
        | Record::Partition(_)
        | Record::Change(_)
        | Record::Cache(_) => Err(Trouble::Unreadable("a record of another part".to_owned())),
    });
    let rows = Value::rows(rows.collect::<Outcome<Vec<_>>>()?);
    tx.run(Statement::new(text).with("rows", rows)).await.map(drop)
}

fn fields(key: &MovedKey) -> Vec<(&'static str, Value)> {
    vec![
        ("name", key.name.as_str().into()),
        ("prefix", key.prefix.as_str().into()),
        ("digest", Value::Bytes(key.digest.0.clone())),
        ("environment", key.environment.as_str().into()),
        ("scope", key.scope.as_str().into()),
        ("tenants", key.tenants.as_str().into()),
        ("created_at", key.created_at.into()),
        ("expires_at", key.expires_at.into()),
        ("rotated_at", key.rotated_at.into()),
        ("revoked_at", key.revoked_at.into()),
        ("last_used_at", key.last_used_at.into()),
    ]
}
