//! Tickets, by their digest: put by one server, taken by whichever is asked.

use atg_auth::{KeyPrefix, Principal};
use atg_models::limits::{SOCKET_TICKETS_MAX, SOCKET_TICKETS_PER_KEY_MAX};
use time::OffsetDateTime;

use crate::StoreError;
use crate::graph_rules::hex;
use crate::neo4j::driver::{Driver, Outcome, Row, Statement, Trouble, Tx, transaction};
use crate::replica_store::KeptTicket;

/// Keeps a ticket; `false` when there are too many. Expired ones go first.
pub(super) async fn put(
    driver: &Driver,
    digest: [u8; 32],
    ticket: &KeptTicket,
    now: OffsetDateTime,
) -> Result<bool, StoreError> {
    let digest = hex(&digest);
    Ok(transaction!(driver, "keeping a ticket", |tx| async {
        lock(tx).await?;
        let forget = "MATCH (t:Ticket) WHERE t.expires_at <= $now DETACH DELETE t";
        tx.run(Statement::new(forget).with("now", now)).await?;
        if !has_room(tx, &digest, ticket).await? {
            return Ok(false);
        }
        tx.run(kept(&digest, ticket)).await?;
        Ok(true)
    }))
}

/// Takes a ticket away.
pub(super) async fn take(driver: &Driver, digest: [u8; 32]) -> Result<Option<KeptTicket>, StoreError> {
    let digest = hex(&digest);
    if !is_there(driver, &digest).await? {
        return Ok(None);
    }
    Ok(transaction!(driver, "taking a ticket", |tx| async {
        let mark = tx.mark().to_owned();
        // The lock is waited for before it is looked at who took the ticket: of several, one finds nobody. That
        // one finds itself when its answer was lost and it comes again. Taken tickets go when they expire.
        let text = "MATCH (t:Ticket {digest: $digest}) SET t._lock = $mark
             WITH t WHERE t.taken_by IS NULL OR t.taken_by = $mark SET t.taken_by = $mark
             RETURN t.job AS job, t.key_prefix AS key_prefix, t.key_name AS key_name, t.scope AS scope,
               t.tenants AS tenants, t.key_expires_at AS key_expires_at, t.expires_at AS expires_at";
        let take = Statement::new(text).with("digest", digest.as_str()).with("mark", mark);
        tx.one(take).await?.as_ref().map(read).transpose()
    }))
}

/// Whether it is worth waiting for its lock: for a ticket that is gone, a thousand uses would stand in line.
async fn is_there(driver: &Driver, digest: &str) -> Result<bool, StoreError> {
    let text = "MATCH (t:Ticket {digest: $digest}) WHERE t.taken_by IS NULL RETURN t.digest AS digest";
    let look = Statement::new(text).with("digest", digest);
    let rows = driver.read("looking for a ticket", look).await?;
    Ok(!rows.is_empty())
}

/// One at a time counts.
async fn lock(tx: &mut Tx<'_>) -> Outcome<()> {
    let mark = tx.mark().to_owned();
    let lock = Statement::new("MERGE (b:TicketBox {id: 'tickets'}) SET b._lock = $mark");
    tx.run(lock.with("mark", mark)).await.map(drop)
}

async fn has_room(tx: &mut Tx<'_>, digest: &str, ticket: &KeptTicket) -> Outcome<bool> {
    let text = "MATCH (t:Ticket) WHERE t.taken_by IS NULL AND t.digest <> $digest
         RETURN count(t) AS held, sum(CASE WHEN t.key_prefix = $key THEN 1 ELSE 0 END) AS own";
    let key = ticket.principal.key_prefix.as_str();
    let count = Statement::new(text).with("key", key).with("digest", digest);
    let Some(row) = tx.one(count).await? else {
        return Ok(true);
    };
    let most = |max: usize| u64::try_from(max).unwrap_or(u64::MAX);
    Ok(row.count("held")? < most(SOCKET_TICKETS_MAX) && row.count("own")? < most(SOCKET_TICKETS_PER_KEY_MAX))
}

fn kept(digest: &str, ticket: &KeptTicket) -> Statement {
    let KeptTicket {
        job,
        principal,
        expires_at,
    } = ticket;
    let Principal {
        key_prefix,
        key_name,
        scope,
        tenants,
        expires_at: key_expires_at,
    } = principal;
    let text = "MERGE (t:Ticket {digest: $digest})
         SET t.job = $job, t.key_prefix = $key_prefix, t.key_name = $key_name, t.scope = $scope,
           t.tenants = $tenants, t.key_expires_at = $key_expires_at, t.expires_at = $expires_at";
    Statement::new(text)
        .with("digest", digest)
        .with("job", job.to_string())
        .with("key_prefix", key_prefix.as_str())
        .with("key_name", key_name.as_str())
        .with("scope", scope.as_str())
        .with("tenants", tenants.to_string())
        .with("key_expires_at", *key_expires_at)
        .with("expires_at", *expires_at)
}

fn read(row: &Row) -> Outcome<KeptTicket> {
    let prefix = row.text("key_prefix")?;
    let key_prefix = KeyPrefix::from_stored(&prefix)
        .ok_or_else(|| Trouble::Unreadable("a ticket of an unreadable key".to_owned()))?;
    Ok(KeptTicket {
        job: row.parsed("job")?,
        principal: Principal {
            key_prefix,
            key_name: row.text("key_name")?,
            scope: row.parsed("scope")?,
            tenants: row.parsed("tenants")?,
            expires_at: row.maybe_moment("key_expires_at")?,
        },
        expires_at: row.moment("expires_at")?,
    })
}
