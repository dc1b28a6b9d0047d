//! What this crate must never depend on, as a test: any tool may use it without taking a runtime along.

use std::process::Command;

#[test]
fn the_tree_holds_no_framework_runtime_or_database() {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "-p",
            "atg-models",
            "-e",
            "normal",
            "--prefix",
            "none",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let tree = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(tree.contains("serde_json"), "the tree was read: {tree}");
    for forbidden in [
        "actix",
        "tokio",
        "rusqlite",
        "reqwest",
        "hyper",
        "object_store",
        "utoipa",
    ] {
        let found = tree.lines().find(|line| line.starts_with(forbidden));
        assert_eq!(found, None);
    }
}
