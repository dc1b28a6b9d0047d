//! Reading nodes and edges back.

use std::collections::BTreeMap;

use atg_models::graph::{CollectionKey, Node, NodeKind, Relation, Source};
use atg_models::{ArmType, NodeId, TenantId};

use crate::StoreError;
use crate::graph_rules::{StoredEdge, StoredNode, name_in, source_of};
use crate::graph_store::{NodeFilter, Page};
use crate::limits;
use crate::neo4j::driver::{Driver, Outcome, Row, Statement, Trouble};
use crate::neo4j::graph::keys;

/// The columns that [`node`] reads, of the node `n`.
macro_rules! node_columns {
    () => {
        "n.id AS id, n.observed AS observed, n.kind AS kind, n.type AS type, n.subscription_id AS subscription_id,
         n.resource_group AS resource_group, n.location AS location, n.api_version AS api_version, n.owner AS owner,
         n.source AS source, n.display_id AS display_id, n.name AS name, n.observed_at AS observed_at, n.tags AS tags"
    };
}
pub(super) use node_columns;

/// The columns that [`edge`] reads, of the relationship `r`.
macro_rules! edge_columns {
    () => {
        "startNode(r).id AS source, type(r) AS relation, endNode(r).id AS target, r.qualifier AS qualifier,
         r.props AS props"
    };
}
pub(super) use edge_columns;

/// Reads [`node_columns`], and the column `body` where `bodies` is set. A stub says only what its id says,
/// whatever is kept of what it was.
pub(super) fn node(row: &Row, tenant: TenantId, bodies: bool) -> Outcome<StoredNode> {
    let id: NodeId = row.parsed("id")?;
    let observed = row.get("observed")?;
    let kind = row.text("kind")?;
    let stub = Node {
        tenant_id: tenant,
        display_id: id.as_str().to_owned(),
        name: name_in(&id).to_owned(),
        kind: NodeKind::from_name(&kind).ok_or_else(|| unknown("kind", &kind))?,
        type_: row.maybe::<String>("type")?.map(|type_| ArmType::new(&type_)),
        api_version: None,
        subscription_id: row.maybe("subscription_id")?,
        resource_group: row.maybe("resource_group")?,
        location: None,
        tags: BTreeMap::new(),
        body: None,
        observed,
        source: Source::Derived,
        owner: None,
        observed_at: row.moment("observed_at")?,
        id,
    };
    if !observed {
        return Ok(StoredNode { node: stub, body: None });
    }
    let tags: Option<String> = row.maybe("tags")?;
    let source = row.get("source")?;
    let node = Node {
        display_id: row.maybe("display_id")?.unwrap_or(stub.display_id),
        name: row.maybe("name")?.unwrap_or_default(),
        location: row.maybe("location")?,
        source: source_of(source).ok_or_else(|| unknown("source", &source.to_string()))?,
        api_version: row.maybe("api_version")?,
        owner: row.maybe::<String>("owner")?.map(CollectionKey::from_text),
        tags: tags
            .map(|tags| serde_json::from_str(&tags))
            .transpose()?
            .unwrap_or_default(),
        ..stub
    };
    let body = if bodies { row.maybe("body")? } else { None };
    Ok(StoredNode { node, body })
}

/// Reads [`edge_columns`].
pub(super) fn edge(row: &Row) -> Outcome<StoredEdge> {
    let relation = row.text("relation")?;
    Ok(StoredEdge {
        source: row.parsed("source")?,
        relation: Relation::from_name(&relation).ok_or_else(|| unknown("relation", &relation))?,
        target: row.parsed("target")?,
        qualifier: row.maybe("qualifier")?.unwrap_or_default(),
        properties: row.maybe("props")?,
    })
}

/// A word that this version does not write.
pub(super) fn unknown(what: &str, word: &str) -> Trouble {
    Trouble::Unreadable(format!("unknown {what} {word}"))
}

const ONE: &str = concat!(
    "MATCH (n:Entity {key: $key}) RETURN ",
    node_columns!(),
    ", n.body AS body"
);

/// One live node.
pub(super) async fn one(driver: &Driver, tenant: TenantId, id: &NodeId) -> Result<Option<Node>, StoreError> {
    const DOING: &str = "reading a node";
    let statement = Statement::new(ONE).with("key", keys::key(tenant, id));
    let rows = driver.read(DOING, statement).await?;
    let found = rows.first().map(|row| Ok(node(row, tenant, true)?.whole()?));
    found.transpose().map_err(|trouble: Trouble| trouble.while_doing(DOING))
}

macro_rules! find_text {
    ($body:literal) => {
        concat!(
            "MATCH (n:Entity) USING INDEX n:Entity(key)
             WHERE n.key > $after AND n.key < $end
               AND ($kind IS NULL OR n.kind = $kind) AND ($type IS NULL OR n.type = $type)
               AND ($subscription IS NULL OR n.subscription_id = $subscription)
               AND ($group IS NULL OR n.resource_group = $group)
               AND ($observed IS NULL OR n.observed = $observed)
             RETURN ",
            node_columns!(),
            $body,
            " ORDER BY n.key LIMIT $limit"
        )
    };
}
const FIND: &str = find_text!("");
const FIND_WITH_BODIES: &str = find_text!(", n.body AS body");

/// A page of live nodes by id.
pub(super) async fn find(
    driver: &Driver,
    tenant: TenantId,
    filter: &NodeFilter,
    after: Option<&NodeId>,
    limit: u32,
    bodies: bool,
) -> Result<Page<Node>, StoreError> {
    const DOING: &str = "finding nodes";
    let limit = limit.clamp(1, limits::PAGE_ROWS);
    let NodeFilter {
        kind,
        type_,
        subscription_id,
        resource_group,
        observed,
    } = filter;
    let text = if bodies { FIND_WITH_BODIES } else { FIND };
    let statement = Statement::new(text)
        .with(
            "after",
            after.map_or_else(|| keys::first(tenant), |id| keys::key(tenant, id)),
        )
        .with("end", keys::end(tenant))
        .with("kind", kind.map(NodeKind::as_str))
        .with("type", type_.as_ref().map(ArmType::as_str))
        .with("subscription", subscription_id.as_deref())
        .with("group", resource_group.as_deref())
        .with("observed", *observed)
        .with("limit", i64::from(limit) + 1);
    let rows = driver.read(DOING, statement).await?;
    let page = page(&rows, tenant, limit, bodies);
    page.map_err(|trouble| trouble.while_doing(DOING))
}

/// One more row than were asked for says that there is a next page.
fn page(rows: &[Row], tenant: TenantId, limit: u32, bodies: bool) -> Outcome<Page<Node>> {
    let full = usize::try_from(limit).unwrap_or(usize::MAX);
    let items = rows
        .iter()
        .take(full)
        .map(|row| Ok(node(row, tenant, bodies)?.whole()?))
        .collect::<Outcome<Vec<_>>>()?;
    let next = if rows.len() > full {
        items.last().map(|node| node.id.clone())
    } else {
        None
    };
    Ok(Page { items, next })
}

/// Some observed nodes with their bodies, by id.
pub(super) async fn observed(
    driver: &Driver,
    tenant: TenantId,
    after: Option<&NodeId>,
    limit: u32,
) -> Result<Vec<Node>, StoreError> {
    let filter = NodeFilter {
        observed: Some(true),
        ..NodeFilter::default()
    };
    Ok(find(driver, tenant, &filter, after, limit, true).await?.items)
}

/// How many of these nodes are live.
pub(super) async fn live(driver: &Driver, doing: &'static str, keys: Vec<String>) -> Result<u64, StoreError> {
    let text = "UNWIND $keys AS key MATCH (n:Entity {key: key}) RETURN count(n) AS live";
    let rows = driver.read(doing, Statement::new(text).with("keys", keys)).await?;
    let live = rows.first().map_or(Ok(0), |row| row.count("live"));
    live.map_err(|trouble| trouble.while_doing(doing))
}
