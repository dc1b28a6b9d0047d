//! Nodes that may have lost their last edge.

use std::sync::Arc;

use atg_models::graph::NodeKind;

use super::nodes::{Standing, State};
use super::rows::{Fields, unwind};
use super::texts::kind_of;
use super::write::{RELABEL, change_key, relabel};
use super::{Edit, Id};
use crate::limits;
use crate::neo4j::driver::{Outcome, Row, Tx};

/// A node that was not read, or that is made on sight.
struct Orphan {
    id: Id,
    element: String,
    was: Standing,
    /// Whether it was observed once.
    is_past: bool,
    /// Whether its id proves its kind.
    is_typed: bool,
    /// Whether an edge or an assertion stands on it.
    is_referred: bool,
}

impl Edit<'_> {
    /// Nodes that were not read go when nothing refers to them any more. The edges are written.
    pub(super) async fn remove_orphans(&mut self, tx: &mut Tx<'_>) -> Outcome<()> {
        const DELETE: &str = "UNWIND $rows AS row MATCH (n) WHERE elementId(n) = row.element DELETE n";
        let orphans = self.load_orphans(tx).await?;
        let (mut restated, mut gone, mut deleted, mut forgotten) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for orphan in orphans {
            let is_derived = orphan.was.kind.is_derived();
            match (orphan.was.state, orphan.is_referred) {
                (State::Stub, true) if !orphan.is_typed && !is_derived => restated.push(orphan),
                (State::Stub, false) if orphan.is_past => {
                    let now = Standing {
                        state: State::Gone,
                        ..orphan.was
                    };
                    gone.extend(relabel(&orphan.element, orphan.was, now));
                }
                (State::Stub, false) => deleted.push(vec![("element", orphan.element.into())]),
                (State::Observed, false) if is_derived => {
                    forgotten.push(orphan.id);
                    deleted.push(vec![("element", orphan.element.into())]);
                }
                _ => {}
            }
        }
        unwind(tx, RELABEL, &self.prefix, gone).await?;
        unwind(tx, DELETE, &self.prefix, deleted).await?;
        forget_changes(tx, &self.prefix, self.held.generation, &forgotten).await?;
        self.restate_kinds(tx, restated).await
    }

    async fn load_orphans(&mut self, tx: &mut Tx<'_>) -> Outcome<Vec<Orphan>> {
        const FIND: &str = "UNWIND $rows AS row MATCH (n:Entity {key: $prefix + row.id})
            RETURN row.id AS id, elementId(n) AS element, n.observed AS observed, n.kind AS kind,
              n.gone_at IS NOT NULL AS past, n.type IS NOT NULL AS typed,
              EXISTS { (n)--() } OR n.says IS NOT NULL OR EXISTS { MATCH (l:Listed {by: n.key}) }
                OR (n.observed AND EXISTS { MATCH (l:Lookup {by: n.key}) WHERE l.found IS NOT NULL }) AS referred";
        let mut rows = Vec::new();
        for id in std::mem::take(&mut self.orphans) {
            // One that was read stays, whatever refers to it.
            let stays = self.nodes.is_known(&id) && {
                let now = self.nodes.get(&id)?.now;
                now.state == State::Observed && !now.kind.is_derived()
            };
            if !stays {
                rows.push(vec![("id", id.as_ref().into())]);
            }
        }
        let rows = unwind(tx, FIND, &self.prefix, rows).await?;
        rows.iter().map(read).collect()
    }

    /// The kind of a stub whose id does not prove it, from what still refers to it.
    async fn restate_kinds(&mut self, tx: &mut Tx<'_>, stubs: Vec<Orphan>) -> Outcome<()> {
        const FIND: &str = "UNWIND $rows AS row MATCH (n) WHERE elementId(n) = row.element
            CALL (n) {
              MATCH (n)<-[r]-() UNWIND r.target_kinds AS kind RETURN kind
              UNION MATCH (n)-[r]->() UNWIND r.source_kinds AS kind RETURN kind }
            RETURN row.i AS i, collect(DISTINCT kind) AS kinds";
        const UPDATE: &str = "UNWIND $rows AS row MATCH (n) WHERE elementId(n) = row.element SET n.kind = row.kind";
        let rows = stubs.iter().zip(0_i64..);
        let rows = rows.map(|(stub, i)| vec![("i", i.into()), ("element", stub.element.as_str().into())]);
        let rows = rows.collect();
        let (mut changed, mut relabelled) = (Vec::new(), Vec::new());
        for row in unwind(tx, FIND, &self.prefix, rows).await? {
            let at = usize::try_from(row.get::<i64>("i")?).unwrap_or(usize::MAX);
            let Some(stub) = stubs.get(at) else { continue };
            let stated: Vec<String> = row.get("kinds")?;
            let kinds = stated.iter().map(|name| kind_of(name));
            let kinds = kinds.collect::<Outcome<Vec<NodeKind>>>()?;
            let best = kinds
                .into_iter()
                .min_by_key(|kind| (*kind == NodeKind::Stub, kind.as_str()));
            let Some(kind) = best.filter(|kind| *kind != stub.was.kind) else {
                continue;
            };
            let now = Standing { kind, ..stub.was };
            relabelled.extend(relabel(&stub.element, stub.was, now));
            changed.push(vec![
                ("element", stub.element.as_str().into()),
                ("kind", kind.as_str().into()),
            ]);
        }
        unwind(tx, RELABEL, &self.prefix, relabelled).await?;
        unwind(tx, UPDATE, &self.prefix, changed).await.map(drop)
    }
}

/// Forgets how scans changed nodes of which nothing is left.
pub(in crate::neo4j::graph) async fn forget_changes(
    tx: &mut Tx<'_>,
    prefix: &str,
    generation: i64,
    ids: &[Id],
) -> Outcome<()> {
    const DELETE: &str = "UNWIND $rows AS row MATCH (c:Change {key: $prefix + row.key}) DELETE c";
    // Of earlier scans nothing is kept.
    let oldest = generation.saturating_sub(limits::CHANGES_OF_SCANS).max(0);
    let keys = |id: &Id| {
        let id = Arc::clone(id);
        (oldest..=generation).map(move |generation| change_key(generation, &id))
    };
    let rows: Vec<Fields> = ids.iter().flat_map(keys).map(|key| vec![("key", key.into())]).collect();
    unwind(tx, DELETE, prefix, rows).await.map(drop)
}

fn read(row: &Row) -> Outcome<Orphan> {
    let state = if row.get("observed")? {
        State::Observed
    } else {
        State::Stub
    };
    let kind = kind_of(&row.text("kind")?)?;
    Ok(Orphan {
        id: row.text("id")?.into(),
        element: row.text("element")?,
        was: Standing { state, kind },
        is_past: row.get("past")?,
        is_typed: row.get("typed")?,
        is_referred: row.get("referred")?,
    })
}
