//! Lists of each object of a kind: members, owners, grants. Twenty objects make a page.

use atg_models::NodeId;
use atg_models::graph::{GraphBatch, Source as Service};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::directory_pages::is_expired;
use super::memory::Place;
use super::{AzureReader, page_error};
use crate::client::LinkedPage;
use crate::http::CallError;
use crate::msgraph::Part;
use crate::observe;
use crate::plan::{DIRECTORY, PerParent, Source};
use crate::{PageError, PageRead, Parents, limits};

/// Where the lists go on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cursor {
    /// The last object whose list was begun.
    after: Option<NodeId>,
    /// Lists with more pages: the object, and the link behind `/v1.0`.
    pending: Vec<(NodeId, String)>,
    /// Whether every object's list was begun.
    begun_all: bool,
}

impl AzureReader {
    pub(super) async fn listing_page(
        &self,
        source: &'static Source,
        list: PerParent,
        place: &Place,
        cursor: Option<&str>,
        parents: &dyn Parents,
        cancelled: &CancellationToken,
    ) -> Result<PageRead, PageError> {
        let cursor = cursor.map_or_else(|| Ok(Cursor::default()), serde_json::from_str::<Cursor>);
        let Ok(mut cursor) = cursor else {
            return Err(self.memory.expired(place));
        };
        let asked = self.next_parts(list, &mut cursor, parents).await?;
        let mut read = PageRead {
            batch: GraphBatch::default(),
            rows: 0,
            next: None,
            other_tenant: 0,
        };
        if !asked.is_empty() {
            let parts: Vec<_> = asked.iter().map(|(_, part)| part.clone()).collect();
            let batch = self.client.graph_batch(&parts, source.doing, cancelled).await;
            let outcomes = batch.map_err(|error| page_error(error, || DIRECTORY.to_owned()))?;
            for ((parent, _), outcome) in asked.iter().zip(outcomes) {
                let Some(page) = self.outcome(place, outcome)? else {
                    continue;
                };
                let more = self.check_list(place, parent, &page)?;
                cursor.pending.extend(more.map(|link| (parent.clone(), link)));
                read.rows = read
                    .rows
                    .saturating_add(u64::try_from(page.rows.len()).unwrap_or(u64::MAX));
                read.batch.listed.extend(self.observed(Service::Graph, None, |context| {
                    observe::listed(list.listing, parent, &page.rows, context)
                }));
            }
        }
        if cursor.begun_all && cursor.pending.is_empty() {
            self.memory.forget(place);
        } else {
            // A cursor of plain values always prints.
            read.next = Some(serde_json::to_string(&cursor).unwrap_or_default());
        }
        Ok(read)
    }

    /// Up to twenty lists: those with more pages first, then those of the next objects.
    async fn next_parts(
        &self,
        list: PerParent,
        cursor: &mut Cursor,
        parents: &dyn Parents,
    ) -> Result<Vec<(NodeId, Part)>, PageError> {
        let most = usize::try_from(limits::GRAPH_BATCH).unwrap_or(usize::MAX);
        if !cursor.pending.is_empty() {
            let pending = cursor.pending.drain(..cursor.pending.len().min(most));
            let parts = pending.map(|(parent, path)| (parent, Part { path, cost: list.cost }));
            return Ok(parts.collect());
        }
        let ids = parents
            .next(list.parent, cursor.after.as_ref(), limits::GRAPH_BATCH)
            .await?;
        cursor.begun_all = ids.len() < most;
        cursor.after = ids.last().cloned().or_else(|| cursor.after.take());
        let top = limits::GRAPH_PAGE_ROWS;
        let select = if list.select.is_empty() {
            String::new()
        } else {
            format!("$select={}&", list.select)
        };
        let parts = ids.into_iter().map(|id| {
            let path = format!("{}{id}{}?{select}$top={top}", list.before, list.behind);
            (id, Part { path, cost: list.cost })
        });
        Ok(parts.collect())
    }

    /// A list's page; nothing for an object that is gone.
    fn outcome(&self, place: &Place, outcome: Result<LinkedPage, CallError>) -> Result<Option<LinkedPage>, PageError> {
        match outcome {
            Ok(page) => Ok(Some(page)),
            Err(CallError::Refused(refusal)) if refusal.status == 404 => Ok(None),
            Err(CallError::Refused(refusal)) if is_expired(&refusal) => Err(self.memory.expired(place)),
            Err(error) => Err(page_error(error, || DIRECTORY.to_owned())),
        }
    }

    /// The link to a list's next page. Only lists of several pages can repeat one.
    fn check_list(&self, place: &Place, parent: &NodeId, page: &LinkedPage) -> Result<Option<String>, PageError> {
        let mismatch = |problem: &str| self.memory.mismatch(place, problem);
        for row in &page.rows {
            let id = row.get("id").and_then(Value::as_str).unwrap_or_default();
            if !self.memory.note(place, &format!("{parent} {id}")) {
                return Err(mismatch("a page of a list came twice"));
            }
        }
        let Some(next) = &page.next else { return Ok(None) };
        if !self.memory.note(place, next.as_str()) {
            return Err(mismatch("the links to the next page form a loop"));
        }
        let relative = self.client.graph_relative(next);
        relative
            .map(Some)
            .ok_or_else(|| mismatch("a link to the next page leads elsewhere"))
    }
}
