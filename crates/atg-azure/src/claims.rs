//! What a token says about itself, read without checking it: for names in records, not for trust.

use serde_json::Value;
use time::OffsetDateTime;

/// Whom the token is for: the object id, else the application id, else the subject.
pub(crate) fn principal(token: &str) -> Option<String> {
    let claims = payload(token)?;
    let named = ["oid", "appid", "azp", "sub"]
        .into_iter()
        .find_map(|name| claims.get(name).and_then(Value::as_str));
    named.map(str::to_owned)
}

/// The tenant that issued it.
pub(crate) fn tenant(token: &str) -> Option<String> {
    payload(token)?
        .get("tid")
        .and_then(Value::as_str)
        .map(str::to_lowercase)
}

/// When it ends.
pub(crate) fn expiry(token: &str) -> Option<OffsetDateTime> {
    let seconds = payload(token)?.get("exp").and_then(Value::as_i64)?;
    OffsetDateTime::from_unix_timestamp(seconds).ok()
}

fn payload(token: &str) -> Option<Value> {
    let mut parts = token.split('.');
    let (_, payload) = (parts.next()?, parts.next()?);
    serde_json::from_slice(&base64url(payload)?).ok()
}

/// Decodes base64 with the URL alphabet, without padding.
fn base64url(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let (mut bits, mut held) = (0_u32, 0_u32);
    for symbol in text.trim_end_matches('=').bytes() {
        let value = match symbol {
            b'A'..=b'Z' => symbol - b'A',
            b'a'..=b'z' => symbol - b'a' + 26,
            b'0'..=b'9' => symbol - b'0' + 52,
            b'-' | b'+' => 62,
            b'_' | b'/' => 63,
            _ => return None,
        };
        bits = ((bits << 6) | u32::from(value)) & 0xFFFF;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 0xFF).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_tells_who_and_where() {
        // {"oid":"me","tid":"ABC","exp":1700000000}
        let token = "e30.eyJvaWQiOiJtZSIsInRpZCI6IkFCQyIsImV4cCI6MTcwMDAwMDAwMH0.x";
        assert_eq!(principal(token).as_deref(), Some("me"));
        assert_eq!(tenant(token).as_deref(), Some("abc"));
        assert_eq!(expiry(token).unwrap().unix_timestamp(), 1_700_000_000);
    }

    #[test]
    fn an_opaque_token_tells_nothing() {
        for token in ["", "opaque", "a.b.c", "a.!.c"] {
            assert_eq!(principal(token), None, "{token}");
        }
    }
}
