//! Placeholders: a typed name for a value that tells nothing of it.
//!
//! The digest is keyed by a secret of the tenant's, so that a name cannot be confirmed by guessing it.
//! The same value gets the same placeholder for as long as the secret is kept, and no two values share one.

use std::collections::HashMap;

use super::mac::Mac;
use crate::archive::hex;
use crate::limits::PLACEHOLDER_DIGITS;

/// What the digests are keyed with.
pub(super) const KEY_BYTES: usize = 32;

type Digest = [u8; 32];

/// The placeholders that were given so far.
pub(super) struct Names {
    mac: Mac,
    digits: usize,
    given: HashMap<String, Digest>,
}

impl Names {
    pub(super) fn new(key: &[u8; KEY_BYTES]) -> Self {
        Self::with_digits(key, PLACEHOLDER_DIGITS)
    }

    /// With another length of the digest, so that a test can see collisions.
    fn with_digits(key: &[u8; KEY_BYTES], digits: usize) -> Self {
        Self {
            mac: Mac::new(key),
            digits,
            given: HashMap::new(),
        }
    }

    /// A short key of an id, for tables that need not hold the id itself.
    pub(super) fn fingerprint(&self, id: &str) -> u128 {
        let digest = self.digest(&id.to_lowercase());
        digest.iter().take(16).fold(0, |sum, byte| sum << 8 | u128::from(*byte))
    }

    /// The placeholder of a thing by its id, which Azure compares without regard to case.
    pub(super) fn thing(&mut self, prefix: &str, id: &str) -> String {
        self.value(prefix, &id.to_lowercase())
    }

    /// The placeholder of a value.
    pub(super) fn value(&mut self, prefix: &str, value: &str) -> String {
        let digest = self.digest(value);
        let all = hex(&digest);
        let mut digits = self.digits;
        loop {
            let name = format!("{prefix}-{}", all.get(..digits).unwrap_or(&all));
            match self.given.get(&name) {
                Some(owner) if *owner == digest => return name,
                // Another value has it already: this one needs more digits.
                Some(_) if digits < all.len() => digits += 1,
                Some(_) | None => {
                    self.given.insert(name.clone(), digest);
                    return name;
                }
            }
        }
    }

    fn digest(&self, value: &str) -> Digest {
        self.mac.digest(value.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_key_decides_and_case_of_ids_does_not() {
        let mut names = Names::new(&[1; KEY_BYTES]);
        let one = names.thing("vm", "/subscriptions/S/resourceGroups/Web");
        assert_eq!(names.thing("vm", "/SUBSCRIPTIONS/s/resourcegroups/web"), one);
        assert_ne!(names.value("name", "Web"), names.value("name", "web"));
        let mut other = Names::new(&[2; KEY_BYTES]);
        assert_ne!(other.thing("vm", "/subscriptions/S/resourceGroups/Web"), one);
        assert_eq!(one.len(), "vm-".len() + PLACEHOLDER_DIGITS);
    }

    proptest! {
        /// With one digit nearly everything collides.
        #[test]
        fn no_two_values_share_a_placeholder(values in prop::collection::btree_set("[a-z]{1,3}", 1..200), digits in 1_usize..4) {
            let mut names = Names::with_digits(&[7; KEY_BYTES], digits);
            let given: BTreeMap<_, _> = values.iter().map(|value| (value, names.value("x", value))).collect();
            prop_assert_eq!(given.values().collect::<BTreeSet<_>>().len(), values.len());
            for (value, name) in given {
                prop_assert_eq!(names.value("x", value), name);
            }
        }
    }
}
