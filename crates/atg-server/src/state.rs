//! What every route can reach.

use std::sync::Arc;

use atg_db::{ArtifactStore, GraphStore, JobStore};
use atg_jobs::Engine;
use atg_models::{Clock, IdGen};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Config;
use crate::keys::Keys;
use crate::metrics::Meters;
use crate::rates::Rates;
use crate::streams::Streams;
use crate::tickets::Tickets;

/// What every route can reach. Built once, shared by all worker threads.
pub(crate) struct AppState {
    /// As loaded.
    pub(crate) config: Config,
    /// The graph.
    pub(crate) graph: Arc<dyn GraphStore>,
    /// Jobs and their logs.
    pub(crate) jobs: Arc<dyn JobStore>,
    /// What jobs published.
    pub(crate) artifacts: Arc<dyn ArtifactStore>,
    /// Who may call.
    pub(crate) keys: Arc<Keys>,
    /// Runs the jobs.
    pub(crate) engine: Engine,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
    /// What is counted.
    pub(crate) meters: Arc<Meters>,
    /// Randomness.
    pub(crate) ids: Arc<dyn IdGen>,
    /// Requests a minute.
    pub(crate) rates: Rates,
    /// What is held open.
    pub(crate) streams: Streams,
    /// Tickets for sockets.
    pub(crate) tickets: Tickets,
    /// Cancelled when the server takes no more work.
    pub(crate) draining: CancellationToken,
    /// Sockets, so that shutdown can wait for them.
    pub(crate) tasks: TaskTracker,
}
