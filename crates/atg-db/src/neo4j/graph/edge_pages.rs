//! A tenant's edges in pages, by source, relation, target and qualifier.
//!
//! Sources are listed with their numbers of edges, so that a page takes as many sources as fill it. The edges
//! of a source are sorted here. One that alone fills more than a page is passed over again for each page of it:
//! memory stays bounded, and such sources are few.

use std::collections::VecDeque;

use crate::StoreError;
use crate::graph_rules::{EdgeKey, StoredEdge};
use crate::neo4j::driver::{Outcome, Row, Statement};
use crate::neo4j::graph::keys;
use crate::neo4j::graph::read::{edge, edge_columns};
use crate::neo4j::graph::streams::Reading;
use crate::neo4j::limits;

const SOURCES: &str = "MATCH (n:Entity) USING INDEX n:Entity(key)
    WHERE n.key > $after AND n.key < $end
    RETURN n.key AS key, COUNT { (n)-->() } AS degree ORDER BY n.key LIMIT $limit";
const EDGES: &str = concat!(
    "UNWIND $keys AS key MATCH (n:Entity {key: key})-[r]->() RETURN ",
    edge_columns!()
);

/// The pages.
pub(super) struct EdgePages {
    reading: Reading,
    /// The last source that was listed.
    after: String,
    all_listed: bool,
    /// Sources that have edges and whose turn has not come, with how many.
    sources: VecDeque<(String, usize)>,
    /// The sources whose turn it is.
    batch: Vec<String>,
    /// The last of their edges that was handed out, if it was not the last of all.
    cut_behind: Option<EdgeKey>,
}

impl EdgePages {
    pub(super) fn new(reading: &Reading) -> Self {
        Self {
            reading: reading.clone(),
            after: keys::first(reading.tenant),
            all_listed: false,
            sources: VecDeque::new(),
            batch: Vec::new(),
            cut_behind: None,
        }
    }

    pub(super) const fn reading(&self) -> &Reading {
        &self.reading
    }

    /// The next edges; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<StoredEdge>>, StoreError> {
        if self.batch.is_empty() {
            while self.sources.is_empty() && !self.all_listed {
                self.list_sources().await?;
            }
            self.batch = self.take_sources();
        }
        if self.batch.is_empty() {
            return Ok(None);
        }
        let (page, is_cut) = self.read_page().await?;
        if is_cut {
            self.cut_behind = page.last().map(StoredEdge::key);
        } else {
            self.cut_behind = None;
            self.batch.clear();
        }
        Ok(Some(page))
    }

    async fn list_sources(&mut self) -> Result<(), StoreError> {
        let Reading {
            driver, doing, tenant, ..
        } = &self.reading;
        let statement = Statement::new(SOURCES)
            .with("after", self.after.as_str())
            .with("end", keys::end(*tenant))
            .with("limit", u64::try_from(limits::UNWIND_ROWS).unwrap_or(u64::MAX));
        let rows = driver.read(doing, statement).await?;
        self.all_listed = rows.len() < limits::UNWIND_ROWS;
        let listed = rows.iter().map(source).collect::<Outcome<Vec<_>>>();
        let listed = listed.map_err(|trouble| trouble.while_doing(doing))?;
        if let Some((last, _)) = listed.last() {
            self.after.clone_from(last);
        }
        self.sources
            .extend(listed.into_iter().filter(|(_, degree)| *degree > 0));
        Ok(())
    }

    /// One at least.
    fn take_sources(&mut self) -> Vec<String> {
        let mut batch = Vec::new();
        let mut edges = 0_usize;
        while let Some((key, degree)) = self.sources.pop_front() {
            edges = edges.saturating_add(degree);
            if edges > limits::STREAM_EDGES && !batch.is_empty() {
                self.sources.push_front((key, degree));
                break;
            }
            batch.push(key);
        }
        batch
    }

    /// The first edges of the batch behind `cut_behind`; whether there are more.
    async fn read_page(&self) -> Result<(Vec<StoredEdge>, bool), StoreError> {
        let Reading { driver, doing, .. } = &self.reading;
        let mut first: Vec<StoredEdge> = Vec::new();
        let mut is_cut = false;
        let take = |row: Row| {
            let edge = edge(&row)?;
            if self.cut_behind.as_ref().is_none_or(|behind| edge.key() > *behind) {
                first.push(edge);
            }
            if first.len() >= 2 * limits::STREAM_EDGES {
                is_cut |= keep_first(&mut first);
            }
            Ok(())
        };
        let statement = Statement::new(EDGES).with("keys", self.batch.clone());
        driver.each(doing, statement, take).await?;
        is_cut |= keep_first(&mut first);
        Ok((first, is_cut))
    }
}

/// Sorts edges and keeps as many as a page holds. Whether there were more.
fn keep_first(edges: &mut Vec<StoredEdge>) -> bool {
    let is_cut = edges.len() > limits::STREAM_EDGES;
    // They come source by source: stable sorting makes use of that.
    edges.sort_by(|one, other| one.place().cmp(&other.place()));
    edges.truncate(limits::STREAM_EDGES);
    is_cut
}

fn source(row: &Row) -> Outcome<(String, usize)> {
    let degree = usize::try_from(row.count("degree")?).unwrap_or(usize::MAX);
    Ok((row.text("key")?, degree))
}
