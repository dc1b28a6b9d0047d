//! ARM templates and Bicep: read back by readers that are not ours, held against the published types.

#![expect(
    clippy::string_slice,
    clippy::case_sensitive_file_extension_comparisons,
    reason = "readers go by bytes, and our own files end as they are named"
)]

mod arm_reader;
mod bicep_reader;
mod cases;
mod corpus;
mod judge;
mod laws;
mod read;

use atg_models::graph::Node;

use super::run_with;
use crate::{Format, Options, Output};

fn run(nodes: Vec<Node>, format: Format) -> Output {
    let options = Options {
        format,
        ..Options::default()
    };
    run_with(nodes, &options)
}
