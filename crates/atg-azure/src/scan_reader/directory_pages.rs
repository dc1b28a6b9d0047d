//! Pages of Microsoft Graph's collections.

use atg_models::NodeId;
use atg_models::graph::{GraphBatch, Source as Service};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::memory::Place;
use super::{AzureReader, page_error};
use crate::client::{LinkedPage, at_home};
use crate::http::{CallError, Refusal};
use crate::observe::{self, Listing};
use crate::plan::{DIRECTORY, Directory, Source};
use crate::{PageError, PageRead, limits};

/// Where a collection goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cursor {
    next: String,
    seen: u64,
    /// As the first page counted.
    total: Option<u64>,
}

impl AzureReader {
    pub(super) async fn directory_page(
        &self,
        source: &'static Source,
        directory: Directory,
        place: &Place,
        cursor: Option<&str>,
        cancelled: &CancellationToken,
    ) -> Result<PageRead, PageError> {
        let Ok(before) = cursor.map(serde_json::from_str::<Cursor>).transpose() else {
            return Err(self.memory.expired(place));
        };
        let url = match before
            .as_ref()
            .map(|before| at_home(&self.client.endpoints.graph, &before.next))
        {
            None => self.first_url(directory),
            Some(Some(link)) => link,
            Some(None) => return Err(self.memory.expired(place)),
        };
        let page = match self
            .client
            .graph_page(url, directory.cost, source.doing, cancelled)
            .await
        {
            Ok(page) => page,
            Err(CallError::Refused(refusal)) if is_expired(&refusal) => return Err(self.memory.expired(place)),
            Err(error) => return Err(page_error(error, || DIRECTORY.to_owned())),
        };
        let (seen, total) = self.add_up(place, before.as_ref(), &page)?;
        let next = page.next.as_ref().map(|next| Cursor {
            next: next.to_string(),
            seen,
            total,
        });
        if next.is_none() {
            self.memory.forget(place);
        }
        Ok(PageRead {
            batch: self.directory_batch(source, directory, &page.rows),
            rows: u64::try_from(page.rows.len()).unwrap_or(u64::MAX),
            // A cursor of plain values always prints.
            next: next.map(|next| serde_json::to_string(&next).unwrap_or_default()),
            other_tenant: 0,
        })
    }

    fn first_url(&self, directory: Directory) -> url::Url {
        let top = limits::GRAPH_PAGE_ROWS.to_string();
        let mut query = Vec::new();
        if !directory.select.is_empty() {
            query.push(("$select", directory.select));
        }
        if directory.sized {
            query.push(("$top", top.as_str()));
        }
        if directory.counted {
            query.push(("$count", "true"));
        }
        self.client.graph_url(directory.path, &query)
    }

    /// Rows seen and their total, or what does not add up.
    fn add_up(
        &self,
        place: &Place,
        before: Option<&Cursor>,
        page: &LinkedPage,
    ) -> Result<(u64, Option<u64>), PageError> {
        let mismatch = |problem: &str| self.memory.mismatch(place, problem);
        for row in &page.rows {
            let id = row.get("id").and_then(Value::as_str).unwrap_or_default();
            if !self.memory.note(place, id) {
                return Err(mismatch("a page came twice"));
            }
        }
        if let Some(next) = &page.next
            && !self.memory.note(place, next.as_str())
        {
            return Err(mismatch("the links to the next page form a loop"));
        }
        let seen = before.map_or(0, |before| before.seen);
        let seen = seen.saturating_add(u64::try_from(page.rows.len()).unwrap_or(u64::MAX));
        let total = before.map_or(page.count, |before| before.total);
        match total {
            Some(total) if seen > total || (page.next.is_none() && seen != total) => Err(mismatch(&format!(
                "{seen} objects were read of {total} that Microsoft Graph counts"
            ))),
            Some(_) | None => Ok((seen, total)),
        }
    }

    fn directory_batch(&self, source: &Source, directory: Directory, rows: &[Value]) -> GraphBatch {
        self.observed(Service::Graph, None, |context| match directory.kind {
            Some(kind) => {
                let mut batch = GraphBatch::default();
                for row in rows {
                    match observe::directory_row(kind, row, context) {
                        Ok(observation) => batch.observations.push(observation),
                        Err(error) => tracing::warn!(source = source.name, %error, "an object cannot be stored"),
                    }
                }
                batch
            }
            None => GraphBatch {
                observations: Vec::new(),
                listed: observe::listed(Listing::PermissionGrants, &NodeId::tenant(self.tenant), rows, context),
            },
        })
    }
}

/// Whether a refusal says that the page token is gone.
pub(super) fn is_expired(refusal: &Refusal) -> bool {
    [
        "Directory_ExpiredPageToken",
        "Directory_InvalidPageToken",
        "Skip token is not valid",
    ]
    .into_iter()
    .any(|code| refusal.says(code))
}
