//! Reading nodes and edges back.

use std::collections::BTreeMap;

use atg_models::graph::{CollectionKey, Node, NodeKind, Relation, Source};
use atg_models::{ArmType, NodeId, TenantId};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::graph_rules::{StoredEdge, StoredNode, name_in, source_of};
use crate::graph_store::{NodeFilter, Page};
use crate::limits;
use crate::sqlite::fault::{Fault, Outcome, moment, parsed};
use crate::sqlite::graph::prepare::unpack;
use crate::sqlite::graph::scan::tenant_row;
use crate::sqlite::graph::schema::OBSERVED;
use crate::sqlite::words::{Vocabulary, word_key};

/// The columns that [`node`] reads; the body comes last because it is not always asked for.
pub(super) const NODE_COLUMNS: &str = "n.k, n.id, n.state, n.kind_k, n.type_k, n.sub_k, n.rg_k, n.loc_k, n.api_k,
  (SELECT key FROM coll c WHERE c.k = n.coll_k), n.source, n.display, n.name, n.observed_at, b.tags";
/// The columns of the body, behind those.
pub(super) const BODY_COLUMNS: &str = ", b.codec, b.body";

/// Reads one row of [`NODE_COLUMNS`], and [`BODY_COLUMNS`] where `bodies` is set. A stub says only
/// what its id says, whatever the row keeps of what it was.
pub(super) fn node(row: &Row<'_>, tenant: TenantId, words: &Vocabulary<'_>, bodies: bool) -> Outcome<StoredNode> {
    let id: NodeId = parsed(&row.get::<_, String>(1)?)?;
    let observed = row.get::<_, i64>(2)? == OBSERVED;
    let kind = words.text(row.get(3)?)?;
    let kind = NodeKind::from_name(&kind).ok_or_else(|| Fault::Row(format!("unknown kind {kind}")))?;
    let text = |column: usize| -> Outcome<Option<String>> {
        Ok(words.text_of(row.get(column)?)?.map(|text| text.as_ref().to_owned()))
    };
    let stub = Node {
        tenant_id: tenant,
        display_id: id.as_str().to_owned(),
        name: name_in(&id).to_owned(),
        kind,
        type_: text(4)?.map(|type_| ArmType::new(&type_)),
        api_version: None,
        subscription_id: text(5)?,
        resource_group: text(6)?,
        location: None,
        tags: BTreeMap::new(),
        body: None,
        observed,
        source: Source::Derived,
        owner: None,
        observed_at: moment(row.get(13)?)?,
        id,
    };
    if !observed {
        return Ok(StoredNode { node: stub, body: None });
    }
    let tags: Option<String> = row.get(14)?;
    let source = row.get(10)?;
    let node = Node {
        display_id: row.get::<_, Option<String>>(11)?.unwrap_or(stub.display_id),
        name: row.get::<_, Option<String>>(12)?.unwrap_or_default(),
        location: text(7)?,
        api_version: text(8)?,
        owner: row.get::<_, Option<String>>(9)?.map(CollectionKey::from_text),
        source: source_of(source).ok_or_else(|| Fault::Row(format!("unknown source {source}")))?,
        tags: tags
            .map(|tags| serde_json::from_str(&tags))
            .transpose()?
            .unwrap_or_default(),
        ..stub
    };
    let body = if bodies {
        let bytes: Option<Vec<u8>> = row.get(16)?;
        bytes.map(|bytes| unpack(row.get(15)?, bytes)).transpose()?
    } else {
        None
    };
    Ok(StoredNode { node, body })
}

/// One live node.
pub(super) fn one(connection: &Connection, tenant: TenantId, id: &NodeId) -> Outcome<Option<Node>> {
    let Some(t) = tenant_row(connection, &tenant.to_string())? else {
        return Ok(None);
    };
    let words = Vocabulary::new(connection);
    let sql = format!(
        "SELECT {NODE_COLUMNS}{BODY_COLUMNS} FROM node n LEFT JOIN node_body b ON b.k = n.k
         WHERE n.t = ?1 AND n.id = ?2 AND n.state <> 2"
    );
    let mut find = connection.prepare_cached(&sql)?;
    let mut rows = find.query(params![t, id.as_str()])?;
    match rows.next()? {
        Some(row) => Ok(Some(node(row, tenant, &words, true)?.whole()?)),
        None => Ok(None),
    }
}

/// A page of live nodes by id.
pub(super) fn find(
    connection: &Connection,
    tenant: TenantId,
    filter: &NodeFilter,
    after: Option<&NodeId>,
    limit: u32,
    bodies: bool,
) -> Outcome<Page<Node>> {
    let nothing = Page {
        items: Vec::new(),
        next: None,
    };
    let limit = limit.clamp(1, limits::PAGE_ROWS);
    let Some(t) = tenant_row(connection, &tenant.to_string())? else {
        return Ok(nothing);
    };
    let NodeFilter {
        kind,
        type_,
        subscription_id,
        resource_group,
        observed,
    } = filter;
    let wanted = [
        kind.map(NodeKind::as_str),
        type_.as_ref().map(ArmType::as_str),
        subscription_id.as_deref(),
        resource_group.as_deref(),
    ];
    let mut keys = [None; 4];
    for (key, text) in keys.iter_mut().zip(wanted) {
        *key = text.map(|text| word_key(connection, text)).transpose()?;
        // A word that no row uses.
        if *key == Some(None) {
            return Ok(nothing);
        }
    }
    let [kind_k, type_k, sub_k, rg_k] = keys.map(Option::flatten);
    let body_columns = if bodies { BODY_COLUMNS } else { "" };
    let sql = format!(
        "SELECT {NODE_COLUMNS}{body_columns} FROM node n LEFT JOIN node_body b ON b.k = n.k
         WHERE n.t = ?1 AND n.id > ?2 AND n.state <> 2
           AND (?3 IS NULL OR n.kind_k = ?3) AND (?4 IS NULL OR n.type_k = ?4)
           AND (?5 IS NULL OR n.sub_k = ?5) AND (?6 IS NULL OR n.rg_k = ?6)
           AND (?7 IS NULL OR (n.state = 1) = ?7)
         ORDER BY n.id LIMIT ?8"
    );
    let words = Vocabulary::new(connection);
    let mut find = connection.prepare_cached(&sql)?;
    let after = after.map_or("", NodeId::as_str);
    let mut rows = find.query(params![
        t,
        after,
        kind_k,
        type_k,
        sub_k,
        rg_k,
        observed,
        i64::from(limit) + 1
    ])?;
    let mut items = Vec::new();
    let full = usize::try_from(limit).unwrap_or(usize::MAX);
    while let Some(row) = rows.next()? {
        if items.len() == full {
            let next = items.last().map(|node: &Node| node.id.clone());
            return Ok(Page { items, next });
        }
        items.push(node(row, tenant, &words, bodies)?.whole()?);
    }
    Ok(Page { items, next: None })
}

/// The columns that [`edge`] reads; `g` is the edge, `s` and `d` its ends. Its properties are those
/// of the assertion with the smallest body and path.
pub(super) const EDGE_COLUMNS: &str = "s.id, g.rel, d.id, g.qual,
  (SELECT a.props FROM assertion a JOIN node y ON y.k = a.by_k JOIN word w ON w.k = a.path_k
   WHERE a.e = g.e ORDER BY y.id, w.text, a.props LIMIT 1)";

/// Reads one row of [`EDGE_COLUMNS`].
pub(super) fn edge(row: &Row<'_>, words: &Vocabulary<'_>) -> Outcome<StoredEdge> {
    let relation = words.text(row.get(1)?)?;
    Ok(StoredEdge {
        source: parsed(&row.get::<_, String>(0)?)?,
        relation: Relation::from_name(&relation).ok_or_else(|| Fault::Row(format!("unknown relation {relation}")))?,
        target: parsed(&row.get::<_, String>(2)?)?,
        qualifier: row.get(3)?,
        properties: row.get(4)?,
    })
}

/// A live node's key.
pub(super) fn node_key(connection: &Connection, tenant: TenantId, id: &NodeId) -> Outcome<Option<i64>> {
    let mut find = connection.prepare_cached(
        "SELECT n.k FROM node n JOIN tenant t ON t.k = n.t WHERE t.id = ?1 AND n.id = ?2 AND n.state <> 2",
    )?;
    let k = find.query_row(params![tenant.to_string(), id.as_str()], |row| row.get(0));
    Ok(k.optional()?)
}
