//! Azure Resource Graph: one query, one page.

use reqwest::Method;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::client::{Client, url};
use crate::credential::Audience;
use crate::http::{Call, CallError, Refusal};
use crate::quota::Lane;

const API_VERSION: &str = "2022-10-01";

/// A query and where in its answer to go on.
#[derive(Debug, Clone)]
pub(crate) struct Query<'a> {
    pub(crate) kql: &'a str,
    /// `None`: the whole tenant.
    pub(crate) subscriptions: Option<&'a [String]>,
    pub(crate) top: u32,
    pub(crate) skip_token: Option<&'a str>,
    pub(crate) doing: &'static str,
}

/// A page of rows.
#[derive(Debug, Clone)]
pub(crate) struct ArgPage {
    pub(crate) rows: Vec<Value>,
    /// Rows of the whole answer.
    pub(crate) total: Option<u64>,
    pub(crate) next: Option<String>,
    /// Rows are lost and there is no token to go on with.
    pub(crate) truncated: bool,
}

/// Why a query has no page.
#[derive(Debug)]
pub(crate) enum ArgError {
    /// The answer would be over 16 MiB: ask for fewer rows.
    TooLarge,
    /// The skip token is gone.
    CursorExpired,
    /// None of the scopes may be read.
    NoAccess,
    /// Anything else.
    Call(CallError),
}

impl Client {
    /// Runs a query.
    pub(crate) async fn arg(&self, query: &Query<'_>, cancelled: &CancellationToken) -> Result<ArgPage, ArgError> {
        let mut options = json!({"resultFormat": "objectArray", "$top": query.top});
        let mut body = json!({"query": query.kql});
        if let (Some(token), Some(options)) = (query.skip_token, options.as_object_mut()) {
            options.insert("$skipToken".to_owned(), token.into());
        }
        if let Some(body) = body.as_object_mut() {
            body.insert("options".to_owned(), options);
            if let Some(subscriptions) = query.subscriptions {
                body.insert("subscriptions".to_owned(), subscriptions.into());
            }
        }
        let path = "/providers/Microsoft.ResourceGraph/resources";
        let call = Call {
            method: Method::POST,
            url: url(&self.endpoints.arm, path, &[("api-version", API_VERSION)]),
            body: Some(body),
            lane: Lane::Arg,
            cost: 1,
            audience: Audience::Arm,
            eventual: false,
            doing: query.doing,
        };
        match self.http.send(&call, cancelled).await {
            Ok(answer) => page(answer).ok_or_else(|| {
                ArgError::Call(CallError::Unavailable {
                    doing: query.doing,
                    problem: "the answer holds no rows".to_owned(),
                })
            }),
            Err(CallError::Refused(refusal)) => Err(refused(refusal)),
            Err(error) => Err(ArgError::Call(error)),
        }
    }
}

fn page(mut answer: Value) -> Option<ArgPage> {
    let rows = match answer.get_mut("data").map(Value::take)? {
        Value::Array(rows) => rows,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => return None,
    };
    let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
    Some(ArgPage {
        rows,
        total: answer.get("totalRecords").and_then(Value::as_u64),
        next: text("$skipToken").filter(|token| !token.is_empty()),
        truncated: text("resultTruncated").is_some_and(|word| word.eq_ignore_ascii_case("true")),
    })
}

fn refused(refusal: Refusal) -> ArgError {
    if refusal.says("ResponsePayloadTooLarge") || refusal.status == 413 {
        ArgError::TooLarge
    } else if ["SkipTokenExpired", "InvalidSkipToken", "SkipTokenInvalid"]
        .into_iter()
        .any(|code| refusal.says(code))
    {
        ArgError::CursorExpired
    } else if refusal.status == 403
        || refusal.says("NoValidSubscriptionsInQueryRequest")
        || refusal.says("AuthorizationFailed")
    {
        ArgError::NoAccess
    } else {
        ArgError::Call(CallError::Refused(refusal))
    }
}

/// A text as a KQL literal.
pub(crate) fn literal(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('\'');
    for symbol in text.chars() {
        if matches!(symbol, '\'' | '\\') {
            literal.push('\\');
        }
        if !symbol.is_control() {
            literal.push(symbol);
        }
    }
    literal.push('\'');
    literal
}

/// Texts as a KQL list.
pub(crate) fn literals(texts: &[String]) -> String {
    let texts: Vec<_> = texts.iter().map(|text| literal(text)).collect();
    format!("({})", texts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_cannot_be_left() {
        assert_eq!(literal("a'b\\c\n"), r"'a\'b\\c'");
        assert_eq!(literals(&["x".to_owned(), "y'".to_owned()]), r"('x', 'y\'')");
    }

    #[test]
    fn a_page_without_data_is_no_page() {
        assert!(page(json!({"totalRecords": 0})).is_none());
        let empty = page(json!({"totalRecords": 0, "data": [], "resultTruncated": "false"})).unwrap();
        assert!(empty.next.is_none() && !empty.truncated && empty.total == Some(0));
    }
}
