//! The ledger: what was planned, and how far each part of it was read.

use std::collections::{HashMap, HashSet};

use atg_models::JobId;
use atg_models::graph::{
    CollectionKey, CollectionState, LedgerEntry, LedgerProgress, Partition, PartitionKey, PlannedCollection, ScanHandle,
};

use crate::StoreError;
use crate::graph_store::Applied;
use crate::neo4j::driver::{Driver, Outcome, Row, Statement, Trouble, Tx, Value};
use crate::neo4j::graph::scan::{Held, hold, hold_open};
use crate::neo4j::limits;

/// A collection's standing.
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) sweepable: bool,
    pub(super) state: CollectionState,
    pub(super) swept: bool,
}

/// What a page is to the ledger.
pub(super) enum Noted {
    /// It was not applied before: where it is to be noted.
    New(PagePlace),
    /// It was: what it came to if this very transaction did it (its end was not known), else nothing.
    Before(Applied),
}

/// Where a page is noted.
pub(super) struct PagePlace {
    entry: String,
    part: String,
    is_newest: bool,
}

pub(super) fn entry_key(scan: JobId, collection: &CollectionKey) -> String {
    format!("{scan}/{collection}")
}

/// No key of a collection or a partition holds a line feed.
pub(super) fn part_key(entry: &str, part: &PartitionKey) -> String {
    format!("{entry}\n{}", part.0)
}

/// Adds collections, and partitions that known ones lack.
pub(super) async fn plan(tx: &mut Tx<'_>, handle: &ScanHandle, collections: &[PlannedCollection]) -> Outcome<()> {
    let held = hold(tx, handle).await?;
    if held.ended {
        return Ok(());
    }
    for some in collections.chunks(limits::UNWIND_ROWS) {
        let open = add_entries(tx, &held, some).await?;
        let known = known_parts(tx, &open).await?;
        add_parts(tx, &held, some, &open, known).await?;
    }
    Ok(())
}

/// Adds what is not there; the keys of all that are not settled.
async fn add_entries(tx: &mut Tx<'_>, held: &Held, collections: &[PlannedCollection]) -> Outcome<HashSet<String>> {
    let text = "UNWIND $rows AS row
        MERGE (e:LedgerEntry {key: row.key})
        ON CREATE SET e.scan = $scan, e.collection = row.collection, e.sweepable = row.sweepable,
          e.expected = row.expected, e.state = $planned, e.swept = false
        RETURN e.key AS key, e.state AS state";
    let rows = Value::rows(collections.iter().map(|planned| {
        vec![
            ("key", entry_key(held.scan_id, &planned.collection).into()),
            ("collection", planned.collection.as_str().into()),
            ("sweepable", planned.sweepable.into()),
            ("expected", planned.expected.into()),
        ]
    }));
    let statement = Statement::new(text)
        .with("rows", rows)
        .with("scan", held.scan_id.to_string())
        .with("planned", serde_json::to_string(&CollectionState::Planned)?);
    let mut open = HashSet::new();
    for row in tx.run(statement).await? {
        if !row.json::<CollectionState>("state")?.is_settled() {
            open.insert(row.text("key")?);
        }
    }
    Ok(open)
}

/// The partitions of these entries.
async fn known_parts(tx: &mut Tx<'_>, entries: &HashSet<String>) -> Outcome<HashMap<String, HashSet<String>>> {
    let text = "UNWIND $keys AS key MATCH (p:LedgerPart {entry: key}) RETURN key AS entry, p.part AS part";
    let keys: Vec<&str> = entries.iter().map(String::as_str).collect();
    let mut known: HashMap<String, HashSet<String>> = HashMap::new();
    for row in tx.run(Statement::new(text).with("keys", keys)).await? {
        known.entry(row.text("entry")?).or_default().insert(row.text("part")?);
    }
    Ok(known)
}

async fn add_parts(
    tx: &mut Tx<'_>,
    held: &Held,
    collections: &[PlannedCollection],
    open: &HashSet<String>,
    mut known: HashMap<String, HashSet<String>>,
) -> Outcome<()> {
    let mut rows = Vec::new();
    for collection in collections {
        let entry = entry_key(held.scan_id, &collection.collection);
        if !open.contains(&entry) {
            continue;
        }
        let there = known.entry(entry.clone()).or_default();
        for part in &collection.partitions {
            // Partitions are read back in the order in which they were planned.
            let at = u64::try_from(there.len()).unwrap_or(u64::MAX);
            if there.insert(part.0.clone()) {
                rows.push(vec![
                    ("key", part_key(&entry, part).into()),
                    ("entry", entry.as_str().into()),
                    ("part", part.0.as_str().into()),
                    ("at", at.into()),
                ]);
            }
        }
    }
    let text = "UNWIND $rows AS row
        CREATE (:LedgerPart {key: row.key, entry: row.entry, part: row.part, at: row.at, scan: $scan,
          pages: 0, rows: 0, done: false, applied: []})";
    while !rows.is_empty() {
        let rest = rows.split_off(rows.len().min(limits::UNWIND_ROWS));
        let statement = Statement::new(text)
            .with("rows", Value::rows(rows))
            .with("scan", held.scan_id.to_string());
        tx.run(statement).await?;
        rows = rest;
    }
    Ok(())
}

/// A collection's standing. Under [`hold`].
pub(super) async fn entry(tx: &mut Tx<'_>, held: &Held, collection: &CollectionKey) -> Outcome<Entry> {
    let text = "MATCH (e:LedgerEntry {key: $key})
        RETURN e.key AS key, e.sweepable AS sweepable, e.state AS state, e.swept AS swept";
    let key = entry_key(held.scan_id, collection);
    let found = tx.one(Statement::new(text).with("key", key)).await?;
    let found = found.ok_or(StoreError::NotFound { what: "collection" })?;
    Ok(Entry {
        key: found.text("key")?,
        sweepable: found.get("sweepable")?,
        state: found.json("state")?,
        swept: found.get("swept")?,
    })
}

/// Looks for the place of a page before it is applied. Under [`hold`].
pub(super) async fn find_page(tx: &mut Tx<'_>, held: &Held, progress: &LedgerProgress) -> Outcome<Noted> {
    const FIND: &str = "MATCH (e:LedgerEntry {key: $entry}) OPTIONAL MATCH (p:LedgerPart {key: $part})
        RETURN e.state AS state, p.applied AS applied, p.mark AS mark, p.written AS written, p.unchanged AS unchanged";
    let collection = &progress.collection;
    let entry = entry_key(held.scan_id, collection);
    let part = part_key(&entry, &progress.partition.key);
    let find = Statement::new(FIND)
        .with("entry", entry.as_str())
        .with("part", part.as_str());
    let found = tx.one(find).await?;
    let found = found.ok_or(StoreError::NotFound { what: "collection" })?;
    let applied: Option<Vec<i64>> = found.maybe("applied")?;
    let applied = applied.ok_or(StoreError::NotFound { what: "partition" })?;
    let number = page_number(progress);
    if applied.contains(&number) {
        return Ok(Noted::Before(what_it_came_to(tx, &found)?));
    }
    if found.json::<CollectionState>("state")?.is_settled() {
        return Err(Trouble::Unreadable(format!(
            "a page of the settled collection {collection}"
        )));
    }
    // A page that was overtaken by a later one of its partition must not turn the cursor back.
    let is_newest = applied.iter().all(|earlier| *earlier < number);
    Ok(Noted::New(PagePlace { entry, part, is_newest }))
}

fn page_number(progress: &LedgerProgress) -> i64 {
    i64::try_from(progress.page.get()).unwrap_or(i64::MAX)
}

/// The page with what it came to: for the scan, for another try of this transaction, and for readers of the graph
/// (see `scan::changed`).
macro_rules! note_text {
    ($newest:literal) => {
        concat!(
            "MATCH (p:LedgerPart {key: $part}) MATCH (e:LedgerEntry {key: $entry}) MATCH (s:Scan {id: $scan})
             MATCH (t:TenantRecord {id: $tenant})
             SET p.applied = p.applied + $page, p.mark = $mark, p.written = $written, p.unchanged = $unchanged,
               s.written = s.written + $written, s.unchanged = s.unchanged + $unchanged, t.rev = t.rev + $changes",
            $newest,
            " FOREACH (planned IN CASE WHEN e.state = $planned THEN [e] ELSE [] END | SET planned.state = $reading)"
        )
    };
}
const NEWEST_PAGE: &str = note_text!(", p.cursor = $cursor, p.pages = $pages, p.rows = $rows, p.done = $done");
const OVERTAKEN_PAGE: &str = note_text!("");

impl PagePlace {
    /// Notes the page. `changes` says whether it may have changed the graph.
    pub(super) async fn note(
        &self,
        tx: &mut Tx<'_>,
        held: &Held,
        progress: &LedgerProgress,
        applied: Applied,
        changes: bool,
    ) -> Outcome<()> {
        let partition = &progress.partition;
        let text = if self.is_newest { NEWEST_PAGE } else { OVERTAKEN_PAGE };
        let mut note = Statement::new(text)
            .with("part", self.part.as_str())
            .with("entry", self.entry.as_str())
            .with("scan", held.scan_id.to_string())
            .with("tenant", held.tenant_id.to_string())
            .with("page", page_number(progress))
            .with("mark", tx.mark())
            .with("written", applied.written)
            .with("unchanged", applied.unchanged)
            .with("changes", i64::from(changes))
            .with("planned", serde_json::to_string(&CollectionState::Planned)?)
            .with("reading", serde_json::to_string(&CollectionState::Reading)?);
        if self.is_newest {
            note = note
                .with("cursor", partition.cursor.clone())
                .with("pages", partition.pages)
                .with("rows", partition.rows)
                .with("done", partition.done);
        }
        tx.run(note).await.map(drop)
    }
}

fn what_it_came_to(tx: &Tx<'_>, part: &Row) -> Outcome<Applied> {
    if part.maybe::<String>("mark")?.as_deref() != Some(tx.mark()) {
        return Ok(Applied::default());
    }
    Ok(Applied {
        written: part.count("written")?,
        unchanged: part.count("unchanged")?,
    })
}

/// Settles a collection.
pub(super) async fn settle(
    tx: &mut Tx<'_>,
    handle: &ScanHandle,
    collection: &CollectionKey,
    state: &CollectionState,
) -> Outcome<()> {
    let held = hold(tx, handle).await?;
    let entry = entry(tx, &held, collection).await?;
    if entry.state == *state {
        return Ok(());
    }
    if held.ended {
        return Err(StoreError::Fenced { what: "scan" }.into());
    }
    if !state.is_settled() {
        let state = state.as_str();
        return Err(Trouble::Unreadable(format!(
            "{collection} cannot be settled as {state}"
        )));
    }
    if entry.swept {
        return Err(Trouble::Unreadable(format!("{collection} was swept as complete")));
    }
    if *state == CollectionState::Complete {
        let unread = unread_parts(tx, &entry).await?;
        if unread > 0 {
            return Err(Trouble::Unreadable(format!(
                "{collection} has {unread} partitions that were not read to their end"
            )));
        }
    }
    put_state(tx, &entry.key, state).await
}

async fn unread_parts(tx: &mut Tx<'_>, entry: &Entry) -> Outcome<u64> {
    let text = "MATCH (p:LedgerPart {entry: $entry}) WHERE NOT p.done RETURN count(p) AS unread";
    let found = tx.one(Statement::new(text).with("entry", entry.key.as_str())).await?;
    found.map_or(Ok(0), |row| row.count("unread"))
}

/// Starts a partition again from its beginning.
pub(super) async fn restart(
    tx: &mut Tx<'_>,
    handle: &ScanHandle,
    collection: &CollectionKey,
    partition: &PartitionKey,
) -> Outcome<()> {
    let held = hold_open(tx, handle).await?;
    let entry = entry(tx, &held, collection).await?;
    if entry.state.is_settled() {
        return Err(Trouble::Unreadable(format!(
            "the settled collection {collection} cannot be read again"
        )));
    }
    let text = "MATCH (p:LedgerPart {key: $key})
        SET p.cursor = null, p.pages = 0, p.rows = 0, p.done = false, p.applied = [], p.mark = null
        RETURN p.key AS key";
    let key = part_key(&entry.key, partition);
    let found = tx.one(Statement::new(text).with("key", key)).await?;
    found
        .map(drop)
        .ok_or_else(|| StoreError::NotFound { what: "partition" }.into())
}

/// Notes that a collection's sweep is done.
pub(super) async fn note_swept(tx: &mut Tx<'_>, entry: &Entry) -> Outcome<()> {
    let text = "MATCH (e:LedgerEntry {key: $key}) SET e.swept = true";
    tx.run(Statement::new(text).with("key", entry.key.as_str()))
        .await
        .map(drop)
}

async fn put_state(tx: &mut Tx<'_>, key: &str, state: &CollectionState) -> Outcome<()> {
    let text = "MATCH (e:LedgerEntry {key: $key}) SET e.state = $state";
    let statement = Statement::new(text)
        .with("key", key)
        .with("state", serde_json::to_string(state)?);
    tx.run(statement).await.map(drop)
}

/// Whether every planned collection is complete.
pub(super) async fn is_whole(tx: &mut Tx<'_>, held: &Held) -> Outcome<bool> {
    let text = "MATCH (e:LedgerEntry {scan: $scan}) WHERE e.state <> $complete RETURN count(e) AS open";
    let statement = Statement::new(text)
        .with("scan", held.scan_id.to_string())
        .with("complete", serde_json::to_string(&CollectionState::Complete)?);
    let open = tx.one(statement).await?.map_or(Ok(0), |row| row.count("open"))?;
    Ok(open == 0)
}

/// Forgets which pages were applied: nothing more is written for a scan that has ended.
pub(super) async fn forget_pages(tx: &mut Tx<'_>, held: &Held) -> Outcome<()> {
    let text = "MATCH (p:LedgerPart {scan: $scan}) SET p.applied = [], p.mark = null";
    tx.run(Statement::new(text).with("scan", held.scan_id.to_string()))
        .await
        .map(drop)
}

/// The whole ledger of a scan, by key.
pub(super) async fn read(driver: &Driver, scan_id: JobId) -> Result<Vec<LedgerEntry>, StoreError> {
    const DOING: &str = "reading a ledger";
    let text = "MATCH (e:LedgerEntry {scan: $scan})
        OPTIONAL MATCH (p:LedgerPart {entry: e.key})
        WITH e, p ORDER BY e.key, p.at
        RETURN e.key AS entry, e.collection AS collection, e.sweepable AS sweepable, e.expected AS expected,
          e.state AS state, e.swept AS swept, p.part AS part, p.cursor AS cursor, p.pages AS pages, p.rows AS rows,
          p.done AS done";
    let rows = driver
        .read(DOING, Statement::new(text).with("scan", scan_id.to_string()))
        .await?;
    entries(&rows).map_err(|trouble| trouble.while_doing(DOING))
}

/// A row is a partition beside its entry.
fn entries(rows: &[Row]) -> Outcome<Vec<LedgerEntry>> {
    let mut entries: Vec<LedgerEntry> = Vec::new();
    for row in rows {
        let collection = CollectionKey::from_text(row.text("collection")?);
        let partition = partition(row)?;
        if let Some(last) = entries.last_mut().filter(|last| last.collection == collection) {
            last.partitions.extend(partition);
            continue;
        }
        entries.push(LedgerEntry {
            collection,
            sweepable: row.get("sweepable")?,
            expected: row
                .maybe::<i64>("expected")?
                .map(|n| u64::try_from(n).unwrap_or_default()),
            state: row.json("state")?,
            partitions: partition.into_iter().collect(),
            swept: row.get("swept")?,
        });
    }
    // By the bytes of the key, as the trait says; the server's order of texts is its own.
    entries.sort_by(|one, other| one.collection.as_str().cmp(other.collection.as_str()));
    Ok(entries)
}

fn partition(row: &Row) -> Outcome<Option<Partition>> {
    let Some(part) = row.maybe::<String>("part")? else {
        return Ok(None);
    };
    Ok(Some(Partition {
        key: PartitionKey(part),
        cursor: row.maybe("cursor")?,
        pages: row.count("pages")?,
        rows: row.count("rows")?,
        done: row.get("done")?,
    }))
}
