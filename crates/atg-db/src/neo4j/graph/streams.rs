//! Passing over all nodes and edges of a tenant in order, page by page, as one state.
//!
//! Pages are of several transactions. What makes them one state is the tenant's revision: it is compared at the
//! end with what it was before the first page, and a stream that met a change ends with an error.

use std::sync::Arc;

use atg_models::TenantId;
use atg_models::graph::Node;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt as _, TryStreamExt as _};

use crate::StoreError;
use crate::graph_rules::{StoredEdge, StoredNode};
use crate::graph_store::EdgeRow;
use crate::neo4j::driver::Driver;
use crate::neo4j::graph::edge_pages::EdgePages;
use crate::neo4j::graph::node_pages::NodePages;
use crate::neo4j::graph::scan::changed_meanwhile;
use crate::neo4j::graph::store::blocking;
use crate::neo4j::graph::tenants::{Revision, revision};

/// All live nodes with bodies, by id.
pub(super) async fn nodes(
    driver: &Arc<Driver>,
    tenant: TenantId,
) -> Result<BoxStream<'static, Result<Node, StoreError>>, StoreError> {
    let reading = Reading::begin(driver, "reading a tenant", tenant).await?;
    let pages = WholeNodes(NodePages::new(&reading));
    Ok(paged(reading, pages))
}

/// All edges, by source, relation, target and qualifier.
pub(super) async fn edges(
    driver: &Arc<Driver>,
    tenant: TenantId,
) -> Result<BoxStream<'static, Result<EdgeRow, StoreError>>, StoreError> {
    let reading = Reading::begin(driver, "reading a tenant's edges", tenant).await?;
    let pages = WholeEdges(EdgePages::new(&reading));
    Ok(paged(reading, pages))
}

/// A read of one state that takes more than one statement.
#[derive(Clone)]
pub(super) struct Reading {
    pub(super) driver: Arc<Driver>,
    pub(super) doing: &'static str,
    pub(super) tenant: TenantId,
    began: Option<Revision>,
}

impl Reading {
    pub(super) async fn begin(driver: &Arc<Driver>, doing: &'static str, tenant: TenantId) -> Result<Self, StoreError> {
        Ok(Self {
            driver: Arc::clone(driver),
            doing,
            tenant,
            began: revision(driver, doing, tenant).await?,
        })
    }

    /// Fails if anything was written since the beginning.
    pub(super) async fn end(&self) -> Result<(), StoreError> {
        if revision(&self.driver, self.doing, self.tenant).await? == self.began {
            Ok(())
        } else {
            Err(changed_meanwhile(self.doing))
        }
    }

    /// The state that is read.
    pub(super) fn revision(&self) -> Option<&Revision> {
        self.began.as_ref()
    }

    /// A page with what is JSON in it parsed, off the threads that serve.
    async fn parsed<S: Send + 'static, T: Send + 'static>(
        &self,
        page: Vec<S>,
        whole: fn(S) -> serde_json::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let doing = self.doing;
        let parsing = blocking(doing, move || page.into_iter().map(whole).collect());
        let parsed: serde_json::Result<_> = parsing.await?;
        parsed.map_err(|error| StoreError::Corrupt {
            doing,
            problem: error.to_string(),
        })
    }
}

/// What comes in pages.
pub(super) trait Pages: Send + 'static {
    type Item: Send + 'static;

    /// The next page, in order; `None` at the end. A page may be empty.
    fn next(&mut self) -> impl Future<Output = Result<Option<Vec<Self::Item>>, StoreError>> + Send;
}

/// The pages' items, and an error at the end if they are not of one state. A page is read when its
/// first item is asked for: a reader that is slow or goes away keeps nothing busy.
pub(super) fn paged<P: Pages>(reading: Reading, pages: P) -> BoxStream<'static, Result<P::Item, StoreError>> {
    stream::try_unfold((reading, pages), |(reading, mut pages)| async move {
        match pages.next().await {
            Ok(Some(items)) => Ok(Some((items, (reading, pages)))),
            Ok(None) => reading.end().await.map(|()| None),
            // What was removed meanwhile is not damaged.
            Err(damaged @ StoreError::Corrupt { .. }) => {
                reading.end().await?;
                Err(damaged)
            }
            Err(error) => Err(error),
        }
    })
    .map_ok(|items| stream::iter(items.into_iter().map(Ok)))
    .try_flatten()
    .boxed()
}

struct WholeNodes(NodePages);

impl Pages for WholeNodes {
    type Item = Node;

    async fn next(&mut self) -> Result<Option<Vec<Node>>, StoreError> {
        match self.0.next().await? {
            Some(page) => self.0.reading().parsed(page, StoredNode::whole).await.map(Some),
            None => Ok(None),
        }
    }
}

struct WholeEdges(EdgePages);

impl Pages for WholeEdges {
    type Item = EdgeRow;

    async fn next(&mut self) -> Result<Option<Vec<EdgeRow>>, StoreError> {
        match self.0.next().await? {
            Some(page) => self.0.reading().parsed(page, StoredEdge::whole).await.map(Some),
            None => Ok(None),
        }
    }
}
