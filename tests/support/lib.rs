//! What the three test binaries share: a tenant with a server on it, scans without a server, the
//! programs, the OpenAPI document.
//!
//! Everything listens on free loopback ports and writes below temporary folders. Waits have
//! deadlines and end as soon as their state is there.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::disallowed_methods,
    reason = "this crate is test code: it fails by panicking, and has no clock but the system's"
)]

mod balancer;
mod bolt_proxy;
mod clock;
mod cut_reader;
mod database;
mod direct;
mod document;
mod fast_clock;
mod judge;
pub mod late_events;
mod memory;
mod programs;
mod proxy;
mod raw_client;
mod record;
mod results;
mod shifted;
mod socket;
mod stoppable;
mod wait;
mod witness;
mod world;

pub use balancer::Balancer;
pub use bolt_proxy::{BoltProxy, Cut};
pub use clock::AheadClock;
pub use cut_reader::{Merged, cut_readers};
pub use database::{Database, EMBEDDED, config as neo4j_config, emptied_neo4j};
pub use direct::{DirectScan, Folder, readers, readers_on, specify};
pub use document::{Described, Document};
pub use fast_clock::FastClock;
pub use judge::{Answer, JUDGE, Judge};
pub use memory::peak_mib;
pub use programs::{CliRun, ServerProcess, SimProcess, binary, run_cli, scratch};
pub use proxy::{Proxy, Treatment};
pub use record::{folder, issued, output, said};
pub use results::zip_of;
pub use shifted::ShiftedClock;
pub use socket::{Socket, open_socket, read_to_close};
pub use stoppable::Stoppable;
pub use wait::{DEADLINE, completion, until};
pub use witness::{Framing, Piece, SocketFrames, Start, StreamFrames, Wire, Witness};
pub use world::{KEY, Setup, World};
