//! From a header, or a key as it came, to a principal.

use atg_models::{Environment, ErrorCode};
use time::OffsetDateTime;

use crate::key::ApiKey;
use crate::keyring::Keyring;
use crate::principal::Principal;

/// Why a request has no principal. The texts are the contract's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// No header.
    #[error("Missing Authorization header")]
    MissingHeader,
    /// Another scheme, or nothing behind it.
    #[error("Invalid Authorization format, expected Bearer")]
    InvalidFormat,
    /// No key, an unknown one, or one of an environment that does not count here.
    #[error("Invalid API key")]
    InvalidKey,
    /// Its time has passed.
    #[error("API key expired")]
    Expired,
}

impl AuthError {
    /// With which it is answered.
    pub const CODE: ErrorCode = ErrorCode::AuthenticationFailed;
}

/// Who sends this `Authorization` header. The scheme's name counts in any case.
pub fn authenticate(
    header: Option<&str>,
    keyring: &Keyring,
    now: OffsetDateTime,
    environment: Environment,
) -> Result<Principal, AuthError> {
    let header = header.map(str::trim).filter(|header| !header.is_empty());
    let header = header.ok_or(AuthError::MissingHeader)?;
    let (scheme, key) = header.split_once(' ').ok_or(AuthError::InvalidFormat)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(AuthError::InvalidFormat);
    }
    authenticate_key(key.trim_start(), keyring, now, environment)
}

/// Who has this key.
pub fn authenticate_key(
    key: &str,
    keyring: &Keyring,
    now: OffsetDateTime,
    environment: Environment,
) -> Result<Principal, AuthError> {
    let key: ApiKey = key.parse().map_err(|_| AuthError::InvalidKey)?;
    let record = keyring.find(&key).ok_or(AuthError::InvalidKey)?;
    if !record.counts_in(environment) {
        return Err(AuthError::InvalidKey);
    }
    if record.is_expired(now) {
        return Err(AuthError::Expired);
    }
    Ok(record.principal())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyring::KeyRecord;
    use crate::principal::{Scope, Tenants};
    use time::Duration;

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn key(environment: Environment) -> ApiKey {
        ApiKey::generate(environment, [7; 32])
    }

    fn check(header: Option<&str>, expected: Result<(), &str>) {
        let keyring = Keyring::from_list(key(Environment::Dev).expose()).unwrap();
        let result = authenticate(header, &keyring, NOW, Environment::Dev);
        let result = result.map(|_| ()).map_err(|error| error.to_string());
        assert_eq!(result, expected.map_err(str::to_owned), "{header:?}");
    }

    #[test]
    fn the_messages_are_the_contracts() {
        let good = key(Environment::Dev);
        let other = ApiKey::generate(Environment::Dev, [8; 32]);
        check(None, Err("Missing Authorization header"));
        check(Some(""), Err("Missing Authorization header"));
        for header in ["Basic dTpw", good.expose(), "Bearer", "Bearer "] {
            check(Some(header), Err("Invalid Authorization format, expected Bearer"));
        }
        check(Some("Bearer x"), Err("Invalid API key"));
        check(Some(&format!("Bearer {}", other.expose())), Err("Invalid API key"));
        check(Some(&format!("Bearer {}0", good.expose())), Err("Invalid API key"));
        for scheme in ["Bearer", "bearer", "BEARER", "bEaReR "] {
            check(Some(&format!("{scheme} {}", good.expose())), Ok(()));
        }
    }

    #[test]
    fn a_key_expires_to_the_moment() {
        let key = key(Environment::Dev);
        let mut record = KeyRecord::of(&key, "k", Scope::Read, Tenants::All);
        record.expires_at = Some(NOW + Duration::HOUR);
        let keyring = Keyring::new(vec![record]);
        let at = |now| authenticate_key(key.expose(), &keyring, now, Environment::Dev).map(|principal| principal.scope);
        assert_eq!(at(NOW), Ok(Scope::Read));
        assert_eq!(at(NOW + Duration::HOUR), Err(AuthError::Expired));
        assert_eq!(AuthError::Expired.to_string(), "API key expired");
        assert!(keyring.holds(key.prefix(), NOW) && !keyring.holds(key.prefix(), NOW + Duration::HOUR));
    }

    #[test]
    fn production_refuses_the_keys_of_other_environments() {
        for of_key in Environment::ALL {
            for at in Environment::ALL {
                let key = key(of_key);
                let keyring = Keyring::from_list(key.expose()).unwrap();
                let result = authenticate_key(key.expose(), &keyring, NOW, at);
                let refused = at == Environment::Production && of_key != Environment::Production;
                assert_eq!(result.is_err(), refused, "{of_key} at {at}");
            }
        }
    }
}
