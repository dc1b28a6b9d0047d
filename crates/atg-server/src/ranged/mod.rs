//! Conditional and partial answers (RFC 9110, sections 13 and 14): which bytes a request wants, and how they are sent.
//!
//! One range is answered with 206. Several, and what is no range at all, are answered whole, which the RFC allows.

mod document;

use std::future::Future;
use std::ops::Range;

use actix_web::body::SizedStream;
use actix_web::http::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_RANGE, ContentDisposition, ETAG, HeaderMap, HeaderName, IF_NONE_MATCH,
    IF_RANGE, RANGE, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::{HttpRequest, HttpResponse};
use atg_db::ByteStream;
use atg_models::ErrorCode;
use atg_models::api::ErrorResponse;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

pub(crate) use document::PartialContent;

use crate::edges::is_head;
use crate::error::{ApiError, chain};

/// What can be fetched as a whole or in part.
#[derive(Debug)]
pub(crate) struct Representation<'a> {
    /// SHA-256 in hex: the strong entity tag.
    pub(crate) sha256: &'a str,
    /// How long it is.
    pub(crate) size_bytes: u64,
    /// Its media type.
    pub(crate) content_type: &'a str,
    /// What a browser saves it as.
    pub(crate) file_name: &'a str,
}

/// Which part of it a request wants.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    /// None: the client has it already.
    Unchanged,
    /// All of it.
    Whole,
    /// These bytes.
    Part(Range<u64>),
    /// Bytes that are not there.
    Outside,
}

/// Answers with what the request wants of `content`; `open` starts to read a range of it.
pub(crate) async fn answer<O, F>(
    request: &HttpRequest,
    content: Representation<'_>,
    open: O,
) -> Result<HttpResponse, ApiError>
where
    O: FnOnce(Range<u64>) -> F,
    F: Future<Output = Result<ByteStream, ApiError>>,
{
    let Representation {
        sha256,
        size_bytes,
        content_type,
        file_name,
    } = content;
    let etag = format!("\"{sha256}\"");
    let is_head = is_head(request);
    let (mut response, range) = match wanted(request.headers(), is_head, &etag, size_bytes) {
        Wanted::Unchanged => return Ok(HttpResponse::NotModified().insert_header((ETAG, etag)).finish()),
        Wanted::Outside => return Ok(outside(size_bytes)),
        Wanted::Whole => (HttpResponse::Ok(), 0..size_bytes),
        Wanted::Part(range) => {
            let mut response = HttpResponse::PartialContent();
            let last = range.end.saturating_sub(1);
            let stated = format!("bytes {}-{last}/{size_bytes}", range.start);
            response.insert_header((CONTENT_RANGE, stated));
            (response, range)
        }
    };
    let length = range.end.saturating_sub(range.start);
    // Without a body to send there is nothing to read.
    let bytes = if is_head {
        stream::empty().boxed()
    } else {
        open(range).await?
    };
    let bytes = bytes.map_err(|error| {
        tracing::error!(error = chain(&error), "a download broke off");
        actix_web::error::ErrorInternalServerError("the download broke off")
    });
    Ok(response
        .content_type(content_type)
        .insert_header((CONTENT_DISPOSITION, ContentDisposition::attachment(file_name)))
        .insert_header((ETAG, etag))
        .insert_header((ACCEPT_RANGES, "bytes"))
        // What a tenant's names put into a file is never run as a page of this server.
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(SizedStream::new(length, bytes)))
}

fn outside(size_bytes: u64) -> HttpResponse {
    let message = format!("the range lies outside: there are {size_bytes} bytes");
    HttpResponse::RangeNotSatisfiable()
        .insert_header((CONTENT_RANGE, format!("bytes */{size_bytes}")))
        .json(ErrorResponse::new(ErrorCode::RangeNotSatisfiable, message))
}

/// The order of the RFC: `If-None-Match`, then `Range` as far as `If-Range` lets it count.
fn wanted(headers: &HeaderMap, is_head: bool, etag: &str, size_bytes: u64) -> Wanted {
    let known = list(headers, &IF_NONE_MATCH).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag);
    if known {
        return Wanted::Unchanged;
    }
    // A date never counts: there is no Last-Modified. A weak tag never equals a strong one.
    let counts = one(headers, &IF_RANGE).is_none_or(|tag| tag == etag);
    match one(headers, &RANGE) {
        Some(range) if counts && !is_head => of_range(range, size_bytes),
        Some(_) | None => Wanted::Whole,
    }
}

fn of_range(text: &str, size_bytes: u64) -> Wanted {
    let set = text
        .split_once('=')
        .filter(|(unit, _)| unit.trim().eq_ignore_ascii_case("bytes"));
    let Some((first, last)) = set.and_then(|(_, range)| range.trim().split_once('-')) else {
        return Wanted::Whole;
    };
    match (position(first), position(last)) {
        (Position::At(first), Position::At(last)) if first > last => Wanted::Whole,
        (Position::At(first), Position::At(_) | Position::Absent) if first >= size_bytes => Wanted::Outside,
        (Position::At(first), Position::At(last)) => Wanted::Part(first..last.saturating_add(1).min(size_bytes)),
        (Position::At(first), Position::Absent) => Wanted::Part(first..size_bytes),
        (Position::Absent, Position::At(0)) => Wanted::Outside,
        // The last bytes of nothing are all of it, and no range can say so.
        (Position::Absent, Position::At(_)) if size_bytes == 0 => Wanted::Whole,
        (Position::Absent, Position::At(length)) => Wanted::Part(size_bytes.saturating_sub(length)..size_bytes),
        (Position::Absent, Position::Absent) | (Position::Malformed, _) | (_, Position::Malformed) => Wanted::Whole,
    }
}

/// One end of a range.
enum Position {
    At(u64),
    Absent,
    Malformed,
}

fn position(text: &str) -> Position {
    let text = text.trim();
    if text.is_empty() {
        return Position::Absent;
    }
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Position::Malformed;
    }
    // More digits than fit are farther than anything reaches.
    Position::At(text.parse().unwrap_or(u64::MAX))
}

fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap_or_default().trim())
}

fn list<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(name).filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

    use super::{Wanted, wanted};

    const TAG: &str = "\"abc\"";

    fn asked(headers: &[(&'static str, &str)], size_bytes: u64) -> Wanted {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        wanted(&map, false, TAG, size_bytes)
    }

    #[test]
    fn ranges_of_ten_bytes() {
        let cases = [
            ("bytes=0-0", Wanted::Part(0..1)),
            ("bytes=2-4", Wanted::Part(2..5)),
            ("Bytes = 2-4", Wanted::Part(2..5)),
            ("bytes=9-", Wanted::Part(9..10)),
            ("bytes=3-99", Wanted::Part(3..10)),
            ("bytes=3-99999999999999999999999", Wanted::Part(3..10)),
            ("bytes=-3", Wanted::Part(7..10)),
            ("bytes=-99", Wanted::Part(0..10)),
            ("bytes=10-", Wanted::Outside),
            ("bytes=10-12", Wanted::Outside),
            ("bytes=99999999999999999999999-", Wanted::Outside),
            ("bytes=-0", Wanted::Outside),
            ("bytes=4-2", Wanted::Whole),
            ("bytes=0-1,4-5", Wanted::Whole),
            ("bytes=-", Wanted::Whole),
            ("bytes=a-b", Wanted::Whole),
            ("bytes=+1-2", Wanted::Whole),
            ("bytes", Wanted::Whole),
            ("items=0-1", Wanted::Whole),
        ];
        for (text, expected) in cases {
            assert_eq!(asked(&[("range", text)], 10), expected, "{text}");
        }
    }

    #[test]
    fn nothing_has_no_part() {
        assert_eq!(asked(&[("range", "bytes=0-")], 0), Wanted::Outside);
        assert_eq!(asked(&[("range", "bytes=-1")], 0), Wanted::Whole);
    }

    #[test]
    fn conditions_come_first() {
        let range = ("range", "bytes=0-1");
        for (tag, expected) in [
            (TAG, Wanted::Part(0..2)),
            ("\"other\"", Wanted::Whole),
            ("W/\"abc\"", Wanted::Whole),
            ("Tue, 15 Nov 1994 12:45:26 GMT", Wanted::Whole),
        ] {
            assert_eq!(asked(&[range, ("if-range", tag)], 10), expected, "{tag}");
        }
        for (tags, expected) in [
            ("*", Wanted::Unchanged),
            (TAG, Wanted::Unchanged),
            ("W/\"abc\"", Wanted::Unchanged),
            ("\"x\", \"abc\"", Wanted::Unchanged),
            ("\"x\"", Wanted::Part(0..2)),
            ("abc", Wanted::Part(0..2)),
        ] {
            assert_eq!(asked(&[range, ("if-none-match", tags)], 10), expected, "{tags}");
        }
        let twice = [("if-none-match", "\"x\""), ("if-none-match", TAG)];
        assert_eq!(asked(&twice, 10), Wanted::Unchanged);
    }

    #[test]
    fn a_range_is_for_get_only() {
        let mut map = HeaderMap::new();
        map.insert(HeaderName::from_static("range"), HeaderValue::from_static("bytes=0-1"));
        assert_eq!(wanted(&map, true, TAG, 10), Wanted::Whole);
    }
}
