//! `GET /api/v1/operations/{job_id}/download`.

use std::io::Read as _;

use atg_models::JobId;
use atg_tests::World;
use reqwest::{Method, Response};
use sha2::{Digest as _, Sha256};

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for byte in Sha256::digest(bytes) {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn the_zip_holds_the_published_files() {
    let world = World::small().await;
    world.scan().await;
    let job = world.generate().await;
    let response = world.get(&format!("/api/v1/operations/{job}/download")).await;
    assert_eq!(response.status(), 200);
    let headers = response.headers().clone();
    assert_eq!(headers["content-type"], "application/zip");
    assert_eq!(
        headers["content-disposition"],
        format!("attachment; filename=\"{job}.zip\"")
    );
    let bytes = response.bytes().await.unwrap();
    assert_eq!(headers["content-length"], bytes.len().to_string());
    assert_eq!(headers["etag"], format!("\"{}\"", hex(&bytes)));
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let published = world.client.result(job).await.unwrap().files;
    assert_eq!(zip.len(), published.len());
    for file in published {
        let mut content = Vec::new();
        zip.by_name(&file.filename).unwrap().read_to_end(&mut content).unwrap();
        assert_eq!(u64::try_from(content.len()).unwrap(), file.size, "{}", file.filename);
        assert_eq!(hex(&content), file.sha256, "{}", file.filename);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_has_nothing_to_fetch() {
    let world = World::small().await;
    let (job, _) = world.scan().await;
    assert_eq!(
        world.get(&format!("/api/v1/operations/{job}/download")).await.status(),
        404
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_gone_are_410() {
    let world = World::small().await;
    world.scan().await;
    let job = world.generate().await;
    world.remove_results();
    let response = world.get(&format!("/api/v1/operations/{job}/download")).await;
    assert_eq!(response.status(), 410);
    let body: serde_json::Value = response.json().await.unwrap();
    assert_eq!(body["error"]["code"], "ARTIFACT_EXPIRED");
}

async fn fetch(world: &World, job: JobId, headers: &[(&str, &str)]) -> Response {
    let mut request = world.request(Method::GET, &format!("/api/v1/operations/{job}/download"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_is_a_part_of_the_zip() {
    let world = World::small().await;
    world.scan().await;
    let job = world.generate().await;
    let whole = fetch(&world, job, &[]).await;
    assert_eq!(whole.headers()["accept-ranges"], "bytes");
    let etag = whole.headers()["etag"].to_str().unwrap().to_owned();
    let whole = whole.bytes().await.unwrap();
    let size = whole.len();
    for (range, part) in [
        ("bytes=0-0".to_owned(), 0..1),
        ("bytes=100-299".to_owned(), 100..300),
        (format!("bytes={}-", size - 7), size - 7..size),
        ("bytes=-9".to_owned(), size - 9..size),
        (format!("bytes=5-{}", size * 2), 5..size),
    ] {
        let found = fetch(&world, job, &[("Range", &range), ("If-Range", &etag)]).await;
        assert_eq!(found.status(), 206, "{range}");
        let stated = format!("bytes {}-{}/{size}", part.start, part.end - 1);
        assert_eq!(found.headers()["content-range"], stated);
        assert_eq!(found.headers()["content-length"], part.len().to_string());
        assert_eq!(found.headers()["etag"], etag);
        assert!(found.bytes().await.unwrap() == whole[part], "{range}");
    }
    for headers in [
        [("Range", "bytes=0-1,4-5"), ("Accept", "*/*")],
        [("Range", "bytes=0-1"), ("If-Range", "\"another\"")],
    ] {
        let found = fetch(&world, job, &headers).await;
        assert_eq!(found.status(), 200, "{headers:?}");
        assert!(found.bytes().await.unwrap() == whole, "{headers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_outside_says_how_much_there_is() {
    let world = World::small().await;
    world.scan().await;
    let job = world.generate().await;
    let size = fetch(&world, job, &[]).await.content_length().unwrap();
    let found = fetch(&world, job, &[("Range", &format!("bytes={size}-"))]).await;
    assert_eq!(found.status(), 416);
    assert_eq!(found.headers()["content-range"], format!("bytes */{size}"));
    let body: serde_json::Value = found.json().await.unwrap();
    assert_eq!(body["error"]["code"], "RANGE_NOT_SATISFIABLE");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_client_has_is_not_sent_again() {
    let world = World::small().await;
    world.scan().await;
    let job = world.generate().await;
    let etag = fetch(&world, job, &[]).await.headers()["etag"]
        .to_str()
        .unwrap()
        .to_owned();
    let weak = format!("\"x\", W/{etag}");
    for tags in [etag.as_str(), "*", &weak] {
        let found = fetch(&world, job, &[("If-None-Match", tags), ("Range", "bytes=0-1")]).await;
        assert_eq!(found.status(), 304, "{tags}");
        assert_eq!(found.headers()["etag"], etag);
        assert!(found.bytes().await.unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn head_tells_the_length_and_reads_nothing() {
    let world = World::small().await;
    world.scan().await;
    let job = world.generate().await;
    let whole = fetch(&world, job, &[]).await;
    let head = world
        .request(Method::HEAD, &format!("/api/v1/operations/{job}/download/"))
        .header("Range", "bytes=0-1")
        .send()
        .await
        .unwrap();
    assert_eq!(head.status(), 200);
    for name in [
        "content-length",
        "content-type",
        "etag",
        "accept-ranges",
        "content-disposition",
    ] {
        assert_eq!(head.headers()[name], whole.headers()[name], "{name}");
    }
    assert!(head.bytes().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_cut_off_is_a_defect_and_no_download() {
    let world = World::small().await;
    world.scan().await;
    let job = world.generate().await;
    let file = world.zip(job);
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() - 1]).unwrap();
    assert_eq!(fetch(&world, job, &[]).await.status(), 500);
}
