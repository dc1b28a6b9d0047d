//! `atg list`: jobs, newest first.

use atg_client::Client;
use atg_models::api::OperationsQuery;

use crate::arguments::List;
use crate::exit::Failure;
use crate::out;

pub(super) async fn run(client: &Client, list: &List, json: bool) -> Result<(), Failure> {
    let (limit, offset) = (list.limit.to_string(), list.offset.to_string());
    let pairs = [
        ("status_filter", list.status.as_deref()),
        ("operation_type", list.operation_type.as_deref()),
        ("limit", Some(limit.as_str())),
        ("offset", Some(offset.as_str())),
    ];
    let given = pairs.iter().filter_map(|(name, value)| Some((*name, (*value)?)));
    let query = OperationsQuery::from_pairs(given).map_err(|error| Failure::usage(error.to_string()))?;
    let page = client.operations(query).await?;
    if json {
        out::json(&page.jobs);
        return Ok(());
    }
    if page.jobs.is_empty() {
        out::line("No jobs.");
    }
    for job in &page.jobs {
        let percent = job.progress.as_ref().map_or(0.0, |progress| progress.percent_complete);
        let created = atg_models::time_text::print(job.created_at);
        out::line(&format!(
            "{}  {:<9} {percent:>5.1} %  {created}",
            job.job_id,
            job.status.as_str()
        ));
    }
    let shown = u64::from(list.offset).saturating_add(u64::try_from(page.jobs.len()).unwrap_or_default());
    if shown < page.total {
        out::remark(&format!(
            "{} of {}; go on with --offset {shown}",
            page.jobs.len(),
            page.total
        ));
    }
    Ok(())
}
