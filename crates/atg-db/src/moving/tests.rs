//! The file: what is cut, changed, put in another order or newer is refused, and no half of it passes for a whole.

use std::path::Path;

use atg_models::job::ArtifactName;
use proptest::prelude::*;
use serde_json::json;

use super::{Begun, FORMAT, Manifest, MoveError, MoveSource, MoveTarget, Part, Record, check};
use crate::contract::jobs::{insert, new, running};
use crate::contract::moving::{exported, exported_with, imported, imported_with, parts, without_end};
use crate::contract::world::*;
use crate::sqlite::{SqliteKeys, SqliteSource, SqliteTarget, Stores, open};
use crate::{ArtifactStore, JobStore as _, ObjectArtifacts, StoreError, Transition};

const ZIP: &[u8] = b"not really a zip";

/// A folder with a tenant, a job that is done and one that waits; and its artifact.
async fn folder(path: &Path) -> Stores {
    let stores = open(path).unwrap();
    let mut said = resource(&vnet("a"), json!({"deep": [1, {"x": "ä"}]}));
    said.aliases = vec![alias(&"long".repeat(1000))];
    said.lookups = vec![lookup(&"long".repeat(1000), end(&vnet("b")))];
    scan_world(&*stores.graph, 1, vec![tenant_node(), said]).await;
    let job = running(&*stores.jobs, 1).await;
    let bytes = futures_util::stream::iter([Ok(bytes::Bytes::from_static(ZIP))]);
    let lease = job.machine.fence;
    let name = ArtifactName { job: job.id, lease };
    let (sha256, size_bytes) = stores.artifacts.put(name, Box::pin(bytes), 1000).await.unwrap();
    let files = Vec::new();
    let artifact = Some(atg_models::job::ArtifactInfo {
        lease,
        size_bytes,
        sha256,
        files,
    });
    let with = Transition {
        artifact,
        ..Transition::default()
    };
    let fence = job.machine.fence;
    let done = atg_models::job::Event::Succeeded { fence };
    stores.jobs.transition(job.id, done, with, at(2)).await.unwrap();
    insert(&*stores.jobs, new(2)).await;
    stores
}

async fn file() -> (tempfile::TempDir, Stores, Vec<u8>, Manifest) {
    let folder_ = tempfile::tempdir().unwrap();
    let stores = folder(folder_.path()).await;
    let source = SqliteSource::new(folder_.path()).unwrap();
    let (file, manifest) = exported_with(&source, &*stores.artifacts).await;
    (folder_, stores, file, manifest)
}

fn lines(file: &[u8]) -> Vec<String> {
    let text = String::from_utf8(zstd::decode_all(file).unwrap()).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn packed(lines: &[String]) -> Vec<u8> {
    let text = lines.join("\n") + "\n";
    zstd::encode_all(text.as_bytes(), 0).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_checked_whole_and_taken_in() {
    let (from, _stores, file, manifest) = file().await;
    assert_eq!(check(file.as_slice()).unwrap().manifest, manifest);
    assert_eq!(manifest.artifacts.len(), 1);
    assert_eq!((manifest.count("jobs"), manifest.count("tenants")), (2, 1));
    let to = tempfile::tempdir().unwrap();
    let artifacts = ObjectArtifacts::in_folder(&to.path().join("artifacts")).unwrap();
    let target = SqliteTarget::new(to.path()).unwrap();
    let taken = imported_with(&target, &artifacts, &file).await.unwrap();
    assert_eq!((taken.begun, &taken.manifest), (Begun::New, &manifest));
    let name = manifest.artifacts[0].name();
    assert_eq!(
        artifacts.size(name).await.unwrap(),
        Some(u64::try_from(ZIP.len()).unwrap())
    );
    drop(target);
    let source = SqliteSource::new(to.path()).unwrap();
    assert_eq!(
        parts(&source).await,
        parts(&SqliteSource::new(from.path()).unwrap()).await
    );
    open(to.path()).unwrap();
}

/// Wherever a byte is changed or the file is cut.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mutilated_file_is_refused() {
    let (_from, _stores, file, _) = file().await;
    let plain = zstd::decode_all(file.as_slice()).unwrap();
    let mut without_meaning = 0;
    for at in 0..file.len() {
        let cut = check(&file[..at]);
        assert!(matches!(cut, Err(MoveError::NotWhole { .. })), "cut at {at}");
        let mut changed = file.clone();
        changed[at] ^= 0x21;
        // The compression has bits that say nothing about what is in it.
        let is_same = zstd::decode_all(changed.as_slice()).is_ok_and(|text| text == plain);
        assert!(is_same || check(changed.as_slice()).is_err(), "changed at {at}");
        without_meaning += usize::from(is_same);
    }
    assert!(
        without_meaning < file.len() / 100,
        "{without_meaning} bytes may be changed"
    );
    let longer = [file.as_slice(), b"x"].concat();
    assert!(check(longer.as_slice()).is_err());
    let twice = [file.as_slice(), file.as_slice()].concat();
    assert!(check(twice.as_slice()).is_err());
    assert!(check(&b"no export"[..]).is_err());
}

/// The check sums of the compression left out: what the lines themselves say.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_that_are_changed_or_moved_are_refused() {
    let (_from, _stores, file, _) = file().await;
    let lines = lines(&file);
    assert_eq!(check(packed(&lines).as_slice()).unwrap().manifest.header.format, FORMAT);
    for at in 0..lines.len() {
        let mut without = lines.clone();
        without.remove(at);
        assert!(check(packed(&without).as_slice()).is_err(), "without {}", lines[at]);
        let mut twice = lines.clone();
        twice.insert(at, lines[at].clone());
        assert!(check(packed(&twice).as_slice()).is_err(), "twice {}", lines[at]);
        // One figure in it: of a record, of an artifact's bytes, of what is said about them.
        if let Some((before, after)) = lines[at].rsplit_once(|letter: char| letter.is_ascii_digit()) {
            for other in ["3", "7"].map(|figure| format!("{before}{figure}{after}")) {
                let mut changed = lines.clone();
                changed[at].clone_from(&other);
                let same = other == lines[at];
                assert_eq!(
                    check(packed(&changed).as_slice()).is_ok(),
                    same,
                    "{other} for {}",
                    lines[at]
                );
            }
        }
        if at > 0 {
            let mut swapped = lines.clone();
            swapped.swap(at - 1, at);
            assert!(
                check(packed(&swapped).as_slice()).is_err(),
                "too late {}",
                lines[at - 1]
            );
        }
    }
    // Whole parts in another order.
    let begins: Vec<_> = (0..lines.len())
        .filter(|at| lines[*at].starts_with("{\"begin\""))
        .collect();
    let mut moved = lines[..begins[0]].to_vec();
    moved.extend_from_slice(&lines[begins[1]..begins[2]]);
    moved.extend_from_slice(&lines[begins[0]..begins[1]]);
    moved.extend_from_slice(&lines[begins[2]..]);
    let refused = check(packed(&moved).as_slice());
    assert!(matches!(&refused, Err(MoveError::NotWhole { problem }) if problem.contains("in this order")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_format_is_refused_by_its_number() {
    let (_from, _stores, file, _) = file().await;
    let mut lines = lines(&file);
    lines[0] = lines[0].replacen("\"format\":1", "\"format\":2", 1);
    lines[1] = "{\"something\":\"new\"}".to_owned();
    let refused = check(packed(&lines).as_slice());
    assert!(matches!(
        refused,
        Err(MoveError::TooNew {
            found: 2,
            known: FORMAT
        })
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_that_is_used_is_not_imported_into() {
    let (from, _stores, file, _) = file().await;
    let held = SqliteTarget::new(from.path());
    assert!(matches!(held, Err(StoreError::Locked { .. })));
    let to = tempfile::tempdir().unwrap();
    drop(folder(to.path()).await);
    let target = SqliteTarget::new(to.path()).unwrap();
    let refused = imported(&target, &file).await;
    let Err(MoveError::NotEmpty { holds, .. }) = refused else {
        panic!("it was taken in")
    };
    assert_eq!(holds, "2 jobs, 1 tenants");
    drop(target);
    open(to.path()).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_an_import_opens_nowhere_and_is_begun_anew() {
    let (from, _stores, file, _) = file().await;
    let to = tempfile::tempdir().unwrap();
    let target = SqliteTarget::new(to.path()).unwrap();
    assert!(imported(&target, &without_end(&file)).await.is_err());
    drop(target);
    let refused = open(to.path()).err();
    assert!(matches!(refused, Some(StoreError::HalfImported { .. })), "{refused:?}");
    assert!(SqliteKeys::open(to.path()).is_err());
    assert!(SqliteSource::new(to.path()).is_err());
    let backup = crate::sqlite::backup(to.path(), &from.path().join("backup"), at(0));
    assert!(backup.is_err());

    let target = SqliteTarget::new(to.path()).unwrap();
    assert_eq!(imported(&target, &file).await.unwrap().begun, Begun::Again);
    drop(target);
    let source = SqliteSource::new(to.path()).unwrap();
    assert_eq!(
        parts(&source).await,
        parts(&SqliteSource::new(from.path()).unwrap()).await
    );
    open(to.path()).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_artifact_is_left_out_and_said_to_be() {
    let (from, stores, _, whole) = file().await;
    let job = whole.artifacts[0].job;
    std::fs::write(
        from.path().join(format!("artifacts/artifacts/{job}/1.zip")),
        b"damaged, same si",
    )
    .unwrap();
    let source = SqliteSource::new(from.path()).unwrap();
    let (file, manifest) = exported_with(&source, &*stores.artifacts).await;
    assert!(manifest.artifacts.is_empty());
    assert_eq!(manifest.artifacts_left_out, whole.artifacts);
    check(file.as_slice()).unwrap();
    let source = SqliteSource::new(from.path()).unwrap();
    assert_eq!(exported(&source).await.unwrap().1.artifacts_left_out, whole.artifacts);
}

proptest! {
    #[test]
    fn bytes_go_there_and_back(bytes: Vec<u8>) {
        let text = String::from(super::Hex(bytes.clone()));
        prop_assert_eq!(&text, &crate::graph_rules::hex(&bytes));
        prop_assert_eq!(super::Hex::read(&text).unwrap().0, bytes);
    }
}

/// A store that loses the first event that it is given.
struct Forgetful(SqliteTarget);

#[async_trait::async_trait]
impl MoveTarget for Forgetful {
    async fn look(&self) -> Result<(), MoveError> {
        self.0.look().await
    }

    async fn begin(&self) -> Result<Begun, MoveError> {
        self.0.begin().await
    }

    async fn write(&self, part: Part, mut records: Vec<Record>) -> Result<(), StoreError> {
        if let Some(at) = records.iter().position(|record| matches!(record, Record::Event(_))) {
            records.remove(at);
        }
        self.0.write(part, records).await
    }

    async fn written(&self) -> Result<Box<dyn MoveSource>, StoreError> {
        self.0.written().await
    }

    async fn end(&self) -> Result<(), StoreError> {
        self.0.end().await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_does_not_hold_the_same_stays_closed() {
    let (_from, _stores, file, _) = file().await;
    let to = tempfile::tempdir().unwrap();
    let artifacts = ObjectArtifacts::in_folder(&to.path().join("artifacts")).unwrap();
    let target = Forgetful(SqliteTarget::new(to.path()).unwrap());
    let refused = imported_with(&target, &artifacts, &file).await;
    assert!(
        matches!(&refused, Err(MoveError::Differs { differs }) if differs.len() == 1 && differs[0].starts_with("jobs: ")),
        "{:?}",
        refused.err()
    );
    drop(target);
    assert!(matches!(open(to.path()), Err(StoreError::HalfImported { .. })));
}
