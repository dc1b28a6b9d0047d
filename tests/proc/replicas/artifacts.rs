//! Whether what a job has published is whole: the zip is the announced one, it opens, and it holds what is listed.

use std::io::{Cursor, Read as _};

use atg_models::JobId;
use atg_tests::KEY;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{http, persistent};

/// The hash of a job's zip, which has to be right in every way.
pub(crate) async fn whole(url: &str, job: JobId) -> String {
    let url = format!("{url}/api/v1/operations/{job}");
    let get = |path: &str| persistent(http().get(format!("{url}{path}")).bearer_auth(KEY));
    let (answer, _) = get("/result").await;
    let result: Value = answer.json().await.unwrap();
    let (answer, _) = get("/download").await;
    assert_eq!(answer.status(), 200, "{job}: {answer:?}");
    let announced = answer.headers()["etag"].to_str().unwrap().trim_matches('"').to_owned();
    let bytes = answer.bytes().await.unwrap();
    assert_eq!(sha256(&bytes), announced, "{job}");
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let listed = result["files"].as_array().unwrap();
    assert_eq!((zip.len(), zip.is_empty()), (listed.len(), false), "{job}");
    for file in listed {
        let name = file["filename"].as_str().unwrap();
        let mut held = Vec::new();
        zip.by_name(name).unwrap().read_to_end(&mut held).unwrap();
        assert_eq!(sha256(&held), file["sha256"].as_str().unwrap(), "{job}: {name}");
    }
    announced
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
