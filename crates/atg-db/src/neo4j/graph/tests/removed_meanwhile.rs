//! Whoever reads beside a removal gets what is there or nothing, and no word of damage.

use std::cell::Cell;

use atg_models::TenantId;
use uuid::Uuid;

use super::graph;
use crate::GraphStore;
use crate::contract::world::start;

/// Tenants that come and go: enough that a reader meets one on its way out, each time.
const TENANTS: u128 = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tenants_that_go_while_they_are_read_are_not_damaged() {
    let Some((store, _turn)) = graph().await else { return };
    let done = Cell::new(false);
    let reading = async {
        while !done.get() {
            store.tenants().await.unwrap();
        }
    };
    let coming_and_going = async {
        for number in 1..=TENANTS {
            let tenant = TenantId::new(Uuid::from_u128(number));
            let mut start = start(number, 1);
            start.tenant_id = tenant;
            store.begin_scan(start).await.unwrap();
            assert_eq!(store.last_scan(tenant).await.unwrap().unwrap().tenant_id, tenant);
            store.delete_tenant(tenant).await.unwrap();
            assert_eq!(store.last_scan(tenant).await.unwrap(), None);
        }
        done.set(true);
    };
    tokio::join!(reading, coming_and_going);
}
