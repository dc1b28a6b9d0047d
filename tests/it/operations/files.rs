//! `GET /api/v1/operations/{job_id}/files/{path}`.

use atg_tests::World;
use reqwest::Method;

use super::download::hex;

#[tokio::test(flavor = "multi_thread")]
async fn every_file_can_be_had_by_itself() {
    let world = World::small().await;
    world.scan().await;
    let job = world.generate().await;
    let files = world.client.result(job).await.unwrap().files;
    assert!(files.len() > 3);
    for file in files {
        let response = world.get(&file.download_url).await;
        assert_eq!(response.status(), 200, "{}", file.download_url);
        let headers = response.headers().clone();
        assert_eq!(headers["content-type"], file.content_type);
        assert_eq!(headers["content-length"], file.size.to_string());
        assert_eq!(headers["etag"], format!("\"{}\"", file.sha256));
        assert_eq!(headers["x-content-type-options"], "nosniff");
        let bytes = response.bytes().await.unwrap();
        assert_eq!(hex(&bytes), file.sha256, "{}", file.filename);
        if file.size > 10 {
            let part = world
                .request(Method::GET, &file.download_url)
                .header("Range", "bytes=3-8")
                .send()
                .await
                .unwrap();
            assert_eq!(part.status(), 206);
            assert_eq!(part.headers()["content-range"], format!("bytes 3-8/{}", file.size));
            assert_eq!(part.bytes().await.unwrap(), bytes[3..9]);
        }
        let head = world.request(Method::HEAD, &file.download_url).send().await.unwrap();
        assert_eq!(
            (head.status().as_u16(), &head.headers()["content-length"]),
            (200, &headers["content-length"])
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_path_leads_anywhere_else() {
    let world = World::small().await;
    let (scan, _) = world.scan().await;
    let job = world.generate().await;
    for path in [
        "",
        "nothing.tf",
        "REPORT.md/x",
        "report.md",
        ".%2FREPORT.md",
        "x%2F..%2FREPORT.md",
        "..%2Fdownload",
        "%2e%2e/%2e%2e/jobs.db",
        "%2Fetc%2Fpasswd",
        "..%5C..%5Cjobs.db",
        "REPORT.md%00",
        "%ff",
        "%zz",
    ] {
        let found = world.get(&format!("/api/v1/operations/{job}/files/{path}")).await;
        assert_eq!(found.status(), 404, "{path}");
        let body: serde_json::Value = found.json().await.unwrap();
        assert_eq!(body["error"]["code"], "NOT_FOUND", "{path}");
    }
    let of_a_scan = world.get(&format!("/api/v1/operations/{scan}/files/REPORT.md")).await;
    assert_eq!(of_a_scan.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_archive_is_a_defect_and_never_other_content() {
    let world = World::small().await;
    world.scan().await;
    let job = world.generate().await;
    let zip = world.zip(job);
    let mut bytes = std::fs::read(&zip).unwrap();
    let end = bytes.len() - 10;
    bytes[end..].fill(0);
    std::fs::write(&zip, bytes).unwrap();
    let found = world.get(&format!("/api/v1/operations/{job}/files/REPORT.md")).await;
    assert_eq!(found.status(), 500);
}
