//! Files that are made from the code or from data: each has a command that writes it, and the same
//! with `--check` that only looks whether it is up to date.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};

use crate::out::{line, notice};
use crate::run::{build_programs, env, output, program, root, succeed, target_dir};

/// Where atg-iac keeps the tables that it embeds.
const TABLES: &str = "crates/atg-iac/data/tables";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only check that the file is up to date
    #[arg(long)]
    pub(crate) check: bool,
}

/// The OpenAPI document, printed by the server itself.
pub(crate) fn openapi(options: &Options) -> anyhow::Result<()> {
    build_programs()?;
    let text = output(program("atg-server").arg("openapi"))?;
    place("openapi/atg-v1.json", &text, options, "cargo xtask openapi")
}

/// The configuration reference, printed by the server itself.
pub(crate) fn configuration(options: &Options) -> anyhow::Result<()> {
    build_programs()?;
    let text = output(program("atg-server").arg("configuration"))?;
    place("docs/configuration.md", &text, options, "cargo xtask configuration")
}

/// The reference of the metrics, printed by the server itself.
pub(crate) fn metrics(options: &Options) -> anyhow::Result<()> {
    build_programs()?;
    let text = output(program("atg-server").arg("metrics"))?;
    place("docs/metrics.md", &text, options, "cargo xtask metrics")
}

/// The pages of the error codes, printed by an example of the models.
pub(crate) fn error_pages(options: &Options) -> anyhow::Result<()> {
    build_programs()?;
    let text = output(&mut program("examples/error_pages"))?;
    let pages: Vec<(String, String)> = serde_json::from_str(&text).context("reading the error pages")?;
    let mut expected = Vec::with_capacity(pages.len());
    for (path, page) in &pages {
        place(path, page, options, "cargo xtask error-pages")?;
        expected.push(root().join(path));
    }
    for entry in fs::read_dir(root().join("docs/errors")).context("listing docs/errors")? {
        let path = entry?.path();
        if !expected.contains(&path) {
            bail!("{} belongs to no error code: remove it", path.display());
        }
    }
    Ok(())
}

/// The tables that atg-iac embeds. Without the source data there is nothing to compare with.
pub(crate) fn type_tables(options: &Options) -> anyhow::Result<()> {
    let Some(data) = env("ATG_TEST_DATA") else {
        if options.check {
            notice("type tables not checked: ATG_TEST_DATA is not set, so their source is absent");
            return Ok(());
        }
        bail!("set ATG_TEST_DATA to the folder that holds the source data");
    };
    build_programs()?;
    let made = target_dir().join("type-tables");
    fs::create_dir_all(&made).with_context(|| format!("making {}", made.display()))?;
    // What is there already stays to the byte, if its content is the same.
    for entry in fs::read_dir(root().join(TABLES)).with_context(|| format!("listing {TABLES}"))? {
        let entry = entry?;
        fs::copy(entry.path(), made.join(entry.file_name())).with_context(|| format!("copying {TABLES}"))?;
    }
    succeed(program("examples/tables").arg(&data).arg(&made))?;
    for entry in fs::read_dir(&made).with_context(|| format!("listing {}", made.display()))? {
        let entry = entry?;
        let path = format!("{TABLES}/{}", entry.file_name().to_string_lossy());
        let new = fs::read(entry.path()).with_context(|| format!("reading the new {path}"))?;
        if fs::read(root().join(&path)).is_ok_and(|old| old == new) {
            continue;
        }
        if options.check {
            bail!("{path} is not up to date: run `cargo xtask type-tables`");
        }
        fs::write(root().join(&path), new).with_context(|| format!("writing {path}"))?;
        line(&format!("  wrote {path}"));
    }
    Ok(())
}

fn place(path: &str, text: &str, options: &Options, command: &str) -> anyhow::Result<()> {
    let file = root().join(path);
    let present = fs::read_to_string(&file).unwrap_or_default();
    if present == text {
        return Ok(());
    }
    if options.check {
        bail!("{path} is not up to date: run `{command}`");
    }
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    fs::write(&file, text).with_context(|| format!("writing {}", Path::new(path).display()))?;
    line(&format!("  wrote {path}"));
    Ok(())
}
