//! Numbered migrations, one transaction each. The number of the last one stands in the file.

use rusqlite::{Connection, TransactionBehavior};

use crate::StoreError;
use crate::sqlite::fault::Outcome;

/// Brings the file to the last of `steps`. A file from a newer version is refused by name.
pub(crate) fn migrate(connection: &mut Connection, file: &str, steps: &[&str]) -> Outcome<()> {
    let known = i64::try_from(steps.len()).unwrap_or(i64::MAX);
    let found = version(connection)?;
    if found > known {
        return Err(StoreError::TooNew {
            file: file.to_owned(),
            found,
            known,
        }
        .into());
    }
    for (number, step) in (1_i64..).zip(steps) {
        if number <= found {
            continue;
        }
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Another program may have been quicker where more than one may open the file.
        if version(&transaction)? >= number {
            continue;
        }
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", number)?;
        transaction.commit()?;
    }
    Ok(())
}

fn version(connection: &Connection) -> Outcome<i64> {
    Ok(connection.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}
