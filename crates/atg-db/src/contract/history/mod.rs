//! Random histories of a tenant, told to two stores that must not differ.
//!
//! A history is some scans of two tenants whose things come, go, move, change, come back and refer to each
//! other in every way that there is. Scans fail in part, are read through filters, are taken over, restart
//! partitions, send pages twice. The same calls go to both stores; each must answer alike, and after every
//! scan so must every query.

mod compare;
mod reality;
mod told;

use atg_models::TenantId;
use uuid::Uuid;

use super::dice::Dice;
use crate::GraphStore;
use reality::Reality;

/// Scans in a history.
const SCANS: usize = 4;

/// Tells the history of this seed to both stores and compares them all the way. Histories of other seeds may
/// be told to the same stores at the same time.
pub async fn told_alike<A: GraphStore, B: GraphStore>(one: &A, other: &B, seed: u64) {
    let mut history = History::new(seed);
    history.go_on(one, other, SCANS).await;
    history.end(one, other).await;
}

/// A history, as far as it is told.
pub struct History {
    seed: u64,
    dice: Dice,
    tenants: [TenantId; 2],
    realities: [Reality; 2],
    number: usize,
}

impl History {
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let tenants = [tenant_of(seed, 1), tenant_of(seed, 2)];
        let realities = tenants.map(|tenant| Reality::new(tenant, &mut dice));
        Self {
            seed,
            dice,
            tenants,
            realities,
            number: 0,
        }
    }

    /// Tells the next scans to two stores that know the same so far.
    pub async fn go_on<A: GraphStore, B: GraphStore>(&mut self, one: &A, other: &B, scans: usize) {
        let seed = self.seed;
        let mut told = told::Teller { one, other, seed };
        for _ in 0..scans {
            let which = usize::from(self.dice.chance(25));
            let reality = &mut self.realities[which];
            if self.number > 0 {
                reality.pass_time(&mut self.dice);
            }
            told.scan(&mut self.dice, reality, self.number).await;
            self.number += 1;
        }
    }

    /// All that can be asked is answered alike.
    pub async fn compare<A: GraphStore, B: GraphStore>(&mut self, one: &A, other: &B) {
        for tenant in self.tenants {
            compare::tenant(one, other, tenant, self.seed, &mut self.dice).await;
        }
    }

    /// Removes the tenants from both.
    pub async fn end<A: GraphStore, B: GraphStore>(mut self, one: &A, other: &B) {
        for tenant in self.tenants {
            let gone = (
                one.delete_tenant(tenant).await.unwrap(),
                other.delete_tenant(tenant).await.unwrap(),
            );
            assert_eq!(gone.0, gone.1, "seed {}: nodes of {tenant}", self.seed);
            compare::tenant(one, other, tenant, self.seed, &mut self.dice).await;
        }
    }
}

fn tenant_of(seed: u64, number: u128) -> TenantId {
    TenantId::new(Uuid::from_u128((u128::from(seed) << 32) | number))
}
