//! Real bodies arrive in the graph as they were served. Needs the data that `ATG_TEST_DATA` names.

use std::io::BufRead as _;
use std::path::PathBuf;
use std::sync::Arc;

use atg_models::ArmId;
use atg_models::graph::Verdict;
use atg_sim::world::{SnapshotWorld, Table, World as _};
use serde_json::Value;

use crate::worlds::{of_world, scanned};

fn data(file: &str) -> Option<PathBuf> {
    let Ok(folder) = std::env::var("ATG_TEST_DATA") else {
        println!("left out: ATG_TEST_DATA is not set, so {file} is not there");
        return None;
    };
    Some(PathBuf::from(folder).join(file))
}

/// What Resource Graph shows of a resource beside its own columns (`id`, `name`, `type`, `location`,
/// `tenantId`, `subscriptionId`, `resourceGroup`): a template's `dependsOn` is not among them.
const COLUMNS: [&str; 9] = [
    "kind",
    "managedBy",
    "sku",
    "plan",
    "properties",
    "tags",
    "identity",
    "zones",
    "extendedLocation",
];

/// Those columns of a body, without nulls and secrets.
fn comparable(mut body: Value, kind: &str) -> Value {
    let members = body.as_object_mut().unwrap();
    members.retain(|name, value| COLUMNS.contains(&name.as_str()) && !value.is_null());
    atg_models::secrets::redact(kind, &mut body);
    body
}

async fn check(file: &str, bodies_in_file: usize) {
    let Some(path) = data(file) else {
        return;
    };
    let given = SnapshotWorld::from_file(&path).unwrap();
    let left_out = given.left_out();
    let served = given.len(Table::Resources);
    for (_, reason) in &left_out {
        assert!(["no parsable id", "id already served"].contains(reason), "{reason}");
    }
    assert_eq!(
        served + left_out.len(),
        bodies_in_file,
        "{served} served, {} left out",
        left_out.len()
    );
    let world = Arc::new(SnapshotWorld::from_file(&path).unwrap());
    let mut config = of_world(world);
    config.arg_page_rows = 1_000;
    let (folder, sim, result) = scanned(config).await;
    assert_eq!((result.verdict, result.gaps), (Verdict::Complete, Vec::new()));
    let tenant = sim.world().tenant_id();
    let mut lost = Vec::new();
    for index in 0..served {
        let row = sim.world().row(Table::Resources, index).unwrap();
        let id: ArmId = row["id"].as_str().unwrap().parse().unwrap();
        let kind = id.arm_type();
        let node = folder.graph().node(tenant, &id.node_id()).await.unwrap();
        let stored = node.filter(|node| node.observed).and_then(|node| node.body);
        let Some(stored) = stored else {
            lost.push(format!("{id} is not there"));
            continue;
        };
        let (stored, served) = (comparable(stored, kind.as_str()), comparable(row, kind.as_str()));
        if stored != served {
            lost.push(format!("{id}\n  stored {stored}\n  served {served}"));
        }
    }
    assert!(lost.is_empty(), "{} of {served}; the first: {}", lost.len(), lost[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn template_resources_arrive_without_loss() {
    check("quickstart-resources.json.gz", 4_038).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn examples_arrive_without_loss() {
    if let Some(path) = data("arm-get-examples.jsonl.gz") {
        let file = flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap());
        let lines = std::io::BufReader::new(file).lines().count();
        check("arm-get-examples.jsonl.gz", lines).await;
    }
}
