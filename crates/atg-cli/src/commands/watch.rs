//! `atg watch`: follows a job until it ends.

use atg_client::{Client, Via};
use atg_models::{JobKind, Seq};

use super::follow::follow;
use super::{generate_iac, generate_spec, scan, tenants};
use crate::arguments::{self, Watch};
use crate::exit::Failure;
use crate::out;

pub(super) async fn run(client: &Client, watch: &Watch, json: bool) -> Result<(), Failure> {
    let via = watch.via.map(|via| match via {
        arguments::Via::Ws => Via::Socket,
        arguments::Via::Sse => Via::Stream,
        arguments::Via::Poll => Via::Poll,
    });
    let result = follow(client, watch.job, Seq::new(watch.after), via, json).await?;
    if json {
        out::json(&result);
    } else {
        out::line(&format!("  {}  {}", result.job_id, result.status));
    }
    let kind = result.job_id.kind();
    if kind == JobKind::Scan {
        scan::show(&result, json)?;
    } else if kind == JobKind::GenerateIac && !json {
        generate_iac::summary(&result)?;
    } else if kind == JobKind::GenerateSpec && !json {
        generate_spec::summary(&result)?;
    } else if kind == JobKind::RemoveTenant && !json {
        tenants::summary(&result)?;
    }
    Ok(())
}
