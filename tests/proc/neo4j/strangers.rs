//! What is behind the port is no Neo4j, or nobody: the server starts, says so, and refuses in time.

use std::net::{Ipv4Addr, TcpListener};
use std::process::Output;
use std::time::{Duration, Instant};

use atg_tests::{KEY, ServerProcess, World};
use reqwest::Method;
use serde_json::{Value, json};

use super::tenant;
use super::watch::Watch;

/// A command's wait for the server, and room for its start.
pub(crate) const ENDS_WITHIN: Duration = Duration::from_secs(30);

/// Every kind of request that needs the store is refused at once, with a time to come back.
pub(crate) async fn refused(world: &World) {
    let body = json!({"tenant_id": world.tenant});
    let asked = [
        world.request(Method::GET, "/api/v1/tenants"),
        world.request(Method::POST, "/api/v1/scan").json(&body),
        world.anonymous(Method::GET, "/readyz"),
    ];
    for request in asked {
        let answer = request.send().await.unwrap();
        let path = answer.url().path().to_owned();
        assert_eq!(answer.status(), 503, "{path}");
        assert!(answer.headers().contains_key("retry-after"), "{path}");
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["error"]["code"], "DATABASE_UNAVAILABLE", "{path}: {body}");
    }
}

/// A command of the program, with this Neo4j.
fn ran(world: &World, uri: &str, arguments: &[&str]) -> Output {
    let folder = atg_tests::folder();
    let mut command = ServerProcess::command(folder.path(), world.sim.url());
    command
        .env("NEO4J_URI", uri)
        .env("NEO4J_PASSWORD", "a-password-of-16-Chars")
        .env("ATG_API_KEYS", KEY)
        .args(arguments);
    let started = Instant::now();
    let output = tokio::task::block_in_place(|| atg_tests::output(&mut command)).unwrap();
    println!("{arguments:?} ended after {:?}", started.elapsed());
    assert!(started.elapsed() < ENDS_WITHIN, "{:?}", started.elapsed());
    output
}

async fn stands(uri: &str, words: &str) {
    let setup = tenant().embedded().setting("NEO4J_URI", uri);
    let started = Instant::now();
    let world = setup.setting("NEO4J_PASSWORD", "a password").start().await;
    assert!(started.elapsed() < ENDS_WITHIN, "{:?}", started.elapsed());
    let watch = Watch::of(&world);
    watch.says("disconnected").await;
    refused(&world).await;
    watch.was_answered().await;

    let migrated = ran(&world, uri, &["migrate"]);
    let said = String::from_utf8(migrated.stderr).unwrap();
    assert!(
        !migrated.status.success() && said.contains(words) && said.contains(uri),
        "{said}"
    );
    let checked = ran(&world, uri, &["check-config"]);
    let said = String::from_utf8(checked.stderr).unwrap();
    assert!(
        checked.status.success() && said.contains("notice") && said.contains(uri),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_http_server_in_the_place_of_neo4j_is_told() {
    let world = tenant().embedded().start().await;
    let uri = world.sim.url().replace("http://", "bolt://");
    stands(&uri, "HTTP port").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_where_nobody_answers_is_not_waited_for() {
    // The system takes the connections of a listener that never does.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let uri = format!("bolt://{}", listener.local_addr().unwrap());
    stands(&uri, "no answer within").await;
}
