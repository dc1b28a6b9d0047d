//! Alerts: what they count exists, with these labels, and the runbook says what to do about each.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{all, one, text};

const RULES: &str = "deploy/prometheus/alerts.yml";
const CASES: &str = "deploy/prometheus/alerts_test.yml";
/// Labels that Prometheus adds, and the bound of a bucket.
const ADDED: [&str; 3] = ["job", "instance", "le"];

/// The labels of each metric, by the names under which it is exposed.
fn vocabulary() -> BTreeMap<String, BTreeSet<String>> {
    let mut found = BTreeMap::new();
    for line in atg_server::metrics_reference()
        .lines()
        .filter(|line| line.starts_with("| `"))
    {
        let cells: Vec<&str> = line.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let labels: BTreeSet<String> = all("`?([a-z_]+)`?", cells[4]).into_iter().collect();
        let ends: &[&str] = if cells[2] == "histogram" {
            &["_bucket", "_sum", "_count"]
        } else {
            &[""]
        };
        for end in ends {
            found.insert(format!("{}{end}", cells[1]), labels.clone());
        }
    }
    found
}

fn alerts() -> Vec<String> {
    all(r"(?m)^      - alert: (\w+)$", &text(RULES))
}

#[test]
fn what_is_counted_exists_and_has_these_labels() {
    let known = vocabulary();
    let selector = regex::Regex::new(r"\b(atg_[a-z_]+)(?:\{([^}]*(?:\\\\\{[^}]*\}[^}]*)?)\})?").unwrap();
    for path in [RULES, CASES] {
        let text = text(path);
        let mut counted = BTreeSet::new();
        for found in selector.captures_iter(&text) {
            let labels = known.get(&found[1]);
            let labels = labels.unwrap_or_else(|| panic!("{path} counts {}, which is no metric", &found[1]));
            for label in all(
                r#"([a-z_]+)\s*(?:=~|!~|!=|=)\s*""#,
                found.get(2).map_or("", |group| group.as_str()),
            ) {
                let is_known = labels.contains(&label) || ADDED.contains(&label.as_str());
                assert!(is_known, "{path}: {} has no label {label}", &found[1]);
            }
            counted.insert(found[1].to_owned());
        }
        assert!(counted.len() >= 10, "{counted:?}");
    }
}

#[test]
fn routes_of_the_cases_exist() {
    let document: Value = serde_json::from_str(&atg_server::openapi_json().unwrap()).unwrap();
    let routes = all(r#"route="([^"]+)""#, &text(CASES));
    assert!(routes.len() > 3);
    for route in routes {
        assert!(document["paths"].get(&route).is_some(), "{route}");
    }
}

#[test]
fn each_alert_has_a_page_and_a_case() {
    let alerts = alerts();
    assert!(alerts.len() >= 12, "{alerts:?}");
    let pages = all(r"(?m)^### (Atg\w+)$", &text("deploy/runbook.md"));
    assert_eq!(
        pages, alerts,
        "the runbook has one section for each alert, in their order"
    );
    let cases: BTreeSet<String> = all(r#"alertname="(\w+)", alertstate"#, &text(CASES))
        .into_iter()
        .collect();
    assert_eq!(
        cases,
        alerts.iter().cloned().collect(),
        "each alert is raised by a case"
    );
    let links = all(r"(?m)^          runbook: deploy/runbook.md#(\w+)$", &text(RULES));
    let expected: Vec<String> = alerts.iter().map(|alert| alert.to_lowercase()).collect();
    assert_eq!(links, expected);
}

#[test]
fn what_is_scraped_is_what_the_alerts_look_for() {
    let scraped = text("deploy/prometheus/prometheus.yml");
    assert_eq!(one(r"job_name: (\w+)", &scraped), one(r#"job="(\w+)""#, &text(RULES)));
    let port = one(r"port: (\d+)", &scraped);
    assert_eq!(
        port,
        one(r"ATG_METRICS_ADDR: 0\.0\.0\.0:(\d+)", &text("deploy/compose.yaml"))
    );
    assert_eq!(
        port,
        one(
            r"ATG_METRICS_ADDR=0\.0\.0\.0:(\d+)",
            &text("deploy/k8s/base/settings.env")
        )
    );
    let deployment = text("deploy/k8s/base/deployment.yaml");
    assert_eq!(port, one(r"name: metrics\s+containerPort: (\d+)", &deployment));
}

#[test]
fn a_cluster_is_scraped_as_one_machine_is() {
    let in_a_cluster = text("deploy/prometheus/prometheus-kubernetes.yml");
    let job = r"job_name: (\w+)";
    assert_eq!(
        one(job, &in_a_cluster),
        one(job, &text("deploy/prometheus/prometheus.yml"))
    );
    let example = text("deploy/k8s/overlays/example/kustomization.yaml");
    assert_eq!(
        one(r"names: \[(\w+)\]", &in_a_cluster),
        one(r"(?m)^namespace: (\w+)", &example)
    );
    let deployment = text("deploy/k8s/base/deployment.yaml");
    let port = one(r"name: (\w+)\s+containerPort: 9464", &deployment);
    assert_eq!(one(r"regex: (\w+)", &in_a_cluster), port);
}
