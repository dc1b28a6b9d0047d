//! The law: what is stored depends on what was read, not on the order in which it was.

use atg_models::NodeId;
use atg_models::graph::{
    CollectionKey, CollectionState, GraphBatch, ListedEdge, NodeKind, Observation, Partition, PartitionKey, Relation,
    Source,
};
use atg_models::{ArmId, Seq};
use serde_json::json;

use crate::GraphStore;
use crate::contract::dice::Dice;
use crate::contract::world::*;

/// One row of a collection: a body, or a listed edge.
#[derive(Clone)]
enum Row {
    Body(Box<Observation>),
    Listed(Box<ListedEdge>),
}

/// The id in some spelling.
fn spelled(dice: &mut Dice, id: &ArmId) -> ArmId {
    let text = id.as_str().to_owned();
    arm(&match dice.below(3) {
        0 => text.to_lowercase(),
        1 => text
            .replace("resourceGroups", "RESOURCEGROUPS")
            .replace("Network", "NETWORK"),
        _ => text,
    })
}

/// A world of networks that refer to each other in every way that there is.
fn world(seed: u64) -> Vec<(usize, Row)> {
    let mut dice = Dice(seed);
    let mut rows = Vec::new();
    let nets: Vec<ArmId> = (0..8).map(|n| vnet(&format!("Net{n}"))).collect();
    let groups: Vec<NodeId> = (0..3).map(object).collect();
    for (n, id) in nets.iter().enumerate() {
        let tag = NodeId::derived("tag", &format!("env={}", dice.below(2)));
        let other = &nets[dice.below(12) % 8];
        let missing = vnet(&format!("Gone{}", dice.below(3)));
        let mut said = resource(id, json!({"n": n}));
        let me = end(&spelled(&mut dice, id));
        let refers = edge(me.clone(), Relation::PeeredWith, end(&spelled(&mut dice, other)));
        let kind = [NodeKind::Stub, NodeKind::User, NodeKind::Group][dice.below(3)];
        said.edges = vec![
            with(refers, "from", json!(n)),
            edge(me.clone(), Relation::TaggedWith, plain_end(&tag, NodeKind::Tag)),
            edge(me.clone(), Relation::DependsOn, end(&spelled(&mut dice, &missing))),
            edge(me.clone(), Relation::OwnedBy, plain_end(&object(20), kind)),
            with(edge(end(&nets[0]), Relation::LinkedTo, end(&nets[1])), "by", json!(n)),
        ];
        said.aliases = vec![alias(&format!("host{}", dice.below(6)))];
        said.lookups = vec![lookup(&format!("host{}", dice.below(6)), me.clone())];
        // Its only subnet: inline, and sometimes read itself, even twice with another content.
        let subnet = id.child("subnets", "Default");
        let mut inline = resource(&subnet, json!({"inline": n}));
        inline.node.source = Source::Derived;
        inline.edges = vec![edge(me, Relation::Contains, end(&subnet))];
        rows.push((0, Row::Body(Box::new(inline))));
        for copy in 0..dice.below(3) {
            let mut read = resource(&spelled(&mut dice, &subnet), json!({"read": n, "copy": copy}));
            read.node.source = Source::Arm;
            read.lookups = vec![lookup(&format!("host{copy}"), end(&subnet))];
            read.edges = vec![edge(
                end(&subnet),
                Relation::SecuredBy,
                end(&vnet(&format!("Guard{copy}"))),
            )];
            rows.push((1, Row::Body(Box::new(read))));
        }
        rows.push((0, Row::Body(Box::new(said))));
        for group in &groups {
            rows.push((
                2,
                Row::Listed(Box::new(member(group, &object(10 + u128::try_from(n % 4).unwrap())))),
            ));
        }
    }
    rows
}

/// Reads the world through three collections of two partitions, in an order of the seed.
async fn read<S: GraphStore>(store: &S, number: u128, rows: &[(usize, Row)], order: u64) -> String {
    let mut dice = Dice(order);
    let keys = [
        collection("s1"),
        CollectionKey::new("arm.children", "s1"),
        CollectionKey::new("graph.members", "t"),
    ];
    let scan = scan(store, number).await;
    let mut plan: Vec<_> = keys.iter().cloned().map(planned).collect();
    for collection in &mut plan {
        collection.partitions.push(PartitionKey("1".to_owned()));
    }
    store.plan(scan.handle, plan).await.unwrap();
    let mut rows = rows.to_vec();
    dice.shuffle(&mut rows);
    let mut pages = [[0_u64; 2]; 3];
    while !rows.is_empty() {
        let (which, _) = rows[0];
        let size = 1 + dice.below(4);
        let mut batch = GraphBatch::default();
        rows.retain(|(of, row)| {
            let take = *of == which && batch.observations.len() + batch.listed.len() < size;
            match row {
                Row::Body(said) if take => batch.observations.push(said.as_ref().clone()),
                Row::Listed(edge) if take => batch.listed.push(edge.as_ref().clone()),
                Row::Body(_) | Row::Listed(_) => {}
            }
            !take
        });
        let part = dice.below(2);
        pages[which][part] += 1;
        apply(store, &scan, &keys[which], part, pages[which][part], false, batch).await;
    }
    for (which, key) in keys.iter().enumerate() {
        for (part, read) in pages[which].iter().enumerate() {
            apply(store, &scan, key, part, read + 1, true, GraphBatch::default()).await;
        }
        store.settle(scan.handle, key, CollectionState::Complete).await.unwrap();
    }
    for key in &keys {
        store.sweep(scan.handle, key).await.unwrap();
    }
    scan.finish().await.graph_digest.unwrap()
}

async fn apply<S: GraphStore>(
    store: &S,
    scan: &Scan<'_, S>,
    key: &CollectionKey,
    part: usize,
    page: u64,
    done: bool,
    batch: GraphBatch,
) {
    let mut progress = progress(key.clone(), page, done);
    progress.page = Seq::new(page);
    progress.partition = Partition {
        key: PartitionKey(part.to_string()),
        ..progress.partition
    };
    store.apply(scan.handle, batch, progress).await.unwrap();
}

async fn text<S: GraphStore>(store: &S) -> String {
    use futures_util::StreamExt as _;
    let lines = store.export(tenant()).await.unwrap().map(|line| line.unwrap());
    lines.collect::<Vec<_>>().await.join("\n")
}

/// Any order of pages, rows and partitions gives one export.
pub async fn any_order_gives_one_digest<S: GraphStore>(store: &S) {
    let mut number = 0;
    for seed in 0..4 {
        let rows = world(seed);
        let mut expected: Option<(String, String)> = None;
        for order in 0..6 {
            number += 1;
            let digest = read(store, number, &rows, order).await;
            let text = text(store).await;
            let (known, known_text) = expected.get_or_insert_with(|| (digest.clone(), text.clone()));
            assert_eq!(&text, known_text, "seed {seed}, order {order}");
            assert_eq!(&digest, known);
            store.delete_tenant(tenant()).await.unwrap();
        }
    }
}

/// What was there before does not show in a complete scan.
pub async fn a_rescan_equals_a_fresh_scan<S: GraphStore>(store: &S) {
    let mut number = 0;
    for seed in 10..14 {
        number += 2;
        let (before, after) = (world(seed), world(seed + 100));
        read(store, number, &before, 1).await;
        read(store, number + 1, &after, 2).await;
        let rescanned = text(store).await;
        store.delete_tenant(tenant()).await.unwrap();
        number += 1;
        read(store, number + 1, &after, 3).await;
        assert_eq!(rescanned, text(store).await, "seed {seed}");
        store.delete_tenant(tenant()).await.unwrap();
    }
}
