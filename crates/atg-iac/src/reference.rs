//! Replaces ids by references to what is emitted, and what is outside, secret or missing by variables.

use std::collections::{BTreeMap, BTreeSet};

use atg_models::ArmId;

use crate::IacError;
use crate::adapt::guids::{GUID_CHARS, holds_stand_in, is_guid, pieces};
use crate::names;
use crate::pipeline::Parts;
use crate::program::{Program, Variable, VariableKind};
use crate::select::{Context, Resource};
use crate::translate::Books;
use crate::value::{Block, Val};

/// What ids lead to.
struct Index<'a> {
    context: &'a Context,
    /// Canonical id of an emitted resource to its address and the attribute that gives its id.
    by_id: BTreeMap<String, (String, String)>,
    /// Canonical id of what stands in another's block, to that one's address and attribute.
    held: BTreeMap<String, (String, String)>,
    /// Object or client id of a managed identity to its address and attribute.
    identities: BTreeMap<String, (String, String)>,
}

impl<'a> Index<'a> {
    fn new(program: &Program, resources: &[Resource], parts: &Parts, context: &'a Context) -> Self {
        let mut index = Self {
            context,
            by_id: BTreeMap::new(),
            held: BTreeMap::new(),
            identities: BTreeMap::new(),
        };
        for item in program.items.iter().filter(|item| item.main) {
            let Some(resource) = resources.get(item.of) else {
                continue;
            };
            let address = item.address();
            index.add_identities(resource, &address, item.block.blocks.contains_key("identity"));
            let place = (address, item.id_attr.clone());
            index.by_id.insert(resource.key.clone(), place);
        }
        for (at, (holder, attr)) in parts {
            let (Some(part), Some(holder), Some(attr)) = (resources.get(*at), resources.get(*holder), attr) else {
                continue;
            };
            if let Some((address, _)) = index.by_id.get(&holder.key) {
                let place = (address.clone(), attr.clone());
                index.held.insert(part.key.clone(), place);
            }
        }
        index
    }

    fn add_identities(&mut self, resource: &Resource, address: &str, has_block: bool) {
        for (id, attr) in &resource.identities {
            // The attribute of a block exists only where the block is written.
            if has_block || !attr.starts_with("identity") {
                self.identities
                    .insert(id.clone(), (address.to_owned(), (*attr).to_owned()));
            }
        }
    }
}

/// Resolves everything in the program. The addresses that each item refers to end in its `uses`.
pub(crate) fn resolve(
    program: &mut Program,
    resources: &[Resource],
    parts: &Parts,
    context: &Context,
    books: &Books,
) -> Result<(), IacError> {
    let index = Index::new(program, resources, parts, context);
    let mut variables = BTreeMap::new();
    for item in &mut program.items {
        let mut resolver = Resolver {
            index: &index,
            variables: &mut variables,
            own_key: resources.get(item.of).map_or("", |resource| resource.key.as_str()),
            own_address: item.address(),
            label: item.label.clone(),
            uses: BTreeSet::new(),
        };
        if item.target == "azurerm_role_assignment" {
            resolver.built_in_role(&mut item.block);
        }
        resolver.block(&mut item.block, "");
        item.uses = resolver.uses;
    }
    for variable in variables.values_mut() {
        if let VariableKind::Outside(value) = &mut variable.kind
            && let Ok(id) = value.parse::<ArmId>()
        {
            *value = books.spelled(&id)?;
        }
    }
    let open = program
        .subscriptions
        .iter()
        .filter_map(|(id, _)| unmapped_variable(context, id));
    variables.extend(open);
    program.variables = variables;
    Ok(())
}

/// The variable for a stand-in, by its key.
pub(crate) fn unmapped_variable(context: &Context, stand_in: &str) -> Option<(String, Variable)> {
    let unmapped = context.unmapped.get(stand_in).filter(|_| is_guid(stand_in))?;
    let tail = stand_in.rsplit('-').next().unwrap_or_default();
    let words = if unmapped.words.is_empty() {
        tail
    } else {
        &unmapped.words
    };
    let variable = Variable {
        name: names::identifier(&format!("{} {words}", unmapped.sort)),
        description: format!("Id of the {} in the target: {words}", unmapped.sort),
        kind: VariableKind::Missing("string".to_owned()),
    };
    Some((unmapped_key(stand_in), variable))
}

/// The key of that variable.
pub(crate) fn unmapped_key(stand_in: &str) -> String {
    format!("unmapped:{stand_in}")
}

struct Resolver<'a> {
    index: &'a Index<'a>,
    variables: &'a mut BTreeMap<String, Variable>,
    own_key: &'a str,
    own_address: String,
    label: String,
    uses: BTreeSet<String>,
}

impl Resolver<'_> {
    fn block(&mut self, block: &mut Block, path: &str) {
        for (name, value) in &mut block.attrs {
            self.value(value, &format!("{path}{name}"));
        }
        for (name, inner) in &mut block.blocks {
            let several = inner.len() > 1;
            for (at, inner) in inner.iter_mut().enumerate() {
                let number = if several { format!("_{}", at + 1) } else { String::new() };
                self.block(inner, &format!("{path}{name}{number}."));
            }
        }
    }

    /// A role that Azure ships goes by its name, which is the same everywhere.
    fn built_in_role(&self, block: &mut Block) {
        let id = block.attrs.get("role_definition_id").and_then(Val::as_text);
        let key = id.and_then(|id| id.parse::<ArmId>().ok()).map(|id| id.node_id());
        let name = key.and_then(|key| self.index.context.built_in_roles.get(key.as_str()));
        if let Some(name) = name {
            block.attrs.remove("role_definition_id");
            block.attrs.insert("role_definition_name".to_owned(), Val::text(name));
        }
    }

    fn value(&mut self, value: &mut Val, path: &str) {
        match value {
            Val::Text(text) => {
                if let Some(resolved) = self.text(text, path) {
                    *value = resolved;
                }
            }
            Val::List(items) => {
                let several = items.len() > 1;
                for (at, item) in items.iter_mut().enumerate() {
                    let path = if several {
                        format!("{path}_{}", at + 1)
                    } else {
                        path.to_owned()
                    };
                    self.value(item, &path);
                }
            }
            Val::Map(members) => {
                for (name, member) in members {
                    self.value(member, &format!("{path}.{name}"));
                }
            }
            Val::Json(inner) => self.value(inner, path),
            Val::Of { id, attr, or } => {
                let target = id.parse::<ArmId>().ok().map(|id| id.node_id().as_str().to_owned());
                let address = target.and_then(|key| self.index.by_id.get(&key).cloned());
                let address = address.map(|(address, _)| address);
                *value = match address {
                    Some(address) if address != self.own_address || attr == "id" => {
                        self.refer(address, attr.clone(), "")
                    }
                    Some(_) | None => {
                        let mut or = or.as_ref().clone();
                        let open = or.as_text().is_some_and(holds_stand_in);
                        if matches!(or, Val::Text(_)) && attr != "id" && !open {
                            or
                        } else {
                            self.value(&mut or, path);
                            or
                        }
                    }
                };
            }
            Val::Secret => *value = self.own_variable(path, VariableKind::Secret),
            Val::Ask(type_) => *value = self.own_variable(path, VariableKind::Missing(type_.clone())),
            Val::Null | Val::Bool(_) | Val::Number(_) | Val::Ref { .. } | Val::Var(_) | Val::Template(_) => {}
        }
    }

    fn text(&mut self, text: &str, path: &str) -> Option<Val> {
        if holds_stand_in(text) {
            return Some(self.stand_in(text));
        }
        if text.starts_with('/') {
            return self.id(text);
        }
        if text.len() != GUID_CHARS || path.ends_with("name") {
            return None;
        }
        let lower = text.to_lowercase();
        if lower == self.index.context.tenant_id {
            return Some(self.outside("tenant_id", "tenant_id".to_owned(), "The tenant's id".to_owned(), text));
        }
        if let Some((address, attr)) = self.index.identities.get(&lower)
            && *address != self.own_address
        {
            let (address, attr) = (address.clone(), attr.clone());
            return Some(self.refer(address, attr, ""));
        }
        let words = self.index.context.principals.get(&lower)?;
        let name = format!("principal_{}", names::identifier(words));
        let description = format!("Object id of the {words}");
        Some(self.outside(&format!("principal:{lower}"), name, description, text))
    }

    /// Something that has no counterpart in the target: what the code itself creates, or a variable without a default.
    fn stand_in(&mut self, text: &str) -> Val {
        if text.starts_with('/')
            && let Some(resolved) = self.id(text)
        {
            return resolved;
        }
        let own = |address: &String| *address == self.own_address;
        if let Some((address, attr)) = self.index.identities.get(text).filter(|(address, _)| !own(address)) {
            let (address, attr) = (address.clone(), attr.clone());
            return self.refer(address, attr, "");
        }
        let mut parts: Vec<Val> = pieces(text).into_iter().map(|piece| self.piece(piece)).collect();
        match parts.pop() {
            Some(only) if parts.is_empty() => only,
            last => {
                parts.extend(last);
                Val::Template(parts)
            }
        }
    }

    fn piece(&mut self, piece: &str) -> Val {
        match unmapped_variable(self.index.context, piece) {
            Some((key, variable)) => {
                self.variables.entry(key.clone()).or_insert(variable);
                Val::Var(key)
            }
            None => Val::Text(piece.to_owned()),
        }
    }

    /// A whole ARM id: the resource itself, a part of one, or something outside.
    fn id(&mut self, text: &str) -> Option<Val> {
        let id: ArmId = text.parse().ok()?;
        let key = id.node_id();
        if key.as_str() == self.own_key {
            return None;
        }
        if let Some((address, attr)) = self.index.by_id.get(key.as_str()).cloned() {
            return Some(self.refer(address, attr, ""));
        }
        if let Some((address, attr)) = self.index.held.get(key.as_str())
            && *address != self.own_address
        {
            let (address, attr) = (address.clone(), attr.clone());
            return Some(self.refer(address, attr, ""));
        }
        for ancestor in id.ancestors() {
            if ancestor.node_id().as_str() == self.own_key {
                return None;
            }
            let is_resource = ancestor.as_str().to_lowercase().contains("/providers/");
            let place = self
                .index
                .by_id
                .get(ancestor.node_id().as_str())
                .filter(|_| is_resource);
            if let Some((address, attr)) = place.cloned() {
                let rest = id
                    .as_str()
                    .get(ancestor.as_str().len()..)
                    .unwrap_or_default()
                    .to_owned();
                return Some(self.refer(address, attr, &rest));
            }
        }
        let type_ = id.arm_type();
        let short = type_.as_str().rsplit('/').next().unwrap_or_default();
        let unmapped = self.index.context.unmapped.get(id.name());
        let shown = unmapped.map_or(id.name(), |unmapped| unmapped.words.as_str());
        let name = names::identifier(&format!("{short} {shown}"));
        let description = format!("Id of {shown} of type {type_}, which this code does not create");
        Some(self.outside(&format!("id:{}", key.as_str()), name, description, text))
    }

    fn refer(&mut self, address: String, attr: String, rest: &str) -> Val {
        self.uses.insert(address.clone());
        Val::Ref {
            address,
            attr,
            rest: rest.to_owned(),
        }
    }

    fn outside(&mut self, key: &str, name: String, description: String, value: &str) -> Val {
        let kind = if holds_stand_in(value) {
            VariableKind::Missing("string".to_owned())
        } else {
            VariableKind::Outside(value.to_owned())
        };
        self.variables.entry(key.to_owned()).or_insert_with(|| Variable {
            name,
            description,
            kind,
        });
        Val::Var(key.to_owned())
    }

    fn own_variable(&mut self, path: &str, kind: VariableKind) -> Val {
        let key = format!("own:{}.{path}", self.own_address);
        let what = match kind {
            VariableKind::Secret => "A secret that is never read",
            VariableKind::Missing(_) | VariableKind::Outside(_) => "Required, and not known",
        };
        let variable = Variable {
            name: names::identifier(&format!("{} {path}", self.label)),
            description: format!("{what}: {path} of {}", self.own_address),
            kind,
        };
        self.variables.insert(key.clone(), variable);
        Val::Var(key)
    }
}
