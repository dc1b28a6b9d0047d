//! What pages counted beside the ledger, kept as the job's checkpoint so that a page that is read a
//! second time is not counted twice.

use std::collections::BTreeMap;

use atg_models::graph::{CollectionKey, LedgerEntry, PartitionKey};
use serde::{Deserialize, Serialize};

/// Two counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Count {
    /// Rows of other tenants.
    #[serde(rename = "o")]
    pub(super) other_tenant: u64,
    /// Resources stored.
    #[serde(rename = "r")]
    pub(super) resources: u64,
}

impl Count {
    fn plus(self, more: Self) -> Self {
        Self {
            other_tenant: self.other_tenant.saturating_add(more.other_tenant),
            resources: self.resources.saturating_add(more.resources),
        }
    }
}

/// One partition's counts before and with its last page: which of them holds, the ledger says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Line {
    #[serde(rename = "p")]
    page: u64,
    #[serde(rename = "b")]
    before: Count,
    #[serde(rename = "w")]
    with: Count,
}

/// The counts of all partitions that have any.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Tally(BTreeMap<String, Line>);

impl Tally {
    /// The tally of an earlier attempt, put right by the ledger.
    pub(super) fn resume(checkpoint: Option<&[u8]>, ledger: &[LedgerEntry]) -> Self {
        let mut tally: Self = checkpoint
            .and_then(|bytes| serde_json::from_slice(bytes).ok())
            .unwrap_or_default();
        for entry in ledger {
            for partition in &entry.partitions {
                match tally.0.get_mut(&key(&entry.collection, &partition.key)) {
                    Some(line) if partition.pages < line.page => {
                        line.with = line.before;
                        line.page = partition.pages;
                    }
                    Some(_) | None => {}
                }
            }
        }
        tally
    }

    /// Adds a page, before it is applied.
    pub(super) fn add(&mut self, collection: &CollectionKey, partition: &PartitionKey, page: u64, count: Count) {
        let line = self.0.entry(key(collection, partition)).or_default();
        // The same page again: what was added for it is taken back.
        let before = if line.page < page { line.with } else { line.before };
        *line = Line {
            page,
            before,
            with: before.plus(count),
        };
    }

    /// Forgets a partition that is read again from its start.
    pub(super) fn restart(&mut self, collection: &CollectionKey, partition: &PartitionKey) {
        self.0.remove(&key(collection, partition));
    }

    /// All together.
    pub(super) fn total(&self) -> Count {
        self.0.values().fold(Count::default(), |sum, line| sum.plus(line.with))
    }

    /// As a checkpoint.
    pub(super) fn print(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

fn key(collection: &CollectionKey, partition: &PartitionKey) -> String {
    format!("{collection} {}", partition.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use atg_models::graph::{CollectionState, Partition};

    #[test]
    fn a_page_counts_once_however_often_it_is_read() {
        let collection = CollectionKey::new("arg.resources", "s");
        let part = PartitionKey("a".to_owned());
        let count = |resources| Count {
            other_tenant: 1,
            resources,
        };
        let mut tally = Tally::default();
        tally.add(&collection, &part, 1, count(10));
        tally.add(&collection, &part, 2, count(5));
        tally.add(&collection, &part, 2, count(7));
        assert_eq!(tally.total().resources, 17);
        let ledger = |pages| LedgerEntry {
            collection: collection.clone(),
            sweepable: true,
            expected: None,
            state: CollectionState::Reading,
            partitions: vec![Partition {
                pages,
                ..Partition::unread(part.clone())
            }],
            swept: false,
        };
        let resumed = |pages| Tally::resume(Some(&tally.print()), &[ledger(pages)]);
        assert_eq!(resumed(2).total(), tally.total());
        let mut again = resumed(1);
        assert_eq!(again.total(), count(10), "the second page was not applied");
        again.add(&collection, &part, 2, count(7));
        assert_eq!(again.total(), tally.total());
        tally.restart(&collection, &part);
        assert_eq!(tally.total(), Count::default());
    }
}
