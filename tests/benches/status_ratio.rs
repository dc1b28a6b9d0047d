//! Prints how fast a job's status is answered, against a bare actix handler that sends the same bytes,
//! as a row of the table of benchmarks.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "a bench prints, reads the system's clock, and fails by panicking"
)]

use std::time::Instant;

use actix_web::{App, HttpResponse, HttpServer, web};
use atg_models::limits;
use atg_tests::{KEY, Setup};
use futures_util::future::join_all;

/// Requests of one round.
const REQUESTS: usize = 20_000;
/// Connections that send them.
const CONNECTIONS: usize = 16;
/// Rounds of each side, taken in turn; the best counts.
const ROUNDS: usize = 3;
const BAR: f64 = 0.3;

#[tokio::main]
async fn main() {
    // More than the rounds send, so that the limit of the key does not answer in the job's place.
    let setup = Setup::new(7, 50).setting("ATG_RATE_LIMIT_PER_MINUTE", &limits::RATE_LIMIT_MAX.to_string());
    let world = setup.start().await;
    let request = atg_models::api::GenerateIacRequest {
        tenant_id: Some("nobody".to_owned()),
        ..Default::default()
    };
    let job = world.client.generate_iac(&request).await.unwrap().job_id;
    // It fails at once, for the tenant is not stored: from then on its status stays.
    let mut watch = world.client.watch(job);
    while watch.next().await.unwrap().is_some() {}
    let status_url = format!("{}/api/v1/operations/{job}", world.direct_url());
    let body = rounds_client()
        .get(&status_url)
        .bearer_auth(KEY)
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    let (bare_url, bare) = bare(body);
    let mut best = [0.0_f64; 2];
    for _ in 0..ROUNDS {
        best[0] = best[0].max(rate(&status_url).await);
        best[1] = best[1].max(rate(&bare_url).await);
    }
    bare.stop(false).await;
    let [ours, theirs] = best;
    println!(
        "| status of a job | {ours:.0} requests/s | bare actix handler: {theirs:.0} requests/s | {:.2} | {BAR} |",
        ours / theirs
    );
}

fn bare(body: web::Bytes) -> (String, actix_web::dev::ServerHandle) {
    let server = HttpServer::new(move || {
        let body = body.clone();
        App::new().default_service(web::to(move || {
            let body = body.clone();
            async move { HttpResponse::Ok().content_type("application/json").body(body) }
        }))
    });
    let server = server.workers(4).disable_signals().bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}/", server.addrs()[0]);
    let server = server.run();
    let handle = server.handle();
    tokio::spawn(server);
    (url, handle)
}

fn rounds_client() -> reqwest::Client {
    reqwest::Client::builder()
        .pool_max_idle_per_host(CONNECTIONS)
        .build()
        .unwrap()
}

async fn rate(url: &str) -> f64 {
    let client = rounds_client();
    let started = Instant::now();
    let senders = (0..CONNECTIONS).map(|_| {
        let client = client.clone();
        tokio::spawn({
            let url = url.to_owned();
            async move {
                for _ in 0..REQUESTS / CONNECTIONS {
                    let answer = client.get(&url).bearer_auth(KEY).send().await.unwrap();
                    assert!(answer.status().is_success());
                    answer.bytes().await.unwrap();
                }
            }
        })
    });
    for sender in join_all(senders).await {
        sender.unwrap();
    }
    REQUESTS as f64 / started.elapsed().as_secs_f64()
}
