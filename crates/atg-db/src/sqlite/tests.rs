//! The suites against SQLite, and what is SQLite's own.

use std::sync::Arc;

use tempfile::TempDir;

use crate::sqlite::{SqliteGraph, SqliteJobs, SqliteKeys, Stores, open};
use crate::{ObjectArtifacts, StoreError};

type Kept = (Stores, TempDir);

fn stores() -> Kept {
    let folder = tempfile::tempdir().unwrap();
    (open(&folder.path().join("data")).unwrap(), folder)
}

async fn graph() -> (Arc<SqliteGraph>, Kept) {
    let kept = stores();
    (Arc::clone(&kept.0.graph), kept)
}

async fn jobs() -> (Arc<SqliteJobs>, Kept) {
    let kept = stores();
    (Arc::clone(&kept.0.jobs), kept)
}

async fn artifacts() -> (Arc<ObjectArtifacts>, Kept) {
    let kept = stores();
    (Arc::clone(&kept.0.artifacts), kept)
}

async fn keys() -> (Arc<SqliteKeys>, Kept) {
    let kept = stores();
    (Arc::clone(&kept.0.keys), kept)
}

crate::graph_contract!(super::graph);
crate::job_contract!(super::jobs);
crate::artifact_contract!(super::artifacts);
crate::key_contract!(super::keys);

mod removing {
    use serde_json::json;

    use super::*;
    use crate::GraphStore as _;
    use crate::contract::world::*;

    fn rows(folder: &TempDir) -> Vec<(String, i64)> {
        let file = rusqlite::Connection::open(folder.path().join("data/graph.db")).unwrap();
        let mut tables = file
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
            .unwrap();
        let names: Vec<String> = tables
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let count = |name: &String| file.query_row(&format!("SELECT count(*) FROM {name}"), [], |row| row.get(0));
        names.iter().map(|name| (name.clone(), count(name).unwrap())).collect()
    }

    #[tokio::test]
    async fn no_row_is_left_of_a_tenant() {
        let (stores, folder) = stores();
        let empty = rows(&folder);
        let mut one = resource(&vnet("a"), json!({"x": 1}));
        one.edges = vec![edge(
            end(&vnet("a")),
            atg_models::graph::Relation::DependsOn,
            end(&vnet("b")),
        )];
        scan_world(&*stores.graph, 1, vec![one, resource(&vnet("b"), json!({}))]).await;
        scan_world(&*stores.graph, 2, vec![resource(&vnet("a"), json!({"x": 2}))]).await;
        stores.graph.cache_put(tenant(), "providers", vec![1]).await.unwrap();
        assert!(rows(&folder).iter().any(|(name, rows)| name == "word" && *rows > 5));
        stores.graph.delete_tenant(tenant()).await.unwrap();
        assert_eq!(rows(&folder), empty);
        assert!(empty.iter().all(|(_, rows)| *rows == 0), "{empty:?}");
        // What was forgotten in the file is forgotten in memory too.
        scan_world(&*stores.graph, 3, vec![resource(&vnet("a"), json!({}))]).await;
        let node = stores
            .graph
            .node(tenant(), &vnet("a").node_id())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(node.kind, atg_models::graph::NodeKind::Resource);
    }
}

mod opening {
    use std::fs;
    use std::path::Path;

    use atg_models::job::OnCrash;

    use super::*;
    use crate::contract::world::*;
    use crate::{GraphStore as _, Health, JobStore as _};

    #[tokio::test]
    async fn a_second_server_is_refused_by_name() {
        let (stores, folder) = stores();
        let again = open(&folder.path().join("data"));
        assert!(
            matches!(&again, Err(StoreError::Locked { folder }) if folder.ends_with("data")),
            "{again:?}"
        );
        drop(stores);
        assert!(open(&folder.path().join("data")).is_ok());
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn the_folder_is_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_stores, folder) = stores();
        let mode = fs::metadata(folder.path().join("data")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[tokio::test]
    async fn what_was_written_is_there_after_a_restart() {
        let (stores, folder) = stores();
        let digest = scan_world(&*stores.graph, 1, vec![resource(&vnet("a"), serde_json::json!({}))]).await;
        let job = atg_models::job::NewJob {
            id: scan_id(9),
            tenant: "t".to_owned(),
            tenant_use: atg_models::job::TenantUse::None,
            on_crash: OnCrash::Interrupt,
            key_prefix: String::new(),
            params: serde_json::Value::Null,
            created_at: at(0),
        };
        stores.jobs.insert(job, None).await.unwrap();
        drop(stores);
        let stores = open(&folder.path().join("data")).unwrap();
        assert_eq!(stores.graph.digest(tenant()).await.unwrap(), digest);
        assert_eq!(
            stores.jobs.get(scan_id(9)).await.unwrap().unwrap().on_crash,
            OnCrash::Interrupt
        );
        assert_eq!(stores.graph.health().await, Health::Connected);
    }

    #[tokio::test]
    async fn a_newer_file_is_refused_by_name() {
        let (stores, folder) = stores();
        drop(stores);
        let path = folder.path().join("data/graph.db");
        rusqlite::Connection::open(&path)
            .unwrap()
            .pragma_update(None, "user_version", 99)
            .unwrap();
        let newer = open(&folder.path().join("data"));
        let refused = matches!(&newer, Err(StoreError::TooNew { file, found: 99, .. }) if file == "graph.db");
        assert!(refused, "{newer:?}");
    }

    #[tokio::test]
    async fn a_damaged_file_is_found_after_an_unclean_stop() {
        let (stores, folder) = stores();
        let world = (0..200).map(|n| resource(&vnet(&format!("n{n}")), serde_json::json!({"n": n})));
        scan_world(&*stores.graph, 1, world.collect()).await;
        drop(stores);
        let data = folder.path().join("data");
        damage(&data.join("graph.db"));
        fs::write(data.join("graph.db.open"), "").unwrap();
        let damaged = open(&data);
        let named = matches!(&damaged, Err(StoreError::Corrupt { problem, .. }) if problem.starts_with("graph.db: "));
        assert!(named, "{damaged:?}");
        fs::remove_file(data.join("graph.db.open")).unwrap();
        assert!(open(&data).is_ok(), "the damage lies where only the check finds it");
    }

    #[test]
    fn a_log_that_was_left_means_an_unclean_stop() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("x.db");
        for (log, was_unclean) in [("", false), ("frames", true)] {
            fs::write(folder.path().join("x.db-wal"), log).unwrap();
            let mark = crate::sqlite::folder::OpenMarker::set(&database).unwrap();
            assert_eq!(mark.was_unclean, was_unclean);
            mark.clear();
        }
    }

    #[tokio::test]
    async fn a_clean_stop_leaves_no_mark() {
        let (stores, folder) = stores();
        let mark = folder.path().join("data/graph.db.open");
        assert!(mark.exists());
        drop(stores);
        assert!(!mark.exists());
    }

    #[tokio::test]
    async fn a_staged_upload_of_a_crash_is_swept() {
        let (stores, folder) = stores();
        let left = folder.path().join("data/artifacts/artifacts/x.zip#1");
        fs::create_dir_all(left.parent().unwrap()).unwrap();
        fs::write(&left, "half").unwrap();
        let far = time::OffsetDateTime::UNIX_EPOCH + time::Duration::days(100_000);
        let removed = crate::ArtifactStore::sweep(&*stores.artifacts, far).await.unwrap();
        assert_eq!((removed, left.exists()), (1, false));
    }

    /// Overwrites pages near the end of the file, which opening alone does not read.
    fn damage(path: &Path) {
        let mut bytes = fs::read(path).unwrap();
        let from = bytes.len() * 3 / 4 / 4096 * 4096;
        let to = bytes.len() - 4096;
        bytes[from..to].fill(0xA5);
        fs::write(path, bytes).unwrap();
    }
}
