//! The simulators of these tests.

use std::sync::Arc;

use atg_models::api::ScanResult;
use atg_sim::world::{SeededWorld, World};
use atg_sim::{SimConfig, Simulator};
use atg_tests::{DirectScan, Folder};

/// A seeded tenant without quotas and with small pages, so that a small tenant has several.
pub(crate) fn config(resources: usize) -> SimConfig {
    of_world(Arc::new(SeededWorld::new(7, resources)))
}

/// The same for any tenant.
pub(crate) fn of_world(world: Arc<dyn World>) -> SimConfig {
    let mut config = SimConfig::new(world);
    config.quotas = false;
    config.arg_page_rows = 40;
    config.arm_page_rows = 40;
    config.graph_page_rows = 20;
    config
}

/// A folder with one scan of this simulator.
pub(crate) async fn scanned(config: SimConfig) -> (Folder, Simulator, ScanResult) {
    let sim = Simulator::start(config).unwrap();
    let folder = Folder::default();
    let result = DirectScan::new(&folder, &sim, 1).run().await.unwrap();
    (folder, sim, result)
}
