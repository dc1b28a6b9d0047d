//! `POST /providers/Microsoft.ResourceGraph/resources`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use serde_json::{Value, json};

use super::kql;
use super::lexer::Refusal;
use super::rows::{self, Scope, Shared};
use crate::call::{Call, Lane, Reply};
use crate::disguise;
use crate::fault::FaultKind;
use crate::page::{self, CursorError};
use crate::seeded;
use crate::sim::Sim;
use crate::tables::{forbidden_subscription, lower_field};
use crate::world::Table;

/// An answer above this size is refused (documented).
const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;
/// Rows of a page when `$top` is absent (documented).
const DEFAULT_TOP: usize = 100;
/// Subscriptions that a query may name (documented).
const MAX_SUBSCRIPTIONS: usize = 10_000;
/// Selections kept for paging; more are forgotten and made again.
const MAX_QUERIES: usize = 256;
/// The api-versions that are known.
const API_VERSIONS: [&str; 4] = ["2024-04-01", "2022-10-01", "2021-03-01", "2021-06-01-preview"];

/// Selections of earlier calls.
#[derive(Default)]
pub(crate) struct Queries {
    made: Mutex<HashMap<String, Shared>>,
}

impl Queries {
    /// Forgets all, after the world has changed.
    pub(crate) fn clear(&self) {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn get(&self, key: &str, make: impl FnOnce() -> Shared) -> Shared {
        let known = self
            .made
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(key)
            .cloned();
        known.unwrap_or_else(|| {
            let selected = make();
            let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
            if made.len() >= MAX_QUERIES {
                made.clear();
            }
            made.insert(key.to_owned(), Arc::clone(&selected));
            selected
        })
    }
}

/// What a body asks for.
struct Asked {
    query: String,
    subscriptions: Option<Vec<String>>,
    groups: Vec<String>,
    top: usize,
    skip: usize,
    token: Option<String>,
}

/// Answers a query.
pub(crate) fn answer(sim: &Sim, call: &Call) -> Reply {
    let path = call.path.to_ascii_lowercase();
    if path.trim_end_matches('/') != "/providers/microsoft.resourcegraph/resources" {
        return Reply::error(404, "NotFound", "The path is not one of Resource Graph's.");
    }
    if call.method != "POST" {
        return Reply::error(
            405,
            "MethodNotAllowed",
            "The requested resource does not support this method.",
        );
    }
    match call.param("api-version") {
        None => {
            return Reply::error(
                400,
                "MissingApiVersionParameter",
                "The api-version query parameter (?api-version=) is required for all requests.",
            );
        }
        Some(version) if !API_VERSIONS.contains(&version) => {
            let text = format!(
                "The api-version '{version}' is invalid. The supported versions are '{}'.",
                API_VERSIONS.join(", ")
            );
            return Reply::error(400, "InvalidResourceType", &text);
        }
        Some(_) => {}
    }
    match asked(call).and_then(|asked| run(sim, call, &asked)) {
        Ok(reply) => reply,
        Err(refused) => {
            let info = format!(
                "Please provide below info when asking for support: timestamp = {}, correlationId = {}.",
                sim.timestamp(),
                sim.request_id()
            );
            let mut reply = Reply::error(400, "BadRequest", &info);
            if let Some(error) = reply.body.get_mut("error").and_then(Value::as_object_mut) {
                error.insert("details".to_owned(), Value::Array(refused));
            }
            reply
        }
    }
}

fn detail(code: &str, message: &str) -> Vec<Value> {
    vec![json!({"code": code, "message": message})]
}

fn asked(call: &Call) -> Result<Asked, Vec<Value>> {
    let body: Value =
        serde_json::from_slice(&call.body).map_err(|_| detail("InvalidRequest", "The body is not JSON."))?;
    let Some(query) = body.get("query").and_then(Value::as_str) else {
        return Err(detail("InvalidRequest", "The query is missing."));
    };
    let options = body.get("options").cloned().unwrap_or_default();
    let format = options
        .get("resultFormat")
        .and_then(Value::as_str)
        .unwrap_or("objectArray");
    if !format.eq_ignore_ascii_case("objectArray") {
        return Err(detail(
            "InvalidRequest",
            "Only the result format objectArray is served.",
        ));
    }
    let number = |name: &str| match options.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(given) => given
            .as_u64()
            .map(|number| Some(seeded::narrow(number)))
            .ok_or_else(|| detail("InvalidRequest", "A paging option is not a number.")),
    };
    let top = number("$top")?.unwrap_or(DEFAULT_TOP);
    if top == 0 || top > 1_000 {
        return Err(detail("InvalidTop", "$top must be between 1 and 1000."));
    }
    let strings = |name: &str| -> Option<Vec<String>> {
        let items = body.get(name)?.as_array()?;
        Some(
            items
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_ascii_lowercase)
                .collect(),
        )
    };
    let subscriptions = strings("subscriptions").filter(|listed| !listed.is_empty());
    if subscriptions
        .as_ref()
        .is_some_and(|listed| listed.len() > MAX_SUBSCRIPTIONS)
    {
        return Err(detail(
            "TooManySubscriptions",
            "A query names 10000 subscriptions at the most.",
        ));
    }
    Ok(Asked {
        query: query.to_owned(),
        subscriptions,
        groups: strings("managementGroups").unwrap_or_default(),
        top,
        skip: number("$skip")?.unwrap_or(0),
        token: options.get("$skipToken").and_then(Value::as_str).map(str::to_owned),
    })
}

fn run(sim: &Sim, call: &Call, asked: &Asked) -> Result<Reply, Vec<Value>> {
    let query = kql::parse(&asked.query).map_err(|refusal| invalid_query(&asked.query, &refusal))?;
    let Some(tables) = rows::tables(&query.table) else {
        let refusal = Refusal {
            at: 0,
            message: format!("the table '{}' is not known", query.table),
        };
        return Err(invalid_query(&asked.query, &refusal));
    };
    let path = call.path.to_ascii_lowercase();
    let scope = scope(sim, asked, &path);
    if nothing_readable(&scope) {
        return Ok(Reply::error(
            403,
            "AccessDenied",
            "No access to any of the subscriptions that the query names.",
        ));
    }
    let key = format!("{}\0{:?}\0{:?}", asked.query, scope.subscriptions, scope.forbidden);
    let start = match &asked.token {
        Some(_) if sim.strikes(FaultKind::SkipTokenExpired, Lane::Arg, &path).is_some() => {
            return Err(skip_token(CursorError::Expired));
        }
        Some(token) => page::position(sim, &key, token).map_err(skip_token)?,
        None => asked.skip,
    };
    let selected = sim
        .queries
        .get(&key, || Arc::new(rows::select(sim, &query, tables, &scope)));
    let size = asked.top.min(sim.config.arg_page_rows);
    let page = page::page(sim, Lane::Arg, &path, selected.len(), start, size);
    let mut data = selected.rows(sim, page.start, page.end);
    if page.reordered {
        disguise::permute(&mut data, sim.number(), |row| seeded::hash(0, &row.to_string()));
    }
    let largest = sim
        .armed(FaultKind::PageTooLarge)
        .map(|fault| seeded::narrow(fault.value.unwrap_or(250)));
    let refused = largest.is_some_and(|largest| data.len() > largest)
        && sim.strikes(FaultKind::PageTooLarge, Lane::Arg, &path).is_some();
    let has_id = data.first().is_none_or(|row| row.get("id").is_some());
    let mut body = json!({
        "totalRecords": selected.len(),
        "count": data.len(),
        "data": data,
        "facets": [],
        // "true" says that rows are lost: without the id there is no way to go on.
        "resultTruncated": if page.next.is_some() && !has_id { "true" } else { "false" },
    });
    if let (Some(next), true, Some(map)) = (page.next, has_id, body.as_object_mut()) {
        map.insert("$skipToken".to_owned(), Value::String(page::cursor(sim, &key, next)));
    }
    let sent = Bytes::from(serde_json::to_vec(&body).unwrap_or_default());
    if refused || sent.len() > MAX_ANSWER_BYTES {
        return Err(detail(
            "ResponsePayloadTooLarge",
            "Response payload size is too large, and exceeded the limit of 16777216 bytes. Please reduce the page size.",
        ));
    }
    let mut reply = Reply::ok(body);
    reply.sent = Some(sent);
    reply.foreign = page.foreign;
    Ok(reply)
}

fn scope(sim: &Sim, asked: &Asked, path_lower: &str) -> Scope {
    let struck = sim.strikes(FaultKind::ForbiddenSubscription, Lane::Arg, path_lower);
    let forbidden = struck.and_then(|fault| forbidden_subscription(sim, &fault));
    if asked.groups.is_empty() {
        return Scope {
            subscriptions: asked.subscriptions.clone(),
            forbidden,
        };
    }
    let subscriptions = sim.tables.get(sim, Table::Subscriptions);
    let below = subscriptions.iter().filter_map(|entry| {
        let row = entry.row(sim)?;
        let chain = row.pointer("/properties/managementGroupAncestorsChain")?.as_array()?;
        let named = chain
            .iter()
            .any(|group| asked.groups.contains(&lower_field(group, "name")));
        named.then(|| entry.subscription().unwrap_or_default().to_owned())
    });
    Scope {
        subscriptions: Some(below.collect()),
        forbidden,
    }
}

/// Documented: of the named subscriptions those that may not be read are left out silently, unless
/// that leaves none.
fn nothing_readable(scope: &Scope) -> bool {
    let listed = scope.subscriptions.as_ref();
    listed.is_some_and(|listed| !listed.is_empty() && listed.iter().all(|own| Some(own) == scope.forbidden.as_ref()))
}

fn skip_token(error: CursorError) -> Vec<Value> {
    match error {
        CursorError::Wrong => detail(
            "InvalidSkipToken",
            "The skip token does not belong to this query and its scopes.",
        ),
        CursorError::Expired => detail(
            "SkipTokenExpired",
            "The skip token has expired. Please run the query again.",
        ),
    }
}

fn invalid_query(query: &str, refusal: &Refusal) -> Vec<Value> {
    let before: String = query.chars().take(refusal.at).collect();
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|char| *char != '\n').count();
    vec![
        json!({
            "code": "InvalidQuery",
            "message": "Query is invalid. Please refer to the documentation for the Azure Resource Graph service and fix the error before retrying.",
        }),
        json!({
            "code": "ParserFailure",
            "message": format!("ParserFailure: {}", refusal.message),
            "line": line,
            "characterPositionInLine": column,
        }),
    ]
}
