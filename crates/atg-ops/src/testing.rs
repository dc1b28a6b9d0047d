//! A small tenant, a reader that serves it by script, and what an engine would give an operation.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use atg_azure::observe::{Context, Owned, arm_row, tenant_node};
use atg_azure::{
    Azure, AzureError, CallCounts, PageError, PageRead, Parents, ReaderOptions, ScanPlan, Step, TenantReader, Track,
};
use atg_db::{ArtifactStore, StoreError};
use atg_jobs::testing::{TestClock, TestIds};
use atg_jobs::{Operation, OperationContext, OperationError};
use atg_models::api::{ScanRequest, ScanResult};
use atg_models::graph::{CollectionKey, GraphBatch, NodeKind, PartitionKey, PlannedCollection, ScanFilters, Source};
use atg_models::job::{LogLevel, Progress};
use atg_models::{ArmType, Clock, Fence, JobId, JobKind, TenantId};
use serde_json::{Value, json};
use time::macros::datetime;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::ScanOperation;

pub(crate) const TENANT: TenantId = TenantId::new(Uuid::from_u128(0x11));
pub(crate) const ONE: &str = "aaaaaaaa-0000-0000-0000-000000000001";
pub(crate) const TWO: &str = "aaaaaaaa-0000-0000-0000-000000000002";
pub(crate) const SCAN: JobId = JobId::new(JobKind::Scan, Uuid::from_u128(1));

type Place = (&'static str, &'static str, &'static str);

/// The partitions of the world and their pages of rows.
#[derive(Clone)]
pub(crate) struct World(pub(crate) BTreeMap<Place, Vec<Vec<Value>>>);

/// Where the world's collections are: source, scope, partition.
pub(crate) const CONTAINERS: Place = ("arg.resourcecontainers", "tenant", "all");
pub(crate) const ONE_A: Place = ("arg.resources", ONE, "a");
pub(crate) const ONE_B: Place = ("arg.resources", ONE, "b");
pub(crate) const TWO_A: Place = ("arg.resources", TWO, "a");
pub(crate) const PER_GROUP: Place = ("arm.pergroup", "tenant", "all");

impl World {
    /// Two subscriptions with a group each, 7 resources on 6 pages, a listing per group.
    pub(crate) fn small() -> Self {
        let subscription = |id: &str| json!({"id": format!("/subscriptions/{id}"), "name": id, "type": "microsoft.resources/subscriptions"});
        let group = |id: &str| {
            json!({"id": format!("/subscriptions/{id}/resourceGroups/Web"), "name": "Web",
                "type": "microsoft.resources/subscriptions/resourcegroups", "location": "westeurope"})
        };
        let pages = BTreeMap::from([
            (
                CONTAINERS,
                vec![
                    vec![json!({"tenant": true}), subscription(ONE), subscription(TWO)],
                    vec![group(ONE), group(TWO)],
                ],
            ),
            (
                ONE_A,
                vec![vec![account(ONE, "a1"), account(ONE, "a2")], vec![account(ONE, "a3")]],
            ),
            (ONE_B, vec![vec![account(ONE, "b1")], vec![account(ONE, "b2")], vec![]]),
            (TWO_A, vec![vec![account(TWO, "c1"), account(TWO, "c2")]]),
            (PER_GROUP, vec![vec![]]),
        ]);
        Self(pages)
    }

    fn plan(&self) -> ScanPlan {
        let planned = |place: Place, partitions: &[&str], expected| PlannedCollection {
            collection: CollectionKey::new(place.0, place.1),
            sweepable: true,
            expected,
            partitions: partitions.iter().map(|key| PartitionKey((*key).to_owned())).collect(),
        };
        let rows = |places: &[Place]| {
            let rows = places
                .iter()
                .map(|place| self.0[place].iter().map(Vec::len).sum::<usize>());
            u64::try_from(rows.sum::<usize>()).ok()
        };
        ScanPlan {
            principal: "somebody".to_owned(),
            subscriptions: vec![(ONE.to_owned(), "One".to_owned()), (TWO.to_owned(), "Two".to_owned())],
            steps: vec![
                Step {
                    name: "containers",
                    track: Track::Resources,
                    collections: vec![planned(CONTAINERS, &["all"], None)],
                },
                Step {
                    name: "resources",
                    track: Track::Resources,
                    collections: vec![
                        planned(ONE_A, &["a", "b"], rows(&[ONE_A, ONE_B])),
                        planned(TWO_A, &["a"], rows(&[TWO_A])),
                    ],
                },
                Step {
                    name: "children",
                    track: Track::Resources,
                    collections: vec![planned(PER_GROUP, &["all"], None)],
                },
            ],
            not_planned: Vec::new(),
        }
    }
}

pub(crate) fn account(subscription: &str, name: &str) -> Value {
    json!({
        "id": format!("/subscriptions/{subscription}/resourceGroups/Web/providers/Microsoft.Storage/storageAccounts/{name}"),
        "name": name, "type": "microsoft.storage/storageaccounts", "location": "westeurope",
        "sku": {"name": "Standard_LRS"}, "properties": {"accessTier": "Hot"}, "tags": {"env": "prod"},
    })
}

/// What happens instead of a page. Each is used up by one call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    CursorExpired,
    Forbidden,
    Failed,
    Fatal,
    /// So many rows of another tenant beside the page.
    OtherTenant(u64),
}

/// By place and page, in the order of the calls.
type Faults = BTreeMap<(Place, usize), Vec<Fault>>;

/// How a reader behaves.
#[derive(Clone, Default)]
pub(crate) struct Script {
    pub(crate) faults: Arc<Mutex<Faults>>,
    /// This call of `page`, from 0, never answers.
    pub(crate) hold: Option<usize>,
    pub(crate) held: Arc<Notify>,
    pub(crate) calls: Arc<AtomicUsize>,
    /// The plan says that the credential is of another tenant.
    pub(crate) wrong_tenant: bool,
    /// A second source counts one row more.
    pub(crate) miscounted: bool,
}

impl Script {
    pub(crate) fn with(self, place: Place, page: usize, faults: &[Fault]) -> Self {
        self.faults.lock().unwrap().insert((place, page), faults.to_vec());
        self
    }
}

struct ScriptedReader {
    world: World,
    script: Script,
}

#[async_trait]
impl TenantReader for ScriptedReader {
    fn tenant(&self) -> TenantId {
        TENANT
    }

    async fn plan(&self, _filters: &ScanFilters, _cancelled: &CancellationToken) -> Result<ScanPlan, PageError> {
        if self.script.wrong_tenant {
            let problem = "the token is of another tenant".to_owned();
            return Err(AzureError::Authentication { problem }.into());
        }
        let mut plan = self.world.plan();
        if self.script.miscounted {
            let expected = &mut plan.steps[1].collections[0].expected;
            *expected = expected.map(|rows| rows + 1);
        }
        Ok(plan)
    }

    async fn page(
        &self,
        collection: &CollectionKey,
        partition: &PartitionKey,
        cursor: Option<&str>,
        parents: &dyn Parents,
        _cancelled: &CancellationToken,
    ) -> Result<PageRead, PageError> {
        let call = self.script.calls.fetch_add(1, Ordering::SeqCst);
        if self.script.hold == Some(call) {
            self.script.held.notify_one();
            std::future::pending::<()>().await;
        }
        let at: usize = cursor.map_or(0, |cursor| cursor.parse().unwrap());
        let (place, pages) = self
            .world
            .0
            .iter()
            .find(|(place, _)| {
                place.0 == collection.source() && place.1 == collection.scope() && place.2 == partition.0
            })
            .unwrap();
        let fault = self
            .script
            .faults
            .lock()
            .unwrap()
            .get_mut(&(*place, at))
            .and_then(|faults| (!faults.is_empty()).then(|| faults.remove(0)));
        let mut other_tenant = 0;
        match fault {
            Some(Fault::CursorExpired) => return Err(PageError::CursorExpired),
            Some(Fault::Forbidden) => {
                let permission = "Reader".to_owned();
                return Err(PageError::Forbidden { permission });
            }
            Some(Fault::Failed) => {
                let reason = "503 too often".to_owned();
                return Err(PageError::Failed { reason });
            }
            Some(Fault::Fatal) => return Err(AzureError::Throttled { doing: "testing" }.into()),
            Some(Fault::OtherTenant(rows)) => other_tenant = rows,
            None => {}
        }
        if *place == PER_GROUP {
            let groups = parents.next(NodeKind::ResourceGroup, None, 10).await?;
            assert_eq!(groups.len(), 2, "{groups:?}");
        }
        let next = at + 1;
        Ok(PageRead {
            batch: batch(&pages[at]),
            rows: u64::try_from(pages[at].len()).unwrap(),
            next: (next < pages.len()).then(|| next.to_string()),
            other_tenant,
        })
    }

    fn calls(&self) -> CallCounts {
        CallCounts {
            calls: u64::try_from(self.script.calls.load(Ordering::SeqCst)).unwrap(),
            ..CallCounts::default()
        }
    }
}

fn batch(rows: &[Value]) -> GraphBatch {
    let owner = |owned: &Owned<'_>| {
        Some(if owned.kind == NodeKind::Resource {
            CollectionKey::new("arg.resources", owned.subscription_id?)
        } else {
            CollectionKey::new("arg.resourcecontainers", "tenant")
        })
    };
    let context = Context {
        tenant: TENANT,
        source: Source::Arg,
        observed_at: datetime!(2026-01-01 12:00 UTC),
        owner: &owner,
        api_version: &|_: &ArmType| Some("2024-01-01".to_owned()),
    };
    let observations = rows
        .iter()
        .flat_map(|row| {
            if row.get("tenant").is_some() {
                return vec![tenant_node(None, &context)];
            }
            arm_row(row, &context).unwrap()
        })
        .collect();
    GraphBatch {
        observations,
        listed: Vec::new(),
    }
}

/// Opens scripted readers.
pub(crate) struct ScriptedReaders(pub(crate) World, pub(crate) Script);

#[async_trait]
impl Azure for ScriptedReaders {
    async fn reader(&self, _tenant: TenantId, _options: ReaderOptions) -> Result<Arc<dyn TenantReader>, AzureError> {
        Ok(Arc::new(ScriptedReader {
            world: self.0.clone(),
            script: self.1.clone(),
        }))
    }
}

/// What an engine would give an operation.
#[derive(Clone)]
pub(crate) struct TestContext {
    pub(crate) job: JobId,
    pub(crate) fence: u64,
    pub(crate) token: CancellationToken,
    pub(crate) checkpoint: Arc<Mutex<Option<Vec<u8>>>>,
    pub(crate) artifacts: Arc<dyn ArtifactStore>,
    pub(crate) progress: Arc<Mutex<Vec<Progress>>>,
}

#[async_trait]
impl OperationContext for TestContext {
    fn job_id(&self) -> JobId {
        self.job
    }

    fn fence(&self) -> Fence {
        Fence::new(self.fence)
    }

    fn cancelled(&self) -> CancellationToken {
        self.token.clone()
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(TestClock::at(datetime!(2026-01-01 12:00 UTC)))
    }

    fn artifacts(&self) -> Arc<dyn ArtifactStore> {
        Arc::clone(&self.artifacts)
    }

    fn progress(&self, progress: Progress) {
        self.progress.lock().unwrap().push(progress);
    }

    fn log(&self, _level: LogLevel, _message: String) {}

    async fn checkpoint(&self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.checkpoint.lock().unwrap().clone())
    }

    async fn keep(&self, checkpoint: Vec<u8>) -> Result<(), StoreError> {
        *self.checkpoint.lock().unwrap() = Some(checkpoint);
        Ok(())
    }
}

/// A data folder.
pub(crate) struct Store {
    pub(crate) stores: atg_db::sqlite::Stores,
    _folder: tempfile::TempDir,
}

impl Store {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            stores: atg_db::sqlite::open(folder.path()).unwrap(),
            _folder: folder,
        }
    }

    pub(crate) fn context(&self, job: JobId) -> TestContext {
        TestContext {
            job,
            fence: 1,
            token: CancellationToken::new(),
            checkpoint: Arc::default(),
            artifacts: Arc::<atg_db::ObjectArtifacts>::clone(&self.stores.artifacts),
            progress: Arc::default(),
        }
    }

    pub(crate) fn graph(&self) -> Arc<dyn atg_db::GraphStore> {
        Arc::<atg_db::sqlite::SqliteGraph>::clone(&self.stores.graph)
    }

    pub(crate) async fn attempt(
        &self,
        context: &TestContext,
        world: &World,
        script: &Script,
        request: ScanRequest,
    ) -> Result<ScanResult, OperationError> {
        let readers = Arc::new(ScriptedReaders(world.clone(), script.clone()));
        let operation = ScanOperation::new(self.graph(), readers, Arc::new(TestIds::default()));
        Ok(operation.run(context, request).await?.outcome)
    }

    /// A scan without incidents.
    pub(crate) async fn scan(&self, job: JobId, world: &World, script: &Script) -> ScanResult {
        self.attempt(&self.context(job), world, script, ScanRequest::new(TENANT))
            .await
            .unwrap()
    }
}
