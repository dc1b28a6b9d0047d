//! Bodies against the published types and the provider's schema; skipped without `ATG_TEST_DATA`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use flate2::read::GzDecoder;
use serde_json::Value;

use super::{SeededWorld, Table, World};

/// Columns that Resource Graph adds to a body.
const COLUMNS: [&str; 8] = [
    "id",
    "name",
    "type",
    "apiVersion",
    "tenantId",
    "resourceGroup",
    "subscriptionId",
    "kind",
];

/// The file of that name, or a printed notice.
pub(super) fn open(name: &str) -> Option<BufReader<GzDecoder<std::fs::File>>> {
    #[expect(clippy::disallowed_methods, reason = "tests find their data through the environment")]
    let Ok(folder) = std::env::var("ATG_TEST_DATA") else {
        println!("skipped: ATG_TEST_DATA is not set");
        return None;
    };
    let path = PathBuf::from(folder).join(name);
    Some(BufReader::new(GzDecoder::new(std::fs::File::open(path).unwrap())))
}

fn one_of_each() -> BTreeMap<String, Vec<Value>> {
    let world = SeededWorld::new(7, 2_000);
    let mut rows = BTreeMap::<String, Vec<Value>>::new();
    for row in (0..2_000).filter_map(|index| world.row(Table::Resources, index)) {
        rows.entry(row["type"].as_str().unwrap().to_owned())
            .or_default()
            .push(row);
    }
    rows
}

/// What a body says that its type does not.
fn unknown(value: &Value, node: &Value, defs: &Value, path: &str, out: &mut BTreeSet<String>) {
    let node = if node["kind"] == "ref" {
        &defs[node["ref"].as_str().unwrap()]
    } else {
        node
    };
    match node["kind"].as_str().unwrap_or_default() {
        "object" => match value.as_object() {
            Some(map) => members(map, &[&node["props"]], &node["extra"], defs, path, out),
            None => drop(out.insert(format!("{path}: not an object"))),
        },
        "discriminated" => {
            let by = node["by"].as_str().unwrap();
            let Some(map) = value.as_object() else { return };
            let chosen = map.get(by).and_then(Value::as_str).unwrap_or_default();
            let variants = node["variants"].as_object().unwrap();
            let Some((_, variant)) = variants.iter().find(|(name, _)| name.eq_ignore_ascii_case(chosen)) else {
                out.insert(format!("{path}: no variant {chosen}"));
                return;
            };
            let variant = if variant["kind"] == "ref" {
                &defs[variant["ref"].as_str().unwrap()]
            } else {
                variant
            };
            members(
                map,
                &[&node["props"], &variant["props"]],
                &variant["extra"],
                defs,
                path,
                out,
            );
        }
        "map" => {
            for (key, inner) in value.as_object().into_iter().flatten() {
                unknown(inner, &node["items"], defs, &format!("{path}.{{{key}}}"), out);
            }
        }
        "array" => {
            let Some(items) = value.as_array() else {
                out.insert(format!("{path}: not a list"));
                return;
            };
            for inner in items {
                unknown(inner, &node["items"], defs, &format!("{path}[]"), out);
            }
        }
        "string" if !value.is_string() => drop(out.insert(format!("{path}: not a string: {value}"))),
        "bool" if !value.is_boolean() => drop(out.insert(format!("{path}: not a bool: {value}"))),
        "int" if !value.is_number() => drop(out.insert(format!("{path}: not a number: {value}"))),
        "enum" => {
            let known = node["values"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str);
            let known: Vec<&str> = known.collect();
            let text = value.as_str().unwrap_or_default();
            let fits = known.is_empty() || known.iter().any(|name| name.eq_ignore_ascii_case(text));
            if !fits && node["open"] != Value::Bool(true) {
                out.insert(format!("{path}: {value} is none of {known:?}"));
            }
        }
        _ => {}
    }
}

fn members(
    map: &serde_json::Map<String, Value>,
    props: &[&Value],
    extra: &Value,
    defs: &Value,
    path: &str,
    out: &mut BTreeSet<String>,
) {
    for (name, inner) in map {
        let node = props.iter().find_map(|props| {
            let known = props.as_object()?.iter();
            known
                .filter(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, node)| node)
                .next()
        });
        match (node, extra.is_null()) {
            (Some(node), _) => unknown(inner, node, defs, &format!("{path}.{name}"), out),
            (None, false) => unknown(inner, extra, defs, &format!("{path}.{name}"), out),
            (None, true) => drop(out.insert(format!("{path}.{name}"))),
        }
    }
}

#[test]
fn bodies_say_only_what_their_published_types_know() {
    let Some(file) = open("arm-types.jsonl.gz") else { return };
    let mut rows = one_of_each();
    let mut wrong = BTreeMap::<String, BTreeSet<String>>::new();
    for line in file.lines() {
        let published: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let arm = published["type"].as_str().unwrap();
        let Some(key) = rows.keys().find(|key| key.eq_ignore_ascii_case(arm)).cloned() else {
            continue;
        };
        let bodies = rows.remove(&key).unwrap();
        let mut problems = BTreeSet::new();
        for body in bodies {
            let mut body = body.as_object().unwrap().clone();
            let newest = body["apiVersion"].as_str().unwrap();
            if published["versions"]
                .as_array()
                .unwrap()
                .iter()
                .all(|version| version != newest)
            {
                problems.insert(format!("version {newest} is not published"));
            }
            body.retain(|name, value| !value.is_null() && (name == "kind" || !COLUMNS.contains(&name.as_str())));
            unknown(
                &Value::Object(body),
                &published["body"],
                &published["defs"],
                "",
                &mut problems,
            );
        }
        if !problems.is_empty() {
            wrong.insert(key, problems);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(rows.is_empty(), "not published: {:?}", rows.keys());
}

#[test]
fn every_type_has_a_typed_resource_of_the_provider() {
    let (Some(map), Some(schema)) = (
        open("arm-to-azurerm-map.json.gz"),
        open("azurerm-schema-5.x-real.json.gz"),
    ) else {
        return;
    };
    let map: Value = serde_json::from_reader(map).unwrap();
    let schema: Value = serde_json::from_reader(schema).unwrap();
    let provider = schema["provider_schemas"].as_object().unwrap().values().next().unwrap();
    let live = provider["resource_schemas"].as_object().unwrap();
    let known: BTreeSet<String> = map
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| live.contains_key(*name))
        .filter_map(|(_, row)| {
            let plane = &row["management_plane"];
            let types: Vec<&str> = plane["types"].as_array()?.iter().filter_map(Value::as_str).collect();
            Some(format!("{}/{}", plane["provider"].as_str()?, types.join("/")).to_lowercase())
        })
        .collect();
    let rows = one_of_each();
    assert!(rows.len() >= 60, "{} types", rows.len());
    let missing: Vec<&String> = rows.keys().filter(|arm| !known.contains(&arm.to_lowercase())).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
