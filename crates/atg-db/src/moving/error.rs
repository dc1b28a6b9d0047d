//! Why nothing was moved.

use crate::StoreError;

/// Why an export or an import did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// A store's own reason.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file could not be read or written.
    #[error("{doing} the file")]
    File {
        /// `reading` or `writing`.
        doing: &'static str,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The file is no export, or not a whole one.
    #[error("the file is not a whole export: {problem}")]
    NotWhole {
        /// What is wrong.
        problem: String,
    },
    /// The file was written by a newer version.
    #[error("the file has format {found}, this version knows {known}: use a newer atg")]
    TooNew {
        /// Its format.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// There is nothing to export.
    #[error("{place} holds no data")]
    NoData {
        /// Where it was looked for.
        place: String,
    },
    /// The target is in use.
    #[error("{place} is not empty, it holds {holds}: an import takes an empty store and merges nothing")]
    NotEmpty {
        /// Which store.
        place: String,
        /// What is in it.
        holds: String,
    },
    /// What has come over is not what was sent.
    #[error("the store does not hold what the file does: {}", .differs.join("; "))]
    Differs {
        /// What is not the same.
        differs: Vec<String>,
    },
}

impl MoveError {
    pub(crate) fn not_whole(problem: impl std::fmt::Display) -> Self {
        Self::NotWhole {
            problem: problem.to_string(),
        }
    }
}
