//! Many readers of one job by all ways, each cut at random places while the job writes.

use atg_tests::{Setup, cut_readers};

/// `cargo xtask bench` does it with 1,000 readers that are cut 100 times each.
const READERS: usize = 100;
const CUTS: u32 = 20;

#[tokio::test(flavor = "multi_thread")]
async fn readers_that_are_cut_while_the_job_writes_miss_nothing_and_get_nothing_twice() {
    let (whole, merged) = cut_readers(Setup::new(7, 1_500), READERS, CUTS).await;
    assert!(whole.complete && whole.events > 10, "{whole:?}");
    assert_eq!(merged.len(), READERS);
    for log in merged {
        assert_eq!(log, whole);
    }
}
