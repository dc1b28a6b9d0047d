//! `cargo xtask lint`: everything that can be judged without running the product.

use crate::generated;
use crate::out::step;
use crate::run::{cargo, succeed};
use crate::tidy;

pub(crate) fn run() -> anyhow::Result<()> {
    step("formatting");
    succeed(&mut cargo(["fmt", "--all", "--check"]))?;
    step("tidy: layering, sizes, habits");
    tidy::run()?;
    step("clippy");
    succeed(&mut cargo([
        "clippy",
        "--workspace",
        "--all-targets",
        "--quiet",
        "--",
        "-D",
        "warnings",
    ]))?;
    step("documentation");
    succeed(cargo(["doc", "--workspace", "--no-deps", "--quiet", "--lib"]).env("RUSTDOCFLAGS", "-D warnings"))?;
    step("generated files");
    let check = generated::Options { check: true };
    generated::error_pages(&check)?;
    generated::openapi(&check)?;
    generated::configuration(&check)?;
    generated::metrics(&check)?;
    generated::type_tables(&check)
}
