//! The rows against the provider's schema: a row that the provider would refuse does not pass.

use std::collections::BTreeSet;

use super::expr::{Atom, Expr, Pipe};
use super::{BlockRow, Rows};
use crate::ProviderVersion;
use crate::tables::{AttrSchema, BlockSchema, Ty, resource_schema};
use crate::translate::functions;

const SPECIALS: &[&str] = &[
    "name",
    "id",
    "self",
    "rg",
    "scope",
    "subscription",
    "key",
    "secret",
    "ask",
];

fn pipes(expr: &Expr) -> impl Iterator<Item = &Pipe> {
    let tests = expr
        .condition
        .iter()
        .flat_map(|condition| condition.any.iter().flatten());
    expr.alternatives.iter().chain(tests.map(|test| &test.pipe))
}

fn check_expr(at: &str, expr: &Expr, wrong: &mut Vec<String>) {
    for pipe in pipes(expr) {
        for call in &pipe.calls {
            if !functions::NAMES.contains(&call.name.as_str()) {
                wrong.push(format!("{at}: no function {}", call.name));
            }
        }
        if let Atom::Special(name) = &pipe.atom
            && !SPECIALS.contains(&name.as_str())
            && !name.starts_with("parent")
        {
            wrong.push(format!("{at}: no special {name}"));
        }
    }
}

fn check_block(at: &str, row: &BlockRow, schema: &BlockSchema, wrong: &mut Vec<String>) {
    for (name, expr) in &row.attrs {
        let at = format!("{at}.{name}");
        check_expr(&at, expr, wrong);
        if !schema.attrs.contains_key(name) {
            wrong.push(format!("{at}: no such attribute"));
        }
    }
    for (name, rows) in &row.blocks {
        let at = format!("{at}.{name}");
        if let Some(nested) = schema.blocks.get(name) {
            for row in rows {
                check_block(&at, row, &nested.2, wrong);
            }
        } else if let Some(AttrSchema(_, Ty::List(item))) = schema.attrs.get(name)
            && let Ty::Object(members) = item.as_ref()
        {
            let schema = crate::translate::place::object_schema(members);
            for row in rows {
                check_block(&at, row, &schema, wrong);
            }
        } else {
            wrong.push(format!("{at}: no such block"));
        }
    }
}

#[test]
fn every_row_fits_the_schema() {
    let mut wrong = Vec::new();
    for version in [ProviderVersion::V4, ProviderVersion::V5] {
        for row in Rows::embedded(version).expect("the rows parse").all() {
            let at = format!("{version:?} {}", row.azurerm);
            match resource_schema(version, &row.azurerm).expect("the table reads") {
                None => wrong.push(format!("{at}: no such type")),
                Some(schema) => check_block(&at, &row.body, &schema.block, &mut wrong),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_arm_type_has_one_row_without_a_condition() {
    let rows = Rows::embedded(ProviderVersion::V5).expect("the rows parse");
    let mut seen = BTreeSet::new();
    for (arm, rows) in &rows.main {
        let open: Vec<_> = rows
            .iter()
            .filter(|row| row.when.is_none())
            .map(|row| &row.azurerm)
            .collect();
        assert!(open.len() <= 1, "{arm}: {open:?}");
        seen.insert(arm);
    }
    assert!(seen.len() >= 5);
}
