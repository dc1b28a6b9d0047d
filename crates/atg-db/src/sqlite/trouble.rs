//! What a file's failures say about it: the disk takes no writes, or the file is damaged.

use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::ErrorCode;

use crate::sqlite::fault::{Fault, Outcome};

/// What is wrong with a file at the moment, as its last uses have shown.
#[derive(Debug, Default)]
pub(crate) struct Trouble {
    takes_no_writes: AtomicBool,
    is_damaged: AtomicBool,
}

impl Trouble {
    /// Learns from a write.
    pub(crate) fn after_write<T>(&self, outcome: &Outcome<T>) {
        match outcome {
            Ok(_) => self.takes_no_writes.store(false, Ordering::Relaxed),
            Err(fault) => {
                if matches!(
                    code(fault),
                    Some(
                        ErrorCode::DiskFull
                            | ErrorCode::SystemIoFailure
                            | ErrorCode::ReadOnly
                            | ErrorCode::CannotOpen
                            | ErrorCode::PermissionDenied
                    )
                ) {
                    self.takes_no_writes.store(true, Ordering::Relaxed);
                }
                self.after_fault(fault);
            }
        }
    }

    /// Learns from a failure of any kind. Damage stays until the file is opened again.
    pub(crate) fn after_fault(&self, fault: &Fault) {
        if matches!(code(fault), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)) {
            self.is_damaged.store(true, Ordering::Relaxed);
        }
    }

    /// The last write failed, and not because of what was written.
    pub(crate) fn takes_no_writes(&self) -> bool {
        self.takes_no_writes.load(Ordering::Relaxed)
    }

    /// SQLite has found something that it cannot have written.
    pub(crate) fn is_damaged(&self) -> bool {
        self.is_damaged.load(Ordering::Relaxed)
    }
}

fn code(fault: &Fault) -> Option<ErrorCode> {
    match fault {
        Fault::Sql(error) => error.sqlite_error_code(),
        Fault::Row(_) | Fault::Store(_) => None,
    }
}
