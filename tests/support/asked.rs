//! A request whose answer is judged by the `OpenAPI` document as soon as it is there.

use std::time::Duration;

use reqwest::header::HeaderValue;
use reqwest::{Body, Error, Method, RequestBuilder, Response};
use serde::Serialize;
use tokio_tungstenite::tungstenite::http;

use crate::judge::{Answer, JUDGE};

/// As reqwest has it, in the part that tests use.
pub struct Asked(RequestBuilder);

impl Asked {
    /// Of this request.
    pub fn new(request: RequestBuilder) -> Self {
        Self(request)
    }

    /// Adds a header.
    #[must_use]
    pub fn header<V>(self, name: &str, value: V) -> Self
    where
        HeaderValue: TryFrom<V>,
        <HeaderValue as TryFrom<V>>::Error: Into<http::Error>,
    {
        Self(self.0.header(name, value))
    }

    /// Adds a key.
    #[must_use]
    pub fn bearer_auth(self, key: &str) -> Self {
        Self(self.0.bearer_auth(key))
    }

    /// Sets a JSON body.
    #[must_use]
    pub fn json<T: Serialize + ?Sized>(self, body: &T) -> Self {
        Self(self.0.json(body))
    }

    /// Sets a body.
    #[must_use]
    pub fn body(self, body: impl Into<Body>) -> Self {
        Self(self.0.body(body))
    }

    /// Bounds the whole exchange.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self(self.0.timeout(timeout))
    }

    /// Sends it. An answer that the document does not describe fails the test.
    ///
    /// A JSON body is read here, to be judged; any other is left to the test to read.
    pub async fn send(self) -> Result<Response, Error> {
        let (client, request) = self.0.build_split();
        let request = request?;
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let response = client.execute(request).await?;
        if method == Method::OPTIONS {
            return Ok(response);
        }
        let content_type = response.headers().get("content-type");
        let is_json = content_type.is_some_and(|value| value.as_bytes().starts_with(b"application/json"));
        let is_file = path.contains("/files/") && response.status().is_success();
        if method == Method::HEAD || !is_json || is_file {
            judge(&method, &path, response.status().as_u16(), response.headers(), None);
            return Ok(response);
        }
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await?;
        judge(&method, &path, status.as_u16(), &headers, Some(&body));
        let mut again = http::Response::new(body);
        *again.status_mut() = status;
        *again.headers_mut() = headers;
        Ok(Response::from(again))
    }
}

/// Fails the test when the document does not describe the answer.
pub fn judge(method: &Method, path: &str, status: u16, headers: &http::HeaderMap, body: Option<&[u8]>) {
    let answer = Answer {
        method,
        path,
        status,
        headers,
        body,
    };
    if let Some(problem) = JUDGE.problem(&answer) {
        panic!("{problem}");
    }
}
