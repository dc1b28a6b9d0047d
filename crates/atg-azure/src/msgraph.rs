//! Microsoft Graph v1.0: lists page by page, and `$batch`.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};
use time::Duration;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::answer;
use crate::client::{Client, LinkedPage, Purpose, linked, url};
use crate::credential::Audience;
use crate::http::{Call, CallError};
use crate::quota::Lane;

const ROOT: &str = "/v1.0";

/// A GET within a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// Behind `/v1.0`, with its query.
    pub(crate) path: String,
    /// In resource units.
    pub(crate) cost: u64,
}

impl Client {
    /// The address of a list.
    pub(crate) fn graph_url(&self, path: &str, query: &[(&str, &str)]) -> Url {
        url(&self.endpoints.graph, &format!("{ROOT}{path}"), query)
    }

    /// What stands behind `/v1.0` in a link of Microsoft Graph's, as a batch names it.
    pub(crate) fn graph_relative(&self, link: &Url) -> Option<String> {
        let prefix = format!("{}{ROOT}", self.endpoints.graph.path().trim_end_matches('/'));
        let path = link.path().strip_prefix(&prefix)?;
        Some(
            link.query()
                .map_or_else(|| path.to_owned(), |query| format!("{path}?{query}")),
        )
    }

    /// A page of a list.
    pub(crate) async fn graph_page(
        &self,
        url: Url,
        cost: u64,
        doing: &'static str,
        cancelled: &CancellationToken,
    ) -> Result<LinkedPage, CallError> {
        let purpose = Purpose {
            lane: Lane::Graph,
            cost,
            doing,
        };
        self.linked_page(url, purpose, cancelled).await
    }

    /// Asks for up to twenty lists at once. The outcomes are in the order of the parts. A part
    /// that fails for the moment (429, 5xx, an expired token) is asked for again by itself.
    pub(crate) async fn graph_batch(
        &self,
        parts: &[Part],
        doing: &'static str,
        cancelled: &CancellationToken,
    ) -> Result<Vec<Result<LinkedPage, CallError>>, CallError> {
        let requests: Vec<Value> = parts
            .iter()
            .enumerate()
            .map(|(at, part)| json!({"id": at.to_string(), "method": "GET", "url": part.path}))
            .collect();
        let call = Call {
            method: Method::POST,
            url: self.graph_url("/$batch", &[]),
            body: Some(json!({"requests": requests})),
            lane: Lane::Graph,
            cost: parts.iter().map(|part| part.cost).sum(),
            audience: Audience::Graph,
            eventual: false,
            doing,
        };
        let mut answers = by_id(self.http.send(&call, cancelled).await?);
        self.pause_as_told(&answers, cancelled).await?;
        let mut outcomes = Vec::with_capacity(parts.len());
        for (at, part) in parts.iter().enumerate() {
            let answer = answers.remove(&at.to_string());
            let outcome = match answer.map(|answer| self.judge_part(answer, doing)) {
                Some(Some(outcome)) => outcome,
                // Failed for the moment, or without an answer.
                Some(None) | None => self.alone(part, doing, cancelled).await,
            };
            outcomes.push(outcome);
        }
        Ok(outcomes)
    }

    /// Waits as long as the most patient of the throttled parts asks for.
    async fn pause_as_told(
        &self,
        answers: &BTreeMap<String, Value>,
        cancelled: &CancellationToken,
    ) -> Result<(), CallError> {
        let now = self.http.clock().now();
        let throttled = answers.values().filter(|answer| status(answer) == 429);
        let mut longest_ms = None;
        for answer in throttled {
            self.http.count_throttled_part();
            let asked_ms = header(answer, "Retry-After").and_then(|value| answer::retry_after_ms(value, now));
            longest_ms = longest_ms.max(Some(asked_ms.unwrap_or_default()));
        }
        let Some(ms) = longest_ms.and_then(|ms| i64::try_from(ms).ok()) else {
            return Ok(());
        };
        self.http.pause(Some(Duration::milliseconds(ms)), 1, cancelled).await
    }

    fn judge_part(&self, mut answer: Value, doing: &'static str) -> Option<Result<LinkedPage, CallError>> {
        let body = answer.get_mut("body").map(Value::take).unwrap_or_default();
        match status(&answer) {
            200..=299 => Some(linked(body, &self.endpoints.graph, doing)),
            0 | 401 | 408 | 429 | 500..=599 => None,
            other => {
                let status = u16::try_from(other).unwrap_or_default();
                Some(Err(CallError::Refused(answer::refusal_of(status, &body))))
            }
        }
    }

    async fn alone(
        &self,
        part: &Part,
        doing: &'static str,
        cancelled: &CancellationToken,
    ) -> Result<LinkedPage, CallError> {
        let base = format!(
            "{}{ROOT}{}",
            self.endpoints.graph.as_str().trim_end_matches('/'),
            part.path
        );
        let url = Url::parse(&base).map_err(|_| CallError::Unavailable {
            doing,
            problem: "a part of the batch has no address".to_owned(),
        })?;
        self.graph_page(url, part.cost, doing, cancelled).await
    }
}

fn by_id(mut answer: Value) -> BTreeMap<String, Value> {
    let answers = match answer.get_mut("responses").map(Value::take) {
        Some(Value::Array(answers)) => answers,
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) | None => {
            Vec::new()
        }
    };
    let with_id = answers.into_iter().filter_map(|answer| {
        let id = answer.get("id").and_then(Value::as_str)?.to_owned();
        Some((id, answer))
    });
    with_id.collect()
}

fn status(answer: &Value) -> u64 {
    answer.get("status").and_then(Value::as_u64).unwrap_or_default()
}

fn header<'a>(answer: &'a Value, name: &str) -> Option<&'a str> {
    let headers = answer.get("headers").and_then(Value::as_object)?;
    let found = headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
    found.and_then(|(_, value)| value.as_str())
}
