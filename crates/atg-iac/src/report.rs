//! The report: every resource is in it once, as emitted or with a reason.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use atg_models::graph::{BasedOn, Verdict};

use crate::IacError;
use crate::adapt::Told;
use crate::output::{Emitted, Finding, LeftOut, Note, OutputFile, Reason, Report, Reported, Severity};

/// Notes in the readable report; the rest is in the other one.
const MAX_SHOWN_NOTES: usize = 200;

/// What the code rests on, in a sentence for the `README.md` of each language.
pub(crate) fn basis(based_on: &BasedOn) -> String {
    let scan = match based_on.verdict {
        Verdict::Complete => "The last scan was complete.".to_owned(),
        Verdict::Partial => format!(
            "The last scan was **partial**: what it did not read is missing here too ({} gaps, named in `REPORT.md`).",
            based_on.gaps.len()
        ),
    };
    let (tenant, graph) = (based_on.tenant_id, &based_on.graph_digest);
    format!("Based on tenant `{tenant}`, graph `{graph}`. {scan}")
}

/// Puts the report together.
pub(crate) fn build(
    based_on: BasedOn,
    mut emitted: Vec<Emitted>,
    mut reported: Vec<Reported>,
    mut notes: Vec<Note>,
    left_out: Vec<LeftOut>,
    told: Told,
) -> Report {
    let Told {
        mut findings,
        reported: untranslated,
    } = told;
    findings.sort();
    reported.extend(untranslated);
    emitted.sort();
    reported.sort();
    notes.sort();
    let mut reasons: BTreeMap<Reason, usize> = BTreeMap::new();
    for entry in &reported {
        *reasons.entry(entry.reason).or_default() += 1;
    }
    Report {
        based_on,
        resources_in: emitted.len() + reported.len(),
        emitted: emitted.len(),
        typed: emitted.iter().filter(|entry| entry.typed).count(),
        reported: reported.len(),
        emitted_resources: emitted,
        reported_resources: reported,
        reasons,
        findings,
        notes,
        left_out,
    }
}

/// `report.json` and `REPORT.md`.
pub(crate) fn files(report: &Report) -> Result<[OutputFile; 2], IacError> {
    let mut json = serde_json::to_vec_pretty(report).map_err(|error| IacError::Table {
        table: "report",
        detail: error.to_string(),
    })?;
    json.push(b'\n');
    Ok([
        OutputFile {
            path: "REPORT.md".to_owned(),
            bytes: markdown(report).into_bytes(),
            content_type: "text/markdown; charset=utf-8",
        },
        OutputFile {
            path: "report.json".to_owned(),
            bytes: json,
            content_type: "application/json",
        },
    ])
}

fn markdown(report: &Report) -> String {
    let mut out = String::from("# Report\n\n");
    let _infallible = write!(
        out,
        "| | resources |\n|---|---|\n| went in | {} |\n| are in the code | {} |\n| of those as typed resources | {} |\n| are not in the code | {} |\n",
        report.resources_in, report.emitted, report.typed, report.reported
    );
    findings(&mut out, &report.findings);
    based_on(&mut out, &report.based_on);
    if !report.reasons.is_empty() {
        out.push_str("\n## Not in the code\n\n| reason | resources |\n|---|---|\n");
        for (reason, count) in &report.reasons {
            let _infallible = writeln!(out, "| {} | {count} |", reason.as_str());
        }
        out.push_str("\n| resource | reason | why |\n|---|---|---|\n");
        for entry in &report.reported_resources {
            let _infallible = writeln!(
                out,
                "| {} | {} | {} |",
                cell(&entry.id),
                entry.reason.as_str(),
                cell(&entry.detail)
            );
        }
    }
    if !report.notes.is_empty() {
        out.push_str("\n## Notes\n\n| resource | attribute | note |\n|---|---|---|\n");
        for note in report.notes.iter().take(MAX_SHOWN_NOTES) {
            let _infallible = writeln!(
                out,
                "| {} | {} | {} |",
                cell(&note.address),
                cell(&note.attribute),
                note.note
            );
        }
        if let Some(more) = report.notes.len().checked_sub(MAX_SHOWN_NOTES).filter(|more| *more > 0) {
            let _infallible = writeln!(out, "\n{more} more are in `report.json`.");
        }
    }
    left_out(&mut out, &report.left_out);
    out
}

fn findings(out: &mut String, findings: &[Finding]) {
    for (severity, title) in [
        (Severity::Error, "Errors: the code cannot be applied as it is"),
        (Severity::Warning, "To be provided or decided"),
        (Severity::Info, "What the options did"),
    ] {
        let all: Vec<&Finding> = findings.iter().filter(|finding| finding.severity == severity).collect();
        if all.is_empty() {
            continue;
        }
        let _infallible = write!(out, "\n## {title}\n\n| option | what | |\n|---|---|---|\n");
        for finding in all.iter().take(MAX_SHOWN_NOTES) {
            let (subject, message) = (cell(&finding.subject), cell(&finding.message));
            let _infallible = writeln!(out, "| {} | {subject} | {message} |", finding.option);
        }
        if let Some(more) = all.len().checked_sub(MAX_SHOWN_NOTES).filter(|more| *more > 0) {
            let _infallible = writeln!(out, "\n{more} more are in `report.json`.");
        }
    }
}

fn left_out(out: &mut String, left_out: &[LeftOut]) {
    if left_out.is_empty() {
        return;
    }
    out.push_str("\n## Properties that are not in the code\n\n| type | property | resources |\n|---|---|---|\n");
    for entry in left_out {
        let _infallible = writeln!(
            out,
            "| {} | {} | {} |",
            entry.target,
            cell(&entry.path),
            entry.resources
        );
    }
}

fn based_on(out: &mut String, based_on: &BasedOn) {
    let verdict = match based_on.verdict {
        Verdict::Complete => "complete",
        Verdict::Partial => "partial: what was not read is missing here too",
    };
    let _infallible = write!(
        out,
        "\n## Based on\n\n- tenant `{}`\n- graph `{}`\n- last scan: {verdict}\n",
        based_on.tenant_id, based_on.graph_digest
    );
    for gap in &based_on.gaps {
        let _infallible = writeln!(
            out,
            "- not read ({}): {}: {}",
            gap.state,
            cell(gap.collection.as_str()),
            cell(&gap.reason)
        );
    }
    for left_out in &based_on.not_planned {
        let _infallible = writeln!(
            out,
            "- not planned: {}: {}",
            cell(&left_out.what),
            cell(&left_out.reason)
        );
    }
}

/// Text as a table's cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ").replace('`', "'")
}
