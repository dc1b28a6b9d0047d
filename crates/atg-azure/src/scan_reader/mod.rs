//! Reads one tenant as one principal: the plan, then page after page.
//!
//! Relies on: the ledger's keys and cursors saying all that a page needs, so that a new reader goes
//! on where another one stopped. What is only remembered here (rows and links seen, rows that a shared
//! query brought) makes faults of paging visible sooner and a scan faster; it is never needed to be right.

mod arg_pages;
mod deny_pages;
mod directory_pages;
mod factory;
mod listing_pages;
mod memory;
mod settle;
mod shared;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use async_trait::async_trait;
use atg_models::graph::{CollectionKey, GraphBatch, PartitionKey, ScanFilters, Source as Service};
use atg_models::{ArmType, TenantId};
use futures_util::StreamExt as _;
use secrecy::ExposeSecret as _;
use serde_json::Value;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use crate::arg::{ArgError, Query};
use crate::arm::{ApiVersions, ListedSubscription, version_of};
use crate::client::Client;
use crate::credential::Audience;
use crate::http::CallError;
use crate::observe::{self, Owned};
use crate::plan::{self, How, Known, RESOURCES, ROLE_ASSIGNMENTS, Sharing, Slice};
use crate::{AzureError, CallCounts, PageError, PageRead, Parents, ScanPlan, TenantReader, claims, limits};

pub use factory::{Azure, AzureReaders, ReaderOptions};

use memory::Memory;
use shared::Shared;

/// Reads one tenant as one principal.
pub struct AzureReader {
    tenant: TenantId,
    client: Client,
    /// The tenant's row of `GET /tenants`: there only when the token is of this tenant.
    verified: OnceCell<Value>,
    subscriptions: OnceCell<Subscriptions>,
    versions: OnceCell<ApiVersions>,
    memory: Memory,
    shared: Shared,
}

/// What ARM lists.
#[derive(Debug, Default)]
struct Subscriptions {
    own: Vec<ListedSubscription>,
    other_tenant: u64,
}

impl Subscriptions {
    fn is_own(&self, id: &str) -> bool {
        self.own.iter().any(|listed| listed.id == id)
    }
}

#[async_trait]
impl TenantReader for AzureReader {
    fn tenant(&self) -> TenantId {
        self.tenant
    }

    async fn plan(&self, filters: &ScanFilters, cancelled: &CancellationToken) -> Result<ScanPlan, PageError> {
        self.verify(cancelled).await?;
        let listed = self.listed(cancelled).await?;
        let chosen: Vec<String> = listed
            .own
            .iter()
            .map(|listed| listed.id.clone())
            .filter(|id| filters.subscriptions.is_empty() || filters.subscriptions.contains(id))
            .collect();
        let groups = self.group_names(&chosen, cancelled);
        let resources = self.count_resources(&chosen, filters, cancelled);
        let assignments = self.count_assignments(&chosen, filters, cancelled);
        let (groups, resources, assignments) = tokio::join!(groups, resources, assignments);
        let known = Known {
            tenant: self.tenant,
            principal: self.principal().await?,
            subscriptions: listed.own.clone(),
            other_tenant: listed.other_tenant,
            resources: resources?,
            groups: groups?,
        };
        let mut plan = plan::make(&known, filters);
        let sharing = Sharing {
            seen: chosen.into_iter().collect(),
            assignments: assignments?,
        };
        self.shared.expect(plan::share(&mut plan, &sharing));
        Ok(plan)
    }

    async fn page(
        &self,
        collection: &CollectionKey,
        partition: &PartitionKey,
        cursor: Option<&str>,
        parents: &dyn Parents,
        cancelled: &CancellationToken,
    ) -> Result<PageRead, PageError> {
        self.verify(cancelled).await?;
        let unknown = || failed(format!("this version does not know the collection {collection}"));
        let source = plan::source(collection.source()).ok_or_else(unknown)?;
        let place = (collection.clone(), partition.clone());
        if cursor.is_none() {
            self.memory.begin(&place);
        }
        match source.how {
            How::Tenant => self.tenant_page(cancelled).await,
            How::Arg { .. } => self.arg_page(source, &place, cursor, cancelled).await,
            How::DenyAssignments => self.deny_page(&place, cursor, cancelled).await,
            How::Directory(directory) => self.directory_page(source, directory, &place, cursor, cancelled).await,
            How::PerParent(list) => {
                self.listing_page(source, list, &place, cursor, parents, cancelled)
                    .await
            }
        }
    }

    fn calls(&self) -> CallCounts {
        self.client.http.counts()
    }
}

impl AzureReader {
    /// Step 0: the token's tenants hold the one that is scanned.
    async fn verify(&self, cancelled: &CancellationToken) -> Result<&Value, PageError> {
        const DOING: &str = "checking the tenant";
        let check = || async {
            let rows = self
                .client
                .tenants(cancelled)
                .await
                .map_err(|error| fatal(error, DOING))?;
            let wanted = self.tenant.to_string();
            let id = |row: &Value| row.get("tenantId").and_then(Value::as_str).map(str::to_lowercase);
            let seen: Vec<_> = rows.iter().filter_map(id).collect();
            let token = self.token().await?;
            let issuer = claims::tenant(token.expose_secret());
            let found = rows.into_iter().find(|row| id(row).as_deref() == Some(wanted.as_str()));
            match (found, issuer) {
                (Some(row), issuer) if issuer.as_deref().is_none_or(|issuer| issuer == wanted) => Ok(row),
                (_, issuer) => {
                    let other = issuer
                        .filter(|issuer| *issuer != wanted)
                        .unwrap_or_else(|| seen.join(", "));
                    Err(PageError::Fatal(AzureError::Authentication {
                        problem: format!("the token is of tenant {other}, not of the requested tenant {wanted}"),
                    }))
                }
            }
        };
        self.verified.get_or_try_init(check).await
    }

    async fn token(&self) -> Result<secrecy::SecretString, PageError> {
        let token = self.client.http.tokens().token(Audience::Arm, None).await?;
        Ok(token.text)
    }

    async fn principal(&self) -> Result<String, PageError> {
        let token = self.token().await?;
        Ok(claims::principal(token.expose_secret()).unwrap_or_else(|| "unknown".to_owned()))
    }

    /// The subscriptions as ARM lists them, asked for once.
    async fn listed(&self, cancelled: &CancellationToken) -> Result<&Subscriptions, PageError> {
        const DOING: &str = "listing the subscriptions";
        let list = || async {
            let all = self
                .client
                .subscriptions(cancelled)
                .await
                .map_err(|error| fatal(error, DOING))?;
            let wanted = self.tenant.to_string();
            let of_here = |listed: &ListedSubscription| listed.tenant.as_ref().is_none_or(|tenant| *tenant == wanted);
            let (own, other): (Vec<_>, Vec<_>) = all.into_iter().partition(of_here);
            Ok(Subscriptions {
                own,
                other_tenant: u64::try_from(other.len()).unwrap_or(u64::MAX),
            })
        };
        self.subscriptions.get_or_try_init(list).await
    }

    /// The second source of the resource groups. A list that cannot be had leaves its count unknown.
    async fn group_names(
        &self,
        subscriptions: &[String],
        cancelled: &CancellationToken,
    ) -> Result<BTreeMap<String, Vec<String>>, PageError> {
        let lists = subscriptions.iter().cloned().map(|id| async move {
            let names = self.client.group_names(&id, cancelled).await;
            (id, names)
        });
        let mut groups = BTreeMap::new();
        let mut lists = futures_util::stream::iter(lists).buffer_unordered(limits::PLAN_CONCURRENCY);
        while let Some((id, names)) = lists.next().await {
            match names {
                Ok(names) => {
                    groups.insert(id, names);
                }
                Err(CallError::Cancelled) => return Err(PageError::Cancelled),
                Err(CallError::Authentication { problem }) => {
                    return Err(PageError::Fatal(AzureError::Authentication { problem }));
                }
                Err(CallError::Refused(_) | CallError::Throttled { .. } | CallError::Unavailable { .. }) => {}
            }
        }
        Ok(groups)
    }

    /// The second source of the resources. Counts that cannot be had are left unknown.
    async fn count_resources(
        &self,
        subscriptions: &[String],
        filters: &ScanFilters,
        cancelled: &CancellationToken,
    ) -> Result<Option<BTreeMap<String, u64>>, PageError> {
        let slice = Slice {
            of: None,
            only: plan::resources_only(filters),
        };
        let whole_tenant = filters.subscriptions.is_empty() && subscriptions.len() < limits::COUNTED_AT_ONCE;
        let scopes: Vec<Option<&[String]>> = if whole_tenant {
            vec![None]
        } else {
            subscriptions.chunks(limits::COUNTED_AT_ONCE).map(Some).collect()
        };
        self.count(RESOURCES, &slice, &scopes, "counting the resources", cancelled)
            .await
    }

    /// Which subscriptions are small enough to share the queries of their role assignments.
    async fn count_assignments(
        &self,
        subscriptions: &[String],
        filters: &ScanFilters,
        cancelled: &CancellationToken,
    ) -> Result<Option<BTreeMap<String, u64>>, PageError> {
        if subscriptions.len() < 2 || filters.narrows_resources() {
            return Ok(None);
        }
        let scopes: Vec<_> = subscriptions.chunks(limits::COUNTED_AT_ONCE).map(Some).collect();
        let doing = "counting the role assignments";
        self.count(ROLE_ASSIGNMENTS, &Slice::default(), &scopes, doing, cancelled)
            .await
    }

    /// A source's rows by subscription; nothing if one of the queries brought no whole answer.
    async fn count(
        &self,
        source: &str,
        slice: &Slice,
        scopes: &[Option<&[String]>],
        doing: &'static str,
        cancelled: &CancellationToken,
    ) -> Result<Option<BTreeMap<String, u64>>, PageError> {
        let Some(source) = plan::source(source) else {
            return Ok(None);
        };
        let rows = arg_pages::rows_in_subscriptions(source, slice);
        let kql = format!("{rows} | summarize count_ = count() by subscriptionId");
        let mut counts = BTreeMap::new();
        for scope in scopes {
            let query = Query {
                kql: &kql,
                subscriptions: *scope,
                top: limits::ARG_PAGE_ROWS,
                skip_token: None,
                doing,
            };
            match self.client.arg(&query, cancelled).await {
                Ok(page) if !page.truncated && page.next.is_none() => {
                    let counted = page.rows.iter().filter_map(|row| {
                        let id = row.get("subscriptionId").and_then(Value::as_str).unwrap_or_default();
                        Some((id.to_lowercase(), row.get("count_").and_then(Value::as_u64)?))
                    });
                    for (id, count) in counted {
                        let sum: &mut u64 = counts.entry(id).or_default();
                        *sum = sum.saturating_add(count);
                    }
                }
                Err(ArgError::Call(CallError::Cancelled)) => return Err(PageError::Cancelled),
                Err(ArgError::Call(CallError::Authentication { problem })) => {
                    return Err(PageError::Fatal(AzureError::Authentication { problem }));
                }
                Ok(_) | Err(_) => return Ok(None),
            }
        }
        Ok(Some(counts))
    }

    async fn tenant_page(&self, cancelled: &CancellationToken) -> Result<PageRead, PageError> {
        let row = self.verify(cancelled).await?.clone();
        let observations = self.observed(Service::Arm, None, |context| {
            vec![observe::tenant_node(Some(&row), context)]
        });
        Ok(PageRead {
            batch: GraphBatch {
                observations,
                listed: Vec::new(),
            },
            rows: 1,
            next: None,
            other_tenant: 0,
        })
    }

    /// The versions of the types, from the first subscription that answers; asked for once.
    async fn api_versions(&self, cancelled: &CancellationToken) -> Result<&ApiVersions, PageError> {
        let list = || async {
            let mut last = None;
            for listed in &self.listed(cancelled).await?.own {
                match self.client.api_versions(&listed.id, cancelled).await {
                    Ok(versions) => return Ok(versions),
                    Err(CallError::Refused(refusal)) => last = Some(CallError::Refused(refusal)),
                    Err(error) => return Err(page_error(error, || "Reader on a subscription".to_owned())),
                }
            }
            match last {
                Some(error) => Err(page_error(error, || "Reader on a subscription".to_owned())),
                None => Ok(ApiVersions::new()),
            }
        };
        self.versions.get_or_try_init(list).await
    }

    /// Runs a conversion of rows with this reader's context.
    fn observed<T>(
        &self,
        source: Service,
        versions: Option<&ApiVersions>,
        convert: impl FnOnce(&observe::Context<'_>) -> T,
    ) -> T {
        let owner = |thing: &Owned<'_>| plan::owner(self.tenant, thing);
        let api_version = |type_: &ArmType| versions.and_then(|versions| version_of(versions, type_));
        convert(&observe::Context {
            tenant: self.tenant,
            source,
            observed_at: self.client.http.clock().now(),
            owner: &owner,
            api_version: &api_version,
        })
    }
}

fn failed(reason: String) -> PageError {
    PageError::Failed { reason }
}

/// A failure without which there is no scan.
fn fatal(error: CallError, doing: &'static str) -> PageError {
    match error {
        CallError::Cancelled => PageError::Cancelled,
        CallError::Authentication { .. }
        | CallError::Refused(_)
        | CallError::Throttled { .. }
        | CallError::Unavailable { .. } => PageError::Fatal(error.into_fatal(doing)),
    }
}

/// A failure that leaves a gap; 403 names the permission.
fn page_error(error: CallError, permission: impl FnOnce() -> String) -> PageError {
    match error {
        CallError::Cancelled => PageError::Cancelled,
        CallError::Authentication { problem } => PageError::Fatal(AzureError::Authentication { problem }),
        CallError::Refused(refusal) if refusal.status == 403 => PageError::Forbidden {
            permission: permission(),
        },
        CallError::Refused(refusal) => failed(format!(
            "refused with {} {}: {}",
            refusal.status,
            refusal.codes.join(", "),
            refusal.message
        )),
        CallError::Throttled { doing } => failed(format!("Azure kept answering 429 while {doing}")),
        CallError::Unavailable { doing, problem } => failed(format!("{doing}: {problem}")),
    }
}
