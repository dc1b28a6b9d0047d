//! `cargo xtask tidy`: rules of the project that no compiler knows.
//!
//! The layering of the crates is data here; so is every file that is allowed to be long.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};

use crate::out::line;
use crate::run::{output, root};

/// A crate, and the crates of the workspace that it may depend on.
const LAYERS: &[(&str, &[&str])] = &[
    ("atg-models", &[]),
    ("atg-auth", &["atg-models"]),
    ("atg-db", &["atg-models", "atg-auth"]),
    ("atg-azure", &["atg-models"]),
    ("atg-iac", &["atg-models"]),
    ("atg-jobs", &["atg-models", "atg-db"]),
    ("atg-ops", &["atg-models", "atg-db", "atg-azure", "atg-iac", "atg-jobs"]),
    (
        "atg-server",
        &[
            "atg-models",
            "atg-auth",
            "atg-db",
            "atg-azure",
            "atg-iac",
            "atg-jobs",
            "atg-ops",
        ],
    ),
    ("atg-client", &["atg-models"]),
    ("atg-cli", &["atg-models", "atg-client"]),
    ("atg-sim", &["atg-models"]),
    ("atg-neo4j", &[]),
];

/// A dependency from outside, and the only crates that may have it.
const OWNED: &[(&str, &[&str])] = &[
    ("actix-web", &["atg-server", "atg-sim", "atg-tests"]),
    ("actix-http", &["atg-server", "atg-sim", "atg-tests"]),
    ("rusqlite", &["atg-db"]),
    ("neo4rs", &["atg-db"]),
    ("object_store", &["atg-db"]),
    ("azure_core", &["atg-azure"]),
    ("azure_identity", &["atg-azure"]),
    ("hcl-rs", &["atg-iac"]),
];

/// Above this many lines a file needs a reason.
const MAX_LINES: usize = 500;
/// At most this many files may have one.
const MAX_LONG_FILES: usize = 3;
/// The files that have one.
const LONG_FILES: &[(&str, &str)] = &[];

/// Text that must not stand in a Rust file, and why.
const FORBIDDEN: &[(&str, &str)] = &[
    ("#[ignore", "a test that is not run is no test"),
    ("thread::sleep", "wait for a state with a deadline"),
    ("todo!(", "finish it or say so in an error"),
];

pub(crate) fn run() -> anyhow::Result<()> {
    let mut problems = Vec::new();
    layering(&mut problems)?;
    files(&mut problems)?;
    if problems.is_empty() {
        return Ok(());
    }
    for problem in &problems {
        line(&format!("  {problem}"));
    }
    bail!("{} problems", problems.len());
}

fn layering(problems: &mut Vec<String>) -> anyhow::Result<()> {
    let allowed: BTreeMap<&str, &[&str]> = LAYERS.iter().copied().collect();
    let mut seen = BTreeSet::new();
    for entry in fs::read_dir(root().join("crates")).context("listing the crates")? {
        let folder = entry?.path();
        let manifest = folder.join("Cargo.toml");
        let text = fs::read_to_string(&manifest).with_context(|| format!("reading {}", manifest.display()))?;
        let manifest: toml::Table = text
            .parse()
            .with_context(|| format!("parsing {}", manifest.display()))?;
        let folder_name = folder
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let name = manifest
            .get("package")
            .and_then(|package| package.get("name"))
            .and_then(toml::Value::as_str);
        if name != Some(folder_name.as_str()) {
            problems.push(format!("crates/{folder_name}: the folder must have the crate's name"));
        }
        let Some(may_use) = allowed.get(folder_name.as_str()) else {
            problems.push(format!(
                "crates/{folder_name}: not in the layering table of xtask/src/tidy.rs"
            ));
            continue;
        };
        for dependency in dependencies(&manifest) {
            if dependency.starts_with("atg-") && !may_use.contains(&dependency.as_str()) {
                problems.push(format!("{folder_name} must not use {dependency}"));
            }
            if let Some((_, owners)) = OWNED.iter().find(|(owned, _)| *owned == dependency)
                && !owners.contains(&folder_name.as_str())
            {
                problems.push(format!(
                    "{folder_name} must not use {dependency}: only {} may",
                    owners.join(", ")
                ));
            }
        }
        if folder.join("clippy.toml").exists() {
            problems.push(format!(
                "crates/{folder_name}/clippy.toml would replace the root's: have one only"
            ));
        }
        seen.insert(folder_name);
    }
    for (name, _) in LAYERS {
        if !seen.contains(*name) {
            problems.push(format!("crates/{name} is in the layering table and does not exist"));
        }
    }
    line(&format!("  layering: {} crates, every edge allowed", seen.len()));
    Ok(())
}

fn dependencies(manifest: &toml::Table) -> Vec<String> {
    ["dependencies", "build-dependencies"]
        .iter()
        .filter_map(|section| manifest.get(*section).and_then(toml::Value::as_table))
        .flat_map(|table| table.keys().cloned())
        .collect()
}

fn files(problems: &mut Vec<String>) -> anyhow::Result<()> {
    let listed = output(std::process::Command::new("git").args(["ls-files"]).current_dir(root()))?;
    // Put together here, so that this file does not hold what it looks for.
    let machine_paths = [
        ["/wo", "rk/"].concat(),
        ["/ro", "ot/"].concat(),
        ["/tmp/", "bash_jobs"].concat(),
    ];
    let mut long = Vec::new();
    for path in listed.lines() {
        let Ok(text) = fs::read_to_string(root().join(path)) else {
            continue;
        };
        for machine_path in machine_paths
            .iter()
            .filter(|part| path != "Cargo.lock" && text.contains(part.as_str()))
        {
            problems.push(format!("{path} names a path of a machine ({machine_path})"));
        }
        if Path::new(path).extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let lines = text.lines().count();
        if lines > MAX_LINES {
            long.push((path.to_owned(), lines));
        }
        for (forbidden, reason) in FORBIDDEN {
            if !path.starts_with("xtask/") && text.contains(forbidden) {
                problems.push(format!("{path} holds {forbidden}: {reason}"));
            }
        }
    }
    for (path, lines) in &long {
        match LONG_FILES.iter().find(|(allowed, _)| allowed == path) {
            Some((_, reason)) => line(&format!("  over {MAX_LINES} lines: {path} ({lines}): {reason}")),
            None => problems.push(format!(
                "{path} has {lines} lines: split it, or give a reason in xtask/src/tidy.rs"
            )),
        }
    }
    if LONG_FILES.len() > MAX_LONG_FILES {
        problems.push(format!(
            "{} long files, at most {MAX_LONG_FILES} may be",
            LONG_FILES.len()
        ));
    }
    for (path, _) in LONG_FILES {
        if !long.iter().any(|(long, _)| long == path) {
            problems.push(format!("{path} is no longer long: remove it from xtask/src/tidy.rs"));
        }
    }
    line(&format!("  files over {MAX_LINES} lines: {}", long.len()));
    Ok(())
}
