//! Keys of nodes, and the range in which a tenant's lie.
//!
//! The server keeps a text's index in the order of its bytes, as SQLite does and as Rust compares; sorting and
//! comparing without an index it goes by UTF-16 units instead, which differs beyond the first plane. So what is
//! read in order is read from the index of keys, or sorted here.

use atg_models::{NodeId, TenantId};

/// A node's key.
pub(super) fn key(tenant: TenantId, id: &NodeId) -> String {
    format!("{tenant}/{id}")
}

/// Less than every key of the tenant.
pub(super) fn first(tenant: TenantId) -> String {
    format!("{tenant}/")
}

/// Greater than every key of the tenant: `0` follows `/`.
pub(super) fn end(tenant: TenantId) -> String {
    format!("{tenant}0")
}
