//! Judges every answer of a run by the `OpenAPI` document: its status, media type, headers and body.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, LazyLock, Mutex};

use jsonschema::Validator;
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::Document;

/// Headers that are documented, and that an answer has only in some cases.
const SOMETIMES: [&str; 4] = ["idempotent-replayed", "link", "preference-applied", "retry-after"];
/// Statuses that any path may have, whatever it documents: another method, and what the parser refuses.
const ANYWHERE: [u16; 1] = [405];
/// The schema of every error.
const ERROR: &str = "ErrorResponse";
/// The schema of every frame of a socket or an event stream.
const FRAME: &str = "EventFrame";

/// An answer, as far as it can be judged.
pub struct Answer<'a> {
    /// Of the request.
    pub method: &'a Method,
    /// Of the request, without the query.
    pub path: &'a str,
    /// Of the answer.
    pub status: u16,
    /// Of the answer.
    pub headers: &'a HeaderMap,
    /// Of the answer, when it is JSON and was asked for.
    pub body: Option<&'a [u8]>,
}

/// The document with its compiled schemas.
pub struct Judge {
    document: Document,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

/// One for the whole run: compiling a schema takes longer than using it.
pub static JUDGE: LazyLock<Judge> = LazyLock::new(|| Judge {
    document: Document::of_code(),
    validators: Mutex::default(),
});

impl Judge {
    /// What is wrong with an answer, if anything.
    pub fn problem(&self, answer: &Answer<'_>) -> Option<String> {
        let problem = self.find(answer)?;
        let Answer {
            method, path, status, ..
        } = answer;
        Some(format!("{method} {path} answered {status}: {problem}"))
    }

    /// What is wrong with a frame of a socket or an event stream, if anything.
    pub fn frame_problem(&self, frame: &[u8]) -> Option<String> {
        self.of_body(&named(FRAME), frame)
    }

    /// The documented path that a path is one of.
    pub fn template(&self, path: &str) -> &str {
        self.item(path).map_or("(another path)", |(template, _)| template)
    }

    fn find(&self, answer: &Answer<'_>) -> Option<String> {
        if !answer.headers.contains_key("x-request-id") {
            return Some("X-Request-ID is missing".to_owned());
        }
        let documented = self.operation(answer);
        let response = documented.and_then(|operation| operation["responses"].get(answer.status.to_string()));
        match response {
            Some(response) => self.of_response(answer, response),
            None if documented.is_some() && !ANYWHERE.contains(&answer.status) => {
                Some("the status is not documented".to_owned())
            }
            // A page, a path that is not there, a method that the path has not.
            None if answer.status >= 400 => self.of_error(answer),
            None => None,
        }
    }

    /// What the document says of the request. HEAD is GET without a body; a trailing slash is none.
    fn operation(&self, answer: &Answer<'_>) -> Option<&Value> {
        let method = if answer.method == Method::HEAD {
            "get"
        } else {
            answer.method.as_str()
        };
        let (_, item) = self.item(answer.path)?;
        item.get(method.to_ascii_lowercase())
    }

    fn item(&self, path: &str) -> Option<(&str, &Value)> {
        let wanted = path.trim_end_matches('/');
        let paths = self.document.value()["paths"].as_object()?;
        let exact = paths.get_key_value(wanted);
        let found = exact.or_else(|| paths.iter().find(|(path, _)| fits(path, wanted)))?;
        Some((found.0, found.1))
    }

    fn of_response(&self, answer: &Answer<'_>, response: &Value) -> Option<String> {
        let headers = response["headers"].as_object().into_iter().flatten();
        for (name, _) in headers.filter(|(name, _)| !SOMETIMES.contains(&name.to_lowercase().as_str())) {
            if !answer.headers.contains_key(name.as_str()) {
                return Some(format!("{name} is documented and missing"));
            }
        }
        if [429, 503].contains(&answer.status) && !answer.headers.contains_key("retry-after") {
            return Some("Retry-After is missing".to_owned());
        }
        let Some(content) = response.get("content").and_then(Value::as_object) else {
            return answer
                .body
                .filter(|body| !body.is_empty())
                .map(|_| "a body is not documented".to_owned());
        };
        let media_type = media_type(answer.headers);
        let Some(described) = content.get(&media_type).or_else(|| content.get("*/*")) else {
            return Some(format!(
                "{media_type:?} is none of {:?}",
                content.keys().collect::<BTreeSet<_>>()
            ));
        };
        let body = answer.body.filter(|_| content.contains_key("application/json"))?;
        self.of_body(&described["schema"], body)
    }

    fn of_error(&self, answer: &Answer<'_>) -> Option<String> {
        if media_type(answer.headers) != "application/json" {
            return Some("an error is not JSON".to_owned());
        }
        self.of_body(&named(ERROR), answer.body?)
    }

    fn of_body(&self, schema: &Value, body: &[u8]) -> Option<String> {
        let Ok(body) = serde_json::from_slice::<Value>(body) else {
            return Some("the body is not JSON".to_owned());
        };
        let validator = self.validator(schema);
        let problems: Vec<String> = validator
            .iter_errors(&body)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        (!problems.is_empty()).then(|| format!("{problems:?} in {body}"))
    }

    fn validator(&self, schema: &Value) -> Arc<Validator> {
        let mut validators = self.validators.lock().unwrap();
        let made = validators.entry(schema.to_string()).or_insert_with(|| {
            let mut root = json!({"allOf": [schema]});
            root["components"] = self.document.value()["components"].clone();
            Arc::new(jsonschema::validator_for(&root).unwrap())
        });
        Arc::clone(made)
    }
}

fn named(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

/// Whether a path is one of a template. The last parameter named `path` takes all that is left.
fn fits(template: &str, path: &str) -> bool {
    let (mut left, mut right) = (template.split('/'), path.split('/'));
    loop {
        match (left.next(), right.next()) {
            (None, None) | (Some("{path}"), Some(_)) => return true,
            (Some(wanted), Some(found)) if wanted == found => {}
            (Some(wanted), Some(found)) if wanted.starts_with('{') && !found.is_empty() => {}
            _ => return false,
        }
    }
}

/// Without its parameters.
fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get("content-type").and_then(|value| value.to_str().ok());
    let value = value.unwrap_or_default().split(';').next().unwrap_or_default();
    value.trim().to_ascii_lowercase()
}
