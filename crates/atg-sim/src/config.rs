//! What a simulator is told at its start.

use std::sync::Arc;

use atg_models::Clock;

use crate::clock::SystemClock;
use crate::fault::Fault;
use crate::world::World;

/// Life of a token unless told otherwise, as Entra gives it at the least.
pub(crate) const TOKEN_TTL_S: u64 = 3_600;
/// Rows of a Resource Graph page at the most (documented).
pub(crate) const ARG_PAGE_ROWS: usize = 1_000;
/// Entries of an ARM list page.
pub(crate) const ARM_PAGE_ROWS: usize = 1_000;
/// Life of a skip token.
pub(crate) const SKIP_TOKEN_TTL_S: u64 = 3_600;

/// How a simulator runs. Start from [`SimConfig::new`].
#[derive(Clone)]
pub struct SimConfig {
    /// The tenant that is served.
    pub world: Arc<dyn World>,
    /// Further tenants at the same address: a call is of the tenant whose token it carries, and of the first one
    /// where it carries none of ours.
    pub beside: Vec<Arc<dyn World>>,
    /// Port on the loopback interface; 0 lets the system choose.
    pub port: u16,
    /// Serve HTTPS as well, with a certificate made at the start, and an HTTPS proxy that leads
    /// every host to it.
    pub tls: bool,
    /// Enforce the documented budgets.
    pub quotas: bool,
    /// Permutes rows where nothing orders them.
    pub order_seed: Option<u64>,
    /// Changes the casing of ids and types.
    pub casing_seed: Option<u64>,
    /// Mixed into tokens and request ids.
    pub seed: u64,
    /// Faults from the start.
    pub faults: Vec<Fault>,
    /// Life of a token in seconds.
    pub token_ttl_s: u64,
    /// Life of a skip token in seconds.
    pub skip_token_ttl_s: u64,
    /// The only client secret that is accepted; any, when absent.
    pub client_secret: Option<String>,
    /// The only static token that is accepted; any that is no token of this simulator's, when absent.
    pub static_token: Option<String>,
    /// Most rows of a Resource Graph page, below the documented bound.
    pub arg_page_rows: usize,
    /// Most entries of an ARM list page.
    pub arm_page_rows: usize,
    /// Most entries of a Microsoft Graph page.
    pub graph_page_rows: usize,
    /// Serve `/_sim/…`.
    pub control: bool,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
}

impl SimConfig {
    /// The documented behaviour, without faults, with the control endpoints.
    pub fn new(world: Arc<dyn World>) -> Self {
        Self {
            world,
            beside: Vec::new(),
            port: 0,
            tls: false,
            quotas: true,
            order_seed: None,
            casing_seed: None,
            seed: 7,
            faults: Vec::new(),
            token_ttl_s: TOKEN_TTL_S,
            skip_token_ttl_s: SKIP_TOKEN_TTL_S,
            client_secret: None,
            static_token: None,
            arg_page_rows: ARG_PAGE_ROWS,
            arm_page_rows: ARM_PAGE_ROWS,
            graph_page_rows: 999,
            control: true,
            clock: Arc::new(SystemClock),
        }
    }
}
