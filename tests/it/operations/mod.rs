//! `/api/v1/operations`.

mod cancel;
mod download;
mod events;
mod files;
mod get;
mod list;
mod result;

pub(crate) use download::hex;
