//! Storing one observation.
//!
//! Of several observations of one node in one generation one wins, whatever their order: the
//! one whose source stands nearer to the truth (ARM and Microsoft Graph before Resource Graph before
//! what was derived from another body), then the one with the smaller content hash. An earlier
//! generation never wins. The winner counts whole: the loser's edges and aliases are not stored.

use rusqlite::{OptionalExtension as _, params};

use crate::graph_rules::{self, Standing, source_number};
use crate::sqlite::fault::{Outcome, nanos};
use crate::sqlite::graph::edit::{Edit, Row};
use crate::sqlite::graph::prepare::Prepared;
use crate::sqlite::graph::schema::OBSERVED;

/// What storing an observation came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stored {
    /// Its content is new.
    Written,
    /// Its content was there already.
    Unchanged,
    /// Another observation of this generation is preferred.
    Passed,
}

/// What the row held before.
struct Before {
    k: i64,
    state: i64,
    generation: i64,
    source: i64,
    hash: Option<Vec<u8>>,
    said: Option<Vec<u8>>,
}

impl Edit<'_> {
    /// Stores an observation and replaces what its body said before.
    pub(super) fn observe(&mut self, new: &Prepared) -> Outcome<Stored> {
        let before = self.before(new)?;
        let Some(before) = before else {
            let k = self.insert_node(new)?;
            self.put_body(k, new)?;
            self.note_change(k, None, Some(&new.hash))?;
            self.say(k, new, false)?;
            return Ok(Stored::Written);
        };
        if before.state != OBSERVED {
            self.update_node(before.k, new)?;
            self.put_body(before.k, new)?;
            self.note_change(before.k, None, Some(&new.hash))?;
            self.say(before.k, new, false)?;
            return Ok(Stored::Written);
        }
        if before.generation == self.generation && !wins(new, &before) {
            return Ok(Stored::Passed);
        }
        let same_content = before.hash.as_deref() == Some(&new.hash);
        let same_words = before.said.as_deref() == Some(&new.said);
        if same_content {
            self.touch(before.k, new)?;
        } else {
            self.update_node(before.k, new)?;
            self.put_body(before.k, new)?;
            self.note_change(before.k, before.hash.as_deref(), Some(&new.hash))?;
        }
        if !same_words {
            self.say(before.k, new, true)?;
        }
        Ok(if same_content {
            Stored::Unchanged
        } else {
            Stored::Written
        })
    }

    /// Remembers how a scan changed a node. The first scan of a tenant adds all that it sees, so
    /// nothing is kept for it.
    pub(super) fn note_change(&mut self, k: i64, before: Option<&[u8]>, after: Option<&[u8; 32]>) -> Outcome<()> {
        const FIRST: i64 = 1;
        if self.generation == FIRST {
            return Ok(());
        }
        let mut insert = self.session.connection.prepare_cached(
            "INSERT INTO change(t, gen, k, before, after) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT(t, gen, k) DO UPDATE SET after = excluded.after",
        )?;
        let after = after.map(<[u8; 32]>::as_slice);
        insert.execute(params![self.t, self.generation, k, before, after])?;
        Ok(())
    }

    fn before(&self, new: &Prepared) -> Outcome<Option<Before>> {
        let mut find = self
            .session
            .connection
            .prepare_cached("SELECT k, state, gen, source, hash, said FROM node WHERE t = ?1 AND id = ?2")?;
        let row = find.query_row(params![self.t, new.node.id.as_str()], |row| {
            Ok(Before {
                k: row.get(0)?,
                state: row.get(1)?,
                generation: row.get(2)?,
                source: row.get(3)?,
                hash: row.get(4)?,
                said: row.get(5)?,
            })
        });
        Ok(row.optional()?)
    }

    fn insert_node(&mut self, new: &Prepared) -> Outcome<i64> {
        let k = self.insert_stub(&new.node.id, new.node.kind, None)?;
        self.update_node(k, new)?;
        Ok(k)
    }

    /// Writes all columns of an observed node.
    fn update_node(&mut self, k: i64, new: &Prepared) -> Outcome<()> {
        let node = &new.node;
        let kind_k = self.session.word(node.kind.as_str())?;
        let type_k = self
            .session
            .word_of(node.type_.as_ref().map(atg_models::ArmType::as_str))?;
        let sub_k = self.session.word_of(node.subscription_id.as_deref())?;
        let rg_k = self.session.word_of(node.resource_group.as_deref())?;
        let loc_k = self.session.word_of(node.location.as_deref())?;
        let api_k = self.session.word_of(node.api_version.as_deref())?;
        let coll_k = match &node.owner {
            Some(owner) => Some(self.collection(owner.as_str())?),
            None => None,
        };
        let display = (node.display_id != node.id.as_str()).then_some(node.display_id.as_str());
        let mut update = self.session.connection.prepare_cached(
            "UPDATE node SET state = 1, kind_k = ?2, type_k = ?3, sub_k = ?4, rg_k = ?5, loc_k = ?6, api_k = ?7,
               coll_k = ?8, gen = ?9, first_gen = CASE WHEN first_gen = 0 THEN ?9 ELSE first_gen END,
               source = ?10, display = ?11, name = ?12, hash = ?13, said = ?14,
               first_seen = coalesce(first_seen, ?15), observed_at = ?15, gone_at = NULL
             WHERE k = ?1",
        )?;
        update.execute(params![
            k,
            kind_k,
            type_k,
            sub_k,
            rg_k,
            loc_k,
            api_k,
            coll_k,
            self.generation,
            source_number(node.source),
            display,
            node.name,
            new.hash.as_slice(),
            new.said.as_slice(),
            nanos(node.observed_at),
        ])?;
        drop(update);
        let state = OBSERVED;
        self.remember(&new.node.id, Row { k, state, kind_k });
        Ok(())
    }

    /// An unchanged node only gets the new generation.
    fn touch(&mut self, k: i64, new: &Prepared) -> Outcome<()> {
        let mut update = self
            .session
            .connection
            .prepare_cached("UPDATE node SET gen = ?2, source = ?3, said = ?4, observed_at = ?5 WHERE k = ?1")?;
        update.execute(params![
            k,
            self.generation,
            source_number(new.node.source),
            new.said.as_slice(),
            nanos(new.node.observed_at)
        ])?;
        Ok(())
    }

    fn put_body(&mut self, k: i64, new: &Prepared) -> Outcome<()> {
        let mut put = self
            .session
            .connection
            .prepare_cached("INSERT OR REPLACE INTO node_body(k, tags, codec, body) VALUES (?1, ?2, ?3, ?4)")?;
        let codec = new.body.as_ref().map_or(0, |body| body.codec);
        let bytes = new.body.as_ref().map(|body| body.bytes.as_slice());
        put.execute(params![k, new.tags, codec, bytes])?;
        Ok(())
    }

    /// The key of a collection of this tenant.
    pub(super) fn collection(&mut self, key: &str) -> Outcome<i64> {
        let mut find = self
            .session
            .connection
            .prepare_cached("SELECT k FROM coll WHERE t = ?1 AND key = ?2")?;
        if let Some(k) = find.query_row(params![self.t, key], |row| row.get(0)).optional()? {
            return Ok(k);
        }
        let mut insert = self
            .session
            .connection
            .prepare_cached("INSERT INTO coll(t, key) VALUES (?1, ?2)")?;
        Ok(insert.insert(params![self.t, key])?)
    }
}

fn wins(new: &Prepared, before: &Before) -> bool {
    let challenger = Standing {
        source: source_number(new.node.source),
        hash: &new.hash,
        said: &new.said,
    };
    let holder = Standing {
        source: before.source,
        hash: before.hash.as_deref().unwrap_or_default(),
        said: before.said.as_deref().unwrap_or_default(),
    };
    graph_rules::wins(challenger, holder)
}
