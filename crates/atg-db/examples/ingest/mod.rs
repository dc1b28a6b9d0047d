//! What the measurements of ingest have in common: a tenant of network cards, and a scan that takes it in.

use std::time::{Duration, Instant};

use atg_db::GraphStore;
use atg_db::contract::world::{arm, collection, edge, end, ended, plain_end, planned, progress, resource, start};
use atg_models::NodeId;
use atg_models::graph::{GraphBatch, NodeKind, Observation, Relation, Verdict};
use serde_json::json;

/// Resources in a page: as many as Resource Graph answers at once.
const PAGE_ROWS: u64 = 1_000;

/// Takes in that many of what `said` says, in scan `number`; how long its pages took.
pub(crate) async fn take_in(
    store: &dyn GraphStore,
    number: u128,
    resources: u64,
    said: fn(u64) -> Observation,
) -> Duration {
    let scan = store.begin_scan(start(number, 1)).await.expect("a scan");
    let plan = store.plan(scan, vec![planned(collection("s1"))]).await;
    plan.expect("planned");
    let mut applying = Duration::ZERO;
    for page in 0..resources.div_ceil(PAGE_ROWS) {
        let batch = GraphBatch {
            observations: (page * PAGE_ROWS..(page + 1) * PAGE_ROWS).map(said).collect(),
            listed: Vec::new(),
        };
        let progress = progress(collection("s1"), page + 1, false);
        let begun = Instant::now();
        store.apply(scan, batch, progress).await.expect("applied");
        applying += begun.elapsed();
    }
    let end = store.finish_scan(scan, ended(Verdict::Partial)).await;
    end.expect("finished");
    applying
}

/// A network card of some machine, as large as real ones are, with what it says of others.
pub(crate) fn card(number: u64) -> Observation {
    let group = format!("/subscriptions/S{}/resourceGroups/Rg{}", number % 7, number % 233);
    let card = arm(&format!(
        "{group}/providers/Microsoft.Network/networkInterfaces/card-{number}"
    ));
    let machine = arm(&format!(
        "{group}/providers/Microsoft.Compute/virtualMachines/machine-{}",
        number / 2
    ));
    let subnet = arm(&format!(
        "{group}/providers/Microsoft.Network/virtualNetworks/v{}/subnets/default",
        number % 50
    ));
    let filler: Vec<_> = (0..12)
        .map(|at| json!({"name": format!("ip-{at}"), "properties": {"privateIPAddress": format!("10.{at}.0.{}", number % 250)}}))
        .collect();
    let mut said = resource(
        &card,
        json!({"ipConfigurations": filler, "virtualMachine": {"id": machine.as_str()}}),
    );
    let region = plain_end(&NodeId::derived("region", "westeurope"), NodeKind::Region);
    said.edges = vec![
        edge(end(&arm(&group)), Relation::Contains, end(&card)),
        edge(end(&card), Relation::LocatedIn, region),
        edge(end(&card), Relation::UsesSubnet, end(&subnet)),
        edge(end(&machine), Relation::Uses, end(&card)),
    ];
    said
}
