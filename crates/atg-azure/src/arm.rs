//! Azure Resource Manager: tenants, subscriptions, lists, api-versions.

use std::collections::{BTreeMap, HashSet};

use atg_models::ArmType;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::client::{Client, LinkedPage, Purpose, url};
use crate::http::CallError;
use crate::limits;
use crate::quota::Lane;

/// Versions at which ARM's own lists are read. Source: Azure REST API reference.
const TENANTS: &str = "2022-12-01";
const SUBSCRIPTIONS: &str = "2022-12-01";
const GROUPS: &str = "2021-04-01";
const DENY_ASSIGNMENTS: &str = "2022-04-01";

/// A subscription as ARM lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListedSubscription {
    /// Lower case.
    pub(crate) id: String,
    pub(crate) name: String,
    /// Lower case.
    pub(crate) tenant: Option<String>,
}

/// The newest stable version of each type, else the newest preview.
pub(crate) type ApiVersions = BTreeMap<ArmType, String>;

impl Client {
    /// `GET /tenants`: the tenants that the token can see.
    pub(crate) async fn tenants(&self, cancelled: &CancellationToken) -> Result<Vec<Value>, CallError> {
        let url = url(&self.endpoints.arm, "/tenants", &[("api-version", TENANTS)]);
        self.arm_list(url, Lane::ArmTenant, "listing the tenants", cancelled)
            .await
    }

    /// `GET /subscriptions`, those of other tenants included.
    pub(crate) async fn subscriptions(
        &self,
        cancelled: &CancellationToken,
    ) -> Result<Vec<ListedSubscription>, CallError> {
        let url = url(&self.endpoints.arm, "/subscriptions", &[("api-version", SUBSCRIPTIONS)]);
        let rows = self
            .arm_list(url, Lane::ArmTenant, "listing the subscriptions", cancelled)
            .await?;
        let text = |row: &Value, name: &str| row.get(name).and_then(Value::as_str).map(str::to_owned);
        let mut listed: Vec<_> = rows
            .iter()
            .filter_map(|row| {
                let id = text(row, "subscriptionId")?;
                Some(ListedSubscription {
                    name: text(row, "displayName").unwrap_or_else(|| id.clone()),
                    id: id.to_lowercase(),
                    tenant: text(row, "tenantId").map(|tenant| tenant.to_lowercase()),
                })
            })
            .collect();
        listed.sort_by(|left, right| left.id.cmp(&right.id));
        listed.dedup_by(|left, right| left.id == right.id);
        Ok(listed)
    }

    /// Whether the principal may read a subscription: an error if not.
    pub(crate) async fn subscription(&self, id: &str, cancelled: &CancellationToken) -> Result<(), CallError> {
        let query = [("api-version", SUBSCRIPTIONS)];
        let url = url(&self.endpoints.arm, &format!("/subscriptions/{id}"), &query);
        let purpose = in_subscription(id, "reading a subscription");
        self.get(url, purpose, cancelled).await.map(|_| ())
    }

    /// The names of a subscription's resource groups, lower case.
    pub(crate) async fn group_names(
        &self,
        subscription: &str,
        cancelled: &CancellationToken,
    ) -> Result<Vec<String>, CallError> {
        let path = format!("/subscriptions/{subscription}/resourcegroups");
        let url = url(&self.endpoints.arm, &path, &[("api-version", GROUPS)]);
        let lane = Lane::ArmSubscription(subscription.to_owned());
        let rows = self
            .arm_list(url, lane, "listing the resource groups", cancelled)
            .await?;
        let names = rows.iter().filter_map(|row| row.get("name").and_then(Value::as_str));
        Ok(names.map(str::to_lowercase).collect())
    }

    /// Whether ARM lists any resource in a subscription.
    pub(crate) async fn has_resources(
        &self,
        subscription: &str,
        cancelled: &CancellationToken,
    ) -> Result<bool, CallError> {
        let path = format!("/subscriptions/{subscription}/resources");
        let url = url(&self.endpoints.arm, &path, &[("api-version", GROUPS), ("$top", "1")]);
        let purpose = in_subscription(subscription, "listing the resources of a subscription");
        let page = self.linked_page(url, purpose, cancelled).await?;
        Ok(!page.rows.is_empty())
    }

    /// One page of the deny assignments at, above and below a subscription.
    pub(crate) async fn deny_assignments(
        &self,
        subscription: &str,
        next: Option<Url>,
        cancelled: &CancellationToken,
    ) -> Result<LinkedPage, CallError> {
        let path = format!("/subscriptions/{subscription}/providers/Microsoft.Authorization/denyAssignments");
        let first = || url(&self.endpoints.arm, &path, &[("api-version", DENY_ASSIGNMENTS)]);
        let purpose = in_subscription(subscription, "listing the deny assignments");
        self.linked_page(next.unwrap_or_else(first), purpose, cancelled).await
    }

    /// The versions of every type, from the provider list of a subscription.
    pub(crate) async fn api_versions(
        &self,
        subscription: &str,
        cancelled: &CancellationToken,
    ) -> Result<ApiVersions, CallError> {
        let path = format!("/subscriptions/{subscription}/providers");
        let url = url(&self.endpoints.arm, &path, &[("api-version", GROUPS)]);
        let lane = Lane::ArmSubscription(subscription.to_owned());
        let providers = self
            .arm_list(url, lane, "listing the resource providers", cancelled)
            .await?;
        Ok(versions_of(&providers))
    }

    /// All pages of a list that is short by nature.
    async fn arm_list(
        &self,
        first: Url,
        lane: Lane,
        doing: &'static str,
        cancelled: &CancellationToken,
    ) -> Result<Vec<Value>, CallError> {
        let strange = |problem: &str| CallError::Unavailable {
            doing,
            problem: problem.to_owned(),
        };
        let mut rows = Vec::new();
        let mut seen = HashSet::new();
        let mut next = Some(first);
        while let Some(url) = next {
            if !seen.insert(url.clone()) {
                return Err(strange("the links to the next page form a loop"));
            }
            if seen.len() > limits::LIST_PAGES {
                return Err(strange("the list has more pages than it can have"));
            }
            let purpose = Purpose {
                lane: lane.clone(),
                cost: 1,
                doing,
            };
            let page = self.linked_page(url, purpose, cancelled).await?;
            rows.extend(page.rows);
            next = page.next;
        }
        Ok(rows)
    }
}

fn in_subscription(subscription: &str, doing: &'static str) -> Purpose {
    Purpose {
        lane: Lane::ArmSubscription(subscription.to_owned()),
        cost: 1,
        doing,
    }
}

fn versions_of(providers: &[Value]) -> ApiVersions {
    let mut versions = ApiVersions::new();
    for provider in providers {
        let Some(namespace) = provider.get("namespace").and_then(Value::as_str) else {
            continue;
        };
        let types = provider
            .get("resourceTypes")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        for type_ in types {
            let Some(name) = type_.get("resourceType").and_then(Value::as_str) else {
                continue;
            };
            let listed = type_.get("apiVersions").and_then(Value::as_array).into_iter().flatten();
            if let Some(best) = newest(listed.filter_map(Value::as_str)) {
                versions.insert(ArmType::new(&format!("{namespace}/{name}")), best.to_owned());
            }
        }
    }
    versions
}

/// The newest stable version, else the newest. Versions are dates, so that text order is age.
fn newest<'a>(versions: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const DATE_BYTES: usize = "2024-01-01".len();
    versions.max_by_key(|version| (version.len() == DATE_BYTES, *version))
}

/// The version of a type: its own, else of the nearest type above it.
pub(crate) fn version_of(versions: &ApiVersions, type_: &ArmType) -> Option<String> {
    let lineage = std::iter::successors(Some(type_.clone()), ArmType::parent);
    lineage.into_iter().find_map(|type_| versions.get(&type_).cloned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_newest_stable_version_beats_a_newer_preview() {
        let providers = [json!({
            "namespace": "Microsoft.Network",
            "resourceTypes": [
                {"resourceType": "virtualNetworks", "apiVersions": ["2025-01-01-preview", "2023-01-01", "2024-05-01"]},
                {"resourceType": "new", "apiVersions": ["2024-01-01-preview", "2024-06-01-preview"]},
            ],
        })];
        let versions = versions_of(&providers);
        let version = |type_: &str| version_of(&versions, &ArmType::new(type_));
        assert_eq!(
            version("microsoft.network/virtualNetworks").as_deref(),
            Some("2024-05-01")
        );
        assert_eq!(
            version("Microsoft.Network/virtualNetworks/subnets").as_deref(),
            Some("2024-05-01")
        );
        assert_eq!(version("microsoft.network/new").as_deref(), Some("2024-06-01-preview"));
        assert_eq!(version("microsoft.other/x"), None);
    }
}
