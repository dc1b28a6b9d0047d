//! A partition's text: all that is needed to ask for its rows, so that a scan resumes from its
//! ledger alone.

use std::fmt::Write as _;

use atg_models::graph::{PartitionKey, ScanFilters};
use serde::{Deserialize, Serialize};

use crate::arg::{literal, literals};
use crate::limits;

/// A part of a collection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Slice {
    /// Only rows whose id hashes to `of.0` of `of.1`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) of: Option<(u64, u64)>,
    /// A further condition in KQL, made from the scan's filters.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) only: Option<String>,
}

impl Slice {
    /// The parts of a collection that holds `rows` rows.
    pub(crate) fn cut(rows: Option<u64>, only: Option<&str>) -> Vec<PartitionKey> {
        let parts = rows
            .unwrap_or(0)
            .div_ceil(limits::PARTITION_ROWS)
            .clamp(1, limits::PARTITIONS);
        let slice = |part| Self {
            of: (parts > 1).then_some((part, parts)),
            only: only.map(str::to_owned),
        };
        (0..parts).map(|part| slice(part).key()).collect()
    }

    /// The text.
    pub(crate) fn key(&self) -> PartitionKey {
        // A struct of plain values always prints.
        PartitionKey(serde_json::to_string(self).unwrap_or_default())
    }

    /// Reads the text back.
    pub(crate) fn parse(key: &PartitionKey) -> Option<Self> {
        serde_json::from_str(&key.0).ok()
    }

    /// The conditions in KQL, each with its `| where`.
    pub(crate) fn conditions(&self) -> String {
        let mut text = String::new();
        if let Some((part, parts)) = self.of {
            // Writing to a String cannot fail.
            let _ = write!(text, " | where hash(tolower(id), {parts}) == {part}");
        }
        if let Some(only) = &self.only {
            text.push_str(" | where ");
            text.push_str(only);
        }
        text
    }
}

/// The condition on resources that the filters make.
pub(crate) fn resources_only(filters: &ScanFilters) -> Option<String> {
    let mut conditions = Vec::new();
    if !filters.resource_groups.is_empty() {
        conditions.push(format!("resourceGroup in~ {}", literals(&filters.resource_groups)));
    }
    if !filters.types.is_empty() {
        conditions.push(format!("type in~ {}", literals(&filters.types)));
    }
    for (name, value) in &filters.tags {
        let tag = format!("tostring(tags[{}])", literal(name));
        conditions.push(match value {
            Some(value) => format!("{tag} =~ {}", literal(value)),
            None => format!("isnotempty({tag})"),
        });
    }
    (!conditions.is_empty()).then(|| conditions.join(" and "))
}

/// The condition on resource groups that the filters make.
pub(crate) fn groups_only(filters: &ScanFilters) -> Option<String> {
    let named = !filters.resource_groups.is_empty();
    named.then(|| format!("name in~ {}", literals(&filters.resource_groups)))
}

/// The condition on subscriptions that the filters make.
pub(crate) fn subscriptions_only(filters: &ScanFilters) -> Option<String> {
    let named = !filters.subscriptions.is_empty();
    named.then(|| format!("subscriptionId in~ {}", literals(&filters.subscriptions)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_collection_is_cut_by_hash() {
        assert_eq!(Slice::cut(None, None).len(), 1);
        assert_eq!(
            Slice::cut(Some(limits::PARTITION_ROWS), None),
            [PartitionKey("{}".to_owned())]
        );
        let parts = Slice::cut(Some(limits::PARTITION_ROWS + 1), Some("type in~ ('a')"));
        assert_eq!(parts.len(), 2);
        let second = Slice::parse(&parts[1]).unwrap();
        assert_eq!(
            second.conditions(),
            " | where hash(tolower(id), 2) == 1 | where type in~ ('a')"
        );
        assert_eq!(Slice::cut(Some(u64::MAX), None).len(), 64);
    }

    #[test]
    fn filters_become_conditions() {
        let filters = ScanFilters {
            resource_groups: vec!["a'b".to_owned()],
            types: vec!["x/y".to_owned()],
            tags: vec![("env".to_owned(), Some("p".to_owned())), ("team".to_owned(), None)],
            ..ScanFilters::default()
        };
        assert_eq!(
            resources_only(&filters).unwrap(),
            r"resourceGroup in~ ('a\'b') and type in~ ('x/y') and tostring(tags['env']) =~ 'p' and isnotempty(tostring(tags['team']))"
        );
        assert_eq!(resources_only(&ScanFilters::default()), None);
    }
}
