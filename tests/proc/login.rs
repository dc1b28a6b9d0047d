//! A client secret over TLS, with tokens that end in the middle of a scan.

use atg_models::api::CompletionStatus;
use atg_tests::{ServerProcess, until};

use crate::bench::{Bench, completion, config, slow};

const SECRET: &str = "a-secret-of-the-tests";

fn serve(bench: &Bench, secret: &str) -> ServerProcess {
    let certificate = bench.folder().join("certificate.pem");
    std::fs::write(&certificate, bench.sim.certificate_pem().unwrap()).unwrap();
    let mut command = ServerProcess::command(bench.folder(), bench.sim.tls_url().unwrap());
    command
        .env_remove("ATG_AZURE_STATIC_TOKEN")
        .env("SSL_CERT_FILE", certificate)
        .env("ATG_AZURE_CREDENTIAL", "client_secret")
        .env("AZURE_TENANT_ID", bench.tenant().to_string())
        .env("AZURE_CLIENT_ID", "11111111-1111-1111-1111-111111111111")
        .env("AZURE_CLIENT_SECRET", secret);
    ServerProcess::start(command, bench.folder())
}

fn bench(token_ttl_s: u64) -> Bench {
    let mut settings = config(200);
    settings.tls = true;
    settings.token_ttl_s = token_ttl_s;
    settings.client_secret = Some(SECRET.to_owned());
    settings.faults = vec![slow(60)];
    Bench::new(settings)
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_run_out_are_renewed() {
    let bench = bench(2);
    let server = serve(&bench, SECRET);
    let job = bench.start_scan(&server).await;
    let end = completion(&server, job).await;
    assert_eq!(end.status, CompletionStatus::Completed, "{end:?}");
    assert_eq!(end.result["verdict"], "complete", "{end:?}");
    let stats = bench.sim.stats();
    // Two audiences at the most: more tokens than that are renewed ones.
    assert!(stats.tokens > 2, "{stats:?}");
    // Renewed before their end, and not because they were refused.
    assert!(stats.failed < stats.tokens - 2, "{stats:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_are_revoked_in_the_middle_are_replaced() {
    let bench = bench(3_600);
    let server = serve(&bench, SECRET);
    let job = bench.start_scan(&server).await;
    until("the scan is on its way", async || (bench.calls() >= 12).then_some(())).await;
    let before = bench.sim.stats().tokens;
    bench.sim.expire_tokens();
    let end = completion(&server, job).await;
    assert_eq!(end.result["verdict"], "complete", "{end:?}");
    assert!(bench.sim.stats().tokens > before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_fails_the_job() {
    let bench = bench(3_600);
    let server = serve(&bench, "another-secret");
    let job = bench.start_scan(&server).await;
    let end = completion(&server, job).await;
    assert_eq!(end.status, CompletionStatus::Failed);
    let result = crate::bench::client(&server).result(job).await.unwrap();
    assert_eq!(result.error.unwrap().code.as_str(), "AZURE_AUTHENTICATION_FAILED");
    let log = std::fs::read_to_string(bench.folder().join("server.log")).unwrap();
    assert!(!log.contains("another-secret"), "the log holds the secret");
}
