//! All templates before they are printed, and what both printers ask of them.

use std::collections::{BTreeMap, BTreeSet};

use crate::template::ids::{Code, Scope};
use crate::template::item::Item;
use crate::template::plan::{Module, Place, Plan, Root};
use crate::template::value::{Attr, Param};

/// All templates.
#[derive(Debug)]
pub(crate) struct Program {
    /// The resources.
    pub(crate) items: Vec<Item>,
    /// Parameters by key.
    pub(crate) params: BTreeMap<String, Param>,
    /// Their names by key.
    pub(crate) names: BTreeMap<String, String>,
    /// The templates.
    pub(crate) plan: Plan,
}

/// One template of the program.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Template<'a> {
    /// All of them.
    pub(crate) program: &'a Program,
    /// Which.
    pub(crate) place: Place,
    /// Into what it is deployed.
    pub(crate) scope: &'a Scope,
    /// Its resources, in order.
    pub(crate) items: &'a [usize],
    /// Keys of its parameters.
    pub(crate) params: &'a BTreeSet<String>,
}

/// Something that a resource or a module waits for in its own template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wait {
    /// A resource, by its place in the list of items.
    Item(usize),
    /// A module, by its place in the root.
    Module(usize),
}

impl Program {
    /// A root by its place.
    pub(crate) fn root<'a>(&'a self, at: usize, root: &'a Root) -> Template<'a> {
        Template {
            program: self,
            place: Place { root: at, module: None },
            scope: &root.scope,
            items: &root.items,
            params: &root.params,
        }
    }

    /// A module of a root.
    pub(crate) fn module<'a>(&'a self, root: usize, at: usize, module: &'a Module) -> Template<'a> {
        Template {
            program: self,
            place: Place { root, module: Some(at) },
            scope: &module.scope,
            items: &module.items,
            params: &module.params,
        }
    }

    /// Where an item stands.
    pub(crate) fn place(&self, item: usize) -> Place {
        self.plan.place.get(item).copied().unwrap_or(Place::NOWHERE)
    }

    /// The name of a parameter.
    pub(crate) fn param_name(&self, key: &str) -> &str {
        self.names.get(key).map_or("", String::as_str)
    }

    /// What a module waits for in its root.
    pub(crate) fn module_waits(&self, root: usize, at: usize, module: &Module) -> BTreeSet<Wait> {
        let items = module.items.iter().filter_map(|item| self.items.get(*item));
        let needs = items.flat_map(Item::needs).map(|need| (need, self.place(need)));
        let needs = needs.filter(|(_, place)| place.root == root && place.module != Some(at));
        let group = group_item(self, root, module);
        needs
            .map(|(need, place)| place.module.map_or(Wait::Item(need), Wait::Module))
            .chain(group.map(Wait::Item))
            .collect()
    }
}

impl<'a> Template<'a> {
    /// Its resources, each with its place in the list of items.
    pub(crate) fn items(&self) -> impl Iterator<Item = (usize, &'a Item)> + use<'a> {
        let items = &self.program.items;
        self.items.iter().filter_map(|at| Some((*at, items.get(*at)?)))
    }

    /// What an item waits for in this template.
    pub(crate) fn waits(&self, item: &Item) -> BTreeSet<Wait> {
        let own = self.place;
        let needs = item.needs().map(|need| (need, self.program.place(need)));
        let needs = needs.filter(|(_, place)| place.root == own.root);
        needs
            .filter_map(|(need, place)| match (own.module, place.module) {
                (None, Some(module)) => Some(Wait::Module(module)),
                (own, place) => (own == place).then_some(Wait::Item(need)),
            })
            .collect()
    }

    /// Its parameters, sorted by name.
    pub(crate) fn params(&self) -> Vec<(&'a str, &'a Param)> {
        let program = self.program;
        let params = self.params.iter();
        let mut params: Vec<_> = params
            .filter_map(|key| Some((program.param_name(key), program.params.get(key)?)))
            .collect();
        params.sort_by_key(|(name, _)| *name);
        params
    }
}

/// The id of a module's deployment, as its root computes it.
pub(crate) fn deployment(module: &Module) -> Code {
    let group = match &module.scope {
        Scope::Group(_, group) => group.clone(),
        Scope::Tenant | Scope::ManagementGroup(_) | Scope::Subscription(_) => String::new(),
    };
    let subscription = Code::Call("subscription", Vec::new());
    Code::Call(
        "resourceId",
        vec![
            Code::Member(Box::new(subscription), "subscriptionId"),
            Code::Text(group),
            Code::Text("Microsoft.Resources/deployments".to_owned()),
            Code::Text(module.name.clone()),
        ],
    )
}

/// The members that lead from a resource to one of its attributes.
pub(crate) fn attr_path(attr: Attr) -> &'static [&'static str] {
    match attr {
        Attr::Principal => &["properties", "principalId"],
        Attr::Client => &["properties", "clientId"],
        Attr::OwnIdentity => &["identity", "principalId"],
    }
}

/// The name of the resource group that a module is deployed into: as the group spells it, else as its
/// resources do.
pub(crate) fn group_name<'a>(program: &'a Program, module: &Module) -> &'a str {
    let first = module.items.first().and_then(|at| program.items.get(*at));
    let group = first.and_then(|item| program.items.get(item.group?));
    group.map_or_else(
        || first.and_then(|item| item.id.resource_group()).unwrap_or_default(),
        Item::name,
    )
}

/// The resource group's own item in the same root, if it is there.
pub(crate) fn group_item(program: &Program, root: usize, module: &Module) -> Option<usize> {
    let first = module.items.first().and_then(|at| program.items.get(*at))?;
    first.group.filter(|group| program.place(*group).root == root)
}
