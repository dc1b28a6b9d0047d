//! The rows: which provider type an ARM type becomes, and how. All of it is data, in `data/azurerm`.

pub(crate) mod expr;
mod files;
#[cfg(test)]
mod tests;
mod versions;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use toml::Value;

use crate::{IacError, ProviderVersion, Reason};
use expr::{Cond, Expr, Path};

/// One provider type.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// The provider's type.
    pub(crate) azurerm: String,
    /// Lower-cased ARM types that it is for.
    pub(crate) arm: Vec<String>,
    /// When it applies.
    pub(crate) when: Option<Cond>,
    /// In addition to the main one, from the same body.
    pub(crate) extra: bool,
    /// For an extra one: one for each element of these nested lists.
    pub(crate) each: Vec<Path>,
    /// The provider type of the parent, in whose blocks it is held when the parent is emitted as that type.
    pub(crate) part_of: Option<String>,
    /// Expression for the id of the resource whose block already holds it.
    pub(crate) held_by: Option<Expr>,
    /// The attribute of the holder that gives this one's id.
    pub(crate) held_as: Option<String>,
    /// The attribute that gives the ARM id, when `id` does not.
    pub(crate) id_attr: Option<String>,
    /// The import id, when it is not the ARM id.
    pub(crate) import: Option<Expr>,
    /// Common attributes that are not filled in by themselves.
    pub(crate) without: Vec<String>,
    /// Paths of the body that follow from the rest, or that Azure fills in: nothing is lost without them.
    pub(crate) implied: Vec<Path>,
    /// Children that stand in the body and are resources of their own: path and lower-cased type.
    pub(crate) inline: Vec<(Path, String)>,
    /// What it holds.
    pub(crate) body: BlockRow,
}

/// The attributes and blocks of one level.
#[derive(Debug, Clone, Default)]
pub(crate) struct BlockRow {
    /// One block for each element of this list or map.
    pub(crate) each: Option<Path>,
    /// The element that paths start from; no element, no block.
    pub(crate) from: Option<Path>,
    /// When it applies.
    pub(crate) when: Option<Cond>,
    /// Written even when nothing is in it.
    pub(crate) always: bool,
    /// Attributes.
    pub(crate) attrs: BTreeMap<String, Expr>,
    /// Nested blocks; several of one name come from several places.
    pub(crate) blocks: BTreeMap<String, Vec<BlockRow>>,
}

/// Something that is not written, and why.
#[derive(Debug, Clone)]
pub(crate) struct Skip {
    /// When; always without.
    pub(crate) when: Option<Cond>,
    /// Why.
    pub(crate) reason: Reason,
    /// In words.
    pub(crate) detail: String,
}

/// All rows.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    /// By lower-cased ARM type: those with a condition first.
    main: BTreeMap<String, Vec<Row>>,
    extra: BTreeMap<String, Vec<Row>>,
    skip: BTreeMap<String, Vec<Skip>>,
}

impl Rows {
    /// The embedded rows for a version of the provider.
    pub(crate) fn embedded(version: ProviderVersion) -> Result<&'static Self, IacError> {
        static ROWS_4: OnceLock<Result<Rows, String>> = OnceLock::new();
        static ROWS_5: OnceLock<Result<Rows, String>> = OnceLock::new();
        let (rows, differences) = match version {
            ProviderVersion::V4 => (&ROWS_4, files::DIFFERENCES_4),
            ProviderVersion::V5 => (&ROWS_5, ""),
        };
        rows.get_or_init(|| Self::parse(files::FILES, differences))
            .as_ref()
            .map_err(|detail| IacError::Table {
                table: "azurerm rows",
                detail: detail.clone(),
            })
    }

    /// The main rows of an ARM type, in the order in which they are tried.
    pub(crate) fn main(&self, arm: &str) -> &[Row] {
        self.main.get(arm).map_or(&[], Vec::as_slice)
    }

    /// The additional rows of an ARM type.
    pub(crate) fn extra(&self, arm: &str) -> &[Row] {
        self.extra.get(arm).map_or(&[], Vec::as_slice)
    }

    /// The reasons not to write an ARM type.
    pub(crate) fn skip(&self, arm: &str) -> &[Skip] {
        self.skip.get(arm).map_or(&[], Vec::as_slice)
    }

    /// All rows.
    #[cfg(test)]
    pub(crate) fn all(&self) -> impl Iterator<Item = &Row> {
        self.main.values().chain(self.extra.values()).flatten()
    }

    fn parse(files: &[(&str, &str)], differences: &str) -> Result<Self, String> {
        let mut rows = Self::default();
        let differences: toml::Table = differences.parse().map_err(|error| format!("differences: {error}"))?;
        for (file, text) in files {
            let table: toml::Table = text.parse().map_err(|error| format!("{file}: {error}"))?;
            for (name, mut value) in table {
                let provider_type = versions::provider_type(&name, &value).to_owned();
                if let Some(difference) = differences.get(&provider_type) {
                    versions::apply(&mut value, difference);
                }
                let located = |detail: String| format!("{file}: {name}: {detail}");
                if name.starts_with("skip") {
                    rows.add_skips(&value).map_err(located)?;
                } else {
                    let row = Row::parse(&name, value).map_err(|detail| format!("{file}: {name}: {detail}"))?;
                    rows.add(&row);
                }
            }
        }
        for list in rows.main.values_mut() {
            list.sort_by_key(|row| (row.when.is_none(), row.azurerm.clone()));
        }
        Ok(rows)
    }

    fn add(&mut self, row: &Row) {
        let target = if row.extra { &mut self.extra } else { &mut self.main };
        for arm in &row.arm {
            target.entry(arm.clone()).or_default().push(row.clone());
        }
    }

    fn add_skips(&mut self, value: &Value) -> Result<(), String> {
        for entry in value.as_array().ok_or("skip is a list of tables")? {
            let text = |key: &str| entry.get(key).and_then(Value::as_str);
            let skip = Skip {
                when: text("when").map(Cond::parse).transpose()?,
                reason: match text("reason").ok_or("a skip has a reason")? {
                    "managed_by_other" => Reason::ManagedByOther,
                    "secret_only" => Reason::SecretOnly,
                    "read_only" => Reason::ReadOnly,
                    "unsupported" => Reason::Unsupported,
                    other => return Err(format!("no reason of rows: {other}")),
                },
                detail: text("detail").ok_or("a skip has a detail")?.to_owned(),
            };
            let arm = text("arm").ok_or("a skip has an ARM type")?;
            self.skip.entry(arm.to_lowercase()).or_default().push(skip);
        }
        Ok(())
    }
}

impl Row {
    fn parse(name: &str, value: Value) -> Result<Self, String> {
        let Value::Table(mut table) = value else {
            return Err("a row is a table".to_owned());
        };
        let arm = strings(table.remove("_arm"))?;
        if arm.is_empty() {
            return Err("no _arm".to_owned());
        }
        let azurerm = match strings(table.remove("_azurerm"))?.pop() {
            Some(other) => other,
            None => name.to_owned(),
        };
        let inline = match table.remove("_inline") {
            Some(Value::Table(pairs)) => pairs
                .into_iter()
                .map(|(path, type_)| {
                    let type_ = type_.as_str().ok_or("_inline gives types")?.to_lowercase();
                    Ok((Path::parse(&path)?, type_))
                })
                .collect::<Result<_, String>>()?,
            Some(_) => return Err("_inline is a table".to_owned()),
            None => Vec::new(),
        };
        Ok(Self {
            azurerm,
            arm: arm.iter().map(|arm| arm.to_lowercase()).collect(),
            when: condition(table.remove("_when"))?,
            extra: table
                .remove("_extra")
                .is_some_and(|value| value.as_bool() == Some(true)),
            each: strings(table.remove("_each"))?
                .iter()
                .map(|path| Path::parse(path))
                .collect::<Result<_, _>>()?,
            part_of: strings(table.remove("_part_of"))?.pop(),
            held_by: strings(table.remove("_held_by"))?
                .first()
                .map(|text| Expr::parse(text))
                .transpose()?,
            id_attr: strings(table.remove("_id"))?.pop(),
            held_as: strings(table.remove("_held_as"))?.pop(),
            import: strings(table.remove("_import"))?
                .first()
                .map(|text| Expr::parse(text))
                .transpose()?,
            implied: strings(table.remove("_implied"))?
                .iter()
                .map(|path| Path::parse(path))
                .collect::<Result<_, _>>()?,
            without: strings(table.remove("_without"))?,
            inline,
            body: BlockRow::parse(table)?,
        })
    }
}

impl BlockRow {
    fn parse(mut table: toml::Table) -> Result<Self, String> {
        let path = |value: Option<Value>| strings(value)?.first().map(|text| Path::parse(text)).transpose();
        let mut row = Self {
            each: path(table.remove("_each"))?,
            from: path(table.remove("_from"))?,
            when: condition(table.remove("_when"))?,
            always: table
                .remove("_always")
                .is_some_and(|value| value.as_bool() == Some(true)),
            ..Self::default()
        };
        for (name, value) in table {
            if name.starts_with('_') {
                return Err(format!("unknown key {name}"));
            }
            let in_name = |detail: String| format!("{name}: {detail}");
            match value {
                Value::String(text) => {
                    row.attrs.insert(name.clone(), Expr::parse(&text).map_err(in_name)?);
                }
                Value::Table(inner) => {
                    let inner = Self::parse(inner).map_err(in_name)?;
                    row.blocks.insert(name, vec![inner]);
                }
                Value::Array(items) if items.iter().any(Value::is_table) => {
                    let blocks = items.into_iter().map(|item| match item {
                        Value::Table(inner) => Self::parse(inner),
                        Value::String(_)
                        | Value::Integer(_)
                        | Value::Float(_)
                        | Value::Boolean(_)
                        | Value::Datetime(_)
                        | Value::Array(_) => Err("a list of blocks holds tables".to_owned()),
                    });
                    let blocks = blocks.collect::<Result<_, _>>().map_err(in_name)?;
                    row.blocks.insert(name, blocks);
                }
                Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) | Value::Array(_) => {
                    let constant = serde_json::to_value(value).map_err(|error| error.to_string())?;
                    row.attrs.insert(name, Expr::constant(constant));
                }
            }
        }
        Ok(row)
    }
}

fn condition(value: Option<Value>) -> Result<Option<Cond>, String> {
    strings(value)?.first().map(|text| Cond::parse(text)).transpose()
}

/// A text or a list of texts.
fn strings(value: Option<Value>) -> Result<Vec<String>, String> {
    match value {
        None => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(vec![text]),
        Some(Value::Array(items)) => items
            .into_iter()
            .map(|item| {
                item.as_str()
                    .map(str::to_owned)
                    .ok_or_else(|| "a list of texts".to_owned())
            })
            .collect(),
        Some(
            other @ (Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) | Value::Table(_)),
        ) => Err(format!("a text or a list of texts, not {other}")),
    }
}
