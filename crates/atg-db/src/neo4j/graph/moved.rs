//! A tenant's graph as records, in their order, as one state.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use atg_models::TenantId;

use crate::moving::{Hex, MoveError, MovedCache, MovedEdge, MovedLookup, MovedNames, MovedTenant, Record, Take};
use crate::neo4j::driver::{Driver, Outcome, Row, Statement, Trouble};
use crate::neo4j::graph::edit::{listed_key, moved_assertions};
use crate::neo4j::graph::moved_rows::{alias, change, entry, lookup, node, partition, scan};
use crate::neo4j::graph::streams::Reading;
use crate::neo4j::graph::{export, keys};
use crate::neo4j::limits;

const DOING: &str = "exporting a tenant";

/// The columns that [`node`] reads, of the node `n`; a large body is left out and asked for when its turn comes.
macro_rules! nodes_of {
    ($label:literal) => {
        concat!(
            "MATCH (n:",
            $label,
            ") USING INDEX n:",
            $label,
            "(key) WHERE n.key > $after AND n.key < $end WITH n ORDER BY n.key LIMIT $limit
             RETURN n.key AS key, n.id AS id, n.observed AS observed, n.kind AS kind, n.type AS type,
               n.subscription_id AS subscription_id, n.resource_group AS resource_group, n.gen AS gen,
               n.observed_at AS observed_at, n.gone_at AS gone_at, n.first_gen AS first_gen,
               n.first_seen AS first_seen, n.display_id AS display_id, n.name AS name, n.api_version AS api_version,
               n.location AS location, n.owner AS owner, n.source AS source, n.hash AS hash, n.said AS said,
               n.tags AS tags, CASE WHEN size(n.body) <= $inline THEN n.body END AS body, size(n.body) AS chars
             ORDER BY n.key"
        )
    };
}
const LIVE: &str = nodes_of!("Entity");
const GONE: &str = nodes_of!("Tombstone");
const BODY_OF_LIVE: &str = "MATCH (n:Entity {key: $key}) RETURN n.body AS body";
const BODY_OF_GONE: &str = "MATCH (n:Tombstone {key: $key}) RETURN n.body AS body";
const SOURCES: &str = "MATCH (n:Entity) USING INDEX n:Entity(key)
    WHERE n.key > $after AND n.key < $end
    RETURN n.key AS key, n.id AS id, COUNT { (n)-->() } AS degree ORDER BY n.key LIMIT $limit";
const EDGES: &str = "UNWIND $keys AS key MATCH (n:Entity {key: key})-[r]->(d)
    RETURN n.id AS source, type(r) AS relation, d.id AS target, r.qualifier AS qualifier, r.asserted AS asserted";
const RENEWED: &str = "UNWIND $keys AS key MATCH (l:Listed {key: key}) RETURN key, l.gen AS gen";
const ALIASES: &str = "UNWIND $keys AS key MATCH (a:Alias {of: key})
    RETURN key, substring(a.alias, size($prefix)) AS alias";
const LOOKUPS: &str = "UNWIND $keys AS key MATCH (l:Lookup {by: key})
    RETURN key, l.key AS place, substring(l.alias, size($prefix)) AS alias, l.relation AS relation,
      l.to_found AS to_found, l.qualifier AS qualifier, l.path AS path, l.props AS props, l.anchor AS anchor,
      l.found AS found";
const SCANS: &str = "MATCH (s:Scan {tenant_id: $tenant})
    RETURN s.id AS id, s.gen AS gen, s.fence AS fence, s.principal AS principal, s.filters AS filters,
      s.started_at AS started_at, s.version AS version, s.ended AS ended, s.digest AS digest, s.written AS written,
      s.unchanged AS unchanged, s.removed AS removed";
const LEDGER: &str = "MATCH (e:LedgerEntry {scan: $scan})
    RETURN e.key AS key, e.collection AS collection, e.sweepable AS sweepable, e.expected AS expected,
      e.state AS state, e.swept AS swept";
const PARTITIONS: &str = "MATCH (p:LedgerPart {entry: $entry})
    RETURN p.part AS part, p.at AS at, p.cursor AS cursor, p.pages AS pages, p.rows AS rows, p.done AS done,
      p.applied AS applied";
const GENERATIONS: &str = "MATCH (c:Change) WHERE c.tenant_id = $tenant RETURN DISTINCT c.gen AS gen";
const CHANGES: &str = "MATCH (c:Change) USING INDEX c:Change(key) WHERE c.key > $after AND c.key < $end
    WITH c ORDER BY c.key LIMIT $limit
    RETURN c.key AS key, c.id AS id, c.before AS before, c.after AS after,
      EXISTS { MATCH (:Entity {key: $first + c.id}) } OR EXISTS { MATCH (:Tombstone {key: $first + c.id}) } AS is_there
    ORDER BY c.key";
const CACHES: &str = "MATCH (c:Cache {tenant_id: $tenant}) RETURN c.key AS key";
const CACHE: &str = "MATCH (c:Cache {key: $key}) RETURN c.value AS value";

/// What is kept of a tenant; the digest of its graph. A tenant whose generation is not the one that is expected has
/// begun another scan since.
pub(in crate::neo4j) async fn tenant(
    driver: &Arc<Driver>,
    tenant: TenantId,
    generation: i64,
    take: Take<'_>,
) -> Result<String, MoveError> {
    let reading = Reading::begin(driver, DOING, tenant).await?;
    let walk = Walk {
        driver,
        tenant,
        prefix: keys::first(tenant),
    };
    let current = walk
        .read(Statement::new("MATCH (t:TenantRecord {id: $id}) RETURN t.gen AS gen").with("id", tenant.to_string()))
        .await?;
    let current: i64 = current.first().map_or(Ok(-1), |row| row.get("gen")).map_err(failed)?;
    if current != generation {
        return Err(crate::neo4j::graph::scan::changed_meanwhile(DOING).into());
    }
    let id = tenant.to_string();
    take(Record::Tenant(MovedTenant { id, generation }))?;
    walk.nodes(LIVE, BODY_OF_LIVE, false, take).await?;
    walk.nodes(GONE, BODY_OF_GONE, true, take).await?;
    walk.edges(take).await?;
    walk.names(take).await?;
    walk.scans(take).await?;
    walk.changes(take).await?;
    walk.caches(take).await?;
    let digest = export::digest_in(&reading).await?;
    reading.end().await?;
    Ok(digest)
}

fn failed(trouble: Trouble) -> MoveError {
    MoveError::Store(trouble.while_doing(DOING))
}

struct Walk<'d> {
    driver: &'d Driver,
    tenant: TenantId,
    prefix: String,
}

/// An edge's place in the order: source, relation, target, qualifier.
type Place = (String, String, String, String);

impl Walk<'_> {
    async fn read(&self, statement: Statement) -> Result<Vec<Row>, MoveError> {
        Ok(self.driver.read(DOING, statement).await?)
    }

    fn of_tenant(&self, text: &'static str) -> Statement {
        Statement::new(text).with("tenant", self.tenant.to_string())
    }

    /// A page of an index of keys.
    fn page(&self, text: &'static str, after: &str, limit: u64) -> Statement {
        Statement::new(text)
            .with("after", after)
            .with("end", keys::end(self.tenant))
            .with("limit", limit)
    }

    async fn nodes(&self, text: &'static str, body: &'static str, gone: bool, take: Take<'_>) -> Result<(), MoveError> {
        let mut after = self.prefix.clone();
        loop {
            let page = self.page(text, &after, u64::from(limits::STREAM_NODES));
            let rows = self.read(page.with("inline", limits::INLINE_BODY_CHARS)).await?;
            for row in &rows {
                let mut node = node(row, gone).map_err(failed)?;
                after = row.text("key").map_err(failed)?;
                if let Some(seen) = &mut node.seen
                    && seen.body.is_none()
                    && row.maybe::<i64>("chars").map_err(failed)?.is_some()
                {
                    let rows = self.read(Statement::new(body).with("key", after.as_str())).await?;
                    let found = rows.first().map_or(Ok(None), |row| row.maybe("body"));
                    seen.body = found.map_err(failed)?;
                }
                take(Record::Node(Box::new(node)))?;
            }
            if rows.len() < usize::try_from(limits::STREAM_NODES).unwrap_or(usize::MAX) {
                return Ok(());
            }
        }
    }

    /// The next nodes by key: key, id and number of edges.
    async fn sources(&self, after: &str) -> Result<Vec<(String, String, usize)>, MoveError> {
        let limit = u64::try_from(limits::UNWIND_ROWS).unwrap_or(u64::MAX);
        let rows = self.read(self.page(SOURCES, after, limit)).await?;
        let read = |row: &Row| {
            let degree = usize::try_from(row.count("degree")?).unwrap_or(usize::MAX);
            Ok((row.text("key")?, row.text("id")?, degree))
        };
        rows.iter().map(read).collect::<Outcome<_>>().map_err(failed)
    }

    async fn edges(&self, take: Take<'_>) -> Result<(), MoveError> {
        let mut after = self.prefix.clone();
        loop {
            let sources = self.sources(&after).await?;
            let Some((last, ..)) = sources.last() else {
                return Ok(());
            };
            after.clone_from(last);
            let mut waiting: VecDeque<_> = sources.into_iter().filter(|(_, _, degree)| *degree > 0).collect();
            while !waiting.is_empty() {
                let mut batch = Vec::new();
                let mut edges = 0_usize;
                while let Some((key, _, degree)) = waiting.front() {
                    edges = edges.saturating_add(*degree);
                    if edges > limits::STREAM_EDGES && !batch.is_empty() {
                        break;
                    }
                    batch.push(key.clone());
                    waiting.pop_front();
                }
                self.edges_of(&batch, take).await?;
            }
        }
    }

    /// The edges of some nodes. Of one that has more than a page of them the rest is read again.
    async fn edges_of(&self, keys: &[String], take: Take<'_>) -> Result<(), MoveError> {
        let mut behind: Option<Place> = None;
        loop {
            let mut first: BTreeMap<Place, Vec<String>> = BTreeMap::new();
            let mut is_cut = false;
            let keep = |row: Row| {
                let place = (
                    row.text("source")?,
                    row.text("relation")?,
                    row.text("target")?,
                    row.text("qualifier")?,
                );
                if behind.as_ref().is_none_or(|behind| place > *behind) {
                    first.insert(place, row.get("asserted")?);
                }
                if first.len() > limits::STREAM_EDGES {
                    first.pop_last();
                    is_cut = true;
                }
                Ok(())
            };
            let statement = Statement::new(EDGES).with("keys", keys.to_vec());
            self.driver.each(DOING, statement, keep).await?;
            behind = first.last_key_value().map(|(place, _)| place.clone());
            self.hand_out(first, take).await?;
            if !is_cut {
                return Ok(());
            }
        }
    }

    async fn hand_out(&self, edges: BTreeMap<Place, Vec<String>>, take: Take<'_>) -> Result<(), MoveError> {
        let mut read = Vec::with_capacity(edges.len());
        let mut listed = Vec::new();
        for ((source, relation, target, qualifier), asserted) in edges {
            let mut edge = MovedEdge {
                source,
                relation,
                target,
                qualifier,
                asserted: Vec::new(),
            };
            edge.asserted = moved_assertions(&edge, &asserted).map_err(failed)?;
            let keys = edge.asserted.iter().map(|assertion| listed_key(&edge, assertion));
            let keys = keys.collect::<Outcome<Vec<Option<String>>>>().map_err(failed)?;
            listed.extend(keys.iter().flatten().map(|key| format!("{}{key}", self.prefix)));
            read.push((edge, keys));
        }
        let mut renewed: HashMap<String, i64> = HashMap::new();
        for keys in listed.chunks(limits::UNWIND_ROWS) {
            for row in self.read(Statement::new(RENEWED).with("keys", keys.to_vec())).await? {
                renewed.insert(row.text("key").map_err(failed)?, row.get("gen").map_err(failed)?);
            }
        }
        for (mut edge, keys) in read {
            for (assertion, key) in edge.asserted.iter_mut().zip(keys) {
                let Some(key) = key else { continue };
                let seen = renewed.get(&format!("{}{key}", self.prefix)).copied();
                let seen =
                    seen.ok_or_else(|| failed(Trouble::Unreadable("a listed edge without its row".to_owned())))?;
                if let crate::moving::MovedMark::Listing { generation, .. } = &mut assertion.mark {
                    *generation = seen;
                }
            }
            edge.asserted.sort_unstable();
            take(Record::Edge(Box::new(edge)))?;
        }
        Ok(())
    }

    async fn names(&self, take: Take<'_>) -> Result<(), MoveError> {
        let mut after = self.prefix.clone();
        loop {
            let nodes = self.sources(&after).await?;
            let Some((last, ..)) = nodes.last() else {
                return Ok(());
            };
            after.clone_from(last);
            let keys: Vec<String> = nodes.iter().map(|(key, ..)| key.clone()).collect();
            let of = |text| {
                Statement::new(text)
                    .with("keys", keys.clone())
                    .with("prefix", self.prefix.as_str())
            };
            let mut aliases: HashMap<String, Vec<(String, String)>> = HashMap::new();
            for row in self.read(of(ALIASES)).await? {
                let (key, alias) = alias(&row).map_err(failed)?;
                aliases.entry(key).or_default().push(alias);
            }
            let mut lookups: HashMap<String, BTreeMap<String, MovedLookup>> = HashMap::new();
            for row in self.read(of(LOOKUPS)).await? {
                let (key, place, lookup) = lookup(&row).map_err(failed)?;
                lookups.entry(key).or_default().insert(place, lookup);
            }
            for (key, id, _) in nodes {
                let mut names = MovedNames {
                    of: id,
                    aliases: aliases.remove(&key).unwrap_or_default(),
                    lookups: lookups.remove(&key).unwrap_or_default().into_values().collect(),
                };
                names.aliases.sort_unstable();
                if !names.aliases.is_empty() || !names.lookups.is_empty() {
                    take(Record::Names(names))?;
                }
            }
        }
    }

    async fn scans(&self, take: Take<'_>) -> Result<(), MoveError> {
        let rows = self.read(self.of_tenant(SCANS)).await?;
        let mut scans = rows.iter().map(scan).collect::<Outcome<Vec<_>>>().map_err(failed)?;
        scans.sort_by(|one, other| (one.generation, &one.id).cmp(&(other.generation, &other.id)));
        for scan in scans {
            let id = scan.id.clone();
            take(Record::Scan(Box::new(scan)))?;
            self.ledger(&id, take).await?;
        }
        Ok(())
    }

    async fn ledger(&self, scan: &str, take: Take<'_>) -> Result<(), MoveError> {
        let mut entries = BTreeMap::new();
        for row in self.read(Statement::new(LEDGER).with("scan", scan)).await? {
            let (key, entry) = entry(&row, scan).map_err(failed)?;
            entries.insert(entry.collection.clone(), (key, entry));
        }
        for (collection, (key, entry)) in entries {
            take(Record::Ledger(entry))?;
            let rows = self.read(Statement::new(PARTITIONS).with("entry", key)).await?;
            let partition = |row: &Row| partition(row, scan, &collection);
            let mut partitions = rows
                .iter()
                .map(partition)
                .collect::<Outcome<Vec<_>>>()
                .map_err(failed)?;
            partitions.sort_by_key(|partition| partition.at);
            for partition in partitions {
                take(Record::Partition(partition))?;
            }
        }
        Ok(())
    }

    async fn changes(&self, take: Take<'_>) -> Result<(), MoveError> {
        let rows = self.read(self.of_tenant(GENERATIONS)).await?;
        let generations = rows.iter().map(|row| row.get("gen")).collect::<Outcome<Vec<i64>>>();
        let mut generations = generations.map_err(failed)?;
        generations.sort_unstable();
        for generation in generations {
            let mut after = format!("{}{generation}/", self.prefix);
            let end = format!("{}{generation}0", self.prefix);
            loop {
                let page = Statement::new(CHANGES)
                    .with("after", after.as_str())
                    .with("end", end.as_str())
                    .with("first", self.prefix.as_str())
                    .with("limit", u64::try_from(limits::UNWIND_ROWS).unwrap_or(u64::MAX));
                let rows = self.read(page).await?;
                for row in &rows {
                    after = row.text("key").map_err(failed)?;
                    if let Some(change) = change(row, generation).map_err(failed)? {
                        take(Record::Change(change))?;
                    }
                }
                if rows.len() < limits::UNWIND_ROWS {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn caches(&self, take: Take<'_>) -> Result<(), MoveError> {
        let rows = self.read(self.of_tenant(CACHES)).await?;
        let keys = rows.iter().map(|row| row.text("key")).collect::<Outcome<Vec<_>>>();
        let mut keys = keys.map_err(failed)?;
        keys.sort_unstable();
        for key in keys {
            let rows = self.read(Statement::new(CACHE).with("key", key.as_str())).await?;
            let Some(row) = rows.first() else { continue };
            take(Record::Cache(MovedCache {
                key: key.strip_prefix(&self.prefix).unwrap_or(&key).to_owned(),
                value: Hex(row.get("value").map_err(failed)?),
            }))?;
        }
        Ok(())
    }
}
