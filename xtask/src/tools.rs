//! What the tests and judges need from outside, installed once: from the system's packages, or into
//! a cache outside git.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::out::{notice, step};
use crate::run::{env, is_ci, on_path, succeed};

/// The folder that later runs find again.
pub(crate) fn cache() -> anyhow::Result<PathBuf> {
    let base = match (env("ATG_CACHE_DIR"), env("XDG_CACHE_HOME"), env("HOME")) {
        (Some(dir), _, _) => PathBuf::from(dir),
        (None, Some(dir), _) => PathBuf::from(dir).join("atg"),
        (None, None, Some(home)) => PathBuf::from(home).join(".cache/atg"),
        (None, None, None) => bail!("set ATG_CACHE_DIR: there is no home folder to put the tools into"),
    };
    let tools = base.join("tools");
    std::fs::create_dir_all(&tools).with_context(|| format!("making {}", tools.display()))?;
    Ok(tools)
}

/// A folder of Python packages in the cache, with a `python` that sees them. Packages are pinned: `name==version`.
pub(crate) fn python(name: &str, packages: &[&str]) -> anyhow::Result<PathBuf> {
    let folder = cache()?.join(name);
    let marker = folder.join("packages.txt");
    let wanted = packages.join("\n");
    if std::fs::read_to_string(&marker).is_ok_and(|installed| installed == wanted) {
        return Ok(folder.join("bin"));
    }
    let python = on_path("python3").context("install Python 3 with its module venv")?;
    step(&format!("installing {} (once)", packages.join(", ")));
    succeed(Command::new(python).args(["-m", "venv"]).arg(&folder))?;
    succeed(
        Command::new(folder.join("bin/pip"))
            .args(["install", "--quiet", "--disable-pip-version-check"])
            .args(packages),
    )?;
    std::fs::write(&marker, wanted).with_context(|| format!("writing {}", marker.display()))?;
    Ok(folder.join("bin"))
}

/// A program of npm in the cache, pinned: `name@version`. Answers the folder that holds its `node_modules`.
pub(crate) fn npm(name: &str, package: &str) -> anyhow::Result<PathBuf> {
    let folder = cache()?.join(name);
    let marker = folder.join("package.txt");
    let is_there = || std::fs::read_to_string(&marker).is_ok_and(|installed| installed == package);
    if is_there() {
        return Ok(folder);
    }
    let npm = on_path("npm").context("npm is not installed")?;
    std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    // One at a time: two would write the same half-filled folder.
    let lock = folder.join("lock");
    let lock = std::fs::File::create(&lock).with_context(|| format!("making {}", lock.display()))?;
    lock.lock().context("waiting for another fetch")?;
    if is_there() {
        return Ok(folder);
    }
    step(&format!("installing {package} (once)"));
    succeed(
        Command::new(npm)
            .args([
                "install",
                "--silent",
                "--no-audit",
                "--no-fund",
                "--no-save",
                "--ignore-scripts",
                "--prefix",
            ])
            .arg(&folder)
            .arg(package),
    )?;
    std::fs::write(&marker, package).with_context(|| format!("writing {}", marker.display()))?;
    Ok(folder)
}

/// Chromium and its driver, for the tests of the pages. `None` is left out, with a notice.
pub(crate) fn chromium() -> anyhow::Result<Option<(PathBuf, PathBuf)>> {
    if let Some(found) = find_chromium() {
        return Ok(Some(found));
    }
    apt("Chromium", &["chromium", "chromium-driver", "fonts-dejavu-core"])?;
    if let Some(found) = find_chromium() {
        return Ok(Some(found));
    }
    let problem = "Chromium and chromedriver are not installed (Debian: apt-get install chromium chromium-driver)";
    if is_ci() {
        bail!("{problem}");
    }
    notice(&format!("the tests of the pages are left out: {problem}"));
    Ok(None)
}

fn find_chromium() -> Option<(PathBuf, PathBuf)> {
    let browser = ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find_map(on_path)?;
    Some((browser, on_path("chromedriver")?))
}

/// Installs packages of the system where that may be done; does nothing elsewhere.
pub(crate) fn apt(what: &str, packages: &[&str]) -> anyhow::Result<()> {
    if on_path("apt-get").is_none() || !is_root() {
        return Ok(());
    }
    step(&format!("installing {what} from the system's packages"));
    succeed(Command::new("apt-get").args(["update", "-qq"]))?;
    succeed(
        Command::new("apt-get")
            .args(["install", "-y", "-qq", "--no-install-recommends"])
            .args(packages)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )
}

fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
