//! Words of Microsoft's own: property names, values of enumerations, types. They tell nothing of a tenant.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use serde::Deserialize;

use super::{Lines, line};
use crate::IacError;

static PACKED: &[u8] = include_bytes!("../../data/tables/vocabulary.gz");
static LINES: OnceLock<Lines> = OnceLock::new();

/// A published word: the name of a property, a type, or a namespace of types.
#[derive(Debug, Clone, Deserialize)]
pub struct Word {
    /// As published.
    #[serde(rename = "p")]
    pub spelling: String,
    /// The members, lower case, below which the property is a number.
    #[serde(rename = "n", default)]
    numbers: BTreeSet<String>,
    /// The values of its enumerations, by the member that it stands in.
    #[serde(rename = "v", default)]
    values: BTreeMap<String, Vec<String>>,
}

impl Word {
    /// Whether it is a number as a member of `parent` (lower case; empty at the top of a body).
    pub fn is_number_in(&self, parent: &str) -> bool {
        self.numbers.contains(parent)
    }

    /// The published spelling of `text`, when that is one of its values as a member of `parent`.
    pub fn value_in(&self, parent: &str, text: &str) -> Option<&str> {
        let mut values = self.values.get(parent)?.iter();
        values
            .find(|value| value.eq_ignore_ascii_case(text))
            .map(String::as_str)
    }
}

/// The word with this lower-cased name: a property's, a type's, or a namespace's.
///
/// # Errors
/// [`IacError::Table`] when the embedded table cannot be read: a defect of the build.
pub fn word(lower: &str) -> Result<Option<Word>, IacError> {
    line(&LINES, "vocabulary", PACKED, lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_known_where_it_is_published_and_nowhere_else() {
        let name = word("name").unwrap().unwrap();
        assert_eq!(name.value_in("sku", "standard_lrs"), Some("Standard_LRS"));
        assert_eq!(name.value_in("subnets", "Standard_LRS"), None);
        assert_eq!(name.value_in("sku", "contoso"), None);
    }

    #[test]
    fn numbers_and_types_are_known_by_their_published_spelling() {
        let disk = word("disksizegb").unwrap().unwrap();
        assert!(disk.is_number_in("osdisk") && !disk.is_number_in("elsewhere"));
        assert_eq!(disk.spelling, "diskSizeGB");
        let type_ = word("microsoft.network/virtualnetworks").unwrap().unwrap();
        assert_eq!(type_.spelling, "Microsoft.Network/virtualNetworks");
        assert!(word("contoso").unwrap().is_none());
    }
}
