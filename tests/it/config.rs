//! What a server is started with: every problem is told, secrets never are.

use atg_server::load_config;
use atg_tests::{KEY, Setup};

fn load(pairs: &[(&str, &str)], file: Option<&str>, dotenv: Option<&str>) -> Result<String, Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: Option<&str>| {
        text.map(|text| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        })
    };
    let (file, dotenv) = (write("atg.toml", file), write(".env", dotenv));
    let pairs = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    match load_config(pairs, dotenv.as_deref(), file.as_deref(), None) {
        Ok(loaded) => Ok(loaded.effective),
        Err(problems) => Err(problems.iter().map(ToString::to_string).collect()),
    }
}

#[test]
fn a_misspelt_name_gets_the_closest_one() {
    let problems = load(
        &[("ATG_SERVER_PROT", "1"), ("ATG_SERVICE_URL", "x"), ("PATH", "y")],
        None,
        None,
    )
    .unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("ATG_SERVER_PORT"), "{problems:?}");
}

#[test]
fn every_problem_is_told() {
    let wrong = [
        ("ATG_SERVER_PORT", "0"),
        ("ATG_SERVER_WORKERS", "0"),
        ("ENVIRONMENT", "moon"),
        ("ATG_MAX_CONCURRENT_OPS", "65"),
        ("ATG_API_KEYS", "short"),
        ("ATG_ARTIFACT_TTL", "soon"),
    ];
    let problems = load(&wrong, None, None).unwrap_err();
    for (name, _) in wrong {
        assert!(
            problems.iter().any(|problem| problem.starts_with(name)),
            "{name}: {problems:?}"
        );
    }
}

#[test]
fn production_takes_no_star() {
    let settings = [("ENVIRONMENT", "production"), ("CORS_ALLOWED_ORIGINS", "*")];
    let problems = load(&settings, None, None).unwrap_err();
    assert!(problems[0].starts_with("CORS_ALLOWED_ORIGINS"), "{problems:?}");
}

#[test]
fn the_process_wins_over_the_files_and_secrets_are_stars() {
    let effective = load(
        &[("ATG_SERVER_PORT", "9001"), ("ATG_API_KEYS", KEY)],
        Some("atg_server_port = 9003\natg_server_workers = 3\natg_log = \"warn\""),
        Some("ATG_SERVER_PORT=9002\nATG_SERVER_WORKERS=2\n"),
    )
    .unwrap();
    let line = |name: &str| {
        let found = effective.lines().find(|line| line.starts_with(name));
        found.unwrap_or_else(|| panic!("{name} in {effective}")).to_owned()
    };
    assert!(line("ATG_SERVER_PORT").contains("9001"), "{effective}");
    assert!(line("ATG_SERVER_WORKERS").contains('2'), "{effective}");
    assert!(line("ATG_LOG ").contains("warn"), "{effective}");
    assert!(!effective.contains(KEY), "{effective}");
}

#[test]
fn a_malformed_line_is_named_and_not_shown() {
    let problems = load(&[], None, Some("ATG_API_KEYS='half secret\n")).unwrap_err();
    let text = problems.join("\n");
    assert!(text.contains(".env"), "{text}");
    assert!(!text.contains("half secret"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn links_lead_to_the_public_address() {
    let world = Setup::new(7, 50)
        .setting("ATG_PUBLIC_URL", "https://atg.example.com")
        .start()
        .await;
    let body = serde_json::json!({"tenant_id": world.tenant});
    let response = world.post("/api/v1/scan", &body).await;
    let location = response.headers()["operation-location"].to_str().unwrap().to_owned();
    assert!(
        location.starts_with("https://atg.example.com/api/v1/operations/scan-"),
        "{location}"
    );
    let taken: serde_json::Value = response.json().await.unwrap();
    let socket = taken["websocket_url"].as_str().unwrap();
    assert!(
        socket.starts_with("wss://atg.example.com/ws/progress/scan-"),
        "{socket}"
    );
}
