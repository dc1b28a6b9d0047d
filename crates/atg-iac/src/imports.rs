//! Which `import` blocks are written: by the strategy, and by what the target is known to hold.

use std::collections::BTreeSet;

use crate::adapt::guids::holds_stand_in;
use crate::options::{Format, ImportBlocks, Options};
use crate::output::{Finding, Severity};
use crate::program::{Item, Program};
use crate::select::{Context, Resource};
use crate::value::Val;

/// The option, as clients write it.
const OPTION: &str = "auto_import_existing";

/// Takes the import ids away from the items that get no block, and tells what there is to tell.
pub(crate) fn choose(
    program: &mut Program,
    resources: &[Resource],
    context: &Context,
    options: &Options,
) -> Vec<Finding> {
    let known = Known::new(context, options);
    let (mut written, mut unknown, mut nowhere) = (0, 0, 0);
    for item in &mut program.items {
        let Some(id) = item.import.as_text() else {
            continue;
        };
        let open = holds_stand_in(id);
        let resource = resources.get(item.of);
        let wanted = wanted(item, options.import_blocks) && !open;
        let there = resource.is_some_and(|resource| known.holds(resource, item.main));
        let block = wanted && (there || options.import_blocks != ImportBlocks::Selective);
        written += usize::from(block);
        unknown += usize::from(block && !there);
        nowhere += usize::from(open);
        if !block {
            item.import = Val::Null;
        }
    }
    if options.import_blocks == ImportBlocks::None {
        return Vec::new();
    }
    let mut findings = vec![told(Severity::Info, format!("{written} import blocks were written"))];
    if nowhere > 0 {
        let message = format!("{nowhere} resources have no import block, because target_subscription is not given");
        findings.push(told(Severity::Warning, message));
    }
    if unknown > 0 {
        let message = format!(
            "{unknown} import blocks name resources that the graph does not know in the target: a plan fails for those \
             that do not exist; import_strategy selective leaves them out"
        );
        findings.push(told(Severity::Warning, message));
    }
    if known.elsewhere.is_none() && options.import_blocks == ImportBlocks::Selective && options.is_elsewhere() {
        let message = "nothing is known of what the target holds: scan it first, and existing resources are imported";
        findings.push(told(Severity::Warning, message.to_owned()));
    }
    findings
}

/// What is told where the language cannot say what an option asks for.
pub(crate) fn without(options: &Options) -> Vec<Finding> {
    let language = match options.format {
        Format::Terraform => return Vec::new(),
        Format::Arm => "an ARM template",
        Format::Bicep => "Bicep",
    };
    let mut findings = Vec::new();
    if options.import_blocks != ImportBlocks::None {
        let message = format!("{language} has no import: a deployment takes over what exists by its id");
        findings.push(told(Severity::Info, message));
    }
    if options.register_providers {
        findings.push(Finding {
            severity: Severity::Warning,
            option: "auto_register_providers",
            subject: "resource providers".to_owned(),
            message: format!("{language} cannot register them: `az provider register` does"),
        });
    }
    findings
}

fn told(severity: Severity, message: String) -> Finding {
    Finding {
        severity,
        option: OPTION,
        subject: "import blocks".to_owned(),
        message,
    }
}

fn wanted(item: &Item, blocks: ImportBlocks) -> bool {
    match blocks {
        ImportBlocks::None => false,
        ImportBlocks::ResourceGroups => item.target == "azurerm_resource_group",
        ImportBlocks::AllResources | ImportBlocks::Selective => true,
    }
}

/// What is known to exist.
struct Known<'a> {
    /// Of where the code is for, when that is not where the resource was read.
    elsewhere: Option<&'a BTreeSet<String>>,
}

impl<'a> Known<'a> {
    fn new(context: &'a Context, options: &'a Options) -> Self {
        let target = options.target_subscription.as_ref().map(|id| id.to_lowercase());
        let other_tenant = options
            .target_tenant_id
            .as_ref()
            .is_some_and(|target| !target.eq_ignore_ascii_case(&context.source_tenant));
        let elsewhere = if other_tenant {
            options.existing.as_deref()
        } else {
            let read = |id: &String| context.read_subscriptions.contains(id);
            Some(&context.known).filter(|_| target.as_ref().is_none_or(read))
        };
        Self { elsewhere }
    }

    /// A part of a resource (an association) is known only where it was read.
    fn holds(&self, resource: &Resource, main: bool) -> bool {
        if resource.source_id == resource.display_id {
            return true;
        }
        main && self.elsewhere.is_some_and(|known| known.contains(&resource.key))
    }
}
