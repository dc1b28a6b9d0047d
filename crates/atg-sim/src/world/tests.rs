use std::collections::{BTreeMap, BTreeSet};

use atg_models::ArmId;
use serde_json::Value;

use super::{SeededWorld, Table, World};

const TABLES: [Table; 15] = [
    Table::ManagementGroups,
    Table::Subscriptions,
    Table::ResourceGroups,
    Table::Resources,
    Table::RoleAssignments,
    Table::RoleDefinitions,
    Table::DenyAssignments,
    Table::Users,
    Table::Groups,
    Table::ServicePrincipals,
    Table::Applications,
    Table::DirectoryRoles,
    Table::AdministrativeUnits,
    Table::PermissionGrants,
    Table::Devices,
];

fn rows(world: &SeededWorld, table: Table) -> Vec<Value> {
    (0..world.len(table))
        .filter_map(|index| world.row(table, index))
        .collect()
}

fn text<'v>(row: &'v Value, key: &str) -> &'v str {
    row[key].as_str().unwrap_or_else(|| panic!("no {key} in {row}"))
}

/// Every string of a body, with its path.
fn strings(value: &Value, path: &str, out: &mut Vec<(String, String)>) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                out.push((path.to_owned(), key.clone()));
                strings(inner, &format!("{path}.{key}"), out);
            }
        }
        Value::Array(items) => items.iter().for_each(|inner| strings(inner, path, out)),
        Value::String(text) => out.push((path.to_owned(), text.clone())),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn a_seed_gives_the_same_bytes_and_another_gives_others() {
    let print = |seed| {
        let world = SeededWorld::new(seed, 900);
        TABLES.map(|table| serde_json::to_string(&rows(&world, table)).unwrap())
    };
    assert_eq!(print(7), print(7));
    let (seven, eight) = (print(7), print(8));
    assert_ne!(seven[3], eight[3]);
    assert_ne!(seven[7], eight[7]);
}

#[test]
fn the_resources_table_has_exactly_the_rows_asked_for() {
    for resources in [0, 1, 19, 100, 381, 2_000] {
        let world = SeededWorld::new(7, resources);
        assert_eq!(rows(&world, Table::Resources).len(), resources);
        assert!(world.len(Table::Subscriptions) >= 3);
        assert_eq!(
            rows(&world, Table::ResourceGroups).len(),
            world.len(Table::ResourceGroups)
        );
    }
}

#[test]
fn ids_are_unique_whatever_their_case_and_each_row_is_found_by_its_id() {
    let world = SeededWorld::new(7, 2_000);
    for table in TABLES {
        let rows = rows(&world, table);
        let ids: BTreeSet<String> = rows.iter().map(|row| text(row, "id").to_lowercase()).collect();
        assert_eq!(ids.len(), rows.len(), "{table:?}");
    }
    for table in [
        Table::ManagementGroups,
        Table::Subscriptions,
        Table::ResourceGroups,
        Table::Resources,
        Table::RoleAssignments,
    ] {
        for (index, row) in rows(&world, table).into_iter().enumerate() {
            let id = text(&row, "id").to_lowercase();
            assert_eq!(world.resource(&id), Some(row), "{id}");
            let parsed: ArmId = id.parse().unwrap();
            if matches!(table, Table::Resources | Table::ResourceGroups) {
                assert_eq!(
                    parsed.subscription().map(str::to_owned),
                    world.subscription_of(table, index)
                );
            }
        }
    }
}

#[test]
fn every_resource_stands_in_its_group_and_names_its_type() {
    let world = SeededWorld::new(3, 1_000);
    for row in rows(&world, Table::Resources) {
        let id: ArmId = text(&row, "id").parse().unwrap();
        assert_eq!(id.arm_type().as_str(), text(&row, "type").to_lowercase());
        assert_eq!(id.name(), text(&row, "name"));
        assert!(
            id.resource_group()
                .unwrap()
                .eq_ignore_ascii_case(text(&row, "resourceGroup"))
        );
        assert_eq!(id.subscription().unwrap(), text(&row, "subscriptionId"));
    }
}

#[test]
fn every_reference_leads_to_something() {
    let world = SeededWorld::new(7, 2_000);
    let mut dangling = BTreeMap::<String, usize>::new();
    let mut references = 0;
    for row in rows(&world, Table::Resources) {
        let mut found = Vec::new();
        strings(&row, "", &mut found);
        for (path, value) in found {
            // Published images are not resources of the tenant.
            let image = value.contains("/Publishers/");
            let is_id = value.to_lowercase().starts_with("/subscriptions/") && !image;
            if is_id {
                references += 1;
                if world.resource(&value.to_lowercase()).is_none() {
                    *dangling
                        .entry(format!("{} {path} {value}", text(&row, "type")))
                        .or_default() += 1;
                }
            }
        }
    }
    assert!(references > 6_000, "{references}");
    assert!(dangling.is_empty(), "{dangling:#?}");
}

#[test]
fn a_million_resources_start_at_once() {
    let world = SeededWorld::new(7, 1_000_000);
    assert_eq!(world.len(Table::Resources), 1_000_000);
    let row = world.row(Table::Resources, 999_999).unwrap();
    assert_eq!(world.resource(&text(&row, "id").to_lowercase()), Some(row));
    assert_eq!(world.row(Table::Resources, 1_000_000), None);
    assert!(
        world
            .row(Table::ServicePrincipals, world.len(Table::ServicePrincipals) - 1)
            .is_some()
    );
}

#[test]
fn planted_changes_are_what_they_say() {
    let world = SeededWorld::new(7, 1_500);
    let print = |world: &SeededWorld| -> BTreeMap<String, Value> {
        let all = TABLES.into_iter().flat_map(|table| rows(world, table));
        all.map(|row| (text(&row, "id").to_lowercase(), row)).collect()
    };
    let before = print(&world);
    let planted = world.plant_changes();
    assert_eq!(planted, world.plant_changes());
    let after = print(&world);
    let keys = |some: Vec<&String>| -> Vec<String> { some.into_iter().cloned().collect() };
    assert_eq!(
        planted.added,
        keys(after.keys().filter(|id| !before.contains_key(*id)).collect())
    );
    assert_eq!(
        planted.removed,
        keys(before.keys().filter(|id| !after.contains_key(*id)).collect())
    );
    let changed = after
        .iter()
        .filter(|(id, row)| before.get(*id).is_some_and(|old| old != *row));
    assert_eq!(planted.modified, keys(changed.map(|(id, _)| id).collect()));
    assert!(
        planted.added.len() >= 6 && planted.modified.len() >= 4 && planted.removed.len() >= 8,
        "{planted:#?}"
    );
    for id in &planted.removed {
        assert_eq!(world.resource(id), None, "{id}");
    }
}
