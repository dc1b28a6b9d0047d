//! The rows of the graph as a client without a rule would write them: what the store's ingest is measured by.

use std::collections::HashMap;

use serde::Deserialize;

use super::ByHand;
use crate::StoreError;
use crate::neo4j::driver::{Outcome, Row, Statement, Value, transaction};
use crate::neo4j::limits;

const NODES: &str = "MATCH (n:Entity) RETURN n.kind AS kind, properties(n) AS properties";
const EDGES: &str = "MATCH (s:Entity)-[r]->(d) RETURN s.key AS source, d.key AS target, type(r) AS relation,
    properties(r) AS properties";
/// Labels and types come from the rows here: `CREATE` takes them as fast as fixed ones, and is faster than `MERGE`.
const CREATE_NODES: &str = "UNWIND $rows AS row CREATE (n:Entity:$(row.kind)) SET n = row.set";
const CREATE_EDGES: &str = "UNWIND $rows AS row
    MATCH (s:Entity {key: row.source}) MATCH (d:Entity {key: row.target})
    CREATE (s)-[r:$(row.relation)]->(d) SET r = row.set";
/// What a second scan at least says of what is there.
const TOUCH_NODES: &str = "UNWIND $rows AS row MATCH (n:Entity {key: row.set.key})
    SET n.gen = row.set.gen, n.observed_at = row.set.observed_at";
const READ_NODES: &str = "MATCH (n:Entity) RETURN n.key AS key, n.kind AS kind, n.type AS type, n.name AS name,
    n.location AS location, n.tags AS tags, n.body AS body";
const READ_EDGES: &str = "MATCH (n:Entity)-[r]->() RETURN startNode(r).id AS source, type(r) AS relation,
    endNode(r).id AS target, r.qualifier AS qualifier, r.props AS props";

/// Rows for one statement.
#[derive(Clone)]
pub struct Portion {
    rows: Vec<Fields>,
}

type Fields = Vec<(&'static str, Value)>;

impl Portion {
    /// How many.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// What a property holds.
#[derive(Deserialize)]
#[serde(untagged)]
enum Property {
    Flag(bool),
    Int(i64),
    Text(String),
    Texts(Vec<String>),
}

impl ByHand {
    /// All nodes of the graph with all that is stored of them, as rows of statements.
    pub async fn nodes(&self) -> Result<Vec<Portion>, StoreError> {
        self.portions(NODES, &["kind"]).await
    }

    /// All edges likewise.
    pub async fn edges(&self) -> Result<Vec<Portion>, StoreError> {
        self.portions(EDGES, &["source", "target", "relation"]).await
    }

    /// Makes the nodes of [`ByHand::nodes`] again.
    pub async fn create_nodes(&self, some: Portion) -> Result<(), StoreError> {
        self.write(CREATE_NODES, some).await
    }

    /// Makes the edges of [`ByHand::edges`] again.
    pub async fn create_edges(&self, some: Portion) -> Result<(), StoreError> {
        self.write(CREATE_EDGES, some).await
    }

    /// Says of the nodes of [`ByHand::nodes`] that they were seen.
    pub async fn touch_nodes(&self, some: Portion) -> Result<(), StoreError> {
        self.write(TOUCH_NODES, some).await
    }

    /// Reads all nodes with their bodies, and keeps none; how many.
    pub async fn pass_nodes(&self) -> Result<u64, StoreError> {
        self.pass(READ_NODES).await
    }

    /// Reads all edges, and keeps none; how many.
    pub async fn pass_edges(&self) -> Result<u64, StoreError> {
        self.pass(READ_EDGES).await
    }

    async fn pass(&self, text: &'static str) -> Result<u64, StoreError> {
        let mut count = 0;
        let take = |_| {
            count += 1;
            Ok(())
        };
        self.driver.each("reading bare", Statement::new(text), take).await?;
        Ok(count)
    }

    async fn portions(&self, text: &'static str, columns: &[&'static str]) -> Result<Vec<Portion>, StoreError> {
        let mut names = Names::default();
        let mut portions: Vec<Portion> = Vec::new();
        let take = |row: Row| {
            let fields = names.fields(&row, columns)?;
            match portions.last_mut() {
                Some(last) if last.len() < limits::UNWIND_ROWS => last.rows.push(fields),
                _ => portions.push(Portion { rows: vec![fields] }),
            }
            Ok(())
        };
        self.driver.each("reading back", Statement::new(text), take).await?;
        Ok(portions)
    }

    async fn write(&self, text: &'static str, some: Portion) -> Result<(), StoreError> {
        let mut statement = Some(Statement::new(text).with("rows", Value::rows(some.rows)));
        transaction!(self.driver, "writing bare", |tx| async {
            // A second try would be measured as one.
            let statement = statement.take().ok_or(StoreError::NotFound { what: "second try" })?;
            tx.run(statement).await.map(drop)
        });
        Ok(())
    }
}

/// Names of properties: few, and as long-lived as the program.
#[derive(Default)]
struct Names(HashMap<String, &'static str>);

impl Names {
    fn fields(&mut self, row: &Row, columns: &[&'static str]) -> Outcome<Fields> {
        let mut fields = Fields::new();
        for column in columns {
            fields.push((column, row.text(column)?.into()));
        }
        let properties: HashMap<String, Property> = row.get("properties")?;
        let set = properties.into_iter().map(|(name, property)| {
            let value = match property {
                Property::Flag(flag) => flag.into(),
                Property::Int(number) => number.into(),
                Property::Text(text) => text.into(),
                Property::Texts(texts) => texts.into(),
            };
            (self.name(name), value)
        });
        let set = Value::Map(set.collect());
        fields.push(("set", set));
        Ok(fields)
    }

    fn name(&mut self, name: String) -> &'static str {
        let leaked = |name: &String| -> &'static str { Box::leak(name.clone().into_boxed_str()) };
        self.0.entry(name).or_insert_with_key(leaked)
    }
}
