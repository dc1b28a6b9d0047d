//! One open event stream (`text/event-stream`): the same log and cursor as a socket's.
//!
//! The connection pulls: nothing waits in memory for a reader but the piece that is on its way. A
//! reader that takes too long over a piece is sent away, and comes back with its last id.

use actix_web::web;
use actix_web::web::{Bytes, BytesMut};
use atg_db::StoreError;
use atg_jobs::{EventReader, Item};
use atg_models::api::{EventFrame, FrameOptions};
use atg_models::{JobId, Seq, limits};
use futures_util::Stream;
use time::OffsetDateTime;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::socket::{SEND_TIMEOUT, STORE_RETRIES};
use crate::state::AppState;
use crate::streams::Seat;

/// What an event source ignores, so that proxies see the connection alive.
const KEEP_ALIVE: &[u8] = b": keep-alive\n\n";

struct Source {
    state: web::Data<AppState>,
    job: JobId,
    options: FrameOptions,
    reader: EventReader,
    /// When the last piece was handed to the connection.
    sent_at: OffsetDateTime,
    /// The key's place, and what shutdown waits for.
    _held: (Seat, TaskTrackerToken),
}

/// A stream that ends behind the job's completion, when the server drains, and for a reader that is too slow.
pub(crate) fn open(
    state: web::Data<AppState>,
    job: JobId,
    after: Seq,
    options: FrameOptions,
    seat: Seat,
) -> impl Stream<Item = Result<Bytes, StoreError>> + 'static {
    let source = Source {
        reader: state.engine.reader(job, after),
        sent_at: state.clock.now(),
        _held: (seat, state.tasks.token()),
        state,
        job,
        options,
    };
    // The head of the answer leaves with the first piece: a reader should not wait for an event to be sure.
    let first = futures_util::stream::once(async { Ok(Bytes::from_static(KEEP_ALIVE)) });
    let rest = futures_util::stream::unfold(Some(source), |source| async move {
        let mut source = source?;
        match source.piece().await {
            Ok(Some(piece)) => {
                source.sent_at = source.state.clock.now();
                Some((Ok(piece), Some(source)))
            }
            Ok(None) => None,
            Err(error) => {
                tracing::warn!(error = crate::error::chain(&error), "an event stream broke off");
                None
            }
        }
    });
    futures_util::StreamExt::chain(first, rest)
}

impl Source {
    /// The next piece, `None` at the end.
    async fn piece(&mut self) -> Result<Option<Bytes>, StoreError> {
        let clock = std::sync::Arc::clone(&self.state.clock);
        // The connection asks for the next piece as soon as it has room for one.
        if clock.now() - self.sent_at > SEND_TIMEOUT {
            return Ok(None);
        }
        let mut failures = 0;
        let mut keep_alive_at = clock.now() + limits::SOCKET_PING;
        loop {
            let item = tokio::select! {
                biased;
                () = self.state.draining.cancelled() => return Ok(None),
                item = self.reader.next() => item,
                () = clock.sleep_until(keep_alive_at) => return Ok(Some(Bytes::from_static(KEEP_ALIVE))),
            };
            match item {
                Ok(None) => return Ok(None),
                Ok(Some(item)) => {
                    if let Some(piece) = self.print(&item) {
                        return Ok(Some(piece));
                    }
                }
                Err(error) if error.is_retryable() && failures < STORE_RETRIES => {
                    failures += 1;
                    let wait = clock.now() + limits::REPLICA_POLL;
                    clock.sleep_until(wait).await;
                    keep_alive_at = clock.now() + limits::SOCKET_PING;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// An event's lines. JSON has no line breaks, so one `data` line holds it.
    fn print(&self, item: &Item) -> Option<Bytes> {
        let (id, name, data) = match item {
            Item::Event(event) => (event.seq, "", event.text(self.options)?),
            Item::Gap { from, to } => {
                let frame = EventFrame::gap(self.job, *from, *to, self.state.clock.now());
                (*to, "event: gap\n", Bytes::from(serde_json::to_vec(&frame).ok()?))
            }
        };
        let mut piece = BytesMut::from(format!("{name}id: {id}\ndata: ").as_bytes());
        piece.extend_from_slice(&data);
        piece.extend_from_slice(b"\n\n");
        Some(piece.freeze())
    }
}
