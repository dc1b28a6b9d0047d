//! Stores that a test stops and starts: each call to a stopped one fails as a database does that cannot be reached.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use atg_db::{StoreCall, StoreError, StoreObserver};

/// Clones are one switch.
#[derive(Clone, Default)]
pub struct Stoppable(Arc<AtomicBool>);

impl Stoppable {
    /// From now on nothing is answered.
    pub fn stop(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// From now on everything is.
    pub fn start(&self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

impl StoreObserver for Stoppable {
    fn begins(&self, call: StoreCall) -> Result<(), StoreError> {
        if self.0.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable {
                doing: call.name,
                source: "stopped by a test".into(),
            });
        }
        Ok(())
    }
}
