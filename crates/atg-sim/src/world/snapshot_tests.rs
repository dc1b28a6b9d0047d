use std::io::Read;

use serde_json::json;

use super::snapshot::{NO_ID, SERVED, SnapshotWorld};
use super::{Table, World};

#[test]
fn a_template_gets_a_group_of_its_own_in_ids_and_in_bodies() {
    let id = "/subscriptions/s/resourceGroups/RG/providers/Microsoft.Network/virtualNetworks/v";
    let other = "/subscriptions/s/resourcegroups/rg/providers/Microsoft.Network/routeTables/r";
    let body = json!({"id": id, "type": "Microsoft.Network/virtualNetworks", "properties": {"route": {"id": other}, "map": {other: 1}}});
    let text =
        json!([["first/one", [body, body]], ["second", [body, {"id": "x", "type": "T", "name": "n"}]]]).to_string();
    let world = SnapshotWorld::from_text(&text).unwrap();
    assert_eq!(
        world.left_out(),
        [(id.replace("RG", "first-one-000"), SERVED), ("x".to_owned(), NO_ID)]
    );
    assert_eq!(world.len(Table::Resources), 2);
    assert_eq!(world.len(Table::ResourceGroups), 2);
    let first = world.row(Table::Resources, 0).unwrap();
    let renamed = "/subscriptions/s/resourcegroups/first-one-000/providers/Microsoft.Network/routeTables/r";
    assert_eq!(first["properties"]["route"]["id"], renamed);
    assert_eq!(first["properties"]["map"][renamed], 1);
    assert_eq!(
        world.resource(&first["id"].as_str().unwrap().to_lowercase()),
        Some(first)
    );
}

#[test]
fn the_given_files_are_served_whole() {
    use crate::world::data_tests::open;
    for (file, all) in [
        ("quickstart-resources.json.gz", 4_038),
        ("arm-get-examples.jsonl.gz", 1_922),
    ] {
        let Some(mut reader) = open(file) else { return };
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        let world = SnapshotWorld::from_text(&text).unwrap();
        assert_eq!(world.len(Table::Resources) + world.left_out().len(), all, "{file}");
        assert!(
            world.len(Table::Resources) > 500,
            "{file}: {}",
            world.len(Table::Resources)
        );
        println!(
            "{file}: {} served, {} left out",
            world.len(Table::Resources),
            world.left_out().len()
        );
        for index in 0..world.len(Table::Resources) {
            let row = world.row(Table::Resources, index).unwrap();
            for (key, value) in world.given(index).unwrap().as_object().unwrap() {
                let column = ["tenantId", "subscriptionId", "resourceGroup", "apiVersion"].contains(&key.as_str());
                assert!(column || &row[key] == value, "{key}");
            }
            let id = row["id"].as_str().unwrap().to_lowercase();
            assert_eq!(world.resource(&id).unwrap()["id"], row["id"]);
        }
    }
}
