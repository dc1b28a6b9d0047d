//! What counts as a secret: a table of key names and paths, and a table of credential shapes.
//!
//! Used before a body is stored, again before a file is written, and for log lines. A reference to
//! a secret (a vault's address, an id, a name) is none. Must never take a GUID, a digest, a
//! certificate, a public key or a resource id for one.

mod base64_text;
mod body;
mod hints;
mod names;
#[cfg(any(test, feature = "testing"))]
pub mod planted;
mod shapes;
#[cfg(test)]
mod tests;

pub use body::redact;
pub use names::is_secret_name;
pub use shapes::{contains_secret, redact_text};

/// What stands in the graph where a secret stood.
pub const MARKER: &str = "**atg:secret**";
