//! Holds printed Terraform against the provider's schema: nothing unknown or computed only, nothing required
//! missing, nothing of another type.

use hcl::structure::{Block, Body};
use hcl::{Expression, Structure};

use crate::ProviderVersion;
use crate::tables::{AttrSchema, BlockSchema, Ty, resource_schema};

/// What does not fit, as `address.path: why`.
pub(super) fn violations(body: &Body) -> Vec<String> {
    violations_of(ProviderVersion::V5, body)
}

/// The same for a version of the provider.
pub(super) fn violations_of(version: ProviderVersion, body: &Body) -> Vec<String> {
    let mut wrong = Vec::new();
    for block in body.blocks().filter(|block| block.identifier() == "resource") {
        let labels: Vec<&str> = block.labels().iter().map(hcl::BlockLabel::as_str).collect();
        let at = labels.join(".");
        if labels[0] == "azapi_resource" {
            azapi(&at, block, &mut wrong);
            continue;
        }
        match resource_schema(version, labels[0]).expect("the table reads") {
            Some(schema) => check(&at, block, &schema.block, &mut wrong),
            None => wrong.push(format!("{at}: no such type")),
        }
    }
    wrong
}

fn azapi(at: &str, block: &Block, wrong: &mut Vec<String>) {
    let known = [
        "type",
        "name",
        "parent_id",
        "location",
        "tags",
        "body",
        "schema_validation_enabled",
        "provider",
    ];
    for attribute in block.body().attributes() {
        if !known.contains(&attribute.key()) {
            wrong.push(format!("{at}.{}: unknown", attribute.key()));
        }
    }
    for name in ["type", "name", "parent_id"] {
        if !block.body().attributes().any(|attribute| attribute.key() == name) {
            wrong.push(format!("{at}.{name}: missing"));
        }
    }
    let typed = block.body().attributes().find(|attribute| attribute.key() == "type");
    if !matches!(typed.map(hcl::Attribute::expr), Some(Expression::String(text)) if text.contains('@')) {
        wrong.push(format!("{at}.type: no api-version"));
    }
}

fn check(at: &str, block: &Block, schema: &BlockSchema, wrong: &mut Vec<String>) {
    let mut seen: Vec<&str> = Vec::new();
    for structure in block.body() {
        match structure {
            Structure::Attribute(attribute) => {
                let name = attribute.key();
                seen.push(name);
                match schema.attrs.get(name) {
                    Some(attr) if fits(attribute.expr(), &attr.1) => {}
                    Some(_) => wrong.push(format!("{at}.{name}: of another type")),
                    None if name == "provider" => {}
                    None => wrong.push(format!("{at}.{name}: unknown or computed only")),
                }
            }
            Structure::Block(inner) => {
                let name = inner.identifier();
                seen.push(name);
                let at = format!("{at}.{name}");
                if let Some(nested) = schema.blocks.get(name) {
                    check(&at, inner, &nested.2, wrong);
                } else if let Some(AttrSchema(_, Ty::List(item))) = schema.attrs.get(name)
                    && let Ty::Object(members) = item.as_ref()
                {
                    check(&at, inner, &crate::translate::place::object_schema(members), wrong);
                } else {
                    wrong.push(format!("{at}: unknown block"));
                }
            }
        }
    }
    for (name, attr) in &schema.attrs {
        if attr.required() && !seen.contains(&name.as_str()) {
            wrong.push(format!("{at}.{name}: required and missing"));
        }
    }
    for (name, nested) in &schema.blocks {
        let count = u64::try_from(seen.iter().filter(|seen| *seen == name).count()).expect("small");
        if count < nested.0 || (nested.1 > 0 && count > nested.1) {
            wrong.push(format!("{at}.{name}: {count} of {}..{}", nested.0, nested.1));
        }
    }
}

fn fits(value: &Expression, ty: &Ty) -> bool {
    match value {
        Expression::Bool(_) => matches!(ty, Ty::Bool | Ty::Any),
        Expression::Number(_) => matches!(ty, Ty::Number | Ty::Any),
        Expression::String(_) | Expression::TemplateExpr(_) => matches!(ty, Ty::String | Ty::Any),
        Expression::Array(items) => match ty {
            Ty::List(item) => items.iter().all(|value| fits(value, item)),
            _ => *ty == Ty::Any,
        },
        Expression::Object(members) => match ty {
            Ty::Map(item) => members.values().all(|value| fits(value, item)),
            _ => *ty == Ty::Any,
        },
        Expression::FuncCall(_) => *ty == Ty::String,
        _ => true,
    }
}
