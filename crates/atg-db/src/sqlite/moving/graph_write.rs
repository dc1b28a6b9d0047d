//! Records of a tenant's graph as rows. The database was empty before.

use rusqlite::{OptionalExtension as _, params};

use crate::moving::{
    MovedCache, MovedChange, MovedContent, MovedEdge, MovedLedger, MovedLookup, MovedMark, MovedNames, MovedNode,
    MovedPartition, MovedScan, MovedState, MovedTenant, Record,
};
use crate::sqlite::fault::{Fault, Outcome};
use crate::sqlite::graph::{BY_BODY, BY_LOOKUP, GONE, OBSERVED, Packer, STUB, verdict_word};
use crate::sqlite::writer::Session;

/// What SQLite keeps as the source of a stub.
const SOURCE_OF_A_STUB: i64 = 3;
/// The generation of an assertion that no listing renews.
const NOT_RENEWED: i64 = 0;

/// A tenant whose records are written.
pub(super) struct Writing<'s> {
    session: &'s mut Session,
    tenant: String,
    /// The tenant's key, once its record has come.
    t: Option<i64>,
    packer: Packer,
}

impl<'s> Writing<'s> {
    pub(super) fn new(session: &'s mut Session, tenant: &str) -> Outcome<Self> {
        let find = "SELECT k FROM tenant WHERE id = ?1";
        let t = session
            .connection
            .query_row(find, [tenant], |row| row.get(0))
            .optional()?;
        Ok(Self {
            session,
            tenant: tenant.to_owned(),
            t,
            packer: Packer::default(),
        })
    }

    pub(super) fn write(&mut self, record: Record) -> Outcome<()> {
        match record {
            Record::Tenant(tenant) => self.tenant(&tenant),
            Record::Node(node) => self.node(*node),
            Record::Edge(edge) => self.edge(&edge),
            Record::Names(names) => self.names(&names),
            Record::Scan(scan) => self.scan(&scan),
            Record::Ledger(entry) => self.ledger(&entry),
            Record::Partition(partition) => self.partition(&partition),
            Record::Change(change) => self.change(&change),
            Record::Cache(cache) => self.cache(&cache),
            Record::Job(_) | Record::Event(_) | Record::Idempotency(_) | Record::Key(_) => {
                Err(Fault::Row("a record of another part".to_owned()))
            }
        }
    }

    fn t(&self) -> Outcome<i64> {
        self.t
            .ok_or_else(|| Fault::Row("records of a tenant before the tenant".to_owned()))
    }

    fn tenant(&mut self, tenant: &MovedTenant) -> Outcome<()> {
        if tenant.id != self.tenant {
            return Err(Fault::Row("a tenant in the part of another".to_owned()));
        }
        let mut insert = self
            .session
            .connection
            .prepare_cached("INSERT INTO tenant(id, gen) VALUES (?1, ?2)")?;
        self.t = Some(insert.insert(params![tenant.id, tenant.generation])?);
        Ok(())
    }

    fn node(&mut self, node: MovedNode) -> Outcome<()> {
        let t = self.t()?;
        let state = match node.state {
            MovedState::Stub => STUB,
            MovedState::Observed => OBSERVED,
            MovedState::Gone => GONE,
        };
        let kind_k = self.session.word(&node.kind)?;
        let type_k = self.session.word_of(node.type_.as_deref())?;
        let sub_k = self.session.word_of(node.subscription_id.as_deref())?;
        let rg_k = self.session.word_of(node.resource_group.as_deref())?;
        let mut insert = self.session.connection.prepare_cached(
            "INSERT INTO node(t, id, state, kind_k, type_k, sub_k, rg_k, gen, first_gen, source, observed_at, gone_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?9, ?10, ?11)",
        )?;
        let k = insert.insert(params![
            t,
            node.id,
            state,
            kind_k,
            type_k,
            sub_k,
            rg_k,
            node.generation,
            SOURCE_OF_A_STUB,
            node.observed_at,
            node.gone_at,
        ])?;
        drop(insert);
        node.seen.map_or(Ok(()), |seen| self.content(k, seen))
    }

    fn content(&mut self, k: i64, seen: MovedContent) -> Outcome<()> {
        let api_k = self.session.word_of(seen.api_version.as_deref())?;
        let loc_k = self.session.word_of(seen.location.as_deref())?;
        let coll_k = seen.owner.as_deref().map(|owner| self.collection(owner)).transpose()?;
        let mut update = self.session.connection.prepare_cached(
            "UPDATE node SET first_gen = ?2, first_seen = ?3, display = ?4, name = ?5, api_k = ?6, loc_k = ?7,
               coll_k = ?8, source = ?9, hash = ?10, said = ?11 WHERE k = ?1",
        )?;
        update.execute(params![
            k,
            seen.first_generation,
            seen.first_seen,
            seen.display_id,
            seen.name,
            api_k,
            loc_k,
            coll_k,
            seen.source,
            seen.hash.map(|hash| hash.0),
            seen.said.map(|said| said.0),
        ])?;
        drop(update);
        let body = seen.body.map(|body| self.packer.pack(body));
        let mut insert = self
            .session
            .connection
            .prepare_cached("INSERT INTO node_body(k, tags, codec, body) VALUES (?1, ?2, ?3, ?4)")?;
        let codec = body.as_ref().map_or(0, |body| body.codec);
        insert.execute(params![k, seen.tags, codec, body.map(|body| body.bytes)])?;
        Ok(())
    }

    fn edge(&mut self, edge: &MovedEdge) -> Outcome<()> {
        let s = self.key_of(&edge.source)?;
        let d = self.key_of(&edge.target)?;
        let rel = self.session.word(&edge.relation)?;
        let mut insert = self
            .session
            .connection
            .prepare_cached("INSERT INTO edge(s, rel, d, qual) VALUES (?1, ?2, ?3, ?4)")?;
        let e = insert.insert(params![s, rel, d, edge.qualifier])?;
        drop(insert);
        for assertion in &edge.asserted {
            let by_k = self.key_of(&assertion.by)?;
            let path_k = self.session.word(&assertion.path)?;
            let s_kind = self.session.word_of(assertion.source_kind.as_deref())?;
            let d_kind = self.session.word_of(assertion.target_kind.as_deref())?;
            let (coll_k, generation) = match &assertion.mark {
                MovedMark::Body => (BY_BODY, NOT_RENEWED),
                MovedMark::Lookup => (BY_LOOKUP, NOT_RENEWED),
                MovedMark::Listing { collection, generation } => (self.collection(collection)?, *generation),
            };
            let mut insert = self.session.connection.prepare_cached(
                "INSERT INTO assertion(e, by_k, path_k, coll_k, gen, s_kind, d_kind, props)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?;
            insert.execute(params![
                e,
                by_k,
                path_k,
                coll_k,
                generation,
                s_kind,
                d_kind,
                assertion.properties
            ])?;
        }
        Ok(())
    }

    fn names(&mut self, names: &MovedNames) -> Outcome<()> {
        let t = self.t()?;
        let k = self.key_of(&names.of)?;
        for (kind, value) in &names.aliases {
            let kind_k = self.session.word(kind)?;
            let mut insert = self
                .session
                .connection
                .prepare_cached("INSERT INTO alias(t, kind_k, value, k) VALUES (?1, ?2, ?3, ?4)")?;
            insert.execute(params![t, kind_k, value, k])?;
        }
        for lookup in &names.lookups {
            self.lookup(t, k, lookup)?;
        }
        Ok(())
    }

    fn lookup(&mut self, t: i64, by_k: i64, lookup: &MovedLookup) -> Outcome<()> {
        let kind_k = self.session.word(&lookup.kind)?;
        let rel = self.session.word(&lookup.relation)?;
        let path_k = self.session.word(&lookup.path)?;
        let found_k = lookup.found.as_deref().map(|found| self.key_of(found)).transpose()?;
        let mut insert = self.session.connection.prepare_cached(
            "INSERT INTO lookup(t, kind_k, value, by_k, rel, to_found, qual, path_k, props, anchor, found_k)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?;
        insert.execute(params![
            t,
            kind_k,
            lookup.value,
            by_k,
            rel,
            lookup.to_found,
            lookup.qualifier,
            path_k,
            lookup.properties,
            lookup.anchor,
            found_k,
        ])?;
        Ok(())
    }

    fn scan(&self, scan: &MovedScan) -> Outcome<()> {
        let end = scan
            .ended
            .as_deref()
            .map(serde_json::from_str::<atg_models::graph::ScanEnd>);
        let verdict = end.transpose()?.map(|end| verdict_word(end.verdict));
        let mut insert = self.session.connection.prepare_cached(
            "INSERT INTO scan(t, id, gen, fence, principal, filters, started_at, version, ended, digest, written,
               unchanged, removed, verdict)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        )?;
        insert.execute(params![
            self.t()?,
            scan.id,
            scan.generation,
            scan.fence,
            scan.principal,
            scan.filters,
            scan.started_at,
            scan.version,
            scan.ended,
            scan.digest,
            scan.written,
            scan.unchanged,
            scan.removed,
            verdict,
        ])?;
        Ok(())
    }

    fn ledger(&self, entry: &MovedLedger) -> Outcome<()> {
        let mut insert = self.session.connection.prepare_cached(
            "INSERT INTO ledger(scan, key, sweepable, expected, state, swept)
             SELECT k, ?2, ?3, ?4, ?5, ?6 FROM scan WHERE id = ?1",
        )?;
        insert.execute(params![
            entry.scan,
            entry.collection,
            entry.sweepable,
            entry.expected,
            entry.state,
            entry.swept
        ])?;
        Ok(())
    }

    fn partition(&self, part: &MovedPartition) -> Outcome<()> {
        let connection = &self.session.connection;
        let p = connection
            .prepare_cached(
                "INSERT INTO part(l, key, cursor, pages, rows, done)
                 SELECT l.l, ?3, ?4, ?5, ?6, ?7 FROM ledger l JOIN scan s ON s.k = l.scan WHERE s.id = ?1 AND l.key = ?2",
            )?
            .insert(params![
                part.scan,
                part.collection,
                part.partition,
                part.cursor,
                part.pages,
                part.rows,
                part.done
            ])?;
        for page in &part.applied {
            let mut insert = connection.prepare_cached("INSERT INTO page(p, page) VALUES (?1, ?2)")?;
            insert.execute([p, *page])?;
        }
        Ok(())
    }

    fn change(&self, change: &MovedChange) -> Outcome<()> {
        let k = self.key_of(&change.id)?;
        let mut insert = self
            .session
            .connection
            .prepare_cached("INSERT INTO change(t, gen, k, before, after) VALUES (?1, ?2, ?3, ?4, ?5)")?;
        let before = change.before.as_ref().map(|hash| hash.0.as_slice());
        let after = change.after.as_ref().map(|hash| hash.0.as_slice());
        insert.execute(params![self.t()?, change.generation, k, before, after])?;
        Ok(())
    }

    fn cache(&self, cache: &MovedCache) -> Outcome<()> {
        let mut insert = self
            .session
            .connection
            .prepare_cached("INSERT INTO cache(t, key, value) VALUES (?1, ?2, ?3)")?;
        insert.execute(params![self.t()?, cache.key, cache.value.0])?;
        Ok(())
    }

    /// The key of a node that has come before.
    fn key_of(&self, id: &str) -> Outcome<i64> {
        let mut find = self
            .session
            .connection
            .prepare_cached("SELECT k FROM node WHERE t = ?1 AND id = ?2")?;
        let k = find.query_row(params![self.t()?, id], |row| row.get(0)).optional()?;
        k.ok_or_else(|| Fault::Row(format!("{id} is named and was not there before")))
    }

    fn collection(&self, key: &str) -> Outcome<i64> {
        let t = self.t()?;
        let connection = &self.session.connection;
        let known = connection
            .prepare_cached("SELECT k FROM coll WHERE t = ?1 AND key = ?2")?
            .query_row(params![t, key], |row| row.get(0))
            .optional()?;
        match known {
            Some(k) => Ok(k),
            None => Ok(connection
                .prepare_cached("INSERT INTO coll(t, key) VALUES (?1, ?2)")?
                .insert(params![t, key])?),
        }
    }
}
