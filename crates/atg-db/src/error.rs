//! What can go wrong in a store, by what the caller can do about it.

/// A store's error. Each variant says what the store was doing; the cause is its source.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store cannot be reached or its disk is full: try again later.
    #[error("the database is not available while {doing}")]
    Unavailable {
        /// What the store was doing.
        doing: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A write carried the fence of an attempt that another one has overtaken: stop working.
    #[error("another attempt holds the {what}")]
    Fenced {
        /// `scan` or `job`.
        what: &'static str,
    },
    /// The state machine refused the event.
    #[error("the job refused the event")]
    Refused(#[from] atg_models::job::Refused),
    /// There is no such thing.
    #[error("no such {what}")]
    NotFound {
        /// What was looked for.
        what: &'static str,
    },
    /// A bound of [`atg_models::limits`] was passed.
    #[error("{what} is over its limit of {limit}")]
    TooLarge {
        /// What.
        what: &'static str,
        /// The limit, in its own unit.
        limit: u64,
    },
    /// The file holds something that this version cannot read.
    #[error("the database holds something unreadable while {doing}: {problem}")]
    Corrupt {
        /// What the store was doing.
        doing: &'static str,
        /// What is wrong, for the log.
        problem: String,
    },
    /// The file was written by a newer version.
    #[error("{file} has schema {found}, this version knows {known}: use a newer atg")]
    TooNew {
        /// Which file.
        file: String,
        /// Its schema.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// An import into the store did not end: what it holds is of no use to a server.
    #[error("an import into {place} did not end: run it again, or empty the store")]
    HalfImported {
        /// Which store.
        place: String,
    },
    /// Another server holds the data folder.
    #[error("the data folder {folder} is in use by another server")]
    Locked {
        /// Which folder.
        folder: String,
    },
}

impl StoreError {
    /// Whether trying again later may help.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Unavailable { .. } => true,
            Self::Fenced { .. }
            | Self::Refused(_)
            | Self::NotFound { .. }
            | Self::TooLarge { .. }
            | Self::Corrupt { .. }
            | Self::TooNew { .. }
            | Self::HalfImported { .. }
            | Self::Locked { .. } => false,
        }
    }
}
