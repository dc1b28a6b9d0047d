//! `GET /metrics`: what is exposed is what the vocabulary says, and names nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use atg_tests::{KEY, Setup, World, until};
use reqwest::Method;

/// Name → kind and labels.
type Vocabulary = BTreeMap<String, (String, BTreeSet<String>)>;

/// As the reference page has it.
fn vocabulary() -> Vocabulary {
    let page = atg_server::metrics_reference();
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let labels = cells[4].split(", ").filter(|label| *label != "–");
        let labels = labels.map(|label| label.trim_matches('`').to_owned()).collect();
        (cells[1].trim_matches('`').to_owned(), (cells[2].to_owned(), labels))
    };
    rows.map(row).collect()
}

/// As the exposition has it: the labels of a metric are those of all its lines.
fn exposed(text: &str) -> Vocabulary {
    let mut found = Vocabulary::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        found.insert(name.to_owned(), (kind.to_owned(), BTreeSet::new()));
    }
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let name = line.split(['{', ' ']).next().unwrap();
        let base = ["_bucket", "_sum", "_count"]
            .into_iter()
            .find_map(|end| name.strip_suffix(end).filter(|base| found.contains_key(*base)))
            .unwrap_or(name);
        let (_, labels) = found.get_mut(base).unwrap_or_else(|| panic!("{name} has no type"));
        if let Some((_, rest)) = line.split_once('{') {
            let inner = rest.rsplit_once('}').unwrap().0;
            let names = inner
                .split("\",")
                .map(|pair| pair.split('=').next().unwrap().to_owned());
            labels.extend(names.filter(|label| label != "le" && !label.is_empty()));
        }
    }
    found
}

async fn scrape(world: &World, url: &str) -> String {
    let path = format!("{url}/metrics");
    let response = reqwest::Client::builder()
        .build()
        .unwrap()
        .get(&path)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200, "{path}");
    let kind = response.headers()["content-type"].to_str().unwrap();
    assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
    assert!(!world.url().is_empty());
    response.text().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exposition_and_the_vocabulary_agree_after_a_run() {
    let world = World::small().await;
    let (scan, _) = world.scan().await;
    let code = world.generate().await;
    world.get(&format!("/api/v1/operations/{code}/files/REPORT.md")).await;
    let word = Method::from_bytes(b"BREW").unwrap();
    world.anonymous(word, "/nothing/11111111").send().await.unwrap();
    let text = scrape(&world, world.url()).await;
    assert_eq!(exposed(&text), vocabulary(), "{text}");

    let calls = world.sim.stats().calls.values().sum::<u64>();
    for line in [
        "atg_jobs_ended_total{kind=\"scan\",status=\"completed\"} 1",
        "atg_jobs_ended_total{kind=\"generate-iac\",status=\"completed\"} 1",
        "atg_job_duration_seconds_count{kind=\"scan\"} 1",
        "atg_graph_store_up 1",
        "atg_jobs_queued 0",
        "atg_jobs_running 0",
        "atg_http_requests_total{route=\"other\",method=\"other\",status=\"4xx\"} 1",
        "atg_http_requests_total{route=\"/api/v1/operations/{job_id}/files/{path}\",method=\"GET\",status=\"2xx\"} 1",
        "atg_http_requests_total{route=\"/api/v1/scan\",method=\"POST\",status=\"2xx\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in {text}");
    }
    let azure = text
        .lines()
        .find_map(|line| line.strip_prefix("atg_azure_calls_total "));
    let azure: u64 = azure.unwrap().parse().unwrap();
    assert!(azure > 5 && azure <= calls, "{azure} of {calls}");
    for secret in [
        world.tenant.to_string(),
        scan.to_string(),
        code.to_string(),
        scan.uuid().to_string(),
        KEY.chars().skip(8).take(8).collect(),
        "11111111".to_owned(),
    ] {
        assert!(!text.contains(&secret), "{secret} in {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_socket_is_counted_while_it_is_open() {
    let world = Setup::new(7, 50).setting("ATG_MAX_CONCURRENT_OPS", "1").start().await;
    world.sim.arm(atg_sim::Fault {
        count: u64::MAX,
        value: Some(2_000),
        ..atg_sim::Fault::new(atg_sim::FaultKind::Slow)
    });
    let (job, waiting) = (world.start_scan().await, world.start_scan().await);
    let mut watch = world.client.watch(job);
    watch.next().await.unwrap();
    let has = async |line: &'static str| {
        until(line, async || {
            let text = scrape(&world, world.url()).await;
            text.lines().any(|found| found == line).then_some(())
        })
        .await;
    };
    has("atg_sockets_open 1").await;
    has("atg_jobs_running 1").await;
    has("atg_jobs_queued 1").await;
    drop(watch);
    has("atg_sockets_open 0").await;
    world.client.cancel(waiting).await.unwrap();
    world.client.cancel(job).await.unwrap();
    has("atg_jobs_ended_total{kind=\"scan\",status=\"cancelled\"} 2").await;
    has("atg_jobs_queued 0").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_may_have_a_port_of_their_own() {
    let world = Setup::new(7, 50)
        .setting("ATG_METRICS_ADDR", "127.0.0.1:0")
        .start()
        .await;
    let own = world.metrics_url().unwrap().to_owned();
    assert!(scrape(&world, &own).await.contains("atg_build_info{version="));
    assert_eq!(world.get("/metrics").await.status(), 404);
    let client = reqwest::Client::builder().build().unwrap();
    let health = client.get(format!("{own}/health")).send().await.unwrap();
    assert_eq!(health.status(), 404, "nothing else is there");
}

#[test]
fn the_page_in_the_repository_is_this() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/metrics.md");
    let same = std::fs::read_to_string(file).unwrap_or_default() == atg_server::metrics_reference();
    assert!(same, "docs/metrics.md is not up to date: cargo xtask metrics");
}
