//! What must hold of a job, however it ended.

use atg_db::ArtifactStore as _;
use atg_models::Seq;
use atg_models::job::{EventBody, JobEvent, JobRecord, JobState};
use futures_util::TryStreamExt as _;
use sha2::{Digest as _, Sha256};

use super::bench::Bench;
use atg_tests::until;

/// The lines of a log that say that something is done: one each, however often it was tried to be said.
fn milestones(events: &[JobEvent]) -> Vec<String> {
    let lines = events.iter().filter_map(|event| match &event.body {
        EventBody::Log { message, .. } => Some(message.clone()),
        EventBody::Progress(_) | EventBody::Error(_) | EventBody::Completion { .. } => None,
    });
    let mut lines: Vec<String> = lines.filter(|line| line.ends_with(": read")).collect();
    // Steps run side by side.
    lines.sort();
    lines
}

/// A job's whole log. No event is missing, none is there twice, and it ends once.
pub(super) async fn log(bench: &Bench, record: &JobRecord, what: &str) -> Vec<String> {
    let page = bench.stores.jobs.events(record.id, Seq::ZERO, 1_000).await.unwrap();
    assert!(page.complete && page.gap.is_none(), "{what}: {page:?}");
    for (expected, event) in (1..).zip(&page.events) {
        assert_eq!(event.seq, Seq::new(expected), "{what}");
    }
    let ends: Vec<usize> = (0..page.events.len())
        .filter(|at| matches!(page.events[*at].body, EventBody::Completion { .. }))
        .collect();
    assert_eq!(ends, [page.events.len() - 1], "{what}: one completion, at the end");
    let percents: Vec<f64> = page
        .events
        .iter()
        .filter_map(|event| match &event.body {
            EventBody::Progress(progress) => Some(progress.percent),
            EventBody::Log { .. } | EventBody::Error(_) | EventBody::Completion { .. } => None,
        })
        .collect();
    let falls = percents.windows(2).filter(|pair| pair[1] < pair[0]).count();
    let later_attempts = usize::try_from(record.machine.attempt).unwrap().saturating_sub(1);
    assert!(
        falls <= later_attempts,
        "{what}: progress fell inside an attempt: {percents:?}"
    );
    let errors = page
        .events
        .iter()
        .filter(|event| matches!(event.body, EventBody::Error(_)))
        .count();
    assert_eq!(errors, usize::from(record.machine.state == JobState::Failed), "{what}");
    milestones(&page.events)
}

/// The hash of what a job has published: whole if it succeeded, nothing at all if it did not.
pub(super) async fn artifact(bench: &Bench, record: &JobRecord, what: &str) -> Option<String> {
    let artifacts = &bench.stores.plain.artifacts;
    let published = bench.folder.path().join("artifacts/artifacts");
    // An upload that was dropped takes its staged file back on another thread.
    until("no upload is left half done", async || {
        let names = std::fs::read_dir(published.join(record.id.to_string())).map(|entries| {
            entries
                .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
                .filter(|name| name.contains('#'))
                .count()
        });
        (names.unwrap_or_default() == 0).then_some(())
    })
    .await;
    let Some(said) = &record.artifact else {
        let files = std::fs::read_dir(published.join(record.id.to_string()));
        assert_eq!(files.map_or(0, Iterator::count), 0, "{what}");
        return None;
    };
    assert_eq!(record.machine.state, JobState::Succeeded, "{what}");
    let parts: Vec<bytes::Bytes> = artifacts
        .open(said.name(record.id), None)
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    let bytes = parts.concat();
    assert_eq!(bytes.len(), usize::try_from(said.size_bytes).unwrap(), "{what}");
    let hash = Sha256::digest(&bytes)
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    assert_eq!(hash, said.sha256, "{what}");
    Some(hash)
}
