//! Signing in with the identity of the machine.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use crate::{ArtifactPlace, AzureContainer};

/// Answers requests in turn, and says how each began.
fn answering(answers: Vec<String>) -> (u16, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let answering = std::thread::spawn(move || {
        let mut heads = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
                head.push(byte[0]);
            }
            heads.push(String::from_utf8(head).unwrap());
            stream.write_all(answer.as_bytes()).unwrap();
        }
        heads
    });
    (port, answering)
}

fn answer(status: &str, kind: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_names_a_place_for_tokens_is_asked_there() {
    let token = r#"{"access_token": "given", "expires_on": "4102444800", "token_type": "Bearer"}"#;
    let missing = "<Error><Code>BlobNotFound</Code></Error>";
    let (port, asked) = answering(vec![
        answer("200 OK", "application/json", token),
        answer("404 Not Found", "application/xml", missing),
    ]);
    let container = AzureContainer {
        account: "atgtest".to_owned(),
        container: "results".to_owned(),
        key: None,
        endpoint: Some(format!("http://127.0.0.1:{port}/atgtest").parse().unwrap()),
        client_id: Some("an-identity".to_owned()),
        tenant_id: None,
        federated_token_file: None,
        identity_endpoint: Some(format!("http://127.0.0.1:{port}/msi/token").parse().unwrap()),
    };
    let artifacts = ArtifactPlace::AzureContainer(Box::new(container)).open().unwrap();
    artifacts.check().await.unwrap();
    let asked = asked.join().unwrap();
    assert!(asked[0].starts_with("GET /msi/token?"), "{asked:?}");
    assert!(
        asked[0].contains("client_id=an-identity") && asked[0].contains("storage.azure.com"),
        "{asked:?}"
    );
    assert!(
        asked[1].starts_with("GET /atgtest/results/artifacts/nothing"),
        "{asked:?}"
    );
    assert!(
        asked[1].to_lowercase().contains("authorization: bearer given"),
        "{asked:?}"
    );
}
