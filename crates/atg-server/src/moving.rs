//! `atg-server export` and `import`: all that is kept in one file, from one sort of store to another.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is the program's terminal output"
)]

mod file;
mod progress;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use atg_db::moving::{Begun, Export, Import, Manifest, MoveError, MoveSource, MoveTarget, Step, check};
use atg_db::neo4j::{Neo4jSource, Neo4jTarget};
use atg_db::sqlite::{SqliteSource, SqliteTarget};
use atg_models::Clock as _;
use atg_server::{Config, StoreChoice, SystemClock};

use crate::command::{fail, load, refuse};
use file::Output;
use progress::Progress;

/// How often an export into a file begins again when the store has changed meanwhile.
const TRIES: u32 = 3;
/// Before it does.
const AGAIN_AFTER: Duration = Duration::from_secs(2);

/// Writes all that is kept into a file.
pub(crate) fn export(config: Option<&Path>, file: &Path, with_artifacts: bool) -> ExitCode {
    with_runtime(config, |config| async move {
        let manifest = exported(&config, file, with_artifacts).await?;
        let text = format!("{} exported to {}", contents(&manifest), name(file));
        if file::is_standard(file) {
            eprintln!("{text}");
        } else {
            println!("{text}");
        }
        if with_artifacts {
            for artifact in &manifest.artifacts_left_out {
                eprintln!(
                    "left out: the result of {} is not there any more, or not as it was published",
                    artifact.job
                );
            }
        } else if !manifest.artifacts_left_out.is_empty() {
            let count = manifest.artifacts_left_out.len();
            eprintln!("left out: {count} results; copy their folder or container, or export --with-artifacts");
        }
        Ok(())
    })
}

async fn exported(config: &Config, file: &Path, with_artifacts: bool) -> anyhow::Result<Manifest> {
    let place = config.artifacts.clone();
    let artifacts = if with_artifacts {
        Some(place.open().context("opening the place of the results")?)
    } else {
        None
    };
    let mut tries = if file::is_standard(file) { 1 } else { TRIES };
    loop {
        let source = source(config)?;
        let output = Output::create(file)?;
        let mut progress = Progress::default();
        let export = Export {
            source: source.as_ref(),
            artifacts: artifacts.as_ref().map(|store| -> &dyn atg_db::ArtifactStore { store }),
            made_at: SystemClock.now(),
            said: &mut |part, count| progress.say("exporting", part, count),
        };
        let written = Box::pin(export.write(output)).await;
        progress.end();
        tries -= 1;
        match written {
            Ok(exported) => {
                exported.out.publish()?;
                return Ok(exported.manifest);
            }
            Err(MoveError::Store(error)) if error.is_retryable() && tries > 0 => {
                eprintln!("{:#}: beginning again", anyhow::Error::new(error));
                tokio::time::sleep(AGAIN_AFTER).await;
            }
            Err(error) => return Err(anyhow::Error::new(error).context(format!("exporting to {}", name(file)))),
        }
    }
}

/// Reads a file into an empty store.
pub(crate) fn import(config: Option<&Path>, file: &Path, dry_run: bool) -> ExitCode {
    with_runtime(config, |config| async move {
        let doing = || format!("importing {}", name(file));
        if dry_run {
            let checked = check(file::open(file)?).with_context(doing)?;
            println!(
                "{} is whole: {}, of {}; nothing was written",
                name(file),
                contents(&checked.manifest),
                made(&checked.manifest)
            );
            return Ok(());
        }
        let (target, place) = target(&config).with_context(doing)?;
        if !file::is_standard(file) {
            // Before anything is written, where that can be.
            target.look().await.with_context(doing)?;
            check(file::open(file)?).with_context(doing)?;
        }
        let artifacts = config.artifacts.open().context("opening the place of the results")?;
        let mut progress = Progress::default();
        let import = Import {
            target: target.as_ref(),
            artifacts: &artifacts,
            said: &mut |step, part, count| {
                let doing = match step {
                    Step::Writing => "importing",
                    Step::Comparing => "comparing",
                };
                progress.say(doing, part, count);
            },
        };
        let imported = Box::pin(import.read(file::open(file)?)).await;
        progress.end();
        let imported = imported.with_context(doing)?;
        if imported.begun == Begun::Again {
            println!("what an import before had left was removed");
        }
        println!(
            "{} imported into {place}, from {}: every digest is the same",
            contents(&imported.manifest),
            made(&imported.manifest)
        );
        let left_out = imported.manifest.artifacts_left_out.len();
        if left_out > 0 {
            eprintln!(
                "left out: {left_out} results that jobs name are not in the file; copy their folder or container"
            );
        }
        Ok(())
    })
}

fn source(config: &Config) -> anyhow::Result<Box<dyn MoveSource>> {
    Ok(match &config.store {
        StoreChoice::Sqlite => Box::new(SqliteSource::new(&config.data_dir)?),
        StoreChoice::Neo4j(settings) => Box::new(Neo4jSource::new(&named(settings))?),
    })
}

fn target(config: &Config) -> anyhow::Result<(Box<dyn MoveTarget>, String)> {
    Ok(match &config.store {
        StoreChoice::Sqlite => {
            let target = SqliteTarget::new(&config.data_dir)?;
            (Box::new(target), config.data_dir.display().to_string())
        }
        StoreChoice::Neo4j(settings) => (Box::new(Neo4jTarget::new(&named(settings))?), settings.uri.clone()),
    })
}

/// With a name of this process: what it writes carries it.
fn named(settings: &atg_db::neo4j::Neo4jConfig) -> atg_db::neo4j::Neo4jConfig {
    use atg_models::IdGen as _;
    let mut settings = settings.clone();
    settings.instance = format!("moving-{:032x}", atg_server::SystemIds.random_u128());
    settings
}

fn with_runtime<F: Future<Output = anyhow::Result<()>>>(
    config: Option<&Path>,
    work: impl FnOnce(Config) -> F,
) -> ExitCode {
    let loaded = match load(config, None) {
        Ok(loaded) => loaded,
        Err(problems) => return refuse(&problems),
    };
    // The stores' threads are blocked while records pass.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let done = runtime
        .context("starting the runtime")
        .and_then(|runtime| runtime.block_on(work(loaded.config)));
    done.map_or_else(|error| fail(&format!("{error:#}")), |()| ExitCode::SUCCESS)
}

fn name(file: &Path) -> String {
    if file::is_standard(file) {
        "standard input or output".to_owned()
    } else {
        file.display().to_string()
    }
}

fn contents(manifest: &Manifest) -> String {
    format!(
        "{} tenants ({} nodes, {} edges), {} jobs, {} keys and {} results",
        manifest.count("tenants"),
        manifest.count("nodes"),
        manifest.count("edges"),
        manifest.count("jobs"),
        manifest.count("keys"),
        manifest.artifacts.len()
    )
}

fn made(manifest: &Manifest) -> String {
    let header = &manifest.header;
    format!(
        "{} by atg {} of {}",
        header.store,
        header.version,
        atg_models::time_text::print(header.made_at)
    )
}
