//! No issued key is seen anywhere but where it was handed over: not in the log, however much is logged, not in an
//! answer, not in a byte of the data folder.

use std::path::{Path, PathBuf};

use atg_tests::{ServerProcess, open_socket, read_to_close, until};
use reqwest::Method;

use crate::bench::{Bench, completion, config};
use crate::keys::{done, get, make};

/// What nobody but the key's holder may know: all digits behind the public prefix, and the bytes that they stand for.
struct Secret {
    digits: String,
    bytes: Vec<u8>,
}

impl Secret {
    fn of(key: &str) -> Self {
        let digits = key.get(key.len() - 56..).unwrap().to_owned();
        let byte = |at| u8::from_str_radix(digits.get(at..at + 2).unwrap(), 16).unwrap();
        let bytes = (0..digits.len()).step_by(2).map(byte).collect();
        Self { digits, bytes }
    }
}

/// A character a byte, so that any bytes can be searched as text, which is quick.
fn as_text(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

fn holds_one(secrets: &[Secret], bytes: &[u8]) -> bool {
    let text = as_text(bytes);
    let lower = text.to_ascii_lowercase();
    let is_in = |secret: &Secret| lower.contains(&secret.digits) || text.contains(&as_text(&secret.bytes));
    secrets.iter().any(is_in)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.push(path);
        }
    }
    all
}

/// The files that hold a secret, and how many were searched.
fn search(folder: &Path, secrets: &[Secret]) -> (Vec<PathBuf>, usize) {
    let mut files = files(folder);
    let searched = files.len();
    files.retain(|file| {
        // A journal may go while it is looked for.
        let bytes = std::fs::read(file).unwrap_or_default();
        holds_one(secrets, &bytes)
    });
    (files, searched)
}

/// Everything of an answer.
async fn answer(request: reqwest::RequestBuilder) -> (u16, Vec<u8>) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let mut seen = format!("{:?}", response.headers()).into_bytes();
    seen.extend(response.bytes().await.unwrap());
    (status, seen)
}

/// Puts a key into every place where a caller may put it, rightly or by mistake.
async fn use_everywhere(server: &ServerProcess, job: &str, key: &str) -> Vec<(u16, Vec<u8>)> {
    let http = reqwest::Client::builder().build().unwrap();
    let at = |method: Method, path: &str| http.request(method, format!("{}{path}", server.url));
    let list = "/api/v1/operations";
    let scan = format!("{{\"tenant_id\": \"{key}\", \"{key}\": 1}}");
    let requests = vec![
        at(Method::GET, list).bearer_auth(key),
        at(Method::GET, list).bearer_auth(format!("{key}0")),
        at(Method::GET, list).header("Authorization", format!("Basic {key}")),
        at(Method::GET, list).header("Authorization", key),
        at(Method::GET, list).header("X-Request-ID", key).bearer_auth(key),
        at(Method::GET, &format!("{list}?api_key={key}")),
        at(Method::GET, &format!("{list}?api_key={key}&limit=1")).bearer_auth(key),
        at(Method::GET, &format!("{list}?status_filter={key}&limit={key}")).bearer_auth(key),
        at(Method::GET, &format!("{list}/{key}")).bearer_auth(key),
        at(Method::DELETE, &format!("{list}/{key}")).bearer_auth(key),
        at(Method::GET, &format!("/{key}")),
        at(Method::GET, &format!("/ws/progress/{job}?api_key={key}")),
        at(Method::GET, &format!("/ws/progress/{job}?api_key={key}0")),
        at(Method::GET, &format!("/ws/progress/{job}?after={key}")).bearer_auth(key),
        at(Method::POST, "/api/v1/scan")
            .bearer_auth(key)
            .header("Content-Type", "application/json")
            .body(scan),
        at(Method::POST, "/api/v1/scan")
            .bearer_auth(key)
            .header("Content-Type", key)
            .body("{}"),
    ];
    let mut answers = Vec::new();
    for request in requests {
        answers.push(answer(request).await);
    }
    for (path, header) in [
        (format!("/ws/progress/{job}"), Some(key)),
        (format!("/ws/progress/{job}?after=0&detail=1&api_key={key}"), None),
    ] {
        match open_socket(&server.url, &path, header).await {
            Ok(mut socket) => {
                let (frames, code) = read_to_close(&mut socket).await;
                answers.push((code, serde_json::to_vec(&frames).unwrap()));
            }
            Err((status, body)) => answers.push((status, body.to_string().into_bytes())),
        }
    }
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn no_key_is_seen_in_the_log_an_answer_or_the_data() {
    let bench = Bench::new(config(40));
    let mut command = bench.command();
    command.env("ATG_LOG", "trace");
    let server = ServerProcess::start(command, bench.folder());
    let job = bench.start_scan(&server).await;
    completion(&server, job).await;
    let job = job.to_string();

    let admin = make(&bench, &["create", "--name", "admin", "--scopes", "admin"]);
    let reader = make(&bench, &["create", "--name", "reader", "--scopes", "read"]);
    let short = make(&bench, &["create", "--name", "short", "--expires-in", "1s"]);
    let old = make(&bench, &["create", "--name", "turned"]);
    let turned = make(&bench, &["rotate", "turned", "--overlap", "0s"]);
    let revoked = make(&bench, &["create", "--name", "revoked"]);
    done(&bench, &["revoke", "revoked"]);
    let keys = [&admin, &reader, &short, &old, &turned, &revoked];
    for (key, status) in [(&turned, 200), (&short, 401)] {
        until("the keys count", async || {
            (get(&server, key).await.0 == status).then_some(())
        })
        .await;
    }
    let mut secrets: Vec<_> = keys.into_iter().map(|key| Secret::of(key)).collect();
    secrets.push(Secret::of(atg_tests::KEY));

    let mut statuses = std::collections::BTreeSet::new();
    for key in keys.into_iter().map(String::as_str).chain([atg_tests::KEY]) {
        for (status, seen) in use_everywhere(&server, &job, key).await {
            let shown = String::from_utf8_lossy(&seen);
            assert!(!holds_one(&secrets, &seen), "{status} {shown}");
            statuses.insert(status);
        }
    }
    for expected in [200, 400, 401, 403, 404, 415, 426, 1000] {
        assert!(statuses.contains(&expected), "{expected} in {statuses:?}");
    }

    // While it runs, with what lies in write-ahead logs, and after its end.
    assert!(bench.data().join("jobs.db-wal").exists());
    let (found, searched) = search(bench.folder(), &secrets);
    assert_eq!(found, Vec::<PathBuf>::new());
    assert!(server.terminate().success());
    let (found, searched_after) = search(bench.folder(), &secrets);
    assert_eq!(found, Vec::<PathBuf>::new());
    assert!(
        searched >= 5 && searched_after >= 5,
        "{searched} and {searched_after} files"
    );
    let log = std::fs::read_to_string(bench.folder().join("server.log")).unwrap();
    assert!(log.contains("TRACE"), "nothing was traced");
    // What is searched for would be found, in digits and in bytes.
    let planted = [bench.data().join("digits"), bench.data().join("bytes")];
    std::fs::write(&planted[0], &admin).unwrap();
    std::fs::write(&planted[1], &secrets[1].bytes).unwrap();
    let (mut found, _) = search(bench.folder(), &secrets);
    found.sort_by_key(|path| std::cmp::Reverse(path.clone()));
    assert_eq!(found, planted);
    for file in &planted {
        std::fs::remove_file(file).unwrap();
    }
}
