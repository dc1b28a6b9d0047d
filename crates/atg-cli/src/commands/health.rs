//! `atg health`: how the server is.

use atg_client::Client;
use atg_models::api::StoreStatus;

use crate::exit::Failure;
use crate::out;

pub(super) async fn run(client: &Client, json: bool) -> Result<(), Failure> {
    let health = client.health().await?;
    if json {
        out::json(&health);
        return Ok(());
    }
    let store = match health.neo4j_status {
        StoreStatus::Connected => "connected",
        StoreStatus::Disconnected => "DISCONNECTED",
    };
    out::line(&format!("  status     {}", health.status));
    out::line(&format!("  version    {} ({})", health.version, health.environment));
    out::line(&format!("  graph      {store}"));
    Ok(())
}
