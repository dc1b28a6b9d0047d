//! Specifications of the simulated tenant: nothing of it is in them, and they are there in seconds.

use std::collections::BTreeSet;

use atg_models::api::GenerateSpecRequest;
use atg_models::graph::{Node, NodeKind};
use atg_sim::{SimConfig, Simulator};
use atg_tests::{DirectScan, Folder, specify};
use futures_util::TryStreamExt as _;
use regex::Regex;

/// Shorter names are words, or parts of words, that a document may hold by chance.
const TELLING_CHARS: usize = 8;

async fn nodes(folder: &Folder, sim: &Simulator) -> Vec<Node> {
    let nodes = folder.graph().snapshot(sim.world().tenant_id()).await.unwrap();
    nodes.try_collect().await.unwrap()
}

/// Names, ids and values of tags, as the tenant has them.
fn told(nodes: &[Node]) -> BTreeSet<String> {
    let own = |node: &&Node| {
        !matches!(
            node.kind,
            NodeKind::Region | NodeKind::ResourceType | NodeKind::RoleDefinition
        )
    };
    let texts = nodes.iter().filter(own).flat_map(|node| {
        let names = [node.name.clone(), node.display_id.clone()];
        names
            .into_iter()
            .chain(node.tags.values().cloned())
            .chain(node.subscription_id.clone())
    });
    let lower = texts.map(|text| text.to_lowercase());
    lower.filter(|text| text.len() >= TELLING_CHARS).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_name_id_or_address_of_the_simulated_tenant_is_told() {
    let sim = Simulator::start(SimConfig::new(7, 2_000)).unwrap();
    let folder = Folder::default();
    DirectScan::new(&folder, &sim, 1).run().await.unwrap();
    let told = told(&nodes(&folder, &sim).await);
    assert!(told.len() > 2_000);
    let shapes = Regex::new(r"[0-9a-f]{8}-[0-9a-f]{4}-|\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}|://|@").unwrap();
    let harmless = Regex::new(r"`(0\.0\.0\.0(/0)?|168\.63\.129\.16)`").unwrap();
    for hierarchical in [false, true] {
        let request = GenerateSpecRequest {
            hierarchical,
            ..GenerateSpecRequest::default()
        };
        let files = specify(&folder, request).await;
        let words: BTreeSet<String> = files
            .iter()
            .flat_map(|(_, text)| text.split(|c: char| c.is_whitespace() || matches!(c, '`' | '(' | ')' | ',' | '|')))
            .map(str::to_lowercase)
            .collect();
        let leaked: Vec<_> = told.intersection(&words).collect();
        assert!(leaked.is_empty(), "{leaked:?}");
        for (path, text) in files {
            for line in text.lines() {
                let rest = harmless.replace_all(line, "");
                assert!(!shapes.is_match(&rest), "{path}: {line}");
            }
        }
    }
}
