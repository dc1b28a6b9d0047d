//! Object ids that carry their row: a UUID whose last 48 bits are a keyed permutation of kind and
//! index, so that an id is found again without a table.

use uuid::Uuid;

use crate::seeded;

/// What an id names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    User,
    Group,
    Principal,
    Application,
    AppId,
    DirectoryRole,
    Unit,
    Assignment,
    Subscription,
    Device,
    CustomRole,
}

impl Kind {
    const ALL: [Self; 11] = [
        Self::User,
        Self::Group,
        Self::Principal,
        Self::Application,
        Self::AppId,
        Self::DirectoryRole,
        Self::Unit,
        Self::Assignment,
        Self::Subscription,
        Self::Device,
        Self::CustomRole,
    ];

    fn number(self) -> u64 {
        seeded::wide(Self::ALL.iter().position(|kind| *kind == self).unwrap_or(0))
    }
}

/// Bits of an index; the kind stands above them.
const INDEX_BITS: u32 = 40;
const HALF: u64 = (1 << 24) - 1;
const ROUNDS: u64 = 4;

/// The id of object `index` of a kind.
pub(crate) fn encode(seed: u64, kind: Kind, index: usize) -> Uuid {
    let plain = (kind.number() << INDEX_BITS) | (seeded::wide(index) & ((1 << INDEX_BITS) - 1));
    let (mut left, mut right) = (plain >> 24, plain & HALF);
    for round in 0..ROUNDS {
        (left, right) = (right, left ^ (seeded::pair(seed ^ round, right) & HALF));
    }
    let low = (left << 24) | right;
    let high = u128::from(seeded::pair(seed, low)) << 64;
    let variant = (seeded::pair(!seed, low) & 0x3fff) | 0x8000;
    let bits = (high & !(0xf000 << 64)) | (0x4000 << 64) | (u128::from(variant) << 48) | u128::from(low);
    Uuid::from_u128(bits)
}

/// Which object an id names, `None` when it is not one of this seed.
pub(crate) fn decode(seed: u64, text: &str) -> Option<(Kind, usize)> {
    let id = Uuid::try_parse(text).ok()?;
    let low = u64::try_from(id.as_u128() & 0xffff_ffff_ffff).ok()?;
    let (mut left, mut right) = (low >> 24, low & HALF);
    for round in (0..ROUNDS).rev() {
        (left, right) = (right ^ (seeded::pair(seed ^ round, left) & HALF), left);
    }
    let plain = (left << 24) | right;
    let kind = *Kind::ALL.get(seeded::narrow(plain >> INDEX_BITS))?;
    let index = seeded::narrow(plain & ((1 << INDEX_BITS) - 1));
    (encode(seed, kind, index) == id).then_some((kind, index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_found_again_and_only_with_its_seed() {
        for kind in Kind::ALL {
            for index in [0, 1, 77, 1_000_000] {
                let id = encode(7, kind, index).to_string();
                assert_eq!(decode(7, &id), Some((kind, index)));
                assert_eq!(decode(8, &id), None);
                assert_eq!(id.chars().nth(14), Some('4'));
            }
        }
    }
}
