//! Specifications of the simulated tenant: nothing of it is in them, and they are there in seconds.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use atg_models::api::GenerateSpecRequest;
use atg_models::graph::{Node, NodeKind};
use atg_sim::world::SeededWorld;
use atg_sim::{SimConfig, Simulator};
use atg_tests::{Folder, specify};
use futures_util::TryStreamExt as _;
use regex::Regex;

use crate::worlds::{config, scanned};

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
    // A plain word may stand in the document as a word.
    let telling = |text: &String| text.len() >= TELLING_CHARS && text.chars().any(|c| !c.is_alphabetic());
    lower.filter(telling).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_name_id_or_address_of_the_simulated_tenant_is_told() {
    let (folder, sim, _) = scanned(config(2_000)).await;
    let told = told(&nodes(&folder, &sim).await);
    assert!(told.len() > 2_000);
    let shapes = Regex::new(r"[0-9a-f]{8}-[0-9a-f]{4}-|\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}|://|@").unwrap();
    let harmless = Regex::new(r"`(0\.0\.0\.0(/0)?|168\.63\.129\.16)`").unwrap();
    for hierarchical in [false, true] {
        let request = GenerateSpecRequest {
            hierarchical,
            ..GenerateSpecRequest::default()
        };
        for (path, text) in specify(&folder, request).await {
            let between = |c: char| c.is_whitespace() || matches!(c, '`' | '(' | ')' | ',' | '|');
            let words: BTreeSet<String> = text.split(between).map(str::to_lowercase).collect();
            let leaked: Vec<_> = told.intersection(&words).collect();
            assert!(leaked.is_empty(), "{leaked:?}");
            for line in text.lines() {
                let rest = harmless.replace_all(line, "");
                assert!(!shapes.is_match(&rest), "{path}: {line}");
            }
        }
    }
}

/// The bound is generous: tests run unoptimised, beside others.
#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_resources_are_described_in_bounded_files() {
    let mut large = SimConfig::new(Arc::new(SeededWorld::new(8, 10_000)));
    large.quotas = false;
    let (folder, _sim, result) = scanned(large).await;
    let started = Instant::now();
    let files = specify(&folder, GenerateSpecRequest::default()).await;
    let took = started.elapsed();
    assert!(took < Duration::from_mins(2), "{took:?}");
    let (index, parts) = files.split_last().unwrap();
    assert_eq!(index.0, "tenant-spec.md");
    assert!(!parts.is_empty(), "so many resources do not fit into one file");
    let resources: usize = parts.iter().map(|(_, text)| text.matches("\n#### ").count()).sum();
    assert_eq!(u64::try_from(resources).unwrap(), result.resources_discovered);
    for (path, text) in parts {
        assert!(text.len() < 3 * 1024 * 1024, "{path}: {} bytes", text.len());
        assert!(index.1.contains(&format!("({path})")), "{path} is not in the index");
    }
}
