//! Pages of collections that share a query: the first that is asked for fetches the rows of all.
//!
//! Each collection is served from here once. Whatever is not as it was counted (rows too many or too
//! few, more pages, a refusal, an answer that had to make room) is left to a query of its own.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use atg_models::graph::CollectionKey;
use serde_json::Value;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use super::arg_pages::kql;
use super::memory::Place;
use super::settle::take_page;
use super::{AzureReader, page_error};
use crate::arg::{ArgError, ArgPage, Query};
use crate::http::CallError;
use crate::plan::{Group, Slice, Source};
use crate::{PageError, PageRead, limits};

/// Groups whose members have not all been read, and what was fetched for them.
#[derive(Debug, Default)]
pub(crate) struct Shared(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Where each collection's first page comes from.
    of: HashMap<Place, Arc<Fetched>>,
    /// Groups whose rows are here, oldest first.
    kept: VecDeque<Arc<Fetched>>,
}

/// A group and, once somebody has asked, its rows.
#[derive(Debug)]
struct Fetched {
    group: Group,
    asked: OnceCell<()>,
    /// By subscription, those of every member that was not served yet; none if it went wrong.
    rows: Mutex<BTreeMap<String, Vec<Value>>>,
}

impl Shared {
    /// The groups of a new plan.
    pub(crate) fn expect(&self, groups: Vec<Group>) {
        let mut of = HashMap::new();
        for group in groups {
            let fetched = Arc::new(Fetched {
                group,
                asked: OnceCell::new(),
                rows: Mutex::default(),
            });
            let Group {
                source,
                partition,
                members,
            } = &fetched.group;
            for subscription in members.keys() {
                let place = (CollectionKey::new(source, subscription), partition.clone());
                of.insert(place, Arc::clone(&fetched));
            }
        }
        *self.state() = State {
            of,
            kept: VecDeque::new(),
        };
    }

    /// The group of a collection, for this one time.
    fn leave(&self, place: &Place) -> Option<Arc<Fetched>> {
        self.state().of.remove(place)
    }

    /// Keeps a group's rows. Those that wait the longest make room.
    fn keep(&self, fetched: &Arc<Fetched>, rows: BTreeMap<String, Vec<Value>>) {
        *fetched.rows() = rows;
        let mut state = self.state();
        state.kept.push_back(Arc::clone(fetched));
        while state.kept.len() > limits::SHARED_PAGES {
            if let Some(oldest) = state.kept.pop_front() {
                oldest.rows().clear();
            }
        }
    }

    /// A member's rows, if they are here and as many as were counted.
    fn take(&self, fetched: &Arc<Fetched>, subscription: &str) -> Option<Vec<Value>> {
        let (rows, is_last) = {
            let mut all = fetched.rows();
            (all.remove(subscription)?, all.is_empty())
        };
        if is_last {
            self.state().kept.retain(|kept| !Arc::ptr_eq(kept, fetched));
        }
        let counted = fetched.group.members.get(subscription).copied();
        (u64::try_from(rows.len()).ok() == counted).then_some(rows)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fetched {
    fn rows(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Vec<Value>>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AzureReader {
    /// A collection's only page, from a query that it shares; nothing if it is to be read alone.
    pub(super) async fn shared_page(
        &self,
        source: &'static Source,
        place: &Place,
        subscription: &str,
        slice: &Slice,
        cancelled: &CancellationToken,
    ) -> Result<Option<PageRead>, PageError> {
        let Some(fetched) = self.shared.leave(place) else {
            return Ok(None);
        };
        fetched
            .asked
            .get_or_try_init(|| self.ask_for_all(source, &fetched, slice, cancelled))
            .await?;
        let Some(rows) = self.shared.take(&fetched, subscription) else {
            return Ok(None);
        };
        if rows.is_empty() {
            self.is_really_empty(source, subscription, slice, cancelled).await?;
        }
        let read = self.stored(source, place, &rows, true, cancelled).await?;
        self.memory.forget(place);
        Ok(Some(read))
    }

    /// Asks for the rows of a group. A failure that is not the whole scan's leaves every member to itself.
    async fn ask_for_all(
        &self,
        source: &Source,
        fetched: &Arc<Fetched>,
        slice: &Slice,
        cancelled: &CancellationToken,
    ) -> Result<(), PageError> {
        let subscriptions: Vec<String> = fetched.group.members.keys().cloned().collect();
        let query = Query {
            kql: &kql(source, slice, false),
            subscriptions: Some(&subscriptions),
            top: limits::ARG_PAGE_ROWS,
            skip_token: None,
            doing: source.doing,
        };
        let divided = match self.client.arg(&query, cancelled).await {
            Ok(page) => divide(&fetched.group.members, page),
            Err(ArgError::Call(error @ (CallError::Cancelled | CallError::Authentication { .. }))) => {
                return Err(page_error(error, String::new));
            }
            Err(error) => Err(format!("{error:?}")),
        };
        match divided {
            Ok(rows) => self.shared.keep(fetched, rows),
            Err(problem) => {
                let members = subscriptions.len();
                tracing::debug!(source = source.name, members, problem, "a shared query failed");
            }
        }
        Ok(())
    }
}

/// Gives each member its rows, if the answer is whole and holds nothing else.
fn divide(members: &BTreeMap<String, u64>, page: ArgPage) -> Result<BTreeMap<String, Vec<Value>>, String> {
    let total = page.total.unwrap_or_default();
    if page.next.is_some() || page.truncated {
        return Err(format!("{} of {total} rows fill a page", page.rows.len()));
    }
    let seen = take_page(None, &page.rows, total)?.seen;
    if seen != total {
        return Err(format!("{seen} rows came of {total}"));
    }
    let mut rows: BTreeMap<String, Vec<Value>> = members.keys().map(|id| (id.clone(), Vec::new())).collect();
    for row in page.rows {
        let id = row.get("subscriptionId").and_then(Value::as_str).unwrap_or_default();
        let of_member = rows.get_mut(&id.to_lowercase());
        of_member
            .ok_or_else(|| format!("a row came of subscription {id:?}"))?
            .push(row);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use atg_models::graph::PartitionKey;
    use serde_json::json;

    type Change = fn(&mut ArgPage);

    fn page(rows: &[(&str, &str)]) -> ArgPage {
        let row = |(subscription, id): &(&str, &str)| json!({"id": id, "subscriptionId": subscription});
        ArgPage {
            rows: rows.iter().map(row).collect(),
            total: u64::try_from(rows.len()).ok(),
            next: None,
            truncated: false,
        }
    }

    fn members(counts: &[(&str, u64)]) -> BTreeMap<String, u64> {
        counts.iter().map(|(id, rows)| ((*id).to_owned(), *rows)).collect()
    }

    fn group(number: usize) -> Group {
        Group {
            source: "arg.resources",
            partition: PartitionKey("{}".to_owned()),
            members: members(&[(&format!("{number}a"), 1), (&format!("{number}b"), 0)]),
        }
    }

    #[test]
    fn rows_are_given_to_their_subscriptions() {
        let rows = divide(
            &members(&[("a", 1), ("b", 2), ("c", 0)]),
            page(&[("B", "/1"), ("a", "/2"), ("b", "/3")]),
        );
        let lengths: Vec<_> = rows.unwrap().into_iter().map(|(id, rows)| (id, rows.len())).collect();
        assert_eq!(lengths, [("a".to_owned(), 1), ("b".to_owned(), 2), ("c".to_owned(), 0)]);
    }

    #[test]
    fn an_answer_that_is_not_whole_is_nobodys() {
        let asked = members(&[("a", 2)]);
        let rows = [("a", "/1"), ("a", "/2")];
        assert!(divide(&asked, page(&rows)).is_ok());
        let odd: [(&str, Change); 6] = [
            ("more pages", |page| page.next = Some("on".to_owned())),
            ("truncated", |page| page.truncated = true),
            ("another total", |page| page.total = Some(3)),
            ("no total", |page| page.total = None),
            ("a row twice", |page| page.rows[1] = page.rows[0].clone()),
            ("not asked for", |page| page.rows[1]["subscriptionId"] = json!("z")),
        ];
        for (what, change) in odd {
            let mut page = page(&rows);
            change(&mut page);
            assert!(divide(&asked, page).is_err(), "{what}");
        }
    }

    #[test]
    fn rows_are_served_once_and_only_as_counted() {
        let shared = Shared::default();
        shared.expect(vec![group(1)]);
        let place = |id: &str| (CollectionKey::new("arg.resources", id), PartitionKey("{}".to_owned()));
        let fetched = shared.leave(&place("1a")).unwrap();
        assert!(shared.leave(&place("1a")).is_none());
        let one_each = divide(&fetched.group.members, page(&[("1a", "/1"), ("1b", "/2")])).unwrap();
        shared.keep(&fetched, one_each);
        assert_eq!(shared.take(&fetched, "1a").map(|rows| rows.len()), Some(1));
        assert_eq!(shared.take(&fetched, "1a"), None);
        assert_eq!(shared.take(&fetched, "1b"), None, "one came, none was counted");
        assert!(shared.state().kept.is_empty(), "nothing stays behind the last");
    }

    #[test]
    fn no_more_pages_are_kept_than_may_be() {
        let shared = Shared::default();
        let groups: Vec<_> = (0..=limits::SHARED_PAGES).map(group).collect();
        shared.expect(groups.clone());
        let mut all = Vec::new();
        for (number, group) in groups.iter().enumerate() {
            let first = group.members.keys().next().unwrap();
            let place = (CollectionKey::new("arg.resources", first), group.partition.clone());
            let fetched = shared.leave(&place).unwrap();
            let rows = divide(&fetched.group.members, page(&[(first, &format!("/{number}"))])).unwrap();
            shared.keep(&fetched, rows);
            all.push((fetched, first));
        }
        assert_eq!(shared.state().kept.len(), limits::SHARED_PAGES);
        let taken = all.iter().map(|(fetched, first)| shared.take(fetched, first).is_some());
        assert_eq!(taken.collect::<Vec<_>>(), [false, true, true, true]);
    }
}
