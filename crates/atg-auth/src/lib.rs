//! API keys, scopes, and the pure decision whether a principal may do something.
//!
//! Relies on `atg-models` for ids and environments. Has no I/O and no clock: keys come as a
//! [`Keyring`], the time as an argument. Must never print a key: only its public prefix.

mod authenticate;
mod decide;
mod key;
mod keyring;
mod name;
mod principal;
mod stored;

pub use authenticate::{AuthError, authenticate, authenticate_key};
pub use decide::{Denied, decide, may_see_job, sole_tenant};
pub use key::{ApiKey, KeyDigest, KeyFormatError, KeyPrefix};
pub use keyring::{KeyListError, KeyRecord, Keyring};
pub use name::{KeyName, KeyNameError};
pub use principal::{NotTenants, Principal, Scope, Tenants, UnknownScope};
pub use stored::{KeyStatus, Rotation, StoredKey};
