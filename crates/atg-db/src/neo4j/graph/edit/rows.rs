//! Rows on their way to a statement, in portions that the server can take.

use crate::neo4j::driver::{Outcome, Row, Statement, Tx, Value};
use crate::neo4j::limits;

/// A row of an `UNWIND`.
pub(super) type Fields = Vec<(&'static str, Value)>;

/// Runs a statement over `$rows`, with the tenant's `$prefix`, in as many portions as are needed; the rows of
/// all answers.
pub(in crate::neo4j::graph) async fn unwind(
    tx: &mut Tx<'_>,
    text: &'static str,
    prefix: &str,
    rows: Vec<Fields>,
) -> Outcome<Vec<Row>> {
    let mut answers = Vec::new();
    let mut portion = Vec::new();
    let mut bytes = 0;
    for row in rows {
        let more: usize = row.iter().map(|(name, value)| name.len() + size(value)).sum();
        let full = portion.len() >= limits::UNWIND_ROWS || bytes + more > limits::UNWIND_BYTES;
        if full && !portion.is_empty() {
            answers.extend(send(tx, text, prefix, std::mem::take(&mut portion)).await?);
            bytes = 0;
        }
        bytes += more;
        portion.push(row);
    }
    if !portion.is_empty() {
        answers.extend(send(tx, text, prefix, portion).await?);
    }
    Ok(answers)
}

async fn send(tx: &mut Tx<'_>, text: &'static str, prefix: &str, rows: Vec<Fields>) -> Outcome<Vec<Row>> {
    let statement = Statement::new(text)
        .with("rows", Value::rows(rows))
        .with("prefix", prefix);
    tx.run(statement).await
}

/// About how many bytes a value is on its way.
fn size(value: &Value) -> usize {
    const SMALL: usize = 9;
    match value {
        Value::Null | Value::Flag(_) | Value::Int(_) | Value::Float(_) => SMALL,
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(values) => values.iter().map(size).sum(),
        Value::Map(members) => members.iter().map(|(name, value)| name.len() + size(value)).sum(),
    }
}

/// Runs a statement that deletes at most `$limit` things of the tenant and answers how many `n`.
pub(in crate::neo4j::graph) async fn delete(tx: &mut Tx<'_>, statement: Statement) -> Outcome<u64> {
    tx.one(statement).await?.map_or(Ok(0), |row| row.count("n"))
}
