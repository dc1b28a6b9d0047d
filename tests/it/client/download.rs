//! Downloads that are cut.

use atg_client::ClientError;
use atg_models::{ErrorCode, JobId};
use atg_tests::{Treatment, World};

use super::behind;

async fn generated() -> (World, JobId, Vec<u8>) {
    let world = World::small().await;
    world.scan().await;
    let job = world.generate().await;
    let whole = world.get(&format!("/api/v1/operations/{job}/download")).await;
    let whole = whole.bytes().await.unwrap().to_vec();
    (world, job, whole)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_download_goes_on_where_it_was_cut() {
    let (world, job, whole) = generated().await;
    let piece = whole.len() / 4;
    let rule = move |_: &str, before: usize| match before {
        0..3 => Treatment::CutAfter(piece),
        _ => Treatment::Pass,
    };
    let (proxy, client) = behind(&world, rule).await;
    let path = world.scratch().join("cut.zip");
    std::fs::write(&path, "an older file").unwrap();
    let mut told = Vec::new();
    let fetched = client
        .download(job, &path, |bytes, total| told.push((bytes, total)))
        .await;
    let fetched = fetched.unwrap();
    assert!(std::fs::read(&path).unwrap() == whole);
    assert_eq!(fetched.sha256, crate::operations::hex(&whole));
    assert!(!world.scratch().join("cut.zip.part").exists());
    let size = u64::try_from(whole.len()).unwrap();
    assert_eq!(told.last(), Some(&(size, Some(size))));
    assert!(told.is_sorted(), "nothing is fetched twice");
    let heads = proxy.heads();
    assert_eq!(heads.len(), 4, "{heads:?}");
    assert!(!heads[0].contains("range:"), "{}", heads[0]);
    for head in &heads[1..] {
        assert!(head.contains("\r\nrange: bytes="), "{head}");
        assert!(
            head.contains(&format!("\r\nif-range: \"{}\"", fetched.sha256)),
            "{head}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_run_left_is_used_when_it_is_of_this_file() {
    let (world, job, whole) = generated().await;
    let mut wrong = whole[..100].to_vec();
    wrong[50] ^= 1;
    let longer = [whole.as_slice(), b"more"].concat();
    for (left, requests) in [(&whole[..100], 1), (&wrong, 2), (&longer, 2), (&whole[..0], 1)] {
        let (proxy, client) = behind(&world, |_, _| Treatment::Pass).await;
        let path = world.scratch().join("left.zip");
        let part = world.scratch().join("left.zip.part");
        std::fs::write(&part, left).unwrap();
        let mut first = None;
        let fetched = client
            .download(job, &path, |bytes, _| first = first.or(Some(bytes)))
            .await;
        fetched.unwrap();
        assert!(std::fs::read(&path).unwrap() == whole);
        assert!(!part.exists());
        let ranged = proxy.heads()[0].contains(&format!("\r\nrange: bytes={}-", left.len()));
        assert_eq!(ranged, !left.is_empty());
        // The connection is kept between requests, so what was told tells them apart.
        assert!(
            first.unwrap()
                > if requests == 1 {
                    u64::try_from(left.len()).unwrap()
                } else {
                    0
                }
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_download_leaves_nothing() {
    let (world, job, _) = generated().await;
    world.remove_results();
    let path = world.scratch().join("gone.zip");
    let refused = world.client.download(job, &path, |_, _| {}).await.unwrap_err();
    let ClientError::Refused { status, body, .. } = refused else {
        panic!("{refused:?}");
    };
    assert_eq!((status, body.code), (410, ErrorCode::ArtifactExpired));
    assert!(!path.exists());
    assert!(!world.scratch().join("gone.zip.part").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_file_of_the_artifact() {
    let (world, job, _) = generated().await;
    let published = world.client.result(job).await.unwrap().files;
    for file in &published {
        let path = world.scratch().join("one");
        let fetched = world
            .client
            .download_file(job, &file.filename, &path, |_, _| {})
            .await
            .unwrap();
        assert_eq!((fetched.sha256, fetched.size_bytes), (file.sha256.clone(), file.size));
    }
    let path = world.scratch().join("none");
    for name in ["../secret", "", "a//b", "no-such-file"] {
        assert!(
            world.client.download_file(job, name, &path, |_, _| {}).await.is_err(),
            "{name}"
        );
        assert!(!path.exists());
    }
}
