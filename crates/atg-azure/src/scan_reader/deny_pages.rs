//! Pages of deny assignments, which only ARM lists.

use atg_models::graph::{GraphBatch, Source as Service};
use tokio_util::sync::CancellationToken;

use super::memory::Place;
use super::{AzureReader, page_error};
use crate::client::at_home;
use crate::http::CallError;
use crate::observe::{self, RowError};
use crate::{PageError, PageRead};

impl AzureReader {
    pub(super) async fn deny_page(
        &self,
        place: &Place,
        cursor: Option<&str>,
        cancelled: &CancellationToken,
    ) -> Result<PageRead, PageError> {
        let subscription = place.0.scope();
        let permission = || format!("Microsoft.Authorization/denyAssignments/read on /subscriptions/{subscription}");
        if !self.listed(cancelled).await?.is_own(subscription) {
            return Err(PageError::Forbidden {
                permission: permission(),
            });
        }
        let next = match cursor.map(|link| at_home(&self.client.endpoints.arm, link)) {
            None => None,
            Some(Some(link)) => Some(link),
            Some(None) => return Err(self.memory.expired(place)),
        };
        let page = match self.client.deny_assignments(subscription, next, cancelled).await {
            Ok(page) => page,
            Err(CallError::Refused(refusal)) if refusal.says("InvalidSkipToken") => {
                return Err(self.memory.expired(place));
            }
            Err(error) => return Err(page_error(error, permission)),
        };
        let next = page.next.map(String::from);
        if next.as_ref().is_some_and(|link| !self.memory.note(place, link)) {
            return Err(self.memory.mismatch(place, "the links to the next page form a loop"));
        }
        let versions = self.api_versions(cancelled).await?;
        let mut read = PageRead {
            batch: GraphBatch::default(),
            rows: 0,
            next,
            other_tenant: 0,
        };
        let outcomes = self.observed(Service::Arm, Some(versions), |context| {
            page.rows
                .iter()
                .map(|row| observe::arm_row(row, context))
                .collect::<Vec<_>>()
        });
        for outcome in outcomes {
            match outcome {
                Ok(observations) => {
                    read.rows += 1;
                    read.batch.observations.extend(observations);
                }
                Err(RowError::OtherTenant) => read.other_tenant += 1,
                Err(error @ (RowError::NoId { .. } | RowError::NotAnObject)) => {
                    tracing::warn!(%error, "a deny assignment cannot be stored");
                    read.rows += 1;
                }
            }
        }
        if read.next.is_none() {
            self.memory.forget(place);
        }
        Ok(read)
    }
}
