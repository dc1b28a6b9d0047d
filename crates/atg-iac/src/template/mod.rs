//! Templates for ARM and Bicep: the same resources, references and parameters, printed by two printers.
//!
//! `item` makes a resource of what was read, `fit` holds its body against the published type, `links` finds
//! what ids name, `cycles` and `plan` decide what is deployed with what and in which order.

mod cycles;
mod fit;
mod graph;
pub(crate) mod ids;
pub(crate) mod item;
pub(crate) mod limits;
mod links;
mod pack;
pub(crate) mod plan;
pub(crate) mod program;
mod readme;
pub(crate) mod value;

use std::collections::{BTreeMap, BTreeSet};

use atg_models::graph::BasedOn;
use atg_models::secrets::contains_secret;

use crate::adapt::Told;
use crate::options::{Format, Options};
use crate::output::{Emitted, IacError, LeftOut, Note, Output, Reason, Reported};
use crate::select::{Context, Resource};
use crate::translate::Books;
use crate::{arm, bicep, names, report};
use item::Item;
use limits::{FRAME_BYTES, PARAMETERS_MAX, RESOURCE_MAX_BYTES};
use plan::{Place, Plan};
use program::Program;
use value::Param;

/// How often `cancelled` is asked.
const RESOURCES_BETWEEN_CHECKS: usize = 200;

/// Makes templates of the selected resources.
pub(crate) fn run(
    mut resources: Vec<Resource>,
    context: &Context,
    based_on: BasedOn,
    options: &Options,
    told: Told,
    check: &dyn Fn() -> Result<(), IacError>,
) -> Result<Output, IacError> {
    let books = Books::open(options.provider_version)?;
    let mut params = BTreeMap::new();
    let mut items = Vec::new();
    let mut refused: Vec<(usize, Reason, String)> = Vec::new();
    for (at, resource) in resources.iter_mut().enumerate() {
        if at % RESOURCES_BETWEEN_CHECKS == 0 {
            check()?;
        }
        match item::item(resource, at, &books, &mut params)? {
            Ok(item) => items.push(item),
            Err((reason, detail)) => refused.push((at, reason, detail)),
        }
        // The largest part of the memory, and not needed any more.
        resource.body = None;
    }
    links::resolve(&mut items, &mut params, (&resources, context), books.tables(), check)?;
    check()?;
    cycles::cut(&mut items);
    cycles::take_turns(&mut items);
    check()?;
    let program = assemble(items, params, context, &mut refused, check)?;
    check()?;
    let mut files = match options.format {
        Format::Bicep => bicep::files(&program, &versions(&program, &books)?, check)?,
        Format::Arm | Format::Terraform => arm::files(&program, check)?,
    };
    files.push(readme::file(&program, &based_on, options));
    check()?;
    let addresses = addresses(&program, options.format);
    let emitted = emitted(&program, &resources, &addresses);
    let reported = refused.into_iter().filter_map(|(at, reason, detail)| {
        let resource = resources.get(at)?;
        Some(Reported {
            id: resource.source_id.clone(),
            type_: resource.type_.clone(),
            reason,
            detail,
        })
    });
    let report = report::build(
        based_on,
        emitted,
        reported.collect(),
        notes(&program, &addresses),
        left_out(&program),
        told,
    );
    files.extend(report::files(&report)?);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    check()?;
    Ok(Output { files, report })
}

/// Plans the templates. What is too large for any is refused.
fn assemble(
    items: Vec<Item>,
    params: BTreeMap<String, Param>,
    context: &Context,
    refused: &mut Vec<(usize, Reason, String)>,
    check: &dyn Fn() -> Result<(), IacError>,
) -> Result<Program, IacError> {
    let wanted = params.iter().map(|(key, param)| (key.clone(), param.name.clone()));
    let mut program = Program {
        names: names::unique(&wanted.collect()),
        items,
        params,
        plan: Plan::default(),
    };
    let mut sizes = Vec::with_capacity(program.items.len());
    for (at, item) in program.items.iter().enumerate() {
        if at % RESOURCES_BETWEEN_CHECKS == 0 {
            check()?;
        }
        sizes.push(arm::size(&program, item));
    }
    let mut too_large = BTreeSet::new();
    for (at, (item, size)) in program.items.iter().zip(&sizes).enumerate() {
        let detail = if size + 2 * FRAME_BYTES > RESOURCE_MAX_BYTES {
            format!("larger than a resource of a template may be, {RESOURCE_MAX_BYTES} bytes")
        } else if item.params.len() > PARAMETERS_MAX {
            format!("needs more parameters than a template may have, {PARAMETERS_MAX}")
        } else {
            continue;
        };
        refused.push((item.of, Reason::Unsupported, detail));
        too_large.insert(at);
    }
    let edges = cycles::edges(&program.items);
    let loads = (&sizes[..], &too_large);
    program.plan = plan::plan(&program.items, &edges, loads, &program.params, context);
    Ok(program)
}

/// The versions of all types that are named, by lower-cased type, for what exists outside.
fn versions(program: &Program, books: &Books) -> Result<BTreeMap<String, String>, IacError> {
    let mut versions = BTreeMap::new();
    for item in &program.items {
        let above = item.id.ancestors().chain(item.on.clone());
        for id in above {
            let type_ = id.arm_type();
            if let Some(facts) = books.tables().arm_type(type_.as_str())? {
                versions.insert(type_.as_str().to_owned(), facts.api_version.clone());
            }
        }
    }
    Ok(versions)
}

/// By item: its file and its address there.
type Addresses = BTreeMap<usize, (String, String)>;

fn addresses(program: &Program, format: Format) -> Addresses {
    let mut out = BTreeMap::new();
    for (at, root) in program.plan.roots.iter().enumerate() {
        let modules = root.modules.iter().enumerate();
        let modules = modules.map(|(number, module)| (program.module(at, number, module), bicep::module_path(module)));
        let own = (program.root(at, root), format!("{}.bicep", root.stem));
        for (template, path) in std::iter::once(own).chain(modules) {
            let inner = if template.place == (Place { root: at, module: None }) {
                &root.modules[..]
            } else {
                &[]
            };
            let names = match format {
                Format::Bicep => bicep::names_of(template, inner),
                Format::Arm | Format::Terraform => BTreeMap::new(),
            };
            for (number, item) in template.items() {
                let (file, address) = match names.get(&number) {
                    Some(name) => (path.clone(), name.clone()),
                    None => (
                        format!("{}.json", root.stem),
                        format!("{}/{}", item.type_, item.names.join("/")),
                    ),
                };
                out.insert(number, (file, address));
            }
        }
    }
    out
}

fn emitted(program: &Program, resources: &[Resource], addresses: &Addresses) -> Vec<Emitted> {
    let emitted = addresses.iter().filter_map(|(at, (file, address))| {
        let item = program.items.get(*at)?;
        let resource = resources.get(item.of)?;
        Some(Emitted {
            id: resource.source_id.clone(),
            type_: resource.type_.clone(),
            address: address.clone(),
            file: file.clone(),
            typed: item.typed,
        })
    });
    emitted.collect()
}

fn notes(program: &Program, addresses: &Addresses) -> Vec<Note> {
    let notes: BTreeSet<Note> = addresses
        .iter()
        .filter_map(|(at, (_, address))| Some((program.items.get(*at)?, address)))
        .flat_map(|(item, address)| {
            item.notes.iter().map(move |(attribute, note)| Note {
                address: address.clone(),
                attribute: attribute.clone(),
                note: note.clone(),
            })
        })
        .collect();
    notes
        .into_iter()
        .filter(|note| !contains_secret(&note.attribute))
        .collect()
}

/// What the templates do not hold of the bodies, counted by type and path.
fn left_out(program: &Program) -> Vec<LeftOut> {
    let mut counts: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for item in &program.items {
        let paths: BTreeSet<String> = item.left_out.iter().map(|path| without_numbers(path)).collect();
        for path in paths.into_iter().filter(|path| !contains_secret(path)) {
            *counts.entry((&item.type_, path)).or_default() += 1;
        }
    }
    let counts = counts.into_iter();
    counts
        .map(|((target, path), resources)| LeftOut {
            target: target.to_owned(),
            path,
            resources,
        })
        .collect()
}

/// `a[3].B` as `a[*].b`.
fn without_numbers(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut inside = false;
    for c in path.to_lowercase().chars() {
        match c {
            '[' => {
                inside = true;
                out.push_str("[*]");
            }
            ']' => inside = false,
            c if inside && c.is_ascii_digit() => {}
            c => out.push(c),
        }
    }
    out
}
