//! Reads what is around an answer: errors, `Retry-After`, times left.

use std::fmt;

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::http::{CallError, Refusal};
use crate::limits;

/// Why a try is worth another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    Throttled,
    Status(u16),
    Transport(&'static str),
    NotJson,
    Truncated,
    TooLarge,
    NoToken(String),
}

impl Failure {
    /// The sort of a transport error; its text may hold the URL.
    pub(crate) fn of_transport(error: &reqwest::Error) -> Self {
        Self::Transport(if error.is_timeout() {
            "no answer in time"
        } else if error.is_connect() {
            "no connection"
        } else {
            "the connection broke"
        })
    }

    pub(crate) fn into_error(self, doing: &'static str) -> CallError {
        match self {
            Self::Throttled => CallError::Throttled { doing },
            Self::Status(_)
            | Self::Transport(_)
            | Self::NotJson
            | Self::Truncated
            | Self::TooLarge
            | Self::NoToken(_) => CallError::Unavailable {
                doing,
                problem: self.to_string(),
            },
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Throttled => f.write_str("answered 429"),
            Self::Status(status) => write!(f, "answered {status}"),
            Self::Transport(what) => f.write_str(what),
            Self::NotJson => f.write_str("the answer is not JSON"),
            Self::Truncated => f.write_str("the answer is cut off or not valid JSON"),
            Self::TooLarge => write!(f, "the answer is over {} bytes", limits::ANSWER_BYTES),
            Self::NoToken(problem) => f.write_str(problem),
        }
    }
}

/// The error object that ARM, Resource Graph and Microsoft Graph share.
pub(crate) fn refusal(status: u16, body: &[u8]) -> Refusal {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    refusal_of(status, &body)
}

/// The same from a body that was parsed already (a part of a `$batch`).
pub(crate) fn refusal_of(status: u16, body: &Value) -> Refusal {
    let error = body.get("error").unwrap_or(&Value::Null);
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let details = error.get("details").and_then(Value::as_array).into_iter().flatten();
    let mut codes: Vec<String> = text(error, "code").into_iter().collect();
    codes.extend(details.filter_map(|detail| text(detail, "code")));
    let message = text(error, "message").unwrap_or_else(|| "no reason given".to_owned());
    Refusal {
        status,
        codes,
        message: message.chars().take(limits::ERROR_TEXT_CHARS).collect(),
    }
}

/// `Retry-After`: seconds, or a date.
pub(crate) fn retry_after_ms(value: &str, now: OffsetDateTime) -> Option<u64> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(seconds.saturating_mul(1000));
    }
    let at = OffsetDateTime::parse(value, &Rfc2822).ok()?;
    u64::try_from((at - now).whole_milliseconds().max(0)).ok()
}

/// `hh:mm:ss`, also with a fraction.
pub(crate) fn span_ms(value: &str) -> Option<u64> {
    let mut seconds = 0_u64;
    let (whole, fraction) = value.trim().split_once('.').unwrap_or((value.trim(), ""));
    for part in whole.split(':') {
        seconds = seconds.checked_mul(60)?.checked_add(part.parse().ok()?)?;
    }
    let millis: String = fraction.chars().chain("000".chars()).take(3).collect();
    seconds.checked_mul(1000)?.checked_add(millis.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = datetime!(2026-01-02 03:04:05 UTC);
        assert_eq!(retry_after_ms("7", now), Some(7000));
        assert_eq!(retry_after_ms("Fri, 02 Jan 2026 03:04:15 GMT", now), Some(10_000));
        assert_eq!(retry_after_ms("Fri, 02 Jan 2026 03:04:00 GMT", now), Some(0));
        assert_eq!(retry_after_ms("soon", now), None);
    }

    #[test]
    fn a_span_is_hours_minutes_seconds() {
        assert_eq!(span_ms("00:00:05"), Some(5000));
        assert_eq!(span_ms("00:01:02.25"), Some(62_250));
        assert_eq!(span_ms("x"), None);
    }

    #[test]
    fn an_error_is_read_with_its_details() {
        let body = br#"{"error":{"code":"BadRequest","message":"no","details":[{"code":"ResponsePayloadTooLarge"}]}}"#;
        let refusal = refusal(400, body);
        assert!(refusal.says("responsepayloadtoolarge") && refusal.says("BadRequest"));
        assert_eq!(super::refusal(502, b"<html>").message, "no reason given");
    }
}
