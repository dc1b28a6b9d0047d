//! Waiting for a state, with a deadline.

use std::future::Future;
use std::time::{Duration, Instant};

use atg_client::Client;
use atg_models::JobId;
use atg_models::api::{CompletionFrame, Frame};

/// How long anything may take before a test fails.
pub const DEADLINE: Duration = Duration::from_mins(1);

/// Between two looks.
const LOOK: Duration = Duration::from_millis(5);

/// Looks until `look` answers something; fails with `what` after [`DEADLINE`].
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(started.elapsed() < DEADLINE, "waited in vain: {what}");
        tokio::time::sleep(LOOK).await;
    }
}

/// Waits for a job's end; fails when it does not come `within` so long.
pub async fn completion(client: &Client, job: JobId, within: Duration) -> CompletionFrame {
    let mut watch = client.watch(job);
    let follow = async {
        while let Some(frame) = watch.next().await.unwrap() {
            if let Frame::Completion(completion) = frame {
                return completion;
            }
        }
        panic!("{job} ended without a completion");
    };
    let waited = tokio::time::timeout(within, follow).await;
    waited.unwrap_or_else(|_| panic!("{job} did not end within {within:?}"))
}
