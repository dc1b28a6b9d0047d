//! Unpacks a zip that the server has published.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use crate::exit::Failure;

/// More bytes than this in one zip are refused: the server's own bound on an artifact, unpacked.
const UNPACKED_MAX_BYTES: u64 = 8 * 1024 * 1024 * 1024;

/// Unpacks `zip` below `folder` and answers how many files there were. Paths that would leave the folder are refused.
pub(crate) fn extract(zip: &Path, folder: &Path) -> Result<usize, Failure> {
    let failed = |what: &Path, error: &dyn std::fmt::Display| Failure::other(&format!("{}: {error}", what.display()));
    let file = File::open(zip).map_err(|error| failed(zip, &error))?;
    let mut archive = zip::ZipArchive::new(file).map_err(|error| failed(zip, &error))?;
    if archive
        .decompressed_size()
        .is_some_and(|bytes| bytes > u128::from(UNPACKED_MAX_BYTES))
    {
        return Err(failed(zip, &"holds more than may be unpacked"));
    }
    let mut left = UNPACKED_MAX_BYTES;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|error| failed(zip, &error))?;
        let Some(inside) = entry.enclosed_name() else {
            return Err(failed(zip, &format!("holds the unsafe path {}", entry.name())));
        };
        let path = folder.join(inside);
        if entry.is_dir() {
            continue;
        }
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|error| failed(parent, &error))?;
        }
        let mut target = File::create(&path).map_err(|error| failed(&path, &error))?;
        // One byte more than is left: a zip that understates its sizes is found out.
        let mut within = (&mut entry).take(left.saturating_add(1));
        let written = io::copy(&mut within, &mut target).map_err(|error| failed(&path, &error))?;
        left = left
            .checked_sub(written)
            .ok_or_else(|| failed(zip, &"holds more than may be unpacked"))?;
    }
    Ok(archive.len())
}
