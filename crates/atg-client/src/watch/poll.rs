//! The log as pages, each waiting for news.

use atg_models::api::{EventFrame, EventsResponse, Frame, GapFrame};
use atg_models::{JobId, Seq};
use reqwest::Method;

use super::Brought;
use crate::error::ClientError;
use crate::{Client, limits};

/// The next page.
pub(super) async fn next(client: &Client, job: JobId, after: Seq) -> Result<Brought, ClientError> {
    let path = format!(
        "api/v1/operations/{job}/events?after={after}&limit={}&detail=1",
        limits::PAGE_EVENTS
    );
    let request = client
        .request(Method::GET, client.url(&path)?)
        .header("prefer", format!("wait={}", limits::POLL_WAIT.as_secs()));
    let response = client.send(request).await?;
    let has_waited = response.headers().contains_key("preference-applied");
    let brought = read(job, client.json(response).await?);
    if matches!(brought, Brought::Life) {
        // A server that cannot wait for everybody, or is about to go, answers at once.
        let pause = if has_waited {
            limits::RESUME_WAIT
        } else {
            limits::POLL_PAUSE
        };
        tokio::time::sleep(pause).await;
    }
    Ok(brought)
}

fn read(job: JobId, page: EventsResponse) -> Brought {
    let EventsResponse {
        mut events,
        complete,
        gap,
        next: _,
    } = page;
    // A page has no time of its own: what is missing was missing when what follows was written.
    let told = gap.zip(events.first().map(|first| timestamp(&first.frame)));
    if let Some((gap, timestamp)) = told {
        let frame = Frame::Gap(GapFrame {
            job_id: job,
            from: gap.from,
            to: gap.to,
            timestamp,
        });
        events.insert(0, EventFrame { seq: None, frame });
    }
    match (events.is_empty(), complete) {
        (false, _) => Brought::Frames(events),
        (true, true) => Brought::End,
        (true, false) => Brought::Life,
    }
}

fn timestamp(frame: &Frame) -> time::OffsetDateTime {
    match frame {
        Frame::Progress(frame) => frame.timestamp,
        Frame::Log(frame) => frame.timestamp,
        Frame::Error(frame) => frame.timestamp,
        Frame::Completion(frame) => frame.timestamp,
        Frame::Gap(frame) => frame.timestamp,
    }
}
