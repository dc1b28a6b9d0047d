//! What the same orders come to when nobody disturbs: the graphs and the code on a server of its own with the embedded
//! store, the specifications, whose placeholders are the store's own, where the others were made.

use std::collections::BTreeMap;

use atg_models::{JobId, TenantId};
use atg_tests::{KEY, ServerProcess};
use serde_json::Value;

use super::artifacts;
use super::fleet::Fleet;
use super::reader::{Way, follow};
use super::work::{Order, Wanted};

/// Graphs by their digests, zips by their hashes.
pub(crate) struct Undisturbed {
    pub(crate) digests: BTreeMap<TenantId, String>,
    pub(crate) hashes: BTreeMap<(Wanted, TenantId), String>,
    /// The only tenant of which scans are cancelled, and whose files may say so.
    pub(crate) cancelled_in: TenantId,
}

impl Undisturbed {
    /// Of the tenants of these servers, which are undisturbed by now.
    pub(crate) async fn of(fleet: &Fleet) -> Self {
        let folder = atg_tests::folder();
        let mut command = ServerProcess::command(folder.path(), fleet.azure.url());
        fleet.azure.sign_in(&mut command, folder.path());
        let own = tokio::task::block_in_place(|| ServerProcess::start(command, folder.path()));
        let mut known = Self {
            digests: BTreeMap::new(),
            hashes: BTreeMap::new(),
            cancelled_in: fleet.azure.tenants[0],
        };
        for tenant in &fleet.azure.tenants {
            let (_, scanned) = carried_out(&own.url, Wanted::Scan, *tenant).await;
            let digest = scanned["graph_digest"].as_str().unwrap();
            known.digests.insert(*tenant, digest.to_owned());
            // The last scan there may have been cancelled.
            let (_, scanned) = carried_out(fleet.url(), Wanted::Scan, *tenant).await;
            assert_eq!(scanned["graph_digest"], digest, "{scanned}");
            for wanted in Wanted::FILES {
                let url = match wanted {
                    Wanted::Specification => fleet.url(),
                    Wanted::Code(_) | Wanted::Scan => &own.url,
                };
                let (job, _) = carried_out(url, wanted, *tenant).await;
                known.hashes.insert((wanted, *tenant), artifacts::whole(url, job).await);
            }
        }
        known
    }
}

/// The job, and its result.
async fn carried_out(url: &str, wanted: Wanted, tenant: TenantId) -> (JobId, Value) {
    let order = Order::plain(
        format!("undisturbed-{wanted:?}-{tenant}").replace(['"', '(', ')'], ""),
        wanted,
        tenant,
    );
    let job = order.give(url).await.job;
    let heard = follow(url.to_owned(), KEY.to_owned(), job, Way::Poll, 0).await;
    let end = heard.frames.last().unwrap().clone();
    assert_eq!(end["status"], "completed", "{end}");
    (job, end["result"].clone())
}
