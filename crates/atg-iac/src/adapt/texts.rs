//! Texts of a body: the ids, addresses and GUIDs in them are put into the terms of the target.

use super::guids;
use super::plan::Plan;

/// What ends an id that stands within a longer text. Parentheses do not: groups may have them in their names.
const ENDS: &[char] = &[
    '"', '\'', ',', ';', '?', '#', '|', '<', '>', '{', '}', '[', ']', '\\', '@', '&', '=', '\n', '\r', '\t',
];
/// The slash of an address within an address.
const ENCODED_SLASH: &str = "%2f";
/// The first segments of ids, in lower case.
const STARTS: [&str; 2] = ["subscriptions", "providers"];

/// The text for the target; `None` when it stays.
pub(super) fn adapted(text: &str, plan: &Plan) -> Option<String> {
    let ids = ids(text, plan);
    let current = ids.as_deref().unwrap_or(text);
    let hosts = hosts(current, plan);
    let current = hosts.as_deref().unwrap_or(current);
    let guids = guids::replace(current, |guid| plan.guid(guid));
    guids.or(hosts).or(ids)
}

/// The names within ids, and within ids that are encoded as a part of an address.
fn ids(text: &str, plan: &Plan) -> Option<String> {
    if !plan.renames_ids() {
        return None;
    }
    let plain = replaced(text, "/", |id| plan.renamed_id(id));
    let current = plain.as_deref().unwrap_or(text);
    let encoded = replaced(current, ENCODED_SLASH, |id| {
        let plain = id.replace("%2f", "/").replace("%2F", "/");
        let renamed = plan.renamed_id(&plain);
        if renamed == plain {
            id.to_owned()
        } else {
            renamed.replace('/', "%2F")
        }
    });
    encoded.or(plain)
}

/// The ids of a text, with this slash, through `rename`.
fn replaced(text: &str, slash: &str, rename: impl Fn(&str) -> String) -> Option<String> {
    if !text.contains(['/', '%']) {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    let starts = STARTS.map(|start| format!("{slash}{start}{slash}"));
    let mut out = String::new();
    let mut copied = 0;
    while let Some(rest) = lower.get(copied..)
        && let Some(start) = starts.iter().filter_map(|start| rest.find(start.as_str())).min()
    {
        let start = copied + start;
        let tail = text.get(start..).unwrap_or_default();
        let id = tail.get(..tail.find(ENDS).unwrap_or(tail.len())).unwrap_or_default();
        out.push_str(text.get(copied..start).unwrap_or_default());
        out.push_str(&rename(id));
        copied = start + id.len();
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    (out != text).then_some(out)
}

/// The names within addresses: `https://NAME.vault.azure.net/`.
fn hosts(text: &str, plan: &Plan) -> Option<String> {
    if !plan.renames_hosts() || !text.contains('.') {
        return None;
    }
    let in_host = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    let mut out = String::new();
    let mut changed = false;
    let mut rest = text;
    while !rest.is_empty() {
        let length = rest.find(|c| !in_host(c)).unwrap_or(rest.len());
        let (host, behind) = rest.split_at_checked(length).unwrap_or((rest, ""));
        match plan.renamed_host(host) {
            Some(new) => {
                changed = true;
                out.push_str(&new);
            }
            None => out.push_str(host),
        }
        let mut chars = behind.chars();
        out.extend(chars.next());
        rest = chars.as_str();
    }
    changed.then_some(out)
}
