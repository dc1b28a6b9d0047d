//! Reads what a document is made of, a chunk at a time: two passes over the nodes, one over the edges.

use std::sync::Arc;

use atg_db::{GraphStore, StoreError};
use atg_jobs::{OperationContext, OperationError};
use atg_models::TenantId;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;

use super::Pace;
use super::draft::Draft;
use crate::limits::SPEC_CHUNK_ROWS;
use crate::patience::patiently;

/// What reading needs.
pub(super) struct Reading<'a> {
    pub(super) context: &'a dyn OperationContext,
    pub(super) graph: &'a Arc<dyn GraphStore>,
    pub(super) tenant: TenantId,
    pub(super) pace: Pace,
}

impl Reading<'_> {
    /// Reads everything into the draft.
    pub(super) async fn everything(&self, draft: Draft) -> Result<Draft, OperationError> {
        self.tell("reading the outline", 1.0);
        let nodes = patiently(self.context.clock(), || self.graph.snapshot(self.tenant)).await?;
        let draft = self.each(nodes, draft, |draft, chunk| draft.outline(&chunk)).await?;
        self.tell("reading the relationships", 25.0);
        let edges = patiently(self.context.clock(), || self.graph.edges(self.tenant)).await?;
        let draft = self.each(edges, draft, |draft, chunk| draft.edges(&chunk)).await?;
        let message = format!("describing {} resources", draft.outline.described);
        self.tell(&message, 45.0);
        let nodes = patiently(self.context.clock(), || self.graph.snapshot(self.tenant)).await?;
        self.each(nodes, draft, |draft, chunk| draft.describe(&chunk)).await
    }

    /// Works through a stream on a thread where nobody waits for it, so that a cancelled job stops between chunks.
    async fn each<T: Send + 'static>(
        &self,
        rows: BoxStream<'static, Result<T, StoreError>>,
        mut draft: Draft,
        take: fn(&mut Draft, Vec<T>),
    ) -> Result<Draft, OperationError> {
        let mut chunks = rows.chunks(SPEC_CHUNK_ROWS);
        while let Some(chunk) = chunks.next().await {
            let chunk: Vec<T> = chunk
                .into_iter()
                .collect::<Result<_, _>>()
                .map_err(OperationError::Store)?;
            draft = in_the_background(move || {
                take(&mut draft, chunk);
                draft
            })
            .await?;
        }
        Ok(draft)
    }

    fn tell(&self, message: &str, percent: f64) {
        self.pace.tell(self.context, message.to_owned(), percent);
    }
}

/// Works on a thread where nobody waits for it. A panic is handed on.
pub(super) async fn in_the_background<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, OperationError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done),
        Err(join) => match join.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(OperationError::Stopped),
        },
    }
}
