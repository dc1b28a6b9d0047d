//! Streams that stay open after their request was answered, by key: sockets and event streams end with their key.
//!
//! There is one token a key, not a task a stream: ten thousand readers cost ten thousand references.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use atg_auth::KeyPrefix;
use tokio_util::sync::CancellationToken;

/// The keys that have open streams.
#[derive(Debug, Default)]
pub(super) struct Streams {
    /// An entry whose streams have all ended is dropped at the next look.
    by_key: Mutex<HashMap<KeyPrefix, Weak<CancellationToken>>>,
}

/// Held by a stream for as long as it is open.
#[derive(Debug)]
pub(crate) struct StreamPass(Arc<CancellationToken>);

impl StreamPass {
    /// Resolves when the stream has to end, because its key was revoked or has expired: a socket closes with
    /// 1008, an event stream stops (`frames.take_until(pass.ended())`).
    pub(crate) async fn ended(self) {
        self.0.cancelled().await;
    }
}

impl Streams {
    /// A pass for a stream of this key; `None` when the key does not hold any more. That is asked under the lock
    /// of [`Streams::end_where`], so that no stream slips in behind its key's end.
    pub(super) fn enter(&self, prefix: &KeyPrefix, holds: impl FnOnce(&KeyPrefix) -> bool) -> Option<StreamPass> {
        let mut by_key = self.by_key.lock().unwrap_or_else(PoisonError::into_inner);
        if !holds(prefix) {
            return None;
        }
        let known = by_key.get(prefix).and_then(Weak::upgrade);
        let token = known.unwrap_or_else(|| {
            let token = Arc::new(CancellationToken::new());
            by_key.insert(prefix.clone(), Arc::downgrade(&token));
            token
        });
        Some(StreamPass(token))
    }

    /// Ends the streams of the keys for which `is_over` holds.
    pub(super) fn end_where(&self, is_over: impl Fn(&KeyPrefix) -> bool) {
        let mut by_key = self.by_key.lock().unwrap_or_else(PoisonError::into_inner);
        by_key.retain(|prefix, token| {
            let Some(token) = token.upgrade() else {
                return false;
            };
            if is_over(prefix) {
                tracing::info!(key = %prefix, "a key has ended, and so do its streams");
                token.cancel();
                return false;
            }
            true
        });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::{StreamExt as _, stream};

    use super::*;

    fn prefix(text: &str) -> KeyPrefix {
        KeyPrefix::from_stored(text).unwrap()
    }

    async fn has_ended(pass: StreamPass) -> bool {
        tokio::time::timeout(Duration::from_millis(20), pass.ended())
            .await
            .is_ok()
    }

    #[tokio::test]
    async fn ten_thousand_readers_of_a_key_end_together_and_no_other() {
        let streams = Streams::default();
        let (one, other) = (prefix("00000001"), prefix("00000002"));
        let readers: Vec<_> = (0..10_000).map(|_| streams.enter(&one, |_| true).unwrap()).collect();
        let stays = streams.enter(&other, |_| true).unwrap();
        streams.end_where(|_| false);
        streams.end_where(|prefix| *prefix == one);
        futures_util::future::join_all(readers.into_iter().map(StreamPass::ended)).await;
        assert!(!has_ended(stays).await);
    }

    #[tokio::test]
    async fn an_event_stream_stops_with_its_key() {
        let streams = Streams::default();
        let one = prefix("00000001");
        let pass = streams.enter(&one, |_| true).unwrap();
        let events = stream::repeat(1).take_until(pass.ended());
        streams.end_where(|_| true);
        assert_eq!(events.collect::<Vec<_>>().await, Vec::<i32>::new());
    }

    #[test]
    fn a_key_that_has_ended_opens_no_stream_and_ended_streams_leave_nothing() {
        let streams = Streams::default();
        let one = prefix("00000001");
        assert!(streams.enter(&one, |_| false).is_none());
        drop(streams.enter(&one, |_| true));
        assert_eq!(streams.by_key.lock().unwrap().len(), 1);
        streams.end_where(|_| false);
        assert_eq!(streams.by_key.lock().unwrap().len(), 0);
    }
}
