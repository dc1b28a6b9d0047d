//! The three services behind one principal. The calls themselves are in `arg`, `arm` and `msgraph`.

use reqwest::Method;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::cloud::Endpoints;
use crate::credential::Audience;
use crate::http::{Call, CallError, Http};
use crate::quota::Lane;

/// Sends requests to the endpoints of one cloud.
pub(crate) struct Client {
    pub(crate) http: Http,
    pub(crate) endpoints: Endpoints,
}

/// A page of a list whose successor is a link.
pub(crate) struct LinkedPage {
    pub(crate) rows: Vec<Value>,
    pub(crate) next: Option<Url>,
    /// `@odata.count`, where it was asked for.
    pub(crate) count: Option<u64>,
}

/// What a GET is charged to and what it is for.
#[derive(Debug, Clone)]
pub(crate) struct Purpose {
    pub(crate) lane: Lane,
    pub(crate) cost: u64,
    pub(crate) doing: &'static str,
}

impl Client {
    /// A GET with a JSON answer.
    pub(crate) async fn get(
        &self,
        url: Url,
        purpose: Purpose,
        cancelled: &CancellationToken,
    ) -> Result<Value, CallError> {
        let graph = purpose.lane == Lane::Graph;
        let call = Call {
            method: Method::GET,
            eventual: graph && url.query().is_some_and(|query| query.contains("count=true")),
            url,
            body: None,
            audience: if graph { Audience::Graph } else { Audience::Arm },
            lane: purpose.lane,
            cost: purpose.cost,
            doing: purpose.doing,
        };
        self.http.send(&call, cancelled).await
    }

    /// A page of a list: `value` with `nextLink` or `@odata.nextLink`.
    pub(crate) async fn linked_page(
        &self,
        url: Url,
        purpose: Purpose,
        cancelled: &CancellationToken,
    ) -> Result<LinkedPage, CallError> {
        let doing = purpose.doing;
        let base = if purpose.lane == Lane::Graph {
            &self.endpoints.graph
        } else {
            &self.endpoints.arm
        };
        let body = self.get(url, purpose, cancelled).await?;
        linked(body, base, doing)
    }
}

/// Takes a list's page apart. A link to another host is refused: the token would go there.
pub(crate) fn linked(mut body: Value, base: &Url, doing: &'static str) -> Result<LinkedPage, CallError> {
    let strange = |problem: &str| CallError::Unavailable {
        doing,
        problem: problem.to_owned(),
    };
    let rows = match body.get_mut("value").map(Value::take) {
        Some(Value::Array(rows)) => rows,
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) | None => {
            return Err(strange("the answer holds no list"));
        }
    };
    let link = ["nextLink", "@odata.nextLink"]
        .into_iter()
        .find_map(|name| body.get(name).and_then(Value::as_str))
        .filter(|link| !link.is_empty());
    let next = link
        .map(|link| at_home(base, link).ok_or_else(|| strange("the link to the next page leads to another host")))
        .transpose()?;
    let count = body.get("@odata.count").and_then(Value::as_u64);
    Ok(LinkedPage { rows, next, count })
}

/// The link, if it stays on the host of the endpoint.
pub(crate) fn at_home(base: &Url, link: &str) -> Option<Url> {
    let url = base.join(link).ok()?;
    let same = url.scheme() == base.scheme()
        && url.host() == base.host()
        && url.port_or_known_default() == base.port_or_known_default();
    let plain = url.username().is_empty() && url.password().is_none();
    (same && plain).then_some(url)
}

/// `base` with a path (segments already escaped where they need it) and a query.
pub(crate) fn url(base: &Url, path: &str, query: &[(&str, &str)]) -> Url {
    let mut url = base.clone();
    let prefix = base.path().trim_end_matches('/');
    url.set_path(&format!("{prefix}{path}"));
    url.query_pairs_mut().clear().extend_pairs(query);
    if query.is_empty() {
        url.set_query(None);
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn base() -> Url {
        "https://arm.example/".parse().unwrap()
    }

    #[test]
    fn a_next_link_stays_at_home() {
        assert!(at_home(&base(), "https://ARM.example:443/x?y").is_some());
        assert!(at_home(&base(), "/x?y").is_some());
        for abroad in [
            "http://arm.example/x",
            "https://arm.example:444/x",
            "https://evil.example/x",
            "//evil.example/x",
            "https://u@arm.example/x",
        ] {
            assert!(at_home(&base(), abroad).is_none(), "{abroad}");
        }
    }

    #[test]
    fn a_page_without_a_list_is_no_page() {
        assert!(linked(json!({}), &base(), "reading").is_err());
        assert!(linked(json!({"value": {}}), &base(), "reading").is_err());
        let page = linked(json!({"value": [1], "nextLink": ""}), &base(), "reading")
            .ok()
            .unwrap();
        assert!(page.next.is_none() && page.rows.len() == 1);
    }

    #[test]
    fn a_url_keeps_the_prefix_of_its_endpoint() {
        let base: Url = "https://proxy.example/arm/".parse().unwrap();
        assert_eq!(
            url(&base, "/tenants", &[("a", "b c")]).as_str(),
            "https://proxy.example/arm/tenants?a=b+c"
        );
    }
}
