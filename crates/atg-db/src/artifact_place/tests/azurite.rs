//! Artifacts in containers of Azurite, the published emulator of the blob service.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use super::problem;
use crate::contract::azurite::{ask, container};
use crate::contract::world::{artifact, scan_id};
use crate::graph_rules::hex;
use crate::limits::UPLOAD_PART_BYTES;
use crate::{ArtifactPlace, ArtifactStore, AzureContainer, ByteStream, ObjectArtifacts, PlaceProblem, StoreError};

crate::artifact_contract!(super::azurite);

const CAP_BYTES: u64 = 64 * 1024 * 1024;
/// Three parts, the last one shorter.
const LARGE_BYTES: usize = 2 * UPLOAD_PART_BYTES + 12_345;

fn open(container: AzureContainer) -> Arc<ObjectArtifacts> {
    Arc::new(ArtifactPlace::AzureContainer(Box::new(container)).open().unwrap())
}

async fn azurite() -> Option<(Arc<ObjectArtifacts>, ())> {
    let container = container()?;
    ask("PUT", &container).await;
    Some((open(container), ()))
}

/// Bytes of which no two parts are alike, in pieces that do not fit the parts.
fn large(seed: u8) -> (Vec<u8>, ByteStream) {
    let bytes: Vec<u8> = (0..LARGE_BYTES)
        .map(|at| u8::try_from(at * 31 % 251).unwrap() ^ seed)
        .collect();
    let pieces: Vec<_> = bytes
        .chunks(77_777)
        .map(|piece| Ok(Bytes::copy_from_slice(piece)))
        .collect();
    (bytes, stream::iter(pieces).boxed())
}

fn small(text: &'static str) -> ByteStream {
    stream::iter([Ok(Bytes::from_static(text.as_bytes()))]).boxed()
}

async fn read(artifacts: &ObjectArtifacts, range: Option<std::ops::Range<u64>>) -> Vec<u8> {
    let parts = artifacts.open(artifact(1), range).await.unwrap();
    let parts: Vec<Bytes> = parts.map(|part| part.unwrap()).collect().await;
    parts.concat()
}

#[tokio::test]
async fn a_large_one_is_whole_and_so_is_each_range_of_it() {
    let Some((artifacts, ())) = azurite().await else { return };
    artifacts.check().await.unwrap();
    let (bytes, stream) = large(0);
    let put = artifacts.put(artifact(1), stream, CAP_BYTES).await.unwrap();
    let size = u64::try_from(LARGE_BYTES).unwrap();
    assert_eq!(put, (hex(&Sha256::digest(&bytes)), size));
    assert_eq!(artifacts.size(artifact(1)).await.unwrap(), Some(size));
    assert!(read(&artifacts, None).await == bytes);
    for (from, to) in [
        (UPLOAD_PART_BYTES - 3, UPLOAD_PART_BYTES + 4),
        (0, 1),
        (LARGE_BYTES - 1, LARGE_BYTES),
        (100, 2 * UPLOAD_PART_BYTES + 100),
    ] {
        let range = u64::try_from(from).unwrap()..u64::try_from(to).unwrap();
        assert!(read(&artifacts, Some(range)).await == bytes[from..to], "{from}..{to}");
    }
}

/// Until the last byte has come, readers see what was there before.
#[tokio::test]
async fn it_is_there_when_it_is_whole() {
    let Some((artifacts, ())) = azurite().await else { return };
    for before in [None, Some("before")] {
        if let Some(text) = before {
            artifacts.put(artifact(1), small(text), CAP_BYTES).await.unwrap();
        }
        let (sender, mut receiver) = mpsc::channel(1);
        let pieces = stream::poll_fn(move |context| receiver.poll_recv(context)).boxed();
        let put = {
            let artifacts = Arc::clone(&artifacts);
            tokio::spawn(async move { artifacts.put(artifact(1), pieces, CAP_BYTES).await })
        };
        // More than may be in flight: some parts have arrived.
        for _ in 0..4 {
            let part = Bytes::from(vec![7; UPLOAD_PART_BYTES]);
            sender.send(Ok(part)).await.unwrap();
        }
        match before {
            None => assert_eq!(artifacts.size(artifact(1)).await.unwrap(), None),
            Some(text) => assert_eq!(read(&artifacts, None).await, text.as_bytes()),
        }
        drop(sender);
        put.await.unwrap().unwrap();
        let whole = u64::try_from(4 * UPLOAD_PART_BYTES).unwrap();
        assert_eq!(artifacts.size(artifact(1)).await.unwrap(), Some(whole));
        artifacts.delete(scan_id(1)).await.unwrap();
    }
}

/// An attempt that stalled and its successor, on two servers.
#[tokio::test]
async fn of_two_at_once_one_is_there_whole() {
    let Some((artifacts, ())) = azurite().await else { return };
    for _ in 0..5 {
        let (first, stream_of_first) = large(0);
        let (second, stream_of_second) = large(0x55);
        let (one, other) = tokio::join!(
            artifacts.put(artifact(1), stream_of_first, CAP_BYTES),
            artifacts.put(artifact(1), stream_of_second, CAP_BYTES),
        );
        for failed in [&one, &other].into_iter().filter_map(|put| put.as_ref().err()) {
            assert!(failed.is_retryable(), "{failed:?}");
        }
        assert!(one.is_ok() || other.is_ok(), "{one:?} {other:?}");
        let found = read(&artifacts, None).await;
        assert!(found == first || found == second, "a mixture of both");
    }
}

#[tokio::test]
async fn a_sweep_finds_all() {
    let Some((artifacts, ())) = azurite().await else { return };
    for number in 0..40 {
        artifacts.put(artifact(number), small("a"), CAP_BYTES).await.unwrap();
    }
    let far = time::OffsetDateTime::UNIX_EPOCH + time::Duration::days(100_000);
    assert_eq!(artifacts.sweep(far).await.unwrap(), 40);
    assert_eq!(artifacts.size(artifact(0)).await.unwrap(), None);
}

/// What is asked of a place that is not as configured, each time with what is wrong with it.
async fn every_call_says(artifacts: &ObjectArtifacts, expected: fn(&PlaceProblem) -> bool) {
    let far = time::OffsetDateTime::UNIX_EPOCH + time::Duration::days(100_000);
    let errors: [(&str, StoreError); 6] = [
        ("check", artifacts.check().await.unwrap_err()),
        (
            "put",
            artifacts.put(artifact(1), small("a"), CAP_BYTES).await.unwrap_err(),
        ),
        (
            "parts",
            artifacts.put(artifact(1), large(0).1, CAP_BYTES).await.unwrap_err(),
        ),
        ("size", artifacts.size(artifact(1)).await.unwrap_err()),
        ("open", artifacts.open(artifact(1), None).await.err().unwrap()),
        ("sweep", artifacts.sweep(far).await.unwrap_err()),
    ];
    for (call, error) in &errors {
        assert!(expected(problem(error)), "{call}: {error:?}");
    }
}

#[tokio::test]
async fn a_container_that_is_absent_is_named_as_such() {
    let Some(container) = container() else { return };
    let artifacts = open(container.clone());
    every_call_says(&artifacts, |problem| matches!(problem, PlaceProblem::NoContainer(_))).await;
    // What is to go has gone with it.
    artifacts.delete(scan_id(1)).await.unwrap();
    // Once somebody makes it, it is used; a container that has gone is no artifact that has.
    ask("PUT", &container).await;
    artifacts.check().await.unwrap();
    artifacts.put(artifact(1), small("a"), CAP_BYTES).await.unwrap();
    ask("DELETE", &container).await;
    let gone = artifacts.size(artifact(1)).await.unwrap_err();
    assert!(matches!(problem(&gone), PlaceProblem::NoContainer(_)), "{gone:?}");
}

#[tokio::test]
async fn a_wrong_key_is_named_as_such() {
    let Some(container) = container() else { return };
    ask("PUT", &container).await;
    let wrong = AzureContainer {
        key: Some(SecretString::from("d3Jvbmc=".to_owned())),
        ..container
    };
    let artifacts = open(wrong);
    every_call_says(&artifacts, |problem| matches!(problem, PlaceProblem::Refused(_))).await;
    let kept = artifacts.delete(scan_id(1)).await.unwrap_err();
    assert!(matches!(problem(&kept), PlaceProblem::Refused(_)), "{kept:?}");
    let told = artifacts.check().await.unwrap_err();
    assert!(problem(&told).to_string().contains("refuses the key or identity"));
}
