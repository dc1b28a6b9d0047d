//! The catalogue as a whole, and real bodies.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

use atg_models::graph::Relation;
use atg_models::{ArmId, TenantId};
use serde_json::Value;

use super::catalogue::{CATALOGUE, RowSource};
use super::path::{Path, Step};
use super::trie::Trie;
use super::{Subject, arm_id, derive};

const RAW: &str = include_str!("../../data/relationships.json");

#[test]
fn every_row_parses_and_is_reached() {
    assert_eq!(CATALOGUE.rows.len(), 862);
    let mut names = BTreeSet::new();
    let mut containment = Vec::new();
    for (at, row) in CATALOGUE.rows.iter().enumerate() {
        assert!(names.insert(&row.id), "{} stands twice", row.id);
        assert!(!row.targets.is_empty(), "{}", row.id);
        if row.is_containment {
            containment.push(row.id.as_str());
            continue;
        }
        let tries: Vec<&Trie> = match &row.source {
            RowSource::Any => vec![CATALOGUE.any()],
            RowSource::Suffix(suffix) => CATALOGUE.of_type(&format!("a/b{suffix}")).collect(),
            RowSource::Type(type_) => CATALOGUE.of_type(type_.as_str()).collect(),
        };
        let reached = tries.into_iter().any(|trie| rows_at(trie, &row.path).contains(&at));
        assert!(reached, "{} is not reached at {}", row.id, row.path.text);
    }
    assert_eq!(containment, ["any-contained-in-parent", "subscription-contains-group"]);
}

#[test]
fn every_relation_has_a_row() {
    let stated: BTreeSet<_> = CATALOGUE.rows.iter().map(|row| row.relation).collect();
    let missing: Vec<_> = Relation::ALL
        .iter()
        .filter(|relation| !stated.contains(relation))
        .collect();
    assert_eq!(missing, [&Relation::References]);
}

/// The rows in the place that a body with this path would reach.
fn rows_at(trie: &Trie, path: &Path) -> Vec<usize> {
    let mut places = vec![Trie::ROOT];
    for step in &path.steps {
        let mut next = Vec::new();
        for place in places {
            match step {
                Step::Name(name) => trie.member(place, &name.to_uppercase(), |place| next.push(place)),
                Step::Prefix(prefix) => trie.member(place, &format!("{prefix}/x"), |place| next.push(place)),
                Step::AnyName => trie.member(place, "whatever", |place| next.push(place)),
                Step::Item(item) => trie.item(place, *item, |place| next.push(place)),
                Step::AnyItem => trie.item(place, 7, |place| next.push(place)),
            }
        }
        places = next;
    }
    let rows = places.into_iter().flat_map(|place| {
        if path.of_name {
            trie.name_rows(place)
        } else {
            trie.rows(place)
        }
    });
    rows.copied().collect()
}

#[test]
fn paths_parse_or_are_refused() {
    for text in [
        "a",
        "a.b[*].c",
        "a.*.b",
        "a.*~",
        "t['x:*']~",
        "a[0].b",
        "a.$connections.b",
    ] {
        assert_eq!(Path::parse(text).unwrap().text, text);
    }
    for text in ["", "~", "a.", ".a", "a[", "a[x]", "a[*]~", "a b", "a..b"] {
        assert!(Path::parse(text).is_err(), "{text}");
    }
}

/// The test data's folder, if it is there.
fn data(file: &str) -> Option<String> {
    let Some(folder) = std::env::var_os("ATG_TEST_DATA") else {
        println!("skipped: ATG_TEST_DATA is not set");
        return None;
    };
    let packed = std::fs::File::open(std::path::Path::new(&folder).join(file)).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed).read_to_string(&mut text).unwrap();
    Some(text)
}

type Bodies = Vec<(ArmId, Value)>;

/// Real bodies with an id that parses; examples whose own does not get one of their type.
fn real_bodies() -> Option<(Bodies, Bodies)> {
    let examples = data("arm-get-examples.jsonl.gz")?;
    let examples = examples.lines().enumerate().map(|(at, line)| {
        let row: Value = serde_json::from_str(line).unwrap();
        let type_ = row["type"].as_str().unwrap();
        let mut body = row["body"].clone();
        let stated = body["id"]
            .as_str()
            .and_then(arm_id)
            .filter(|id| id.arm_type().as_str() == type_.to_lowercase());
        let id = stated.unwrap_or_else(|| made_up(type_, at));
        if body.is_object() && body.get("type").is_none() {
            body["type"] = Value::String(type_.to_owned());
        }
        (id, body)
    });
    let examples = examples.collect();
    let templates: Vec<(String, Vec<Value>)> = serde_json::from_str(&data("quickstart-resources.json.gz")?).unwrap();
    let resources = templates.into_iter().flat_map(|(_, resources)| resources);
    let resources = resources.filter_map(|body| Some((body["id"].as_str().and_then(arm_id)?, body)));
    Some((examples, resources.collect()))
}

fn made_up(type_: &str, at: usize) -> ArmId {
    let (namespace, types) = type_.split_once('/').unwrap();
    let types: Vec<_> = types.split('/').map(|segment| format!("{segment}/x")).collect();
    let text = format!(
        "/subscriptions/s/resourceGroups/g{at}/providers/{namespace}/{}",
        types.join("/")
    );
    text.parse().unwrap()
}

#[test]
fn real_bodies_fire_the_rows_that_were_seen_in_them() {
    let Some((examples, templates)) = real_bodies() else {
        return;
    };
    let tenant: TenantId = "11111111-1111-1111-1111-111111111111".parse().unwrap();
    let mut fired = BTreeMap::<String, usize>::new();
    let mut generic = BTreeMap::<String, usize>::new();
    let (mut claimed, mut unclaimed) = ([0_usize; 2], [0_usize; 2]);
    for (set, bodies) in [&examples, &templates].into_iter().enumerate() {
        for (id, body) in bodies {
            let subject = Subject::arm(tenant, id, body);
            let derived = derive(&subject);
            for row in &derived.fired {
                *fired.entry(row.clone()).or_default() += 1;
            }
            for edge in &derived.edges {
                // What a body says of its own children is not counted as a reference to others.
                let inside = edge.target.id.as_str().starts_with(&format!("{}/", subject.end.id));
                if inside || edge.target.type_.is_none() || edge.path == "id" {
                    continue;
                }
                if edge.relation == Relation::References {
                    unclaimed[set] += 1;
                    *generic.entry(format!("{} {}", id.arm_type(), edge.path)).or_default() += 1;
                } else if edge.relation != Relation::DependsOn {
                    claimed[set] += 1;
                }
            }
        }
    }
    println!("{} examples, {} template resources", examples.len(), templates.len());
    for (set, name) in ["examples", "templates"].into_iter().enumerate() {
        let all = claimed[set] + unclaimed[set];
        println!("{name}: {} of {all} references claimed", claimed[set]);
    }
    let mut generic: Vec<_> = generic.into_iter().map(|(path, count)| (count, path)).collect();
    generic.sort_unstable_by(|a, b| b.cmp(a));
    for (count, path) in generic.iter().take(25) {
        println!("  generic {count:4} {path}");
    }
    let raw: Vec<Value> = serde_json::from_str(RAW).unwrap();
    let silent: BTreeSet<_> = raw
        .iter()
        .filter(|row| row["seen"].as_u64().unwrap() > 0 && row["edge"] != "CONTAINS")
        .map(|row| row["id"].as_str().unwrap())
        .filter(|row| !fired.contains_key(*row))
        .collect();
    println!("{} of {} rows fired", fired.len(), CATALOGUE.rows.len());
    // What was counted there is no value: template expressions, and the all-zero id.
    let expressions = BTreeSet::from(["databricks-authorization", "dps-hub", "sqlsrv-audit-storage"]);
    assert_eq!(silent, expressions);
    let (claimed, all) = (
        claimed[0] + claimed[1],
        claimed[0] + claimed[1] + unclaimed[0] + unclaimed[1],
    );
    println!(
        "together: {claimed} of {all} references claimed ({} %)",
        100 * claimed / all
    );
    assert!(claimed * 100 >= all * 78, "{claimed} of {all}");
}

#[test]
fn real_bodies_are_stored_as_they_were_served() {
    let Some((examples, templates)) = real_bodies() else {
        return;
    };
    let context = crate::observe::tests::context(atg_models::graph::Source::Arg);
    for (id, mut served) in examples.into_iter().chain(templates).step_by(7) {
        served["id"] = Value::String(id.to_string());
        let mut row = served.clone();
        let served = served.as_object_mut().unwrap();
        row["tenantId"] = Value::String(context.tenant.to_string());
        for name in ["subscriptionId", "resourceGroup"] {
            row[name] = Value::String("added".to_owned());
            served.remove(name);
        }
        served.remove("tenantId");
        for name in [
            "kind",
            "plan",
            "identity",
            "zones",
            "managedBy",
            "location",
            "tags",
            "etag",
            "properties",
        ] {
            if row.get(name).is_none_or(Value::is_null) {
                row[name] = Value::Null;
                served.remove(name);
            }
        }
        let mut served = Value::Object(std::mem::take(served));
        atg_models::secrets::redact(id.arm_type().as_str(), &mut served);
        let seen = crate::observe::arm_row(&row, &context).unwrap();
        assert_eq!(seen[0].node.body.as_ref(), Some(&served), "{id}");
        assert_eq!(seen[0].node.id, id.node_id());
    }
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "it measures real time and asserts nothing about it"
)]
fn speed_over_real_bodies() {
    let Some((examples, templates)) = real_bodies() else {
        return;
    };
    let context = crate::observe::tests::context(atg_models::graph::Source::Arg);
    let rows = examples.into_iter().chain(templates).map(|(id, mut body)| {
        body["id"] = Value::String(id.to_string());
        body
    });
    let rows: Vec<_> = rows.collect();
    let bodies: Vec<_> = rows
        .iter()
        .map(|row| (arm_id(row["id"].as_str().unwrap()).unwrap(), row.clone()))
        .collect();
    let start = std::time::Instant::now();
    for (id, body) in &bodies {
        derive(&Subject::arm(context.tenant, id, body));
    }
    println!("deriving: {:.0} rows/s", rate(rows.len(), start.elapsed()));
    let start = std::time::Instant::now();
    let seen: usize = rows
        .iter()
        .map(|row| crate::observe::arm_row(row, &context).unwrap().len())
        .sum();
    println!(
        "{} rows, {seen} nodes: {:.0} rows/s",
        rows.len(),
        rate(rows.len(), start.elapsed())
    );
    assert!(seen > rows.len(), "subnets are nodes of their own");
}

fn rate(rows: usize, took: std::time::Duration) -> f64 {
    f64::from(u32::try_from(rows).unwrap()) / took.as_secs_f64()
}
