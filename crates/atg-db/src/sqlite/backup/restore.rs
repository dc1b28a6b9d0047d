//! Restoring a backup: unpack beside the data, check everything, then change over.
//!
//! The change over is decided by one rename and finished by whoever opens the folder next, so a kill
//! leaves the old data or the new, never a mixture.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufReader, Read, Write as _};
use std::path::Path;
use std::time::{Duration, SystemTime};

use rusqlite::Connection;

use super::manifest::{ARTIFACTS, BackedUp, Digesting, FORMAT, MANIFEST, Manifest, is_artifact, is_database};
use super::{BackupError, file_error, sync_folder};
use crate::sqlite::database::quick_check;
use crate::sqlite::fault::Outcome;
use crate::sqlite::folder;
use crate::sqlite::moving::forget_unfinished;

/// What is being unpacked: of no use before it is whole.
const PART: &str = "restore.part";
/// What was unpacked and checked: takes the place of the data, whatever happens.
pub(super) const READY: &str = "restore.ready";
/// The folder of artifacts in a data folder.
const ARTIFACTS_ROOT: &str = "artifacts";
/// What may lie beside a database.
const BESIDE: [&str; 3] = ["-wal", "-shm", ".open"];
/// Bytes that are copied at a time.
const COPY_BYTES: usize = 256 * 1024;
/// The largest manifest, in bytes: some 200 a file.
const MANIFEST_MAX_BYTES: u64 = 256 * 1024 * 1024;

/// Puts a backup into a data folder that no server holds. Whole or not at all: nothing of the folder changes
/// before every digest was compared and every database checked. Data that are there are replaced with `force` only.
pub fn restore(data_dir: &Path, file: &Path, force: bool) -> Result<Manifest, BackupError> {
    let _lock = folder::claim(data_dir)?;
    finish(data_dir)?;
    if !force && has_data(data_dir)? {
        let folder = data_dir.to_owned();
        return Err(BackupError::NotEmpty { folder });
    }
    let part = data_dir.join(PART);
    let unpacked = unpack(file, &part).and_then(|manifest| {
        check(file, &part, &manifest)?;
        Ok(manifest)
    });
    if unpacked.is_err() {
        let _ = fs::remove_dir_all(&part);
    }
    let manifest = unpacked?;
    let ready = data_dir.join(READY);
    fs::rename(&part, &ready).map_err(file_error("writing", &ready))?;
    sync_folder(data_dir)?;
    finish(data_dir)?;
    Ok(manifest)
}

fn has_data(data_dir: &Path) -> Result<bool, BackupError> {
    let mut entries = fs::read_dir(data_dir)
        .map_err(file_error("listing", data_dir))?
        .flatten();
    Ok(entries.any(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        is_database(&name) || name == ARTIFACTS_ROOT
    }))
}

/// Writes the files of a backup into a folder, and answers what they are to be.
fn unpack(file: &Path, part: &Path) -> Result<Manifest, BackupError> {
    let not_whole = |problem: String| BackupError::NotWhole {
        file: file.to_owned(),
        problem,
    };
    let broken = |error: std::io::Error| not_whole(error.to_string());
    if part.exists() {
        fs::remove_dir_all(part).map_err(file_error("removing", part))?;
    }
    let artifacts = part.join(ARTIFACTS);
    fs::create_dir_all(&artifacts).map_err(file_error("making", &artifacts))?;
    let mut folders = BTreeSet::from([artifacts]);
    let packed = File::open(file).map_err(file_error("reading", file))?;
    let decoder = zstd::Decoder::new(BufReader::new(packed)).map_err(broken)?;
    let mut archive = tar::Archive::new(decoder);
    let mut unpacked: BTreeMap<String, BackedUp> = BTreeMap::new();
    let mut manifest: Option<Manifest> = None;
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let path = entry.path().map_err(broken)?.to_string_lossy().into_owned();
        if path == MANIFEST {
            let text = (&mut entry).take(MANIFEST_MAX_BYTES);
            manifest = Some(serde_json::from_reader(text).map_err(|error| not_whole(error.to_string()))?);
        } else if is_database(&path) || is_artifact(&path) {
            let target = part.join(&path);
            if let Some(folder) = target.parent() {
                fs::create_dir_all(folder).map_err(file_error("making", folder))?;
                folders.insert(folder.to_owned());
            }
            let written = write(&mut entry, &path, &target).map_err(|failed| match failed {
                Failed::Reading(error) => broken(error),
                Failed::Writing(error) => error,
            })?;
            unpacked.insert(path, written);
        } else {
            return Err(not_whole(format!("it holds {path}, which belongs to no data folder")));
        }
    }
    let manifest = manifest.ok_or_else(|| not_whole("it has no manifest, so it was cut off".to_owned()))?;
    if manifest.format != FORMAT {
        let problem = format!(
            "it has layout {}, this version knows {FORMAT}: use another atg",
            manifest.format
        );
        return Err(not_whole(problem));
    }
    for listed in &manifest.files {
        if unpacked.remove(&listed.path).as_ref() != Some(listed) {
            return Err(not_whole(format!("{} is not as it was backed up", listed.path)));
        }
    }
    // Artifacts that the backup itself has left out.
    for path in unpacked.keys() {
        let path = part.join(path);
        fs::remove_file(&path).map_err(file_error("removing", &path))?;
    }
    let listed = serde_json::to_vec(&manifest).map_err(|error| not_whole(error.to_string()))?;
    let target = part.join(MANIFEST);
    fs::write(&target, listed).map_err(file_error("writing", &target))?;
    File::open(&target)
        .and_then(|file| file.sync_all())
        .map_err(file_error("flushing", &target))?;
    folders.extend([part.join(ARTIFACTS_ROOT), part.to_owned()]);
    // Each before the one that names it.
    for folder in folders.iter().rev() {
        sync_folder(folder)?;
    }
    Ok(manifest)
}

/// Which side of a copy failed: the backup is not whole, or the disk takes no more.
enum Failed {
    Reading(std::io::Error),
    Writing(BackupError),
}

/// Writes one file, flushed. It keeps its time, because retention goes by it.
fn write<R: Read>(entry: &mut tar::Entry<'_, R>, path: &str, target: &Path) -> Result<BackedUp, Failed> {
    let failed = || {
        let failed = file_error("writing", target);
        move |error| Failed::Writing(failed(error))
    };
    let file = File::create(target).map_err(failed())?;
    let mut file = Digesting::new(file);
    let mut buffer = vec![0; COPY_BYTES];
    loop {
        let count = entry.read(&mut buffer).map_err(Failed::Reading)?;
        if count == 0 {
            break;
        }
        file.write_all(buffer.get(..count).unwrap_or_default())
            .map_err(failed())?;
    }
    let (written, file) = file.done(path);
    let modified = entry.header().mtime().map_err(Failed::Reading)?;
    if let Some(modified) = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(modified)) {
        file.set_modified(modified).map_err(failed())?;
    }
    file.sync_all().map_err(failed())?;
    Ok(written)
}

/// Looks into every database before anything is replaced by it.
fn check(file: &Path, part: &Path, manifest: &Manifest) -> Result<(), BackupError> {
    for listed in manifest.files.iter().filter(|listed| is_database(&listed.path)) {
        let checked = || -> Outcome<()> { quick_check(&Connection::open(part.join(&listed.path))?) };
        checked().map_err(|fault| BackupError::NotWhole {
            file: file.to_owned(),
            problem: format!("{}: {}", listed.path, fault.while_doing("checking a copy")),
        })?;
    }
    Ok(())
}

/// Finishes a restore that was decided, and forgets one that was not. To be called under the folder's lock
/// before anything in it is opened.
pub(crate) fn finish(data_dir: &Path) -> Result<(), BackupError> {
    let part = data_dir.join(PART);
    if part.exists() {
        fs::remove_dir_all(&part).map_err(file_error("removing", &part))?;
    }
    let ready = data_dir.join(READY);
    let listed = ready.join(MANIFEST);
    if !listed.exists() {
        // Nothing, or what is left of one that was finished: its list goes last but for the folder.
        return remove_folder(&ready);
    }
    let text = fs::read(&listed).map_err(file_error("reading", &listed))?;
    let manifest: Manifest =
        serde_json::from_slice(&text).map_err(|error| file_error("reading", &listed)(error.into()))?;
    let databases: Vec<&str> = manifest
        .files
        .iter()
        .map(|file| file.path.as_str())
        .filter(|path| is_database(path))
        .collect();
    remove_others(data_dir, &databases)?;
    for name in databases {
        let (new, old) = (ready.join(name), data_dir.join(name));
        // What is not there any more is in its place already.
        if new.exists() {
            remove_beside(data_dir, name)?;
            fs::rename(&new, &old).map_err(file_error("writing", &old))?;
        }
    }
    let (new, old) = (ready.join(ARTIFACTS_ROOT), data_dir.join(ARTIFACTS_ROOT));
    if new.exists() {
        remove_folder(&old)?;
        fs::rename(&new, &old).map_err(file_error("writing", &old))?;
    }
    let mended = forget_unfinished(data_dir);
    mended.map_err(file_error("removing the mark of an import in", data_dir))?;
    sync_folder(data_dir)?;
    fs::remove_file(&listed).map_err(file_error("removing", &listed))?;
    remove_folder(&ready)?;
    sync_folder(data_dir)
}

/// Removes databases that the backup does not have.
fn remove_others(data_dir: &Path, keep: &[&str]) -> Result<(), BackupError> {
    for entry in fs::read_dir(data_dir)
        .map_err(file_error("listing", data_dir))?
        .flatten()
    {
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_database(&name) && !keep.contains(&name.as_str()) {
            remove_beside(data_dir, &name)?;
            fs::remove_file(entry.path()).map_err(file_error("removing", &entry.path()))?;
        }
    }
    Ok(())
}

fn remove_beside(data_dir: &Path, name: &str) -> Result<(), BackupError> {
    for suffix in BESIDE {
        let path = data_dir.join(format!("{name}{suffix}"));
        if path.exists() {
            fs::remove_file(&path).map_err(file_error("removing", &path))?;
        }
    }
    Ok(())
}

fn remove_folder(folder: &Path) -> Result<(), BackupError> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(file_error("removing", folder))?;
    }
    Ok(())
}
