//! The large public data sets, planted: every official example, every resource of the templates.

use std::io::Read as _;
use std::path::PathBuf;

use flate2::read::GzDecoder;
use serde_json::{Value, json};

use super::planted::{Planter, check};
use super::{complete, files, form, placeholders, tenant, text};

/// The unpacked file, when the folder of large data is named.
fn data(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the folder of large test data is named by the environment"
    )]
    let folder = std::env::var("ATG_TEST_DATA").ok()?;
    let packed = std::fs::read(PathBuf::from(folder).join(name)).unwrap();
    let mut text = String::new();
    GzDecoder::new(packed.as_slice()).read_to_string(&mut text).unwrap();
    Some(text)
}

fn left_out(name: &str) {
    eprintln!("left out: ATG_TEST_DATA is not set, so {name} is absent");
}

fn examples() -> Option<Vec<Value>> {
    let text = data("arm-get-examples.jsonl.gz")?;
    let rows = text.lines().enumerate().map(|(number, line)| {
        let example: Value = serde_json::from_str(line).unwrap();
        let mut body = example["body"].clone();
        let type_ = example["type"].as_str().unwrap();
        // Ids of examples are not always of their type: this one is.
        let (namespace, types) = type_.split_once('/').unwrap();
        let names: Vec<_> = types
            .split('/')
            .map(|segment| format!("/{segment}/n{number}"))
            .collect();
        let names = names.concat();
        let id = format!(
            "/subscriptions/s/resourceGroups/g{}/providers/{namespace}{names}",
            number % 50
        );
        if let Some(members) = body.as_object_mut() {
            members.insert("id".to_owned(), json!(id));
            members.insert("type".to_owned(), json!(type_));
        }
        body
    });
    Some(rows.filter(Value::is_object).collect())
}

fn templates() -> Option<Vec<Value>> {
    let text = data("quickstart-resources.json.gz")?;
    let templates: Vec<(String, Vec<Value>)> = serde_json::from_str(&text).unwrap();
    let mut rows = Vec::new();
    for (number, (_, resources)) in templates.into_iter().enumerate() {
        for resource in resources {
            let text = serde_json::to_string(&resource).unwrap();
            let text = text.replace("/resourceGroups/rg-sim", &format!("/resourceGroups/rg-{number}"));
            rows.push(serde_json::from_str(&text).unwrap());
        }
    }
    Some(rows)
}

#[test]
fn no_text_of_any_official_example_comes_through() {
    let Some(rows) = examples() else {
        return left_out("the official examples");
    };
    let mut planter = Planter::default();
    let planted: Vec<_> = rows.iter().map(|row| planter.row(row)).collect();
    let observations = tenant(&planted, &[]);
    assert!(observations.len() > 1_500, "{}", observations.len());
    check(&observations);
}

#[test]
fn no_text_of_any_template_comes_through() {
    let Some(rows) = templates() else {
        return left_out("the templates");
    };
    let mut planter = Planter::default();
    let planted: Vec<_> = rows.iter().map(|row| planter.row(row)).collect();
    let observations = tenant(&planted, &[]);
    assert!(observations.len() > 3_000, "{}", observations.len());
    check(&observations);
}

/// The real texts, not planted: no address, no host of theirs, and no two values with one placeholder.
#[test]
fn the_templates_as_they_are_show_no_address_and_both_forms_agree() {
    let Some(rows) = templates() else {
        return left_out("the templates");
    };
    let observations = tenant(&rows, &[]);
    let flat = text(&files(&observations, &form(false), &complete()));
    let tree = text(&files(&observations, &form(true), &complete()));
    // The tree tells of empty groups too.
    assert!(placeholders(&flat).is_subset(&placeholders(&tree)));
    let guid = regex::Regex::new("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}").unwrap();
    let address = regex::Regex::new(r"\b(10|172|192)\.\d{1,3}\.\d{1,3}\.\d{1,3}").unwrap();
    let host = regex::Regex::new(r"(?i)https?://|\.(windows|azure)\.net|\.com\b|[a-z0-9]@[a-z]").unwrap();
    for line in flat.lines() {
        assert!(
            !guid.is_match(line) && !address.is_match(line) && !host.is_match(line),
            "{line}"
        );
    }
}
