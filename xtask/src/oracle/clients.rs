//! `cargo xtask oracle clients`: clients that are generated from the document, and do the main job.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};

use super::contract::DOCUMENT;
use super::served::{self, Served};
use crate::demo::DEMO_KEY;
use crate::out::step;
use crate::run::{on_path, root, succeed, target_dir};
use crate::tools;

/// The package bundles its jar, and needs Java 11 or later.
const GENERATOR: [&str; 1] = ["openapi-generator-cli==7.26.0"];
/// What the generated Python client asks for.
const PYTHON_NEEDS: [&str; 4] = [
    "urllib3==2.5.0",
    "python-dateutil==2.9.0.post0",
    "pydantic==2.12.5",
    "typing-extensions==4.15.0",
];
/// The compiler that judges the generated TypeScript, and the types of its runtime.
const TYPESCRIPT_NEEDS: [&str; 2] = ["typescript@5.9.3", "@types/node@20.19.25"];

pub(super) fn run() -> anyhow::Result<()> {
    for program in ["java", "node", "npm"] {
        if on_path(program).is_none() {
            bail!("install {program}: the generator or the generated client runs on it");
        }
    }
    let folder = target_dir().join("oracle-clients-made");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("emptying {}", folder.display()))?;
    }
    let python = generate("python", &folder, &["packageName=atg_generated"])?;
    let typescript = generate("typescript-fetch", &folder, &["supportsES6=true"])?;
    let served = served::start("oracle-clients")?;
    python_client(&served, &python)?;
    typescript_client(&served, &typescript)
}

/// Makes a client below `folder`.
fn generate(generator: &str, folder: &Path, properties: &[&str]) -> anyhow::Result<std::path::PathBuf> {
    let programs = tools::python("openapi-generator", &GENERATOR)?;
    let made = folder.join(generator);
    fs::create_dir_all(&made).with_context(|| format!("making {}", made.display()))?;
    step(&format!("openapi-generator: {generator}"));
    succeed(
        Command::new(programs.join("openapi-generator-cli"))
            .args(["generate", "--input-spec", DOCUMENT, "--generator-name", generator])
            .args(["--additional-properties", &properties.join(",")])
            .arg("--output")
            .arg(&made)
            .current_dir(root())
            .stdout(fs::File::create(folder.join(format!("{generator}.log")))?),
    )?;
    Ok(made)
}

fn python_client(served: &Served, made: &Path) -> anyhow::Result<()> {
    let programs = tools::python("python-client", &PYTHON_NEEDS)?;
    step("the Python client runs a scan");
    succeed(
        told(&mut Command::new(programs.join("python")), served)
            .arg("xtask/oracles/scan.py")
            .env("PYTHONPATH", made)
            .current_dir(root()),
    )
}

fn typescript_client(served: &Served, made: &Path) -> anyhow::Result<()> {
    let npm = tools::cache()?.join("typescript");
    fs::create_dir_all(&npm).with_context(|| format!("making {}", npm.display()))?;
    succeed(
        Command::new("npm")
            .args([
                "install",
                "--silent",
                "--no-audit",
                "--no-fund",
                "--no-save",
                "--prefix",
            ])
            .arg(&npm)
            .args(TYPESCRIPT_NEEDS),
    )?;
    step("the TypeScript client compiles and runs a scan");
    let script = made.join("scan.ts");
    fs::copy(root().join("xtask/oracles/scan.ts"), &script).context("placing the script beside the client")?;
    succeed(
        Command::new("node")
            .arg(npm.join("node_modules/typescript/bin/tsc"))
            .args([
                "--strict",
                "--target",
                "es2022",
                "--module",
                "commonjs",
                "--skipLibCheck",
            ])
            .args([
                "--lib",
                "es2022,dom",
                "--types",
                "node",
                "--outDir",
                "built",
                "--typeRoots",
            ])
            .arg(npm.join("node_modules/@types"))
            .arg("scan.ts")
            .current_dir(made),
    )?;
    succeed(
        told(&mut Command::new("node"), served)
            .arg("built/scan.js")
            .current_dir(made),
    )
}

/// Tells a client where the server is, who may ask, and whom to scan.
fn told<'c>(command: &'c mut Command, served: &Served) -> &'c mut Command {
    command
        .env("ATG_SERVICE_URL", &served.url)
        .env("ATG_API_KEY", DEMO_KEY)
        .env("TENANT_ID", &served.tenant)
}
