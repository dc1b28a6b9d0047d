//! Follows one job by a thousand readers over sockets, event streams and long polls, each cut a hundred times while
//! the job writes, and fails unless each has merged the whole log: no gap, no duplicate, the completion. Arguments
//! are other numbers of readers and of cuts.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a bench prints, reads the system's clock, and fails by panicking"
)]

use std::time::Instant;

use atg_tests::{Setup, cut_readers};

const READERS: usize = 1_000;
const CUTS: u32 = 100;
/// Files that a reader needs at most: both ends of its line and of those before it, whose cut the server still learns.
const FILES_PER_READER: usize = 10;
/// Files that the process needs besides.
const OTHER_FILES: usize = 200;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let readers = arguments.next().map_or(READERS, |text| text.parse().unwrap());
    let cuts = arguments.next().map_or(CUTS, |text| text.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(measure(readers, cuts));
}

async fn measure(readers: usize, cuts: u32) {
    let needed = readers * FILES_PER_READER + OTHER_FILES;
    let limit = file_limit();
    assert!(needed <= limit, "{needed} open files are needed, {limit} are allowed");
    let setup = Setup::new(7, 10_000).setting("ATG_SERVER_WORKERS", "2");
    let started = Instant::now();
    let (whole, merged) = cut_readers(setup, readers, cuts).await;
    let seconds = started.elapsed().as_secs_f64();
    assert!(whole.complete, "{whole:?}");
    assert_eq!(merged.len(), readers);
    for log in merged {
        assert_eq!(log, whole, "a reader has merged another log");
    }
    println!(
        "| {readers} readers of one job, by sockets, event streams and long polls, each cut {cuts} times | no gap and no duplicate in the {} events of each, completion included ({seconds:.0} s) | – | – | 0 |",
        whole.events,
    );
}

/// What the server, which runs in this process, may raise its soft limit to.
fn file_limit() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    line.split_whitespace().nth(4).unwrap().parse().unwrap_or(usize::MAX)
}
