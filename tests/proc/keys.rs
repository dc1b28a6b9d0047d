//! `atg-server keys`, beside a running server and without one.

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};
use std::time::Instant;

use atg_models::limits::REVOKED_CLOSE_WITHIN;
use atg_tests::{ServerProcess, open_socket, read_to_close, until};
use serde_json::Value;

use crate::bench::{Bench, config, slow};

/// Runs a command on the keys of a bench's folder.
pub(crate) fn keys(bench: &Bench, arguments: &[&str]) -> Output {
    finish(bench.command(), arguments)
}

fn finish(mut command: Command, arguments: &[&str]) -> Output {
    let output = command.arg("keys").args(arguments).output().unwrap();
    // These hand a key out, and say the rest elsewhere.
    match arguments.first() {
        Some(&("create" | "rotate")) => atg_tests::issued(text(&output.stdout).trim()),
        _ => atg_tests::said(&output.stdout),
    }
    atg_tests::said(&output.stderr);
    output
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// A command that has to succeed; what it printed.
pub(crate) fn done(bench: &Bench, arguments: &[&str]) -> String {
    let output = keys(bench, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout).to_owned()
}

/// Makes a key: the only thing on the standard output, and nowhere else.
pub(crate) fn make(bench: &Bench, arguments: &[&str]) -> String {
    let output = keys(bench, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    let key = text(&output.stdout).strip_suffix('\n').unwrap().to_owned();
    assert_eq!(key.parse::<atg_auth::ApiKey>().unwrap().expose(), key);
    let secret = key.get(key.len() - 56..).unwrap();
    assert!(!text(&output.stderr).contains(secret), "{}", text(&output.stderr));
    key
}

pub(crate) async fn get(server: &ServerProcess, key: &str) -> (u16, Value) {
    let http = reqwest::Client::builder().build().unwrap();
    let request = http.get(format!("{}/api/v1/operations", server.url)).bearer_auth(key);
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

/// Waits until a key is answered so, and says how long that took.
async fn answered(server: &ServerProcess, key: &str, status: u16) -> std::time::Duration {
    let started = Instant::now();
    until("the key is answered so", async || {
        (get(server, key).await.0 == status).then_some(())
    })
    .await;
    started.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_server_sees_every_change_within_a_second() {
    let mut settings = config(60);
    settings.faults = vec![slow(2_000)];
    let bench = Bench::new(settings);
    let server = bench.serve();
    let job = bench.start_scan(&server).await;
    let key = make(&bench, &["create", "--name", "ci", "--expires-in", "30d"]);
    let took = answered(&server, &key, 200).await;
    assert!(took < REVOKED_CLOSE_WITHIN, "{took:?}");
    let mut socket = open_socket(&server.url, &format!("/ws/progress/{job}"), Some(&key))
        .await
        .unwrap();

    let listed: Value = serde_json::from_str(&done(&bench, &["list", "--json"])).unwrap();
    let ci = &listed[0];
    assert_eq!(
        (&ci["name"], &ci["status"], &ci["tenants"]),
        (&"ci".into(), &"active".into(), &"all".into())
    );
    assert_eq!(ci["scopes"], serde_json::json!(["read", "operate"]));
    assert_eq!(ci["prefix"].as_str(), key.get(8..16));
    assert!(ci["expires_at"].is_string() && ci["revoked_at"].is_null(), "{ci}");
    let table = done(&bench, &["list"]);
    assert!(
        table.starts_with("NAME  PREFIX") && table.contains("read,operate"),
        "{table}"
    );

    done(&bench, &["revoke", "ci"]);
    let started = Instant::now();
    assert_eq!(read_to_close(&mut socket).await.1, 1008);
    assert!(started.elapsed() < REVOKED_CLOSE_WITHIN, "{:?}", started.elapsed());
    let took = answered(&server, &key, 401).await;
    assert!(took < REVOKED_CLOSE_WITHIN, "{took:?}");
    assert_eq!(get(&server, &key).await.1["error"]["message"], "Invalid API key");
    let listed: Value = serde_json::from_str(&done(&bench, &["list", "--json"])).unwrap();
    assert_eq!(listed[0]["status"], "revoked");
    crate::bench::client(&server).cancel(job).await.unwrap();
    assert!(server.terminate().success());
    // What was used was written down.
    let listed: Value = serde_json::from_str(&done(&bench, &["list", "--json"])).unwrap();
    assert!(listed[0]["last_used_at"].is_string(), "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_key_goes_on_for_its_overlap() {
    let bench = Bench::new(config(20));
    let server = bench.serve();
    let first = make(&bench, &["create", "--name", "ci", "--scopes", "read"]);
    answered(&server, &first, 200).await;
    let second = make(&bench, &["rotate", "ci"]);
    answered(&server, &second, 200).await;
    assert_eq!(get(&server, &first).await.0, 200);
    let third = make(&bench, &["rotate", "ci", "--overlap", "0s"]);
    answered(&server, &third, 200).await;
    answered(&server, &second, 401).await;
    assert_eq!(get(&server, &second).await.1["error"]["message"], "API key expired");
    // The first one's overlap is its own.
    assert_eq!(get(&server, &first).await.0, 200);
    // The name stands for all of them.
    done(&bench, &["revoke", "ci"]);
    for key in [&first, &third] {
        answered(&server, key, 401).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_can_be_made_before_the_first_start() {
    let bench = Bench::new(config(20));
    let production = || {
        let mut command = bench.command();
        command.env_remove("ATG_API_KEYS").env("ENVIRONMENT", "production");
        command
    };
    for arguments in [&["serve"][..], &["check-config"]] {
        let refused = atg_tests::output(production().args(arguments)).unwrap();
        assert!(!refused.status.success());
        assert!(
            text(&refused.stderr).contains("atg-server keys create"),
            "{}",
            text(&refused.stderr)
        );
    }
    std::fs::remove_dir_all(bench.data()).unwrap();
    let made = finish(production(), &["create", "--name", "first"]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let key = text(&made.stdout).trim();
    assert!(key.starts_with("atg_production_"));
    let mode = std::fs::metadata(bench.data()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    assert!(
        atg_tests::output(production().arg("check-config"))
            .unwrap()
            .status
            .success()
    );
    let server = ServerProcess::start(production(), bench.folder());
    assert_eq!(get(&server, key).await.0, 200);
    assert_eq!(get(&server, atg_tests::KEY).await.0, 401);
    assert!(server.terminate().success());
}

#[test]
fn a_wrong_command_line_names_the_rule_and_makes_nothing() {
    let bench = Bench::new(config(20));
    let secret = format!("atg_dev_{}", "c".repeat(64));
    let long = "n".repeat(65);
    let cases: &[(&[&str], &str)] = &[
        (&["create"], "--name"),
        (&["create", "--name", ""], "--name must be 1 to 64 letters"),
        (&["create", "--name", &long], "--name must be 1 to 64 letters"),
        (&["create", "--name", &secret], "--name must be 1 to 64 letters"),
        (&["create", "--name", "config-1"], "--name must not be"),
        (
            &["create", "--name", "ci", "--scopes", "write"],
            "--scopes must be read, operate or admin",
        ),
        (
            &["create", "--name", "ci", "--tenants", "mine"],
            "--tenants must be all, or",
        ),
        (
            &["create", "--name", "ci", "--expires-in", "soon"],
            "--expires-in must be a duration",
        ),
        (
            &["create", "--name", "ci", "--expires-at", "soon"],
            "--expires-at must be a time",
        ),
        (
            &["create", "--name", "ci", "--expires-at", "2001-01-01T00:00:00Z"],
            "must lie in the future",
        ),
        (
            &[
                "create",
                "--name",
                "ci",
                "--expires-in",
                "1d",
                "--expires-at",
                "2101-01-01T00:00:00Z",
            ],
            "cannot be used with",
        ),
        (&["rotate", "ci", "--overlap", "1000d"], "--overlap must be a duration"),
        (&["revoke", &secret], "NAME must be 1 to 64 letters"),
        (&["nonsense"], "nonsense"),
    ];
    for (arguments, rule) in cases {
        let output = keys(&bench, arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(rule), "{arguments:?}: {said}");
        assert!(
            output.stdout.is_empty() && !said.contains("cccc"),
            "{arguments:?}: {said}"
        );
    }
    assert!(!bench.data().exists(), "a wrong command line makes nothing");
}

#[test]
fn what_cannot_be_done_says_why() {
    let bench = Bench::new(config(20));
    let tenant = bench.tenant().to_string();
    make(
        &bench,
        &["create", "--name", "ci", "--tenants", &tenant, "--scopes", "admin"],
    );
    make(&bench, &["create", "--name", "gone"]);
    done(&bench, &["revoke", "gone"]);
    for (arguments, reason) in [
        (
            &["create", "--name", "ci"][..],
            "there is a living key with the name ci",
        ),
        (&["revoke", "nobody"], "there is no key with the name nobody"),
        (&["rotate", "nobody"], "there is no key with the name nobody"),
        (&["revoke", "gone"], "the key gone is revoked already"),
        (&["rotate", "gone"], "the key gone is revoked already"),
    ] {
        let output = keys(&bench, arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(
            said.contains(reason) && output.stdout.is_empty(),
            "{arguments:?}: {said}"
        );
    }
    let listed: Value = serde_json::from_str(&done(&bench, &["list", "--json"])).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert_eq!(listed[0]["tenants"], serde_json::json!([tenant]));
    assert_eq!(listed[0]["scopes"], serde_json::json!(["read", "operate", "admin"]));
}
