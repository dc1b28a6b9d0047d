//! `POST /api/v1/visualize`: a drawing of a tenant's graph.

use serde::{Deserialize, Serialize};

use crate::api::fields::{ApiRequest, Fields};
use crate::ids::TenantId;
use crate::limits::FILE_NAME_MAX_BYTES;

/// Draws a tenant's graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct VisualizeRequest {
    /// Whose; left out = the only tenant that the key may see.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = Uuid))]
    pub tenant_id: Option<TenantId>,
    /// Shows how things contain each other.
    #[cfg_attr(feature = "openapi", schema(default = true))]
    pub link_hierarchy: bool,
    /// The file's name inside the artifact.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_length = 255, example = "graph.html"))]
    pub output_path: Option<String>,
}

impl Default for VisualizeRequest {
    fn default() -> Self {
        Self {
            tenant_id: None,
            link_hierarchy: true,
            output_path: None,
        }
    }
}

impl ApiRequest for VisualizeRequest {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            tenant_id: fields.parsed("tenant_id"),
            link_hierarchy: fields.flag("link_hierarchy", true),
            output_path: file_name(fields),
        }
    }
}

fn file_name(fields: &mut Fields<'_>) -> Option<String> {
    let name = fields.text("output_path")?;
    let valid = (1..=FILE_NAME_MAX_BYTES).contains(&name.len())
        && !name.trim().is_empty()
        && !name.contains(['/', '\\', ':'])
        && !name.contains("..")
        && name != "."
        && !name.chars().any(char::is_control);
    if !valid {
        fields.refuse(
            "output_path",
            "must be a file name of 1 to 255 bytes without separators and \"..\"",
        );
    }
    Some(name.to_owned())
}
