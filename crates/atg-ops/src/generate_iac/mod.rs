//! `generate-iac`: turns what is stored of a tenant into infrastructure code, and publishes it as a zip.
//!
//! Relies on `atg-iac` for the code itself. Must never: publish anything that depends on the time, the
//! job or the scan's id, so that equal graphs give equal zips.

mod target;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use atg_db::GraphStore;
use atg_iac::{Finding, Format, IacError, ImportBlocks, Input, Options, Output, ProviderVersion, Report, Severity};
use atg_jobs::{Finished, Operation, OperationContext, OperationError};
use atg_models::api::{BasedOnScan, GenerateIacRequest, GenerateIacResult, IacFormat, ImportStrategy};
use atg_models::graph::{BasedOn, Node, Verdict};
use atg_models::job::{JobError, OnCrash, Progress, TenantUse};
use atg_models::limits::SNAPSHOT_PAGE_ROWS;
use atg_models::{ErrorCode, JobKind, TenantId};
use futures_util::StreamExt as _;

use crate::limits::SHOWN_FINDINGS_MAX;
use crate::patience::patiently;
use crate::stop::unless_stopped;
use crate::{archive, basis};

/// The operation.
pub struct GenerateIacOperation {
    graph: Arc<dyn GraphStore>,
}

impl GenerateIacOperation {
    /// Reads from `graph`.
    pub fn new(graph: Arc<dyn GraphStore>) -> Self {
        Self { graph }
    }
}

#[async_trait]
impl Operation for GenerateIacOperation {
    const KIND: JobKind = JobKind::GenerateIac;
    type Params = GenerateIacRequest;
    type Outcome = GenerateIacResult;

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
        params: GenerateIacRequest,
    ) -> Result<Finished<GenerateIacResult>, OperationError> {
        unless_stopped(context, generate(context, &self.graph, &params)).await
    }
}

async fn generate(
    context: &dyn OperationContext,
    graph: &Arc<dyn GraphStore>,
    request: &GenerateIacRequest,
) -> Result<Finished<GenerateIacResult>, OperationError> {
    let mut options = options(request);
    let tenant = basis::tenant(context, graph, request.tenant_id.as_deref()).await?;
    options.existing = target::known(context, graph, request, tenant).await?.map(Arc::new);
    let basis = basis::of(context, graph, tenant).await?;
    let nodes = snapshot(context, graph, tenant).await?;
    tell(
        context,
        "generate",
        format!("writing code from {} nodes", nodes.len()),
        40.0,
    );
    let input = Input {
        nodes,
        based_on: basis.based_on.clone(),
    };
    let Output { files, report } = in_the_background(context, input, options).await?;
    tell(context, "publish", format!("packing {} files", files.len()), 80.0);
    let artifact = archive::publish(context, files, "narrow it with resource_filters").await?;
    Ok(Finished {
        outcome: outcome(request, &report, basis),
        artifact: Some(artifact),
    })
}

/// What the request asks of the generator.
fn options(request: &GenerateIacRequest) -> Options {
    let format = match request.format {
        IacFormat::Terraform => Format::Terraform,
        IacFormat::Arm => Format::Arm,
        IacFormat::Bicep => Format::Bicep,
    };
    let import_blocks = match (request.auto_import_existing, request.import_strategy) {
        (false, _) => ImportBlocks::None,
        (true, ImportStrategy::ResourceGroups) => ImportBlocks::ResourceGroups,
        (true, ImportStrategy::AllResources) => ImportBlocks::AllResources,
        (true, ImportStrategy::Selective) => ImportBlocks::Selective,
    };
    let provider_version = match request.provider_version.as_deref() {
        Some("4") => ProviderVersion::V4,
        Some(_) | None => ProviderVersion::V5,
    };
    Options {
        format,
        provider_version,
        import_blocks,
        register_providers: request.auto_register_providers,
        fix_subnets: request.auto_fix_subnets,
        skip_subnet_validation: request.skip_subnet_validation,
        filters: request.resource_filters.clone(),
        existing: None,
        target_tenant_id: request.target_tenant_id.map(|tenant| tenant.to_string()),
        target_subscription: request.target_subscription.map(|subscription| subscription.to_string()),
        naming_suffix: request.naming_suffix.clone(),
        location: request.location.clone(),
    }
}

async fn snapshot(
    context: &dyn OperationContext,
    graph: &Arc<dyn GraphStore>,
    tenant: TenantId,
) -> Result<Vec<Node>, OperationError> {
    let mut stream = patiently(context.clock(), || graph.snapshot(tenant)).await?;
    let page = usize::try_from(SNAPSHOT_PAGE_ROWS).unwrap_or(1).max(1);
    let mut nodes = Vec::new();
    while let Some(node) = stream.next().await {
        let mut node = node.map_err(OperationError::Store)?;
        if node.kind.is_derived() {
            continue;
        }
        if !atg_iac::reads_body_of(node.kind) {
            // A directory can be larger than all resources.
            node.body = None;
        }
        nodes.push(node);
        if nodes.len().is_multiple_of(page) {
            tell(context, "snapshot", format!("{} nodes read", nodes.len()), 5.0);
        }
    }
    Ok(nodes)
}

/// Generates on a thread of its own, which asks the token as often as `atg-iac` promises.
async fn in_the_background(
    context: &dyn OperationContext,
    input: Input,
    options: Options,
) -> Result<Output, OperationError> {
    let token = context.cancelled();
    let work = move || atg_iac::generate(input, &options, &|| token.is_cancelled());
    let output = match tokio::task::spawn_blocking(work).await {
        Ok(output) => output,
        Err(join) => match join.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => return Err(OperationError::Stopped),
        },
    };
    output.map_err(|error| match error {
        IacError::Cancelled => OperationError::Stopped,
        IacError::Table { .. } => {
            tracing::error!(%error, "code generation is broken");
            OperationError::Fatal(JobError::new(ErrorCode::Internal, "internal error"))
        }
    })
}

fn outcome(request: &GenerateIacRequest, report: &Report, based_on: BasedOnScan) -> GenerateIacResult {
    let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let reasons = report
        .reasons
        .iter()
        .map(|(reason, resources)| (reason.as_str().to_owned(), count(*resources)))
        .collect();
    GenerateIacResult {
        format: request.format,
        resources_in: count(report.resources_in),
        emitted: count(report.emitted),
        reported: count(report.reported),
        reasons,
        notes: notes(&based_on.based_on, &report.findings),
        based_on,
    }
}

/// What a client should know, errors first; all of it is in the report.
fn notes(based_on: &BasedOn, findings: &[Finding]) -> Vec<String> {
    let mut notes = match based_on.verdict {
        Verdict::Complete => Vec::new(),
        Verdict::Partial => vec![format!(
            "the scan that this code rests on is partial: {} gaps, see based_on",
            based_on.gaps.len()
        )],
    };
    let shown = findings.iter().take(SHOWN_FINDINGS_MAX).map(|finding| {
        let severity = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "info",
        };
        format!(
            "{severity}: {}: {}: {}",
            finding.option, finding.subject, finding.message
        )
    });
    notes.extend(shown);
    if let Some(more) = findings.len().checked_sub(SHOWN_FINDINGS_MAX).filter(|more| *more > 0) {
        notes.push(format!("{more} more remarks are in REPORT.md"));
    }
    notes
}
fn tell(context: &dyn OperationContext, phase: &str, message: String, percent: f64) {
    context.progress(Progress {
        phase: phase.to_owned(),
        message,
        percent,
        ..Progress::default()
    });
}
