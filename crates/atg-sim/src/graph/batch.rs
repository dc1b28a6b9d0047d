//! `POST /v1.0/$batch`: up to twenty calls in one; the answers come in any order and fail one by one.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::call::{Call, Reply};
use crate::disguise;
use crate::dispatch;
use crate::seeded;
use crate::sim::Sim;

/// Calls in a batch (documented).
const MAX_CALLS: usize = 20;

/// Answers a batch. Each call in it pays for itself.
pub(crate) fn answer(sim: &Sim, call: &Call) -> Reply {
    let bad = |text: &str| Reply::error(400, "BadRequest", text);
    let Ok(body) = serde_json::from_slice::<Value>(&call.body) else {
        return bad("The body is not JSON.");
    };
    let Some(requests) = body.get("requests").and_then(Value::as_array) else {
        return bad("The batch has no requests.");
    };
    if requests.len() > MAX_CALLS {
        return bad("Number of batch request steps exceeds the maximum value of 20.");
    }
    let mut ids: Vec<&str> = requests
        .iter()
        .filter_map(|request| request.get("id").and_then(Value::as_str))
        .collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.len() != requests.len() {
        return bad("Each request of a batch needs an id of its own.");
    }
    let mut answers: Vec<Value> = requests.iter().map(|request| one(sim, call, request)).collect();
    disguise::permute(&mut answers, sim.number(), |answer| {
        seeded::hash(0, &answer.to_string())
    });
    Reply::ok(json!({"responses": answers}))
}

fn one(sim: &Sim, outer: &Call, request: &Value) -> Value {
    let text = |name: &str| request.get(name).and_then(Value::as_str).unwrap_or_default();
    let url = text("url");
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let eventual = request
        .get("headers")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .any(|(name, value)| name.eq_ignore_ascii_case("ConsistencyLevel") && value == "eventual");
    let call = Call {
        method: text("method").to_ascii_uppercase(),
        path: format!("/v1.0/{}", path.trim_start_matches('/')),
        query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        bearer: outer.bearer.clone(),
        eventual,
        body: Bytes::new(),
        base: outer.base.clone(),
    };
    let reply = if path.contains("$batch") {
        Reply::error(400, "BadRequest", "A batch holds no batch.")
    } else {
        dispatch::inner(sim, &call)
    };
    let mut headers: Map<String, Value> = reply
        .headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect();
    headers.insert("Content-Type".to_owned(), json!("application/json"));
    json!({"id": text("id"), "status": reply.status, "headers": headers, "body": reply.body})
}
