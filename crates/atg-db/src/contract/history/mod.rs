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
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let tenants = [tenant_of(seed, 1), tenant_of(seed, 2)];
    let mut realities = tenants.map(|tenant| Reality::new(tenant, &mut dice));
    let mut told = told::Teller { one, other, seed };
    for number in 0..SCANS {
        let which = usize::from(dice.chance(25));
        let reality = &mut realities[which];
        if number > 0 {
            reality.pass_time(&mut dice);
        }
        told.scan(&mut dice, reality, number).await;
    }
    for tenant in tenants {
        let gone = (
            one.delete_tenant(tenant).await.unwrap(),
            other.delete_tenant(tenant).await.unwrap(),
        );
        assert_eq!(gone.0, gone.1, "seed {seed}: nodes of {tenant}");
        compare::tenant(one, other, tenant, seed, &mut dice).await;
    }
}

fn tenant_of(seed: u64, number: u128) -> TenantId {
    TenantId::new(Uuid::from_u128((u128::from(seed) << 32) | number))
}
