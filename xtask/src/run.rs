//! Runs programs, and knows where the repository is.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// The folder of the repository.
pub(crate) fn root() -> &'static Path {
    // The manifest of this package lies one folder below it.
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// Where cargo puts what it builds.
pub(crate) fn target_dir() -> PathBuf {
    match env("CARGO_TARGET_DIR") {
        Some(dir) => PathBuf::from(dir),
        None => root().join("target"),
    }
}

/// A variable of the environment, when it is set and not empty.
#[expect(
    clippy::disallowed_methods,
    reason = "xtask reads its environment here and nowhere else"
)]
pub(crate) fn env(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Whether this is a run of continuous integration, where leaving something out is a failure.
pub(crate) fn is_ci() -> bool {
    env("CI").is_some_and(|value| value != "false")
}

/// Cargo, in the repository's folder.
pub(crate) fn cargo<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env("CARGO").unwrap_or_else(|| "cargo".to_owned()));
    command.args(arguments).current_dir(root());
    command
}

/// Builds all programs and examples. Always the whole workspace: a choice of packages would have other
/// features, and compile half of the dependencies again.
pub(crate) fn build_programs() -> anyhow::Result<()> {
    succeed(&mut cargo(["build", "--quiet", "--workspace", "--bins", "--examples"]))
}

/// A program that [`build_programs`] has built.
pub(crate) fn program(name: &str) -> Command {
    let mut command = Command::new(target_dir().join("debug").join(name));
    command.current_dir(root());
    command
}

/// Runs `command` to its end; its failure is an error that names it.
pub(crate) fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let shown = show(command);
    let status = command.status().with_context(|| format!("starting {shown}"))?;
    if !status.success() {
        bail!("{shown} failed ({status})");
    }
    Ok(())
}

/// Runs `command` to its end and gives what it printed on stdout.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let shown = show(command);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("starting {shown}"))?;
    if !output.status.success() {
        bail!(
            "{shown} failed ({})\n{}",
            output.status,
            String::from_utf8_lossy(&output.stdout)
        );
    }
    String::from_utf8(output.stdout).with_context(|| format!("{shown} printed something that is not UTF-8"))
}

/// How long something took, for a person.
#[expect(
    clippy::disallowed_methods,
    reason = "what a person waits for is measured as they do"
)]
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begun = Instant::now();
    let done = work();
    (done, begun.elapsed())
}

/// Whether a program of this name is on the path.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let path = env("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

fn show(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}
