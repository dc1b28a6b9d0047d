//! Names of the code: labels of resources, variables and files. Each follows from what it names and from
//! nothing else, so that it stays the same when other things come and go.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

/// Longer names are cut: they are for readers, the hash keeps them apart.
const MAX_LABEL_CHARS: usize = 64;
/// Hex digits of the hash behind a name that several things share.
const HASH_DIGITS: usize = 8;

/// Text as an identifier of Terraform: lower-case letters, digits and underscores, a letter first.
pub(crate) fn identifier(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if !out.ends_with('_') && !out.is_empty() {
            out.push('_');
        }
        if out.len() >= MAX_LABEL_CHARS {
            break;
        }
    }
    let out = out.trim_end_matches('_');
    match out.chars().next() {
        Some(first) if first.is_ascii_alphabetic() => out.to_owned(),
        Some(_) => format!("r_{out}"),
        None => "unnamed".to_owned(),
    }
}

/// Text as a file name: lower-case letters, digits, `-`, `_` and `.`.
pub(crate) fn file_name(text: &str) -> String {
    let keep = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let out: String = text
        .chars()
        .map(|c| if keep(c) { c.to_ascii_lowercase() } else { '-' })
        .take(MAX_LABEL_CHARS)
        .collect();
    out.trim_matches('.').to_owned()
}

/// The SHA-256 of a text in hex digits.
pub(crate) fn hex_digest(text: &str) -> String {
    use std::fmt::Write as _;
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().fold(String::new(), |mut out, byte| {
        let _infallible = write!(out, "{byte:02x}");
        out
    })
}

/// The first hex digits of the SHA-256 of a text.
pub(crate) fn short_hash(text: &str) -> String {
    let mut out = hex_digest(text);
    out.truncate(HASH_DIGITS);
    out
}

/// Gives each key its wanted name, and every key of a group that wants the same one a hash of the key behind it.
pub(crate) fn unique(wanted: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut by_name: BTreeMap<&str, usize> = BTreeMap::new();
    for name in wanted.values() {
        *by_name.entry(name).or_default() += 1;
    }
    wanted
        .iter()
        .map(|(key, name)| {
            let alone = by_name.get(name.as_str()).is_some_and(|count| *count == 1);
            let name = if alone {
                name.clone()
            } else {
                format!("{name}_{}", short_hash(key))
            };
            (key.clone(), name)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_valid_and_readable() {
        for (text, expected) in [
            ("My VNet-01", "my_vnet_01"),
            ("01abc", "r_01abc"),
            ("…", "unnamed"),
            ("a/../b", "a_b"),
            ("x__", "x"),
        ] {
            assert_eq!(identifier(text), expected);
        }
    }

    #[test]
    fn only_shared_names_get_a_hash() {
        let wanted = [("1", "a"), ("2", "a"), ("3", "b")];
        let wanted = wanted.iter().map(|(key, name)| ((*key).to_owned(), (*name).to_owned()));
        let names = unique(&wanted.collect());
        assert_eq!(names["3"], "b");
        assert_ne!(names["1"], names["2"]);
        assert!(names["1"].starts_with("a_"));
    }
}
