//! The table of names, `data/names.toml`, and what a suffix makes of a name.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

use crate::IacError;
use crate::names::short_hash;

static TEXT: &str = include_str!("../../data/names.toml");
/// Hex digits that keep apart what the longest name of a type cannot.
const MARK_DIGITS: usize = 4;

/// Which characters a name may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Chars {
    Lower,
    Alnum,
    Hyphen,
    Guid,
    Keep,
}

/// Within what a name is unique.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Unique {
    #[default]
    Parent,
    Global,
}

/// The rule of a type.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub(super) max: usize,
    pub(super) chars: Chars,
    #[serde(default)]
    pub(super) scope: Unique,
    #[serde(default)]
    pub(super) hosts: Vec<String>,
    #[serde(default)]
    pub(super) labels: Vec<String>,
    #[serde(default = "label_max")]
    pub(super) label_max: usize,
    #[serde(default)]
    pub(super) follows: Option<String>,
}

/// The longest label of a host name. Source: RFC 1123.
const fn label_max() -> usize {
    63
}

/// The whole table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rules {
    types: BTreeMap<String, Rule>,
    /// Squashed name of a member to the type whose name it holds.
    pub(super) members: BTreeMap<String, String>,
}

impl Rules {
    pub(super) fn embedded() -> Result<&'static Self, IacError> {
        static RULES: OnceLock<Result<Rules, String>> = OnceLock::new();
        let rules = RULES.get_or_init(|| toml::from_str(TEXT).map_err(|error| error.to_string()));
        rules.as_ref().map_err(|detail| IacError::Table {
            table: "names",
            detail: detail.clone(),
        })
    }

    /// The rule of a lower-cased type, that of all others for a root type, none for a child.
    pub(super) fn of(&self, type_: &str) -> Option<&Rule> {
        let is_root = type_.split('/').count() <= 2;
        self.types
            .get(type_)
            .or_else(|| self.types.get("*").filter(|_| is_root))
    }
}

/// A name with the suffix behind it, no longer than the type allows; `mark` keeps it apart from others.
pub(super) fn suffixed(name: &str, rule: &Rule, suffix: &str, mark: Option<&str>) -> String {
    let hyphens = rule.chars == Chars::Hyphen;
    let part = |text: &str| match (hyphens, text.starts_with('-') || text.is_empty()) {
        (true, true) => text.to_owned(),
        (true, false) => format!("-{text}"),
        (false, _) => text.replace('-', ""),
    };
    let mark = mark.map(|key| short_hash(key).chars().take(MARK_DIGITS).collect::<String>());
    let tail = format!("{}{}", mark.as_deref().map(part).unwrap_or_default(), part(suffix));
    if tail.is_empty() {
        return name.to_owned();
    }
    let room = rule.max.saturating_sub(tail.chars().count());
    let head: String = name.chars().take(room).collect();
    let head = if hyphens {
        head.trim_end_matches(['-', '_', '.'])
    } else {
        &head
    };
    format!("{head}{tail}")
}

/// A label with the suffix behind it.
pub(super) fn suffixed_label(label: &str, rule: &Rule, suffix: &str) -> String {
    let rule = Rule {
        max: rule.label_max,
        chars: Chars::Hyphen,
        ..rule.clone()
    };
    suffixed(label, &rule, suffix, None)
}

/// Whether a host's labels behind the name are those of a pattern; `*` stands for one label or more.
pub(super) fn host_matches(pattern: &str, labels: &str) -> bool {
    fn rest(pattern: &[&str], labels: &[&str]) -> bool {
        match (pattern.split_first(), labels.split_first()) {
            (None, None) => true,
            (Some((&"*", pattern_rest)), Some((_, labels_rest))) => {
                rest(pattern_rest, labels_rest) || rest(pattern, labels_rest)
            }
            (Some((wanted, pattern)), Some((label, labels))) => {
                wanted.eq_ignore_ascii_case(label) && rest(pattern, labels)
            }
            (None, Some(_)) | (Some(_), None) => false,
        }
    }
    let pattern: Vec<&str> = pattern.split('.').collect();
    let labels: Vec<&str> = labels.split('.').collect();
    rest(&pattern, &labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> &'static Rules {
        Rules::embedded().expect("the table reads")
    }

    #[test]
    fn the_table_is_lower_case_and_its_references_exist() {
        for (type_, rule) in &rules().types {
            assert_eq!(*type_, type_.to_lowercase());
            assert!(rule.max >= 20, "{type_}: no room for the longest suffix");
            assert!(
                rule.follows.iter().all(|other| rules().types.contains_key(other)),
                "{type_}"
            );
            assert!(rule.hosts.is_empty() || rule.chars != Chars::Keep, "{type_}");
        }
        for (member, type_) in &rules().members {
            assert!(rules().types.contains_key(type_), "{member}");
        }
    }

    #[test]
    fn a_suffix_keeps_to_the_rules_of_the_type() {
        for (type_, name, suffix, expected) in [
            ("microsoft.storage/storageaccounts", "stshop", "copy-1", "stshopcopy1"),
            (
                "microsoft.storage/storageaccounts",
                "abcdefghijklmnopqrstuvwx",
                "copy",
                "abcdefghijklmnopqrstcopy",
            ),
            ("microsoft.keyvault/vaults", "kv-shop", "copy", "kv-shop-copy"),
            (
                "microsoft.keyvault/vaults",
                "kv-shop-production-euw-1",
                "copy",
                "kv-shop-production-copy",
            ),
            (
                "microsoft.containerregistry/registries",
                "crShop",
                "-copy",
                "crShopcopy",
            ),
            ("microsoft.resources/resourcegroups", "rg_app.", "-x", "rg_app-x"),
            ("contoso.odd/things", "one", "x", "one-x"),
        ] {
            let rule = rules().of(type_).expect(type_);
            assert_eq!(suffixed(name, rule, suffix, None), expected);
            let marked = suffixed(name, rule, suffix, Some("key"));
            assert!(marked != expected && marked.len() <= rule.max, "{marked}");
        }
        assert!(rules().of("microsoft.network/virtualnetworks/subnets").is_none());
    }

    #[test]
    fn hosts_match_label_by_label() {
        assert!(host_matches("blob.*", "blob.core.windows.net"));
        assert!(host_matches("*.batch.*", "westeurope.batch.azure.com"));
        assert!(!host_matches("*.batch.*", "batch.azure.com"));
        assert!(!host_matches("vault.azure.*", "myvault.azure.net"));
        assert!(!host_matches("azureedge.net", "azureedge.net.example"));
    }
}
