//! Whole tenants: the simulator's, and the public templates. What needs data is skipped without it.

use std::collections::BTreeMap;

use atg_azure::observe::{self, Context};
use atg_models::graph::{Node, Source};
use atg_sim::world::{SeededWorld, Table, World as _};
use serde_json::Value;

use super::super::corpus::{example_nodes, template_nodes};
use super::cases::same;
use super::judge::Types;
use super::read::ReadBack;
use super::run;
use crate::{Format, Output};

/// The nodes that a scan of a simulated tenant stores.
fn simulated(seed: u64, resources: usize) -> Vec<Node> {
    let world = SeededWorld::new(seed, resources);
    let context = Context {
        tenant: world.tenant_id(),
        source: Source::Arg,
        observed_at: time::OffsetDateTime::UNIX_EPOCH,
        owner: &|_| None,
        api_version: &|_| None,
    };
    let tables = [
        Table::Subscriptions,
        Table::ResourceGroups,
        Table::Resources,
        Table::RoleAssignments,
    ];
    let rows = tables
        .into_iter()
        .flat_map(|table| (0..world.len(table)).map(move |index| (table, index)));
    let rows = rows.filter_map(|(table, index)| world.row(table, index));
    rows.filter_map(|mut row| {
        row.as_object_mut()?.remove("apiVersion");
        observe::arm_row(&row, &context).ok()
    })
    .flatten()
    .map(|observation| observation.node)
    .collect()
}

fn share(output: &Output) {
    let report = &output.report;
    println!(
        "{} of {} emitted ({:.2} %), {:?}; {} notes, {} paths left out",
        report.emitted,
        report.resources_in,
        100.0 * f64::from(u32::try_from(report.emitted).expect("fits"))
            / f64::from(u32::try_from(report.resources_in).expect("fits")),
        report.reasons,
        report.notes.len(),
        report.left_out.len(),
    );
    assert!(report.emitted * 100 >= report.resources_in * 95, "{:?}", report.reasons);
}

/// Nothing unknown, read-only, of another kind, or required and missing: without an exception.
fn judged(read: &ReadBack, types: &Types) {
    let wrong = types.judge(read);
    let mut counts: BTreeMap<&(String, String), usize> = BTreeMap::new();
    for violation in wrong.values().flatten() {
        *counts.entry(violation).or_default() += 1;
    }
    assert!(
        counts.is_empty(),
        "{} of {}: {counts:#?}",
        wrong.len(),
        read.resources.len()
    );
}

#[test]
fn the_simulated_tenant() {
    let (output, read) = same(&simulated(7, 2_000));
    share(&output);
    if let Some(types) = Types::open() {
        judged(&read, &types);
    }
}

#[test]
fn the_public_templates() {
    let (Some(nodes), Some(types)) = (template_nodes(), Types::open()) else {
        return;
    };
    let (output, read) = same(&nodes);
    share(&output);
    judged(&read, &types);
}

#[test]
fn the_official_examples() {
    let (Some(nodes), Some(types)) = (example_nodes(), Types::open()) else {
        return;
    };
    let (output, read) = same(&nodes);
    println!(
        "{} of {} emitted, {:?}",
        output.report.emitted, output.report.resources_in, output.report.reasons
    );
    judged(&read, &types);
}

/// Each template that is deployed, with the bytes that it has alone.
fn templates(output: &Output) -> Vec<Value> {
    let mut all = Vec::new();
    for file in output
        .files
        .iter()
        .filter(|file| file.path.ends_with(".json") && file.path != "report.json")
    {
        assert!(file.bytes.len() <= 4_000_000, "{}: {}", file.path, file.bytes.len());
        let template: Value = serde_json::from_slice(&file.bytes).expect("JSON");
        for resource in template["resources"].as_array().expect("resources") {
            let inner = &resource["properties"]["template"];
            if inner.is_object() {
                assert!(resource.to_string().len() <= 1_000_000);
                all.push(inner.clone());
            }
        }
        all.push(template);
    }
    all
}

/// No template is over a limit of ARM's.
pub(super) fn within_limits(output: &Output) {
    let templates = templates(output);
    println!("{} templates in {} files", templates.len(), output.files.len() - 3);
    for template in templates {
        assert!(template["resources"].as_array().expect("resources").len() <= 800);
        assert!(template["parameters"].as_object().expect("parameters").len() <= 256);
        assert!(template.get("outputs").is_none());
    }
}

#[test]
fn no_template_of_ten_thousand_resources_is_over_a_limit() {
    let output = run(simulated(7, 10_000), Format::Arm);
    share(&output);
    within_limits(&output);
}
