//! Whether the pages of a partition add up. Pure; what earlier pages said is in the cursor.
//!
//! A page that is repeated, missing or out of order shows in the order of the ids or in the total.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Where a partition goes on, and what its pages said so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ArgCursor {
    /// Resource Graph's own token.
    pub(crate) skip: String,
    /// Rows asked for at once.
    pub(crate) top: u32,
    /// Rows seen.
    pub(crate) seen: u64,
    /// Rows of the whole answer, as the first page said.
    pub(crate) total: u64,
    /// The last id.
    pub(crate) last: String,
    /// How ids ascend.
    pub(crate) order: Order,
}

/// How the service sorts text is not documented: the ways that all pages agree with so far. If the
/// first page agrees with neither, only the total and the border between two pages are checked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Order {
    /// Without regard to case.
    folded: bool,
    /// By bytes.
    exact: bool,
}

impl Order {
    /// What a run of ids agrees with.
    fn of(run: &[&str]) -> Self {
        let holds = |ascends: fn(&str, &str) -> bool| {
            run.windows(2)
                .all(|pair| matches!(pair, [left, right] if ascends(left, right)))
        };
        Self {
            folded: holds(|left, right| left.to_lowercase() < right.to_lowercase()),
            exact: holds(|left, right| left < right),
        }
    }

    const fn is_known(self) -> bool {
        self.folded || self.exact
    }

    const fn and(self, other: Self) -> Self {
        Self {
            folded: self.folded && other.folded,
            exact: self.exact && other.exact,
        }
    }
}

/// Takes a page in: the cursor behind it without its token, or what does not add up.
pub(crate) fn take_page(before: Option<&ArgCursor>, rows: &[Value], total: u64) -> Result<ArgCursor, String> {
    let ids: Vec<&str> = rows
        .iter()
        .filter_map(|row| row.get("id").and_then(Value::as_str))
        .collect();
    if ids.len() != rows.len() {
        return Err(format!("{} of {} rows carry no id", rows.len() - ids.len(), rows.len()));
    }
    let first = before.map(|before| before.last.as_str());
    let run: Vec<&str> = first.into_iter().chain(ids.iter().copied()).collect();
    let shown = Order::of(&run);
    let order = before.map_or(shown, |before| before.order.and(shown));
    let twice = run
        .windows(2)
        .any(|pair| matches!(pair, [left, right] if left.eq_ignore_ascii_case(right)));
    let was_known = before.is_some_and(|before| before.order.is_known());
    if twice || (was_known && !order.is_known()) {
        return Err("a page came out of order or twice".to_owned());
    }
    if let Some(before) = before
        && before.total != total
    {
        return Err(format!(
            "the total changed from {} to {total} between two pages",
            before.total
        ));
    }
    let seen = before.map_or(0, |before| before.seen);
    let seen = seen.saturating_add(u64::try_from(rows.len()).unwrap_or(u64::MAX));
    if seen > total {
        return Err(format!("{seen} rows came of {total}"));
    }
    Ok(ArgCursor {
        seen,
        total,
        order,
        last: ids
            .last()
            .map_or_else(|| first.unwrap_or_default().to_owned(), |id| (*id).to_owned()),
        ..ArgCursor::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn page(ids: &[&str]) -> Vec<Value> {
        ids.iter().map(|id| json!({"id": id})).collect()
    }

    fn read(pages: &[&[&str]], total: u64) -> Result<u64, String> {
        let mut cursor = None;
        for ids in pages {
            cursor = Some(take_page(cursor.as_ref(), &page(ids), total)?);
        }
        Ok(cursor.map_or(0, |cursor| cursor.seen))
    }

    #[test]
    fn whole_pages_in_order_add_up() {
        assert_eq!(read(&[&["/A", "/b"], &["/C"]], 3), Ok(3));
        assert_eq!(read(&[&["/A", "/C"], &["/b"]], 3), Ok(3), "by bytes");
        assert_eq!(
            read(&[&["/z", "/a", "/m"], &["/b"]], 4),
            Ok(4),
            "some collation of its own"
        );
        assert_eq!(read(&[&[]], 0), Ok(0));
    }

    #[test]
    fn faults_of_paging_show() {
        assert!(read(&[&["/a", "/b"], &["/a", "/b"]], 4).is_err(), "repeated");
        assert!(read(&[&["/a", "/b"], &["/d", "/c"]], 4).is_err(), "reordered");
        assert!(read(&[&["/a", "/a"]], 2).is_err(), "twice");
        assert!(read(&[&["/a", "/b"]], 1).is_err(), "more than there are");
        assert_eq!(
            read(&[&["/a"], &["/c"]], 3),
            Ok(2),
            "missing: the reader compares with the total"
        );
        let first = take_page(None, &page(&["/a"]), 3).unwrap();
        assert!(take_page(Some(&first), &page(&["/b"]), 4).is_err(), "changed");
    }
}
