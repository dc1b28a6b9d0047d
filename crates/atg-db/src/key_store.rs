//! API keys that are kept: made, listed, rotated and revoked while servers use them.

use async_trait::async_trait;
use atg_auth::{KeyPrefix, Rotation, StoredKey};
use time::OffsetDateTime;

use crate::StoreError;

/// Whether a key was taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyPut {
    /// It was.
    Made,
    /// A living key has this name.
    NameTaken,
    /// A key has, or had, this prefix: make another one.
    PrefixTaken,
}

/// Keeps keys; of each key only the digest. Several programs may hold one store at the same time: a server
/// and the commands beside it.
#[async_trait]
pub trait KeyStore: Send + Sync + 'static {
    /// The key with this prefix, dead or alive.
    async fn find(&self, prefix: &KeyPrefix) -> Result<Option<StoredKey>, StoreError>;

    /// Adds a key. Names are unique among the living at its `created_at`, prefixes among all. Removes what
    /// has been dead for [`atg_models::limits::DEAD_KEY_TTL`].
    async fn put(&self, key: StoredKey) -> Result<KeyPut, StoreError>;

    /// Puts a successor in the place of the key with the prefix `old`, in one transaction.
    /// [`StoreError::NotFound`] when that key is dead or rotated already.
    async fn replace(&self, old: &KeyPrefix, with: Rotation) -> Result<KeyPut, StoreError>;

    /// Takes back every living key with this name, rotated ones included. Answers how many there were.
    async fn revoke(&self, name: &str, now: OffsetDateTime) -> Result<u64, StoreError>;

    /// All keys, dead ones included, the oldest first.
    async fn list(&self) -> Result<Vec<StoredKey>, StoreError>;

    /// Writes down when keys were last used; an earlier time than the known one changes nothing.
    async fn touch(&self, uses: Vec<(KeyPrefix, OffsetDateTime)>) -> Result<(), StoreError>;

    /// A number that grows with every change of the keys but their use. Quick: it is asked for several
    /// times a second.
    async fn revision(&self) -> Result<u64, StoreError>;
}
