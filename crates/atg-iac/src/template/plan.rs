//! Which template each resource stands in: one for each resource group, deployed by one for each subscription,
//! and split so that no template is larger than ARM takes and none waits for one that waits for it.

use std::collections::{BTreeMap, BTreeSet};

use crate::names;
use crate::select::Context;
use crate::template::graph::{self, Edges};
use crate::template::ids::Scope;
use crate::template::item::Item;
use crate::template::limits::DEPLOYMENT_NAME_MAX_CHARS;
use crate::template::pack::Packer;
use crate::template::value::Param;

/// What may stand behind a name: two short hashes and a number.
const HASHES_AND_NUMBER_CHARS: usize = 24;

/// All templates, in the order in which they are deployed.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Those that a user deploys.
    pub(crate) roots: Vec<Root>,
    /// For each item, its template.
    pub(crate) place: Vec<Place>,
}

/// A template that a user deploys.
#[derive(Debug)]
pub(crate) struct Root {
    /// Its file without the ending.
    pub(crate) stem: String,
    /// Into what.
    pub(crate) scope: Scope,
    /// Its own resources, in order.
    pub(crate) items: Vec<usize>,
    /// The templates that it deploys, in order.
    pub(crate) modules: Vec<Module>,
    /// Keys of the parameters of it and of its modules.
    pub(crate) params: BTreeSet<String>,
}

/// A template for a resource group.
#[derive(Debug)]
pub(crate) struct Module {
    /// Of its deployment and its file.
    pub(crate) name: String,
    /// Into what.
    pub(crate) scope: Scope,
    /// Its resources, in order.
    pub(crate) items: Vec<usize>,
    /// Keys of its parameters.
    pub(crate) params: BTreeSet<String>,
}

/// Where an item stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// The root, by its place.
    pub(crate) root: usize,
    /// The module of it, none for the root itself.
    pub(crate) module: Option<usize>,
}

impl Place {
    /// In no template.
    pub(crate) const NOWHERE: Self = Self {
        root: usize::MAX,
        module: None,
    };
}

/// Puts every item but those that are `gone` into a template. `size` has the bytes of each item as it is written.
pub(crate) fn plan(
    items: &[Item],
    edges: &Edges,
    (size, gone): (&[usize], &BTreeSet<usize>),
    params: &BTreeMap<String, Param>,
    context: &Context,
) -> Plan {
    let scopes: BTreeSet<Scope> = items.iter().map(|item| item.scope.root()).collect();
    let scopes: Vec<Scope> = scopes.into_iter().collect();
    let class: Vec<usize> = items
        .iter()
        .map(|item| {
            scopes
                .iter()
                .position(|scope| *scope == item.scope.root())
                .unwrap_or_default()
        })
        .collect();
    let mut packer = Packer {
        items,
        size,
        params,
        roots: Vec::new(),
    };
    for mut part in graph::groups(edges, &class) {
        part.retain(|at| !gone.contains(at));
        packer.part(&part, edges);
    }
    let mut plan = Plan {
        roots: packer.roots,
        place: vec![Place::NOWHERE; items.len()],
    };
    name_roots(&mut plan.roots, context);
    name_modules(&mut plan.roots, items);
    for (at, root) in plan.roots.iter().enumerate() {
        let own = root.items.iter().map(|item| (*item, None));
        let below = root.modules.iter().enumerate();
        let below = below.flat_map(|(number, module)| module.items.iter().map(move |item| (*item, Some(number))));
        for (item, module) in own.chain(below) {
            if let Some(place) = plan.place.get_mut(item) {
                *place = Place { root: at, module };
            }
        }
    }
    plan
}

impl Root {
    /// An empty one.
    pub(super) fn new(scope: Scope) -> Self {
        Self {
            stem: String::new(),
            scope,
            items: Vec::new(),
            modules: Vec::new(),
            params: BTreeSet::new(),
        }
    }

    /// Adds a template of these items.
    pub(super) fn add_module(&mut self, piece: Vec<usize>, items: &[Item]) {
        let Some(scope) = piece
            .first()
            .and_then(|at| items.get(*at))
            .map(|item| item.scope.clone())
        else {
            return;
        };
        let params = piece
            .iter()
            .filter_map(|at| items.get(*at))
            .flat_map(|item| item.params.iter().cloned());
        self.modules.push(Module {
            name: String::new(),
            scope,
            params: params.collect(),
            items: piece,
        });
    }
}

/// `main` for the first subscription, `main-NAME` for others, `mg-NAME`, `tenant`; the second of a scope
/// has a number behind it.
fn name_roots(roots: &mut [Root], context: &Context) {
    let subscriptions: BTreeSet<&Scope> = roots
        .iter()
        .map(|root| &root.scope)
        .filter(|scope| matches!(scope, Scope::Subscription(_)))
        .collect();
    let first = subscriptions.into_iter().next().cloned();
    let wanted = roots.iter().map(|root| {
        let name = match &root.scope {
            Scope::Tenant => "tenant".to_owned(),
            Scope::ManagementGroup(name) => format!("mg-{}", names::file_name(name)),
            scope @ (Scope::Subscription(id) | Scope::Group(id, _)) => {
                if first.as_ref() == Some(scope) {
                    "main".to_owned()
                } else {
                    format!("main-{}", names::file_name(context.subscriptions.get(id).unwrap_or(id)))
                }
            }
        };
        (root.scope.key(), name)
    });
    let names = names::unique(&wanted.collect());
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for root in roots {
        let key = root.scope.key();
        let name = names.get(&key).cloned().unwrap_or_default();
        root.stem = numbered(&name, &key, &mut seen);
    }
}

fn name_modules(roots: &mut [Root], items: &[Item]) {
    let mut wanted = BTreeMap::new();
    for module in roots.iter().flat_map(|root| &root.modules) {
        let first = module.items.first().and_then(|at| items.get(*at));
        let group = first.and_then(|item| item.id.resource_group()).unwrap_or_default();
        let mut name = format!("rg-{}", names::file_name(group));
        let room = DEPLOYMENT_NAME_MAX_CHARS - HASHES_AND_NUMBER_CHARS;
        if name.len() > room {
            name.truncate(room);
            name.push('-');
            name.push_str(&names::short_hash(group));
        }
        wanted.insert(module.scope.key(), name);
    }
    let names = names::unique(&wanted);
    let mut seen = BTreeMap::new();
    for module in roots.iter_mut().flat_map(|root| &mut root.modules) {
        let key = module.scope.key();
        let name = names.get(&key).cloned().unwrap_or_default();
        module.name = numbered(&name, &key, &mut seen);
    }
}

fn numbered(name: &str, key: &str, seen: &mut BTreeMap<String, usize>) -> String {
    let count = seen.entry(key.to_owned()).or_default();
    *count += 1;
    if *count == 1 {
        name.to_owned()
    } else {
        format!("{name}-{count:02}")
    }
}
