//! One walk over a body that meets every row of the catalogue and every id that no row claims.

use atg_models::ArmId;
use atg_models::graph::{Alias, AssertedEdge, EdgeEnd, EndDirection, Lookup, Relation};
use serde_json::{Map, Value};

use crate::relations::catalogue::{Catalogue, Row};
use crate::relations::derive::{Derived, Subject};
use crate::relations::path::member;
use crate::relations::resolve::{Found, anchor, resolve, rolled};
use crate::relations::trie::{Place, Trie};
use crate::relations::{ends, facts, reference};

/// One step of the way to a value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum At<'v> {
    /// Into a member.
    Name(&'v str),
    /// Into an item.
    Item(usize),
}

/// The object or list that holds the value at `at`.
pub(crate) fn around<'v>(root: &'v Value, at: &[At<'_>]) -> Option<&'v Value> {
    let (_, above) = at.split_last()?;
    above.iter().try_fold(root, |value, step| match step {
        At::Name(name) => member(value, name),
        At::Item(item) => value.as_array()?.get(*item),
    })
}

/// Walks the subject's body and adds what it says to `out`.
pub(crate) fn walk<'v>(catalogue: &'v Catalogue, subject: &'v Subject<'v>, out: &mut Derived) {
    let mut tries: Vec<(&Trie, Place)> = vec![(catalogue.any(), Trie::ROOT)];
    for type_ in &subject.types {
        tries.extend(catalogue.of_type(type_).map(|trie| (trie, Trie::ROOT)));
    }
    let mut walk = Walk {
        catalogue,
        subject,
        at: Vec::new(),
        states: tries,
        out,
    };
    let all = walk.states.len();
    walk.visit(subject.body, 0, all);
}

struct Walk<'v, 'o> {
    catalogue: &'v Catalogue,
    subject: &'v Subject<'v>,
    at: Vec<At<'v>>,
    /// Places in tries that are alive, a run of them for each level.
    states: Vec<(&'v Trie, Place)>,
    out: &'o mut Derived,
}

impl<'v> Walk<'v, '_> {
    fn visit(&mut self, value: &'v Value, from: usize, to: usize) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    // The root's own id names what it stands on; it is not a reference.
                    if self.at.is_empty() && name.eq_ignore_ascii_case("id") {
                        self.own_id(from, to);
                        continue;
                    }
                    self.step(At::Name(name), value, from, to);
                }
            }
            Value::Array(items) => {
                for (item, value) in items.iter().enumerate() {
                    self.step(At::Item(item), value, from, to);
                }
            }
            Value::String(text) => self.meet(text, from, to, false),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn step(&mut self, step: At<'v>, value: &'v Value, from: usize, to: usize) {
        let next = self.states.len();
        for state in from..to {
            let Some(&(trie, place)) = self.states.get(state) else {
                continue;
            };
            let states = &mut self.states;
            match step {
                At::Name(name) => trie.member(place, name, |place| states.push((trie, place))),
                At::Item(item) => trie.item(place, item, |place| states.push((trie, place))),
            }
        }
        let end = self.states.len();
        self.at.push(step);
        if let At::Name(name) = step {
            self.meet(name, next, end, true);
        }
        self.visit(value, next, end);
        self.at.pop();
        self.states.truncate(next);
    }

    /// Rows that read the root's id mean what holds it: the scope of a lock, the vault of a key.
    fn own_id(&mut self, from: usize, to: usize) {
        let holder = self.subject.arm.as_ref().and_then(ArmId::parent);
        let states = self.states.get(from..to).unwrap_or_default().to_vec();
        let mut rows = Vec::new();
        for (trie, place) in states {
            trie.member(place, "id", |place| rows.extend_from_slice(trie.rows(place)));
        }
        for row in rows.into_iter().filter_map(|row| self.catalogue.rows.get(row)) {
            let (end, more) = match &holder {
                Some(holder) => rolled(holder),
                None => (ends::tenant_end(self.subject.tenant), Map::new()),
            };
            self.state(row, Ok(end), more);
        }
    }

    /// Meets a value, or a member's name.
    fn meet(&mut self, text: &'v str, from: usize, to: usize, is_name: bool) {
        let mut claimed: Vec<&'v Row> = Vec::new();
        for &(trie, place) in self.states.get(from..to).unwrap_or_default() {
            let rows = if is_name {
                trie.name_rows(place)
            } else {
                trie.rows(place)
            };
            claimed.extend(rows.iter().filter_map(|row| self.catalogue.rows.get(*row)));
        }
        if claimed.is_empty() {
            self.unclaimed(text, is_name);
            return;
        }
        // A row for this type beats one for all types.
        let all = !claimed.iter().any(|row| row.is_particular());
        for row in claimed {
            if all || row.is_particular() {
                self.claim(row, text);
            }
        }
    }

    fn claim(&mut self, row: &'v Row, text: &str) {
        match resolve(row, text, self.subject, &self.at) {
            Found::End(end, more) => self.state(row, Ok(end), more),
            Found::Alias(alias, more) => self.state(row, Err(alias), more),
            Found::Nothing => {}
        }
    }

    /// Adds what `row` says of the thing found, or of whatever publishes the alias found.
    fn state(&mut self, row: &'v Row, found: Result<EdgeEnd, Alias>, more: Map<String, Value>) {
        let Some(anchor) = anchor(row, self.subject, &self.at) else {
            return;
        };
        let mut properties = facts::facts(row, self.subject, &self.at);
        properties.extend(more);
        let qualifier = if facts::is_qualified(row.relation) {
            self.subject.end.id.to_string()
        } else {
            String::new()
        };
        let path = row.path.text.clone();
        self.out.fired(row);
        match found {
            Ok(end) => {
                let relation = relation_of(row, &end);
                let (source, target) = if row.from_found { (end, anchor) } else { (anchor, end) };
                self.out.edge(AssertedEdge {
                    source,
                    relation,
                    target,
                    qualifier,
                    path,
                    properties,
                });
            }
            Err(alias) => self.out.lookups.push(Lookup {
                alias,
                anchor,
                relation: row.relation,
                direction: if row.from_found {
                    EndDirection::FromFound
                } else {
                    EndDirection::ToFound
                },
                qualifier,
                path,
                properties,
            }),
        }
    }

    fn unclaimed(&mut self, text: &str, is_name: bool) {
        let Some(id) = reference::arm_id(text) else { return };
        let (end, properties) = rolled(&id);
        let own = self.subject.end.id.as_str();
        let above = own
            .strip_prefix(end.id.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if above {
            return;
        }
        let path = self.path_text(is_name);
        self.out.edge(AssertedEdge {
            source: self.subject.end.clone(),
            relation: Relation::References,
            target: end,
            qualifier: path.clone(),
            path,
            properties: Map::from_iter(properties),
        });
    }

    /// The way here: items as `[*]`, names that are ids as `*` (their case must not matter).
    fn path_text(&self, of_name: bool) -> String {
        let mut text = String::new();
        for step in &self.at {
            match step {
                At::Item(_) => text.push_str("[*]"),
                At::Name(name) => {
                    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '$' | '@');
                    let name = if reference::arm_id(name).is_some() { "*" } else { name };
                    if name != "*" && !name.chars().all(plain) {
                        text.push_str("['");
                        text.push_str(name);
                        text.push_str("']");
                        continue;
                    }
                    if !text.is_empty() {
                        text.push('.');
                    }
                    text.push_str(name);
                }
            }
        }
        if of_name {
            text.push('~');
        }
        text
    }
}

/// Back references to `ipConfigurations` do not say what sort of thing is connected; its type does.
fn relation_of(row: &Row, end: &EdgeEnd) -> Relation {
    let back =
        row.from_found && row.relation == Relation::ConnectedTo && row.path.text.ends_with("ipConfigurations[*].id");
    let is_card = end
        .type_
        .as_ref()
        .is_some_and(|type_| type_.as_str().ends_with("/networkinterfaces"));
    if back && !is_card {
        Relation::UsesSubnet
    } else {
        row.relation
    }
}
