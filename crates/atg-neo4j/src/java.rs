//! Finding a Java that is new enough.

use std::path::PathBuf;
use std::process::Command;

use crate::environment::variable;

/// Where systems keep their Javas, and where in each of them the program is.
const HOMES: &[(&str, &str)] = &[
    ("/usr/lib/jvm", "bin/java"),
    ("/Library/Java/JavaVirtualMachines", "Contents/Home/bin/java"),
];

/// A Java that can be run.
#[derive(Clone, Debug)]
pub struct Java {
    /// The program.
    pub program: PathBuf,
    /// Its version: 17, 21 …
    pub version: u32,
}

impl Java {
    /// The first Java that is as new: the one of `JAVA_HOME`, of the path, of the system's folder of Javas.
    pub fn find(at_least: u32) -> Option<Self> {
        candidates()
            .into_iter()
            .filter(|program| program.is_file())
            .find_map(|program| {
                let version = version(&program)?;
                (version >= at_least).then_some(Self { program, version })
            })
    }
}

fn candidates() -> Vec<PathBuf> {
    let mut found = Vec::new();
    found.extend(variable("JAVA_HOME").map(|home| PathBuf::from(home).join("bin/java")));
    if let Some(path) = variable("PATH") {
        found.extend(std::env::split_paths(&path).map(|folder| folder.join("java")));
    }
    for (homes, program) in HOMES {
        let mut here: Vec<_> = std::fs::read_dir(homes)
            .into_iter()
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path().join(program)))
            .collect();
        here.sort();
        found.extend(here);
    }
    found
}

fn version(program: &PathBuf) -> Option<u32> {
    let output = Command::new(program).arg("-version").output().ok()?;
    major(&String::from_utf8_lossy(&output.stderr))
}

/// What stands behind `version "` in `openjdk version "17.0.15" 2025-04-15`; 8 and older say `1.8`, which is 1.
pub(crate) fn major(text: &str) -> Option<u32> {
    let (_, quoted) = text.split_once("version \"")?;
    let digits = quoted.split(|letter: char| !letter.is_ascii_digit()).next()?;
    digits.parse().ok()
}
