//! Jobs: their record, their pure state machine, their event log, and who may run beside whom.

mod admission;
mod event;
mod machine;
mod record;
#[cfg(test)]
mod simulator;
#[cfg(test)]
mod tests;

pub use admission::{Active, TenantUse, Waiting, admit};
pub use event::{EventBody, JobEvent, LogLevel, Progress};
pub use machine::{Event, JobState, MachineState, OnCrash, Policy, Refused, WorkerId, apply};
pub use record::{ArtifactFile, ArtifactInfo, ArtifactName, JobError, JobFilter, JobRecord, NewJob};
