//! The azurerm provider's own schema, reduced to what can be written.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;
use serde::de::Error as _;
use serde_json::Value;

use super::{Lines, line};
use crate::{IacError, ProviderVersion};

static PACKED_4: &[u8] = include_bytes!("../../data/tables/azurerm-4.gz");
static LINES_4: OnceLock<Lines> = OnceLock::new();
static PACKED_5: &[u8] = include_bytes!("../../data/tables/azurerm-5.gz");
static LINES_5: OnceLock<Lines> = OnceLock::new();

/// One resource type of the provider.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ResourceSchema {
    /// Its attributes and blocks.
    #[serde(flatten)]
    pub(crate) block: BlockSchema,
    /// How the provider spells the segments of its import id.
    #[serde(rename = "i", default)]
    pub(crate) import_specs: Vec<String>,
}

/// The attributes and blocks of one level. What is computed only is absent.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct BlockSchema {
    /// Attributes by name.
    #[serde(rename = "a", default)]
    pub(crate) attrs: BTreeMap<String, AttrSchema>,
    /// Nested blocks by name.
    #[serde(rename = "b", default)]
    pub(crate) blocks: BTreeMap<String, NestedBlock>,
}

/// An attribute: its flags (`R` required, `C` computed when absent, `S` sensitive, `W` write-only, `D` deprecated)
/// and its type.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct AttrSchema(pub(crate) String, pub(crate) Ty);

impl AttrSchema {
    pub(crate) fn required(&self) -> bool {
        self.0.contains('R')
    }

    pub(crate) fn sensitive(&self) -> bool {
        self.0.contains('S')
    }
}

/// A nested block: least and greatest number (0 = no bound), and what is in it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct NestedBlock(pub(crate) u64, pub(crate) u64, pub(crate) BlockSchema);

/// A type of Terraform's.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ty {
    /// `string`
    String,
    /// `number`
    Number,
    /// `bool`
    Bool,
    /// A list or a set.
    List(Box<Ty>),
    /// A map.
    Map(Box<Ty>),
    /// An object with exactly these members; written as a nested block.
    Object(BTreeMap<String, Ty>),
    /// Anything.
    Any,
}

impl Ty {
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::String(name) => Some(match name.as_str() {
                "string" => Self::String,
                "number" => Self::Number,
                "bool" => Self::Bool,
                "dynamic" => Self::Any,
                _ => return None,
            }),
            Value::Array(parts) => {
                let inner = parts.get(1)?;
                match parts.first()?.as_str()? {
                    "list" | "set" => Some(Self::List(Box::new(Self::read(inner)?))),
                    "map" => Some(Self::Map(Box::new(Self::read(inner)?))),
                    "object" => {
                        let members = inner.as_object()?.iter();
                        let members = members.map(|(name, ty)| Some((name.clone(), Self::read(ty)?)));
                        Some(Self::Object(members.collect::<Option<_>>()?))
                    }
                    _ => None,
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
        }
    }
}

impl<'de> Deserialize<'de> for Ty {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::read(&value).ok_or_else(|| D::Error::custom("unknown type"))
    }
}

/// The schema of a resource type of azurerm.
pub(crate) fn resource_schema(version: ProviderVersion, name: &str) -> Result<Option<ResourceSchema>, IacError> {
    match version {
        ProviderVersion::V4 => line(&LINES_4, "azurerm-4", PACKED_4, name),
        ProviderVersion::V5 => line(&LINES_5, "azurerm-5", PACKED_5, name),
    }
}
