//! What of a body is not in the code: the values that no expression of its rows reads and that ARM lets one set.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value as Json;

use crate::IacError;
use crate::rows::expr::{Atom, Expr, Path, Step};
use crate::rows::{BlockRow, Row, Rows};
use crate::tables::Tables;

/// Members of every body that are written by other means, or that nobody sets.
const COMMON: &[&str] = &[
    "id",
    "name",
    "type",
    "apiversion",
    "location",
    "tags",
    "identity",
    "zones",
    "tenantid",
    "subscriptionid",
    "resourcegroup",
    "systemdata",
    "etag",
    "managedby",
    "extendedlocation",
    "dependson",
    "comments",
    "copy",
];

/// Sets of paths, each made once.
#[derive(Default)]
pub(crate) struct Coverage {
    known: RefCell<BTreeMap<String, Rc<Paths>>>,
}

/// Paths as a tree; `*` stands for any item.
#[derive(Debug, Default)]
struct Paths {
    below: BTreeMap<String, Paths>,
    end: bool,
}

impl Coverage {
    /// The paths of `body` with a value that the code does not hold, lower case.
    pub(crate) fn left_out(
        &self,
        row: &Row,
        arm: &str,
        body: &Json,
        rows: &Rows,
        tables: &Tables,
    ) -> Result<Vec<String>, IacError> {
        let key = format!("{arm} {} {}", row.azurerm, row.when.is_some());
        let known = self.known.borrow().get(&key).cloned();
        let known = if let Some(known) = known {
            known
        } else {
            let made = Rc::new(make(row, arm, rows, tables)?);
            self.known.borrow_mut().insert(key, Rc::clone(&made));
            made
        };
        let mut out = Vec::new();
        let own_id = body.get("id").and_then(Json::as_str).unwrap_or_default().to_lowercase() + "/";
        let leaf = |text: &str| !text.is_empty() && !text.to_lowercase().starts_with(&own_id);
        walk(body, &known, &mut String::new(), &leaf, &mut out);
        out.sort();
        out.dedup();
        Ok(out)
    }
}

fn make(row: &Row, arm: &str, rows: &Rows, tables: &Tables) -> Result<Paths, IacError> {
    let mut paths = Paths::default();
    for name in COMMON {
        paths.add(&[(*name).to_owned()]);
    }
    if let Some(facts) = tables.arm_type(arm)? {
        for path in &facts.read_only {
            let steps: Vec<String> = path.split('.').map(str::to_lowercase).collect();
            paths.add(&steps);
        }
    }
    for row in std::iter::once(row).chain(rows.extra(arm)) {
        let mut bases = vec![Vec::new()];
        for each in &row.each {
            bases.push(item(absolute(each, &bases)));
        }
        block(&row.body, &mut bases, &mut paths);
        for path in &row.implied {
            paths.add(&absolute(path, &[Vec::new()]));
        }
        for (path, _) in &row.inline {
            paths.add(&absolute(path, &[Vec::new()]));
        }
    }
    Ok(paths)
}

fn block(row: &BlockRow, bases: &mut Vec<Vec<String>>, out: &mut Paths) {
    let depth = bases.len();
    if let Some(from) = &row.from {
        bases.push(absolute(from, bases));
    }
    if let Some(each) = &row.each {
        bases.push(item(absolute(each, bases)));
    }
    for expr in row.attrs.values() {
        expression(expr, bases, out);
    }
    for row in row.blocks.values().flatten() {
        block(row, bases, out);
    }
    bases.truncate(depth);
}

fn expression(expr: &Expr, bases: &[Vec<String>], out: &mut Paths) {
    for pipe in &expr.alternatives {
        if let Atom::Path(path) = &pipe.atom {
            out.add(&absolute(path, bases));
        }
        for call in pipe.calls.iter().filter(|call| call.name == "concat") {
            if let Some(Ok(path)) = call.args.first().map(|arg| Path::parse(arg)) {
                out.add(&absolute(&path, bases));
            }
        }
    }
}

fn absolute(path: &Path, bases: &[Vec<String>]) -> Vec<String> {
    let base = if path.from_root {
        None
    } else {
        bases.len().checked_sub(1 + path.up).and_then(|at| bases.get(at))
    };
    let mut steps = base.cloned().unwrap_or_default();
    steps.extend(path.steps.iter().map(|step| match step {
        Step::Member(name) => name.to_lowercase(),
        Step::Item(_) | Step::From(_) | Step::Each => "*".to_owned(),
    }));
    steps
}

fn item(mut path: Vec<String>) -> Vec<String> {
    path.push("*".to_owned());
    path
}

impl Paths {
    fn add(&mut self, steps: &[String]) {
        match steps.split_first() {
            None => self.end = true,
            Some((first, rest)) => self.below.entry(first.clone()).or_default().add(rest),
        }
    }
}

/// Collects the paths of values that `known` does not cover; of texts, those that `counts` takes: the id of
/// a part of the resource says nothing that its name does not.
fn walk(value: &Json, known: &Paths, path: &mut String, counts: &dyn Fn(&str) -> bool, out: &mut Vec<String>) {
    static NONE: Paths = Paths {
        below: BTreeMap::new(),
        end: false,
    };
    if known.end {
        return;
    }
    let any = known.below.get("*");
    let length = path.len();
    match value {
        Json::Object(members) => {
            for (name, member) in members {
                let lower = name.to_lowercase();
                if lower == "provisioningstate" {
                    continue;
                }
                let inner = known.below.get(&lower).or(any).unwrap_or(&NONE);
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(&lower);
                walk(member, inner, path, counts, out);
                path.truncate(length);
            }
        }
        Json::Array(items) => {
            path.push_str("[*]");
            for item in items {
                walk(item, any.unwrap_or(&NONE), path, counts, out);
            }
            path.truncate(length);
        }
        Json::Null | Json::Bool(false) => {}
        Json::String(text) if !counts(text) => {}
        Json::Bool(true) | Json::Number(_) | Json::String(_) => out.push(path.clone()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_no_expression_reads_is_found() {
        let rows = Rows::embedded(crate::ProviderVersion::V5).expect("the rows parse");
        let arm = "microsoft.network/virtualnetworks";
        let body = json!({
            "id": "/x", "location": "westeurope", "etag": "x",
            "properties": {
                "addressSpace": {"addressPrefixes": ["10.0.0.0/8"]}, "provisioningState": "Succeeded",
                "somethingNew": true, "enableDdosProtection": false,
                "subnets": [{"name": "a", "properties": {"anything": 1}}],
                "invented": [{"x": 1}, {"x": 2}],
            },
        });
        let row = &rows.main(arm)[0];
        let left = Coverage::default().left_out(row, arm, &body, rows, &Tables::default());
        assert_eq!(
            left.expect("the tables read"),
            ["properties.invented[*].x", "properties.somethingnew"]
        );
    }
}
