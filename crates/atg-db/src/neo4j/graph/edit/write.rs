//! Writing what has become of the working set.

use super::edges::{Edge, EdgeKey, Said};
use super::names::{Asked, anchor_text};
use super::nodes::{Node, Place, Standing, State, Words};
use super::rows::{Fields, unwind};
use super::say::ListedKey;
use super::texts::{on_edge, on_node};
use super::{Edit, Id};
use crate::graph_rules::{Prepared, name_in, place, source_number};
use crate::neo4j::driver::{Outcome, Tx, Value};
use atg_models::ArmType;
use atg_models::graph::{NodeKind, Source};

impl Edit<'_> {
    /// Writes all of it: nodes before the edges between them.
    pub(super) async fn write(&mut self, tx: &mut Tx<'_>) -> Outcome<()> {
        self.write_nodes(tx).await?;
        self.write_edges(tx).await?;
        self.write_aliases(tx).await?;
        self.write_lookups(tx).await?;
        self.write_listed(tx).await?;
        self.write_changes(tx).await
    }

    async fn write_nodes(&mut self, tx: &mut Tx<'_>) -> Outcome<()> {
        // Labels from the closed list of kinds.
        const CREATE: &str = "UNWIND $rows AS row CREATE (n:Entity:$(row.kind)) SET n = row.set
            RETURN row.i AS i, elementId(n) AS element";
        const UPDATE: &str = "UNWIND $rows AS row MATCH (n) WHERE elementId(n) = row.element SET n += row.set";
        // What most nodes of a second scan come to.
        const RENEW: &str = "UNWIND $rows AS row MATCH (n) WHERE elementId(n) = row.element
            SET n.gen = row.gen, n.observed_at = row.at";
        let (mut new, mut created, mut changed, mut relabelled) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut renewed = Vec::new();
        let frame = Frame {
            prefix: &self.prefix,
            tenant: self.held.tenant_id.to_string(),
            generation: self.held.generation,
            now: self.held.started_at,
        };
        for (id, node) in self.nodes.all() {
            let Some(element) = &node.element else {
                if node.now.state != State::Absent {
                    created.push(vec![
                        ("i", u64::try_from(new.len()).unwrap_or(u64::MAX).into()),
                        ("kind", node.now.kind.as_str().into()),
                        ("set", Value::Map(frame.created(id, node)?)),
                    ]);
                    new.push(id.clone());
                }
                continue;
            };
            if let Some(seen) = node.only_renewed_by() {
                renewed.push(vec![
                    ("element", element.as_str().into()),
                    ("gen", frame.generation.into()),
                    ("at", seen.node.observed_at.into()),
                ]);
                continue;
            }
            let set = frame.changed(id, node)?;
            if !set.is_empty() {
                changed.push(vec![("element", element.as_str().into()), ("set", Value::Map(set))]);
            }
            relabelled.extend(relabel(element, node.was, node.now));
        }
        for row in unwind(tx, CREATE, &self.prefix, created).await? {
            let at = usize::try_from(row.get::<i64>("i")?).unwrap_or(usize::MAX);
            if let Some(id) = new.get(at) {
                self.nodes.get(id)?.element = Some(row.text("element")?);
            }
        }
        unwind(tx, RELABEL, &self.prefix, relabelled).await?;
        unwind(tx, RENEW, &self.prefix, renewed).await?;
        unwind(tx, UPDATE, &self.prefix, changed).await.map(drop)
    }

    async fn write_edges(&mut self, tx: &mut Tx<'_>) -> Outcome<()> {
        // Types from the closed list of relations. `CREATE` takes them as they come, `MERGE` would not.
        const CREATE: &str = "UNWIND $rows AS row
            MATCH (s) WHERE elementId(s) = row.source MATCH (d) WHERE elementId(d) = row.target
            CREATE (s)-[r:$(row.relation)]->(d) SET r = row.set";
        const UPDATE: &str = "UNWIND $rows AS row MATCH ()-[r]->() WHERE elementId(r) = row.element SET r += row.set";
        const DELETE: &str = "UNWIND $rows AS row MATCH ()-[r]->() WHERE elementId(r) = row.element DELETE r";
        let (mut created, mut changed, mut deleted) = (Vec::new(), Vec::new(), Vec::new());
        for (key, edge) in &self.edges {
            match &edge.element {
                Some(element) if edge.now.is_empty() => deleted.push(vec![("element", element.as_str().into())]),
                Some(element) if edge.now != edge.was => {
                    let set = Value::Map(edge_fields(key, edge)?);
                    changed.push(vec![("element", element.as_str().into()), ("set", set)]);
                }
                None if !edge.now.is_empty() => {
                    created.push(vec![
                        ("source", self.nodes.element(&key.source)?.into()),
                        ("target", self.nodes.element(&key.target)?.into()),
                        ("relation", key.relation.as_str().into()),
                        ("set", Value::Map(edge_fields(key, edge)?)),
                    ]);
                }
                Some(_) | None => {}
            }
        }
        unwind(tx, DELETE, &self.prefix, deleted).await?;
        unwind(tx, UPDATE, &self.prefix, changed).await?;
        unwind(tx, CREATE, &self.prefix, created).await.map(drop)
    }

    async fn write_aliases(&mut self, tx: &mut Tx<'_>) -> Outcome<()> {
        const DELETE: &str = "UNWIND $rows AS row MATCH (a:Alias {key: $prefix + row.alias + '\\n' + row.id}) DELETE a";
        const CREATE: &str = "UNWIND $rows AS row CREATE (:Alias
            {key: $prefix + row.alias + '\\n' + row.id, alias: $prefix + row.alias, of: $prefix + row.id})";
        let (mut created, mut deleted) = (Vec::new(), Vec::new());
        for ((alias, id), published) in &self.names.aliases {
            let row = || vec![("alias", alias.as_ref().into()), ("id", id.as_ref().into())];
            match (published.was, published.now) {
                (false, true) => created.push(row()),
                (true, false) => deleted.push(row()),
                (true, true) | (false, false) => {}
            }
        }
        unwind(tx, DELETE, &self.prefix, deleted).await?;
        unwind(tx, CREATE, &self.prefix, created).await.map(drop)
    }

    async fn write_lookups(&mut self, tx: &mut Tx<'_>) -> Outcome<()> {
        const DELETE: &str = "UNWIND $rows AS row MATCH (l:Lookup {key: $prefix + row.key}) DELETE l";
        const UPDATE: &str = "UNWIND $rows AS row MATCH (l:Lookup {key: $prefix + row.key}) SET l += row.set";
        const CREATE: &str = "UNWIND $rows AS row CREATE (l:Lookup {key: $prefix + row.key}) SET l += row.set";
        let (mut created, mut changed, mut deleted) = (Vec::new(), Vec::new(), Vec::new());
        for key in self.names.stored.keys() {
            if !self.names.asked.contains_key(key) {
                deleted.push(vec![("key", key.as_str().into())]);
            }
        }
        for (key, asked) in &self.names.asked {
            let rows = match self.names.stored.get(key) {
                Some(stored) if stored == asked => continue,
                Some(_) => &mut changed,
                None => &mut created,
            };
            let set = Value::Map(lookup_fields(&self.prefix, asked)?);
            rows.push(vec![("key", key.as_str().into()), ("set", set)]);
        }
        unwind(tx, DELETE, &self.prefix, deleted).await?;
        unwind(tx, UPDATE, &self.prefix, changed).await?;
        unwind(tx, CREATE, &self.prefix, created).await.map(drop)
    }

    async fn write_listed(&mut self, tx: &mut Tx<'_>) -> Outcome<()> {
        const DELETE: &str = "UNWIND $rows AS row MATCH (l:Listed {key: $prefix + row.key}) DELETE l";
        const UPDATE: &str = "UNWIND $rows AS row MATCH (l:Listed {key: $prefix + row.key}) SET l += row.set";
        const CREATE: &str = "UNWIND $rows AS row CREATE (l:Listed {key: $prefix + row.key}) SET l += row.set";
        let (mut created, mut changed, mut deleted) = (Vec::new(), Vec::new(), Vec::new());
        for (key, listed) in &self.listed {
            let name = ("key", Value::from(key.text()));
            match (&listed.was, &listed.now) {
                (_, None) => deleted.push(vec![name]),
                (Some((_, before)), Some((generation, said))) if before == said => {
                    changed.push(vec![name, ("set", Value::Map(vec![("gen", (*generation).into())]))]);
                }
                (Some(_), Some(now)) => changed.push(vec![name, ("set", Value::Map(said_fields(now)))]),
                (None, Some(now)) => {
                    let mut set = said_fields(now);
                    set.extend(listed_fields(&self.prefix, key));
                    created.push(vec![name, ("set", Value::Map(set))]);
                }
            }
        }
        unwind(tx, DELETE, &self.prefix, deleted).await?;
        unwind(tx, UPDATE, &self.prefix, changed).await?;
        unwind(tx, CREATE, &self.prefix, created).await.map(drop)
    }

    async fn write_changes(&mut self, tx: &mut Tx<'_>) -> Outcome<()> {
        const MERGE: &str = "UNWIND $rows AS row MERGE (c:Change {key: $prefix + row.key})
            ON CREATE SET c += row.set SET c.after = row.after";
        let generation = self.held.generation;
        let tenant = self.held.tenant_id.to_string();
        let rows = self.changes.iter().map(|(id, (before, after))| {
            let set = vec![
                ("tenant_id", tenant.as_str().into()),
                ("gen", generation.into()),
                ("id", id.as_ref().into()),
                ("before", before.clone().into()),
            ];
            vec![
                ("key", change_key(generation, id).into()),
                ("set", Value::Map(set)),
                ("after", after.clone().into()),
            ]
        });
        let rows = rows.collect();
        unwind(tx, MERGE, &self.prefix, rows).await.map(drop)
    }
}

/// A change's key within the tenant.
pub(in crate::neo4j::graph) fn change_key(generation: i64, id: &str) -> String {
    format!("{generation}/{id}")
}

/// Labels from the closed list of kinds.
pub(super) const RELABEL: &str = "UNWIND $rows AS row MATCH (n) WHERE elementId(n) = row.element
    REMOVE n:$(row.old) SET n:$(row.new)";

/// A row of [`RELABEL`] where the labels become others.
pub(super) fn relabel(element: &str, was: Standing, now: Standing) -> Option<Fields> {
    let labels = |standing: Standing| match standing.state {
        State::Gone => vec!["Tombstone"],
        State::Absent | State::Stub | State::Observed => vec!["Entity", standing.kind.as_str()],
    };
    let (old, new) = (labels(was), labels(now));
    (old != new).then(|| vec![("element", element.into()), ("old", old.into()), ("new", new.into())])
}

/// What every row of a change has in common.
struct Frame<'e> {
    prefix: &'e str,
    tenant: String,
    generation: i64,
    now: i64,
}

impl Frame<'_> {
    /// All properties of a new node.
    fn created(&self, id: &Id, node: &Node<'_>) -> Outcome<Fields> {
        let mut set = vec![
            ("key", format!("{}{id}", self.prefix).into()),
            ("tenant_id", self.tenant.as_str().into()),
            ("id", id.as_ref().into()),
        ];
        match (node.content_of, &node.place) {
            (Some(new), _) => set.extend(self.observed(node, new)),
            (None, Some(stub)) => set.extend(self.stub(node, stub)),
            (None, None) => {}
        }
        set.extend(says(id, node.words.as_ref())?);
        Ok(set)
    }

    /// The properties of a stored node that become others.
    fn changed(&self, id: &Id, node: &Node<'_>) -> Outcome<Fields> {
        let mut set = match (node.content_of, node.seen_by) {
            (Some(new), _) => self.observed(node, new),
            (None, Some(seen)) => vec![
                ("gen", self.generation.into()),
                ("source", source_number(seen.node.source).into()),
                ("observed_at", seen.node.observed_at.into()),
            ],
            (None, None) if node.now.kind != node.was.kind => vec![("kind", node.now.kind.as_str().into())],
            (None, None) => Vec::new(),
        };
        if node.is_swept {
            set.extend([
                ("observed", false.into()),
                ("gone_at", self.now.into()),
                ("owner", Value::Null),
            ]);
        }
        if node.words.is_some() && node.content_of.is_none() && !node.is_swept {
            set.push(("said", node.content.said.as_str().into()));
        }
        set.extend(says(id, node.words.as_ref())?);
        Ok(set)
    }

    /// What an observation says of its node, nulls for what it does not say.
    fn observed(&self, node: &Node<'_>, new: &Prepared) -> Fields {
        let seen = node.seen_by.unwrap_or(new);
        let of = &new.node;
        let mut set = vec![
            ("display_id", of.display_id.as_str().into()),
            ("kind", of.kind.as_str().into()),
            ("type", of.type_.as_ref().map(ArmType::as_str).into()),
            ("api_version", of.api_version.as_deref().into()),
            ("name", of.name.as_str().into()),
            ("subscription_id", of.subscription_id.as_deref().into()),
            ("resource_group", of.resource_group.as_deref().into()),
            ("location", of.location.as_deref().into()),
            ("tags", new.tags.as_deref().into()),
            ("body", new.body.as_deref().into()),
            ("observed", true.into()),
            ("source", node.content.source.into()),
            (
                "owner",
                of.owner.as_ref().map(atg_models::graph::CollectionKey::as_str).into(),
            ),
            ("hash", node.content.hash.as_str().into()),
            ("said", node.content.said.as_str().into()),
            ("gen", self.generation.into()),
            ("observed_at", seen.node.observed_at.into()),
            ("gone_at", Value::Null),
        ];
        if !node.was_seen {
            set.push(("first_gen", self.generation.into()));
            set.push(("first_seen", of.observed_at.into()));
        }
        set
    }

    /// What the id of a stub says of it.
    fn stub(&self, node: &Node<'_>, stub: &Place) -> Fields {
        let (subscription, group) = place(&stub.id);
        vec![
            ("display_id", stub.id.as_str().into()),
            ("kind", node.now.kind.as_str().into()),
            ("type", stub.type_.as_deref().into()),
            ("name", name_in(&stub.id).into()),
            ("subscription_id", subscription.into()),
            ("resource_group", group.into()),
            ("observed", false.into()),
            ("source", source_number(Source::Derived).into()),
            ("gen", self.generation.into()),
            ("observed_at", self.now.into()),
        ]
    }
}

/// The words of a body, where they become others.
fn says(id: &Id, words: Option<&Words>) -> Outcome<Option<(&'static str, Value)>> {
    let Some(words) = words else {
        return Ok(None);
    };
    let texts = words.iter().map(|((key, path), said)| on_node(id, key, path, said));
    let texts = texts.collect::<Outcome<Vec<String>>>()?;
    Ok(Some(("says", list(texts))))
}

/// A list as it is stored: nothing for none.
fn list<T: Into<Value>>(values: Vec<T>) -> Value {
    if values.is_empty() { Value::Null } else { values.into() }
}

pub(super) fn edge_fields(key: &EdgeKey, edge: &Edge) -> Outcome<Fields> {
    let asserted = edge.now.iter().map(|(assertion, said)| on_edge(key, assertion, said));
    let asserted = asserted.collect::<Outcome<Vec<String>>>()?;
    Ok(vec![
        ("qualifier", key.qualifier.as_str().into()),
        ("props", edge.properties().into()),
        ("asserted", asserted.into()),
        ("source_kinds", kinds(edge, |said| said.source)),
        ("target_kinds", kinds(edge, |said| said.target)),
    ])
}

/// The kinds that are stated of an end.
fn kinds(edge: &Edge, of: impl Fn(&Said) -> Option<NodeKind>) -> Value {
    let stated = edge.now.values().filter_map(of);
    let stated: std::collections::BTreeSet<NodeKind> = stated.collect();
    list(stated.into_iter().map(NodeKind::as_str).collect())
}

fn lookup_fields(prefix: &str, asked: &Asked) -> Outcome<Fields> {
    let Asked {
        key: _,
        alias,
        by,
        relation,
        to_found,
        qualifier,
        path,
        props,
        anchor,
        found,
    } = asked;
    Ok(vec![
        ("alias", format!("{prefix}{alias}").into()),
        ("by", format!("{prefix}{by}").into()),
        ("relation", relation.as_str().into()),
        ("to_found", (*to_found).into()),
        ("qualifier", qualifier.as_str().into()),
        ("path", path.as_str().into()),
        ("props", props.as_deref().into()),
        ("anchor", anchor_text(anchor.as_ref())?),
        ("found", found.as_deref().into()),
    ])
}

pub(super) fn listed_fields(prefix: &str, key: &ListedKey) -> Fields {
    let ListedKey {
        edge,
        by,
        path,
        collection,
    } = key;
    vec![
        ("collection", format!("{prefix}{collection}").into()),
        ("by", format!("{prefix}{by}").into()),
        ("relation", edge.relation.as_str().into()),
        ("source", edge.source.as_ref().into()),
        ("target", edge.target.as_ref().into()),
        ("qualifier", edge.qualifier.as_str().into()),
        ("path", path.as_str().into()),
    ]
}

pub(super) fn said_fields((generation, said): &(i64, Said)) -> Fields {
    let Said { props, source, target } = said;
    vec![
        ("gen", (*generation).into()),
        ("props", props.as_deref().into()),
        ("source_kind", source.map(NodeKind::as_str).into()),
        ("target_kind", target.map(NodeKind::as_str).into()),
    ]
}
