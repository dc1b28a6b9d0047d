//! What every artifact store does.

use atg_models::Fence;
use atg_models::job::ArtifactName;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use time::OffsetDateTime;

use crate::contract::world::{artifact, scan_id};
use crate::{ArtifactStore, ByteStream, StoreError};

/// Runs the suite against the artifact stores that a factory makes.
#[macro_export]
macro_rules! artifact_contract {
    ($factory:path) => {
        $crate::contract_cases! { $factory, $crate::contract;
            artifacts::{
                an_artifact_reads_back, a_range_of_it, a_second_put_replaces, too_much_leaves_nothing,
                a_broken_stream_leaves_nothing, an_attempt_that_is_late_replaces_nothing, removing_is_idempotent,
                a_sweep_removes_what_is_old
            }
        }
    };
}

const CAP_BYTES: u64 = 64 * 1024 * 1024;

fn parts(parts: &[&'static str]) -> ByteStream {
    let parts: Vec<_> = parts
        .iter()
        .map(|part| Ok(Bytes::from_static(part.as_bytes())))
        .collect();
    stream::iter(parts).boxed()
}

async fn read<S: ArtifactStore>(store: &S, range: Option<std::ops::Range<u64>>) -> String {
    let bytes = store.open(artifact(1), range).await.unwrap();
    let parts: Vec<Bytes> = bytes.map(|part| part.unwrap()).collect().await;
    String::from_utf8(parts.concat()).unwrap()
}

pub async fn an_artifact_reads_back<S: ArtifactStore>(store: &S) {
    assert_eq!(store.size(artifact(1)).await.unwrap(), None);
    let missing = store.open(artifact(1), None).await.err();
    assert!(
        matches!(missing, Some(StoreError::NotFound { what: "artifact" })),
        "{missing:?}"
    );
    let put = store.put(artifact(1), parts(&["a", "bc"]), CAP_BYTES).await.unwrap();
    let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(put, (sha256.to_owned(), 3));
    assert_eq!(store.size(artifact(1)).await.unwrap(), Some(3));
    assert_eq!(read(store, None).await, "abc");
}

pub async fn a_range_of_it<S: ArtifactStore>(store: &S) {
    store.put(artifact(1), parts(&["0123456789"]), CAP_BYTES).await.unwrap();
    assert_eq!(read(store, Some(2..5)).await, "234");
    assert_eq!(read(store, Some(9..10)).await, "9");
    assert_eq!(read(store, Some(3..3)).await, "");
}

pub async fn a_second_put_replaces<S: ArtifactStore>(store: &S) {
    store.put(artifact(1), parts(&["first"]), CAP_BYTES).await.unwrap();
    store.put(artifact(1), parts(&["2nd"]), CAP_BYTES).await.unwrap();
    assert_eq!(read(store, None).await, "2nd");
}

pub async fn too_much_leaves_nothing<S: ArtifactStore>(store: &S) {
    let large = store.put(artifact(1), parts(&["123", "456"]), 5).await;
    assert!(matches!(large, Err(StoreError::TooLarge { limit: 5, .. })), "{large:?}");
    assert_eq!(store.size(artifact(1)).await.unwrap(), None);
    store.put(artifact(1), parts(&["12345"]), 5).await.unwrap();
}

pub async fn a_broken_stream_leaves_nothing<S: ArtifactStore>(store: &S) {
    let broken = stream::iter([
        Ok(Bytes::from_static(b"half")),
        Err(StoreError::NotFound { what: "rest" }),
    ]);
    let outcome = store.put(artifact(1), broken.boxed(), CAP_BYTES).await;
    assert!(
        matches!(outcome, Err(StoreError::NotFound { what: "rest" })),
        "{outcome:?}"
    );
    assert_eq!(store.size(artifact(1)).await.unwrap(), None);
}

/// The name of an artifact of which no attempt was recorded is its job's alone.
pub async fn an_attempt_that_is_late_replaces_nothing<S: ArtifactStore>(store: &S) {
    let published = |lease| ArtifactName {
        lease: Fence::new(lease),
        ..artifact(1)
    };
    let texts = [(2, "in time"), (1, "late"), (0, "before there were leases")];
    for (lease, text) in texts {
        store.put(published(lease), parts(&[text]), CAP_BYTES).await.unwrap();
    }
    store
        .put(artifact(2), parts(&["another job's"]), CAP_BYTES)
        .await
        .unwrap();
    for (lease, text) in texts {
        let size = u64::try_from(text.len()).unwrap();
        assert_eq!(store.size(published(lease)).await.unwrap(), Some(size), "{text}");
    }
    store.delete(scan_id(1)).await.unwrap();
    for (lease, text) in texts {
        assert_eq!(store.size(published(lease)).await.unwrap(), None, "{text}");
    }
    assert!(store.size(artifact(2)).await.unwrap().is_some());
}

pub async fn removing_is_idempotent<S: ArtifactStore>(store: &S) {
    store.put(artifact(1), parts(&["a"]), CAP_BYTES).await.unwrap();
    store.delete(scan_id(1)).await.unwrap();
    store.delete(scan_id(1)).await.unwrap();
    assert_eq!(store.size(artifact(1)).await.unwrap(), None);
}

pub async fn a_sweep_removes_what_is_old<S: ArtifactStore>(store: &S) {
    store.put(artifact(1), parts(&["a"]), CAP_BYTES).await.unwrap();
    assert_eq!(store.sweep(OffsetDateTime::UNIX_EPOCH).await.unwrap(), 0);
    assert_eq!(store.size(artifact(1)).await.unwrap(), Some(1));
    let far = OffsetDateTime::UNIX_EPOCH + time::Duration::days(100_000);
    assert_eq!(store.sweep(far).await.unwrap(), 1);
    assert_eq!(store.size(artifact(1)).await.unwrap(), None);
}
