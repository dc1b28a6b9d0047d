//! `generate-spec`: a tenant's specification in Markdown, which tells how it is built and not whose it is.
//!
//! Two passes over the snapshot: the first makes an outline and gives every node its placeholder, the
//! second describes resources, a few bodies at a time. Must never: let a text of the tenant through that
//! is not known to be harmless, or depend on the time, the job or the scan's id.

mod access;
mod body;
mod describe;
mod document;
mod draft;
mod evidence;
mod files;
mod flat;
mod harmless;
mod head;
mod key;
mod mac;
mod names;
mod outline;
mod prefix;
mod read;
#[rustfmt::skip]
mod tables;
#[cfg(test)]
mod tests;
mod tree;
mod value;

use std::sync::Arc;

use async_trait::async_trait;
use atg_db::GraphStore;
use atg_iac::OutputFile;
use atg_jobs::{Finished, Operation, OperationContext, OperationError};
use atg_models::api::{BasedOnScan, GenerateSpecRequest, GenerateSpecResult};
use atg_models::graph::{BasedOn, Verdict};
use atg_models::job::{OnCrash, Progress, TenantUse};
use atg_models::{IdGen, JobKind};

use crate::stop::unless_stopped;
use crate::{archive, basis};

/// The operation.
pub struct GenerateSpecOperation {
    spec: Specification,
}

impl GenerateSpecOperation {
    /// Reads from `graph`; `ids` makes the secret of each tenant, once.
    pub fn new(graph: Arc<dyn GraphStore>, ids: Arc<dyn IdGen>) -> Self {
        let spec = Specification::new(graph, ids);
        Self { spec }
    }
}

#[async_trait]
impl Operation for GenerateSpecOperation {
    const KIND: JobKind = JobKind::GenerateSpec;
    type Params = GenerateSpecRequest;
    type Outcome = GenerateSpecResult;

    /// It begins again: nothing is published before the end.
    fn on_crash(&self) -> OnCrash {
        OnCrash::Rerun
    }

    fn tenant_use(&self) -> TenantUse {
        TenantUse::Shared
    }

    async fn run(
        &self,
        context: &dyn OperationContext,
        params: GenerateSpecRequest,
    ) -> Result<Finished<GenerateSpecResult>, OperationError> {
        let work = async {
            let (outcome, files) = self.spec.write(context, &params, Pace::WHOLE).await?;
            let artifact = archive::publish(context, files, "narrow it with limit").await?;
            Ok(Finished {
                outcome,
                artifact: Some(artifact),
            })
        };
        unless_stopped(context, work).await
    }
}

/// The part of a job's progress that the specification takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    from: f64,
    to: f64,
    /// What the scan before it has found.
    resources: Option<u64>,
}

impl Pace {
    const WHOLE: Self = Self {
        from: 0.0,
        to: 100.0,
        resources: None,
    };

    /// Behind a scan, which ends at 97.
    pub(crate) const fn after_scan(resources: u64) -> Self {
        Self {
            from: 97.0,
            to: 100.0,
            resources: Some(resources),
        }
    }

    fn tell(self, context: &dyn OperationContext, message: String, percent: f64) {
        context.progress(Progress {
            phase: "specification".to_owned(),
            message,
            percent: self.from + (self.to - self.from) * percent / 100.0,
            resources_discovered: self.resources,
            ..Progress::default()
        });
    }
}

/// Writes specifications: for its own operation, and behind a scan.
pub(crate) struct Specification {
    graph: Arc<dyn GraphStore>,
    keys: key::Keys,
}

impl Specification {
    pub(crate) fn new(graph: Arc<dyn GraphStore>, ids: Arc<dyn IdGen>) -> Self {
        let keys = key::Keys::new(Arc::clone(&graph), ids);
        Self { graph, keys }
    }

    /// The files, and what is in them.
    pub(crate) async fn write(
        &self,
        context: &dyn OperationContext,
        request: &GenerateSpecRequest,
        pace: Pace,
    ) -> Result<(GenerateSpecResult, Vec<OutputFile>), OperationError> {
        let named = request.tenant_id.map(|tenant| tenant.to_string());
        let tenant = basis::tenant(context, &self.graph, named.as_deref()).await?;
        let based_on = basis::of(context, &self.graph, tenant).await?;
        let key = self.keys.of(context, tenant).await?;
        let reading = read::Reading {
            context,
            graph: &self.graph,
            tenant,
            pace,
        };
        let draft = reading.everything(draft::Draft::new(&key, tenant, request)).await?;
        pace.tell(context, "putting the specification together".to_owned(), 90.0);
        let hierarchical = request.hierarchical;
        let facts = based_on.based_on.clone();
        let (counts, files) = read::in_the_background(move || document::write(draft, &facts, hierarchical)).await?;
        Ok((outcome(request, &counts, based_on), files))
    }
}

fn outcome(request: &GenerateSpecRequest, counts: &document::Counts, based_on: BasedOnScan) -> GenerateSpecResult {
    let document::Counts {
        resources,
        described,
        subscriptions,
        resource_groups,
        relationships,
    } = *counts;
    GenerateSpecResult {
        hierarchical: request.hierarchical,
        resources,
        described,
        subscriptions,
        resource_groups,
        relationships,
        notes: notes(&based_on.based_on, resources - described),
        based_on,
    }
}

fn notes(based_on: &BasedOn, left_out: u64) -> Vec<String> {
    let mut notes = Vec::new();
    if based_on.verdict == Verdict::Partial {
        let gaps = based_on.gaps.len();
        notes.push(format!(
            "the scan that this specification rests on is partial: {gaps} gaps, see based_on"
        ));
    }
    if left_out > 0 {
        notes.push(format!("the limit leaves {left_out} resources out"));
    }
    notes
}
