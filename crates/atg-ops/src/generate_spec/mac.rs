//! HMAC-SHA-256 (RFC 2104) over keys of one length: the digest of a value that only who has the key can make.

use sha2::{Digest as _, Sha256};

/// What SHA-256 works on at a time.
const BLOCK_BYTES: usize = 64;

/// A keyed digest, with the key worked in already.
pub(super) struct Mac {
    inner: Sha256,
    outer: Sha256,
}

impl Mac {
    /// A key of more than a block would have to be hashed first, so none is taken.
    pub(super) fn new<const N: usize>(key: &[u8; N]) -> Self {
        const { assert!(N <= BLOCK_BYTES, "the key is longer than a block") };
        let padded = |pad: u8| {
            let key = key.iter().copied().chain(std::iter::repeat(0));
            let block: Vec<u8> = key.take(BLOCK_BYTES).map(|byte| byte ^ pad).collect();
            Sha256::new_with_prefix(block)
        };
        Self {
            inner: padded(0x36),
            outer: padded(0x5c),
        }
    }

    /// The digest of a value.
    pub(super) fn digest(&self, value: &[u8]) -> [u8; 32] {
        let inner = self.inner.clone().chain_update(value).finalize();
        self.outer.clone().chain_update(inner).finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::hex;

    /// Cases 1 and 2 of RFC 4231.
    #[test]
    fn the_published_cases_come_out() {
        let one = Mac::new(&[0x0b; 20]).digest(b"Hi There");
        assert_eq!(
            hex(&one),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
        let two = Mac::new(b"Jefe").digest(b"what do ya want for nothing?");
        assert_eq!(
            hex(&two),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
