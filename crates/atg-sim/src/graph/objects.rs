//! Directory objects: collections page by page, one by id, and lists of an object.

use serde_json::{Map, Value, json};

use crate::call::{Call, Lane, Reply};
use crate::disguise;
use crate::fault::FaultKind;
use crate::page::{self, CursorError};
use crate::seeded;
use crate::sim::Sim;
use crate::tables::Entry;
use crate::world::{Listing, Table};

/// Most entries of a page (documented).
const MAX_TOP: usize = 999;
/// Entries of a page when `$top` is absent (documented).
const DEFAULT_TOP: usize = 100;
/// What users show unless `$select` asks (documented).
const USER_DEFAULTS: [&str; 11] = [
    "businessPhones",
    "displayName",
    "givenName",
    "id",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
];
/// Query options that are known; others are refused, not ignored.
const OPTIONS: [&str; 4] = ["$select", "$top", "$count", "$skiptoken"];

/// A collection, a page of it.
pub(crate) fn collection(sim: &Sim, call: &Call, table: Table) -> Reply {
    let mut entries = sim.tables.get(sim, table).to_vec();
    if let Some(seed) = sim.config.order_seed {
        disguise::permute(&mut entries, seed, |entry| seeded::hash(0, &entry.lower));
    }
    let select = selection(call, table);
    let total = entries.len();
    paged(sim, call, total, |start, end| {
        let rows = entries.iter().skip(start).take(end.saturating_sub(start));
        rows.filter_map(|entry| shown(sim, entry, select.as_deref())).collect()
    })
}

/// `…/$count`: a bare number, with `ConsistencyLevel: eventual` only.
pub(crate) fn count(sim: &Sim, call: &Call, table: Table) -> Reply {
    if !call.eventual {
        return Reply::error(400, "Request_BadRequest", "$count is not currently supported.");
    }
    Reply::ok(Value::from(sim.tables.get(sim, table).len()))
}

/// One object of a collection.
pub(crate) fn one(sim: &Sim, call: &Call, table: Table, id: &str) -> Reply {
    let select = selection(call, table);
    let found = find(sim, table, id).and_then(|entry| shown(sim, &entry, select.as_deref()));
    found.map_or_else(|| not_found(id), Reply::ok)
}

/// One object of any kind.
pub(crate) fn any(sim: &Sim, call: &Call, id: &str) -> Reply {
    let kinds = [
        (Table::Users, "user"),
        (Table::Groups, "group"),
        (Table::ServicePrincipals, "servicePrincipal"),
        (Table::Applications, "application"),
        (Table::DirectoryRoles, "directoryRole"),
        (Table::AdministrativeUnits, "administrativeUnit"),
        (Table::Devices, "device"),
    ];
    let found = kinds.into_iter().find_map(|(table, kind)| {
        let entry = find(sim, table, id)?;
        let mut row = shown(sim, &entry, selection(call, table).as_deref())?;
        row.as_object_mut()?
            .insert("@odata.type".to_owned(), json!(format!("#microsoft.graph.{kind}")));
        Some(row)
    });
    found.map_or_else(|| not_found(id), Reply::ok)
}

/// A list of an object: its members, owners or grants.
pub(crate) fn listing(sim: &Sim, call: &Call, table: Table, listing: Listing, id: &str) -> Reply {
    if find(sim, table, id).is_none() {
        return not_found(id);
    }
    let mut items = sim.world.listing(listing, id);
    if let Some(seed) = sim.config.order_seed {
        disguise::permute(&mut items, seed, |item| seeded::hash(0, &item.to_string()));
    }
    let select = call.param("$select").map(names);
    let total = items.len();
    paged(sim, call, total, |start, end| {
        let items = items.drain(start..end);
        items.map(|item| chosen(item, select.as_deref())).collect()
    })
}

/// The tenant's own object.
pub(crate) fn organization(sim: &Sim, call: &Call) -> Reply {
    let domain = sim.world.domain();
    let body = json!({
        "id": sim.tenant(),
        "displayName": domain.split('.').next().unwrap_or_default(),
        "countryLetterCode": "DE",
        "tenantType": "AAD",
        "verifiedDomains": [{"name": domain, "isDefault": true, "isInitial": true, "type": "Managed", "capabilities": "Email, OfficeCommunicationsOnline"}],
    });
    paged(
        sim,
        call,
        1,
        |start, _| if start == 0 { vec![body] } else { Vec::new() },
    )
}

fn not_found(id: &str) -> Reply {
    let text =
        format!("Resource '{id}' does not exist or one of its queried reference-property objects are not present.");
    Reply::error(404, "Request_ResourceNotFound", &text)
}

fn find(sim: &Sim, table: Table, id: &str) -> Option<Entry> {
    let entries = sim.tables.get(sim, table);
    let id = id.to_ascii_lowercase();
    let at = entries
        .binary_search_by(|entry| entry.lower.as_ref().cmp(id.as_str()))
        .ok()?;
    entries.get(at).cloned()
}

fn names(select: &str) -> Vec<String> {
    select
        .split(',')
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect()
}

fn selection(call: &Call, table: Table) -> Option<Vec<String>> {
    match call.param("$select") {
        Some(select) => Some(names(select)),
        None if table == Table::Users => Some(USER_DEFAULTS.map(str::to_owned).to_vec()),
        None => None,
    }
}

fn shown(sim: &Sim, entry: &Entry, select: Option<&[String]>) -> Option<Value> {
    let row = chosen(entry.row(sim)?, select);
    Some(row)
}

/// What `$select` asks for; what an object has not is null, except annotations.
fn chosen(row: Value, select: Option<&[String]>) -> Value {
    let (Some(select), Value::Object(map)) = (select, &row) else {
        return row;
    };
    let mut out = Map::new();
    for (key, value) in map {
        // An object's id and type come even when they are not asked for.
        let kept = key == "id" || key.starts_with('@') || select.iter().any(|name| name.eq_ignore_ascii_case(key));
        if kept {
            out.insert(key.clone(), value.clone());
        }
    }
    Value::Object(out)
}

fn paged(sim: &Sim, call: &Call, total: usize, take: impl FnOnce(usize, usize) -> Vec<Value>) -> Reply {
    match window(sim, call) {
        Ok((start, top)) => answer(sim, call, total, (start, top), take),
        Err(refused) => refused,
    }
}

/// Where the page starts and how many entries are asked for.
fn window(sim: &Sim, call: &Call) -> Result<(usize, usize), Reply> {
    let path = call.path.to_ascii_lowercase();
    let unsupported = |text: &str| Reply::error(400, "Request_UnsupportedQuery", text);
    let mut options = call.query.iter().map(|(key, _)| key).filter(|key| key.starts_with('$'));
    if let Some(option) = options.find(|key| !OPTIONS.contains(&key.to_ascii_lowercase().as_str())) {
        return Err(unsupported(&format!("The query option '{option}' is not supported.")));
    }
    let top = match call.param("$top").map(str::parse::<usize>) {
        None => DEFAULT_TOP,
        Some(Ok(top)) if (1..=MAX_TOP).contains(&top) => top,
        Some(_) => {
            let text = "Invalid page size specified. Must be between 1 and 999 inclusive.";
            return Err(Reply::error(400, "Request_BadRequest", text));
        }
    };
    if counted(call) && !call.eventual {
        return Err(unsupported(
            "$count is not supported without the header ConsistencyLevel: eventual.",
        ));
    }
    let Some(token) = call.param("$skiptoken") else {
        return Ok((0, top));
    };
    let position = if sim.strikes(FaultKind::SkipTokenExpired, Lane::Graph, &path).is_some() {
        Err(CursorError::Expired)
    } else {
        page::position(sim, &path, token)
    };
    let start = position.map_err(|error| match error {
        CursorError::Wrong => Reply::error(400, "Request_BadRequest", "Skip token is not valid."),
        CursorError::Expired => Reply::error(
            400,
            "Directory_ExpiredPageToken",
            "The specified page token value has expired and can no longer be included in your request.",
        ),
    })?;
    Ok((start, top))
}

fn counted(call: &Call) -> bool {
    call.param("$count")
        .is_some_and(|count| count.eq_ignore_ascii_case("true"))
}

fn answer(
    sim: &Sim,
    call: &Call,
    total: usize,
    (start, top): (usize, usize),
    take: impl FnOnce(usize, usize) -> Vec<Value>,
) -> Reply {
    let path = call.path.to_ascii_lowercase();
    let page = page::page(
        sim,
        Lane::Graph,
        &path,
        total,
        start,
        top.min(sim.config.graph_page_rows),
    );
    let mut items = take(page.start, page.end);
    if page.reordered {
        disguise::permute(&mut items, sim.number(), |item| seeded::hash(0, &item.to_string()));
    }
    let mut body = Map::new();
    let context = path.trim_start_matches("/v1.0/");
    body.insert(
        "@odata.context".to_owned(),
        json!(format!("https://graph.microsoft.com/v1.0/$metadata#{context}")),
    );
    if counted(call) {
        body.insert("@odata.count".to_owned(), Value::from(total));
    }
    if let Some(next) = page.next {
        let kept = call
            .query
            .iter()
            .filter(|(key, _)| !key.eq_ignore_ascii_case("$skiptoken"));
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(kept)
            .append_pair("$skiptoken", &page::cursor(sim, &path, next))
            .finish();
        body.insert(
            "@odata.nextLink".to_owned(),
            json!(format!("{}{}?{query}", call.base, call.path)),
        );
    }
    body.insert("value".to_owned(), Value::Array(items));
    let mut reply = Reply::ok(Value::Object(body));
    reply.foreign = page.foreign;
    reply
}
