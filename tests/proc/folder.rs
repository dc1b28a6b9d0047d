//! The data folder: one server at a time.

use crate::bench::{Bench, client, config};

#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_on_a_folder_is_refused_by_name() {
    let bench = Bench::new(config(20));
    let first = bench.serve();
    let second = atg_tests::output(&mut bench.command()).unwrap();
    assert!(!second.status.success());
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(said.contains(bench.data().to_str().unwrap()), "{said}");
    assert_eq!(client(&first).health().await.unwrap().status, "healthy");
    // It is free again once the first is gone, however it went.
    first.kill();
    let third = bench.serve();
    assert!(third.terminate().success());
}

#[test]
fn a_configuration_that_cannot_be_obeyed_is_an_error_that_names_it() {
    let bench = Bench::new(config(20));
    let output = atg_tests::output(bench.command().env("ATG_SERVER_WORKERS", "none")).unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("ATG_SERVER_WORKERS"), "{said}");
    assert!(output.stdout.is_empty());
}
