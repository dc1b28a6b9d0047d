//! Counting what is stored of a tenant.

use atg_models::TenantId;
use atg_models::graph::{NodeKind, Relation};
use atg_models::{ArmType, NodeId};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::graph_store::Counts;
use crate::sqlite::fault::{Fault, Outcome, count};
use crate::sqlite::graph::scan::tenant_row;
use crate::sqlite::words::{Vocabulary, word_key};

/// Counts all of it, in the state of one transaction.
pub(super) fn counts(connection: &Connection, tenant: TenantId) -> Outcome<Counts> {
    let Some(t) = tenant_row(connection, &tenant.to_string())? else {
        return Ok(Counts::default());
    };
    let mut counts = Counts::default();
    let words = Vocabulary::new(connection);
    for (kind_k, live, observed) in by(
        connection,
        "SELECT kind_k, count(*), sum(state = 1) FROM node WHERE t = ?1 AND state <> 2 GROUP BY kind_k",
        t,
    )? {
        let kind = words.text(kind_k)?;
        let kind = NodeKind::from_name(&kind).ok_or_else(|| Fault::Row(format!("unknown kind {kind}")))?;
        counts.nodes += live;
        counts.observed += observed;
        if observed > 0 {
            counts.by_kind.push((kind, observed));
        }
    }
    counts.by_kind.sort_unstable();
    for (rel, edges, _) in by(
        connection,
        "SELECT g.rel, count(*), 0 FROM node s CROSS JOIN edge g ON g.s = s.k WHERE s.t = ?1 GROUP BY g.rel",
        t,
    )? {
        let relation = words.text(rel)?;
        let relation =
            Relation::from_name(&relation).ok_or_else(|| Fault::Row(format!("unknown relation {relation}")))?;
        counts.edges += edges;
        counts.by_relation.push((relation, edges));
    }
    counts.by_relation.sort_unstable();
    counts.by_type = types(connection, t, &words)?;
    counts.open_lookups = single(
        connection,
        "SELECT count(*) FROM lookup WHERE t = ?1 AND found_k IS NULL",
        t,
    )?;
    counts.ambiguous_aliases = single(
        connection,
        "SELECT count(*) FROM (SELECT 1 FROM alias WHERE t = ?1 GROUP BY kind_k, value HAVING count(*) > 1)",
        t,
    )?;
    counts.contained_resources = contained(connection, t, tenant)?;
    Ok(counts)
}

/// Resources that were observed in a generation.
pub(super) fn seen(connection: &Connection, tenant: TenantId, generation: i64) -> Outcome<u64> {
    let Some(t) = tenant_row(connection, &tenant.to_string())? else {
        return Ok(0);
    };
    let Some(resource) = word_key(connection, NodeKind::Resource.as_str())? else {
        return Ok(0);
    };
    let mut find = connection
        .prepare_cached("SELECT count(*) FROM node WHERE t = ?1 AND gen = ?2 AND state = 1 AND kind_k = ?3")?;
    Ok(count(
        find.query_row(params![t, generation, resource], |row| row.get(0))?,
    ))
}

/// Observed resources that `CONTAINS` leads to from the tenant's own node.
fn contained(connection: &Connection, t: i64, tenant: TenantId) -> Outcome<u64> {
    let root: Option<i64> = connection
        .prepare_cached("SELECT k FROM node WHERE t = ?1 AND id = ?2 AND state <> 2")?
        .query_row(params![t, NodeId::tenant(tenant).as_str()], |row| row.get(0))
        .optional()?;
    let contains = word_key(connection, Relation::Contains.as_str())?;
    let resource = word_key(connection, NodeKind::Resource.as_str())?;
    let (Some(root), Some(contains), Some(resource)) = (root, contains, resource) else {
        return Ok(0);
    };
    let mut find = connection.prepare_cached(
        "WITH RECURSIVE held(k) AS (
           SELECT ?1 UNION SELECT g.d FROM held CROSS JOIN edge g ON g.s = held.k AND g.rel = ?2)
         SELECT count(*) FROM held CROSS JOIN node n ON n.k = held.k WHERE n.state = 1 AND n.kind_k = ?3",
    )?;
    Ok(count(
        find.query_row(params![root, contains, resource], |row| row.get(0))?,
    ))
}

fn types(connection: &Connection, t: i64, words: &Vocabulary<'_>) -> Outcome<Vec<(ArmType, u64)>> {
    let sql = "SELECT type_k, count(*), 0 FROM node WHERE t = ?1 AND state = 1 AND type_k IS NOT NULL GROUP BY type_k";
    let mut types = Vec::new();
    for (type_k, observed, _) in by(connection, sql, t)? {
        types.push((ArmType::new(&words.text(type_k)?), observed));
    }
    types.sort_unstable_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    Ok(types)
}

fn by(connection: &Connection, sql: &str, t: i64) -> Outcome<Vec<(i64, u64, u64)>> {
    let mut find = connection.prepare_cached(sql)?;
    let rows = find.query_map([t], |row| Ok((row.get(0)?, count(row.get(1)?), count(row.get(2)?))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn single(connection: &Connection, sql: &str, t: i64) -> Outcome<u64> {
    let mut find = connection.prepare_cached(sql)?;
    Ok(count(find.query_row([t], |row| row.get(0))?))
}
