//! Which template each resource stands in: one for each resource group, deployed by one for each subscription,
//! and split so that no template is larger than ARM takes and none waits for one that waits for it.

use std::collections::{BTreeMap, BTreeSet};

use crate::names;
use crate::select::Context;
use crate::template::graph::{self, Edges};
use crate::template::ids::Scope;
use crate::template::item::Item;
use crate::template::limits::{
    DEPLOYMENT_NAME_MAX_CHARS, FRAME_BYTES, PARAMETER_BYTES, PARAMETERS_MAX, RESOURCE_MAX_BYTES, RESOURCES_MAX,
    TEMPLATE_MAX_BYTES,
};
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

/// What a template holds so far.
#[derive(Debug, Default)]
struct Load {
    bytes: usize,
    resources: usize,
    params: BTreeSet<String>,
}

struct Packer<'a> {
    items: &'a [Item],
    size: &'a [usize],
    params: &'a BTreeMap<String, Param>,
    roots: Vec<Root>,
}

impl Packer<'_> {
    /// The items of one root scope that can be deployed together.
    fn part(&mut self, part: &[usize], edges: &Edges) {
        let number: BTreeMap<usize, usize> = part.iter().enumerate().map(|(at, item)| (*item, at)).collect();
        let inner: Edges = part
            .iter()
            .map(|item| {
                let before = edges.get(*item).into_iter().flatten();
                before.filter_map(|before| number.get(before).copied()).collect()
            })
            .collect();
        let mut classes: BTreeMap<String, usize> = BTreeMap::new();
        let class: Vec<usize> = part
            .iter()
            .map(|at| {
                let key = match self.items.get(*at) {
                    Some(item) if matches!(item.scope, Scope::Group(..)) => item.scope.key(),
                    Some(_) | None => format!("#{at}"),
                };
                let next = classes.len();
                *classes.entry(key).or_insert(next)
            })
            .collect();
        let Some(scope) = part
            .first()
            .and_then(|at| self.items.get(*at))
            .map(|item| item.scope.root())
        else {
            return;
        };
        let mut load = Load::default();
        let mut open = Root::new(scope.clone());
        for group in graph::groups(&inner, &class) {
            let group: Vec<usize> = group.iter().filter_map(|at| part.get(*at).copied()).collect();
            for piece in self.pieces(&group) {
                let mut own = self.load(&piece);
                let whole = self.is_module(&piece);
                if whole {
                    own.resources = 1;
                    // Each module declares its parameters, and is given them.
                    own.bytes += FRAME_BYTES + own.param_bytes(self.params);
                }
                if !load.takes(&own, self.params, TEMPLATE_MAX_BYTES) {
                    let full = std::mem::replace(&mut open, Root::new(scope.clone()));
                    self.close(full, std::mem::take(&mut load));
                }
                load.add(own);
                if whole {
                    open.add_module(piece, self.items);
                } else {
                    open.items.extend(piece);
                }
            }
        }
        self.close(open, load);
    }

    fn close(&mut self, mut root: Root, load: Load) {
        root.params = load.params;
        if !root.items.is_empty() || !root.modules.is_empty() {
            self.roots.push(root);
        }
    }

    fn is_module(&self, piece: &[usize]) -> bool {
        let first = piece.first().and_then(|at| self.items.get(*at));
        first.is_some_and(|item| matches!(item.scope, Scope::Group(..)))
    }

    fn load(&self, items: &[usize]) -> Load {
        let mut load = Load::default();
        for at in items {
            load.bytes += self.size.get(*at).copied().unwrap_or_default();
            load.resources += 1;
            load.params.extend(
                self.items
                    .get(*at)
                    .into_iter()
                    .flat_map(|item| item.params.iter().cloned()),
            );
        }
        load
    }

    /// Cuts a group's items so that each piece is a template within the limits.
    fn pieces(&self, group: &[usize]) -> Vec<Vec<usize>> {
        let mut pieces = Vec::new();
        let mut load = Load::default();
        let mut open = Vec::new();
        for at in group {
            let own = self.load(std::slice::from_ref(at));
            if !load.takes(&own, self.params, RESOURCE_MAX_BYTES - FRAME_BYTES) {
                pieces.push(std::mem::take(&mut open));
                load = Load::default();
            }
            load.add(own);
            open.push(*at);
        }
        pieces.push(open);
        pieces
    }
}

impl Load {
    /// Whether `more` has room beside this. An empty template takes anything.
    fn takes(&self, more: &Self, params: &BTreeMap<String, Param>, max_bytes: usize) -> bool {
        let new = more.params.difference(&self.params).count();
        self.resources == 0
            || (self.resources + more.resources <= RESOURCES_MAX
                && self.params.len() + new <= PARAMETERS_MAX
                && self.bytes + more.bytes + self.param_bytes(params) + more.param_bytes(params) + FRAME_BYTES
                    <= max_bytes)
    }

    fn param_bytes(&self, params: &BTreeMap<String, Param>) -> usize {
        let params = self.params.iter().filter_map(|key| params.get(key));
        params.map(|param| PARAMETER_BYTES + param.texts_bytes()).sum()
    }

    fn add(&mut self, more: Self) {
        self.bytes += more.bytes;
        self.resources += more.resources;
        self.params.extend(more.params);
    }
}

impl Root {
    fn new(scope: Scope) -> Self {
        Self {
            stem: String::new(),
            scope,
            items: Vec::new(),
            modules: Vec::new(),
            params: BTreeSet::new(),
        }
    }

    fn add_module(&mut self, piece: Vec<usize>, items: &[Item]) {
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
