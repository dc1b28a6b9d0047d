//! `/api/v1/operations`.

mod cancel;
mod download;
mod get;
mod list;
mod result;
