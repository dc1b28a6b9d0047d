//! The whole code before it is printed: items with labels and files, variables, subscriptions.

use std::collections::{BTreeMap, BTreeSet};

use crate::names;
use crate::select::{Context, Resource};
use crate::translate::Unit;
use crate::translate::place::Notes;
use crate::value::{Block, Val};

/// A resource block.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// The resource it comes from, by its place in the list.
    pub(crate) of: usize,
    /// `azurerm_subnet`
    pub(crate) target: String,
    /// Its label.
    pub(crate) label: String,
    /// Whether it is the resource itself, not an association of it.
    pub(crate) main: bool,
    /// The attribute that gives the ARM id.
    pub(crate) id_attr: String,
    /// The file.
    pub(crate) file: String,
    /// The provider's alias, none for the default one.
    pub(crate) provider: Option<String>,
    /// Attributes and blocks.
    pub(crate) block: Block,
    /// What to know.
    pub(crate) notes: Notes,
    /// The import id.
    pub(crate) import: Val,
    /// Addresses that it refers to.
    pub(crate) uses: BTreeSet<String>,
}

impl Item {
    /// `azurerm_subnet.web`
    pub(crate) fn address(&self) -> String {
        format!("{}.{}", self.target, self.label)
    }
}

/// A variable.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Variable {
    /// The wanted name.
    pub(crate) name: String,
    /// In words.
    pub(crate) description: String,
    /// What it stands for.
    pub(crate) kind: VariableKind,
}

/// What a variable stands for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum VariableKind {
    /// A secret: sensitive, without a default.
    Secret,
    /// Something required that is not known: its type, without a default.
    Missing(String),
    /// The id of something outside, which is its default.
    Outside(String),
}

/// The code.
#[derive(Debug, Default)]
pub(crate) struct Program {
    /// The blocks.
    pub(crate) items: Vec<Item>,
    /// By key.
    pub(crate) variables: BTreeMap<String, Variable>,
    /// The subscriptions that items are in, each with its alias; the first is the default provider.
    pub(crate) subscriptions: Vec<(String, Option<String>)>,
    /// The resource providers that the items belong to, as ARM spells them.
    pub(crate) namespaces: BTreeSet<String>,
}

/// Gives each unit its label, file and provider.
pub(crate) fn assemble(units: Vec<Unit>, resources: &[Resource], context: &Context) -> Program {
    let subscriptions = subscriptions(&units, resources, context);
    let labels = labels(&units, resources);
    let files = files(resources, context);
    let items = units
        .into_iter()
        .map(|unit| {
            let resource = resources.get(unit.of);
            let subscription = resource.and_then(subscription_of);
            let alias = subscriptions.iter().find(|(id, _)| Some(id) == subscription.as_ref());
            Item {
                label: labels.get(&unit_key(&unit, resources)).cloned().unwrap_or_default(),
                file: files.get(&unit.of).cloned().unwrap_or_else(|| "tenant.tf".to_owned()),
                provider: alias.and_then(|(_, alias)| alias.clone()),
                of: unit.of,
                target: unit.target,
                main: unit.main,
                id_attr: unit.id_attr,
                block: unit.block,
                notes: unit.notes,
                import: unit.import,
                uses: BTreeSet::new(),
            }
        })
        .collect();
    Program {
        items,
        variables: BTreeMap::new(),
        subscriptions,
        namespaces: BTreeSet::new(),
    }
}

fn subscription_of(resource: &Resource) -> Option<String> {
    let id = resource.id.as_ref()?;
    id.subscription().map(str::to_lowercase)
}

fn subscriptions(units: &[Unit], resources: &[Resource], context: &Context) -> Vec<(String, Option<String>)> {
    let used = units
        .iter()
        .filter_map(|unit| resources.get(unit.of).and_then(subscription_of));
    let used: BTreeSet<String> = used.collect();
    let wanted = used.iter().map(|id| {
        let name = context.subscriptions.get(id).map_or(id.as_str(), String::as_str);
        (id.clone(), names::identifier(name))
    });
    let aliases = names::unique(&wanted.collect());
    let with_alias = aliases.into_iter().enumerate();
    with_alias
        .map(|(at, (id, alias))| (id, (at > 0).then_some(alias)))
        .collect()
}

fn unit_key(unit: &Unit, resources: &[Resource]) -> String {
    let key = resources.get(unit.of).map_or("", |resource| resource.key.as_str());
    format!("{}\n{key}\n{}", unit.target, unit.part)
}

/// Labels by unit key, unique within each target type.
fn labels(units: &[Unit], resources: &[Resource]) -> BTreeMap<String, String> {
    let mut by_target: BTreeMap<&str, BTreeMap<String, String>> = BTreeMap::new();
    for unit in units {
        let base = resources.get(unit.of).map_or_else(String::new, base_name);
        let name = if unit.part == 0 {
            base
        } else {
            format!("{base}_{}", unit.part + 1)
        };
        let group = by_target.entry(&unit.target).or_default();
        group.insert(unit_key(unit, resources), names::identifier(&name));
    }
    by_target.values().flat_map(names::unique).collect()
}

/// The names along the id, from the root resource inwards: `vnet default` for a subnet.
fn base_name(resource: &Resource) -> String {
    let Some(id) = &resource.id else {
        return resource.name.clone();
    };
    let mut parts = vec![resource.name.clone()];
    for ancestor in id.ancestors() {
        if !ancestor.as_str().to_lowercase().contains("/providers/") {
            break;
        }
        parts.push(ancestor.name().to_owned());
    }
    parts.reverse();
    parts.join(" ")
}

/// The file of each resource: one for each resource group, subscription, and one for the tenant.
fn files(resources: &[Resource], context: &Context) -> BTreeMap<usize, String> {
    let mut keys = BTreeMap::new();
    let mut wanted = BTreeMap::new();
    for (at, resource) in resources.iter().enumerate() {
        let Some(subscription) = subscription_of(resource) else {
            continue;
        };
        let group = resource.id.as_ref().and_then(|id| id.resource_group());
        let (key, name) = if let Some(group) = group {
            let key = format!("{subscription}/{}", group.to_lowercase());
            (key, format!("rg-{}", names::file_name(group)))
        } else {
            let name = context.subscriptions.get(&subscription).unwrap_or(&subscription);
            (subscription.clone(), format!("sub-{}", names::file_name(name)))
        };
        wanted.insert(key.clone(), name);
        keys.insert(at, key);
    }
    let names = names::unique(&wanted);
    keys.into_iter()
        .filter_map(|(at, key)| Some((at, format!("{}.tf", names.get(&key)?))))
        .collect()
}
