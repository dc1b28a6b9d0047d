//! The key itself: `atg_{environment}_{64 lower-case hex digits}`.

use std::fmt;
use std::fmt::Write as _;
use std::str::FromStr;

use atg_models::{Environment, IdGen};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// Digits behind the last underscore: 256 random bits.
const SECRET_DIGITS: usize = 64;
/// Of these the first ones are the public prefix by which a key is found.
const PREFIX_DIGITS: usize = 8;

/// Why a text is not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyFormatError {
    /// Digits are missing.
    #[error("too short: a key is atg_{{dev|integration|production}}_ and 64 lower-case hex digits")]
    TooShort,
    /// Another prefix, or something else than lower-case hex digits.
    #[error("invalid format: a key is atg_{{dev|integration|production}}_ and 64 lower-case hex digits")]
    InvalidFormat,
}

/// The first digits of a key: public, used to find its record and to name it in logs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyPrefix(String);

impl KeyPrefix {
    /// Takes a prefix as it was stored.
    pub fn from_stored(text: &str) -> Option<Self> {
        (text.len() == PREFIX_DIGITS && is_lower_hex(text)).then(|| Self(text.to_owned()))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The SHA-256 of a key: all that is stored of it.
#[derive(Clone, Copy)]
pub struct KeyDigest([u8; 32]);

impl KeyDigest {
    /// Takes a digest as it was stored.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// To be stored.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for KeyDigest {
    /// In constant time.
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for KeyDigest {}

impl fmt::Debug for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyDigest(***)")
    }
}

/// A key. It prints as stars.
#[derive(Clone)]
pub struct ApiKey {
    environment: Environment,
    prefix: KeyPrefix,
    text: SecretString,
}

impl ApiKey {
    /// A new key of 32 random bytes.
    pub fn generate(environment: Environment, random: [u8; 32]) -> Self {
        let digits = random
            .iter()
            .fold(String::with_capacity(SECRET_DIGITS), |mut digits, byte| {
                // Writing to a String cannot fail.
                let _ = write!(digits, "{byte:02x}");
                digits
            });
        Self::of(environment, &digits)
    }

    /// A new random key.
    pub fn random(environment: Environment, ids: &dyn IdGen) -> Self {
        // 128 bits of an id may be a UUID of version 4, which has 122 random ones: three fill 256.
        let mut hash = Sha256::new();
        for _ in 0..3 {
            hash.update(ids.random_u128().to_be_bytes());
        }
        Self::generate(environment, hash.finalize().into())
    }

    /// Where it is meant for.
    pub const fn environment(&self) -> Environment {
        self.environment
    }

    /// Its public part.
    pub const fn prefix(&self) -> &KeyPrefix {
        &self.prefix
    }

    /// What is stored of it.
    pub fn digest(&self) -> KeyDigest {
        KeyDigest(Sha256::digest(self.expose().as_bytes()).into())
    }

    /// The key itself: to be shown once when it is made, and to be sent by a client.
    pub fn expose(&self) -> &str {
        self.text.expose_secret()
    }

    fn of(environment: Environment, digits: &str) -> Self {
        Self {
            environment,
            prefix: KeyPrefix(digits.chars().take(PREFIX_DIGITS).collect()),
            text: SecretString::from(format!("atg_{environment}_{digits}")),
        }
    }
}

impl FromStr for ApiKey {
    type Err = KeyFormatError;

    fn from_str(text: &str) -> Result<Self, KeyFormatError> {
        let parts = text.strip_prefix("atg_").and_then(|rest| rest.split_once('_'));
        let Some((environment, digits)) = parts else {
            let shortest = "atg_dev_".len().saturating_add(SECRET_DIGITS);
            return Err(if text.len() < shortest {
                KeyFormatError::TooShort
            } else {
                KeyFormatError::InvalidFormat
            });
        };
        let environment = environment.parse().map_err(|_| KeyFormatError::InvalidFormat)?;
        if !is_lower_hex(digits) {
            return Err(KeyFormatError::InvalidFormat);
        }
        match digits.len() {
            SECRET_DIGITS => Ok(Self::of(environment, digits)),
            fewer if fewer < SECRET_DIGITS => Err(KeyFormatError::TooShort),
            _ => Err(KeyFormatError::InvalidFormat),
        }
    }
}

impl fmt::Display for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "atg_{}_{}***", self.environment, self.prefix)
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn is_lower_hex(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expected: KeyFormatError) {
        assert_eq!(text.parse::<ApiKey>().unwrap_err(), expected, "{text}");
    }

    #[test]
    fn only_the_three_environments_are_keys() {
        let digits = "0123456789abcdef".repeat(4);
        for environment in Environment::ALL {
            let text = format!("atg_{environment}_{digits}");
            let key: ApiKey = text.parse().unwrap();
            assert_eq!((key.expose(), key.environment()), (text.as_str(), environment));
            assert_eq!(key.prefix().as_str(), "01234567");
        }
        for prefix in [
            "atg_prod_",
            "atg_Dev_",
            "atg__",
            "ATG_dev_",
            "xtg_dev_",
            "key_production_",
        ] {
            check(&format!("{prefix}{digits}"), KeyFormatError::InvalidFormat);
        }
    }

    #[test]
    fn digits_are_64_and_lower_case() {
        let hex = "a".repeat(64);
        check(
            &format!("atg_dev_{}", hex.to_uppercase()),
            KeyFormatError::InvalidFormat,
        );
        check(&format!("atg_dev_{hex}0"), KeyFormatError::InvalidFormat);
        check(&format!("atg_dev_{hex} "), KeyFormatError::InvalidFormat);
        check(&format!("atg_production_{}", "a".repeat(63)), KeyFormatError::TooShort);
        for short in ["", "x", "atg_dev", "atg_dev_", "Bearer"] {
            check(short, KeyFormatError::TooShort);
        }
        assert!(KeyFormatError::TooShort.to_string().contains("too short"));
        assert!(KeyFormatError::InvalidFormat.to_string().contains("invalid format"));
    }

    proptest! {
        #[test]
        fn a_key_never_prints(random: [u8; 32]) {
            let key = ApiKey::generate(Environment::Dev, random);
            let secret = key.expose().chars().skip(16).collect::<String>();
            let printed = format!("{key} {key:?} {:?}", key.digest());
            prop_assert!(!printed.contains(&secret));
            let again: ApiKey = key.expose().parse().unwrap();
            prop_assert_eq!(again.digest(), key.digest());
        }
    }
}
