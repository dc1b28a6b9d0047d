//! Settings: each name is one of the server's, and what is set to a value is accepted.

use std::collections::{BTreeMap, BTreeSet};

use atg_models::ErrorCode;

use super::{all, files, rows, text};

/// Names that belong to others: the client, and the image of Neo4j.
const OF_OTHERS: &[&str] = &["ATG_SERVICE_URL", "ATG_API_KEY", "NEO4J_AUTH"];
/// For what a file leaves to whoever deploys.
const SECRETS: &[(&str, &str)] = &[
    (
        "ATG_API_KEYS",
        "atg_production_00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
    ),
    ("NEO4J_PASSWORD", "Long-enough-for-production-1"),
];

fn known() -> BTreeSet<String> {
    rows(&atg_server::configuration_reference())
}

#[test]
fn every_setting_is_one_of_the_servers() {
    let known = known();
    for (path, text) in files() {
        for name in all(r"\b((?:ATG|NEO4J|AZURE|CORS)_[A-Za-z0-9_]+)", &text) {
            // The image of Neo4j takes settings by names with small letters.
            let is_ours = name.chars().all(|letter| !letter.is_ascii_lowercase());
            let is_known = known.contains(&name) || OF_OTHERS.contains(&name.as_str());
            let is_known = is_known || is_error(&name);
            assert!(!is_ours || is_known, "{path} names {name}, which is no setting");
        }
    }
}

fn is_error(name: &str) -> bool {
    ErrorCode::ALL.iter().any(|code| code.as_str() == name)
}

#[test]
fn every_error_of_the_runbook_exists() {
    let known = known();
    let runbook = text("deploy/runbook.md");
    let named = all("`([A-Z]+(?:_[A-Z]+)+)`", &runbook);
    let errors: Vec<_> = named.iter().filter(|name| !known.contains(*name)).collect();
    assert!(errors.len() > 2, "{named:?}");
    assert!(errors.iter().all(|name| is_error(name)), "{errors:?}");
}

/// Loads settings as a server would.
fn accepted(path: &str, mut settings: BTreeMap<String, String>) {
    for (name, value) in SECRETS {
        let given = settings.entry((*name).to_owned()).or_default();
        if given.is_empty() {
            (*value).clone_into(given);
        }
    }
    let problems = atg_server::load_config(settings.into_iter(), None, None, None).err();
    let problems: Vec<_> = problems
        .into_iter()
        .flatten()
        .map(|problem| problem.to_string())
        .collect();
    assert!(problems.is_empty(), "{path}: {problems:?}");
}

#[test]
fn what_kubernetes_sets_is_accepted() {
    let mut settings = BTreeMap::new();
    for path in [
        "deploy/k8s/base/settings.env",
        "deploy/k8s/overlays/example/settings.env",
    ] {
        for line in text(path)
            .lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty())
        {
            let (name, value) = line.split_once('=').unwrap();
            settings.insert(name.to_owned(), value.to_owned());
        }
    }
    assert!(settings.len() > 8, "{settings:?}");
    accepted("deploy/k8s", settings);
}

#[test]
fn what_compose_sets_is_accepted() {
    for path in ["deploy/compose.yaml", "deploy/compose.embedded.yaml"] {
        let text = text(path);
        let server = text.split("\n  neo4j:\n").next().unwrap();
        let settings: BTreeMap<_, _> = server
            .lines()
            .filter_map(|line| line.strip_prefix("      ")?.split_once(": "))
            .filter(|(name, _)| {
                name.chars()
                    .all(|letter| letter == '_' || letter.is_ascii_uppercase() || letter.is_ascii_digit())
            })
            .map(|(name, value)| (name.to_owned(), default_of(value)))
            .collect();
        assert!(settings.len() > 8, "{settings:?}");
        accepted(path, settings);
    }
}

/// `${NAME:-default}` as compose reads it when NAME is not set.
fn default_of(value: &str) -> String {
    match value.strip_prefix("${").and_then(|inner| inner.strip_suffix('}')) {
        Some(inner) => inner.split_once(":-").map_or("", |(_, default)| default).to_owned(),
        None => value.to_owned(),
    }
}

#[test]
fn what_compose_asks_for_is_in_the_example() {
    let example: BTreeSet<String> = all(r"(?m)^([A-Z0-9_]+)=", &text("deploy/example.env"))
        .into_iter()
        .collect();
    for path in ["deploy/compose.yaml", "deploy/compose.embedded.yaml"] {
        for name in all(r"\$\{([A-Z0-9_]+)", &text(path)) {
            assert!(
                example.contains(&name),
                "{path} asks for {name}, which deploy/example.env does not name"
            );
        }
    }
}
