//! Walking along edges, within a budget. The order is that of edge keys, so walks are reproducible.
//!
//! One statement a level. All edges of a level pass by and the first by key are kept, because the server sorts
//! texts otherwise than we do.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

use atg_models::{NodeId, TenantId};

use crate::StoreError;
use crate::graph_rules::{EdgeKey, StoredEdge};
use crate::graph_store::{Hop, Neighbourhood};
use crate::neo4j::driver::{Driver, Outcome, Row, Statement};
use crate::neo4j::graph::keys;
use crate::neo4j::graph::read::{edge, edge_columns, live};
use crate::neo4j::limits;

const DOING: &str = "walking the graph";

/// An edge at a node of the frontier.
struct Beside {
    /// The node's place in the frontier.
    at: usize,
    edge: StoredEdge,
    /// What lies at the other end.
    node: NodeId,
}

/// What lies within `depth` edges of a node.
pub(super) async fn neighbourhood(
    driver: &Driver,
    tenant: TenantId,
    id: &NodeId,
    depth: u32,
    budget: u32,
) -> Result<Neighbourhood, StoreError> {
    must_live(driver, tenant, &[id]).await?;
    let budget = usize::try_from(budget).unwrap_or(usize::MAX);
    let mut found = Neighbourhood::default();
    let mut seen_edges = HashSet::new();
    let mut seen_nodes = HashSet::from([id.clone()]);
    let mut frontier = vec![id.clone()];
    for _ in 0..depth {
        let left = budget.saturating_sub(found.hops.len());
        let mut level: BTreeMap<EdgeKey, Beside> = BTreeMap::new();
        let keep = |beside: Beside| {
            let key = beside.edge.key();
            if !seen_edges.contains(&key) {
                keep_first(&mut level, key, beside);
                // One more than is left tells whether anything was cut off.
                if level.len() > left.saturating_add(1) {
                    level.pop_last();
                }
            }
        };
        edges_beside(driver, tenant, &frontier, keep).await?;
        found.truncated = level.len() > left;
        frontier = Vec::new();
        for (key, beside) in level.into_iter().take(left) {
            seen_edges.insert(key);
            if seen_nodes.insert(beside.node.clone()) {
                frontier.push(beside.node.clone());
            }
            found.hops.push(hop(beside)?);
        }
        if found.truncated || frontier.is_empty() {
            break;
        }
    }
    Ok(found)
}

/// An edge between two nodes of the frontier belongs to the first of them.
fn keep_first(level: &mut BTreeMap<EdgeKey, Beside>, key: EdgeKey, beside: Beside) {
    match level.entry(key) {
        Entry::Vacant(free) => {
            free.insert(beside);
        }
        Entry::Occupied(mut taken) => {
            if beside.at < taken.get().at {
                taken.insert(beside);
            }
        }
    }
}

/// A shortest path along edges of any direction; whether the budget ended the search.
pub(super) async fn shortest_path(
    driver: &Driver,
    tenant: TenantId,
    from: &NodeId,
    to: &NodeId,
    budget: u32,
) -> Result<(Option<Vec<Hop>>, bool), StoreError> {
    must_live(driver, tenant, &[from, to]).await?;
    if from == to {
        return Ok((Some(Vec::new()), false));
    }
    let mut left = usize::try_from(budget).unwrap_or(usize::MAX);
    let mut came_by: HashMap<NodeId, (NodeId, Hop)> = HashMap::new();
    let mut frontier = vec![from.clone()];
    while !frontier.is_empty() {
        let mut level: BTreeMap<(usize, EdgeKey), Beside> = BTreeMap::new();
        let keep = |beside: Beside| {
            level.insert((beside.at, beside.edge.key()), beside);
            if level.len() > left.saturating_add(1) {
                level.pop_last();
            }
        };
        edges_beside(driver, tenant, &frontier, keep).await?;
        let mut next = Vec::new();
        for beside in level.into_values() {
            if left == 0 {
                return Ok((None, true));
            }
            left -= 1;
            if beside.node == *from || came_by.contains_key(&beside.node) {
                continue;
            }
            let (reached, at) = (beside.node.clone(), beside.at);
            let before = frontier.get(at).unwrap_or(from).clone();
            came_by.insert(reached.clone(), (before, hop(beside)?));
            if reached == *to {
                return Ok((Some(trace(&came_by, from, to)), false));
            }
            next.push(reached);
        }
        frontier = next;
    }
    Ok((None, false))
}

fn trace(came_by: &HashMap<NodeId, (NodeId, Hop)>, start: &NodeId, goal: &NodeId) -> Vec<Hop> {
    let mut hops = Vec::new();
    let mut at = goal;
    while at != start {
        let Some((before, hop)) = came_by.get(at) else {
            break;
        };
        hops.push(hop.clone());
        at = before;
    }
    hops.reverse();
    hops
}

fn hop(beside: Beside) -> Result<Hop, StoreError> {
    let Beside { at: _, edge, node } = beside;
    let edge = edge.whole().map_err(|error| StoreError::Corrupt {
        doing: DOING,
        problem: error.to_string(),
    })?;
    Ok(Hop { edge, node })
}

async fn must_live(driver: &Driver, tenant: TenantId, ids: &[&NodeId]) -> Result<(), StoreError> {
    let expected = u64::try_from(ids.len()).unwrap_or(u64::MAX);
    let keys = ids.iter().map(|id| keys::key(tenant, id)).collect();
    if live(driver, DOING, keys).await? < expected {
        return Err(StoreError::NotFound { what: "node" });
    }
    Ok(())
}

const BESIDE: &str = concat!(
    "UNWIND range(0, size($keys) - 1) AS at
     MATCH (n:Entity {key: $keys[at]})-[r]-()
     RETURN at, ",
    edge_columns!()
);

/// Hands every edge at a node of the frontier to `keep`, in no order.
async fn edges_beside(
    driver: &Driver,
    tenant: TenantId,
    frontier: &[NodeId],
    mut keep: impl FnMut(Beside) + Send,
) -> Result<(), StoreError> {
    for (chunk, nodes) in frontier.chunks(limits::UNWIND_ROWS).enumerate() {
        let keys: Vec<_> = nodes.iter().map(|id| keys::key(tenant, id)).collect();
        let statement = Statement::new(BESIDE).with("keys", keys);
        let take = |row: Row| {
            keep(beside(&row, nodes, chunk * limits::UNWIND_ROWS)?);
            Ok(())
        };
        driver.each(DOING, statement, take).await?;
    }
    Ok(())
}

fn beside(row: &Row, nodes: &[NodeId], first: usize) -> Outcome<Beside> {
    let at = usize::try_from(row.count("at")?).unwrap_or(usize::MAX);
    let edge = edge(row)?;
    let node = if nodes.get(at) == Some(&edge.source) {
        edge.target.clone()
    } else {
        edge.source.clone()
    };
    let at = first.saturating_add(at);
    Ok(Beside { at, edge, node })
}
