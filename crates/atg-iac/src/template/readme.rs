//! `README.md` of the templates: what there is, in which order it is deployed, and what has to be given.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use atg_models::graph::BasedOn;

use crate::adapt::guids::holds_stand_in;
use crate::options::{Format, Options};
use crate::output::OutputFile;
use crate::report::basis;
use crate::template::ids::Scope;
use crate::template::plan::Root;
use crate::template::program::Program;

/// The file.
pub(crate) fn file(program: &Program, based_on: &BasedOn, options: &Options) -> OutputFile {
    OutputFile {
        path: "README.md".to_owned(),
        bytes: text(program, based_on, options).into_bytes(),
        content_type: "text/markdown; charset=utf-8",
    }
}

fn text(program: &Program, based_on: &BasedOn, options: &Options) -> String {
    let (language, ending) = match options.format {
        Format::Bicep => ("Bicep", "bicep"),
        Format::Arm | Format::Terraform => ("ARM templates", "json"),
    };
    let mut out = format!(
        "# Infrastructure as code\n\n{language}, written by atg from a graph of the tenant. `REPORT.md` says what is in it, what is \
         not, and why.\n\n{}\n\n## Deploying\n\n",
        basis(based_on)
    );
    if program.plan.roots.is_empty() {
        out.push_str("There is nothing to deploy: `REPORT.md` says why.\n");
        return out;
    }
    out.push_str(match options.format {
        Format::Bicep => "Each main file deploys the modules of its resource groups, in the order that they need.\n",
        Format::Arm | Format::Terraform => {
            "Each file holds the templates of its resource groups and deploys them in the order that they need.\n"
        }
    });
    out.push_str(
        "Deploy the files in this order: a later one names what an earlier one creates. `LOCATION` is where Azure keeps the \
         record of the deployment.\n\n```sh\n",
    );
    for root in &program.plan.roots {
        let _infallible = writeln!(out, "{}", command(root, ending));
    }
    out.push_str("```\n");
    out.push_str(
        "\nDeploying over what exists changes it to what is written here, and deletes nothing. `az deployment sub what-if` shows \
         beforehand what would change.\n",
    );
    if program.plan.roots.len() > 1 {
        out.push_str(
            "\nThere is more than one file because a deployment has one scope (the tenant, a management group, a subscription), \
             and because a template holds at most 4 MB, 800 resources and 256 parameters.\n",
        );
    }
    asked(&mut out, program, ending);
    out
}

fn command(root: &Root, ending: &str) -> String {
    let file = format!("--location LOCATION --template-file {}.{ending}", root.stem);
    match &root.scope {
        Scope::Tenant => format!("az deployment tenant create {file}"),
        Scope::ManagementGroup(name) => format!("az deployment mg create --management-group-id {name} {file}"),
        Scope::Subscription(id) | Scope::Group(id, _) if holds_stand_in(id) => {
            format!("az deployment sub create --subscription SUBSCRIPTION {file}")
        }
        Scope::Subscription(id) | Scope::Group(id, _) => {
            format!("az deployment sub create --subscription {id} {file}")
        }
    }
}

fn asked(out: &mut String, program: &Program, ending: &str) {
    let mut rows = BTreeSet::new();
    for root in &program.plan.roots {
        let params = root
            .params
            .iter()
            .filter_map(|key| Some((key, program.params.get(key)?)));
        for (key, param) in params.filter(|(_, param)| param.kind.is_asked()) {
            let description = param.description.replace('|', "\\|").replace(['\n', '\r'], " ");
            rows.insert(format!(
                "| {}.{ending} | `{}` | {description} |",
                root.stem,
                program.param_name(key)
            ));
        }
    }
    if rows.is_empty() {
        return;
    }
    out.push_str("\n## Values to provide\n\nBehind `--parameters`, as `NAME=VALUE` or in a file.\n\n| file | parameter | what |\n|---|---|---|\n");
    for row in rows {
        let _infallible = writeln!(out, "{row}");
    }
}
