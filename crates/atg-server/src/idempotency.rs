//! `Idempotency-Key`: the same request sent twice makes one job.

use actix_web::HttpRequest;
use actix_web::http::header::HeaderName;
use atg_models::api::RequestError;
use atg_models::{JobKind, canonical, limits};
use serde_json::{Value, json};

/// Names the request.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that an earlier request made the job.
pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Whether the request names itself.
pub(crate) fn is_named(request: &HttpRequest) -> bool {
    request.headers().contains_key(&IDEMPOTENCY_KEY)
}

/// The client's key, when it sent one.
pub(crate) fn key(request: &HttpRequest) -> Result<Option<String>, RequestError> {
    let mut values = request.headers().get_all(&IDEMPOTENCY_KEY);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let is_visible = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_graphic);
    let text = value.to_str().ok().filter(|text| {
        let length = 1..=limits::IDEMPOTENCY_KEY_MAX_BYTES;
        length.contains(&text.len()) && is_visible(text.as_bytes())
    });
    match (text, values.next()) {
        (Some(text), None) => Ok(Some(text.to_owned())),
        (Some(_), Some(_)) => Err(RequestError::rule("Idempotency-Key", "must be sent once")),
        (None, _) => {
            let message = format!(
                "must be 1 to {} visible ASCII characters",
                limits::IDEMPOTENCY_KEY_MAX_BYTES
            );
            Err(RequestError::rule("Idempotency-Key", message))
        }
    }
}

/// The digest of what was asked for: the same for bodies that mean the same, another on another route.
pub(crate) fn digest(kind: JobKind, params: &Value) -> [u8; 32] {
    canonical::hash(&json!({"operation": kind.as_str(), "request": params}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn of(values: &[&str]) -> Result<Option<String>, RequestError> {
        let mut request = TestRequest::post();
        for value in values {
            request = request.append_header((IDEMPOTENCY_KEY, *value));
        }
        key(&request.to_http_request())
    }

    #[test]
    fn the_same_words_on_another_route_are_another_request() {
        let params = json!({"tenant_id": "t"});
        let of = JobKind::ALL.iter().map(|kind| digest(*kind, &params));
        let of: std::collections::BTreeSet<_> = of.collect();
        assert_eq!(of.len(), JobKind::ALL.len());
    }

    #[test]
    fn a_key_is_visible_text_of_bounded_length() {
        assert_eq!(of(&[]), Ok(None));
        let longest = "k".repeat(limits::IDEMPOTENCY_KEY_MAX_BYTES);
        for good in ["a", "~!", longest.as_str()] {
            assert_eq!(of(&[good]), Ok(Some(good.to_owned())));
        }
        let longer = format!("{longest}k");
        for bad in [&[""][..], &["a b"], &[&longer], &["ä"], &["a", "a"]] {
            assert!(of(bad).is_err(), "{bad:?}");
        }
    }
}
