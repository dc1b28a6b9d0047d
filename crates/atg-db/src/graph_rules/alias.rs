//! Names of nodes as they are stored.

use std::borrow::Cow;

use sha2::{Digest as _, Sha256};

use super::hex;

/// What an index takes at least, in bytes.
const LONGEST_BYTES: usize = 1024;

/// The stored value of an alias: one that is longer than an index takes stands by its hash.
pub(crate) fn alias_value(value: &str) -> Cow<'_, str> {
    if value.len() <= LONGEST_BYTES {
        return Cow::Borrowed(value);
    }
    Cow::Owned(format!("#{}", hex(&Sha256::digest(value.as_bytes()))))
}
