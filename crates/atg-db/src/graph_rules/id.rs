//! What an id says by itself.

use atg_models::{ArmId, NodeId};

/// The subscription and the group that an id names, lower case.
pub(crate) fn place(id: &NodeId) -> (Option<String>, Option<String>) {
    match id.as_str().parse::<ArmId>() {
        Ok(id) => (
            id.subscription().map(str::to_lowercase),
            id.resource_group().map(str::to_lowercase),
        ),
        Err(_) => (None, None),
    }
}

/// The name that an id carries.
pub(crate) fn name_in(id: &NodeId) -> &str {
    let text = id.as_str();
    if text.starts_with('/') {
        return text.rsplit_once('/').map_or(text, |(_, name)| name);
    }
    text.split_once(':').map_or(text, |(_, name)| name)
}
