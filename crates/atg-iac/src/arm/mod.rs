//! ARM templates: one file for each root, with the templates of its resource groups inside.

mod json;

use crate::IacError;
use crate::output::OutputFile;
use crate::template::ids::{Code, Scope, code};
use crate::template::item::Item;
use crate::template::plan::{Module, Root};
use crate::template::program::{Program, Template, Wait, attr_path, deployment, group_name};
use crate::template::value::{Expr, Key, Param, ParamKind, Piece, Value};
use json::Json;

/// Version of the resource type that deploys a template.
const DEPLOYMENTS_VERSION: &str = "2022-09-01";
/// How deep a resource of a nested template is indented.
const NESTED_DEPTH: usize = 6;

/// The files.
pub(crate) fn files(program: &Program, check: &dyn Fn() -> Result<(), IacError>) -> Result<Vec<OutputFile>, IacError> {
    let mut files = Vec::with_capacity(program.plan.roots.len());
    for (at, root) in program.plan.roots.iter().enumerate() {
        let mut text = String::new();
        self::root(program, at, root, check)?.print(0, &mut text);
        text.push('\n');
        files.push(OutputFile {
            path: format!("{}.json", root.stem),
            bytes: text.into_bytes(),
            content_type: "application/json",
        });
    }
    Ok(files)
}

/// Bytes of an item where it is written deepest, with all that it may wait for.
pub(crate) fn size(program: &Program, item: &Item) -> usize {
    let waits = item.needs().filter_map(|need| program.items.get(need));
    let waits = waits.map(|need| self::expr(&code(&need.id, &item.scope)));
    let mut text = String::new();
    resource(program, item, waits.collect()).print(NESTED_DEPTH, &mut text);
    text.len() + 2 * NESTED_DEPTH + 2
}

fn root(program: &Program, at: usize, root: &Root, check: &dyn Fn() -> Result<(), IacError>) -> Result<Json, IacError> {
    let template = program.root(at, root);
    let mut resources = own_resources(&template, root);
    for (number, module) in root.modules.iter().enumerate() {
        check()?;
        resources.push(nested(program, (at, root), (number, module)));
    }
    Ok(frame(&template, resources))
}

fn own_resources(template: &Template<'_>, root: &Root) -> Vec<Json> {
    let items = template.items();
    items
        .map(|(_, item)| {
            let waits = template.waits(item);
            let waits = waits.into_iter().filter_map(|wait| wait_id(template, root, wait));
            resource(template.program, item, waits.collect())
        })
        .collect()
}

fn wait_id(template: &Template<'_>, root: &Root, wait: Wait) -> Option<Json> {
    let code = match wait {
        Wait::Item(at) => code(&template.program.items.get(at)?.id, template.scope),
        Wait::Module(at) => deployment(root.modules.get(at)?),
    };
    Some(expr(&code))
}

fn nested(program: &Program, (root_at, root): (usize, &Root), (at, module): (usize, &Module)) -> Json {
    let outer = program.root(root_at, root);
    let template = program.module(root_at, at, module);
    let waits = program.module_waits(root_at, at, module);
    let waits: Vec<Json> = waits
        .into_iter()
        .filter_map(|wait| wait_id(&outer, root, wait))
        .collect();
    let params = template.params().into_iter().map(|(name, _)| {
        let value = Json::map([("value", Json::text(&format!("[parameters('{name}')]")))]);
        (name.to_owned(), value)
    });
    let properties = Json::map([
        ("mode", Json::text("Incremental")),
        (
            "expressionEvaluationOptions",
            Json::map([("scope", Json::text("inner"))]),
        ),
        ("parameters", Json::Map(params.collect())),
        ("template", frame(&template, own_resources(&template, root))),
    ]);
    let mut members = vec![
        ("type", Json::text("Microsoft.Resources/deployments")),
        ("apiVersion", Json::text(DEPLOYMENTS_VERSION)),
        ("name", Json::text(&module.name)),
        ("resourceGroup", Json::text(&escaped(group_name(program, module)))),
    ];
    if !waits.is_empty() {
        members.push(("dependsOn", Json::List(waits)));
    }
    members.push(("properties", properties));
    Json::Map(
        members
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}

fn frame(template: &Template<'_>, resources: Vec<Json>) -> Json {
    let schema = match template.scope {
        Scope::Tenant => "2019-08-01/tenantDeploymentTemplate.json#",
        Scope::ManagementGroup(_) => "2019-08-01/managementGroupDeploymentTemplate.json#",
        Scope::Subscription(_) => "2018-05-01/subscriptionDeploymentTemplate.json#",
        Scope::Group(..) => "2019-04-01/deploymentTemplate.json#",
    };
    let params = template.params().into_iter();
    Json::map([
        (
            "$schema",
            Json::text(&format!("https://schema.management.azure.com/schemas/{schema}")),
        ),
        ("contentVersion", Json::text("1.0.0.0")),
        (
            "parameters",
            Json::Map(
                params
                    .map(|(name, param)| (name.to_owned(), declaration(param)))
                    .collect(),
            ),
        ),
        ("resources", Json::List(resources)),
    ])
}

fn declaration(param: &Param) -> Json {
    let type_ = match &param.kind {
        ParamKind::SecretText => "securestring",
        ParamKind::SecretObject => "secureObject",
        ParamKind::Missing(type_) => type_,
        ParamKind::Outside(_) => "string",
    };
    let mut members = vec![("type".to_owned(), Json::text(type_))];
    if let ParamKind::Outside(value) = &param.kind {
        members.push(("defaultValue".to_owned(), Json::text(&escaped(value))));
    }
    let metadata = Json::map([("description", Json::text(&escaped(&param.description)))]);
    members.push(("metadata".to_owned(), metadata));
    Json::Map(members)
}

fn resource(program: &Program, item: &Item, waits: Vec<Json>) -> Json {
    let mut out = vec![
        ("type".to_owned(), Json::text(&item.type_)),
        ("apiVersion".to_owned(), Json::text(&item.api_version)),
        ("name".to_owned(), Json::text(&escaped(&item.names.join("/")))),
    ];
    if let Some(on) = &item.on {
        out.push(("scope".to_owned(), expr(&code(on, &item.scope))));
    }
    out.extend(
        item.members
            .iter()
            .map(|(key, value)| self::member(program, item, key, value)),
    );
    if !waits.is_empty() {
        out.push(("dependsOn".to_owned(), Json::List(waits)));
    }
    Json::Map(out)
}

fn member(program: &Program, item: &Item, key: &Key, value: &Value) -> (String, Json) {
    let key = match key {
        Key::Text(name) => escaped(name),
        Key::Expr(expr) => expression(program, item, expr),
    };
    (key, self::value(program, item, value))
}

fn value(program: &Program, item: &Item, value: &Value) -> Json {
    match value {
        Value::Null => Json::Written("null".to_owned()),
        Value::Bool(value) => Json::Written(value.to_string()),
        Value::Number(value) => Json::Written(value.to_string()),
        Value::Text(text) => Json::text(&escaped(text)),
        Value::List(items) => Json::List(items.iter().map(|inner| self::value(program, item, inner)).collect()),
        Value::Map(members) => {
            let members = members.iter().map(|(key, value)| member(program, item, key, value));
            Json::Map(members.collect())
        }
        Value::Expr(expr) => Json::text(&expression(program, item, expr)),
    }
}

fn expression(program: &Program, item: &Item, expr: &Expr) -> String {
    match expr {
        Expr::Id(target) => match code(&target.id, &item.scope) {
            // The same everywhere, without a function.
            Code::Text(text) => escaped(&text),
            code @ (Code::Call(..) | Code::Member(..)) => format!("[{}]", said(&code)),
        },
        Expr::Attr(of, attr, read) => {
            let Some(target) = program.items.get(*of) else {
                return escaped(read);
            };
            let mut args = vec![code(&target.id, &item.scope), Code::Text(target.api_version.clone())];
            let path = attr_path(*attr);
            let path = if path.first() == Some(&"properties") {
                path.get(1..).unwrap_or_default()
            } else {
                args.push(Code::Text("full".to_owned()));
                path
            };
            let call = Code::Call("reference", args);
            let code = path.iter().fold(call, |code, name| Code::Member(Box::new(code), name));
            format!("[{}]", said(&code))
        }
        Expr::Param(key) => format!("[{}]", said(&param(program, key))),
        Expr::Joined(pieces) => {
            let pieces = pieces.iter().map(|piece| match piece {
                Piece::Text(text) => Code::Text(text.clone()),
                Piece::Param(key) => param(program, key),
            });
            format!("[{}]", said(&Code::Call("concat", pieces.collect())))
        }
    }
}

fn param(program: &Program, key: &str) -> Code {
    Code::Call("parameters", vec![Code::Text(program.param_name(key).to_owned())])
}

fn expr(code: &Code) -> Json {
    match code {
        Code::Text(text) => Json::text(&escaped(text)),
        Code::Call(..) | Code::Member(..) => Json::text(&format!("[{}]", said(code))),
    }
}

fn said(code: &Code) -> String {
    match code {
        Code::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Code::Call(name, args) => {
            let args: Vec<String> = args.iter().map(said).collect();
            format!("{name}({})", args.join(", "))
        }
        Code::Member(of, name) => format!("{}.{name}", said(of)),
    }
}

/// A text that ARM does not take for an expression: one in brackets would be. Source: Azure Resource Manager,
/// "Template syntax and expressions", escape characters.
fn escaped(text: &str) -> String {
    if text.starts_with('[') && text.ends_with(']') {
        format!("[{text}")
    } else {
        text.to_owned()
    }
}
