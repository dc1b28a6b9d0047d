//! The commands that look after the data folder.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is the program's terminal output"
)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use atg_db::sqlite::{self, Manifest};
use atg_models::Clock as _;
use atg_server::SystemClock;

use crate::command::{fail, load, refuse};

/// Writes a backup.
pub(crate) fn backup(config: Option<&Path>, file: &Path) -> ExitCode {
    in_folder(config, |folder| {
        let manifest = sqlite::backup(&folder, file, SystemClock.now())?;
        println!("{} backed up to {}", contents(&manifest), file.display());
        for path in &manifest.left_out {
            eprintln!("left out: {path} is not there any more, or not as it was published");
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Puts a backup back.
pub(crate) fn restore(config: Option<&Path>, file: &Path, force: bool) -> ExitCode {
    in_folder(config, |folder| {
        let manifest = sqlite::restore(&folder, file, force)?;
        println!(
            "{} of {} restored to {}: jobs that ran then go on at the next start",
            contents(&manifest),
            manifest.made_at,
            folder.display()
        );
        Ok(ExitCode::SUCCESS)
    })
}

/// Reads all databases through.
pub(crate) fn check(config: Option<&Path>) -> ExitCode {
    in_folder(config, |folder| {
        let mut code = ExitCode::SUCCESS;
        for checked in sqlite::check(&folder)? {
            if checked.problems.is_empty() {
                println!("{}: whole", checked.file);
                continue;
            }
            code = ExitCode::FAILURE;
            println!("{}: damaged", checked.file);
            for problem in &checked.problems {
                println!("  {problem}");
            }
        }
        Ok(code)
    })
}

/// Sets the graph aside.
pub(crate) fn reset_graph(config: Option<&Path>) -> ExitCode {
    in_folder(config, |folder| {
        match sqlite::set_graph_aside(&folder)? {
            Some(aside) => println!(
                "the graph is now {}: scan each tenant again, then remove it",
                aside.display()
            ),
            None => println!("there is no graph in {}", folder.display()),
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn in_folder(config: Option<&Path>, act: impl FnOnce(PathBuf) -> anyhow::Result<ExitCode>) -> ExitCode {
    let loaded = match load(config, None) {
        Ok(loaded) => loaded,
        Err(problems) => return refuse(&problems),
    };
    act(loaded.config.data_dir).unwrap_or_else(|error| fail(&format!("{error:#}")))
}

fn contents(manifest: &Manifest) -> String {
    const MIB: u64 = 1024 * 1024;
    format!(
        "{} databases and {} artifacts ({} MiB)",
        manifest.databases(),
        manifest.artifacts(),
        manifest.size_bytes().div_ceil(MIB)
    )
}
