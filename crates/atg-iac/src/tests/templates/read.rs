//! What both readers understand of templates: resources by their ids, as a deployment would make them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::Output;

/// A resource that a template creates.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Read {
    pub(super) type_: String,
    pub(super) api_version: String,
    /// Without type, version, name, scope and dependencies. What is known only when it is deployed stands
    /// as a text between `«` and `»`.
    pub(super) body: Value,
    /// Ids of the resources and `deployment NAME` of the templates that it waits for.
    pub(super) waits: BTreeSet<String>,
}

/// All resources by id, lower case.
#[derive(Debug, Default, PartialEq)]
pub(super) struct ReadBack {
    pub(super) resources: BTreeMap<String, Read>,
    /// By deployment: what it waits for, and the group that it is for.
    pub(super) deployments: BTreeMap<String, (String, BTreeSet<String>)>,
    /// By name: the type and the default.
    pub(super) params: BTreeMap<String, (String, Option<String>)>,
}

impl ReadBack {
    pub(super) fn add(&mut self, id: &str, read: Read) {
        let old = self.resources.insert(id.to_lowercase(), read);
        assert!(old.is_none(), "{id} twice");
    }

    pub(super) fn add_param(&mut self, name: &str, type_: &str, default: Option<String>) {
        let new = (type_.to_lowercase(), default);
        let old = self.params.insert(name.to_owned(), new.clone());
        assert!(old.is_none_or(|old| old == new), "{name} is declared differently");
    }
}

/// Where a template is deployed, as an id: empty for the tenant.
#[derive(Debug, Clone)]
pub(super) struct Place(pub(super) String);

impl Place {
    pub(super) fn subscription(&self) -> &str {
        self.0.split('/').nth(2).expect("a subscription")
    }

    pub(super) fn group(&self, name: &str) -> Self {
        Self(format!("/subscriptions/{}/resourceGroups/{name}", self.subscription()))
    }

    /// The id of a resource of this type with these names.
    pub(super) fn id(&self, type_: &str, names: &[String]) -> String {
        if type_.eq_ignore_ascii_case("Microsoft.Resources/resourceGroups") {
            return format!("{}/resourceGroups/{}", self.0, names[0]);
        }
        let (namespace, types) = type_.split_once('/').expect("a type");
        let types: Vec<&str> = types.split('/').collect();
        assert_eq!(types.len(), names.len(), "{type_} {names:?}");
        let pairs = types.iter().zip(names).map(|(type_, name)| format!("/{type_}/{name}"));
        format!("{}/providers/{namespace}{}", self.0, pairs.collect::<String>())
    }
}

/// The main files with the places that the README says to deploy them into, in its order.
pub(super) fn commands(output: &Output) -> Vec<(String, Place)> {
    let readme = super::super::text(output, "README.md");
    let lines = readme.lines().filter(|line| line.starts_with("az deployment "));
    lines
        .map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let after = |flag: &str| {
                let at = words.iter().position(|word| *word == flag);
                at.map(|at| words[at + 1].to_owned())
            };
            let place = match words[2] {
                "tenant" => String::new(),
                "mg" => format!(
                    "/providers/Microsoft.Management/managementGroups/{}",
                    after("--management-group-id").expect("a group")
                ),
                "sub" => format!("/subscriptions/{}", after("--subscription").expect("a subscription")),
                other => panic!("{other}"),
            };
            (after("--template-file").expect("a file"), Place(place))
        })
        .collect()
}

/// A call of one of ARM's functions, when its arguments are known.
pub(super) fn call(name: &str, args: &[String], place: &Place) -> String {
    let type_at = args.iter().position(|arg| arg.contains('/') && !arg.starts_with('/'));
    let (before, rest) = args.split_at(type_at.unwrap_or(0));
    let id = |place: &Place| place.id(&rest[0], &rest[1..]);
    match name {
        "resourceId" => match before {
            [] => id(place),
            [group] => id(&place.group(group)),
            [subscription, group] => id(&Place(format!("/subscriptions/{subscription}/resourceGroups/{group}"))),
            _ => panic!("{args:?}"),
        },
        "subscriptionResourceId" => {
            let subscription = before.first().map_or_else(|| place.subscription(), String::as_str);
            id(&Place(format!("/subscriptions/{subscription}")))
        }
        "tenantResourceId" => id(&Place(String::new())),
        "extensionResourceId" => Place(args[0].clone()).id(&args[1], &args[2..]),
        "subscription" => format!(
            "/subscriptions/{}",
            before.first().map_or_else(|| place.subscription(), String::as_str)
        ),
        other => panic!("no such function: {other}"),
    }
}
