//! The name of a stored key: what people call it by.

use std::fmt;
use std::str::FromStr;

use atg_models::limits;

/// A name that stands for a key of the configuration.
const RESERVED: &str = "generated";
/// What the names of the configuration's other keys start with.
const RESERVED_START: &str = "config-";

/// Why a text is not a name. It does not repeat the text, which may be a key in the wrong place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyNameError {
    /// Empty, too long, or with other characters.
    #[error(
        "must be 1 to {max} letters, digits, dots, hyphens or underscores, and start with a letter or digit",
        max = limits::KEY_NAME_MAX_CHARS
    )]
    Characters,
    /// The keys of the configuration are called so.
    #[error("must not be `{RESERVED}` or start with `{RESERVED_START}`: keys of the configuration are called so")]
    Reserved,
}

/// The name of a stored key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyName(String);

impl KeyName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyName {
    type Err = KeyNameError;

    fn from_str(text: &str) -> Result<Self, KeyNameError> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        let starts_well = text.starts_with(|first: char| first.is_ascii_alphanumeric());
        if !starts_well || text.len() > limits::KEY_NAME_MAX_CHARS || !text.bytes().all(is_allowed) {
            return Err(KeyNameError::Characters);
        }
        if text == RESERVED || text.starts_with(RESERVED_START) {
            return Err(KeyNameError::Reserved);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_plain() {
        for good in ["ci", "CI-2.staging_eu", "7", &"n".repeat(64)] {
            assert_eq!(good.parse::<KeyName>().unwrap().as_str(), good);
        }
        for bad in ["", " ci", "-ci", ".ci", "ci eu", "ci\n", "schlüssel", &"n".repeat(65)] {
            assert_eq!(bad.parse::<KeyName>(), Err(KeyNameError::Characters), "{bad:?}");
        }
        for reserved in ["generated", "config-1"] {
            assert_eq!(reserved.parse::<KeyName>(), Err(KeyNameError::Reserved));
        }
        assert!("generated-2".parse::<KeyName>().is_ok());
    }

    #[test]
    fn a_key_is_no_name() {
        let key = format!("atg_dev_{}", "a".repeat(64));
        let error = key.parse::<KeyName>().unwrap_err().to_string();
        assert!(!error.contains("aaaa"), "{error}");
    }
}
