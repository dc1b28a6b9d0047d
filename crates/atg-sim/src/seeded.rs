//! Small deterministic mixing: the same seed and text give the same number everywhere.
//! Not for secrets.

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;

/// Mixes one number thoroughly (the finaliser of splitmix64).
pub(crate) fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A number of a seed and a text.
pub(crate) fn hash(seed: u64, text: &str) -> u64 {
    let mut state = FNV_OFFSET ^ mix(seed);
    for byte in text.bytes() {
        state = (state ^ u64::from(byte)).wrapping_mul(FNV_PRIME);
    }
    mix(state)
}

/// A number of a seed and another number.
pub(crate) fn pair(seed: u64, value: u64) -> u64 {
    mix(mix(seed) ^ value)
}

/// A UUID-shaped text of a seed and a label.
pub(crate) fn uuid(seed: u64, label: &str) -> String {
    let high = hash(seed, label);
    let low = mix(high ^ 1);
    uuid::Builder::from_random_bytes(((u128::from(high) << 64) | u128::from(low)).to_be_bytes())
        .into_uuid()
        .to_string()
}

/// A length as a number of the wire.
pub(crate) fn wide(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

/// A number of the wire as a length; too large ones saturate.
pub(crate) fn narrow(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}
