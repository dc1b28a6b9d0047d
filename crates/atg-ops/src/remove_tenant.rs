//! `remove-tenant`: removes all that is stored of a tenant: its graph, its scans, what its jobs have published.
//!
//! The records of its jobs stay until their time has passed: they say who did what, and that it was removed. Every
//! step can be done again, so a removal that was interrupted goes on where it was. Artifacts go first: while a
//! tenant's graph is there the removal can be asked for again, and nothing is left that nobody can name.

use std::sync::Arc;

use async_trait::async_trait;
use atg_db::{GraphStore, JobStore};
use atg_jobs::{Finished, Operation, OperationContext, OperationError};
use atg_models::api::{RemoveTenantRequest, RemoveTenantResult};
use atg_models::job::{JobFilter, OnCrash, Progress, TenantUse};
use atg_models::{JobKind, TenantId};

use crate::limits::JOBS_PAGE_ROWS;
use crate::patience::patiently;
use crate::stop::unless_stopped;

/// The operation.
pub struct RemoveTenantOperation {
    graph: Arc<dyn GraphStore>,
    jobs: Arc<dyn JobStore>,
}

impl RemoveTenantOperation {
    /// Removes from `graph`, and what the tenant's `jobs` have published.
    pub fn new(graph: Arc<dyn GraphStore>, jobs: Arc<dyn JobStore>) -> Self {
        Self { graph, jobs }
    }

    async fn remove(
        &self,
        context: &dyn OperationContext,
        tenant: TenantId,
    ) -> Result<RemoveTenantResult, OperationError> {
        let removed = self.before(context, tenant).await?;
        self.artifacts(context, tenant).await?;
        tell(
            context,
            "graph",
            format!("removing {} nodes", removed.nodes_removed),
            10.0,
        );
        patiently(context.clock(), || self.graph.delete_tenant(tenant)).await?;
        Ok(removed)
    }

    /// What was there before the first attempt.
    async fn before(
        &self,
        context: &dyn OperationContext,
        tenant: TenantId,
    ) -> Result<RemoveTenantResult, OperationError> {
        let kept = patiently(context.clock(), || context.checkpoint()).await?;
        let kept = kept.and_then(|kept| serde_json::from_slice(&kept).ok());
        if let Some(kept) = kept {
            return Ok(kept);
        }
        let stored = patiently(context.clock(), || self.graph.tenants()).await?;
        let stored = stored.iter().find(|summary| summary.tenant_id == tenant);
        let before = RemoveTenantResult {
            nodes_removed: stored.map_or(0, |summary| summary.nodes),
        };
        let checkpoint = serde_json::to_vec(&before).unwrap_or_default();
        patiently(context.clock(), || context.keep(checkpoint.clone())).await?;
        Ok(before)
    }

    async fn artifacts(&self, context: &dyn OperationContext, tenant: TenantId) -> Result<(), OperationError> {
        tell(context, "artifacts", "removing what was published".to_owned(), 0.0);
        let artifacts = context.artifacts();
        let mut offset = 0_u32;
        loop {
            let filter = JobFilter {
                tenants: Some(vec![tenant]),
                ..JobFilter::default()
            };
            let list = || self.jobs.list(filter.clone(), JOBS_PAGE_ROWS, offset);
            let page = patiently(context.clock(), list).await?;
            if page.jobs.is_empty() {
                return Ok(());
            }
            for job in &page.jobs {
                patiently(context.clock(), || artifacts.delete(job.id)).await?;
            }
            offset = offset.saturating_add(JOBS_PAGE_ROWS);
        }
    }
}

#[async_trait]
impl Operation for RemoveTenantOperation {
    const KIND: JobKind = JobKind::RemoveTenant;
    type Params = RemoveTenantRequest;
    type Outcome = RemoveTenantResult;

    fn on_crash(&self) -> OnCrash {
        OnCrash::Rerun
    }

    fn tenant_use(&self) -> TenantUse {
        TenantUse::Exclusive
    }

    async fn run(
        &self,
        context: &dyn OperationContext,
        params: RemoveTenantRequest,
    ) -> Result<Finished<RemoveTenantResult>, OperationError> {
        // Each transaction is done or not; a removal that stops between two leaves a tenant without a scan, from
        // which nothing is generated, and which can be removed again.
        let outcome = unless_stopped(context, self.remove(context, params.tenant_id)).await?;
        Ok(Finished {
            outcome,
            artifact: None,
        })
    }
}

fn tell(context: &dyn OperationContext, phase: &str, message: String, percent: f64) {
    context.progress(Progress {
        phase: phase.to_owned(),
        message,
        percent,
        ..Progress::default()
    });
}

#[cfg(test)]
mod tests {
    use atg_db::ArtifactStore as _;
    use atg_models::job::{ArtifactName, NewJob};
    use atg_models::{Fence, JobId};
    use bytes::Bytes;
    use futures_util::{StreamExt as _, stream};
    use time::macros::datetime;
    use uuid::Uuid;

    use super::*;
    use crate::testing::{SCAN, Script, Store, TENANT, World};

    const REMOVAL: JobId = JobId::new(JobKind::RemoveTenant, Uuid::from_u128(9));

    impl Store {
        fn removal(&self) -> RemoveTenantOperation {
            let jobs: Arc<dyn JobStore> = Arc::<atg_db::sqlite::SqliteJobs>::clone(&self.stores.jobs);
            RemoveTenantOperation::new(self.graph(), jobs)
        }

        /// A job of that tenant with an artifact.
        async fn published(&self, number: u128, tenant: &str) -> JobId {
            let id = JobId::new(JobKind::GenerateIac, Uuid::from_u128(number));
            let job = NewJob {
                id,
                tenant: tenant.to_owned(),
                tenant_use: TenantUse::Shared,
                on_crash: OnCrash::Rerun,
                key_prefix: number.to_string(),
                params: serde_json::Value::Null,
                created_at: datetime!(2026-01-01 12:00 UTC),
            };
            self.stores.jobs.insert(job, None).await.unwrap();
            let bytes = stream::iter([Ok(Bytes::from_static(b"zip"))]).boxed();
            self.stores.artifacts.put(published_by(id), bytes, 10).await.unwrap();
            id
        }
    }

    fn published_by(job: JobId) -> ArtifactName {
        let lease = Fence::new(1);
        ArtifactName { job, lease }
    }

    const PARAMS: RemoveTenantRequest = RemoveTenantRequest { tenant_id: TENANT };

    #[tokio::test]
    async fn nothing_is_left_of_it_and_other_tenants_keep_theirs() {
        let store = Store::new();
        let scanned = store.scan(SCAN, &World::small(), &Script::default()).await;
        // More than one page of jobs.
        let many = u128::from(JOBS_PAGE_ROWS) + 3;
        let mut own = Vec::new();
        for number in 0..many {
            own.push(store.published(number, &TENANT.to_string().to_uppercase()).await);
        }
        let other = store.published(many, "22222222-2222-2222-2222-222222222222").await;

        let context = store.context(REMOVAL);
        let removed = store.removal().run(&context, PARAMS).await.unwrap().outcome;
        assert_eq!(removed.nodes_removed, scanned.nodes);
        assert!(store.graph().tenants().await.unwrap().is_empty());
        for job in own {
            assert_eq!(
                store.stores.artifacts.size(published_by(job)).await.unwrap(),
                None,
                "{job}"
            );
            assert!(store.stores.jobs.get(job).await.unwrap().is_some(), "its record stays");
        }
        assert_eq!(store.stores.artifacts.size(published_by(other)).await.unwrap(), Some(3));
    }

    #[tokio::test]
    async fn what_was_interrupted_counts_once() {
        let store = Store::new();
        let scanned = store.scan(SCAN, &World::small(), &Script::default()).await;
        let context = store.context(REMOVAL);
        // An attempt that came as far as the graph, and no further.
        let kept = store.removal().before(&context, TENANT).await.unwrap();
        assert_eq!(kept.nodes_removed, scanned.nodes);
        store.graph().delete_tenant(TENANT).await.unwrap();
        let removed = store.removal().run(&context, PARAMS).await.unwrap().outcome;
        assert_eq!(removed.nodes_removed, scanned.nodes);
    }

    #[tokio::test]
    async fn a_cancelled_removal_removes_nothing_more() {
        let store = Store::new();
        store.scan(SCAN, &World::small(), &Script::default()).await;
        let context = store.context(REMOVAL);
        context.token.cancel();
        let outcome = store.removal().run(&context, PARAMS).await;
        assert!(matches!(outcome, Err(OperationError::Stopped)), "{outcome:?}");
        assert_eq!(store.graph().tenants().await.unwrap().len(), 1);
    }
}
