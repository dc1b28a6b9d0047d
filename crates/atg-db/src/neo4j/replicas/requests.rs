//! A key's requests of the last minute: one node a key, with the grants that still count.

use atg_auth::KeyPrefix;
use atg_models::limits;
use time::OffsetDateTime;

use crate::StoreError;
use crate::neo4j::driver::{Driver, Outcome, Statement, Tx, transaction};
use crate::replica_store::{Back, Grant};

/// Takes a grant.
pub(super) async fn take(
    driver: &Driver,
    key: &KeyPrefix,
    wanted: u32,
    limit: u32,
    back: Option<Back>,
    now: OffsetDateTime,
) -> Result<Grant, StoreError> {
    Ok(transaction!(driver, "counting requests", |tx| async {
        let mut window = Window::lock(tx, key).await?;
        window.forget(millis(now) - window_ms());
        if let Some(back) = back {
            window.give_back(millis(back.granted_at), back.unused);
        }
        let granted = wanted.min(limit.saturating_sub(window.used()));
        // A grant counts from its time on, whichever server's clock runs ahead.
        window.add(millis(now), granted);
        window.write(tx, key).await?;
        Ok(Grant {
            granted,
            used: window.used(),
            next_at: window.leaves().map(moment),
        })
    }))
}

/// Grants by their time, in milliseconds.
#[derive(Debug, Default, PartialEq, Eq)]
struct Window(Vec<(i64, u32)>);

impl Window {
    async fn lock(tx: &mut Tx<'_>, key: &KeyPrefix) -> Outcome<Self> {
        let text = "MERGE (w:RequestWindow {key: $key}) SET w._lock = $mark
             WITH w RETURN coalesce(w.at, []) AS at, coalesce(w.granted, []) AS granted";
        let mark = tx.mark().to_owned();
        let locked = Statement::new(text).with("key", key.as_str()).with("mark", mark);
        let Some(row) = tx.one(locked).await? else {
            return Ok(Self::default());
        };
        let (at, granted): (Vec<i64>, Vec<i64>) = (row.get("at")?, row.get("granted")?);
        let granted = granted
            .into_iter()
            .map(|count| u32::try_from(count).unwrap_or(u32::MAX));
        Ok(Self(at.into_iter().zip(granted).collect()))
    }

    async fn write(&self, tx: &mut Tx<'_>, key: &KeyPrefix) -> Outcome<()> {
        let at: Vec<i64> = self.0.iter().map(|(at, _)| *at).collect();
        let granted: Vec<u32> = self.0.iter().map(|(_, granted)| *granted).collect();
        let text = "MATCH (w:RequestWindow {key: $key}) SET w.at = $at, w.granted = $granted";
        let write = Statement::new(text)
            .with("key", key.as_str())
            .with("at", at)
            .with("granted", granted);
        tx.run(write).await.map(drop)
    }

    fn forget(&mut self, until: i64) {
        self.0.retain(|(at, granted)| *at > until && *granted > 0);
    }

    fn give_back(&mut self, granted_at: i64, unused: u32) {
        let grant = self
            .0
            .iter_mut()
            .find(|(at, granted)| *at == granted_at && *granted >= unused);
        if let Some((_, granted)) = grant {
            *granted -= unused;
        }
    }

    fn add(&mut self, at: i64, granted: u32) {
        if granted > 0 {
            self.0.push((at, granted));
        }
    }

    fn used(&self) -> u32 {
        self.0.iter().fold(0, |sum, (_, granted)| sum.saturating_add(*granted))
    }

    /// When the oldest grant counts no longer.
    fn leaves(&self) -> Option<i64> {
        self.0.iter().map(|(at, _)| *at).min().map(|at| at + window_ms())
    }
}

/// A request that a grant lets in at its end counts for its whole minute.
fn window_ms() -> i64 {
    let window = limits::REQUESTS_WINDOW + limits::REQUEST_GRANT_LIFE;
    window.whole_seconds().saturating_mul(1_000)
}

fn millis(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

fn moment(millis: i64) -> OffsetDateTime {
    let nanos = i128::from(millis).saturating_mul(1_000_000);
    OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}
