//! What a server keeps of its results.

use std::path::{Path, PathBuf};

use atg_models::JobId;

use crate::World;

/// Where a job's zip lies in a data folder, if its first attempt has published it.
pub fn zip_of(data: &Path, job: JobId) -> PathBuf {
    data.join(format!("artifacts/artifacts/{job}/1.zip"))
}

impl World {
    /// Where a job's zip lies, if its first attempt has published it.
    pub fn zip(&self, job: JobId) -> PathBuf {
        zip_of(&self.folder(), job)
    }

    /// Removes the results, as an operator might: their files, not the place.
    pub fn remove_results(&self) {
        let place = self.folder().join("artifacts");
        // Servers that share a store have a folder of their own in the place that they are given.
        for folder in [place.join("artifacts"), place] {
            let jobs = std::fs::read_dir(folder).into_iter().flatten();
            for job in jobs
                .map(|entry| entry.unwrap().path())
                .filter(|path| !path.ends_with("artifacts"))
            {
                std::fs::remove_dir_all(job).unwrap();
            }
        }
    }
}
