//! What is published about an ARM type: its newest api-version and what in its body can only be read.

use std::sync::OnceLock;

use serde::Deserialize;

use super::{Lines, line};
use crate::IacError;

static PACKED: &[u8] = include_bytes!("../../data/tables/arm-types.gz");
static LINES: OnceLock<Lines> = OnceLock::new();

/// One ARM type.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ArmTypeFacts {
    /// As published, `Microsoft.Network/virtualNetworks`.
    #[serde(rename = "t")]
    pub(crate) type_: String,
    /// Newest stable, or the newest preview where no stable one exists.
    #[serde(rename = "v")]
    pub(crate) api_version: String,
    /// Whether that is a preview.
    #[serde(rename = "p", default)]
    pub(crate) preview: bool,
    /// Whether it can be written at all.
    #[serde(rename = "w", default)]
    pub(crate) writable: bool,
    /// Paths that can only be read: names joined by dots, `*` for any item of an array or map.
    #[serde(rename = "r", default)]
    pub(crate) read_only: Vec<String>,
    /// Members that the top level of a body knows.
    #[serde(rename = "m", default)]
    pub(crate) members: Vec<String>,
}

/// The facts of the type with this lower-cased name.
pub(crate) fn arm_type(lower: &str) -> Result<Option<ArmTypeFacts>, IacError> {
    line(&LINES, "arm-types", PACKED, lower)
}
