//! Looking after a data folder by hand: checking its files, and setting a damaged graph aside.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use crate::sqlite::fault::{Outcome, unavailable};
use crate::sqlite::{backup, folder};
use crate::{StoreError, limits};

/// The graph's file: what it holds can be read again from Azure.
const GRAPH: &str = "graph.db";
/// What SQLite keeps beside a file, and our mark.
const BESIDE: [&str; 3] = ["-wal", "-shm", ".open"];
/// Graphs that lie aside at one time: somebody should look at them.
const GRAPHS_ASIDE: u32 = 100;
/// Problems that a check names for one file.
const PROBLEMS: i64 = 20;

/// What a check has found in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The file.
    pub file: String,
    /// What is wrong with it; nothing = it is whole.
    pub problems: Vec<String>,
}

/// Reads every database of a folder through, also beside a running server.
pub fn check(data_dir: &Path) -> Result<Vec<Checked>, StoreError> {
    let entries = std::fs::read_dir(data_dir).map_err(unavailable("listing the data folder"))?;
    let names = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| backup::is_database(name)).collect();
    names.sort();
    let checked = names.into_iter().map(|file| {
        let problems = problems(&data_dir.join(&file))
            .unwrap_or_else(|fault| vec![fault.while_doing("checking a database").to_string()]);
        Checked { file, problems }
    });
    Ok(checked.collect())
}

fn problems(path: &Path) -> Outcome<Vec<String>> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(limits::BUSY_TIMEOUT)?;
    let mut check = connection.prepare(&format!("PRAGMA integrity_check({PROBLEMS})"))?;
    let rows = check.query_map([], |row| row.get::<_, String>(0))?;
    let mut problems = rows.collect::<Result<Vec<_>, _>>()?;
    problems.retain(|problem| problem != "ok");
    Ok(problems)
}

/// Renames the graph's file, so that the next start makes a new one; jobs, their logs and their artifacts stay.
/// Answers the new name, `None` when there is no graph. Refused while a server holds the folder.
pub fn set_graph_aside(data_dir: &Path) -> Result<Option<PathBuf>, StoreError> {
    const DOING: &str = "setting the graph aside";
    let _lock = folder::claim(data_dir)?;
    let graph = data_dir.join(GRAPH);
    if !graph.exists() {
        return Ok(None);
    }
    let name = |number: u32| data_dir.join(format!("{GRAPH}.aside-{number}"));
    let target = (1..=GRAPHS_ASIDE)
        .map(name)
        .find(|target| !target.exists())
        .ok_or(StoreError::NotFound { what: "free name" })?;
    for suffix in BESIDE {
        let beside = data_dir.join(format!("{GRAPH}{suffix}"));
        if beside.exists() {
            // The log belongs to the file: without it the last pages are lost to whoever repairs it.
            let mut kept = target.as_os_str().to_owned();
            kept.push(suffix);
            std::fs::rename(beside, kept).map_err(unavailable(DOING))?;
        }
    }
    std::fs::rename(graph, &target).map_err(unavailable(DOING))?;
    Ok(Some(target))
}
