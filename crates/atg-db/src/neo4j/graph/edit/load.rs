//! What must be looked for before a change can be decided.

use std::collections::btree_map::Entry;

use atg_models::graph::AssertedEdge;

use super::names::Named;
use super::nodes::{State, Wanted};
use super::{Edit, Id};
use crate::graph_rules::{Prepared, Ready, hex};
use crate::neo4j::driver::{Outcome, Tx};

/// The `said` of no body.
const ANY_WORDS: &str = "";

impl Edit<'_> {
    /// Looks for all that a page touches.
    pub(in crate::neo4j::graph) async fn load_page(&mut self, tx: &mut Tx<'_>, page: &Ready) -> Outcome<()> {
        let mut wanted = Wanted::new();
        for new in &page.observations {
            want_body(&mut wanted, new, hex(&new.said));
        }
        for listed in &page.listed {
            want(&mut wanted, listed.by.as_str());
            want_ends(&mut wanted, &listed.edge);
        }
        self.load(tx, wanted).await?;
        let mut rewritten = Named::new();
        for new in &page.observations {
            let node = self.nodes.get(new.node.id.as_str())?;
            if node.now.state == State::Observed && node.content.said != hex(&new.said) {
                rewritten.insert(new.node.id.as_str().into());
            }
        }
        self.load_names(tx, &rewritten).await?;
        self.load_listed(tx, &page.listed, &page.progress.collection.as_str().into())
            .await
    }

    /// Looks for bodies that are derived again, and all that they say.
    pub(in crate::neo4j::graph) async fn load_derived(&mut self, tx: &mut Tx<'_>, derived: &[Prepared]) -> Outcome<()> {
        let mut wanted = Wanted::new();
        for new in derived {
            want_body(&mut wanted, new, ANY_WORDS.to_owned());
        }
        self.load(tx, wanted).await?;
        let named = derived.iter().map(|new| new.node.id.as_str().into()).collect();
        self.load_names(tx, &named).await
    }

    /// Looks for nodes that are to go, with all that their bodies say.
    pub(in crate::neo4j::graph) async fn load_leaving(&mut self, tx: &mut Tx<'_>, leaving: &[Id]) -> Outcome<()> {
        let words = Some(ANY_WORDS.to_owned());
        let wanted = leaving.iter().map(|id| (id.clone(), words.clone())).collect();
        self.load(tx, wanted).await?;
        let named = leaving.iter().cloned().collect();
        self.load_names(tx, &named).await
    }
}

fn want(wanted: &mut Wanted, id: &str) {
    if !wanted.contains_key(id) {
        wanted.insert(id.into(), None);
    }
}

fn want_ends(wanted: &mut Wanted, edge: &AssertedEdge) {
    want(wanted, edge.source.id.as_str());
    want(wanted, edge.target.id.as_str());
}

/// Its node, with its words unless they are `said`; and the ends of its edges.
fn want_body(wanted: &mut Wanted, new: &Prepared, said: String) {
    match wanted.entry(new.node.id.as_str().into()) {
        Entry::Vacant(entry) => {
            entry.insert(Some(said));
        }
        Entry::Occupied(mut entry) => match entry.get() {
            Some(other) if *other != said => {
                entry.insert(Some(ANY_WORDS.to_owned()));
            }
            Some(_) => {}
            None => {
                entry.insert(Some(said));
            }
        },
    }
    for edge in &new.edges {
        want_ends(wanted, edge);
    }
}
