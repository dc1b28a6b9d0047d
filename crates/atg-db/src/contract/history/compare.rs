//! Asking two stores the same questions.

use atg_models::graph::NodeKind;
use atg_models::{ArmType, JobId, NodeId, TenantId};
use futures_util::StreamExt as _;

use super::told::short;
use crate::contract::dice::Dice;
use crate::{GraphStore, NodeFilter};

/// Both answer alike; what they answer.
macro_rules! alike {
    ($one:expr, $other:expr, $seed:expr, $what:expr, |$store:ident| $call:expr) => {{
        let one = {
            let $store = $one;
            $call.await.map_err(|error| short(&error))
        };
        let other = {
            let $store = $other;
            $call.await.map_err(|error| short(&error))
        };
        assert_eq!(one, other, "seed {}: {}", $seed, $what);
        one
    }};
}

/// What is said of a scan.
pub(super) async fn scan<A: GraphStore, B: GraphStore>(one: &A, other: &B, scan: JobId, seed: u64) {
    alike!(one, other, seed, "the scan", |store| store.scan(scan)).unwrap();
    alike!(one, other, seed, "its ledger", |store| store.ledger(scan)).unwrap();
    let all = alike!(one, other, seed, "its changes", |store| store.changes(scan, None, 1000)).unwrap();
    if let Some(change) = all.first() {
        let (crate::Change::Added(id) | crate::Change::Modified(id) | crate::Change::Removed(id)) = change;
        let after = Some(id.clone());
        alike!(one, other, seed, "later changes", |store| store.changes(
            scan,
            after.clone(),
            2
        ))
        .unwrap();
    }
}

/// All that can be asked of a tenant.
pub(super) async fn tenant<A: GraphStore, B: GraphStore>(
    one: &A,
    other: &B,
    tenant: TenantId,
    seed: u64,
    dice: &mut Dice,
) {
    alike!(one, other, seed, "the export", |store| export(store, tenant)).unwrap();
    alike!(one, other, seed, "the digest", |store| store.digest(tenant)).unwrap();
    alike!(one, other, seed, "the last scan", |store| store.last_scan(tenant)).unwrap();
    alike!(one, other, seed, "the counts", |store| store.counts(tenant)).unwrap();
    let nodes = alike!(one, other, seed, "the nodes", |store| snapshot(store, tenant)).unwrap();
    alike!(one, other, seed, "the edges", |store| edges(store, tenant)).unwrap();
    alike!(one, other, seed, "the summary", |store| summary(store, tenant)).unwrap();
    finds(one, other, tenant, seed).await;
    let mut ids: Vec<NodeId> = nodes.into_iter().map(|node| node.id).collect();
    ids.push(crate::contract::world::vnet("nowhere").node_id());
    for _ in 0..3 {
        let (from, to) = (dice.one(&ids), dice.one(&ids));
        let (depth, budget) = (1 + dice.below(3), 1 + dice.below(20));
        let (depth, budget) = (u32::try_from(depth).unwrap(), u32::try_from(budget).unwrap());
        alike!(one, other, seed, from.to_string(), |store| store.node(tenant, &from)).unwrap();
        let what = format!("around {from}, {depth}, {budget}");
        let _ = alike!(one, other, seed, what, |store| store
            .neighbourhood(tenant, &from, depth, budget));
        let what = format!("{from} to {to} within {budget}");
        let _ = alike!(one, other, seed, what, |store| store
            .shortest_path(tenant, &from, &to, budget));
    }
}

async fn finds<A: GraphStore, B: GraphStore>(one: &A, other: &B, tenant: TenantId, seed: u64) {
    let any = NodeFilter::default();
    let filters = [
        any.clone(),
        NodeFilter {
            kind: Some(NodeKind::User),
            ..any.clone()
        },
        NodeFilter {
            type_: Some(ArmType::new("Microsoft.Network/virtualNetworks")),
            observed: Some(true),
            ..any.clone()
        },
        NodeFilter {
            resource_group: Some("rg1".to_owned()),
            observed: Some(false),
            ..any
        },
    ];
    for filter in filters {
        let what = format!("{filter:?}");
        let page = alike!(one, other, seed, what, |store| store.find(
            tenant,
            filter.clone(),
            None,
            3,
            true
        ))
        .unwrap();
        if page.next.is_some() {
            alike!(one, other, seed, what, |store| store.find(
                tenant,
                filter.clone(),
                page.next.clone(),
                100,
                false
            ))
            .unwrap();
        }
    }
}

async fn export<S: GraphStore>(store: &S, tenant: TenantId) -> Result<Vec<String>, crate::StoreError> {
    let lines = store.export(tenant).await?;
    lines.collect::<Vec<_>>().await.into_iter().collect()
}

async fn snapshot<S: GraphStore>(
    store: &S,
    tenant: TenantId,
) -> Result<Vec<atg_models::graph::Node>, crate::StoreError> {
    let nodes = store.snapshot(tenant).await?;
    nodes.collect::<Vec<_>>().await.into_iter().collect()
}

async fn edges<S: GraphStore>(store: &S, tenant: TenantId) -> Result<Vec<crate::EdgeRow>, crate::StoreError> {
    let edges = store.edges(tenant).await?;
    edges.collect::<Vec<_>>().await.into_iter().collect()
}

async fn summary<S: GraphStore>(
    store: &S,
    tenant: TenantId,
) -> Result<Option<crate::TenantSummary>, crate::StoreError> {
    let summaries = store.tenants().await?;
    Ok(summaries.into_iter().find(|summary| summary.tenant_id == tenant))
}
