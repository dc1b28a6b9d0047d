//! Making a backup: fix all databases, copy them, pack them with the artifacts that they name.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use atg_models::JobId;
use atg_models::job::ArtifactInfo;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use time::OffsetDateTime;

use super::manifest::{ARTIFACTS, BackedUp, Digesting, FORMAT, MANIFEST, Manifest, is_database};
use super::restore::READY;
use super::{BackupError, file_error, sync_folder};
use crate::sqlite::database::quick_check;
use crate::sqlite::fault::{Fault, Outcome};
use crate::{StoreError, limits, object_artifacts};

/// The jobs' file: the first to be fixed.
const JOBS: &str = "jobs.db";
/// For errors.
const DOING: &str = "copying a database";
/// All pages in one go: the copy is of one state anyway.
const ALL_PAGES: std::ffi::c_int = -1;

/// Writes all that a data folder holds into one file, beside a running server. The file appears whole or not
/// at all; it is readable for its owner only.
pub fn backup(data_dir: &Path, file: &Path, made_at: OffsetDateTime) -> Result<Manifest, BackupError> {
    let work = Work::new(file)?;
    let databases = fix(data_dir)?;
    let mut copies = Vec::new();
    for (name, source) in databases {
        copies.push((name.clone(), copy(&name, &source, &work.folder.join(&name))?));
    }
    let artifacts = named_artifacts(&work.folder.join(JOBS))?;
    let manifest = pack(data_dir, &work, &copies, artifacts, made_at)?;
    work.publish(file)?;
    Ok(manifest)
}

/// What is written until the backup is whole; removed whatever comes.
struct Work {
    /// For copies of the databases.
    folder: PathBuf,
    /// The file under its temporary name.
    part: PathBuf,
}

impl Work {
    fn new(file: &Path) -> Result<Self, BackupError> {
        let beside = |suffix: &str| {
            let mut name = file.as_os_str().to_owned();
            name.push(suffix);
            PathBuf::from(name)
        };
        let work = Self {
            folder: beside(".copies"),
            part: beside(".part"),
        };
        // Of a backup that was killed.
        work.remove();
        private_folder(&work.folder).map_err(file_error("making", &work.folder))?;
        Ok(work)
    }

    fn publish(&self, file: &Path) -> Result<(), BackupError> {
        fs::rename(&self.part, file).map_err(file_error("writing", file))?;
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        sync_folder(folder.unwrap_or(Path::new(".")))
    }

    fn remove(&self) {
        let _ = fs::remove_dir_all(&self.folder);
        let _ = fs::remove_file(&self.part);
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Opens every database of the folder and holds it at the state it has now: jobs first, all within milliseconds.
fn fix(data_dir: &Path) -> Result<Vec<(String, Connection)>, BackupError> {
    crate::sqlite::refuse_half_imported(data_dir)?;
    let entries = fs::read_dir(data_dir).map_err(file_error("listing", data_dir))?;
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| is_database(name))
        .collect();
    if !names.iter().any(|name| name == JOBS) || data_dir.join(READY).exists() {
        let folder = data_dir.to_owned();
        return Err(BackupError::NoData { folder });
    }
    names.sort_by_key(|name| (name != JOBS, name.clone()));
    let mut fixed = Vec::new();
    for name in names {
        let connection = hold(&data_dir.join(&name)).map_err(|fault| told(&name, fault))?;
        fixed.push((name, connection));
    }
    Ok(fixed)
}

fn hold(path: &Path) -> Outcome<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(limits::BUSY_TIMEOUT)?;
    connection.execute_batch("BEGIN")?;
    // The state is fixed by the first read, not by BEGIN.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(connection)
}

/// Copies a database as it is held, and checks the copy.
fn copy(name: &str, source: &Connection, target: &Path) -> Result<PathBuf, BackupError> {
    let copied = || -> Outcome<()> {
        let mut copy = Connection::open(target)?;
        // It is flushed as a part of the backup.
        copy.pragma_update(None, "synchronous", "OFF")?;
        let step = Backup::new(source, &mut copy)?.step(ALL_PAGES)?;
        if step != StepResult::Done {
            return Err(Fault::Store(StoreError::Unavailable {
                doing: DOING,
                source: format!("the copy is not whole: {step:?}").into(),
            }));
        }
        quick_check(&copy)?;
        // One file without a log of its own; the next start turns the log on again.
        copy.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
        Ok(())
    };
    copied().map_err(|fault| told(name, fault))?;
    Ok(target.to_owned())
}

fn told(file: &str, fault: Fault) -> BackupError {
    match fault.while_doing(DOING) {
        StoreError::Corrupt { doing: _, problem } => BackupError::Damaged {
            file: file.to_owned(),
            problem,
        },
        other @ (StoreError::Unavailable { .. }
        | StoreError::Fenced { .. }
        | StoreError::Refused(_)
        | StoreError::NotFound { .. }
        | StoreError::TooLarge { .. }
        | StoreError::TooNew { .. }
        | StoreError::HalfImported { .. }
        | StoreError::Locked { .. }) => BackupError::Store(other),
    }
}

/// The artifacts that the copied jobs name.
fn named_artifacts(jobs: &Path) -> Result<Vec<BackedUp>, BackupError> {
    let read = || -> Outcome<Vec<BackedUp>> {
        let connection = Connection::open(jobs)?;
        let mut find = connection.prepare("SELECT id, artifact FROM job WHERE artifact IS NOT NULL ORDER BY id")?;
        let rows = find.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
        rows.map(|row| {
            let (id, artifact) = row?;
            let artifact: ArtifactInfo = serde_json::from_str(&artifact)?;
            let id: JobId = id.parse().map_err(|_| {
                Fault::Store(StoreError::Corrupt {
                    doing: DOING,
                    problem: format!("{id:?} is no job id"),
                })
            })?;
            Ok(BackedUp {
                path: format!("{ARTIFACTS}/{}", object_artifacts::file(artifact.name(id))),
                size_bytes: artifact.size_bytes,
                sha256: artifact.sha256,
            })
        })
        .collect()
    };
    read().map_err(|fault| told(JOBS, fault))
}

type Pack = tar::Builder<zstd::Encoder<'static, BufWriter<File>>>;

fn pack(
    data_dir: &Path,
    work: &Work,
    copies: &[(String, PathBuf)],
    artifacts: Vec<BackedUp>,
    made_at: OffsetDateTime,
) -> Result<Manifest, BackupError> {
    let failed = || file_error("writing", &work.part);
    let file = private_file(&work.part).map_err(failed())?;
    let encoder = zstd::Encoder::new(BufWriter::new(file), zstd::DEFAULT_COMPRESSION_LEVEL).map_err(failed())?;
    let mut pack = tar::Builder::new(encoder);
    let mut manifest = Manifest {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        made_at,
        files: Vec::new(),
        left_out: Vec::new(),
    };
    for (name, path) in copies {
        let copy = File::open(path).map_err(file_error("reading", path))?;
        manifest.files.push(add(&mut pack, name, copy).map_err(failed())?);
        fs::remove_file(path).map_err(file_error("removing", path))?;
    }
    for named in artifacts {
        let artifact = File::open(data_dir.join(&named.path));
        // Its time has passed, or it was damaged: what it was to be is not what would come back.
        let whole = match artifact.and_then(|file| Ok((file.metadata()?.len(), file))) {
            Ok((size, file)) if size == named.size_bytes => {
                add(&mut pack, &named.path, file).map_err(failed())? == named
            }
            Ok(_) | Err(_) => false,
        };
        if whole {
            manifest.files.push(named);
        } else {
            manifest.left_out.push(named.path);
        }
    }
    let text = serde_json::to_vec_pretty(&manifest).map_err(|error| failed()(error.into()))?;
    let mut header = header(u64::try_from(text.len()).unwrap_or(u64::MAX), made_at);
    pack.append_data(&mut header, MANIFEST, text.as_slice())
        .map_err(failed())?;
    let mut buffer = pack.into_inner().and_then(zstd::Encoder::finish).map_err(failed())?;
    buffer.flush().map_err(failed())?;
    buffer.get_ref().sync_all().map_err(failed())?;
    Ok(manifest)
}

/// Adds a file as it is now; what it held by then is answered.
fn add(pack: &mut Pack, path: &str, file: File) -> std::io::Result<BackedUp> {
    let meta = file.metadata()?;
    let mut header = header(meta.len(), OffsetDateTime::from(meta.modified()?));
    let mut content = Digesting::new(file);
    pack.append_data(&mut header, path, &mut content)?;
    Ok(content.done(path).0)
}

fn header(size: u64, modified: OffsetDateTime) -> tar::Header {
    const OWNER_ONLY: u32 = 0o600;
    let mut header = tar::Header::new_gnu();
    header.set_size(size);
    header.set_mode(OWNER_ONLY);
    header.set_mtime(u64::try_from(modified.unix_timestamp()).unwrap_or_default());
    header
}

#[cfg(unix)]
fn private_file(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    const OWNER_ONLY: u32 = 0o600;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(OWNER_ONLY)
        .open(path)
}

#[cfg(not(unix))]
fn private_file(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

#[cfg(unix)]
fn private_folder(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    const OWNER_ONLY: u32 = 0o700;
    fs::DirBuilder::new().mode(OWNER_ONLY).create(path)
}

#[cfg(not(unix))]
fn private_folder(path: &Path) -> std::io::Result<()> {
    fs::create_dir(path)
}
