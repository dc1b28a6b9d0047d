//! The files of the folder: one for each resource group, and those that every root module has.

pub(crate) mod hcl;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use atg_models::graph::BasedOn;

use crate::names;
use crate::options::{Options, ProviderVersion};
use crate::output::OutputFile;
use crate::program::{Item, Program, Variable, VariableKind};
use crate::reference::unmapped_key;
use crate::report::basis;
use crate::value::{Block, Val};
use hcl::{Printer, quote};

const HCL: &str = "text/x-hcl";
const MARKDOWN: &str = "text/markdown; charset=utf-8";

/// All files but the report's.
pub(crate) fn files(program: &Program, options: &Options, based_on: &BasedOn) -> Vec<OutputFile> {
    let wanted = program
        .variables
        .iter()
        .map(|(key, variable)| (key.clone(), variable.name.clone()));
    let variables = names::unique(&wanted.collect());
    let printer = Printer { variables: &variables };
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    for item in &program.items {
        let text = texts.entry(item.file.clone()).or_default();
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&resource(item, &printer));
        if item.import.as_text().is_some() {
            text.push('\n');
            text.push_str(&import(item));
        }
    }
    texts.insert("versions.tf".to_owned(), versions(program, options));
    texts.insert("providers.tf".to_owned(), providers(program, options, &variables));
    texts.insert("variables.tf".to_owned(), declarations(program, &variables));
    texts.insert("outputs.tf".to_owned(), outputs(program));
    let mut files: Vec<OutputFile> = texts
        .into_iter()
        .map(|(path, text)| OutputFile {
            path,
            bytes: text.into_bytes(),
            content_type: HCL,
        })
        .collect();
    files.push(OutputFile {
        path: "README.md".to_owned(),
        bytes: readme(program, &variables, based_on).into_bytes(),
        content_type: MARKDOWN,
    });
    files
}

fn resource(item: &Item, printer: &Printer<'_>) -> String {
    let mut lines = vec![format!("resource {} {} {{", quote(&item.target), quote(&item.label))];
    if let Some(alias) = &item.provider {
        let row = ("provider".to_owned(), vec![format!("{}.{alias}", family(item))]);
        printer.block_with(Some(row), &item.block, 1, &mut lines);
    } else {
        printer.block(&item.block, 1, &mut lines);
    }
    lines.push("}".to_owned());
    finish(&lines)
}

/// The provider of an item.
fn family(item: &Item) -> &'static str {
    if item.target == "azapi_resource" {
        "azapi"
    } else {
        "azurerm"
    }
}

fn import(item: &Item) -> String {
    let id = item.import.as_text().unwrap_or_default();
    let mut lines = vec!["import {".to_owned()];
    let mut rows = vec![
        ("to".to_owned(), vec![item.address()]),
        ("id".to_owned(), vec![quote(id)]),
    ];
    if let Some(alias) = &item.provider {
        let family = if item.target == "azapi_resource" {
            "azapi"
        } else {
            "azurerm"
        };
        rows.push(("provider".to_owned(), vec![format!("{family}.{alias}")]));
    }
    hcl::members(rows, 1, &mut lines);
    lines.push("}".to_owned());
    finish(&lines)
}

fn versions(program: &Program, options: &Options) -> String {
    let azurerm = match options.provider_version {
        ProviderVersion::V4 => "~> 4.55",
        ProviderVersion::V5 => "~> 5.0",
    };
    let azapi = program.items.iter().any(|item| item.target == "azapi_resource");
    let mut lines = vec![
        "terraform {".to_owned(),
        "  required_version = \">= 1.5\"".to_owned(),
        String::new(),
        "  required_providers {".to_owned(),
    ];
    let wanted = [
        ("azapi", "azure/azapi", "~> 2.0", azapi),
        ("azurerm", "hashicorp/azurerm", azurerm, true),
    ];
    for (name, source, version, used) in wanted {
        if used {
            lines.push(format!("    {name} = {{"));
            lines.push(format!("      source  = {}", quote(source)));
            lines.push(format!("      version = {}", quote(version)));
            lines.push("    }".to_owned());
        }
    }
    lines.push("  }".to_owned());
    lines.push("}".to_owned());
    finish(&lines)
}

fn providers(program: &Program, options: &Options, names: &BTreeMap<String, String>) -> String {
    let azapi = program.items.iter().any(|item| item.target == "azapi_resource");
    let mut text = String::new();
    let default = [(String::new(), None)];
    let subscriptions = if program.subscriptions.is_empty() {
        &default[..]
    } else {
        &program.subscriptions
    };
    for (subscription, alias) in subscriptions {
        for family in ["azurerm", "azapi"] {
            if family == "azapi" && !azapi {
                continue;
            }
            let mut rows = Vec::new();
            if let Some(alias) = alias {
                rows.push(("alias".to_owned(), vec![quote(alias)]));
            }
            if let Some(name) = names.get(&unmapped_key(subscription)) {
                rows.push(("subscription_id".to_owned(), vec![format!("var.{name}")]));
            } else if !subscription.is_empty() {
                rows.push(("subscription_id".to_owned(), vec![quote(subscription)]));
            }
            if let Some(tenant) = &options.target_tenant_id {
                rows.push(("tenant_id".to_owned(), vec![quote(tenant)]));
            }
            if family == "azurerm" && options.register_providers {
                rows.extend(registrations(program));
            }
            let mut lines = vec![format!("provider {} {{", quote(family))];
            hcl::members(rows, 1, &mut lines);
            if family == "azurerm" {
                if lines.len() > 1 {
                    lines.push(String::new());
                }
                lines.push("  features {}".to_owned());
            }
            lines.push("}".to_owned());
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&finish(&lines));
        }
    }
    text
}

/// Exactly those providers that the code needs, and none of the provider's own list.
fn registrations(program: &Program) -> [(String, Vec<String>); 2] {
    let needed: Vec<String> = program.namespaces.iter().map(|namespace| quote(namespace)).collect();
    [
        ("resource_provider_registrations".to_owned(), vec![quote("none")]),
        (
            "resource_providers_to_register".to_owned(),
            vec![format!("[{}]", needed.join(", "))],
        ),
    ]
}

fn declarations(program: &Program, names: &BTreeMap<String, String>) -> String {
    let mut sorted: Vec<(&String, &Variable)> = program
        .variables
        .iter()
        .filter_map(|(key, variable)| Some((names.get(key)?, variable)))
        .collect();
    sorted.sort_by_key(|(name, _)| *name);
    let mut text = String::new();
    for (name, variable) in sorted {
        let mut rows = vec![("description".to_owned(), vec![quote(&variable.description)])];
        match &variable.kind {
            VariableKind::Secret => {
                rows.push(("type".to_owned(), vec!["string".to_owned()]));
                rows.push(("sensitive".to_owned(), vec!["true".to_owned()]));
            }
            VariableKind::Missing(type_) => rows.push(("type".to_owned(), vec![type_.clone()])),
            VariableKind::Outside(value) => {
                rows.push(("type".to_owned(), vec!["string".to_owned()]));
                rows.push(("default".to_owned(), vec![quote(value)]));
            }
        }
        let mut lines = vec![format!("variable {} {{", quote(name))];
        hcl::members(rows, 1, &mut lines);
        lines.push("}".to_owned());
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&finish(&lines));
    }
    text
}

fn outputs(program: &Program) -> String {
    let groups: BTreeMap<String, Val> = program
        .items
        .iter()
        .filter(|item| item.target == "azurerm_resource_group")
        .map(|item| {
            let reference = Val::Ref {
                address: item.address(),
                attr: "id".to_owned(),
                rest: String::new(),
            };
            (item.label.clone(), reference)
        })
        .collect();
    let mut block = Block::default();
    block.attrs.insert(
        "description".to_owned(),
        Val::text("Ids of the resource groups, by their labels."),
    );
    block.attrs.insert("value".to_owned(), Val::Map(groups));
    let mut lines = vec!["output \"resource_group_ids\" {".to_owned()];
    let none = BTreeMap::new();
    Printer { variables: &none }.block(&block, 1, &mut lines);
    lines.push("}".to_owned());
    finish(&lines)
}

fn readme(program: &Program, names: &BTreeMap<String, String>, based_on: &BasedOn) -> String {
    let mut text = format!(
        "# Infrastructure as code\n\nWritten by atg from a graph of the tenant. `REPORT.md` says what is in it, what is not, and why.\n\n{}\n\n\
         ```sh\nterraform init\nterraform validate\nterraform plan\n```\n",
        basis(based_on)
    );
    let mut asked: Vec<_> = program
        .variables
        .iter()
        .filter(|(_, variable)| !matches!(variable.kind, VariableKind::Outside(_)))
        .filter_map(|(key, variable)| Some((names.get(key)?, &variable.description)))
        .collect();
    asked.sort();
    if !asked.is_empty() {
        text.push_str("\n## Values to provide\n\n| variable | what |\n|---|---|\n");
        for (name, description) in asked {
            let _infallible = writeln!(text, "| `{name}` | {} |", description.replace('|', "\\|"));
        }
    }
    text
}

fn finish(lines: &[String]) -> String {
    let mut text = lines.join("\n");
    text.push('\n');
    text
}
