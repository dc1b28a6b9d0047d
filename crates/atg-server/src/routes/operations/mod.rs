//! `/api/v1/operations`: follow, cancel and collect jobs of any kind.

mod artifact;
pub(super) mod cancel;
pub(super) mod download;
pub(super) mod events;
pub(super) mod files;
pub(super) mod get;
pub(super) mod list;
pub(super) mod result;
