//! Whole scans of a simulated tenant, without a store.

mod sharing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use atg_models::graph::{CollectionKey, NodeKind, PartitionKey, PlannedCollection, ScanFilters};
use atg_models::{NodeId, TenantId};
use atg_sim::world::{SeededWorld, Table, World};
use atg_sim::{Fault, FaultKind, SimConfig, Simulator, SystemClock};
use futures_util::StreamExt as _;
use tokio_util::sync::CancellationToken;

use crate::{
    AzureConfig, AzureError, AzureReader, AzureReaders, Cloud, CredentialChoice, Endpoints, PageError, Parents,
    ReaderOptions, ScanPlan, StaticToken, TenantReader,
};

const SEED: u64 = 7;
const OPTIONS: ReaderOptions = ReaderOptions {
    max_concurrency: 20,
    max_retries: 3,
};

/// Nodes by key with their body, and what listings said.
#[derive(Debug, Default, PartialEq, Eq, Clone)]
struct Graph {
    nodes: BTreeMap<NodeId, (NodeKind, Option<CollectionKey>, String)>,
    listed: BTreeSet<String>,
}

#[derive(Debug, Default)]
struct Store(Mutex<Graph>);

#[async_trait]
impl Parents for Store {
    async fn next(&self, kind: NodeKind, after: Option<&NodeId>, limit: u32) -> Result<Vec<NodeId>, PageError> {
        let graph = self.0.lock().unwrap();
        let of_kind = graph.nodes.iter().filter(|(_, (own, ..))| *own == kind);
        let behind = of_kind
            .map(|(id, _)| id)
            .filter(|id| after.is_none_or(|after| *id > after));
        Ok(behind.take(usize::try_from(limit).unwrap()).cloned().collect())
    }
}

/// How a collection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    Complete { rows: u64 },
    Forbidden(String),
    Failed(String),
}

struct Scan {
    plan: ScanPlan,
    graph: Graph,
    ends: BTreeMap<CollectionKey, End>,
}

impl Scan {
    fn is_complete(&self) -> bool {
        self.ends.values().all(|end| matches!(end, End::Complete { .. }))
    }

    fn count(&self, kind: NodeKind) -> usize {
        self.graph.nodes.values().filter(|(own, ..)| *own == kind).count()
    }

    fn end(&self, source: &str) -> Vec<&End> {
        let of_source = self.ends.iter().filter(|(key, _)| key.source() == source);
        of_source.map(|(_, end)| end).collect()
    }
}

fn simulator(resources: usize, change: impl FnOnce(&mut SimConfig)) -> Simulator {
    simulator_of(Arc::new(SeededWorld::new(SEED, resources)), change)
}

fn simulator_of(world: Arc<dyn World>, change: impl FnOnce(&mut SimConfig)) -> Simulator {
    let mut config = SimConfig::new(world);
    config.quotas = false;
    change(&mut config);
    Simulator::start(config).unwrap()
}

fn reader(sim: &Simulator, tenant: TenantId) -> AzureReader {
    let endpoints = Endpoints::parse(sim.url(), sim.url(), sim.url()).unwrap();
    let token = CredentialChoice::StaticToken(StaticToken::from_setting("any"));
    let config = AzureConfig::new(Cloud::Custom(Box::new(endpoints)), token);
    AzureReader::connect(config, tenant, Arc::new(SystemClock)).unwrap()
}

async fn page(
    reader: &AzureReader,
    store: &Store,
    (collection, partition): (&CollectionKey, &PartitionKey),
    cursor: Option<&str>,
) -> Result<(u64, Option<String>), PageError> {
    let never = CancellationToken::new();
    let read = reader.page(collection, partition, cursor, store, &never).await?;
    let mut graph = store.0.lock().unwrap();
    for observation in read.batch.observations {
        let node = observation.node;
        let body = node
            .body
            .map(|body| atg_models::canonical::print(&body))
            .unwrap_or_default();
        graph.nodes.insert(node.id, (node.kind, node.owner, body));
    }
    for listed in read.batch.listed {
        let edge = listed.edge;
        let (source, target) = (edge.source.id, edge.target.id);
        graph.listed.insert(format!(
            "{} {source} {:?} {target} {}",
            listed.by, edge.relation, edge.qualifier
        ));
    }
    Ok((read.rows, read.next))
}

/// Reads a collection to its end; `fresh` makes a new reader for every page.
async fn collect(readers: &(dyn Fn() -> Arc<AzureReader> + Sync), store: &Store, planned: &PlannedCollection) -> End {
    let mut all_rows = 0;
    for partition in &planned.partitions {
        let mut cursor = None;
        let mut rows = 0;
        let mut restarts = 0;
        loop {
            let place = (&planned.collection, partition);
            match page(&readers(), store, place, cursor.as_deref()).await {
                Ok((more, next)) => {
                    rows += more;
                    cursor = next;
                    if cursor.is_none() {
                        break;
                    }
                }
                Err(PageError::CursorExpired) if restarts < 20 => {
                    (cursor, rows) = (None, 0);
                    restarts += 1;
                }
                Err(PageError::Forbidden { permission }) => return End::Forbidden(permission),
                Err(error) => return End::Failed(error.to_string()),
            }
        }
        all_rows += rows;
    }
    match planned.expected {
        Some(expected) if expected != all_rows => End::Failed(format!("{all_rows} of {expected}")),
        Some(_) | None => End::Complete { rows: all_rows },
    }
}

async fn scan_with(readers: &(dyn Fn() -> Arc<AzureReader> + Sync), filters: &ScanFilters) -> Result<Scan, PageError> {
    let plan = readers().plan(filters, &CancellationToken::new()).await?;
    Ok(scan_of(plan, readers).await)
}

/// Reads what was planned.
async fn scan_of(plan: ScanPlan, readers: &(dyn Fn() -> Arc<AzureReader> + Sync)) -> Scan {
    let store = Store::default();
    let mut ends = BTreeMap::new();
    for step in &plan.steps {
        let reads = step.collections.iter().map(|planned| collect(readers, &store, planned));
        let results = futures_util::future::join_all(reads).await;
        let keys = step.collections.iter().map(|planned| planned.collection.clone());
        ends.extend(keys.zip(results));
    }
    let graph = store.0.into_inner().unwrap();
    Scan { plan, graph, ends }
}

async fn scan(sim: &Simulator, filters: &ScanFilters) -> Result<Scan, PageError> {
    let reader = Arc::new(reader(sim, sim.world().tenant_id()));
    scan_with(&|| Arc::clone(&reader), filters).await
}

fn rows_of(world: &dyn World, table: Table) -> usize {
    (0..world.len(table))
        .filter(|index| world.row(table, *index).is_some())
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_tenant_is_read() {
    let sim = simulator(400, |config| config.arg_page_rows = 70);
    let scan = scan(&sim, &ScanFilters::default()).await.unwrap();
    assert!(scan.is_complete(), "{:#?}", scan.ends);
    let tables = [
        (Table::ManagementGroups, NodeKind::ManagementGroup),
        (Table::Subscriptions, NodeKind::Subscription),
        (Table::ResourceGroups, NodeKind::ResourceGroup),
        (Table::RoleAssignments, NodeKind::RoleAssignment),
        (Table::Users, NodeKind::User),
        (Table::Groups, NodeKind::Group),
        (Table::ServicePrincipals, NodeKind::ServicePrincipal),
        (Table::Applications, NodeKind::Application),
        (Table::DirectoryRoles, NodeKind::DirectoryRole),
        (Table::AdministrativeUnits, NodeKind::AdministrativeUnit),
        (Table::Devices, NodeKind::Device),
    ];
    for (table, kind) in tables {
        assert_eq!(scan.count(kind), rows_of(sim.world(), table), "{kind:?}");
    }
    assert!(scan.count(NodeKind::Resource) >= rows_of(sim.world(), Table::Resources));
    assert_eq!(scan.count(NodeKind::Tenant), 1);
    assert!(!scan.graph.listed.is_empty());
    let of_nobody: Vec<_> = scan
        .graph
        .nodes
        .iter()
        .filter(|(_, (_, owner, _))| owner.is_none())
        .collect();
    assert!(of_nobody.is_empty(), "{of_nobody:?}");
    let planned: BTreeSet<_> = scan.ends.keys().collect();
    for (id, (_, owner, _)) in &scan.graph.nodes {
        assert!(
            owner.as_ref().is_some_and(|owner| planned.contains(owner)),
            "{id} {owner:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_goes_on_from_any_page_with_a_new_reader() {
    let sim = simulator(150, |config| {
        (config.arg_page_rows, config.graph_page_rows, config.arm_page_rows) = (20, 15, 10);
    });
    let whole = scan(&sim, &ScanFilters::default()).await.unwrap();
    let tenant = sim.world().tenant_id();
    let fresh = scan_with(&|| Arc::new(reader(&sim, tenant)), &ScanFilters::default())
        .await
        .unwrap();
    assert!(whole.is_complete() && fresh.is_complete(), "{:#?}", fresh.ends);
    assert_eq!(whole.graph, fresh.graph);
}

/// A scan with one fault: `None` if the job failed, else whether it was complete.
async fn disturbed(sim: Simulator, kind: FaultKind, seed: u64, whole: &Graph) -> Option<bool> {
    sim.arm(Fault::from_seed(kind, seed));
    let outcome = scan(&sim, &ScanFilters::default()).await;
    let fired = sim.stats().faults.values().sum::<u64>() > 0;
    let scan = match outcome {
        Ok(scan) => scan,
        Err(error) => {
            assert!(
                fired && matches!(error, PageError::Fatal(_)),
                "{kind:?} {seed}: {error}"
            );
            return None;
        }
    };
    if scan.is_complete() {
        assert!(scan.graph == *whole, "{kind:?} {seed} is complete and not whole");
        return Some(true);
    }
    assert!(fired, "{kind:?} {seed}: a gap without a fault: {:?}", scan.ends);
    let more = scan.graph.nodes.keys().find(|id| !whole.nodes.contains_key(*id));
    assert!(more.is_none(), "{kind:?} {seed}: {more:?}");
    Some(false)
}

fn small(config: &mut SimConfig) {
    (config.arg_page_rows, config.graph_page_rows) = (15, 15);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_leaves_the_graph_whole_or_a_gap() {
    let whole = scan(&simulator(60, small), &ScanFilters::default()).await.unwrap();
    assert!(whole.is_complete(), "{:#?}", whole.ends);
    let runs = FaultKind::ALL
        .iter()
        .map(|kind| disturbed(simulator(60, small), *kind, 0, &whole.graph));
    let outcomes: Vec<_> = futures_util::stream::iter(runs).buffer_unordered(6).collect().await;
    let ended = outcomes.iter().flatten().count();
    let complete = outcomes.iter().flatten().filter(|complete| **complete).count();
    assert!(complete * 10 >= ended * 3, "{complete} of {ended} are complete");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forbidden_subscription_is_a_gap_with_its_permission() {
    let sim = simulator(100, |_| ());
    let subscription = sim.world().subscription_of(Table::Resources, 0).unwrap();
    let mut fault = Fault::new(FaultKind::ForbiddenSubscription);
    fault.target = Some(subscription.clone());
    sim.arm(fault);
    let scan = scan(&sim, &ScanFilters::default()).await.unwrap();
    let reader_on = End::Forbidden(format!("Reader on /subscriptions/{subscription}"));
    for source in ["arg.resources", "arg.resourcegroups", "arg.roleassignments"] {
        assert_eq!(
            scan.ends.get(&CollectionKey::new(source, &subscription)),
            Some(&reader_on),
            "{source}"
        );
    }
    assert_eq!(scan.end("arg.subscriptions"), [&reader_on]);
    let subscriptions = rows_of(sim.world(), Table::Subscriptions);
    assert_eq!(
        scan.count(NodeKind::Subscription),
        subscriptions - 1,
        "the others are stored"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_is_applied_at_the_source() {
    let sim = simulator(200, |_| ());
    let subscription = sim.world().subscription_of(Table::Resources, 0).unwrap();
    let filters = ScanFilters {
        subscriptions: vec![subscription.clone(), "00000000-0000-0000-0000-00000000dead".to_owned()],
        no_directory: true,
        ..ScanFilters::default()
    };
    let scan = scan(&sim, &filters).await.unwrap();
    let prefix = format!("/subscriptions/{subscription}");
    for (id, (kind, ..)) in &scan.graph.nodes {
        let tenant_wide = matches!(kind, NodeKind::Tenant | NodeKind::RoleDefinition);
        assert!(tenant_wide || id.as_str().starts_with(&prefix), "{id}");
    }
    let unseen = CollectionKey::new("arg.resources", "00000000-0000-0000-0000-00000000dead");
    assert!(
        matches!(scan.ends.get(&unseen), Some(End::Forbidden(_))),
        "{:?}",
        scan.ends
    );
    assert!(scan.plan.not_planned.iter().any(|left| left.what == "graph"));
    assert!(!sim.stats().calls.contains_key("graph") || sim.stats().calls["graph"] == 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tenants_token_is_refused_by_name() {
    let sim = simulator(10, |_| ());
    let tenant: TenantId = "12345678-0000-0000-0000-000000000000".parse().unwrap();
    let error = reader(&sim, tenant)
        .plan(&ScanFilters::default(), &CancellationToken::new())
        .await
        .unwrap_err();
    let PageError::Fatal(AzureError::Authentication { problem }) = error else {
        panic!("{error}")
    };
    assert!(problem.contains(&tenant.to_string()), "{problem}");
    assert!(problem.contains(&sim.world().tenant_id().to_string()), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_after_cancellation() {
    let sim = simulator(50, |_| ());
    let reader = reader(&sim, sim.world().tenant_id());
    let cancelled = CancellationToken::new();
    reader.plan(&ScanFilters::default(), &cancelled).await.unwrap();
    cancelled.cancel();
    let calls = sim.stats().calls;
    let key = CollectionKey::new("graph.users", &sim.world().tenant_id().to_string());
    let read = reader
        .page(
            &key,
            &PartitionKey("{}".to_owned()),
            None,
            &Store::default(),
            &cancelled,
        )
        .await;
    assert!(matches!(read, Err(PageError::Cancelled)), "{read:?}");
    assert_eq!(sim.stats().calls, calls);
}

#[tokio::test(flavor = "multi_thread")]
async fn real_quotas_are_kept() {
    let sim = simulator(1000, |config| config.quotas = true);
    let scan = scan(&sim, &ScanFilters::default()).await.unwrap();
    assert!(scan.is_complete(), "{:#?}", scan.ends);
    let stats = sim.stats();
    assert_eq!(stats.throttled, 0, "{stats:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_secret_logs_in_over_tls_and_outlives_its_token() {
    let sim = simulator(80, |config| {
        config.tls = true;
        config.client_secret = Some("right".to_owned());
        config.arg_page_rows = 20;
    });
    let root = reqwest::Certificate::from_pem(sim.certificate_pem().unwrap().as_bytes()).unwrap();
    let client = reqwest::Client::builder().add_root_certificate(root).build().unwrap();
    let url = sim.tls_url().unwrap();
    let tenant = sim.world().tenant_id();
    let readers = |secret: &str| {
        let credential = CredentialChoice::ClientSecret {
            client_id: "11111111-0000-0000-0000-000000000001".to_owned(),
            secret: secret.to_owned().into(),
        };
        let cloud = Cloud::Custom(Box::new(Endpoints::parse(url, url, url).unwrap()));
        let mut readers = AzureReaders::new(AzureConfig::new(cloud, credential), Arc::new(SystemClock)).unwrap();
        readers.client = client.clone();
        Arc::new(readers.make(tenant, OPTIONS).unwrap())
    };
    let wrong = readers("wrong")
        .plan(&ScanFilters::default(), &CancellationToken::new())
        .await;
    let wrong = wrong.map(|_| ()).unwrap_err().to_string();
    assert!(wrong.contains("credential"), "{wrong}");

    let mut fault = Fault::new(FaultKind::TokenExpired);
    (fault.nth, fault.count) = (12, 1);
    sim.arm(fault);
    let reader = readers("right");
    let scan = scan_with(&|| Arc::clone(&reader), &ScanFilters::default())
        .await
        .unwrap();
    assert!(scan.is_complete(), "{:#?}", scan.ends);
    assert_eq!(sim.stats().faults.get("token_expired"), Some(&1));
    assert!(
        sim.stats().tokens >= 3,
        "two to begin with, one after the end of the first: {:?}",
        sim.stats()
    );
}
