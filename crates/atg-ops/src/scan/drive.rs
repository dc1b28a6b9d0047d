//! A scan from its request to its record: plan, read step by step, sweep, close.

use std::sync::{Arc, Mutex, PoisonError};

use atg_azure::{Azure, CallCounts, ReaderOptions, ScanPlan, Step, TenantReader, Track};
use atg_db::GraphStore;
use atg_jobs::{OperationContext, OperationError};
use atg_models::ErrorCode;
use atg_models::api::{ScanMode, ScanRequest, ScanResult};
use atg_models::graph::{CollectionState, ScanCounts, ScanEnd, ScanHandle, ScanRecord, ScanStart, Verdict};
use atg_models::job::{JobError, LogLevel, Progress};
use futures_util::future::try_join_all;

use crate::patience::patiently;
use crate::scan::board::Board;
use crate::scan::decide::{azure_end, job_end, may_sweep, not_planned, verdict};
use crate::scan::limit::ResourceLimit;
use crate::scan::read::{PagesInMemory, Reading};
use crate::scan::tally::Tally;

/// Scans, or goes on with the scan that an earlier attempt of the job began.
pub(super) async fn scan(
    context: &dyn OperationContext,
    graph: &Arc<dyn GraphStore>,
    azure: &dyn Azure,
    request: &ScanRequest,
) -> Result<ScanResult, OperationError> {
    let scan_id = context.job_id();
    let earlier = patiently(context.clock(), || graph.scan(scan_id)).await?;
    if let Some(record) = earlier.as_ref().filter(|record| record.end.is_some()) {
        return result(record, request);
    }
    context.progress(Progress {
        phase: "plan".to_owned(),
        message: "asking Azure what there is to read".to_owned(),
        ..Progress::default()
    });
    let reader = open(azure, request).await?;
    let filters = request.filters();
    let plan = reader.plan(&filters, &context.cancelled()).await.map_err(job_end)?;
    let start = ScanStart {
        scan_id,
        fence: context.fence(),
        tenant_id: request.tenant_id,
        principal: plan.principal.clone(),
        filters,
        started_at: context.clock().now(),
    };
    let handle = patiently(context.clock(), || graph.begin_scan(start.clone())).await?;
    if earlier.is_some() {
        context.log(LogLevel::Info, "the scan goes on where it was interrupted".to_owned());
    }
    let end = read_and_sweep(context, graph, reader.as_ref(), request, handle, plan).await?;
    let record = patiently(context.clock(), || graph.finish_scan(handle, end.clone())).await?;
    result(&record, request)
}

async fn open(azure: &dyn Azure, request: &ScanRequest) -> Result<Arc<dyn TenantReader>, OperationError> {
    let options = ReaderOptions {
        max_concurrency: usize::try_from(request.max_concurrency).unwrap_or(1),
        max_retries: request.max_retries,
    };
    let reader = azure
        .reader(request.tenant_id, options)
        .await
        .map_err(|error| azure_end(&error))?;
    if reader.tenant() == request.tenant_id {
        return Ok(reader);
    }
    let message = format!(
        "the credential reads tenant {}, and the scan is of tenant {}",
        reader.tenant(),
        request.tenant_id
    );
    Err(OperationError::Fatal(JobError::new(
        ErrorCode::AzureAuthenticationFailed,
        message,
    )))
}

async fn read_and_sweep(
    context: &dyn OperationContext,
    graph: &Arc<dyn GraphStore>,
    reader: &dyn TenantReader,
    request: &ScanRequest,
    handle: ScanHandle,
    plan: ScanPlan,
) -> Result<ScanEnd, OperationError> {
    let collections: Vec<_> = plan.steps.iter().flat_map(|step| step.collections.clone()).collect();
    patiently(context.clock(), || graph.plan(handle, collections.clone())).await?;
    let ledger = patiently(context.clock(), || graph.ledger(handle.scan_id)).await?;
    let checkpoint = patiently(context.clock(), || context.checkpoint()).await?;
    let tally = Tally::resume(checkpoint.as_deref(), &ledger);
    let used = tally.total().resources;
    let board = Board::new(ledger, &plan.subscriptions, used);
    let reading = Reading {
        context,
        clock: context.clock(),
        cancelled: context.cancelled(),
        graph,
        reader,
        handle,
        board: &board,
        limit: ResourceLimit::new(request.resource_limit, used),
        tally: Mutex::new(tally),
        pages: PagesInMemory::new(),
        max_concurrency: usize::try_from(request.max_concurrency).unwrap_or(1).max(1),
    };
    let tracks = Track::ALL.map(|track| read_track(&reading, &plan.steps, track));
    try_join_all(tracks).await?;
    settle_forgotten(&reading).await?;
    if !reading.limit.has_cut() && !was_cut(&board) {
        sweep(&reading).await?;
    }
    if request.rebuild_edges {
        board.tell_phase(context, "edges", "deriving all edges again", 94.0);
        let rederive = || graph.rederive(handle, Arc::new(atg_azure::observe::rederive));
        let bodies = patiently(context.clock(), rederive).await?;
        context.log(
            LogLevel::Info,
            format!("the edges of {bodies} bodies were derived again"),
        );
    }
    board.tell_phase(context, "finish", "closing the scan", 97.0);
    let (verdict, gaps) = verdict(&board.entries());
    let other_tenant = reading
        .tally
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .total()
        .other_tenant;
    Ok(ScanEnd {
        verdict,
        gaps,
        not_planned: not_planned(plan.not_planned, other_tenant),
        counts: counts(reader.calls()),
        ended_at: context.clock().now(),
    })
}

/// Reads the steps of a track, one after the other.
async fn read_track(reading: &Reading<'_>, steps: &[Step], track: Track) -> Result<(), OperationError> {
    for step in steps.iter().filter(|step| step.track == track) {
        reading.board.begun(step.name);
        reading.board.tell(reading.context, None);
        reading.step(step).await?;
        reading.board.ended(step.name);
        reading.context.log(LogLevel::Info, format!("{}: read", step.name));
    }
    Ok(())
}

/// Collections of an earlier attempt's plan that this one's does not name: their subscription is gone.
async fn settle_forgotten(reading: &Reading<'_>) -> Result<(), OperationError> {
    for entry in reading.board.entries() {
        if !entry.state.is_settled() {
            reading.settle(&entry.collection, None).await?;
        }
    }
    Ok(())
}

/// Whether an earlier attempt was cut off by the limit.
fn was_cut(board: &Board) -> bool {
    board
        .entries()
        .iter()
        .any(|entry| matches!(entry.state, CollectionState::Skipped { .. }))
}

async fn sweep(reading: &Reading<'_>) -> Result<(), OperationError> {
    reading
        .board
        .tell_phase(reading.context, "sweep", "removing what is gone", 91.0);
    let mut removed: u64 = 0;
    for entry in reading.board.entries().iter().filter(|entry| may_sweep(entry)) {
        let swept = patiently(Arc::clone(&reading.clock), || {
            reading.graph.sweep(reading.handle, &entry.collection)
        })
        .await?;
        removed = removed.saturating_add(swept.nodes);
    }
    if removed > 0 {
        let message = format!("{removed} nodes are gone since the last scan");
        reading.context.log(LogLevel::Info, message);
    }
    Ok(())
}

fn counts(calls: CallCounts) -> ScanCounts {
    let CallCounts {
        calls,
        throttled,
        errors,
    } = calls;
    ScanCounts {
        calls,
        throttled,
        errors,
        ..ScanCounts::default()
    }
}

/// The job's outcome, from the scan's record.
fn result(record: &ScanRecord, request: &ScanRequest) -> Result<ScanResult, OperationError> {
    let (Some(end), Some(graph_digest)) = (&record.end, &record.graph_digest) else {
        tracing::error!(scan = %record.scan_id, "a closed scan has no end");
        return Err(OperationError::Fatal(JobError::new(
            ErrorCode::Internal,
            "internal error",
        )));
    };
    Ok(ScanResult {
        resources_discovered: end.counts.resources_discovered,
        nodes: end.counts.nodes,
        edges: end.counts.edges,
        verdict: end.verdict,
        gaps: end.gaps.clone(),
        not_planned: end.not_planned.clone(),
        notes: notes(request, end),
        graph_digest: graph_digest.clone(),
    })
}

fn notes(request: &ScanRequest, end: &ScanEnd) -> Vec<String> {
    let mut notes = Vec::new();
    let mut later = |asked: bool, what: &str| {
        if asked {
            notes.push(format!("{what} was asked for and does not exist in this version"));
        }
    };
    later(request.visualize, "visualize");
    later(request.mode == ScanMode::Incremental, "mode incremental");
    if request.mode == ScanMode::Incremental {
        notes.push("everything was read".to_owned());
    }
    if request.rebuild_edges {
        notes.push("all edges were derived again from the stored bodies".to_owned());
    }
    if end.counts.ambiguous_aliases > 0 {
        let count = end.counts.ambiguous_aliases;
        notes.push(format!(
            "{count} names are used by more than one resource: references by them were not resolved"
        ));
    }
    if end.verdict == Verdict::Partial {
        notes.push("the graph is partial: nothing was removed where something was not read".to_owned());
    }
    notes
}
