//! The server goes in the middle of a download: its client goes on with the rest at another.

use std::io::{Cursor, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use atg_db::neo4j::Stores;
use atg_db::{ArtifactPlace, ArtifactStore as _, Inserted, JobLimits, Transition};
use atg_models::job::{ArtifactFile, ArtifactInfo, ArtifactName, Event, NewJob, OnCrash, TenantUse, WorkerId};
use atg_models::{Clock as _, IdGen as _, JobId, JobKind};
use atg_server::{SystemClock, SystemIds};
use atg_tests::{DEADLINE, KEY, run_cli, until};
use bytes::Bytes;
use futures_util::StreamExt as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use reqwest::header::{CONTENT_RANGE, ETAG, IF_RANGE, RANGE};
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

use super::artifacts::sha256;
use super::fleet::{Azure, Fleet};
use super::{http, neo4j};

/// Far more than lies in the buffers of all connections on the way: the server is still at it when it goes.
const FILE_BYTES: usize = 48 * 1024 * 1024;
/// What a client has of it by then, at the least.
const FIRST_BYTES: u64 = 3 * 1024 * 1024;
/// Who goes, and who is there.
const GOES: usize = 0;
const STAYS: usize = 1;

/// A zip that cannot be made smaller.
fn zip() -> Vec<u8> {
    let mut random = vec![0; FILE_BYTES];
    ChaCha8Rng::seed_from_u64(7).fill_bytes(&mut random);
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    zip.start_file("main.tf", stored).unwrap();
    zip.write_all(&random).unwrap();
    zip.finish().unwrap().into_inner()
}

/// Two servers, and a finished job with this zip.
async fn published(zip: &[u8]) -> Option<(Arc<Fleet>, JobId)> {
    let neo4j = neo4j().await?;
    let fleet = Fleet::start(neo4j, Azure::start(1, 10, 0), 2);
    let stores = Stores::new(&atg_tests::neo4j_config(&fleet.neo4j.access()), JobLimits::default()).unwrap();
    Box::pin(stores.prepare()).await.unwrap();
    let now = SystemClock.now();
    let job = NewJob {
        id: SystemIds.job_id(JobKind::GenerateIac, now),
        tenant: fleet.azure.tenants[0].to_string(),
        tenant_use: TenantUse::Shared,
        on_crash: OnCrash::Rerun,
        key_prefix: KEY.trim_start_matches("atg_dev_").chars().take(8).collect(),
        // No server can run it: it is this test's.
        created_at: now + time::Duration::HOUR,
        params: serde_json::Value::Null,
    };
    let id = job.id;
    assert!(matches!(stores.jobs.insert(job, None).await, Ok(Inserted::New(_))));
    let due = now + time::Duration::HOUR;
    let claimed = stores.jobs.claim(&WorkerId("test".to_owned()), due).await.unwrap();
    let fence = claimed.unwrap().job.machine.fence;
    let place = ArtifactPlace::Folder(fleet.results()).open().unwrap();
    let bytes = Bytes::copy_from_slice(zip);
    let stream = futures_util::stream::iter([Ok(bytes)]).boxed();
    let (sha256, size_bytes) = place
        .put(ArtifactName { job: id, lease: fence }, stream, u64::MAX)
        .await
        .unwrap();
    let file = ArtifactFile {
        path: "main.tf".to_owned(),
        size_bytes: u64::try_from(FILE_BYTES).unwrap(),
        sha256: sha256.clone(),
        content_type: "text/plain".to_owned(),
    };
    let with = Transition {
        artifact: Some(ArtifactInfo {
            lease: fence,
            size_bytes,
            sha256,
            files: vec![file],
        }),
        ..Transition::default()
    };
    stores
        .jobs
        .transition(id, Event::Succeeded { fence }, with, now)
        .await
        .unwrap();
    Some((Arc::new(fleet), id))
}

/// The next client comes to a server that goes as soon as that has sent so much of its answer.
async fn goes_in_the_middle(fleet: &Fleet) {
    fleet.balancer.next_is(GOES);
    fleet.balancer.hold_after(GOES, FIRST_BYTES);
    until("a download is on its way", async || {
        (fleet.balancer.held(GOES) > 0).then_some(())
    })
    .await;
    fleet.kill(GOES);
    fleet.balancer.pass(GOES);
}

/// What the other server has sent meanwhile is the rest and no more, but for heads of answers.
fn only_the_rest(fleet: &Fleet, before: u64, size: usize) {
    let sent = fleet.balancer.answered(STAYS) - before;
    let size = u64::try_from(size).unwrap();
    assert!(sent < size - FIRST_BYTES / 2, "{sent} of {size}");
    println!("{sent} of {size} bytes came from the other server");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_asks_for_the_rest_gets_it_from_another_server() {
    let zip = zip();
    let Some((fleet, job)) = published(&zip).await else {
        return;
    };
    let url = format!("{}/api/v1/operations/{job}/download", fleet.url());
    let before = fleet.balancer.answered(STAYS);
    let ask = || http().get(&url).bearer_auth(KEY).timeout(DEADLINE);
    let first = async {
        let answer = ask().send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let tag = answer.headers()[ETAG].clone();
        let mut held = Vec::new();
        let mut pieces = answer.bytes_stream();
        while let Some(Ok(piece)) = pieces.next().await {
            held.extend_from_slice(&piece);
        }
        (tag, held)
    };
    let ((tag, mut held), ()) = tokio::join!(first, goes_in_the_middle(&fleet));
    assert!(held.len() < zip.len(), "it was not cut");
    let range = format!("bytes={}-", held.len());
    let rest = ask()
        .header(RANGE, range)
        .header(IF_RANGE, tag.clone())
        .send()
        .await
        .unwrap();
    assert_eq!(rest.status(), 206, "{rest:?}");
    assert_eq!(rest.headers()[ETAG], tag);
    let range = format!("bytes {}-{}/{}", held.len(), zip.len() - 1, zip.len());
    assert_eq!(rest.headers()[CONTENT_RANGE], range);
    held.extend_from_slice(&rest.bytes().await.unwrap());
    assert_eq!(sha256(&held), sha256(&zip));
    assert_eq!(tag, format!("\"{}\"", sha256(&zip)));
    only_the_rest(&fleet, before, zip.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_and_the_command_line_go_on_at_another_server() {
    let zip = zip();
    let Some((fleet, job)) = published(&zip).await else {
        return;
    };
    let right = |path: &Path| assert_eq!(sha256(&std::fs::read(path).unwrap()), sha256(&zip));

    let before = fleet.balancer.answered(STAYS);
    let path = fleet.scratch().join("client.zip");
    let last = AtomicU64::new(0);
    let client = fleet.client();
    let download = client.download(job, &path, |bytes, _| {
        let last = last.swap(bytes, Ordering::SeqCst);
        assert!(last < bytes, "it begins again");
    });
    let (downloaded, ()) = tokio::join!(download, goes_in_the_middle(&fleet));
    assert_eq!(downloaded.unwrap().sha256, sha256(&zip));
    right(&path);
    only_the_rest(&fleet, before, zip.len());

    fleet.join(GOES);
    let before = fleet.balancer.answered(STAYS);
    let (folder, url) = (fleet.scratch().to_owned(), fleet.url().to_owned());
    let id = job.to_string();
    let run = move || run_cli(&folder, &url, KEY, &["download", &id, "--output", "cli.zip"]);
    let running = tokio::task::spawn_blocking(run);
    goes_in_the_middle(&fleet).await;
    let run = running.await.unwrap();
    assert_eq!(run.code, 0, "{run:?}");
    right(&fleet.scratch().join("cli.zip"));
    only_the_rest(&fleet, before, zip.len());
}
