//! The lines of a tenant, in the order of the export.

use std::sync::Arc;

use atg_models::TenantId;
use futures_util::stream::BoxStream;

use crate::StoreError;
use crate::graph_rules::{Digest, edge_line, node_line};
use crate::neo4j::driver::Driver;
use crate::neo4j::graph::edge_pages::EdgePages;
use crate::neo4j::graph::node_pages::NodePages;
use crate::neo4j::graph::store::blocking;
use crate::neo4j::graph::streams::{Pages, Reading, paged};

/// The export, line by line without line feeds.
pub(super) async fn lines(
    driver: &Arc<Driver>,
    tenant: TenantId,
) -> Result<BoxStream<'static, Result<String, StoreError>>, StoreError> {
    let reading = Reading::begin(driver, "exporting a tenant", tenant).await?;
    let lines = Lines::new(&reading);
    Ok(paged(reading, lines))
}

/// The digest of all lines.
pub(super) async fn digest(driver: &Arc<Driver>, tenant: TenantId) -> Result<String, StoreError> {
    let reading = Reading::begin(driver, "digesting a tenant", tenant).await?;
    let digest = digest_in(&reading).await?;
    reading.end().await?;
    Ok(digest)
}

/// As [`digest`], of a read whose end is the caller's.
pub(super) async fn digest_in(reading: &Reading) -> Result<String, StoreError> {
    let mut lines = Lines::new(reading);
    let mut digest = Digest::default();
    while let Some(page) = lines.next().await? {
        let take = move || {
            for line in page {
                digest.line(&line);
            }
            digest
        };
        digest = blocking(reading.doing, take).await?;
    }
    Ok(digest.hex())
}

struct Lines {
    nodes: NodePages,
    edges: EdgePages,
    all_nodes: bool,
}

impl Lines {
    fn new(reading: &Reading) -> Self {
        Self {
            nodes: NodePages::new(reading),
            edges: EdgePages::new(reading),
            all_nodes: false,
        }
    }
}

impl Pages for Lines {
    type Item = String;

    async fn next(&mut self) -> Result<Option<Vec<String>>, StoreError> {
        if !self.all_nodes {
            if let Some(page) = self.nodes.next().await? {
                return Ok(Some(page.iter().map(node_line).collect()));
            }
            self.all_nodes = true;
        }
        let page = self.edges.next().await?;
        Ok(page.map(|page| page.iter().map(edge_line).collect()))
    }
}
