//! Follows a job to its end; shared by the commands that start one and by `watch`.

use atg_client::{Client, Via, Watch};
use atg_models::api::{CompletionStatus, ErrorBody, Frame, JobResultResponse};
use atg_models::job::LogLevel;
use atg_models::{JobId, Seq};

use crate::bar::Bar;
use crate::exit::Failure;

/// Shows the job's progress until it ends, and answers what came of it. Failed and cancelled jobs
/// are failures of the program too. Ctrl-C ends the following, not the job.
/// `via` names the only way to read its log; without it the client looks for one that gets through.
pub(crate) async fn follow(
    client: &Client,
    job: JobId,
    after: Seq,
    via: Option<Via>,
    quiet: bool,
) -> Result<JobResultResponse, Failure> {
    let mut bar = Bar::new(quiet);
    let mut watch = client.watch(job).after(after);
    if let Some(via) = via {
        watch = watch.via(via);
    }
    let followed = tokio::select! {
        followed = show(client, job, watch, &mut bar) => followed,
        // Without a handler the signal ends the program as ever.
        Ok(()) = tokio::signal::ctrl_c() => Err(Failure::interrupted(job)),
    };
    bar.finish();
    let (status, result) = followed?;
    ended(result, status)
}

/// The result of a job that ended well; one that did not is a failure.
pub(super) fn ended(result: JobResultResponse, status: Option<CompletionStatus>) -> Result<JobResultResponse, Failure> {
    match status.or_else(|| completion(&result)) {
        Some(CompletionStatus::Completed) => Ok(result),
        Some(CompletionStatus::Cancelled) => Err(Failure::cancelled(&result)),
        Some(CompletionStatus::Failed) | None => Err(Failure::job(&result)),
    }
}

async fn show(
    client: &Client,
    job: JobId,
    mut watch: Watch,
    bar: &mut Bar,
) -> Result<(Option<CompletionStatus>, JobResultResponse), Failure> {
    let lost = |error| Failure::from(error).while_following(job);
    let mut status = None;
    while let Some(frame) = watch.next().await.map_err(lost)? {
        if let Some(change) = watch.fell_back() {
            bar.line(&format!(
                "     ! no {} gets through ({}); following by {}",
                change.from, change.why, change.to
            ));
        }
        match frame {
            Frame::Progress(progress) => bar.progress(&progress),
            Frame::Log(log) => match log.level {
                LogLevel::Debug => {}
                LogLevel::Info => bar.line(&format!("       {}", log.message)),
                LogLevel::Warning | LogLevel::Error => bar.line(&format!("     ! {}", log.message)),
            },
            Frame::Gap(gap) => bar.line(&format!(
                "     ! the server no longer holds the events {} to {}",
                gap.from, gap.to
            )),
            // The result tells it again, in one place.
            Frame::Error(_) => {}
            Frame::Completion(completion) => status = Some(completion.status),
        }
    }
    Ok((status, client.result(job).await.map_err(lost)?))
}

fn completion(result: &JobResultResponse) -> Option<CompletionStatus> {
    use atg_models::api::JobStatus;
    match result.status {
        JobStatus::Completed => Some(CompletionStatus::Completed),
        JobStatus::Cancelled => Some(CompletionStatus::Cancelled),
        JobStatus::Failed => Some(CompletionStatus::Failed),
        JobStatus::Queued | JobStatus::Running => None,
    }
}

/// An error of a job, for people.
pub(crate) fn error_text(error: &ErrorBody) -> String {
    format!("{} ({})", error.message, error.code.as_str())
}

/// A number with thin groups: 12 345.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn numbers_are_grouped_by_three() {
        assert_eq!(
            [0, 999, 1_000, 1_234_567].map(grouped),
            ["0", "999", "1 000", "1 234 567"]
        );
    }
}
