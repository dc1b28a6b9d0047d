//! The pipeline: select, adapt, translate, reference, order, emit, report.

use std::collections::{BTreeMap, BTreeSet};

use atg_models::secrets::contains_secret;

use crate::adapt::adapt;
use crate::options::{Format, Input, Options};
use crate::output::{Emitted, IacError, LeftOut, Note, Output, Reason, Reported};
use crate::program::{Program, assemble};
use crate::select::{Resource, add_inline_children, select};
use crate::translate::{Books, Holder, Outcome, Unit, inline_children, translate};
use crate::{emit, imports, order, reference, report, subnets, template};

/// How often `cancelled` is asked: well under a tenth of a second's work.
const RESOURCES_BETWEEN_CHECKS: usize = 200;

pub(crate) fn run(input: Input, options: &Options, cancelled: &dyn Fn() -> bool) -> Result<Output, IacError> {
    let check = || if cancelled() { Err(IacError::Cancelled) } else { Ok(()) };
    check()?;
    let books = Books::open(options.provider_version)?;
    let tenant = input.based_on.tenant_id.to_string();
    let (mut resources, mut context) = select(input.nodes, tenant, options);
    check()?;
    let mut told = adapt(&mut resources, &mut context, options)?;
    told.findings.extend(subnets::check(&mut resources, options));
    told.findings.extend(imports::without(options));
    if options.format != Format::Terraform {
        return template::run(resources, &context, input.based_on, options, told, &check);
    }
    add_inline_children(&mut resources, |resource| inline_children(resource, &books));
    check()?;
    let mut outcomes = Vec::with_capacity(resources.len());
    for (at, resource) in resources.iter_mut().enumerate() {
        if at % RESOURCES_BETWEEN_CHECKS == 0 {
            check()?;
        }
        outcomes.push(translate(resource, at, &books)?);
        // The largest part of the memory, and not needed any more.
        resource.body = None;
    }
    let Settled { units, parts, refused } = settle(outcomes, &resources);
    let left_out = left_out(&units);
    let mut program = assemble(units, &resources, &context);
    if options.register_providers {
        let emitted: BTreeSet<usize> = program.items.iter().map(|item| item.of).collect();
        for resource in emitted.iter().filter_map(|at| resources.get(*at)) {
            program.namespaces.extend(books.namespace(resource)?);
        }
    }
    check()?;
    reference::resolve(&mut program, &resources, &parts, &context, &books)?;
    order::order(&mut program, &resources);
    told.findings
        .extend(imports::choose(&mut program, &resources, &context, options));
    check()?;
    let mut files = emit::files(&program, options, &input.based_on);
    let (emitted, reported) = account(&program, &resources, &parts, refused);
    let report = report::build(input.based_on, emitted, reported, notes(&program), left_out, told);
    files.extend(report::files(&report)?);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    check()?;
    Ok(Output { files, report })
}

/// By place: a resource that stands in a block of another, that other, and the attribute that gives its id.
pub(crate) type Parts = BTreeMap<usize, (usize, Option<String>)>;

/// What became of the resources, by their places.
struct Settled {
    units: Vec<Unit>,
    parts: Parts,
    refused: Vec<(usize, Reason, String)>,
}

/// Decides for each part whether its parent holds it.
fn settle(outcomes: Vec<Outcome>, resources: &[Resource]) -> Settled {
    let mut targets: BTreeMap<&str, (&str, usize)> = BTreeMap::new();
    for (at, outcome) in outcomes.iter().enumerate() {
        if let (Outcome::Units(units), Some(resource)) = (outcome, resources.get(at))
            && let Some(main) = units.first()
        {
            targets.insert(&resource.key, (&main.target, at));
        }
    }
    let place = |holder: &Holder| -> Option<(usize, Option<String>)> {
        let (found, at) = targets.get(holder.key.as_str())?;
        let wanted = holder.target.as_ref().is_none_or(|target| target == found);
        wanted.then(|| (*at, holder.attr.clone()))
    };
    let mut holders: Parts = outcomes
        .iter()
        .enumerate()
        .filter_map(|(at, outcome)| match outcome {
            Outcome::PartOf(holder, _) => Some((at, place(holder)?)),
            Outcome::Units(_) | Outcome::Refused(..) => None,
        })
        .collect();
    let mut settled = Settled {
        units: Vec::new(),
        parts: BTreeMap::new(),
        refused: Vec::new(),
    };
    for (at, outcome) in outcomes.into_iter().enumerate() {
        match outcome {
            Outcome::Units(units) => settled.units.extend(units),
            Outcome::PartOf(_, units) => match holders.remove(&at) {
                Some(holder) => {
                    settled.parts.insert(at, holder);
                }
                None => settled.units.extend(units),
            },
            Outcome::Refused(reason, detail) => settled.refused.push((at, reason, detail)),
        }
    }
    settled
}

/// Each counted resource once: emitted, as itself or as a part, or reported.
fn account(
    program: &Program,
    resources: &[Resource],
    parts: &Parts,
    refused: Vec<(usize, Reason, String)>,
) -> (Vec<Emitted>, Vec<Reported>) {
    let main: BTreeMap<usize, _> = program
        .items
        .iter()
        .filter(|item| item.main)
        .map(|item| (item.of, item))
        .collect();
    let mut emitted = Vec::new();
    let mut reported = Vec::new();
    let refused: BTreeMap<usize, (Reason, String)> = refused
        .into_iter()
        .map(|(at, reason, detail)| (at, (reason, detail)))
        .collect();
    for (at, resource) in resources.iter().enumerate().filter(|(_, resource)| resource.counted) {
        let item = main.get(parts.get(&at).map_or(&at, |(holder, _)| holder));
        if let Some(item) = item {
            emitted.push(Emitted {
                id: resource.source_id.clone(),
                type_: resource.type_.clone(),
                address: item.address(),
                file: item.file.clone(),
                typed: item.target != "azapi_resource",
            });
            continue;
        }
        let (reason, detail) = refused
            .get(&at)
            .cloned()
            .unwrap_or((Reason::Unsupported, "nothing was made of it".to_owned()));
        reported.push(Reported {
            id: resource.source_id.clone(),
            type_: resource.type_.clone(),
            reason,
            detail,
        });
    }
    (emitted, reported)
}

/// What the code does not hold of the bodies, counted by type and path.
fn left_out(units: &[Unit]) -> Vec<LeftOut> {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for unit in units {
        // A name in a body is a user's text too.
        let paths = unit.left_out.iter().filter(|path| !contains_secret(path));
        for path in paths {
            *counts.entry((&unit.target, path)).or_default() += 1;
        }
    }
    let counts = counts.into_iter();
    counts
        .map(|((target, path), resources)| LeftOut {
            target: target.to_owned(),
            path: path.to_owned(),
            resources,
        })
        .collect()
}

fn notes(program: &Program) -> Vec<Note> {
    let notes: BTreeSet<Note> = program
        .items
        .iter()
        .flat_map(|item| {
            item.notes.iter().map(|(attribute, note)| Note {
                address: item.address(),
                attribute: attribute.clone(),
                note: note.clone(),
            })
        })
        .collect();
    notes.into_iter().collect()
}
