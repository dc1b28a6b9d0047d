//! The comma-separated filters of a scan. An invalid entry, an empty one included, is refused:
//! it must never make the scan wider than what was meant.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::arm_id::ArmType;
use crate::limits::FILTER_ENTRIES_MAX;

/// A comma-separated list of at least one entry. Blanks around an entry do not count.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CommaList<T>(Vec<T>);

/// Why a text is not such a list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommaListError {
    /// Nothing between two commas, or nothing at all.
    #[error("has an empty entry at position {position}")]
    Empty {
        /// From 1.
        position: usize,
    },
    /// An entry that breaks its rule.
    #[error("has an invalid entry at position {position}: it {rule}")]
    Invalid {
        /// From 1.
        position: usize,
        /// The rule.
        rule: String,
    },
    /// Too many entries.
    #[error("must not have more than {FILTER_ENTRIES_MAX} entries")]
    TooMany,
}

impl<T> CommaList<T> {
    /// A list of these entries; `None` when there is none.
    pub fn new(entries: Vec<T>) -> Option<Self> {
        (!entries.is_empty()).then_some(Self(entries))
    }

    /// The entries.
    pub fn entries(&self) -> &[T] {
        &self.0
    }
}

impl<T: FromStr<Err: fmt::Display>> FromStr for CommaList<T> {
    type Err = CommaListError;

    fn from_str(text: &str) -> Result<Self, CommaListError> {
        let mut entries = Vec::new();
        for (at, entry) in text.split(',').map(str::trim).enumerate() {
            let position = at.saturating_add(1);
            if entry.is_empty() {
                return Err(CommaListError::Empty { position });
            }
            if position > FILTER_ENTRIES_MAX {
                return Err(CommaListError::TooMany);
            }
            entries.push(entry.parse().map_err(|error: T::Err| CommaListError::Invalid {
                position,
                rule: error.to_string(),
            })?);
        }
        Ok(Self(entries))
    }
}

impl<T: fmt::Display> fmt::Display for CommaList<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, entry) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(",")?;
            }
            fmt::Display::fmt(entry, f)?;
        }
        Ok(())
    }
}

impl<T: fmt::Display> Serialize for CommaList<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for CommaList<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The rule that an entry breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FilterRule {
    /// Azure's rule for names of resource groups.
    #[error("must be a resource group's name: 1 to 90 letters, digits, '_', '-', '.', '(' or ')', not ending with '.'")]
    ResourceGroup,
    /// The shape of a resource type.
    #[error("must be a resource type such as Microsoft.Network/virtualNetworks")]
    ResourceType,
    /// The shape of a tag.
    #[error(
        "must be key=value or key, with a key of 1 to 512 characters without < > % & \\ ? / and a value of at most 256"
    )]
    Tag,
}

/// A resource group's name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ResourceGroupName(String);

impl ResourceGroupName {
    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ResourceGroupName {
    type Err = FilterRule;

    /// Source: Azure, "Naming rules and restrictions for Azure resources".
    fn from_str(text: &str) -> Result<Self, FilterRule> {
        const MAX_CHARS: usize = 90;
        let valid = (1..=MAX_CHARS).contains(&text.chars().count())
            && text.chars().all(|c| c.is_alphanumeric() || "_-.()".contains(c))
            && !text.ends_with('.');
        valid.then(|| Self(text.to_owned())).ok_or(FilterRule::ResourceGroup)
    }
}

impl fmt::Display for ResourceGroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A resource type, checked for its shape; whether Azure knows it is not asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TypeFilter(ArmType);

impl TypeFilter {
    /// The type.
    pub const fn arm_type(&self) -> &ArmType {
        &self.0
    }
}

impl FromStr for TypeFilter {
    type Err = FilterRule;

    fn from_str(text: &str) -> Result<Self, FilterRule> {
        const MAX_BYTES: usize = 256;
        let word = |segment: &str| {
            !segment.is_empty()
                && segment
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        };
        let (namespace, types) = text.split_once('/').ok_or(FilterRule::ResourceType)?;
        let valid = text.len() <= MAX_BYTES
            && word(namespace)
            && namespace.split('.').count() >= 2
            && namespace.split('.').all(|part| !part.is_empty())
            && types.split('/').all(word);
        valid.then(|| Self(ArmType::new(text))).ok_or(FilterRule::ResourceType)
    }
}

impl fmt::Display for TypeFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A tag: a key, and the value that it must have (none = any).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TagFilter {
    /// Azure compares keys without regard to case.
    pub key: String,
    /// Azure compares values by case. Empty is a value too.
    pub value: Option<String>,
}

impl FromStr for TagFilter {
    type Err = FilterRule;

    /// The first `=` parts key and value. Source: Azure, "Use tags to organize your Azure resources".
    fn from_str(text: &str) -> Result<Self, FilterRule> {
        const KEY_MAX_CHARS: usize = 512;
        const VALUE_MAX_CHARS: usize = 256;
        let (key, value) = match text.split_once('=') {
            Some((key, value)) => (key.trim(), Some(value.trim())),
            None => (text, None),
        };
        let valid = (1..=KEY_MAX_CHARS).contains(&key.chars().count())
            && !key.contains(['<', '>', '%', '&', '\\', '?', '/'])
            && value.is_none_or(|value| value.chars().count() <= VALUE_MAX_CHARS)
            && !text.chars().any(char::is_control);
        let tag = || Self {
            key: key.to_owned(),
            value: value.map(str::to_owned),
        };
        valid.then(tag).ok_or(FilterRule::Tag)
    }
}

impl fmt::Display for TagFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)?;
        match &self.value {
            Some(value) => write!(f, "={value}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_entry_is_refused_wherever_it_stands() {
        for (text, position) in [("", 1), (" ", 1), ("a,", 2), (",a", 1), ("a,,b", 2)] {
            assert_eq!(
                text.parse::<CommaList<ResourceGroupName>>(),
                Err(CommaListError::Empty { position }),
                "{text:?}"
            );
        }
    }

    #[test]
    fn resource_groups_follow_azures_rule() {
        for good in ["rg", "my_rg-1.(a)", "Gruppe-Ä"] {
            assert!(good.parse::<ResourceGroupName>().is_ok(), "{good}");
        }
        let long = "x".repeat(91);
        for bad in ["rg.", "a b", "a/b", "a'b", "*", long.as_str()] {
            assert!(bad.parse::<ResourceGroupName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn types_have_a_namespace_and_a_name() {
        let good: TypeFilter = "Microsoft.Network/virtualNetworks/subnets".parse().unwrap();
        assert_eq!(good.arm_type().as_str(), "microsoft.network/virtualnetworks/subnets");
        for bad in [
            "virtualMachines",
            "Microsoft.Compute",
            "Microsoft.Compute/",
            "Microsoft/x",
            "/a/b",
            "a.b/c d",
            "a..b/c",
        ] {
            assert!(bad.parse::<TypeFilter>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_tag_is_a_key_or_a_key_and_a_value() {
        let tag = |text: &str| text.parse::<TagFilter>();
        assert_eq!(tag("env").unwrap().value, None);
        assert_eq!(tag("env=").unwrap().value.as_deref(), Some(""));
        assert_eq!(tag("url=a=b").unwrap().value.as_deref(), Some("a=b"));
        for bad in ["=x", "a/b=c", "a<b"] {
            assert!(tag(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_list_reads_back_as_printed() {
        let list: CommaList<TagFilter> = " env=prod , owner".parse().unwrap();
        assert_eq!(list.to_string(), "env=prod,owner");
        assert_eq!(list.to_string().parse(), Ok(list));
    }
}
