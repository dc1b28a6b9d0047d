//! Joining look-ups with aliases, in the transaction in which the second of them arrives.
//!
//! An alias answers when exactly one node publishes it. What changes in a transaction is judged once, at its
//! end, so the outcome does not depend on the order within it either.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::edges::Said;
use super::names::Asked;
use super::nodes::Wanted;
use super::{Edit, Id};
use crate::neo4j::driver::{Outcome, Tx};

/// The publishers of aliases.
type Publishers = HashMap<Id, BTreeSet<Id>>;

impl Edit<'_> {
    /// Answers what can be answered now, and takes back what no longer holds.
    pub(super) async fn answer_lookups(&mut self, tx: &mut Tx<'_>) -> Outcome<()> {
        let touched = self.names.touched();
        let fresh = std::mem::take(&mut self.names.fresh);
        let asked = fresh.iter().filter_map(|key| self.names.asked.get(key));
        let mut aliases: HashSet<Id> = asked.map(|asked| asked.alias.clone()).collect();
        aliases.extend(touched.iter().cloned());
        if aliases.is_empty() {
            return Ok(());
        }
        let publishers = self.publishers(tx, &aliases).await?;
        self.load_askers(tx, &touched).await?;
        let answered = self.answered(&touched, &fresh, &publishers);
        self.load_around(tx, &answered, &publishers).await?;
        for Asked { key, alias, .. } in answered {
            self.answer(&key, publisher(&publishers, &alias))?;
        }
        Ok(())
    }

    /// The look-ups whose answer becomes another: those of each touched alias, then the new ones.
    fn answered(&self, touched: &BTreeSet<Id>, fresh: &[String], publishers: &Publishers) -> Vec<Asked> {
        let mut of_touched: Vec<&Asked> = self.names.asked.values().collect();
        of_touched.retain(|asked| touched.contains(&asked.alias));
        of_touched.sort_by_key(|asked| &asked.alias);
        let new = fresh.iter().filter_map(|key| self.names.asked.get(key));
        let new = new.filter(|asked| !touched.contains(&asked.alias));
        let others = of_touched.into_iter().chain(new);
        let others = others.filter(|asked| asked.found.as_ref() != publisher(publishers, &asked.alias));
        others.cloned().collect()
    }

    /// Reads what answering needs: the ends of the edges, and what else the same bodies ask.
    async fn load_around(&mut self, tx: &mut Tx<'_>, answered: &[Asked], publishers: &Publishers) -> Outcome<()> {
        let mut ends = Wanted::new();
        for asked in answered {
            let anchor = asked.anchor.as_ref().map(|anchor| Id::from(anchor.id.as_str()));
            let found = publisher(publishers, &asked.alias).cloned();
            let ids = anchor.into_iter().chain(found).chain([asked.by.clone()]);
            ends.extend(ids.map(|id| (id, None)));
        }
        self.load(tx, ends).await?;
        let changed = answered.iter().filter(|asked| asked.found.is_some());
        let bodies = changed.map(|asked| asked.by.clone()).collect();
        self.load_lookups_of(tx, &bodies).await
    }

    fn answer(&mut self, key: &str, found: Option<&Id>) -> Outcome<()> {
        let Some(asked) = self.names.asked.get_mut(key) else {
            return Ok(());
        };
        let before = std::mem::replace(&mut asked.found, found.cloned());
        let asked = asked.clone();
        if let Some(before) = before
            && !self.is_said_otherwise(&asked, &before)
        {
            self.retract(asked.edge_to(&before), asked.assertion());
        }
        if let Some(found) = found {
            if let Some(anchor) = &asked.anchor {
                self.nodes.end(anchor)?;
            }
            let said = Said {
                props: asked.props.clone(),
                ..Said::default()
            };
            self.assert(asked.edge_to(found), asked.assertion(), said);
        }
        Ok(())
    }

    /// Whether another look-up of the same body and path rests on the same edge.
    fn is_said_otherwise(&self, asked: &Asked, found: &Id) -> bool {
        let others = self.names.asked_by(&asked.by);
        others
            .filter(|other| other.key != asked.key)
            .any(|other| other.found.as_ref() == Some(found) && other.is_like(asked))
    }
}

/// The one node that publishes an alias; `None` when there is none, or more than one.
fn publisher<'a>(publishers: &'a Publishers, alias: &Id) -> Option<&'a Id> {
    let of = publishers.get(alias)?;
    if of.len() == 1 { of.first() } else { None }
}
