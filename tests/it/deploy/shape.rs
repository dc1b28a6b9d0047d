//! Probes, versions, and the time that a stop is given.

use atg_models::limits;
use serde_json::Value;

use super::{all, files, one, text};

/// What a stop takes beside the jobs: sockets 3 s, open requests 5 s of each of two listeners, letting go 2 s.
const REST_SECONDS: i64 = 15;

fn number(pattern: &str, text: &str) -> i64 {
    one(pattern, text).parse().unwrap()
}

#[test]
fn every_probe_asks_a_route_of_the_server() {
    let document: Value = serde_json::from_str(&atg_server::openapi_json().unwrap()).unwrap();
    let mut asked = 0;
    for (path, text) in files() {
        for route in all(r"path: '?(/[a-z]\w*)'?\n", &text) {
            assert!(document["paths"][&route].get("get").is_some(), "{path} asks {route}");
            asked += 1;
        }
    }
    assert!(asked >= 6, "{asked}");
}

#[test]
fn a_stop_is_given_the_time_that_it_takes() {
    let drain = limits::SHUTDOWN_GRACE.whole_seconds() + REST_SECONDS;
    let deployment = text("deploy/k8s/base/deployment.yaml");
    let until_quiet = number(r"sleep:\s+seconds: (\d+)", &deployment);
    assert!(number(r"terminationGracePeriodSeconds: (\d+)", &deployment) > until_quiet + drain);
    let bicep = text("deploy/bicep/main.bicep");
    assert!(number(r"terminationGracePeriodSeconds: (\d+)", &bicep) > drain);
    for path in ["deploy/compose.yaml", "deploy/compose.embedded.yaml"] {
        let text = text(path);
        let server = text.split("\n  neo4j:\n").next().unwrap();
        assert!(number(r"stop_grace_period: (\d+)s", server) > drain, "{path}");
    }
}

#[test]
fn images_carry_the_version_and_the_compiler_of_the_workspace() {
    let version = env!("CARGO_PKG_VERSION");
    let mut named = 0;
    for (path, text) in files() {
        for tag in all(r"(?:\batg:|newTag: |ARG VERSION=)(\d+\.\d+\.\d+)", &text) {
            assert_eq!(tag, version, "{path}");
            named += 1;
        }
    }
    assert!(named >= 6, "{named}");
    let compiler = one(r#"rust-version = "([\d.]+)""#, &text("Cargo.toml"));
    assert_eq!(one(r"BUILD_IMAGE=rust:([\d.]+)-", &text("deploy/Dockerfile")), compiler);
}

/// The image's context is a list of what is let in: all that cargo needs must be on it.
#[test]
fn the_context_of_the_image_holds_the_workspace() {
    let let_in = all(r"(?m)^!(\S+)$", &text(".dockerignore"));
    for member in all(
        r#""([a-z]+)(?:/\*)?""#,
        &one(r"(?m)^members = \[(.*)\]", &text("Cargo.toml")),
    ) {
        assert!(let_in.contains(&member), "{member}");
    }
    for file in ["Cargo.toml", "Cargo.lock"] {
        assert!(let_in.iter().any(|name| name == file), "{file}");
    }
}

#[test]
fn every_server_runs_with_the_least_rights() {
    let deployment = text("deploy/k8s/base/deployment.yaml");
    for line in [
        "enableServiceLinks: false",
        "runAsNonRoot: true",
        "readOnlyRootFilesystem: true",
        "allowPrivilegeEscalation: false",
        "automountServiceAccountToken: false",
        "replicas: 3",
    ] {
        assert!(deployment.contains(line), "{line}");
    }
    for path in ["deploy/compose.yaml", "deploy/compose.embedded.yaml"] {
        let text = text(path);
        let server = text.split("\n  neo4j:\n").next().unwrap();
        for line in [
            "read_only: true",
            "no-new-privileges:true",
            "cap_drop:\n      - ALL",
            "user: 65532:65532",
        ] {
            assert!(server.contains(line), "{path}: {line}");
        }
    }
}
