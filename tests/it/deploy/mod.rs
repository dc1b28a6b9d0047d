//! The files of `deploy/` say only what is there: settings, metrics, routes, versions, alerts, Azure's own schema.
//! Whether their formats are right is for `cargo xtask oracle deploy`.

mod alerts;
mod bicep;
mod settings;
mod shape;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use regex::Regex;

/// Of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file of `deploy/`, by its path in the repository.
fn files() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec!["deploy".to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(root().join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else if !path.ends_with("/.env") {
                found.push((path.clone(), text(&path)));
            }
        }
    }
    found.sort();
    assert!(found.len() > 15, "{found:?}");
    found
}

/// What the first group of `pattern` matches, all over a text.
fn all(pattern: &str, text: &str) -> Vec<String> {
    let pattern = Regex::new(pattern).unwrap();
    pattern.captures_iter(text).map(|found| found[1].to_owned()).collect()
}

/// The one thing that it matches.
fn one(pattern: &str, text: &str) -> String {
    let found: BTreeSet<String> = all(pattern, text).into_iter().collect();
    assert_eq!(found.len(), 1, "{pattern} finds {found:?}");
    found.into_iter().next().unwrap()
}

/// The names in the first column of a generated reference page.
fn rows(page: &str) -> BTreeSet<String> {
    all(r"(?m)^\| `([^`]+)` \|", page).into_iter().collect()
}
