//! `cargo xtask oracle …`: judges that no one here wrote, and that take long to install.

mod clients;
mod contract;
mod deploy;
mod served;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::demo;
use crate::out::{line, step};
use crate::run::{on_path, output, succeed, target_dir};
use crate::tools;

/// Pinned, because `latest` moves: a development commit after 5.2.0.
const AZURERM: &str = "github.com/hashicorp/terraform-provider-azurerm@v1.44.1-0.20260824201233-fae580791926";
const AZURERM_PROGRAM: &str = "terraform-provider-azurerm";

#[derive(clap::Subcommand)]
pub(crate) enum Oracle {
    /// The demo's Terraform, judged by `terraform fmt` and `terraform validate` with the real azurerm provider
    Terraform(TerraformOptions),
    /// The OpenAPI document, judged by openapi-spec-validator, and a running server, by schemathesis
    Openapi(contract::Options),
    /// Python and TypeScript clients that openapi-generator makes of the document; each runs a scan
    Clients,
    /// The files of `deploy/`, judged by the linters of their formats
    Deploy,
}

#[derive(clap::Args)]
pub(crate) struct TerraformOptions {
    /// Judge this folder instead of the demo's result
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// The seed of the demo's tenant
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// The resources of the demo's tenant
    #[arg(long, default_value_t = 2000)]
    resources: u64,
}

pub(crate) fn run(oracle: &Oracle) -> anyhow::Result<()> {
    match oracle {
        Oracle::Terraform(options) => terraform(options),
        Oracle::Openapi(options) => contract::run(options),
        Oracle::Clients => clients::run(),
        Oracle::Deploy => deploy::run(),
    }
}

fn terraform(options: &TerraformOptions) -> anyhow::Result<()> {
    let tools = tools::cache()?;
    install_azurerm(&tools)?;
    let terraform = on_path("terraform").or_else(|| on_path("tofu"));
    let terraform = terraform.context("install terraform or tofu: it runs the provider")?;
    let folder = options
        .folder
        .clone()
        .unwrap_or_else(|| target_dir().join("oracle-terraform"));
    if options.folder.is_none() {
        demo::run(&demo::Options {
            exit: true,
            seed: options.seed,
            resources: options.resources,
            snapshot: None,
            output: Some(folder.clone()),
            release: false,
        })?;
    }
    let config = tools.join("azurerm.tfrc");
    fs::write(
        &config,
        format!("provider_installation {{\n  dev_overrides {{\n    \"hashicorp/azurerm\" = \"{}\"\n  }}\n  direct {{}}\n}}\n", tools.display()),
    )
    .context("writing the configuration that points terraform at the provider")?;
    step("terraform fmt -check");
    succeed(
        Command::new(&terraform)
            .args(["fmt", "-check", "-diff", "-recursive"])
            .current_dir(&folder),
    )?;
    step("terraform validate, with the real azurerm provider");
    validate(&terraform, &folder, &config)
}

fn validate(terraform: &Path, folder: &Path, config: &Path) -> anyhow::Result<()> {
    let printed = Command::new(terraform)
        .args(["validate", "-json"])
        .current_dir(folder)
        .env("TF_CLI_CONFIG_FILE", config)
        .env("CHECKPOINT_DISABLE", "1")
        .output()
        .context("starting terraform")?;
    let verdict: serde_json::Value = serde_json::from_slice(&printed.stdout).with_context(|| {
        format!(
            "reading what terraform printed: {}",
            String::from_utf8_lossy(&printed.stderr)
        )
    })?;
    let errors = verdict
        .get("error_count")
        .and_then(serde_json::Value::as_u64)
        .unwrap_or_default();
    let warnings = verdict
        .get("warning_count")
        .and_then(serde_json::Value::as_u64)
        .unwrap_or_default();
    let empty = Vec::new();
    for diagnostic in verdict
        .get("diagnostics")
        .and_then(serde_json::Value::as_array)
        .unwrap_or(&empty)
    {
        let text = |name: &str| {
            diagnostic
                .pointer(name)
                .and_then(serde_json::Value::as_str)
                .unwrap_or_default()
        };
        line(&format!(
            "  {}: {} ({} {}): {}",
            text("/severity"),
            text("/summary"),
            text("/range/filename"),
            text("/snippet/context"),
            text("/detail").replace('\n', " ")
        ));
    }
    line(&format!("  {errors} errors, {warnings} warnings"));
    if errors > 0 || verdict.get("valid") != Some(&serde_json::Value::Bool(true)) {
        bail!("the generated Terraform is not valid");
    }
    Ok(())
}

/// About 15 minutes on 2 cores the first time; seconds afterwards.
fn install_azurerm(tools: &Path) -> anyhow::Result<()> {
    let program = tools.join(AZURERM_PROGRAM);
    let (_, version) = AZURERM
        .split_once('@')
        .context("the provider's version is not pinned")?;
    if program.is_file() {
        let built = output(Command::new("go").args(["version", "-m"]).arg(&program)).unwrap_or_default();
        if built.is_empty() || built.contains(version) {
            return Ok(());
        }
    }
    step("building the azurerm provider (about 15 minutes, once)");
    succeed(
        Command::new("go")
            .args(["install", "-ldflags=-s -w", AZURERM])
            .env("GOBIN", tools)
            .env("CGO_ENABLED", "0")
            .env("GOFLAGS", "-buildvcs=false -p=2"),
    )
}
