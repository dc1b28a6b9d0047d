//! `atg`: what it prints, and how it ends.

use std::sync::atomic::{AtomicUsize, Ordering};

use atg_sim::{Fault, FaultKind};
use atg_tests::{CliRun, KEY, Proxy, ServerProcess, Treatment, run_cli, until};
use serde_json::Value;

use crate::bench::{Bench, client, config, slow};

const UNKNOWN_JOB: &str = "scan-01890a5d-ac96-774b-bcce-b302099a8057";

fn atg(bench: &Bench, server: &ServerProcess, arguments: &[&str]) -> CliRun {
    run_cli(bench.folder(), &server.url, KEY, arguments)
}

/// One document, and nothing else.
fn document(run: &CliRun) -> Value {
    serde_json::from_str(&run.out).unwrap_or_else(|error| panic!("{error}: {run:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_main_job_from_the_command_line() {
    let bench = Bench::new(config(150));
    let server = bench.serve();
    let tenant = bench.tenant().to_string();
    let scan = atg(&bench, &server, &["scan", "--tenant-id", &tenant]);
    assert_eq!(scan.code, 0, "{scan:?}");
    assert!(scan.out.contains("complete"), "{scan:?}");
    let generated = atg(
        &bench,
        &server,
        &["generate-iac", "--output", "out.zip", "--extract", "terraform"],
    );
    assert_eq!(generated.code, 0, "{generated:?}");
    assert!(bench.folder().join("out.zip").exists());
    assert!(bench.folder().join("terraform/report.json").exists());

    let listed = atg(&bench, &server, &["list", "--type", "generate-iac", "--json"]);
    assert_eq!(listed.code, 0);
    let listed = document(&listed);
    let job = find_job(&listed).to_owned();
    let again = atg(&bench, &server, &["download", &job, "--extract", "again"]);
    assert_eq!(again.code, 0, "{again:?}");
    let read = |folder: &str| std::fs::read(bench.folder().join(folder).join("report.json")).unwrap();
    assert_eq!(read("again"), read("terraform"));
    assert!(bench.folder().join(format!("{job}.zip")).exists());
    for arguments in [
        &["status", &job][..],
        &["watch", &job],
        &["tenants"],
        &["health"],
        &["list"],
    ] {
        let run = atg(&bench, &server, arguments);
        assert_eq!(run.code, 0, "{arguments:?} {run:?}");
        assert!(!run.out.is_empty() || !run.err.is_empty(), "{arguments:?}");
    }
}

/// The first job of a list, however the list is wrapped.
fn find_job(value: &Value) -> &str {
    match value {
        Value::Array(items) => items.first().map(find_job).unwrap(),
        Value::Object(members) => members
            .get("job_id")
            .and_then(Value::as_str)
            .unwrap_or_else(|| members.values().find(|value| value.is_array()).map(find_job).unwrap()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => panic!("no job in {value}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn json_is_one_document() {
    let bench = Bench::new(config(60));
    let server = bench.serve();
    let tenant = bench.tenant().to_string();
    let scan = atg(&bench, &server, &["--json", "scan", "--tenant-id", &tenant]);
    assert_eq!(scan.code, 0, "{scan:?}");
    let result = document(&scan);
    assert_eq!(result["result"]["verdict"], "complete");
    let job = result["job_id"].as_str().unwrap();
    let generated = atg(&bench, &server, &["generate-iac", "--output", "a.zip", "--json"]);
    assert_eq!(generated.code, 0, "{generated:?}");
    document(&generated);
    for arguments in [&["status", job][..], &["tenants"], &["health"], &["list"]] {
        let run = atg(&bench, &server, &[&["--json"], arguments].concat());
        assert_eq!(run.code, 0, "{arguments:?} {run:?}");
        document(&run);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_codes_tell_the_failures_apart() {
    let bench = Bench::new(config(60));
    let server = bench.serve();
    let tenant = bench.tenant().to_string();
    let code = |arguments: &[&str]| {
        let run = atg(&bench, &server, arguments);
        assert!(
            run.code == 0 || !run.err.is_empty(),
            "{arguments:?} ends without a word"
        );
        run.code
    };
    // The command line is wrong.
    assert_eq!(code(&["scan"]), 2);
    assert_eq!(code(&["scan", "--tenant-id", "nonsense"]), 2);
    assert_eq!(code(&["status", "nonsense"]), 2);
    assert_eq!(code(&["nonsense"]), 2);
    // The key, the job, the server.
    let other = format!("atg_dev_{}", "a".repeat(64));
    assert_eq!(run_cli(bench.folder(), &server.url, &other, &["list"]).code, 5);
    assert_eq!(code(&["status", UNKNOWN_JOB]), 6);
    assert_eq!(code(&["download", UNKNOWN_JOB]), 6);
    assert_eq!(code(&["list", "--status", "nonsense"]), 2);
    // Partial; a job that has ended cannot be cancelled; failed.
    let partial = atg(
        &bench,
        &server,
        &["scan", "--tenant-id", &tenant, "--resource-limit", "5", "--json"],
    );
    assert_eq!(partial.code, 9, "{partial:?}");
    let job = document(&partial)["job_id"].as_str().unwrap().to_owned();
    assert_eq!(code(&["cancel", &job]), 8);
    bench.sim.arm(Fault::new(FaultKind::WrongTenantToken));
    assert_eq!(code(&["scan", "--tenant-id", &tenant]), 3);
    let unknown = "99999999-9999-9999-9999-999999999999";
    assert_eq!(code(&["generate-iac", "--tenant-id", unknown]), 3);
    let url = server.url.clone();
    server.terminate();
    assert_eq!(run_cli(bench.folder(), &url, KEY, &["health"]).code, 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_scan_ends_with_a_code_of_its_own() {
    let mut settings = config(60);
    settings.faults = vec![slow(2_000)];
    let bench = Bench::new(settings);
    let server = bench.serve();
    let tenant = bench.tenant().to_string();
    let detached = atg(&bench, &server, &["scan", "--tenant-id", &tenant, "--detach"]);
    assert_eq!(detached.code, 0, "{detached:?}");
    let job = detached.out.trim().to_owned();
    let (folder, url) = (bench.folder().to_owned(), server.url.clone());
    let watched = job.clone();
    let watch = std::thread::spawn(move || run_cli(&folder, &url, KEY, &["watch", &watched]));
    let id = job.parse().unwrap();
    until("the scan runs", async || {
        client(&server).operation(id).await.unwrap().started_at
    })
    .await;
    assert_eq!(atg(&bench, &server, &["cancel", &job]).code, 0);
    assert_eq!(watch.join().unwrap().code, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_watched_in_three_ways_and_waited_for() {
    let bench = Bench::new(config(60));
    let server = bench.serve();
    let tenant = bench.tenant().to_string();
    let scan = atg(
        &bench,
        &server,
        &["scan", "--tenant-id", &tenant, "--wait", "50", "--json"],
    );
    assert_eq!(scan.code, 0, "{scan:?}");
    let job = document(&scan)["job_id"].as_str().unwrap().to_owned();
    let watched = ["ws", "sse", "poll"].map(|via| atg(&bench, &server, &["watch", &job, "--via", via]));
    for run in &watched {
        assert_eq!(run.code, 0, "{run:?}");
        assert!(run.err.lines().count() > 3, "{run:?}");
        assert_eq!((&run.out, &run.err), (&watched[0].out, &watched[0].err));
    }
    // Through a proxy that does not upgrade, said once.
    let rule = |head: &str, _: usize| {
        if head.contains("upgrade: websocket") {
            Treatment::Refuse
        } else {
            Treatment::Pass
        }
    };
    let proxy = Proxy::start(&server.url, rule).await;
    let run = run_cli(bench.folder(), &proxy.url, KEY, &["watch", &job]);
    assert_eq!((run.code, &run.out), (0, &watched[0].out), "{run:?}");
    assert_eq!(run.err.matches("gets through").count(), 1, "{run:?}");

    // What a wait does not see the end of goes on.
    bench.sim.arm(slow(1_000));
    let late = atg(
        &bench,
        &server,
        &["scan", "--tenant-id", &tenant, "--wait", "1", "--json"],
    );
    assert_eq!(late.code, 10, "{late:?}");
    let late = document(&late)["job_id"].as_str().unwrap().to_owned();
    bench.sim.clear_faults();
    assert_eq!(atg(&bench, &server, &["cancel", &late]).code, 0);
    let unknown = "99999999-9999-9999-9999-999999999999";
    let failed = atg(
        &bench,
        &server,
        &["generate-iac", "--tenant-id", unknown, "--wait", "50"],
    );
    assert_eq!(failed.code, 3, "{failed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_and_a_cut_download_are_not_noticed() {
    let bench = Bench::new(config(60));
    let server = bench.serve();
    let tenant = bench.tenant().to_string();
    let lost = AtomicUsize::new(0);
    let rule = move |head: &str, _: usize| {
        let is_first = |what: &str| head.starts_with(what) && lost.fetch_add(1, Ordering::SeqCst) == 0;
        if is_first("post ") {
            Treatment::CutAfter(0)
        } else if head.contains("/download ") && !head.contains("\r\nrange:") {
            Treatment::CutAfter(2_000)
        } else {
            Treatment::Pass
        }
    };
    let proxy = Proxy::start(&server.url, rule).await;
    let through = |arguments: &[&str]| run_cli(bench.folder(), &proxy.url, KEY, arguments);
    let scan = through(&["scan", "--tenant-id", &tenant]);
    assert_eq!(scan.code, 0, "{scan:?}");
    let listed = document(&atg(&bench, &server, &["list", "--json"]));
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");

    let generated = document(&through(&["generate-iac", "--json"]));
    let job = generated["job_id"].as_str().unwrap();
    let fetched = through(&["download", job, "--extract", "all", "--json"]);
    assert_eq!(fetched.code, 0, "{fetched:?}");
    let fetched = document(&fetched);
    let zip = std::fs::read(bench.folder().join(format!("{job}.zip"))).unwrap();
    assert_eq!(fetched["size"], zip.len());
    let ranged = |head: &String| head.contains("/download ") && head.contains("\r\nif-range:");
    assert!(proxy.heads().iter().any(ranged), "{:?}", proxy.heads());

    let one = atg(
        &bench,
        &server,
        &["download", job, "--file", "report.json", "-o", "one.json"],
    );
    assert_eq!(one.code, 0, "{one:?}");
    let read = |path: &str| std::fs::read(bench.folder().join(path)).unwrap();
    assert_eq!(read("one.json"), read("all/report.json"));
    assert_eq!(atg(&bench, &server, &["download", job, "--file", "no-such"]).code, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_is_removed_when_that_is_meant() {
    let bench = Bench::new(config(60));
    let server = bench.serve();
    let tenant = bench.tenant().to_string();
    assert_eq!(atg(&bench, &server, &["scan", "--tenant-id", &tenant]).code, 0);
    let stored = || {
        document(&atg(&bench, &server, &["tenants", "--json"]))
            .as_array()
            .unwrap()
            .len()
    };
    // Nobody is there to be asked.
    assert_eq!(atg(&bench, &server, &["tenants", "remove", &tenant]).code, 2);
    assert_eq!(stored(), 1);
    let removed = atg(&bench, &server, &["tenants", "remove", &tenant, "--yes"]);
    assert_eq!(removed.code, 0, "{removed:?}");
    assert!(removed.out.contains("removed"), "{removed:?}");
    assert_eq!(stored(), 0);
    assert_eq!(atg(&bench, &server, &["tenants", "remove", &tenant, "--yes"]).code, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_says_when_to_come_back() {
    let bench = Bench::new(config(60));
    let mut command = bench.command();
    command.env("ATG_RATE_LIMIT_SCANS_PER_HOUR", "1");
    let server = ServerProcess::start(command, bench.folder());
    let tenant = bench.tenant().to_string();
    assert_eq!(atg(&bench, &server, &["scan", "--tenant-id", &tenant]).code, 0);
    let refused = atg(&bench, &server, &["scan", "--tenant-id", &tenant]);
    assert_eq!(refused.code, 8, "{refused:?}");
    assert!(refused.err.contains("try again in 60 min"), "{refused:?}");
}

#[test]
fn texts_need_no_server() {
    let folder = atg_tests::folder();
    let run = |arguments: &[&str]| run_cli(folder.path(), "http://127.0.0.1:1", KEY, arguments);
    for (shell, holds) in [
        ("bash", "complete -F _atg"),
        ("zsh", "#compdef atg"),
        ("fish", "complete -c atg"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let script = run(&["completions", shell]);
        assert_eq!(script.code, 0, "{script:?}");
        assert!(
            script.out.contains(holds) && script.out.contains("generate-spec"),
            "{shell}"
        );
    }
    for arguments in [&["keys"][..], &["help", "keys"]] {
        let text = run(arguments);
        assert_eq!(text.code, 0, "{text:?}");
        assert!(
            text.out.contains("atg-server keys create") && text.out.contains("ATG_API_KEY"),
            "{text:?}"
        );
    }
}
