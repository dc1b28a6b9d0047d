//! The records that rows tell of.

use crate::moving::{
    Hex, MovedChange, MovedContent, MovedLedger, MovedLookup, MovedNode, MovedPartition, MovedScan, MovedState,
};
use crate::neo4j::driver::{Outcome, Row, Trouble};

pub(super) fn node(row: &Row, gone: bool) -> Outcome<MovedNode> {
    let observed: bool = row.get("observed")?;
    let state = match (gone, observed) {
        (true, _) => MovedState::Gone,
        (false, true) => MovedState::Observed,
        (false, false) => MovedState::Stub,
    };
    let id = row.text("id")?;
    let seen = match row.maybe("first_gen")? {
        Some(first) => Some(content(row, &id, observed, first)?),
        None => None,
    };
    Ok(MovedNode {
        id,
        state,
        kind: row.text("kind")?,
        type_: row.maybe("type")?,
        subscription_id: row.maybe("subscription_id")?,
        resource_group: row.maybe("resource_group")?,
        generation: row.get("gen")?,
        observed_at: row.get("observed_at")?,
        gone_at: row.maybe("gone_at")?,
        seen,
    })
}

fn content(row: &Row, id: &str, observed: bool, first_generation: i64) -> Outcome<MovedContent> {
    let owner = if observed { row.maybe("owner")? } else { None };
    Ok(MovedContent {
        first_generation,
        first_seen: row.maybe("first_seen")?,
        display_id: row.maybe::<String>("display_id")?.filter(|display| display != id),
        name: row.maybe("name")?.unwrap_or_default(),
        api_version: row.maybe("api_version")?,
        location: row.maybe("location")?,
        owner,
        source: row.get("source")?,
        hash: hash(row, "hash")?,
        said: hash(row, "said")?,
        tags: row.maybe("tags")?,
        body: row.maybe("body")?,
    })
}

fn hash(row: &Row, column: &str) -> Outcome<Option<Hex>> {
    let Some(text) = row.maybe::<String>(column)? else {
        return Ok(None);
    };
    let bytes = Hex::read(&text);
    bytes
        .map(Some)
        .ok_or_else(|| Trouble::Unreadable(format!("a hash reads {text:?}")))
}

/// The kind and the value of an alias.
fn parted(alias: &str) -> Outcome<(String, String)> {
    let parted = alias.split_once('\n');
    let (kind, value) = parted.ok_or_else(|| Trouble::Unreadable(format!("an alias reads {alias:?}")))?;
    Ok((kind.to_owned(), value.to_owned()))
}

pub(super) fn alias(row: &Row) -> Outcome<(String, (String, String))> {
    Ok((row.text("key")?, parted(&row.text("alias")?)?))
}

pub(super) fn lookup(row: &Row) -> Outcome<(String, String, MovedLookup)> {
    let (kind, value) = parted(&row.text("alias")?)?;
    let lookup = MovedLookup {
        kind,
        value,
        relation: row.text("relation")?,
        to_found: row.get("to_found")?,
        qualifier: row.text("qualifier")?,
        path: row.text("path")?,
        properties: row.maybe("props")?,
        anchor: row.maybe("anchor")?,
        found: row.maybe("found")?,
    };
    Ok((row.text("key")?, row.text("place")?, lookup))
}

pub(super) fn scan(row: &Row) -> Outcome<MovedScan> {
    Ok(MovedScan {
        id: row.text("id")?,
        generation: row.get("gen")?,
        fence: row.get("fence")?,
        principal: row.text("principal")?,
        filters: row.text("filters")?,
        started_at: row.get("started_at")?,
        version: row.text("version")?,
        ended: row.maybe("ended")?,
        digest: row.maybe("digest")?,
        written: row.get("written")?,
        unchanged: row.get("unchanged")?,
        removed: row.get("removed")?,
    })
}

pub(super) fn entry(row: &Row, scan: &str) -> Outcome<(String, MovedLedger)> {
    let entry = MovedLedger {
        scan: scan.to_owned(),
        collection: row.text("collection")?,
        sweepable: row.get("sweepable")?,
        expected: row.maybe("expected")?,
        state: row.text("state")?,
        swept: row.get("swept")?,
    };
    Ok((row.text("key")?, entry))
}

pub(super) fn partition(row: &Row, scan: &str, collection: &str) -> Outcome<MovedPartition> {
    let mut applied: Vec<i64> = row.get("applied")?;
    applied.sort_unstable();
    Ok(MovedPartition {
        scan: scan.to_owned(),
        collection: collection.to_owned(),
        partition: row.text("part")?,
        at: row.get("at")?,
        cursor: row.maybe("cursor")?,
        pages: row.get("pages")?,
        rows: row.get("rows")?,
        done: row.get("done")?,
        applied,
    })
}

/// `None` where nothing is left of the node.
pub(super) fn change(row: &Row, generation: i64) -> Outcome<Option<MovedChange>> {
    if !row.get::<bool>("is_there")? {
        return Ok(None);
    }
    Ok(Some(MovedChange {
        generation,
        id: row.text("id")?,
        before: hash(row, "before")?,
        after: hash(row, "after")?,
    }))
}
