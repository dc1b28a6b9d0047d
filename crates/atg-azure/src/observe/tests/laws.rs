//! Casing of ids and order of members change no key.

use std::collections::BTreeSet;

use atg_models::graph::Observation;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{in_group, observe};
use crate::relations::arm_id;

fn world() -> Vec<Value> {
    vec![
        json!({"id": in_group("Microsoft.Network/virtualNetworks/v"), "type": "Microsoft.Network/virtualNetworks",
            "location": "westeurope", "tags": {"env": "Prod", "hidden-link:/subscriptions/s/resourceGroups/g": "Resource"},
            "properties": {
                "subnets": [{"id": in_group("Microsoft.Network/virtualNetworks/v/subnets/a"), "name": "a", "properties": {
                    "networkSecurityGroup": {"id": in_group("Microsoft.Network/networkSecurityGroups/n")}}}],
                "odd": {in_group("Microsoft.X/ys/z"): {"ref": in_group("Microsoft.X/ys/w/authorizationRules/r")}}}}),
        json!({"id": in_group("Microsoft.Web/sites/a"), "type": "Microsoft.Web/sites", "identity": {"userAssignedIdentities": {
            in_group("Microsoft.ManagedIdentity/userAssignedIdentities/i"): {"principalId": "aaaaaaaa-0000-0000-0000-000000000001"}}},
            "properties": {"serverFarmId": in_group("Microsoft.Web/serverfarms/p"),
                "virtualNetworkSubnetId": in_group("Microsoft.Network/virtualNetworks/v/subnets/a")}}),
        json!({"id": "/subscriptions/s/providers/Microsoft.Authorization/roleAssignments/r", "properties": {
            "principalId": "aaaaaaaa-0000-0000-0000-000000000001", "scope": "/subscriptions/s",
            "roleDefinitionId": "/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7"}}),
    ]
}

/// Node ids, types, edge keys, aliases and look-ups.
fn keys(observations: &[Observation]) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for observation in observations {
        keys.insert(format!("node {} {:?}", observation.node.id, observation.node.type_));
        for edge in &observation.edges {
            let (source, target) = (&edge.source.id, &edge.target.id);
            keys.insert(format!(
                "edge {source} {} {target} {} {}",
                edge.relation.as_str(),
                edge.qualifier,
                edge.path
            ));
        }
        for alias in &observation.aliases {
            keys.insert(format!("alias {alias:?}"));
        }
        for lookup in &observation.lookups {
            keys.insert(format!(
                "lookup {:?} {} {:?}",
                lookup.alias, lookup.anchor.id, lookup.relation
            ));
        }
    }
    keys
}

fn recase(text: &str, seed: u64) -> String {
    let mixed = text.char_indices().map(|(at, c)| {
        if seed >> (at % 61) & 1 == 1 {
            c.to_ascii_uppercase()
        } else {
            c.to_ascii_lowercase()
        }
    });
    mixed.collect()
}

/// The same value with its ids and types in other casings, and its members in another order.
fn disturbed(value: &Value, seed: u64) -> Value {
    let text = |text: &str| {
        if arm_id(text).is_some() {
            recase(text, seed)
        } else {
            text.to_owned()
        }
    };
    match value {
        Value::Object(members) => {
            let mut all: Vec<_> = members.iter().collect();
            let places = all.len().max(1);
            all.rotate_left(usize::try_from(seed).unwrap_or_default() % places);
            let mut new = Map::new();
            for (name, value) in all {
                let value = match value.as_str() {
                    Some(type_) if name == "type" => Value::String(recase(type_, seed)),
                    _ => disturbed(value, seed.rotate_left(7)),
                };
                new.insert(text(name), value);
            }
            Value::Object(new)
        }
        Value::Array(items) => items.iter().map(|item| disturbed(item, seed.rotate_left(3))).collect(),
        Value::String(own) => Value::String(text(own)),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

proptest! {
    #[test]
    fn casing_and_order_change_no_key(seed: u64) {
        for row in world() {
            let other = disturbed(&row, seed);
            prop_assert_eq!(keys(&observe(&row)), keys(&observe(&other)), "{}", other);
        }
    }

    #[test]
    fn any_text_anywhere_is_survived(text in "\\PC{0,60}", seed: u64) {
        let row = json!({"id": in_group("Microsoft.Web/sites/a"), "location": text, "managedBy": text, "tags": {&text: text},
            "properties": {"serverFarmId": text, "virtualNetworkSubnetId": text, &text: [text.clone(), format!("/subscriptions/{text}")],
                "siteConfig": {"linuxFxVersion": text, "acrUserManagedIdentityID": text}},
            "identity": {"principalId": text}});
        let seen = observe(&disturbed(&row, seed));
        prop_assert!(!seen[0].edges.is_empty());
    }
}

#[test]
fn the_world_says_something() {
    let all: Vec<_> = world().iter().flat_map(observe).collect();
    assert!(keys(&all).len() > 15, "{:#?}", keys(&all));
}
