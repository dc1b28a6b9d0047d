//! Walking along edges, within a budget. The order is that of edge keys, so walks are reproducible.

use std::collections::{BTreeMap, HashMap, HashSet};

use atg_models::{NodeId, TenantId};
use rusqlite::{Connection, params};

use crate::StoreError;
use crate::graph_store::{EdgeRow, Hop, Neighbourhood};
use crate::sqlite::fault::Outcome;
use crate::sqlite::graph::read::{EDGE_COLUMNS, edge, node_key};
use crate::sqlite::words::Vocabulary;

type Key = (NodeId, &'static str, NodeId, String);

/// An edge at a node, and what lies at its other end.
struct Beside {
    e: i64,
    hop: Hop,
    k: i64,
}

/// What lies within `depth` edges of a node.
pub(super) fn neighbourhood(
    connection: &Connection,
    tenant: TenantId,
    id: &NodeId,
    depth: u32,
    budget: u32,
) -> Outcome<Neighbourhood> {
    let start = node_key(connection, tenant, id)?.ok_or(StoreError::NotFound { what: "node" })?;
    let budget = usize::try_from(budget).unwrap_or(usize::MAX);
    let mut found = Neighbourhood::default();
    let mut seen_edges = HashSet::new();
    let mut seen_nodes = HashSet::from([start]);
    let mut frontier = vec![start];
    for _ in 0..depth {
        let left = budget.saturating_sub(found.hops.len());
        let mut level: BTreeMap<Key, Beside> = BTreeMap::new();
        for k in frontier {
            // One more than is left tells whether anything was cut off; what is known is read again.
            for beside in beside(connection, k, left.saturating_add(seen_edges.len()).saturating_add(1))? {
                if seen_edges.contains(&beside.e) {
                    continue;
                }
                level.entry(key(&beside.hop.edge)).or_insert(beside);
                if level.len() > left.saturating_add(1) {
                    level.pop_last();
                }
            }
        }
        found.truncated = level.len() > left;
        frontier = Vec::new();
        for beside in level.into_values().take(left) {
            seen_edges.insert(beside.e);
            if seen_nodes.insert(beside.k) {
                frontier.push(beside.k);
            }
            found.hops.push(beside.hop);
        }
        if found.truncated || frontier.is_empty() {
            break;
        }
    }
    Ok(found)
}

/// A shortest path along edges of any direction; whether the budget ended the search.
pub(super) fn shortest_path(
    connection: &Connection,
    tenant: TenantId,
    from: &NodeId,
    to: &NodeId,
    budget: u32,
) -> Outcome<(Option<Vec<Hop>>, bool)> {
    let start = node_key(connection, tenant, from)?.ok_or(StoreError::NotFound { what: "node" })?;
    let goal = node_key(connection, tenant, to)?.ok_or(StoreError::NotFound { what: "node" })?;
    if start == goal {
        return Ok((Some(Vec::new()), false));
    }
    let mut left = usize::try_from(budget).unwrap_or(usize::MAX);
    let mut came_by: HashMap<i64, (i64, Hop)> = HashMap::new();
    let mut frontier = vec![start];
    while !frontier.is_empty() {
        let mut next = Vec::new();
        for k in frontier {
            let edges = beside(connection, k, left.saturating_add(1))?;
            for beside in edges {
                if left == 0 {
                    return Ok((None, true));
                }
                left -= 1;
                if beside.k == start || came_by.contains_key(&beside.k) {
                    continue;
                }
                let reached = beside.k;
                came_by.insert(reached, (k, beside.hop));
                if reached == goal {
                    return Ok((Some(trace(&came_by, start, goal)), false));
                }
                next.push(reached);
            }
        }
        frontier = next;
    }
    Ok((None, false))
}

fn trace(came_by: &HashMap<i64, (i64, Hop)>, start: i64, goal: i64) -> Vec<Hop> {
    let mut hops = Vec::new();
    let mut at = goal;
    while at != start {
        let Some((before, hop)) = came_by.get(&at) else {
            break;
        };
        hops.push(hop.clone());
        at = *before;
    }
    hops.reverse();
    hops
}

fn key(edge: &EdgeRow) -> Key {
    (
        edge.source.clone(),
        edge.relation.as_str(),
        edge.target.clone(),
        edge.qualifier.clone(),
    )
}

/// The first edges at a node by key, at most `limit`. They are cut before their properties are read, so
/// that a hub costs one pass over its keys.
fn beside(connection: &Connection, k: i64, limit: usize) -> Outcome<Vec<Beside>> {
    let words = Vocabulary::new(connection);
    let sql = format!(
        "SELECT {EDGE_COLUMNS}, g.e, g.s, g.d FROM (
           SELECT g.e, g.s, g.rel, g.d, g.qual FROM (
             SELECT e, s, rel, d, qual FROM edge WHERE s = ?1 UNION ALL
             SELECT e, s, rel, d, qual FROM edge WHERE d = ?1 AND s <> ?1) g
           JOIN node s ON s.k = g.s JOIN node d ON d.k = g.d JOIN word r ON r.k = g.rel
           ORDER BY s.id, r.text, d.id, g.qual LIMIT ?2) g
         CROSS JOIN node s ON s.k = g.s CROSS JOIN node d ON d.k = g.d CROSS JOIN word r ON r.k = g.rel
         ORDER BY s.id, r.text, d.id, g.qual"
    );
    let mut find = connection.prepare_cached(&sql)?;
    let mut rows = find.query(params![k, i64::try_from(limit).unwrap_or(i64::MAX)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let edge = edge(row, &words)?.whole()?;
        let (e, s, d) = (row.get(5)?, row.get(6)?, row.get(7)?);
        let (node, other) = if s == k {
            (edge.target.clone(), d)
        } else {
            (edge.source.clone(), s)
        };
        let hop = Hop { edge, node };
        found.push(Beside { e, hop, k: other });
    }
    Ok(found)
}
