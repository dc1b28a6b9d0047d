//! Holds a translated block against the provider's schema: what does not fit is left out with a note, what is
//! required and missing becomes a variable.

use std::collections::BTreeMap;

use crate::tables::{AttrSchema, BlockSchema, NestedBlock, Ty};
use crate::translate::functions::plain_text;
use crate::value::{Block, Val};

/// Notes, each with the attribute's path.
pub(crate) type Notes = Vec<(String, String)>;

/// The block as the provider accepts it.
pub(crate) fn place(block: Block, schema: &BlockSchema, path: &str, notes: &mut Notes) -> Block {
    let mut out = Block::default();
    for (name, value) in block.attrs {
        let at = join(path, &name);
        let Some(attr) = schema.attrs.get(&name) else {
            notes.push((at, "not an attribute that can be set; left out".to_owned()));
            continue;
        };
        match fit(value, &attr.1) {
            Some(value) => {
                let value = if attr.sensitive() && value.as_text().is_some() {
                    notes.push((at, "sensitive; a variable stands in its place".to_owned()));
                    Val::Secret
                } else {
                    value
                };
                out.attrs.insert(name, value);
            }
            None => notes.push((at, "of another type than the provider expects; left out".to_owned())),
        }
    }
    for (name, blocks) in block.blocks {
        let at = join(path, &name);
        if let Some(nested) = schema.blocks.get(&name) {
            let placed = place_nested(blocks, nested, &at, notes);
            if !placed.is_empty() {
                out.blocks.insert(name, placed);
            }
        } else if let Some(AttrSchema(_, Ty::List(item))) = schema.attrs.get(&name)
            && let Ty::Object(members) = item.as_ref()
        {
            let schema = object_schema(members);
            let placed = blocks
                .into_iter()
                .map(|block| place(block, &schema, &at, notes))
                .collect();
            out.blocks.insert(name, placed);
        } else {
            notes.push((at, "not a block that can be set; left out".to_owned()));
        }
    }
    add_required(&mut out, schema, path, notes);
    out
}

fn place_nested(blocks: Vec<Block>, nested: &NestedBlock, at: &str, notes: &mut Notes) -> Vec<Block> {
    let NestedBlock(_, max, schema) = nested;
    let total = blocks.len();
    let keep = match usize::try_from(*max) {
        Ok(max) if max > 0 => max,
        Ok(_) | Err(_) => usize::MAX,
    };
    if total > keep {
        let dropped = total - keep;
        notes.push((
            at.to_owned(),
            format!("{dropped} more than the provider accepts; left out"),
        ));
    }
    let blocks = blocks.into_iter().take(keep);
    blocks.map(|block| place(block, schema, at, notes)).collect()
}

/// Attributes as blocks have no schema of their own: nothing is known to be required.
pub(crate) fn object_schema(members: &BTreeMap<String, Ty>) -> BlockSchema {
    let mut schema = BlockSchema::default();
    for (name, ty) in members {
        schema.attrs.insert(name.clone(), AttrSchema(String::new(), ty.clone()));
    }
    schema
}

fn add_required(out: &mut Block, schema: &BlockSchema, path: &str, notes: &mut Notes) {
    for (name, attr) in &schema.attrs {
        if !attr.required() || out.attrs.contains_key(name) || out.blocks.contains_key(name) {
            continue;
        }
        let secret = attr.sensitive();
        let note = if secret {
            "a secret; a variable stands in its place"
        } else {
            "required, and not in the body; a variable stands in its place"
        };
        notes.push((join(path, name), note.to_owned()));
        out.attrs.insert(
            name.clone(),
            if secret {
                Val::Secret
            } else {
                Val::Ask(declaration(&attr.1))
            },
        );
    }
    for (name, NestedBlock(min, _, inner)) in &schema.blocks {
        if *min > 0 && !out.blocks.contains_key(name) {
            let at = join(path, name);
            let block = place(Block::default(), inner, &at, notes);
            out.blocks.insert(name.clone(), vec![block]);
        }
    }
}

/// The value as `ty`, converted where Terraform would; `None` when it cannot be one.
fn fit(value: Val, ty: &Ty) -> Option<Val> {
    match value {
        Val::Ask(_) => Some(Val::Ask(declaration(ty))),
        Val::Secret | Val::Of { .. } | Val::Ref { .. } | Val::Var(_) | Val::Template(_) => match ty {
            Ty::List(item) if !matches!(item.as_ref(), Ty::Object(_)) => Some(Val::List(vec![value])),
            Ty::String | Ty::Number | Ty::Bool | Ty::Any => Some(value),
            Ty::List(_) | Ty::Map(_) | Ty::Object(_) => None,
        },
        Val::Json(_) => (*ty == Ty::String || *ty == Ty::Any).then_some(value),
        Val::Null => None,
        Val::List(items) => match ty {
            Ty::List(item) => {
                let fitted = items.into_iter().map(|value| fit(value, item));
                Some(Val::List(fitted.collect::<Option<_>>()?))
            }
            Ty::Any => Some(Val::List(items)),
            Ty::String | Ty::Number | Ty::Bool | Ty::Map(_) | Ty::Object(_) => None,
        },
        Val::Map(members) => match ty {
            Ty::Map(item) => {
                let fitted = members.into_iter().map(|(name, value)| Some((name, fit(value, item)?)));
                Some(Val::Map(fitted.collect::<Option<_>>()?))
            }
            Ty::Any => Some(Val::Map(members)),
            Ty::String | Ty::Number | Ty::Bool | Ty::List(_) | Ty::Object(_) => None,
        },
        Val::Bool(_) | Val::Number(_) | Val::Text(_) => scalar(value, ty),
    }
}

/// A type as a variable's declaration writes it.
fn declaration(ty: &Ty) -> String {
    match ty {
        Ty::String => "string".to_owned(),
        Ty::Number => "number".to_owned(),
        Ty::Bool => "bool".to_owned(),
        Ty::List(item) => format!("list({})", declaration(item)),
        Ty::Map(item) => format!("map({})", declaration(item)),
        Ty::Object(_) | Ty::Any => "any".to_owned(),
    }
}

fn scalar(value: Val, ty: &Ty) -> Option<Val> {
    match ty {
        Ty::Any => Some(value),
        Ty::String => plain_text(&value).map(Val::Text),
        Ty::Number if matches!(value, Val::Number(_)) => Some(value),
        Ty::Number => plain_text(&value)?.parse().ok().map(Val::Number),
        Ty::Bool => plain_text(&value)?.to_lowercase().parse().ok().map(Val::Bool),
        Ty::List(item) => Some(Val::List(vec![scalar(value, item)?])),
        Ty::Map(_) | Ty::Object(_) => None,
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}
