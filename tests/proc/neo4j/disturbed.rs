//! A scan under way on a database that is about to fail, and what it has to come to all the same.

use atg_models::JobId;

use super::log::{completed, is_that_of};
use super::watch::Watch;
use super::{Held, Patient, undisturbed};

/// Calls to Azure before anything fails.
const DEPTH: u64 = 10;

pub(crate) struct Disturbed {
    pub(crate) patient: Patient,
    pub(crate) watch: Watch,
    pub(crate) job: JobId,
    digest: String,
    before: Held,
}

impl Disturbed {
    /// `None` without the jars of Neo4j.
    pub(crate) async fn begin() -> Option<Self> {
        Some(Self::of(Patient::new().await?).await)
    }

    /// With what is held before, and a health that says so.
    pub(crate) async fn of(patient: Patient) -> Self {
        let digest = undisturbed().await;
        let before = patient.held_at_rest().await;
        let watch = Watch::of(&patient.world);
        watch.says("connected").await;
        let job = patient.scan_up_to(DEPTH).await;
        Self {
            patient,
            watch,
            job,
            digest,
            before,
        }
    }

    /// The health says what is, and requests are refused.
    pub(crate) async fn is_down(&self) {
        self.watch.says("disconnected").await;
        self.patient.refuses(self.job).await;
    }

    /// The database is back: the scan comes to what it comes to undisturbed, health was answered all the time, and no
    /// more is held than before.
    pub(crate) async fn goes_on(self) {
        self.watch.says("connected").await;
        is_that_of(&self.digest, &completed(&self.patient.world, self.job).await);
        self.watch.was_answered().await;
        self.patient.settles(self.before).await;
    }
}
