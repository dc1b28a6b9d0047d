//! Counting what is stored of a tenant.

use std::collections::BTreeMap;

use atg_models::graph::{NodeKind, Relation};
use atg_models::{ArmType, Generation, NodeId, TenantId};

use crate::StoreError;
use crate::graph_store::Counts;
use crate::neo4j::driver::{Driver, Outcome, Row, Statement};
use crate::neo4j::graph::keys;
use crate::neo4j::graph::read::unknown;

const DOING: &str = "counting";

const NODES: &str = "MATCH (n:Entity) USING INDEX n:Entity(key) WHERE n.key > $first AND n.key < $end
    RETURN n.kind AS kind, n.type AS type, count(*) AS nodes, count(CASE WHEN n.observed THEN 1 END) AS observed";
const EDGES: &str = "MATCH (n:Entity)-[r]->() USING INDEX n:Entity(key) WHERE n.key > $first AND n.key < $end
    RETURN type(r) AS relation, count(*) AS edges";
const OPEN_LOOKUPS: &str = "MATCH (l:Lookup) WHERE l.alias > $first AND l.alias < $end AND l.found IS NULL
    RETURN count(l) AS n";
const AMBIGUOUS: &str = "MATCH (a:Alias) WHERE a.alias > $first AND a.alias < $end
    WITH a.alias AS alias, count(*) AS publishers WHERE publishers > 1
    RETURN count(*) AS n";
/// Distinct ends: each node is expanded once, however many ways lead to it.
const CONTAINED: &str = "MATCH (t:Entity {key: $key})-[:CONTAINS*0..]->(n)
    WITH DISTINCT n WHERE n.kind = $kind AND n.observed
    RETURN count(n) AS n";
const SEEN: &str = "MATCH (n:Entity) USING INDEX n:Entity(key) WHERE n.key > $first AND n.key < $end
    AND n.gen = $gen AND n.observed AND n.kind = $kind
    RETURN count(n) AS n";

/// Counts all of it.
pub(super) async fn counts(driver: &Driver, tenant: TenantId) -> Result<Counts, StoreError> {
    let mut counts = Counts::default();
    let nodes = driver.read_long(DOING, of(NODES, tenant)).await?;
    add_nodes(&mut counts, &nodes).map_err(|trouble| trouble.while_doing(DOING))?;
    let edges = driver.read_long(DOING, of(EDGES, tenant)).await?;
    add_edges(&mut counts, &edges).map_err(|trouble| trouble.while_doing(DOING))?;
    counts.open_lookups = single(driver, of(OPEN_LOOKUPS, tenant)).await?;
    counts.ambiguous_aliases = single(driver, of(AMBIGUOUS, tenant)).await?;
    let contained = Statement::new(CONTAINED)
        .with("key", keys::key(tenant, &NodeId::tenant(tenant)))
        .with("kind", NodeKind::Resource.as_str());
    counts.contained_resources = single(driver, contained).await?;
    Ok(counts)
}

/// Resources that were observed in a generation.
pub(super) async fn seen(driver: &Driver, tenant: TenantId, generation: Generation) -> Result<u64, StoreError> {
    let statement = of(SEEN, tenant)
        .with("gen", generation.get())
        .with("kind", NodeKind::Resource.as_str());
    single(driver, statement).await
}

fn of(text: &'static str, tenant: TenantId) -> Statement {
    Statement::new(text)
        .with("first", keys::first(tenant))
        .with("end", keys::end(tenant))
}

async fn single(driver: &Driver, statement: Statement) -> Result<u64, StoreError> {
    let rows = driver.read_long(DOING, statement).await?;
    let count = rows.first().map_or(Ok(0), |row| row.count("n"));
    count.map_err(|trouble| trouble.while_doing(DOING))
}

fn add_nodes(counts: &mut Counts, rows: &[Row]) -> Outcome<()> {
    let mut kinds: BTreeMap<NodeKind, u64> = BTreeMap::new();
    let mut types: BTreeMap<ArmType, u64> = BTreeMap::new();
    for row in rows {
        let kind = row.text("kind")?;
        let kind = NodeKind::from_name(&kind).ok_or_else(|| unknown("kind", &kind))?;
        let observed = row.count("observed")?;
        counts.nodes += row.count("nodes")?;
        counts.observed += observed;
        if observed == 0 {
            continue;
        }
        *kinds.entry(kind).or_default() += observed;
        if let Some(type_) = row.maybe::<String>("type")? {
            *types.entry(ArmType::new(&type_)).or_default() += observed;
        }
    }
    counts.by_kind = kinds.into_iter().collect();
    counts.by_type = types.into_iter().collect();
    counts
        .by_type
        .sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    Ok(())
}

fn add_edges(counts: &mut Counts, rows: &[Row]) -> Outcome<()> {
    for row in rows {
        let relation = row.text("relation")?;
        let relation = Relation::from_name(&relation).ok_or_else(|| unknown("relation", &relation))?;
        let edges = row.count("edges")?;
        counts.edges += edges;
        counts.by_relation.push((relation, edges));
    }
    counts.by_relation.sort_unstable();
    Ok(())
}
