//! Taking in one observation.
//!
//! Of several observations of one node in one generation one wins, whatever their order (`graph_rules::wins`).
//! An earlier generation never wins. The winner counts whole: the loser's edges and aliases are not stored.

use std::sync::Arc;

use super::nodes::{Content, Standing, State};
use super::{Edit, Id};
use crate::graph_rules::{self, Prepared, hex, source_number};
use crate::neo4j::driver::Outcome;

/// What storing an observation came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::neo4j::graph) enum Stored {
    /// Its content is new.
    Written,
    /// Its content was there already.
    Unchanged,
    /// Another observation of this generation is preferred.
    Passed,
}

impl<'p> Edit<'p> {
    /// Takes in an observation and replaces what its body said before.
    pub(in crate::neo4j::graph) fn observe(&mut self, new: &'p Prepared) -> Outcome<Stored> {
        let id = self.nodes.id(new.node.id.as_str());
        let generation = self.held.generation;
        let node = self.nodes.get(&id)?;
        let before = std::mem::take(&mut node.content);
        let content = Content {
            generation,
            source: source_number(new.node.source),
            hash: hex(&new.hash),
            said: hex(&new.said),
        };
        let is_live = node.now.state == State::Observed;
        if is_live && before.generation == generation && !wins(&content, &before) {
            node.content = before;
            return Ok(Stored::Passed);
        }
        node.content = content.clone();
        node.seen_by = Some(new);
        if is_live && before.hash == content.hash {
            if before.said != content.said {
                self.say(&id, new, true)?;
            }
            return Ok(Stored::Unchanged);
        }
        node.content_of = Some(new);
        node.now = Standing {
            state: State::Observed,
            kind: new.node.kind,
        };
        self.note_change(&id, is_live.then_some(before.hash), Some(content.hash));
        if !is_live || before.said != content.said {
            self.say(&id, new, is_live)?;
        }
        Ok(Stored::Written)
    }

    /// Replaces what the body of an observed node says. Whether it is observed.
    pub(in crate::neo4j::graph) fn derive(&mut self, new: &'p Prepared) -> Outcome<bool> {
        let id = self.nodes.id(new.node.id.as_str());
        let node = self.nodes.get(&id)?;
        if node.now.state != State::Observed {
            return Ok(false);
        }
        node.content.said = hex(&new.said);
        self.say(&id, new, true)?;
        Ok(true)
    }

    /// Takes a node out that was not seen. Whether it is a stub or gone is seen once all of this change has
    /// gone.
    pub(in crate::neo4j::graph) fn remove(&mut self, id: &Id) -> Outcome<()> {
        let node = self.nodes.get(id)?;
        let hash = std::mem::take(&mut node.content.hash);
        node.now.state = State::Stub;
        node.is_swept = true;
        self.note_change(id, Some(hash), None);
        self.unsay(id)?;
        self.orphans.insert(Arc::clone(id));
        Ok(())
    }
}

fn wins(new: &Content, held: &Content) -> bool {
    graph_rules::wins(standing(new), standing(held))
}

/// Hex stands in the order of its bytes.
fn standing(content: &Content) -> graph_rules::Standing<'_> {
    graph_rules::Standing {
        source: content.source,
        hash: content.hash.as_bytes(),
        said: content.said.as_bytes(),
    }
}
