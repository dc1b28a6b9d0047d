//! The `OpenAPI` document as a judge of answers.

use serde_json::{Value, json};

/// The document, read.
pub struct Document(Value);

/// An operation of it.
#[derive(Debug, Clone)]
pub struct Described {
    /// Its name.
    pub id: String,
    /// `get`, `post`, …
    pub method: String,
    /// With `{parameters}`.
    pub path: String,
    /// Whether a key is needed.
    pub secured: bool,
    /// The documented statuses.
    pub statuses: Vec<u16>,
}

impl Document {
    /// What the server says of itself.
    pub fn of_code() -> Self {
        Self(serde_json::from_str(&atg_server::openapi_json().unwrap()).unwrap())
    }

    /// All of it.
    pub fn value(&self) -> &Value {
        &self.0
    }

    /// Every operation.
    pub fn operations(&self) -> Vec<Described> {
        let mut all = Vec::new();
        for (path, item) in self.0["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let statuses = operation["responses"].as_object().unwrap();
                all.push(Described {
                    id: operation["operationId"].as_str().unwrap().to_owned(),
                    method: method.clone(),
                    path: path.clone(),
                    secured: operation.get("security").is_some(),
                    statuses: statuses.keys().map(|status| status.parse().unwrap()).collect(),
                });
            }
        }
        all
    }

    /// What is wrong with an answer's body, if anything. Answers without a JSON schema have no body to judge.
    pub fn problem(&self, method: &str, path: &str, status: u16, body: &[u8]) -> Option<String> {
        let Some(response) = self.0["paths"][path][method]["responses"].get(status.to_string()) else {
            return Some(format!("{method} {path} does not document {status}"));
        };
        let schema = response.get("content")?.get("application/json")?.get("schema")?;
        let Ok(body) = serde_json::from_slice::<Value>(body) else {
            return Some(format!("{method} {path} {status} is not JSON"));
        };
        let mut root = json!({"allOf": [schema]});
        root["components"] = self.0["components"].clone();
        let validator = jsonschema::validator_for(&root).unwrap();
        let problems: Vec<String> = validator
            .iter_errors(&body)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        (!problems.is_empty()).then(|| format!("{method} {path} {status}: {problems:?} in {body}"))
    }
}
