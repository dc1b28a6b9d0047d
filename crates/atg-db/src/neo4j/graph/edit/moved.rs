//! Records of a tenant's graph as nodes and relationships. The database was empty before.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use atg_models::TenantId;
use atg_models::graph::NodeKind;

use super::Id;
use super::edges::{Assertion, Edge, EdgeKey, Mark, Said};
use super::rows::{Fields, unwind};
use super::say::ListedKey;
use super::texts::{kind_of, on_node, read_on_edge, relation};
use super::write::{change_key, edge_fields, listed_fields, said_fields};
use crate::graph_rules::{hex, name_in, source_number};
use crate::moving::{
    Hex, MovedAssertion, MovedChange, MovedContent, MovedEdge, MovedLedger, MovedLookup, MovedMark, MovedNames,
    MovedNode, MovedPartition, MovedScan, MovedState, Record,
};
use crate::neo4j::driver::{Outcome, Trouble, Tx, Value};
use crate::neo4j::graph::ledger::{entry_key, part_key};

/// The assertions of an edge; a listing's generation is filled in by the caller.
pub(in crate::neo4j::graph) fn moved_assertions(edge: &MovedEdge, stored: &[String]) -> Outcome<Vec<MovedAssertion>> {
    let key = edge_key(edge)?;
    let read = |text: &String| {
        let (assertion, said) = read_on_edge(&key, text)?;
        Ok(MovedAssertion {
            by: assertion.by.as_ref().to_owned(),
            path: assertion.path,
            mark: match assertion.mark {
                Mark::Body => MovedMark::Body,
                Mark::Lookup => MovedMark::Lookup,
                Mark::Listing(collection) => MovedMark::Listing {
                    collection: collection.as_ref().to_owned(),
                    generation: 0,
                },
            },
            properties: said.props,
            source_kind: said.source.map(|kind| kind.as_str().to_owned()),
            target_kind: said.target.map(|kind| kind.as_str().to_owned()),
        })
    };
    stored.iter().map(read).collect()
}

/// The key within the tenant of what a listing states; `None` for what a body says.
pub(in crate::neo4j::graph) fn listed_key(edge: &MovedEdge, assertion: &MovedAssertion) -> Outcome<Option<String>> {
    let MovedMark::Listing { collection, .. } = &assertion.mark else {
        return Ok(None);
    };
    let key = ListedKey {
        edge: edge_key(edge)?,
        by: assertion.by.as_str().into(),
        path: assertion.path.clone(),
        collection: collection.as_str().into(),
    };
    Ok(Some(key.text()))
}

fn edge_key(edge: &MovedEdge) -> Outcome<EdgeKey> {
    Ok(EdgeKey {
        source: edge.source.as_str().into(),
        relation: relation(&edge.relation)?,
        target: edge.target.as_str().into(),
        qualifier: edge.qualifier.clone(),
    })
}

/// Rows by what is made of them, in the order in which they are written.
#[derive(Default)]
struct Rows {
    tenants: Vec<Fields>,
    nodes: Vec<Fields>,
    edges: Vec<Fields>,
    says: HashMap<Id, Vec<String>>,
    listed: Vec<Fields>,
    aliases: Vec<Fields>,
    lookups: Vec<Fields>,
    scans: Vec<Fields>,
    ledger: Vec<Fields>,
    partitions: Vec<Fields>,
    changes: Vec<Fields>,
    caches: Vec<Fields>,
}

/// Writes records of a tenant.
pub(in crate::neo4j) async fn write_moved(tx: &mut Tx<'_>, tenant: TenantId, records: &[Record]) -> Outcome<()> {
    const TENANTS: &str = "UNWIND $rows AS row
        CREATE (:TenantRecord {id: row.id, gen: row.gen, rev: 0, made: randomUUID()})";
    // Labels and types from the closed lists of kinds and relations.
    const NODES: &str = "UNWIND $rows AS row CREATE (n:$(row.labels)) SET n = row.set";
    const EDGES: &str = "UNWIND $rows AS row
        MATCH (s:Entity {key: $prefix + row.source}) MATCH (d:Entity {key: $prefix + row.target})
        CREATE (s)-[r:$(row.relation)]->(d) SET r = row.set";
    const SAYS: &str = "UNWIND $rows AS row MATCH (n:Entity {key: $prefix + row.id})
        SET n.says = coalesce(n.says, []) + row.says";
    const LISTED: &str = "UNWIND $rows AS row CREATE (x:Listed) SET x = row.set";
    const ALIASES: &str = "UNWIND $rows AS row CREATE (x:Alias) SET x = row.set";
    const LOOKUPS: &str = "UNWIND $rows AS row CREATE (x:Lookup) SET x = row.set";
    const SCANS: &str = "UNWIND $rows AS row CREATE (x:Scan) SET x = row.set";
    const LEDGER: &str = "UNWIND $rows AS row CREATE (x:LedgerEntry) SET x = row.set";
    const PARTITIONS: &str = "UNWIND $rows AS row CREATE (x:LedgerPart) SET x = row.set";
    const CHANGES: &str = "UNWIND $rows AS row CREATE (x:Change) SET x = row.set";
    const CACHES: &str = "UNWIND $rows AS row CREATE (x:Cache) SET x = row.set";
    let prefix = super::key_prefix(tenant);
    let rows = Rows::of(tenant, &prefix, records)?;
    let says = rows
        .says
        .into_iter()
        .map(|(id, says)| vec![("id", id.as_ref().into()), ("says", says.into())]);
    let says = says.collect();
    for (text, rows) in [
        (TENANTS, rows.tenants),
        (NODES, rows.nodes),
        (EDGES, rows.edges),
        (SAYS, says),
        (LISTED, rows.listed),
        (ALIASES, rows.aliases),
        (LOOKUPS, rows.lookups),
        (SCANS, rows.scans),
        (LEDGER, rows.ledger),
        (PARTITIONS, rows.partitions),
        (CHANGES, rows.changes),
        (CACHES, rows.caches),
    ] {
        unwind(tx, text, &prefix, rows).await?;
    }
    Ok(())
}

impl Rows {
    fn of(tenant: TenantId, prefix: &str, records: &[Record]) -> Outcome<Self> {
        let mut rows = Self::default();
        for record in records {
            match record {
                Record::Tenant(moved) if moved.id == tenant.to_string() => rows
                    .tenants
                    .push(vec![("id", moved.id.as_str().into()), ("gen", moved.generation.into())]),
                Record::Node(node) => rows.nodes.push(node_row(tenant, prefix, node)?),
                Record::Edge(edge) => rows.edge(prefix, edge)?,
                Record::Names(names) => rows.names(prefix, names)?,
                Record::Scan(scan) => rows.scans.push(set(scan_fields(tenant, scan))),
                Record::Ledger(entry) => rows.ledger.push(set(entry_fields(entry)?)),
                Record::Partition(partition) => rows.partitions.push(set(partition_fields(partition)?)),
                Record::Change(change) => rows.changes.push(set(change_fields(tenant, prefix, change))),
                Record::Cache(cache) => rows.caches.push(set(vec![
                    ("key", format!("{prefix}{}", cache.key).into()),
                    ("tenant_id", tenant.to_string().into()),
                    ("value", Value::Bytes(cache.value.0.clone())),
                ])),
                Record::Tenant(_) | Record::Job(_) | Record::Event(_) | Record::Idempotency(_) | Record::Key(_) => {
                    return Err(Trouble::Unreadable("a record of another part".to_owned()));
                }
            }
        }
        Ok(rows)
    }

    fn edge(&mut self, prefix: &str, moved: &MovedEdge) -> Outcome<()> {
        let key = edge_key(moved)?;
        let mut now = BTreeMap::new();
        for assertion in &moved.asserted {
            let said = Said {
                props: assertion.properties.clone(),
                source: assertion.source_kind.as_deref().map(kind_of).transpose()?,
                target: assertion.target_kind.as_deref().map(kind_of).transpose()?,
            };
            let by = Id::from(assertion.by.as_str());
            let mark = match &assertion.mark {
                MovedMark::Body => {
                    let text = on_node(&by, &key, &assertion.path, &said)?;
                    self.says.entry(Arc::clone(&by)).or_default().push(text);
                    Mark::Body
                }
                MovedMark::Lookup => Mark::Lookup,
                MovedMark::Listing { collection, generation } => {
                    let collection = Id::from(collection.as_str());
                    self.listed(prefix, &key, assertion, &collection, &(*generation, said.clone()));
                    Mark::Listing(collection)
                }
            };
            let path = assertion.path.clone();
            now.insert(Assertion { by, path, mark }, said);
        }
        let edge = Edge { now, ..Edge::default() };
        self.edges.push(vec![
            ("source", moved.source.as_str().into()),
            ("target", moved.target.as_str().into()),
            ("relation", key.relation.as_str().into()),
            ("set", Value::Map(edge_fields(&key, &edge)?)),
        ]);
        Ok(())
    }

    fn listed(&mut self, prefix: &str, edge: &EdgeKey, by: &MovedAssertion, collection: &Id, now: &(i64, Said)) {
        let key = ListedKey {
            edge: edge.clone(),
            by: by.by.as_str().into(),
            path: by.path.clone(),
            collection: Arc::clone(collection),
        };
        let mut fields = said_fields(now);
        fields.extend(listed_fields(prefix, &key));
        fields.push(("key", format!("{prefix}{}", key.text()).into()));
        self.listed.push(set(fields));
    }

    fn names(&mut self, prefix: &str, names: &MovedNames) -> Outcome<()> {
        let of = &names.of;
        for (kind, value) in &names.aliases {
            self.aliases.push(set(vec![
                ("key", format!("{prefix}{kind}\n{value}\n{of}").into()),
                ("alias", format!("{prefix}{kind}\n{value}").into()),
                ("of", format!("{prefix}{of}").into()),
            ]));
        }
        for (lookup, number) in names.lookups.iter().zip(0_u32..) {
            let mut fields = lookup_fields(prefix, lookup)?;
            fields.push(("key", format!("{prefix}{of}\n{number:04}").into()));
            fields.push(("by", format!("{prefix}{of}").into()));
            self.lookups.push(set(fields));
        }
        Ok(())
    }
}

fn set(fields: Fields) -> Fields {
    vec![("set", Value::Map(fields))]
}

fn node_row(tenant: TenantId, prefix: &str, node: &MovedNode) -> Outcome<Fields> {
    let kind: NodeKind = kind_of(&node.kind)?;
    let labels = match node.state {
        MovedState::Gone => vec!["Tombstone"],
        MovedState::Stub | MovedState::Observed => vec!["Entity", kind.as_str()],
    };
    let mut fields = vec![
        ("key", format!("{prefix}{}", node.id).into()),
        ("tenant_id", tenant.to_string().into()),
        ("id", node.id.as_str().into()),
        ("kind", kind.as_str().into()),
        ("type", node.type_.as_deref().into()),
        ("subscription_id", node.subscription_id.as_deref().into()),
        ("resource_group", node.resource_group.as_deref().into()),
        ("observed", (node.state == MovedState::Observed).into()),
        ("gen", node.generation.into()),
        ("observed_at", node.observed_at.into()),
        ("gone_at", node.gone_at.into()),
    ];
    if let Some(seen) = &node.seen {
        fields.extend(seen_fields(&node.id, seen));
    } else {
        let id = node.id.parse::<atg_models::NodeId>();
        let id = id.map_err(|_| Trouble::Unreadable(format!("the id {:?}", node.id)))?;
        fields.extend([
            ("display_id", node.id.as_str().into()),
            ("name", name_in(&id).into()),
            ("source", source_number(atg_models::graph::Source::Derived).into()),
        ]);
    }
    Ok(vec![("labels", labels.into()), ("set", Value::Map(fields))])
}

fn seen_fields(id: &str, seen: &MovedContent) -> Fields {
    vec![
        ("first_gen", seen.first_generation.into()),
        ("first_seen", seen.first_seen.into()),
        ("display_id", seen.display_id.as_deref().unwrap_or(id).into()),
        ("name", seen.name.as_str().into()),
        ("api_version", seen.api_version.as_deref().into()),
        ("location", seen.location.as_deref().into()),
        ("owner", seen.owner.as_deref().into()),
        ("source", seen.source.into()),
        ("hash", hash(seen.hash.as_ref())),
        ("said", hash(seen.said.as_ref())),
        ("tags", seen.tags.as_deref().into()),
        ("body", seen.body.as_deref().into()),
    ]
}

fn hash(bytes: Option<&Hex>) -> Value {
    bytes.map(|bytes| hex(&bytes.0)).into()
}

fn lookup_fields(prefix: &str, lookup: &MovedLookup) -> Outcome<Fields> {
    Ok(vec![
        ("alias", format!("{prefix}{}\n{}", lookup.kind, lookup.value).into()),
        ("relation", relation(&lookup.relation)?.as_str().into()),
        ("to_found", lookup.to_found.into()),
        ("qualifier", lookup.qualifier.as_str().into()),
        ("path", lookup.path.as_str().into()),
        ("props", lookup.properties.as_deref().into()),
        ("anchor", lookup.anchor.as_deref().into()),
        ("found", lookup.found.as_deref().into()),
    ])
}

fn scan_fields(tenant: TenantId, scan: &MovedScan) -> Fields {
    vec![
        ("id", scan.id.as_str().into()),
        ("tenant_id", tenant.to_string().into()),
        ("gen", scan.generation.into()),
        ("fence", scan.fence.into()),
        ("principal", scan.principal.as_str().into()),
        ("filters", scan.filters.as_str().into()),
        ("started_at", scan.started_at.into()),
        ("version", scan.version.as_str().into()),
        ("ended", scan.ended.as_deref().into()),
        ("digest", scan.digest.as_deref().into()),
        ("written", scan.written.into()),
        ("unchanged", scan.unchanged.into()),
        ("removed", scan.removed.into()),
    ]
}

fn entry_of(scan: &str, collection: &str) -> Outcome<String> {
    let scan = scan
        .parse()
        .map_err(|_| Trouble::Unreadable(format!("the scan id {scan:?}")))?;
    let collection = atg_models::graph::CollectionKey::from_text(collection);
    Ok(entry_key(scan, &collection))
}

fn entry_fields(entry: &MovedLedger) -> Outcome<Fields> {
    Ok(vec![
        ("key", entry_of(&entry.scan, &entry.collection)?.into()),
        ("scan", entry.scan.as_str().into()),
        ("collection", entry.collection.as_str().into()),
        ("sweepable", entry.sweepable.into()),
        ("expected", entry.expected.into()),
        ("state", entry.state.as_str().into()),
        ("swept", entry.swept.into()),
    ])
}

fn partition_fields(partition: &MovedPartition) -> Outcome<Fields> {
    let entry = entry_of(&partition.scan, &partition.collection)?;
    let part = atg_models::graph::PartitionKey(partition.partition.clone());
    Ok(vec![
        ("key", part_key(&entry, &part).into()),
        ("entry", entry.into()),
        ("scan", partition.scan.as_str().into()),
        ("part", partition.partition.as_str().into()),
        ("at", partition.at.into()),
        ("cursor", partition.cursor.as_deref().into()),
        ("pages", partition.pages.into()),
        ("rows", partition.rows.into()),
        ("done", partition.done.into()),
        ("applied", partition.applied.clone().into()),
    ])
}

fn change_fields(tenant: TenantId, prefix: &str, change: &MovedChange) -> Fields {
    vec![
        (
            "key",
            format!("{prefix}{}", change_key(change.generation, &change.id)).into(),
        ),
        ("tenant_id", tenant.to_string().into()),
        ("gen", change.generation.into()),
        ("id", change.id.as_str().into()),
        ("before", hash(change.before.as_ref())),
        ("after", hash(change.after.as_ref())),
    ]
}
