//! What a world's server keeps of its results.

use crate::World;

impl World {
    /// Removes the results, as an operator might: their files, not the place.
    pub fn remove_results(&self) {
        let place = self.folder().join("artifacts");
        // Servers that share a store have a folder of their own in the place that they are given.
        for folder in [place.join("artifacts"), place] {
            let entries = std::fs::read_dir(folder).into_iter().flatten();
            for file in entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
                std::fs::remove_file(file).unwrap();
            }
        }
    }
}
