//! Makes the embedded tables from published schemas. Run by the project's automation, never by the product.

mod bodies;
mod vocabulary;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};

pub use bodies::arm_bodies;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
pub use vocabulary::vocabulary;

/// Recursive types end somewhere: no published body is nested deeper than this in practice.
const MAX_DEPTH: usize = 14;

/// Why a table could not be made.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// The source is not gzip, or the table could not be packed.
    #[error("unpacking or packing failed")]
    Gzip(#[from] std::io::Error),
    /// The source is not JSON.
    #[error("the source is not JSON")]
    Json(#[from] serde_json::Error),
    /// The source has another shape than expected.
    #[error("the source lacks {0}")]
    Shape(&'static str),
}

/// The SHA-256 of the sources, as the first line of a table records it.
pub fn source_digest(sources: &[&[u8]]) -> String {
    use std::fmt::Write as _;
    let mut hasher = Sha256::new();
    for source in sources {
        hasher.update(source);
    }
    hasher.finalize().iter().fold(String::new(), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

/// The first line of a packed table: the digest of the sources it was made from.
pub fn recorded_digest(table: &[u8]) -> Option<String> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(table).read_to_string(&mut text).ok()?;
    text.lines().next().map(str::to_owned)
}

/// `data/tables/azurerm-N.gz` from the provider's schema and the map of types. Of several schemas of one version the
/// first that has a type counts.
pub fn azurerm(schemas_gz: &[&[u8]], map_gz: &[u8]) -> Result<Vec<u8>, MakeError> {
    let map: Value = serde_json::from_str(&unpack(map_gz)?)?;
    let mut lines = BTreeMap::new();
    for schema_gz in schemas_gz {
        let schema: Value = serde_json::from_str(&unpack(schema_gz)?)?;
        let resources = schema
            .get("provider_schemas")
            .and_then(Value::as_object)
            .and_then(|providers| providers.values().next())
            .and_then(|provider| provider.get("resource_schemas"))
            .and_then(Value::as_object)
            .ok_or(MakeError::Shape("resource_schemas"))?;
        for (name, resource) in resources {
            let mut row = match resource.get("block") {
                Some(block) => block_schema(block, true),
                None => return Err(MakeError::Shape("block")),
            };
            let specs = map
                .get(name)
                .and_then(|entry| entry.pointer("/management_plane/import_specs"));
            if let Some(specs) = specs {
                row.insert("i".to_owned(), specs.clone());
            }
            lines.entry(name.clone()).or_insert(Value::Object(row));
        }
    }
    let sources: Vec<&[u8]> = schemas_gz.iter().copied().chain([map_gz]).collect();
    pack(&source_digest(&sources), &lines)
}

/// `data/tables/arm-types.gz` from the published ARM types.
pub fn arm_types(types_gz: &[u8]) -> Result<Vec<u8>, MakeError> {
    let mut lines = BTreeMap::new();
    for line in unpack(types_gz)?.lines() {
        let facts: Value = serde_json::from_str(line)?;
        let type_ = facts
            .get("type")
            .and_then(Value::as_str)
            .ok_or(MakeError::Shape("type"))?;
        let version = facts.get("api_version").ok_or(MakeError::Shape("api_version"))?;
        let body = facts.get("body").ok_or(MakeError::Shape("body"))?;
        let empty = Map::new();
        let defs = facts.get("defs").and_then(Value::as_object).unwrap_or(&empty);
        let mut read_only = BTreeSet::new();
        walk(body, defs, "", &mut Vec::new(), &mut read_only);
        let members: BTreeSet<&String> = ["props", "variants"]
            .iter()
            .filter_map(|key| body.get(key).and_then(Value::as_object))
            .flat_map(Map::keys)
            .collect();
        let mut row = json!({ "t": type_, "v": version, "r": read_only, "m": members });
        if let Some(row) = row.as_object_mut() {
            if facts.get("preview").is_some() {
                row.insert("p".to_owned(), Value::Bool(true));
            }
            let writable = facts.get("writable").and_then(Value::as_array);
            if writable.is_some_and(|scopes| !scopes.is_empty()) {
                row.insert("w".to_owned(), Value::Bool(true));
            }
        }
        lines.insert(type_.to_lowercase(), row);
    }
    pack(&source_digest(&[types_gz]), &lines)
}

/// Attributes and blocks that can be written. `id` is set by the provider, time-outs are nobody's state.
fn block_schema(block: &Value, root: bool) -> Map<String, Value> {
    let mut attrs = Map::new();
    for (name, attr) in block.get("attributes").and_then(Value::as_object).into_iter().flatten() {
        let is = |flag: &str| attr.get(flag).and_then(Value::as_bool).unwrap_or(false);
        if !(is("required") || is("optional")) || (root && name == "id") {
            continue;
        }
        let flags: String = [
            ("required", 'R'),
            ("computed", 'C'),
            ("sensitive", 'S'),
            ("write_only", 'W'),
            ("deprecated", 'D'),
        ]
        .into_iter()
        .filter_map(|(flag, letter)| is(flag).then_some(letter))
        .collect();
        attrs.insert(name.clone(), json!([flags, attr.get("type")]));
    }
    let mut blocks = Map::new();
    for (name, nested) in block
        .get("block_types")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let Some(inner) = nested.get("block").filter(|_| name != "timeouts") else {
            continue;
        };
        let bound = |key: &str| nested.get(key).and_then(Value::as_u64).unwrap_or(0);
        let row = json!([bound("min_items"), bound("max_items"), block_schema(inner, false)]);
        blocks.insert(name.clone(), row);
    }
    let mut out = Map::new();
    out.insert("a".to_owned(), Value::Object(attrs));
    if !blocks.is_empty() {
        out.insert("b".to_owned(), Value::Object(blocks));
    }
    out
}

/// Collects the paths of read-only properties below `node`.
fn walk<'a>(
    node: &'a Value,
    defs: &'a Map<String, Value>,
    path: &str,
    inside: &mut Vec<&'a str>,
    out: &mut BTreeSet<String>,
) {
    if path.split('.').count() > MAX_DEPTH {
        return;
    }
    if let Some(name) = node.get("ref").and_then(Value::as_str) {
        if inside.contains(&name) {
            return;
        }
        if let Some(target) = defs.get(name) {
            inside.push(name);
            walk(target, defs, path, inside, out);
            inside.pop();
        }
        return;
    }
    for (name, child) in node.get("props").and_then(Value::as_object).into_iter().flatten() {
        let below = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        let flags = child.get("flags").and_then(Value::as_str).unwrap_or_default();
        if flags.contains('o') {
            out.insert(below);
        } else {
            walk(child, defs, &below, inside, out);
        }
    }
    for variant in node.get("variants").and_then(Value::as_object).into_iter().flatten() {
        walk(variant.1, defs, path, inside, out);
    }
    if let Some(items) = node.get("items") {
        walk(items, defs, &format!("{path}.*"), inside, out);
    }
}

fn unpack(packed: &[u8]) -> Result<String, MakeError> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed).read_to_string(&mut text)?;
    Ok(text)
}

fn pack(digest: &str, lines: &BTreeMap<String, Value>) -> Result<Vec<u8>, MakeError> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    writeln!(out, "{digest}")?;
    for (name, row) in lines {
        writeln!(out, "{name}\t{}", atg_models::canonical::print(row))?;
    }
    Ok(out.finish()?)
}
