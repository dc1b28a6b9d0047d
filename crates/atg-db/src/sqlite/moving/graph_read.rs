//! A tenant's rows as records, in their order.

use atg_models::TenantId;
use rusqlite::{Connection, Row, params};

use super::source::failed;
use crate::moving::{
    Hex, MoveError, MovedAssertion, MovedCache, MovedChange, MovedContent, MovedEdge, MovedLedger, MovedLookup,
    MovedMark, MovedNames, MovedNode, MovedPartition, MovedScan, MovedState, MovedTenant, Record, Take,
};
use crate::sqlite::fault::{Fault, Outcome, parsed};
use crate::sqlite::graph::{BY_BODY, BY_LOOKUP, GONE, OBSERVED, STUB, tenant_row, unpack};
use crate::sqlite::words::Vocabulary;

/// All tenants, those of which only a cache is kept included, by id.
pub(super) fn tenants(connection: &Connection) -> Outcome<Vec<TenantId>> {
    let mut find = connection.prepare("SELECT id FROM tenant ORDER BY id")?;
    let ids = find.query_map([], |row| row.get::<_, String>(0))?;
    ids.map(|id| parsed(&id?)).collect()
}

/// What is kept of one tenant.
pub(super) fn tenant(connection: &Connection, tenant: TenantId, take: Take<'_>) -> Result<(), MoveError> {
    let id = tenant.to_string();
    let Some(t) = tenant_row(connection, &id).map_err(failed)? else {
        return Ok(());
    };
    let generation = connection.query_row("SELECT gen FROM tenant WHERE k = ?1", [t], |row| row.get(0))?;
    take(Record::Tenant(MovedTenant { id, generation }))?;
    let reading = Reading {
        connection,
        t,
        words: Vocabulary::new(connection),
    };
    reading.nodes("n.state <> 2", take)?;
    reading.nodes("n.state = 2", take)?;
    reading.edges(take)?;
    reading.names(take)?;
    reading.scans(take)?;
    reading.changes(take)?;
    reading.caches(take)
}

struct Reading<'c> {
    connection: &'c Connection,
    t: i64,
    words: Vocabulary<'c>,
}

impl Reading<'_> {
    /// By id.
    fn nodes(&self, condition: &str, take: Take<'_>) -> Result<(), MoveError> {
        let sql = format!(
            "SELECT n.id, n.state, n.kind_k, n.type_k, n.sub_k, n.rg_k, n.gen, n.observed_at, n.gone_at, n.first_gen,
               n.first_seen, n.display, n.name, n.api_k, n.loc_k, (SELECT key FROM coll c WHERE c.k = n.coll_k),
               n.source, n.hash, n.said, b.tags, b.codec, b.body
             FROM node n LEFT JOIN node_body b ON b.k = n.k WHERE n.t = ?1 AND {condition} ORDER BY n.id"
        );
        let mut find = self.connection.prepare_cached(&sql)?;
        let mut rows = find.query([self.t])?;
        while let Some(row) = rows.next()? {
            take(Record::Node(Box::new(self.node(row)?)))?;
        }
        Ok(())
    }

    fn node(&self, row: &Row<'_>) -> Outcome<MovedNode> {
        let state = match row.get(1)? {
            STUB => MovedState::Stub,
            OBSERVED => MovedState::Observed,
            GONE => MovedState::Gone,
            other => return Err(Fault::Row(format!("unknown state {other}"))),
        };
        // A stub's row says 0.
        let seen = match row.get::<_, i64>(9)? {
            0 => None,
            first => Some(self.content(row, state, first)?),
        };
        Ok(MovedNode {
            id: row.get(0)?,
            state,
            kind: self.words.text(row.get(2)?)?.as_ref().to_owned(),
            type_: self.word(row, 3)?,
            subscription_id: self.word(row, 4)?,
            resource_group: self.word(row, 5)?,
            generation: row.get(6)?,
            observed_at: row.get(7)?,
            gone_at: row.get(8)?,
            seen,
        })
    }

    fn content(&self, row: &Row<'_>, state: MovedState, first_generation: i64) -> Outcome<MovedContent> {
        let owner = if state == MovedState::Observed {
            row.get(15)?
        } else {
            None
        };
        let body: Option<Vec<u8>> = row.get(21)?;
        Ok(MovedContent {
            first_generation,
            first_seen: row.get(10)?,
            display_id: row.get(11)?,
            name: row.get::<_, Option<String>>(12)?.unwrap_or_default(),
            api_version: self.word(row, 13)?,
            location: self.word(row, 14)?,
            owner,
            source: row.get(16)?,
            hash: row.get::<_, Option<Vec<u8>>>(17)?.map(Hex),
            said: row.get::<_, Option<Vec<u8>>>(18)?.map(Hex),
            tags: row.get(19)?,
            body: body.map(|bytes| unpack(row.get(20)?, bytes)).transpose()?,
        })
    }

    fn word(&self, row: &Row<'_>, column: usize) -> Outcome<Option<String>> {
        let text = self.words.text_of(row.get(column)?)?;
        Ok(text.map(|text| text.as_ref().to_owned()))
    }

    /// By source, relation, target and qualifier.
    fn edges(&self, take: Take<'_>) -> Result<(), MoveError> {
        // CROSS JOIN fixes the order of the loops, so that only the edges of one node are sorted.
        let mut find = self.connection.prepare_cached(
            "SELECT g.e, s.id, r.text, d.id, g.qual FROM node s CROSS JOIN edge g ON g.s = s.k
               CROSS JOIN node d ON d.k = g.d CROSS JOIN word r ON r.k = g.rel
             WHERE s.t = ?1 ORDER BY s.id, r.text, d.id, g.qual",
        )?;
        let mut rows = find.query([self.t])?;
        while let Some(row) = rows.next()? {
            let edge = MovedEdge {
                source: row.get(1)?,
                relation: row.get(2)?,
                target: row.get(3)?,
                qualifier: row.get(4)?,
                asserted: self.asserted(row.get(0)?)?,
            };
            take(Record::Edge(Box::new(edge)))?;
        }
        Ok(())
    }

    fn asserted(&self, e: i64) -> Outcome<Vec<MovedAssertion>> {
        let mut find = self.connection.prepare_cached(
            "SELECT y.id, a.path_k, a.coll_k, (SELECT key FROM coll c WHERE c.k = a.coll_k), a.gen, a.props, a.s_kind,
               a.d_kind
             FROM assertion a JOIN node y ON y.k = a.by_k WHERE a.e = ?1",
        )?;
        let mut rows = find.query([e])?;
        let mut asserted = Vec::new();
        while let Some(row) = rows.next()? {
            let mark = match row.get(2)? {
                BY_BODY => MovedMark::Body,
                BY_LOOKUP => MovedMark::Lookup,
                _ => MovedMark::Listing {
                    collection: row.get(3)?,
                    generation: row.get(4)?,
                },
            };
            asserted.push(MovedAssertion {
                by: row.get(0)?,
                path: self.words.text(row.get(1)?)?.as_ref().to_owned(),
                mark,
                properties: row.get(5)?,
                source_kind: self.word(row, 6)?,
                target_kind: self.word(row, 7)?,
            });
        }
        asserted.sort_unstable();
        Ok(asserted)
    }

    /// By node.
    fn names(&self, take: Take<'_>) -> Result<(), MoveError> {
        let mut find = self.connection.prepare_cached(
            "SELECT n.k, n.id FROM node n WHERE n.t = ?1 AND n.state <> 2
               AND (EXISTS(SELECT 1 FROM alias a WHERE a.k = n.k) OR EXISTS(SELECT 1 FROM lookup l WHERE l.by_k = n.k))
             ORDER BY n.id",
        )?;
        let mut rows = find.query([self.t])?;
        while let Some(row) = rows.next()? {
            let k = row.get(0)?;
            take(Record::Names(MovedNames {
                of: row.get(1)?,
                aliases: self.aliases(k)?,
                lookups: self.lookups(k)?,
            }))?;
        }
        Ok(())
    }

    fn aliases(&self, k: i64) -> Outcome<Vec<(String, String)>> {
        let mut find = self
            .connection
            .prepare_cached("SELECT w.text, a.value FROM alias a JOIN word w ON w.k = a.kind_k WHERE a.k = ?1")?;
        let rows = find.query_map([k], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut aliases = rows.collect::<Result<Vec<(String, String)>, _>>()?;
        aliases.sort_unstable();
        Ok(aliases)
    }

    fn lookups(&self, k: i64) -> Outcome<Vec<MovedLookup>> {
        let mut find = self.connection.prepare_cached(
            "SELECT l.kind_k, l.value, l.rel, l.to_found, l.qual, l.path_k, l.props, l.anchor,
               (SELECT id FROM node f WHERE f.k = l.found_k)
             FROM lookup l WHERE l.by_k = ?1 ORDER BY l.l",
        )?;
        let mut rows = find.query([k])?;
        let mut lookups = Vec::new();
        while let Some(row) = rows.next()? {
            let word =
                |column: usize| -> Outcome<String> { Ok(self.words.text(row.get(column)?)?.as_ref().to_owned()) };
            lookups.push(MovedLookup {
                kind: word(0)?,
                value: row.get(1)?,
                relation: word(2)?,
                to_found: row.get(3)?,
                qualifier: row.get(4)?,
                path: word(5)?,
                properties: row.get(6)?,
                anchor: row.get(7)?,
                found: row.get(8)?,
            });
        }
        Ok(lookups)
    }

    /// By generation.
    fn scans(&self, take: Take<'_>) -> Result<(), MoveError> {
        let mut find = self.connection.prepare_cached(
            "SELECT k, id, gen, fence, principal, filters, started_at, version, ended, digest, written, unchanged,
               removed FROM scan WHERE t = ?1 ORDER BY gen, id",
        )?;
        let mut rows = find.query([self.t])?;
        while let Some(row) = rows.next()? {
            let scan = MovedScan {
                id: row.get(1)?,
                generation: row.get(2)?,
                fence: row.get(3)?,
                principal: row.get(4)?,
                filters: row.get(5)?,
                started_at: row.get(6)?,
                version: row.get(7)?,
                ended: row.get(8)?,
                digest: row.get(9)?,
                written: row.get(10)?,
                unchanged: row.get(11)?,
                removed: row.get(12)?,
            };
            let id = scan.id.clone();
            take(Record::Scan(Box::new(scan)))?;
            self.ledger(row.get(0)?, &id, take)?;
        }
        Ok(())
    }

    fn ledger(&self, scan: i64, id: &str, take: Take<'_>) -> Result<(), MoveError> {
        let mut find = self.connection.prepare_cached(
            "SELECT l, key, sweepable, expected, state, swept FROM ledger WHERE scan = ?1 ORDER BY key",
        )?;
        let mut rows = find.query([scan])?;
        while let Some(row) = rows.next()? {
            let entry = MovedLedger {
                scan: id.to_owned(),
                collection: row.get(1)?,
                sweepable: row.get(2)?,
                expected: row.get(3)?,
                state: row.get(4)?,
                swept: row.get(5)?,
            };
            let collection = entry.collection.clone();
            take(Record::Ledger(entry))?;
            self.partitions(row.get(0)?, id, &collection, take)?;
        }
        Ok(())
    }

    fn partitions(&self, l: i64, scan: &str, collection: &str, take: Take<'_>) -> Result<(), MoveError> {
        let mut find = self
            .connection
            .prepare_cached("SELECT p, key, cursor, pages, rows, done FROM part WHERE l = ?1 ORDER BY p")?;
        let mut rows = find.query([l])?;
        let mut at = 0;
        while let Some(row) = rows.next()? {
            let mut pages = self
                .connection
                .prepare_cached("SELECT page FROM page WHERE p = ?1 ORDER BY page")?;
            let applied = pages.query_map([row.get::<_, i64>(0)?], |row| row.get(0))?;
            take(Record::Partition(MovedPartition {
                scan: scan.to_owned(),
                collection: collection.to_owned(),
                partition: row.get(1)?,
                at,
                cursor: row.get(2)?,
                pages: row.get(3)?,
                rows: row.get(4)?,
                done: row.get(5)?,
                applied: applied.collect::<Result<_, _>>()?,
            }))?;
            at += 1;
        }
        Ok(())
    }

    /// By generation and node. Of nodes of which nothing is left there is nothing to say.
    fn changes(&self, take: Take<'_>) -> Result<(), MoveError> {
        let generations = self
            .connection
            .prepare_cached("SELECT DISTINCT gen FROM change WHERE t = ?1 ORDER BY gen")?
            .query_map([self.t], |row| row.get(0))?
            .collect::<Result<Vec<i64>, _>>()?;
        for generation in generations {
            let mut find = self.connection.prepare_cached(
                "SELECT n.id, c.before, c.after FROM change c JOIN node n ON n.k = c.k
                 WHERE c.t = ?1 AND c.gen = ?2 ORDER BY n.id",
            )?;
            let mut rows = find.query(params![self.t, generation])?;
            while let Some(row) = rows.next()? {
                take(Record::Change(MovedChange {
                    generation,
                    id: row.get(0)?,
                    before: row.get::<_, Option<Vec<u8>>>(1)?.map(Hex),
                    after: row.get::<_, Option<Vec<u8>>>(2)?.map(Hex),
                }))?;
            }
        }
        Ok(())
    }

    /// By key.
    fn caches(&self, take: Take<'_>) -> Result<(), MoveError> {
        let mut find = self
            .connection
            .prepare_cached("SELECT key, value FROM cache WHERE t = ?1 ORDER BY key")?;
        let mut rows = find.query([self.t])?;
        while let Some(row) = rows.next()? {
            take(Record::Cache(MovedCache {
                key: row.get(0)?,
                value: Hex(row.get(1)?),
            }))?;
        }
        Ok(())
    }
}
