//! A tenant's nodes in pages, by id, bounded by rows and by what their bodies take.

use std::collections::VecDeque;

use crate::StoreError;
use crate::graph_rules::StoredNode;
use crate::neo4j::driver::{Outcome, Row, Statement};
use crate::neo4j::graph::keys;
use crate::neo4j::graph::read::{node, node_columns};
use crate::neo4j::graph::scan::changed_meanwhile;
use crate::neo4j::graph::streams::Reading;
use crate::neo4j::limits;

/// A large body is left out here and asked for when its turn comes.
const PAGE: &str = concat!(
    "MATCH (n:Entity) USING INDEX n:Entity(key)
     WHERE n.key > $after AND n.key < $end
     WITH n, CASE WHEN n.observed THEN n.body END AS body ORDER BY n.key LIMIT $limit
     RETURN ",
    node_columns!(),
    ", CASE WHEN size(body) <= $inline THEN body END AS body, size(body) AS chars ORDER BY n.key"
);
const BODIES: &str = "UNWIND $keys AS key MATCH (n:Entity {key: key}) RETURN n.id AS id, n.body AS body";

/// The pages.
pub(super) struct NodePages {
    reading: Reading,
    after: String,
    /// Read, and not handed out yet.
    waiting: VecDeque<Waiting>,
    is_read: bool,
}

struct Waiting {
    stored: StoredNode,
    /// Of a body that is still to be fetched.
    missing_chars: Option<u64>,
}

impl NodePages {
    pub(super) fn new(reading: &Reading) -> Self {
        Self {
            reading: reading.clone(),
            after: keys::first(reading.tenant),
            waiting: VecDeque::new(),
            is_read: false,
        }
    }

    pub(super) const fn reading(&self) -> &Reading {
        &self.reading
    }

    /// The next nodes; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<StoredNode>>, StoreError> {
        if self.waiting.is_empty() && !self.is_read {
            self.read_page().await?;
        }
        if self.waiting.is_empty() {
            return Ok(None);
        }
        if self.waiting.front().is_some_and(|first| first.missing_chars.is_some()) {
            self.fetch_bodies().await?;
        }
        let ready = self.waiting.iter().take_while(|node| node.missing_chars.is_none());
        let ready = ready.count();
        Ok(Some(self.waiting.drain(..ready).map(|node| node.stored).collect()))
    }

    async fn read_page(&mut self) -> Result<(), StoreError> {
        let Reading {
            driver, doing, tenant, ..
        } = &self.reading;
        let statement = Statement::new(PAGE)
            .with("after", self.after.as_str())
            .with("end", keys::end(*tenant))
            .with("limit", limits::STREAM_NODES)
            .with("inline", limits::INLINE_BODY_CHARS);
        let rows = driver.read(doing, statement).await?;
        self.is_read = rows.len() < usize::try_from(limits::STREAM_NODES).unwrap_or(usize::MAX);
        let read = rows.iter().map(|row| self.waiting(row)).collect::<Outcome<_>>();
        self.waiting = read.map_err(|trouble| trouble.while_doing(doing))?;
        if let Some(last) = self.waiting.back() {
            self.after = keys::key(*tenant, &last.stored.node.id);
        }
        Ok(())
    }

    fn waiting(&self, row: &Row) -> Outcome<Waiting> {
        let stored = node(row, self.reading.tenant, true)?;
        let has_body = row.maybe::<i64>("chars")?.is_some();
        let missing = has_body && stored.body.is_none();
        let missing_chars = if missing { Some(row.count("chars")?) } else { None };
        Ok(Waiting { stored, missing_chars })
    }

    /// Fetches the first bodies that are missing, as many as are to be in memory.
    async fn fetch_bodies(&mut self) -> Result<(), StoreError> {
        let mut chars = 0;
        let mut wanted: Vec<&mut Waiting> = Vec::new();
        for node in &mut self.waiting {
            let Some(more) = node.missing_chars else { continue };
            chars += more;
            if chars > limits::LARGE_BODIES_CHARS && !wanted.is_empty() {
                break;
            }
            wanted.push(node);
        }
        let Reading {
            driver, doing, tenant, ..
        } = &self.reading;
        let keys: Vec<_> = wanted
            .iter()
            .map(|node| keys::key(*tenant, &node.stored.node.id))
            .collect();
        let rows = driver.read(doing, Statement::new(BODIES).with("keys", keys)).await?;
        // One row a key, in the order of the keys, unless one is gone.
        if rows.len() != wanted.len() {
            return Err(changed_meanwhile(doing));
        }
        for (node, row) in wanted.into_iter().zip(&rows) {
            let (id, body): (String, Option<String>) = row
                .text("id")
                .and_then(|id| Ok((id, row.maybe("body")?)))
                .map_err(|trouble| trouble.while_doing(doing))?;
            if id != node.stored.node.id.as_str() || body.is_none() {
                return Err(changed_meanwhile(doing));
            }
            node.stored.body = body;
            node.missing_chars = None;
        }
        Ok(())
    }
}
