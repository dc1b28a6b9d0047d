//! `cargo xtask demo`: the main job, with the real programs, against a simulated tenant.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};

use crate::out::{line, step};
use crate::run::{cargo, output, root, succeed, target_dir};

/// A key for the demo's own server, which listens on loopback and forgets everything at its end.
pub(crate) const DEMO_KEY: &str = "atg_dev_00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
/// A token for the simulator, which takes any that it did not give out itself.
const DEMO_TOKEN: &str = "demo-static-token";
/// How many lines of a generated file are shown.
const SHOWN_LINES: usize = 24;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// End when the job is done, instead of staying up for a look around
    #[arg(long)]
    pub(crate) exit: bool,
    /// The seed of the simulated tenant
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,
    /// How many resources the simulated tenant has
    #[arg(long, default_value_t = 2000)]
    pub(crate) resources: u64,
    /// Serve the bodies of this file instead of a seeded tenant
    #[arg(long, value_name = "FILE")]
    pub(crate) snapshot: Option<PathBuf>,
    /// Keep the result in this folder (default: a folder below the build folder)
    #[arg(long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Build and run with optimisations
    #[arg(long)]
    pub(crate) release: bool,
}

/// A program of the demo; it ends with the demo.
pub(crate) struct Running {
    child: Child,
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Demo {
    programs: PathBuf,
    folder: PathBuf,
    server: String,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    step("building atg (the first time takes a few minutes)");
    let mut build = cargo(["build", "--quiet", "--workspace", "--bins"]);
    let profile = if options.release {
        build.arg("--release");
        "release"
    } else {
        "debug"
    };
    succeed(&mut build)?;
    let programs = target_dir().join(profile);
    let folder = target_dir().join("demo");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("emptying {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;

    step("starting a simulated Azure tenant and the atg server");
    let (_simulator, simulator) = start_simulator(&programs, options)?;
    let (_server, server) = start_server(&programs, &folder, &simulator, &[])?;
    line(&format!(
        "  simulator  {}  (tenant {})",
        simulator.url, simulator.tenant
    ));
    line(&format!("  server     {server}"));

    let demo = Demo {
        programs,
        folder,
        server,
    };
    let result = main_job(&demo, &simulator, options)?;
    line("");
    line(&format!("The generated code lies in {}", result.display()));
    line(&format!(
        "Swagger UI: {}/docs   (Authorize with the key {DEMO_KEY})",
        demo.server
    ));
    if options.exit {
        return Ok(());
    }
    line("The server stays up. Try for example:");
    line(&format!(
        "  export ATG_SERVICE_URL={} ATG_API_KEY={DEMO_KEY}",
        demo.server
    ));
    line(&format!("  {} list", demo.programs.join("atg").display()));
    line("Press Ctrl-C to end.");
    wait_for_interrupt()
}

fn main_job(demo: &Demo, simulator: &Simulator, options: &Options) -> anyhow::Result<PathBuf> {
    step("atg scan: reads the tenant into the graph");
    succeed(&mut demo.atg(["scan", "--tenant-id", &simulator.tenant]))?;
    if simulator.left_out > 0 {
        line(&format!(
            "  {} bodies of the snapshot were not served: see {}/_sim/world",
            simulator.left_out, simulator.url
        ));
    }
    step("atg tenants: what the server knows now");
    succeed(&mut demo.atg(["tenants"]))?;
    step("atg generate-iac: turns the graph into Terraform");
    let job = generate(demo, &simulator.tenant)?;
    step("atg download: fetches the zip, checks its hash, unpacks it");
    let result = options.output.clone().unwrap_or_else(|| demo.folder.join("terraform"));
    let extract = result.to_string_lossy().into_owned();
    let zip = demo.folder.join("terraform.zip").to_string_lossy().into_owned();
    succeed(&mut demo.atg(["download", &job, "--output", &zip, "--extract", &extract]))?;
    show_tree(&result)?;
    show_some_code(&result)?;
    step("atg generate-spec: describes the tenant without a name or id of it");
    let specification = demo.folder.join("specification").to_string_lossy().into_owned();
    succeed(&mut demo.atg([
        "generate-spec",
        "--tenant-id",
        &simulator.tenant,
        "--extract",
        &specification,
    ]))?;
    show_tree(Path::new(&specification))?;
    Ok(result)
}

/// Generates with the bar that a person sees, then asks the list for the job's id as a program would.
fn generate(demo: &Demo, tenant: &str) -> anyhow::Result<String> {
    succeed(&mut demo.atg(["generate-iac", "--tenant-id", tenant]))?;
    let listed = output(&mut demo.atg(["--json", "list", "--type", "generate-iac", "--limit", "1"]))?;
    let jobs: serde_json::Value = serde_json::from_str(&listed).context("reading the list of jobs")?;
    let job = jobs.pointer("/0/job_id").and_then(serde_json::Value::as_str);
    job.map(str::to_owned)
        .context("the list of jobs does not hold the generation")
}

impl Demo {
    fn atg<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new(self.programs.join("atg"));
        command
            .args(arguments)
            .env("ATG_SERVICE_URL", &self.server)
            .env("ATG_API_KEY", DEMO_KEY)
            .current_dir(&self.folder);
        command
    }
}

pub(crate) struct Simulator {
    pub(crate) url: String,
    pub(crate) tenant: String,
    left_out: u64,
}

pub(crate) fn start_simulator(programs: &Path, options: &Options) -> anyhow::Result<(Running, Simulator)> {
    let mut command = Command::new(programs.join("atg-sim"));
    command.args([
        "--port",
        "0",
        "--control",
        "--seed",
        &options.seed.to_string(),
        "--resources",
        &options.resources.to_string(),
    ]);
    if let Some(file) = &options.snapshot {
        command
            .arg("--snapshot")
            .arg(fs::canonicalize(file).with_context(|| format!("looking for {}", file.display()))?);
    }
    let (running, first) = start(&mut command, "atg-sim")?;
    let ready: serde_json::Value = serde_json::from_str(&first).context("reading what atg-sim printed")?;
    let text = |name: &str| ready.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
    let simulator = Simulator {
        url: text("url").context("atg-sim printed no url")?,
        tenant: text("tenant_id").context("atg-sim printed no tenant_id")?,
        left_out: ready
            .get("left_out")
            .and_then(serde_json::Value::as_u64)
            .unwrap_or_default(),
    };
    Ok((running, simulator))
}

pub(crate) fn start_server(
    programs: &Path,
    folder: &Path,
    simulator: &Simulator,
    settings: &[(&str, &str)],
) -> anyhow::Result<(Running, String)> {
    let log = fs::File::create(folder.join("server.log")).context("making the server's log")?;
    let mut command = Command::new(programs.join("atg-server"));
    command
        .args(["--port", "0"])
        .env("ATG_SERVER_HOST", "127.0.0.1")
        .env("ATG_DATA_DIR", folder.join("data"))
        .env("ATG_API_KEYS", DEMO_KEY)
        .env("ATG_AZURE_CLOUD", "custom")
        .env("ATG_AZURE_ARM_ENDPOINT", &simulator.url)
        .env("ATG_AZURE_GRAPH_ENDPOINT", &simulator.url)
        .env("ATG_AZURE_AUTHORITY", &simulator.url)
        .env("ATG_AZURE_STATIC_TOKEN", DEMO_TOKEN)
        .envs(settings.iter().copied())
        .current_dir(folder)
        .stderr(log);
    let (running, first) = start(&mut command, "atg-server")?;
    // “atg-server listening on http://127.0.0.1:40123”
    let url = first.split_whitespace().last().filter(|word| word.starts_with("http"));
    let url = url
        .with_context(|| format!("atg-server printed “{first}” instead of its address"))?
        .to_owned();
    Ok((running, url))
}

/// Starts a program and gives the first line that it prints: it prints one when it is ready.
fn start(command: &mut Command, name: &str) -> anyhow::Result<(Running, String)> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting {name}"))?;
    let stdout = child.stdout.take();
    let running = Running { child };
    let mut reader = BufReader::new(stdout.context("no pipe to the program")?);
    let mut first = String::new();
    reader
        .read_line(&mut first)
        .with_context(|| format!("reading what {name} prints"))?;
    if first.trim().is_empty() {
        bail!("{name} ended before it was ready");
    }
    // Whatever else it prints must not fill the pipe.
    std::thread::spawn(move || std::io::copy(&mut reader, &mut std::io::sink()));
    Ok((running, first.trim().to_owned()))
}

fn show_tree(folder: &Path) -> anyhow::Result<()> {
    /// More files than this are counted, not named.
    const SHOWN_FILES: usize = 14;
    let mut names: Vec<(String, u64)> = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("listing {}", folder.display()))? {
        let entry = entry?;
        names.push((
            entry.file_name().to_string_lossy().into_owned(),
            entry.metadata()?.len(),
        ));
    }
    names.sort();
    line(&format!("  {}", folder.display()));
    for (name, size) in names.iter().take(SHOWN_FILES) {
        line(&format!("  ├── {name}  ({size} bytes)"));
    }
    if names.len() > SHOWN_FILES {
        line(&format!("  └── and {} more files", names.len() - SHOWN_FILES));
    }
    Ok(())
}

fn show_some_code(folder: &Path) -> anyhow::Result<()> {
    let mut files: Vec<_> = fs::read_dir(folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    files.sort();
    let group = files.iter().find(|path| {
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        name.starts_with("rg-") && Path::new(&name).extension().is_some_and(|extension| extension == "tf")
    });
    let Some(file) = group else { return Ok(()) };
    line("");
    line(&format!(
        "  the first lines of {}:",
        file.strip_prefix(folder).unwrap_or(file).display()
    ));
    for text in fs::read_to_string(file)?.lines().take(SHOWN_LINES) {
        line(&format!("  │ {text}"));
    }
    Ok(())
}

/// Ctrl-C reaches the whole group of processes; the demo only has to stay until then.
fn wait_for_interrupt() -> anyhow::Result<()> {
    loop {
        std::thread::park();
        if !root().exists() {
            return Ok(());
        }
    }
}
