//! What can be asked for on the command line.
#![expect(
    clippy::doc_markdown,
    reason = "these comments are the program's help, not documentation"
)]

use std::path::PathBuf;

use atg_models::{JobId, TenantId};
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Scan Azure tenants into a graph and generate infrastructure code from it.
///
/// atg talks to an atg server. Tell it where the server is and which key to use:
///
///   export ATG_SERVICE_URL=https://atg.example.com
///   export ATG_API_KEY=atg_dev_…
///
/// then for example:
///
///   atg scan --tenant-id 11111111-2222-3333-4444-555555555555
///   atg generate-iac
///   atg download JOB --extract ./terraform
#[derive(Parser, Debug)]
#[command(name = "atg", version, verbatim_doc_comment, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    /// Address of the server [default: http://127.0.0.1:8000]
    #[arg(long, global = true, env = "ATG_SERVICE_URL", value_name = "URL")]
    pub(crate) server: Option<String>,
    /// API key
    #[arg(long, global = true, env = "ATG_API_KEY", value_name = "KEY", hide_env_values = true)]
    pub(crate) api_key: Option<String>,
    /// TOML file with `server` and `api_key` [default: atg/config.toml in the configuration folder]
    #[arg(long, global = true, env = "ATG_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Print JSON: one document on stdout, and nothing else there
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes:
  0  done
  1  something else went wrong
  2  the command line is wrong
  3  the job failed
  4  the job was cancelled
  5  the key is missing, wrong, or not allowed to do this
  6  there is no such job, tenant or file, or it is gone
  7  the server cannot be reached
  8  the server refused the request
  9  the scan ended, but could not read everything
  10  the job has not ended within --wait; it goes on
  130  Ctrl-C while following; the job goes on";

/// What `atg keys` and `atg help keys` print.
pub(crate) const KEYS: &str = "API keys are made where the server runs:

  atg-server keys create --name ci --scopes read,operate --expires-in 90d

prints one, once. `atg-server keys list` names them, `rotate` replaces one, `revoke` ends it at once.
Scopes: read (look and fetch), operate (start and stop jobs), admin (remove tenants).
A server in ENVIRONMENT=dev without any key prints one at its start; ATG_API_KEYS sets keys with all rights.

Give the key to atg in one of three ways, the first that is there counts:

  atg --api-key KEY …                 others on the machine may see it
  export ATG_API_KEY=KEY
  api_key = \"KEY\"                     in atg/config.toml of the configuration folder (~/.config)";

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Read a tenant into the graph, and follow the scan
    Scan(Scan),
    /// Generate infrastructure code from a tenant's graph, and follow the generation
    GenerateIac(GenerateIac),
    /// Write a tenant's specification, without its names, and follow the writing
    GenerateSpec(GenerateSpec),
    /// Show where a job stands
    Status(Job),
    /// List jobs, newest first
    List(List),
    /// Follow a job until it ends; a broken connection is taken up again
    Watch(Watch),
    /// Ask a job to stop
    Cancel(Job),
    /// Fetch the files that a job has generated; a broken download is taken up again
    Download(Download),
    /// List the tenants that the server holds, or remove one
    Tenants {
        /// Without one they are listed
        #[command(subcommand)]
        action: Option<Tenants>,
    },
    /// Ask the server how it is
    Health,
    /// Say where API keys come from and how to set one
    #[command(long_about = KEYS)]
    Keys,
    /// Print the completions of a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

#[derive(Subcommand, Debug)]
pub(crate) enum Tenants {
    /// List the tenants that the server holds
    List,
    /// Remove all that the server holds of a tenant: its graph, its scans, its files
    Remove(Remove),
}

#[derive(Args, Debug)]
pub(crate) struct Remove {
    /// The tenant
    pub(crate) tenant_id: TenantId,
    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) following: Following,
}

#[derive(Args, Debug)]
pub(crate) struct Job {
    /// The job, such as scan-01890a5d-ac96-774b-bcce-b302099a8057
    pub(crate) job: JobId,
}

/// What to do once a job is started; by default it is followed.
#[derive(Args, Debug)]
pub(crate) struct Following {
    /// Print the job and return, instead of following it
    #[arg(long, visible_alias = "no-wait")]
    pub(crate) detach: bool,
    /// Wait so many seconds for the job's end with plain requests, without progress
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600), conflicts_with = "detach")]
    pub(crate) wait: Option<u64>,
}

#[derive(Args, Debug)]
pub(crate) struct Scan {
    /// The tenant to read
    #[arg(long, visible_alias = "tenant", env = "ATG_TENANT_ID", value_name = "UUID")]
    pub(crate) tenant_id: String,
    /// Stop after this many resources; the scan is then partial
    #[arg(long, value_name = "N")]
    pub(crate) resource_limit: Option<u64>,
    /// Only these subscriptions, comma-separated
    #[arg(long, value_name = "UUIDS")]
    pub(crate) filter_by_subscriptions: Option<String>,
    /// Only these resource groups, comma-separated
    #[arg(long, value_name = "NAMES")]
    pub(crate) filter_by_rgs: Option<String>,
    /// Only these resource types, comma-separated
    #[arg(long, value_name = "TYPES")]
    pub(crate) filter_by_types: Option<String>,
    /// Only resources with these tags, comma-separated: key or key=value
    #[arg(long, value_name = "TAGS")]
    pub(crate) filter_by_tags: Option<String>,
    /// Leave the directory (users, groups, applications) out
    #[arg(long)]
    pub(crate) no_aad_import: bool,
    /// Derive all relationships again from what is stored
    #[arg(long)]
    pub(crate) rebuild_edges: bool,
    /// Write the specification too when the scan is done; fetch it with `atg download`
    #[arg(long)]
    pub(crate) generate_spec: bool,
    /// Requests to Azure in flight, 1 to 200
    #[arg(long, value_name = "N")]
    pub(crate) max_concurrency: Option<u32>,
    /// Tries of one request to Azure, 0 to 10
    #[arg(long, value_name = "N")]
    pub(crate) max_retries: Option<u32>,
    #[command(flatten)]
    pub(crate) following: Following,
}

/// The languages of `generate-iac`.
#[derive(ValueEnum, Debug, Clone, Copy, Default)]
pub(crate) enum Format {
    /// Terraform
    #[default]
    Terraform,
    /// ARM templates
    Arm,
    /// Bicep
    Bicep,
}

/// For which resources `generate-iac` writes import blocks.
#[derive(ValueEnum, Debug, Clone, Copy)]
#[value(rename_all = "snake_case")]
pub(crate) enum Strategy {
    /// Resource groups
    ResourceGroups,
    /// Everything
    AllResources,
    /// What the target is known to hold
    Selective,
}

#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "one flag of the command line each")]
pub(crate) struct GenerateIac {
    /// The tenant; may be left out when the server holds only one
    #[arg(long, visible_alias = "tenant", env = "ATG_TENANT_ID", value_name = "UUID")]
    pub(crate) tenant_id: Option<String>,
    /// The language
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    /// Write import blocks, so that existing resources are taken over
    #[arg(long)]
    pub(crate) auto_import_existing: bool,
    /// For which resources: what the target is known to hold (selective), groups only, or everything
    #[arg(long, value_enum, value_name = "STRATEGY", requires = "auto_import_existing")]
    pub(crate) import_strategy: Option<Strategy>,
    /// Only these resources: types and conditions, with , for or, & for and, ! for not, * for anything
    ///
    /// For example:
    ///   'Microsoft.Network/*'
    ///   'resource_group=rg-shop-* & !tag:env=test'
    ///   'type=Microsoft.Network/* & tag:env=prod, resource_group=rg-hub'
    ///
    /// Fields: type, name, id, resource_group, subscription, location, tag:NAME.
    /// The page docs/resource-filters.md describes the grammar.
    #[arg(long, value_name = "FILTER", verbatim_doc_comment)]
    pub(crate) resource_filters: Option<String>,
    /// Write the code for this tenant; what cannot be mapped is asked for and reported
    #[arg(long, value_name = "UUID")]
    pub(crate) target_tenant_id: Option<String>,
    /// Write the code for this subscription
    #[arg(long, value_name = "UUID")]
    pub(crate) target_subscription: Option<String>,
    /// Put this behind the names of resource groups and resources, as each type allows
    #[arg(long, value_name = "SUFFIX", allow_hyphen_values = true)]
    pub(crate) naming_suffix: Option<String>,
    /// The region instead of the source's
    #[arg(long, value_name = "REGION")]
    pub(crate) location: Option<String>,
    /// Register the resource providers that the code uses
    #[arg(long)]
    pub(crate) auto_register_providers: bool,
    /// Change wrong subnets as little as possible, instead of reporting them as errors
    #[arg(long)]
    pub(crate) auto_fix_subnets: bool,
    /// Take subnets as they are
    #[arg(long)]
    pub(crate) skip_subnet_validation: bool,
    /// Major version of the azurerm provider, 4 or 5
    #[arg(long, value_name = "MAJOR")]
    pub(crate) provider_version: Option<String>,
    /// Fetch the zip into this file when the job is done
    #[arg(long, short, value_name = "FILE", conflicts_with = "detach")]
    pub(crate) output: Option<PathBuf>,
    /// Unpack the files into this folder when the job is done
    #[arg(long, value_name = "DIR", conflicts_with = "detach")]
    pub(crate) extract: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) following: Following,
}

#[derive(Args, Debug)]
pub(crate) struct GenerateSpec {
    /// The tenant; may be left out when the server holds only one
    #[arg(long, visible_alias = "tenant", env = "ATG_TENANT_ID", value_name = "UUID")]
    pub(crate) tenant_id: Option<String>,
    /// By subscription, region and resource group instead of by type
    #[arg(long)]
    pub(crate) hierarchical: bool,
    /// Describe at most this many resources; the specification says how many are left out
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,
    /// Stands for the tenant's domain in the text
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) domain_name: Option<String>,
    /// Fetch the zip into this file when the job is done
    #[arg(long, short, value_name = "FILE", conflicts_with = "detach")]
    pub(crate) output: Option<PathBuf>,
    /// Unpack the files into this folder when the job is done
    #[arg(long, value_name = "DIR", conflicts_with = "detach")]
    pub(crate) extract: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) following: Following,
}

#[derive(Args, Debug)]
pub(crate) struct List {
    /// Only jobs in this status: queued, running, completed, failed, cancelled
    #[arg(long, value_name = "STATUS")]
    pub(crate) status: Option<String>,
    /// Only jobs of this sort: scan, generate-iac, generate-spec
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) operation_type: Option<String>,
    /// How many, 1 to 200
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub(crate) limit: u32,
    /// How many to pass over
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) offset: u32,
}

#[derive(Args, Debug)]
pub(crate) struct Watch {
    /// The job
    pub(crate) job: JobId,
    /// Start behind this position of its log
    #[arg(long, default_value_t = 0, value_name = "SEQ")]
    pub(crate) after: u64,
    /// How to read the log [default: WebSocket, and the others where none gets through]
    #[arg(long, value_enum)]
    pub(crate) via: Option<Via>,
}

/// The ways to a job's log.
#[derive(ValueEnum, Debug, Clone, Copy)]
pub(crate) enum Via {
    /// WebSocket
    Ws,
    /// Event stream (SSE)
    Sse,
    /// Long poll
    Poll,
}

#[derive(Args, Debug)]
pub(crate) struct Download {
    /// The job
    pub(crate) job: JobId,
    /// Fetch this one of its files instead of the zip, such as report.json
    #[arg(long, value_name = "PATH")]
    pub(crate) file: Option<String>,
    /// Write here [default: JOB.zip, or the file's own name]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Unpack the files into this folder too
    #[arg(long, value_name = "DIR", conflicts_with = "file")]
    pub(crate) extract: Option<PathBuf>,
}
