//! Bicep: one main file for each root and a module for each resource group's template.

mod symbols;
mod text;

use std::collections::BTreeMap;

use crate::IacError;
use crate::output::OutputFile;
use crate::template::ids::{self, Scope, code};
use crate::template::item::Item;
use crate::template::plan::{Module, Root};
use crate::template::program::{Program, Template, Wait, attr_path, group_item, group_name};
use crate::template::value::{Expr, Key, ParamKind, Piece, Target, Value};
use symbols::{Existing, Symbols};
use text::{escaped, quote, said};

/// The files. `versions` has the versions of types by their lower-cased names.
pub(crate) fn files(
    program: &Program,
    versions: &BTreeMap<String, String>,
    check: &dyn Fn() -> Result<(), IacError>,
) -> Result<Vec<OutputFile>, IacError> {
    let items = program.items.iter().enumerate();
    let by_key: BTreeMap<&str, usize> = items.map(|(at, item)| (item.key.as_str(), at)).collect();
    let mut files = Vec::new();
    for (at, root) in program.plan.roots.iter().enumerate() {
        let template = program.root(at, root);
        let symbols = Symbols::new(template, &root.modules, &by_key, versions);
        files.push(file(format!("{}.bicep", root.stem), main(&template, root, &symbols)));
        for (number, module) in root.modules.iter().enumerate() {
            check()?;
            let template = program.module(at, number, module);
            let symbols = Symbols::new(template, &[], &by_key, versions);
            let text = blocks(&template, resources(&template, &symbols), &symbols);
            files.push(file(module_path(module), text));
        }
    }
    Ok(files)
}

/// The file of a module.
pub(crate) fn module_path(module: &Module) -> String {
    format!("modules/{}.bicep", module.name)
}

/// The names of the items of a template, as its file has them.
pub(crate) fn names_of(template: Template<'_>, modules: &[Module]) -> BTreeMap<usize, String> {
    let (by_key, versions) = (BTreeMap::new(), BTreeMap::new());
    let symbols = Symbols::new(template, modules, &by_key, &versions);
    template
        .items()
        .map(|(at, _)| (at, symbols.item(at).to_owned()))
        .collect()
}

fn file(path: String, text: String) -> OutputFile {
    OutputFile {
        path,
        bytes: text.into_bytes(),
        content_type: "text/plain; charset=utf-8",
    }
}

fn main(template: &Template<'_>, root: &Root, symbols: &Symbols<'_>) -> String {
    let mut all = resources(template, symbols);
    for (at, module) in root.modules.iter().enumerate() {
        all.push(self::module(template, (at, module), symbols));
    }
    blocks(template, all, symbols)
}

/// The whole file: scope, parameters, what exists, and these blocks.
fn blocks(template: &Template<'_>, blocks: Vec<String>, symbols: &Symbols<'_>) -> String {
    let scope = match template.scope {
        Scope::Tenant => "tenant",
        Scope::ManagementGroup(_) => "managementGroup",
        Scope::Subscription(_) => "subscription",
        Scope::Group(..) => "resourceGroup",
    };
    let mut all = vec![format!("targetScope = '{scope}'\n")];
    all.extend(params(template));
    let existing = symbols.existing();
    all.extend(
        existing
            .iter()
            .map(|(name, existing)| outside(name, existing, template, symbols)),
    );
    all.extend(blocks);
    all.join("\n")
}

fn params(template: &Template<'_>) -> Vec<String> {
    let params = template.params().into_iter().map(|(name, param)| {
        let (secure, type_, default) = match &param.kind {
            ParamKind::SecretText => ("@secure()\n", "string", String::new()),
            ParamKind::SecretObject => ("@secure()\n", "object", String::new()),
            ParamKind::Missing(type_) => ("", *type_, String::new()),
            ParamKind::Outside(value) => ("", "string", format!(" = {}", quote(value))),
        };
        let description = quote(&param.description);
        format!("@description({description})\n{secure}param {name} {type_}{default}\n")
    });
    params.collect()
}

/// What another template creates, or nobody here.
fn outside(name: &str, existing: &Existing, template: &Template<'_>, symbols: &Symbols<'_>) -> String {
    let Existing { id, api_version } = existing;
    let (type_, names) = ids::type_and_names(id);
    let scope = Scope::of(id);
    let on = id.scope().filter(|_| id.is_extension()).filter(|on| !scope.is(on));
    let scope = match (on, template.items().next()) {
        (Some(on), Some((_, item))) => Some(symbols.named(&on, item)),
        _ if scope == *template.scope => None,
        _ => Some(scope_call(&scope, id.resource_group(), template.scope)),
    };
    let scope = scope.map_or_else(String::new, |scope| format!("  scope: {scope}\n"));
    format!(
        "resource {name} {} existing = {{\n  name: {}\n{scope}}}\n",
        quote(&format!("{type_}@{api_version}")),
        quote(&names.join("/"))
    )
}

fn scope_call(scope: &Scope, group: Option<&str>, from: &Scope) -> String {
    let same = |subscription: &String| match from {
        Scope::Subscription(own) | Scope::Group(own, _) => own == subscription,
        Scope::Tenant | Scope::ManagementGroup(_) => false,
    };
    match scope {
        Scope::Tenant => "tenant()".to_owned(),
        Scope::ManagementGroup(name) => format!("managementGroup({})", quote(name)),
        Scope::Subscription(id) if same(id) => "subscription()".to_owned(),
        Scope::Subscription(id) => format!("subscription({})", quote(id)),
        Scope::Group(id, name) => {
            let name = quote(group.unwrap_or(name));
            if same(id) {
                format!("resourceGroup({name})")
            } else {
                format!("resourceGroup({}, {name})", quote(id))
            }
        }
    }
}

fn resources(template: &Template<'_>, symbols: &Symbols<'_>) -> Vec<String> {
    let items = template.items();
    items.map(|(at, item)| resource(at, item, template, symbols)).collect()
}

fn resource(at: usize, item: &Item, template: &Template<'_>, symbols: &Symbols<'_>) -> String {
    symbols.take_used();
    let printer = Printer {
        item,
        template,
        symbols,
    };
    let mut lines = Vec::new();
    let is_child = item.names.len() > 1;
    match item.id.parent() {
        Some(parent) if is_child => {
            lines.push(format!("  parent: {}", symbols.named(&parent, item)));
            lines.push(format!("  name: {}", quote(item.name())));
        }
        Some(_) | None => lines.push(format!("  name: {}", quote(item.name()))),
    }
    if let Some(on) = item.on.as_ref().filter(|_| !is_child) {
        lines.push(format!("  scope: {}", symbols.named(on, item)));
    }
    for (key, value) in &item.members {
        lines.push(format!("  {}: {}", printer.key(key), printer.value(value, 1)));
    }
    let used = symbols.take_used();
    let waits = template.waits(item).into_iter().filter_map(|wait| match wait {
        Wait::Item(at) => (!used.contains(&at)).then(|| symbols.item(at)),
        Wait::Module(at) => Some(symbols.module(at)),
    });
    lines.extend(depends_on(waits));
    let type_ = quote(&format!("{}@{}", item.type_, item.api_version));
    format!("resource {} {type_} = {{\n{}\n}}\n", symbols.item(at), lines.join("\n"))
}

fn module(template: &Template<'_>, (at, module): (usize, &Module), symbols: &Symbols<'_>) -> String {
    let program = template.program;
    let group = group_item(program, template.place.root, module);
    let scope = match group {
        Some(group) => symbols.item(group).to_owned(),
        None => format!("resourceGroup({})", quote(group_name(program, module))),
    };
    let mut lines = vec![format!("  name: {}", quote(&module.name)), format!("  scope: {scope}")];
    let params = program.module(template.place.root, at, module).params();
    if !params.is_empty() {
        lines.push("  params: {".to_owned());
        lines.extend(params.into_iter().map(|(name, _)| format!("    {name}: {name}")));
        lines.push("  }".to_owned());
    }
    let waits = program.module_waits(template.place.root, at, module);
    let waits = waits.into_iter().filter_map(|wait| match wait {
        Wait::Item(at) => (Some(at) != group).then(|| symbols.item(at)),
        Wait::Module(at) => Some(symbols.module(at)),
    });
    lines.extend(depends_on(waits));
    let path = quote(&module_path(module));
    format!("module {} {path} = {{\n{}\n}}\n", symbols.module(at), lines.join("\n"))
}

fn depends_on<'a>(names: impl Iterator<Item = &'a str>) -> Option<String> {
    let names: Vec<String> = names.map(|name| format!("    {name}\n")).collect();
    (!names.is_empty()).then(|| format!("  dependsOn: [\n{}  ]", names.concat()))
}

/// Prints the values of one resource.
struct Printer<'a> {
    item: &'a Item,
    template: &'a Template<'a>,
    symbols: &'a Symbols<'a>,
}

impl Printer<'_> {
    fn key(&self, key: &Key) -> String {
        match key {
            Key::Text(name) => text::key(name),
            Key::Expr(expr) => format!("'${{{}}}'", self.expr(expr)),
        }
    }

    fn value(&self, value: &Value, depth: usize) -> String {
        let indent = "  ".repeat(depth);
        match value {
            Value::Null => "null".to_owned(),
            Value::Bool(value) => value.to_string(),
            Value::Number(value) => text::number(value),
            Value::Text(text) => quote(text),
            Value::Expr(expr) => self.expr(expr),
            Value::List(items) if items.is_empty() => "[]".to_owned(),
            Value::List(items) => {
                let lines = items
                    .iter()
                    .map(|item| format!("{indent}  {}\n", self.value(item, depth + 1)));
                format!("[\n{}{indent}]", lines.collect::<String>())
            }
            Value::Map(members) if members.is_empty() => "{}".to_owned(),
            Value::Map(members) => {
                let lines = members
                    .iter()
                    .map(|(key, value)| format!("{indent}  {}: {}\n", self.key(key), self.value(value, depth + 1)));
                format!("{{\n{}{indent}}}", lines.collect::<String>())
            }
        }
    }

    fn expr(&self, expr: &Expr) -> String {
        match expr {
            Expr::Param(key) => self.template.program.param_name(key).to_owned(),
            Expr::Joined(pieces) => {
                let pieces = pieces.iter().map(|piece| match piece {
                    Piece::Text(text) => escaped(text),
                    Piece::Param(key) => format!("${{{}}}", self.template.program.param_name(key)),
                });
                format!("'{}'", pieces.collect::<String>())
            }
            Expr::Attr(of, attr, read) => match self.template.program.items.get(*of) {
                Some(target) => {
                    let name = self.symbols.named(&target.id, self.item);
                    format!("{name}.{}", attr_path(*attr).join("."))
                }
                None => quote(read),
            },
            Expr::Id(target) => self.id(target),
        }
    }

    /// The id of a resource by its name, where that does not make this one wait for itself.
    fn id(&self, target: &Target) -> String {
        let of = target.of.filter(|_| target.waits);
        let Some(of) = of.and_then(|of| self.template.program.items.get(of)) else {
            return said(&code(&target.id, self.template.scope));
        };
        let name = self.symbols.named(&of.id, self.item);
        match target.id.as_str().get(of.id.as_str().len()..) {
            Some(rest) if !rest.is_empty() => format!("'${{{name}.id}}{}'", escaped(rest)),
            Some(_) | None => format!("{name}.id"),
        }
    }
}
