//! The suites against SQLite, and what is SQLite's own.

use std::sync::Arc;

use tempfile::TempDir;

use crate::sqlite::{SqliteGraph, Stores, open};

fn stores() -> (Stores, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (open(folder.path()).unwrap(), folder)
}

mod graph {
    use super::*;

    struct Kept {
        _stores: Stores,
        _folder: TempDir,
    }

    async fn fresh() -> (Arc<SqliteGraph>, Kept) {
        let (stores, folder) = stores();
        let graph = Arc::clone(&stores.graph);
        (
            graph,
            Kept {
                _stores: stores,
                _folder: folder,
            },
        )
    }

    crate::graph_contract!(fresh);
}
