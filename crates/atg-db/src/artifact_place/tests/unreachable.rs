//! A blob service that cannot be reached: whoever asks is told soon.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt as _;
use secrecy::SecretString;

use crate::contract::world::artifact;
use crate::limits::{BLOB_RETRIED_WITHIN, BLOB_SILENCE};
use crate::{ArtifactPlace, ArtifactStore as _, AzureContainer, ObjectArtifacts};

/// What keeps silent so long is given up here.
const SILENCE: Duration = Duration::from_millis(300);
/// Pieces of a slow answer, each of which comes before that.
const PIECES: usize = 12;

fn at(endpoint: &str) -> ObjectArtifacts {
    ArtifactPlace::AzureContainer(Box::new(container(endpoint)))
        .open()
        .unwrap()
}

fn container(endpoint: &str) -> AzureContainer {
    AzureContainer {
        account: "atgtest".to_owned(),
        container: "results".to_owned(),
        key: Some(SecretString::from("a2V5".to_owned())),
        endpoint: Some(endpoint.parse().unwrap()),
        client_id: None,
        tenant_id: None,
        federated_token_file: None,
        identity_endpoint: None,
    }
}

/// A service of which every connection is served so, and a place in it whose silence is borne for [`SILENCE`].
fn serving(serve: fn(std::net::TcpStream)) -> ObjectArtifacts {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || serve(stream.unwrap()));
        }
    });
    let container = container(&format!("http://127.0.0.1:{port}/atgtest"));
    ObjectArtifacts::in_store(Arc::new(container.build(SILENCE).unwrap()))
}

#[tokio::test]
async fn it_keeps_silent() {
    let artifacts = serving(|stream| {
        std::thread::park_timeout(BLOB_RETRIED_WITHIN * 3);
        drop(stream);
    });
    let begun = Instant::now();
    let refused = artifacts.size(artifact(1)).await.unwrap_err();
    assert!(refused.is_retryable(), "{refused:?}");
    assert!(begun.elapsed() < BLOB_RETRIED_WITHIN * 2, "{:?}", begun.elapsed());
}

/// A large result over a slow line: it comes, whole, however long that takes.
#[tokio::test]
async fn a_slow_answer_is_not_given_up() {
    let artifacts = serving(|mut stream| {
        // Who closes with something unread cuts what it has written.
        let (mut asked, mut byte) = (Vec::new(), [0]);
        while !asked.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
            asked.push(byte[0]);
        }
        let head = "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nLast-Modified: Tue, 01 Jan 2030 00:00:00 GMT\r\nContent-Length: ";
        write!(stream, "{head}{PIECES}\r\n\r\n").unwrap();
        for _ in 0..PIECES {
            std::thread::park_timeout(SILENCE / 3);
            if stream.write_all(b"a").is_err() {
                return;
            }
        }
    });
    let begun = Instant::now();
    let parts = artifacts.open(artifact(1), None).await.unwrap();
    let parts: Vec<bytes::Bytes> = parts.try_collect().await.unwrap();
    assert_eq!(parts.concat().len(), PIECES);
    assert!(begun.elapsed() > SILENCE * 2, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let artifacts = at(&format!("http://127.0.0.1:{port}/atgtest"));
    let begun = Instant::now();
    let refused = artifacts.size(artifact(1)).await.unwrap_err();
    assert!(refused.is_retryable(), "{refused:?}");
    let longest = BLOB_RETRIED_WITHIN + Duration::from_secs(15);
    assert!(begun.elapsed() < longest, "{:?}", begun.elapsed());
}

/// The key would travel in the clear.
#[tokio::test]
async fn plain_http_is_spoken_to_this_machine_only() {
    let artifacts = at("http://storage.invalid/atgtest");
    let begun = Instant::now();
    let refused = artifacts.size(artifact(1)).await.unwrap_err();
    assert!(format!("{refused:?}").contains("BadScheme"), "{refused:?}");
    assert!(begun.elapsed() < BLOB_SILENCE, "{:?}", begun.elapsed());
}
