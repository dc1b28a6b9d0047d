//! ARM's lists: `value` and `nextLink`.

use serde_json::{Value, json};

use crate::call::{Call, Lane, Reply};
use crate::disguise;
use crate::page::{self, CursorError};
use crate::seeded;
use crate::sim::Sim;
use crate::tables::Entry;

/// Fields of Resource Graph's envelope that ARM does not know.
const NOT_IN_ARM: [&str; 4] = ["apiVersion", "tenantId", "subscriptionId", "resourceGroup"];

/// A list whose items are at hand.
pub(crate) fn reply(sim: &Sim, call: &Call, mut items: Vec<Value>) -> Reply {
    if let Some(seed) = sim.config.order_seed {
        disguise::permute(&mut items, seed, |item| seeded::hash(0, &item.to_string()));
    }
    let total = items.len();
    paged(sim, call, total, |start, end| items.drain(start..end).collect())
}

/// A list of entries whose rows are made page by page.
pub(crate) fn entries(
    sim: &Sim,
    call: &Call,
    mut entries: Vec<Entry>,
    shape: fn(&Sim, &Entry) -> Option<Value>,
) -> Reply {
    if let Some(seed) = sim.config.order_seed {
        disguise::permute(&mut entries, seed, |entry| seeded::hash(0, &entry.lower));
    }
    let total = entries.len();
    paged(sim, call, total, |start, end| {
        let rows = entries.iter().skip(start).take(end.saturating_sub(start));
        rows.filter_map(|entry| shape(sim, entry)).collect()
    })
}

/// A body in ARM's shape: without what only Resource Graph adds and without nulls.
pub(crate) fn arm_body(sim: &Sim, mut row: Value) -> Value {
    if let Value::Object(map) = &mut row {
        map.retain(|key, value| !value.is_null() && !NOT_IN_ARM.contains(&key.as_str()));
    }
    recased(sim, row)
}

/// A body in the casing of this run.
pub(crate) fn recased(sim: &Sim, mut body: Value) -> Value {
    if let Some(seed) = sim.config.casing_seed {
        let id = body
            .get("id")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_ascii_lowercase();
        // ARM and Resource Graph spell ids each in its own way.
        let seed = seeded::hash(seeded::mix(seed), &id);
        if let Some(Value::String(kind)) = body.get_mut("type") {
            *kind = disguise::cased(kind, seed);
        }
        disguise::recase(&mut body, seed);
    }
    body
}

fn paged(sim: &Sim, call: &Call, total: usize, take: impl FnOnce(usize, usize) -> Vec<Value>) -> Reply {
    let path = call.path.to_ascii_lowercase();
    let start = match call.param("$skiptoken") {
        None => Ok(0),
        Some(token) => page::position(sim, &path, token),
    };
    let start = match start {
        Ok(start) => start,
        Err(CursorError::Wrong) => return Reply::error(400, "InvalidSkipToken", "The skip token is not of this list."),
        Err(CursorError::Expired) => return Reply::error(400, "InvalidSkipToken", "The skip token has expired."),
    };
    let asked = call
        .param("$top")
        .and_then(|top| top.parse::<usize>().ok())
        .unwrap_or(usize::MAX);
    let page = page::page(sim, Lane::Arm, &path, total, start, asked.min(sim.config.arm_page_rows));
    let mut body = json!({"value": take(page.start, page.end)});
    if let (Some(next), Some(map)) = (page.next, body.as_object_mut()) {
        let kept = call
            .query
            .iter()
            .filter(|(key, _)| !key.eq_ignore_ascii_case("$skiptoken"));
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(kept)
            .append_pair("$skiptoken", &page::cursor(sim, &path, next))
            .finish();
        map.insert(
            "nextLink".to_owned(),
            Value::String(format!("{}{}?{query}", call.base, call.path)),
        );
    }
    let mut reply = Reply::ok(body);
    reply.foreign = page.foreign;
    reply
}
