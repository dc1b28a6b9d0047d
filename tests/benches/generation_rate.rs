//! Prints how fast code is generated from a simulated tenant, and the peak memory of the process, as a row of
//! the table of benchmarks: `generation_rate [terraform|arm|bicep]`.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "a bench prints, reads the system's clock, and fails by panicking"
)]

use std::time::Instant;

use atg_azure::observe::{self, Context};
use atg_iac::{Format, Input, Options};
use atg_models::graph::{BasedOn, Node, Source, Verdict};
use atg_sim::world::{SeededWorld, Table, World};
use time::OffsetDateTime;

const SEED: u64 = 7;
const RESOURCES: usize = 10_000;
/// Seconds that the plan allows for so many resources.
const BAR_SECONDS: f64 = 10.0;

fn main() {
    let (name, format) = match std::env::args().nth(1).as_deref() {
        None | Some("terraform") => ("Terraform", Format::Terraform),
        Some("arm") => ("ARM templates", Format::Arm),
        Some("bicep") => ("Bicep", Format::Bicep),
        Some(other) => panic!("no format: {other}"),
    };
    let options = Options {
        format,
        ..Options::default()
    };
    let world = SeededWorld::new(SEED, RESOURCES);
    let nodes = nodes(&world);
    let before_mib = atg_tests::peak_mib("self");
    let based_on = BasedOn {
        tenant_id: world.tenant_id(),
        graph_digest: "0".repeat(64),
        verdict: Verdict::Complete,
        gaps: Vec::new(),
        not_planned: Vec::new(),
    };
    let started = Instant::now();
    let output = atg_iac::generate(Input { nodes, based_on }, &options, &|| false).unwrap();
    let seconds = started.elapsed().as_secs_f64();
    let rate = output.report.resources_in as f64 / seconds;
    println!(
        "| generation of {name}, {} resources | {rate:.0} resources/s, {seconds:.1} s, peak {} MiB ({before_mib} MiB before) | – | – | {BAR_SECONDS} s, 256 MiB |",
        output.report.resources_in,
        atg_tests::peak_mib("self"),
    );
}

/// The nodes that a scan of this world stores.
fn nodes(world: &SeededWorld) -> Vec<Node> {
    let context = Context {
        tenant: world.tenant_id(),
        source: Source::Arg,
        observed_at: OffsetDateTime::UNIX_EPOCH,
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
        .flat_map(|table| (0..world.len(table)).filter_map(move |index| world.row(table, index)));
    rows.filter_map(|mut row| {
        row.as_object_mut()?.remove("apiVersion");
        observe::arm_row(&row, &context).ok()
    })
    .flatten()
    .map(|observation| observation.node)
    .collect()
}
