//! Pages of Resource Graph.

use atg_models::graph::{GraphBatch, Source as Service};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::memory::Place;
use super::settle::{ArgCursor, take_page};
use super::{AzureReader, failed, page_error};
use crate::arg::{ArgError, ArgPage, Query, literal};
use crate::http::CallError;
use crate::observe::{self, RowError};
use crate::plan::{How, RESOURCE_GROUPS, RESOURCES, ROLE_ASSIGNMENTS, SUBSCRIPTIONS, Slice, Source};
use crate::{PageError, PageRead, limits};

/// The full envelope.
const ENVELOPE: &str = "id, name, type, tenantId, kind, location, resourceGroup, subscriptionId, managedBy, sku, plan, \
                        properties, tags, identity, zones, extendedLocation";

/// Stands in a cursor behind the last page when the collection turned out not to be readable whole:
/// the page is stored first, then the collection ends forbidden.
const UNSEEN: &str = "unseen:";

impl AzureReader {
    pub(super) async fn arg_page(
        &self,
        source: &'static Source,
        place: &Place,
        cursor: Option<&str>,
        cancelled: &CancellationToken,
    ) -> Result<PageRead, PageError> {
        if let Some(id) = cursor.and_then(|cursor| cursor.strip_prefix(UNSEEN)) {
            return Err(PageError::Forbidden {
                permission: reader_on(id),
            });
        }
        let before = cursor.map(serde_json::from_str::<ArgCursor>).transpose();
        // A cursor of another version is no loss: the partition is read again.
        let Ok(before) = before else {
            return Err(self.memory.expired(place));
        };
        let slice = Slice::parse(&place.1).ok_or_else(|| failed(format!("{:?} is no partition", place.1)))?;
        let subscription = self.subscription_of(place, cancelled).await?;
        if let (None, Some(subscription)) = (&before, &subscription)
            && let Some(read) = self.shared_page(source, place, subscription, &slice, cancelled).await?
        {
            return Ok(read);
        }
        let kql = kql(source, &slice, subscription.is_none());
        let (page, top) = self
            .fetch(source, place, &kql, subscription.as_ref(), before.as_ref(), cancelled)
            .await?;
        if let (None, Some(subscription), true) = (&before, &subscription, page.rows.is_empty()) {
            self.is_really_empty(source, subscription, &slice, cancelled).await?;
        }
        let total = page.total.unwrap_or_default();
        let after =
            take_page(before.as_ref(), &page.rows, total).map_err(|problem| self.memory.mismatch(place, &problem))?;
        if page.next.is_none() && (after.seen != total || page.truncated) {
            let problem = format!("{} rows were read of {total} that Resource Graph counts", after.seen);
            return Err(self.memory.mismatch(place, &problem));
        }
        let next = page.next.as_ref().map(|skip| ArgCursor {
            skip: skip.clone(),
            top,
            ..after
        });
        let mut read = self
            .stored(source, place, &page.rows, subscription.is_some(), cancelled)
            .await?;
        read.next = match next {
            // A cursor of plain values always prints.
            Some(next) => Some(serde_json::to_string(&next).unwrap_or_default()),
            None if source.name == SUBSCRIPTIONS && before.is_none() => {
                self.unseen(&page.rows, &slice, cancelled).await?
            }
            None => None,
        };
        if read.next.is_none() {
            self.memory.forget(place);
        }
        Ok(read)
    }

    /// The subscription that a collection is scoped to; forbidden if ARM does not list it.
    async fn subscription_of(&self, place: &Place, cancelled: &CancellationToken) -> Result<Option<String>, PageError> {
        let scope = place.0.scope();
        if scope == self.tenant.to_string() {
            return Ok(None);
        }
        if self.listed(cancelled).await?.is_own(scope) {
            return Ok(Some(scope.to_owned()));
        }
        Err(PageError::Forbidden {
            permission: reader_on(scope),
        })
    }

    /// Asks for a page, and for half as many rows each time the answer would be too large.
    async fn fetch(
        &self,
        source: &Source,
        place: &Place,
        kql: &str,
        subscription: Option<&String>,
        before: Option<&ArgCursor>,
        cancelled: &CancellationToken,
    ) -> Result<(ArgPage, u32), PageError> {
        let mut top = before.map_or(limits::ARG_PAGE_ROWS, |before| {
            before.top.clamp(1, limits::ARG_PAGE_ROWS)
        });
        loop {
            let query = Query {
                kql,
                subscriptions: subscription.map(std::slice::from_ref),
                top,
                skip_token: before.map(|before| before.skip.as_str()),
                doing: source.doing,
            };
            let permission = || subscription.map_or_else(|| "Reader on /".to_owned(), |id| reader_on(id));
            match self.client.arg(&query, cancelled).await {
                Ok(page) => return Ok((page, top)),
                Err(ArgError::TooLarge) if top > 1 => top /= 2,
                Err(ArgError::TooLarge) => return Err(failed("a single row is over 16 MiB".to_owned())),
                Err(ArgError::CursorExpired) => return Err(self.memory.expired(place)),
                Err(ArgError::NoAccess) => {
                    return Err(PageError::Forbidden {
                        permission: permission(),
                    });
                }
                Err(ArgError::Call(error)) => return Err(page_error(error, permission)),
            }
        }
    }

    /// Subscriptions without access drop out of Resource Graph silently: ARM tells them from empty ones.
    pub(super) async fn is_really_empty(
        &self,
        source: &Source,
        subscription: &str,
        slice: &Slice,
        cancelled: &CancellationToken,
    ) -> Result<(), PageError> {
        let forbidden = || PageError::Forbidden {
            permission: reader_on(subscription),
        };
        let whole = *slice == Slice::default();
        let listed = match source.name {
            RESOURCES if whole => self.client.has_resources(subscription, cancelled).await,
            RESOURCE_GROUPS if whole => {
                let names = self.client.group_names(subscription, cancelled).await;
                names.map(|names| !names.is_empty())
            }
            _ => self.client.subscription(subscription, cancelled).await.map(|()| false),
        };
        match listed {
            Ok(false) => Ok(()),
            Ok(true) => Err(forbidden()),
            Err(CallError::Refused(refusal)) if matches!(refusal.status, 403 | 404) => Err(forbidden()),
            Err(error) => Err(page_error(error, || reader_on(subscription))),
        }
    }

    /// A cursor that names the first subscription that ARM lists and Resource Graph does not.
    async fn unseen(
        &self,
        rows: &[Value],
        slice: &Slice,
        cancelled: &CancellationToken,
    ) -> Result<Option<String>, PageError> {
        let text = |row: &Value| row.get("subscriptionId").and_then(Value::as_str).map(str::to_lowercase);
        let seen: Vec<_> = rows.iter().filter_map(text).collect();
        let own = &self.listed(cancelled).await?.own;
        let asked = |id: &str| slice.only.as_ref().is_none_or(|only| only.contains(&literal(id)));
        let missing = own
            .iter()
            .find(|listed| asked(&listed.id) && !seen.contains(&listed.id));
        Ok(missing.map(|listed| format!("{UNSEEN}{}", listed.id)))
    }

    /// Rows as observations. A foreign row is expected only where delegated subscriptions show.
    pub(super) async fn stored(
        &self,
        source: &Source,
        place: &Place,
        rows: &[Value],
        in_subscription: bool,
        cancelled: &CancellationToken,
    ) -> Result<PageRead, PageError> {
        let versions = self.api_versions(cancelled).await?;
        let own = self.listed(cancelled).await?;
        let mut read = PageRead {
            batch: GraphBatch::default(),
            rows: 0,
            next: None,
            other_tenant: 0,
        };
        let outcomes = self.observed(Service::Arg, Some(versions), |context| {
            rows.iter()
                .map(|row| observe::arm_row(row, context))
                .collect::<Vec<_>>()
        });
        for (row, outcome) in rows.iter().zip(outcomes) {
            match outcome {
                Ok(observations) => {
                    read.rows += 1;
                    read.batch.observations.extend(observations);
                }
                Err(RowError::OtherTenant) => {
                    let id = row
                        .get("subscriptionId")
                        .and_then(Value::as_str)
                        .unwrap_or_default()
                        .to_lowercase();
                    if in_subscription || id.is_empty() || own.is_own(&id) {
                        return Err(self.memory.mismatch(place, "rows came that name another tenant"));
                    }
                    read.other_tenant += 1;
                }
                Err(error @ (RowError::NoId { .. } | RowError::NotAnObject)) => {
                    tracing::warn!(source = source.name, %error, "a row cannot be stored");
                    read.rows += 1;
                }
            }
        }
        Ok(read)
    }
}

fn reader_on(subscription: &str) -> String {
    format!("Reader on /subscriptions/{subscription}")
}

/// The rows of a source in the subscriptions that a query names, without an order.
pub(super) fn rows_in_subscriptions(source: &Source, slice: &Slice) -> String {
    selection(source, slice, false)
}

/// The query that reads them.
pub(super) fn kql(source: &Source, slice: &Slice, of_tenant: bool) -> String {
    let rows = selection(source, slice, of_tenant);
    format!("{rows} | project {ENVELOPE} | order by id asc")
}

fn selection(source: &Source, slice: &Slice, of_tenant: bool) -> String {
    let (table, condition) = match source.how {
        How::Arg { table, condition } => (table, condition),
        How::Tenant | How::DenyAssignments | How::Directory(_) | How::PerParent(_) => ("resources", ""),
    };
    let scope = match (source.name, of_tenant) {
        (RESOURCES, true) => "isempty(subscriptionId)",
        (ROLE_ASSIGNMENTS, true) => "id !startswith '/subscriptions/'",
        (ROLE_ASSIGNMENTS, false) => "id startswith '/subscriptions/'",
        _ => "",
    };
    let mut kql = table.to_owned();
    for condition in [condition, scope] {
        if !condition.is_empty() {
            kql.push_str(" | where ");
            kql.push_str(condition);
        }
    }
    kql.push_str(&slice.conditions());
    kql
}
