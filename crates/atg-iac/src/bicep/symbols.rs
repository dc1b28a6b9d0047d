//! The names that a Bicep file gives to resources, modules and what exists outside of it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use atg_models::ArmId;

use crate::names;
use crate::template::ids::{self, Scope};
use crate::template::item::Item;
use crate::template::plan::Module;
use crate::template::program::Template;

/// A resource that another template creates, or nobody here.
#[derive(Debug, Clone)]
pub(crate) struct Existing {
    /// Its id.
    pub(crate) id: ArmId,
    /// Its version.
    pub(crate) api_version: String,
}

/// The names of one file.
#[derive(Debug)]
pub(crate) struct Symbols<'a> {
    template: Template<'a>,
    /// Canonical id to item, for all items.
    by_key: &'a BTreeMap<&'a str, usize>,
    /// Version of a type that is not among the items.
    versions: &'a BTreeMap<String, String>,
    params: BTreeSet<&'a str>,
    names: BTreeMap<usize, String>,
    modules: Vec<String>,
    taken: RefCell<BTreeSet<String>>,
    existing: RefCell<BTreeMap<String, (String, Existing)>>,
    used: RefCell<BTreeSet<usize>>,
}

impl<'a> Symbols<'a> {
    /// For a template with these modules.
    pub(crate) fn new(
        template: Template<'a>,
        modules: &[Module],
        by_key: &'a BTreeMap<&'a str, usize>,
        versions: &'a BTreeMap<String, String>,
    ) -> Self {
        let params: BTreeSet<&str> = template.params().into_iter().map(|(name, _)| name).collect();
        let items = template
            .items()
            .map(|(_, item)| (item.key.clone(), wanted(&item.label())));
        let modules_wanted = modules
            .iter()
            .map(|module| (format!("module {}", module.name), wanted(&module.name)));
        let free = names::unique(&items.chain(modules_wanted).collect());
        let free = free.into_iter().map(|(key, name)| {
            let name = if params.contains(name.as_str()) {
                format!("{name}_{}", names::short_hash(&key))
            } else {
                name
            };
            (key, name)
        });
        let free: BTreeMap<String, String> = free.collect();
        let name = |key: &str| free.get(key).cloned().unwrap_or_default();
        Self {
            names: template.items().map(|(at, item)| (at, name(&item.key))).collect(),
            modules: modules
                .iter()
                .map(|module| name(&format!("module {}", module.name)))
                .collect(),
            taken: RefCell::new(free.values().cloned().collect()),
            template,
            by_key,
            versions,
            params,
            existing: RefCell::default(),
            used: RefCell::default(),
        }
    }

    /// The name of an item of this file.
    pub(crate) fn item(&self, at: usize) -> &str {
        self.names.get(&at).map_or("", String::as_str)
    }

    /// The name of a module of this file.
    pub(crate) fn module(&self, at: usize) -> &str {
        self.modules.get(at).map_or("", String::as_str)
    }

    /// The name of the resource with this id: an item of this file, or what exists outside of it.
    pub(crate) fn named(&self, id: &ArmId, asked_by: &Item) -> String {
        let key = id.node_id();
        if let Some(at) = self.by_key.get(key.as_str())
            && self.template.program.place(*at) == self.template.place
        {
            self.used.borrow_mut().insert(*at);
            return self.item(*at).to_owned();
        }
        if let Some((name, _)) = self.existing.borrow().get(key.as_str()) {
            return name.clone();
        }
        let (type_, names) = ids::type_and_names(id);
        let short = type_.rsplit('/').next().unwrap_or_default();
        let mut name = wanted(&format!("{short} {}", names.join(" ")));
        if self.params.contains(name.as_str()) || self.taken.borrow().contains(&name) {
            name = format!("{name}_{}", names::short_hash(key.as_str()));
        }
        self.taken.borrow_mut().insert(name.clone());
        let known = self
            .by_key
            .get(key.as_str())
            .and_then(|at| self.template.program.items.get(*at));
        let version = known.map(|item| &item.api_version);
        let version = version.or_else(|| self.versions.get(&type_.to_lowercase()));
        let api_version = version.unwrap_or(&asked_by.api_version).clone();
        let existing = Existing {
            id: id.clone(),
            api_version,
        };
        self.existing
            .borrow_mut()
            .insert(key.as_str().to_owned(), (name.clone(), existing));
        if let Some(scope) = id
            .scope()
            .filter(|_| id.is_extension())
            .filter(|on| !Scope::of(id).is(on))
        {
            // It is declared too, because the declaration of this one names it.
            self.named(&scope, asked_by);
        }
        name
    }

    /// The items that were named since the last call.
    pub(crate) fn take_used(&self) -> BTreeSet<usize> {
        std::mem::take(&mut self.used.borrow_mut())
    }

    /// What exists outside and was named, sorted by name.
    pub(crate) fn existing(&self) -> Vec<(String, Existing)> {
        let mut all: Vec<_> = self.existing.borrow().values().cloned().collect();
        all.sort_by(|(one, _), (two, _)| one.cmp(two));
        all
    }
}

/// A name that is no word of the language: those have no underscore.
fn wanted(text: &str) -> String {
    let name = names::identifier(text);
    if name.contains('_') { name } else { format!("r_{name}") }
}
