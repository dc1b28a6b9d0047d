//! The embedded tables: what the provider accepts, what ARM types exist, and which words are published.
//!
//! They are files of this crate, made by [`make`] from published schemas: one line a type, its name,
//! a tab and JSON, compressed. A line is parsed when its type is first met.

pub mod make;

mod arm;
mod bodies;
mod schema;
mod vocabulary;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::rc::Rc;
use std::sync::OnceLock;

pub(crate) use arm::ArmTypeFacts;
use arm::arm_type;
use bodies::arm_body;
pub(crate) use bodies::{BodyFacts, Member, Members, Node};
pub(crate) use schema::{AttrSchema, BlockSchema, NestedBlock, ResourceSchema, Ty, resource_schema};
pub use vocabulary::{Word, word};

use crate::{IacError, ProviderVersion};

/// Rows of the tables that a generation has met, each parsed once.
#[derive(Default)]
pub(crate) struct Tables {
    version: ProviderVersion,
    schemas: RefCell<BTreeMap<String, Option<Rc<ResourceSchema>>>>,
    types: RefCell<BTreeMap<String, Option<Rc<ArmTypeFacts>>>>,
    bodies: RefCell<BTreeMap<String, Option<Rc<BodyFacts>>>>,
}

impl Tables {
    /// The tables for a version of the provider.
    pub(crate) fn new(version: ProviderVersion) -> Self {
        Self {
            version,
            ..Self::default()
        }
    }

    /// The schema of a resource type of azurerm.
    pub(crate) fn schema(&self, name: &str) -> Result<Option<Rc<ResourceSchema>>, IacError> {
        if let Some(found) = self.schemas.borrow().get(name) {
            return Ok(found.clone());
        }
        let found = resource_schema(self.version, name)?.map(Rc::new);
        self.schemas.borrow_mut().insert(name.to_owned(), found.clone());
        Ok(found)
    }

    /// The facts of an ARM type by its lower-cased name.
    pub(crate) fn arm_type(&self, lower: &str) -> Result<Option<Rc<ArmTypeFacts>>, IacError> {
        if let Some(found) = self.types.borrow().get(lower) {
            return Ok(found.clone());
        }
        let found = arm_type(lower)?.map(Rc::new);
        self.types.borrow_mut().insert(lower.to_owned(), found.clone());
        Ok(found)
    }

    /// What a request body of an ARM type may hold, by its lower-cased name. `None` for types that are not
    /// known or cannot be written.
    pub(crate) fn arm_body(&self, lower: &str) -> Result<Option<Rc<BodyFacts>>, IacError> {
        if let Some(found) = self.bodies.borrow().get(lower) {
            return Ok(found.clone());
        }
        let found = arm_body(lower)?.map(Rc::new);
        self.bodies.borrow_mut().insert(lower.to_owned(), found.clone());
        Ok(found)
    }
}

/// A table unpacked: the whole text is kept, the lines are found by name.
struct Lines {
    by_name: BTreeMap<String, String>,
}

impl Lines {
    fn unpack(table: &'static str, packed: &[u8]) -> Result<Self, IacError> {
        let mut text = String::new();
        flate2::read::GzDecoder::new(packed)
            .read_to_string(&mut text)
            .map_err(|error| IacError::Table {
                table,
                detail: error.to_string(),
            })?;
        let by_name = text
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once('\t'))
            .map(|(name, json)| (name.to_owned(), json.to_owned()))
            .collect();
        Ok(Self { by_name })
    }
}

/// The line of `name` in `table`, parsed. `None` when the table has no such line.
fn line<T: serde::de::DeserializeOwned>(
    cell: &OnceLock<Lines>,
    table: &'static str,
    packed: &[u8],
    name: &str,
) -> Result<Option<T>, IacError> {
    let lines = if let Some(lines) = cell.get() {
        lines
    } else {
        let unpacked = Lines::unpack(table, packed)?;
        cell.get_or_init(|| unpacked)
    };
    lines
        .by_name
        .get(name)
        .map(|json| {
            serde_json::from_str(json).map_err(|error| IacError::Table {
                table,
                detail: format!("{name}: {error}"),
            })
        })
        .transpose()
}
