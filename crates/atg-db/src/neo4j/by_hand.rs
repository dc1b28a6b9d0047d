//! A database beside the stores, for tests and benches: emptied between two of them, its password changed, its
//! rows copied.

mod copy;

use std::time::Duration;

use super::config::Neo4jConfig;
use super::driver::{Driver, Statement, transaction};
use crate::StoreError;

pub use copy::Portion;

/// Nodes that one transaction removes.
const WIPED_AT_ONCE: i64 = 20_000;
/// How often it is looked whether the last user's transactions have ended, before they are ended.
const LOOKS: u32 = 50;
/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// A way to a database that asks nobody.
pub struct ByHand {
    driver: Driver,
}

impl ByHand {
    /// Prepares the connections; the server is not asked yet.
    pub fn new(config: &Neo4jConfig) -> Result<Self, StoreError> {
        let driver = Driver::new(config)?;
        Ok(Self { driver })
    }

    /// Removes everything but what says which schema there is, after whatever its last user has begun.
    pub async fn wipe(&self) -> Result<(), StoreError> {
        for _ in 0..LOOKS {
            if self.others().await? == 0 {
                break;
            }
            tokio::time::sleep(LOOK).await;
        }
        let text = "MATCH (x) WHERE NOT x:Migration AND NOT x:MigrationLock WITH x LIMIT $most
            DETACH DELETE x RETURN count(x) AS n";
        loop {
            let removed = transaction!(self.driver, "wiping", |tx| async {
                let row = tx.one(Statement::new(text).with("most", WIPED_AT_ONCE)).await?;
                row.map_or(Ok(0), |row| row.count("n"))
            });
            if removed == 0 {
                return Ok(());
            }
        }
    }

    /// Transactions other than the one that asks.
    async fn others(&self) -> Result<u64, StoreError> {
        let text = "SHOW TRANSACTIONS YIELD currentQuery WHERE NOT currentQuery STARTS WITH 'SHOW TRANSACTIONS'
            RETURN count(*) AS n";
        let doing = "looking at transactions";
        let rows = self.driver.read(doing, Statement::new(text)).await?;
        let count = rows.first().map_or(Ok(0), |row| row.count("n"));
        count.map_err(|trouble| trouble.while_doing(doing))
    }

    /// Changes the password of who asks; the connection must be one to the database `system`. Connections that
    /// are there stay.
    pub async fn change_password(&self, from: &str, to: &str) -> Result<(), StoreError> {
        let text = "ALTER CURRENT USER SET PASSWORD FROM $from TO $to";
        transaction!(self.driver, "changing the password", |tx| async {
            let statement = Statement::new(text).with("from", from).with("to", to);
            tx.run(statement).await.map(drop)
        });
        Ok(())
    }
}
