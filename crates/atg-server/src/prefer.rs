//! `Prefer: wait=N` (RFC 7240): how long a client would wait for what comes of its request.

use actix_web::http::header::{HeaderMap, HeaderName};
use atg_models::limits;
use time::Duration;

/// Names what was asked for.
const PREFER: HeaderName = HeaderName::from_static("prefer");
/// Names what was done of it.
pub(crate) const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// How long the client would wait, at most [`limits::PREFER_WAIT_MAX`]. As the RFC has it, the first
/// `wait` counts, and one that cannot be understood counts for nothing.
pub(crate) fn wait(headers: &HeaderMap) -> Option<Duration> {
    let lines = headers.get_all(&PREFER).filter_map(|line| line.to_str().ok());
    let preferences = lines.flat_map(preferences);
    let value = preferences
        .filter_map(|preference| preference.split_once('=').or(Some((preference, ""))))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("wait"))
        .map(|(_, value)| unquoted(value.trim()))?;
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    let max = limits::PREFER_WAIT_MAX.whole_seconds();
    // More digits than a number has are more than the longest wait too.
    let seconds = digits.then(|| value.parse().unwrap_or(max))?;
    Some(Duration::seconds(seconds.min(max)))
}

/// What is answered when `wait` was heeded.
pub(crate) fn applied(wait: Duration) -> (HeaderName, String) {
    (PREFERENCE_APPLIED, format!("wait={}", wait.whole_seconds()))
}

/// The preferences of a line, without their parameters. Commas and semicolons in quotes are text.
fn preferences(line: &str) -> impl Iterator<Item = &str> {
    split(line, ',').filter_map(|preference| split(preference, ';').next())
}

fn split(text: &str, at: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |letter| {
        let is_escaped = std::mem::take(&mut escaped);
        match letter {
            '\\' if quoted && !is_escaped => escaped = true,
            '"' if !is_escaped => quoted = !quoted,
            _ => {}
        }
        letter == at && !quoted
    })
}

fn unquoted(value: &str) -> &str {
    let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn asked(lines: &[&str]) -> Option<i64> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(PREFER, HeaderValue::from_str(line).unwrap());
        }
        wait(&headers).map(Duration::whole_seconds)
    }

    #[test]
    fn a_wait_is_found_wherever_it_stands() {
        for lines in [
            &["wait=10"][..],
            &["respond-async, wait=10"],
            &["respond-async", "Wait = 10"],
            &["foo=\"a, wait=3; \\\" wait=4\"; bar=\"wait=5\", wait=\"10\"; x=1"],
            &["wait=10, wait=20"],
            &["wait=10", "wait=20"],
        ] {
            assert_eq!(asked(lines), Some(10), "{lines:?}");
        }
        assert_eq!(asked(&["wait=0"]), Some(0));
        assert_eq!(asked(&["wait=3601"]), Some(3600));
        assert_eq!(asked(&["wait=99999999999999999999999"]), Some(3600));
    }

    #[test]
    fn what_cannot_be_understood_counts_for_nothing() {
        for line in [
            "wait",
            "wait=",
            "wait=-1",
            "wait=+1",
            "wait=1.5",
            "wait=soon",
            "wait=\"1",
            "waits=1",
            "wait=x, wait=10",
            "",
        ] {
            assert_eq!(asked(&[line]), None, "{line}");
        }
        assert_eq!(asked(&[]), None);
    }
}
