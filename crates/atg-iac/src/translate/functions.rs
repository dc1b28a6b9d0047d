//! The functions of the rows' language. Each takes a value and gives one; what it cannot change it drops.

use atg_models::ArmId;
use serde_json::Number;

use crate::rows::expr::Call;
use crate::value::Val;

/// All functions; a row that names another is refused by a test.
#[cfg(test)]
pub(crate) const NAMES: &[&str] = &[
    "concat", "indexed", "where", "object", "lower", "upper", "title", "not", "eq", "ne", "enum", "map", "default",
    "name", "parent", "ref", "seg", "first", "last", "join", "split", "keys", "values", "pluck", "int", "text", "json",
    "minutes", "hours", "days", "seconds", "prefix", "suffix", "strip", "stripend", "compact", "nonzero", "div", "mul",
    "sorted", "unique", "is", "location", "replace", "list", "bool",
];

/// Applies one function. Functions of a single text apply to each item of a list.
pub(crate) fn call(call: &Call, value: Val) -> Val {
    let arg = |at: usize| call.args.get(at).map_or("", String::as_str);
    match call.name.as_str() {
        "default" if value == Val::Null => constant(arg(0)),
        "default" => value,
        "first" => items(value).into_iter().next().unwrap_or(Val::Null),
        "last" => items(value).pop().unwrap_or(Val::Null),
        "list" if matches!(value, Val::Null | Val::List(_)) => value,
        "list" => Val::List(vec![value]),
        "compact" => Val::List(items(value).into_iter().filter(|item| !item.is_empty()).collect()),
        "sorted" | "unique" => {
            let mut list = items(value);
            list.sort_by_key(plain_text);
            list.dedup();
            Val::List(list)
        }
        "join" => {
            let texts: Vec<_> = items(value).iter().filter_map(plain_text).collect();
            if texts.is_empty() {
                Val::Null
            } else {
                Val::text(&texts.join(arg(0)))
            }
        }
        "keys" | "values" => members(value, call.name == "keys"),
        "pluck" => Val::List(items(value).into_iter().map(|item| pluck(item, arg(0))).collect()),
        "json" if matches!(value, Val::Null | Val::Secret | Val::Text(_)) => value,
        "json" => Val::Json(Box::new(value)),
        "where" => {
            let matches = |item: &Val| {
                pluck(item.clone(), arg(0))
                    .as_text()
                    .is_some_and(|text| text.eq_ignore_ascii_case(arg(1)))
            };
            let found = items(value).into_iter().find(matches);
            found.map_or(Val::Null, |item| pluck(item, arg(2)))
        }
        "object" => {
            let pairs = items(value).into_iter().filter_map(|item| {
                let key = pluck(item.clone(), arg(0)).as_text()?.to_owned();
                Some((key, pluck(item, arg(1))))
            });
            Val::Map(pairs.filter(|(_, value)| *value != Val::Null).collect())
        }
        "indexed" => indexed(value, &call.args),
        "is" => Val::Bool(!value.is_empty()),
        "not" => {
            let value = plain_text(&value).and_then(|text| text.to_lowercase().parse::<bool>().ok());
            value.map_or(Val::Null, |value| Val::Bool(!value))
        }
        "nonzero" => match plain_text(&value).as_deref() {
            Some("0") | None => Val::Null,
            Some(_) => value,
        },
        _ => {
            if let Val::List(list) = value {
                return Val::List(list.into_iter().map(|item| scalar(call, item)).collect());
            }
            scalar(call, value)
        }
    }
}

fn scalar(call: &Call, value: Val) -> Val {
    let arg = |at: usize| call.args.get(at).map_or("", String::as_str);
    let text = match (&value, plain_text(&value)) {
        (_, Some(text)) => text,
        (Val::Secret | Val::Ask(_) | Val::Of { .. }, None) => return value,
        (_, None) => return Val::Null,
    };
    match call.name.as_str() {
        "lower" => Val::text(&text.to_lowercase()),
        "upper" => Val::text(&text.to_uppercase()),
        "title" => {
            let mut chars = text.chars();
            let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
            Val::text(&(first + chars.as_str()))
        }
        "location" => Val::text(&text.to_lowercase().replace(' ', "")),
        "eq" => Val::Bool(call.args.iter().any(|arg| arg.eq_ignore_ascii_case(&text))),
        "ne" => Val::Bool(!call.args.iter().any(|arg| arg.eq_ignore_ascii_case(&text))),
        "enum" => {
            let known = call.args.iter().find(|known| known.eq_ignore_ascii_case(&text));
            known.map_or(Val::Null, |known| Val::text(known))
        }
        "map" => {
            let pairs = call.args.iter().filter_map(|pair| pair.split_once('='));
            let mut found = pairs.filter(|(from, _)| from.eq_ignore_ascii_case(&text) || *from == "*");
            found.next().map_or(Val::Null, |(_, to)| constant(to))
        }
        "name" => Val::text(text.trim_end_matches('/').rsplit('/').next().unwrap_or_default()),
        "parent" => match text.parse::<ArmId>().ok().and_then(|id| id.parent()) {
            Some(parent) => Val::text(parent.as_str()),
            None => Val::Null,
        },
        "seg" => segment(&text, arg(0)),
        "ref" => match text.parse::<ArmId>() {
            Ok(id) => Val::Of {
                attr: arg(0).to_owned(),
                or: Box::new(Val::text(id.name())),
                id: text,
            },
            Err(_) => Val::text(&text),
        },
        "split" => Val::List(text.split(arg(0)).map(|part| Val::text(part.trim())).collect()),
        "int" => number(&text),
        "bool" => text.to_lowercase().parse().map_or(Val::Null, Val::Bool),
        "text" => Val::text(&text),
        "seconds" => duration(&text, 1),
        "minutes" => duration(&text, 60),
        "hours" => duration(&text, 3600),
        "days" => duration(&text, 86400),
        "prefix" => Val::text(&format!("{}{text}", arg(0))),
        "suffix" => Val::text(&format!("{text}{}", arg(0))),
        "strip" => Val::text(text.strip_prefix(arg(0)).unwrap_or(&text)),
        "stripend" => Val::text(text.strip_suffix(arg(0)).unwrap_or(&text)),
        "replace" => Val::text(&text.replace(arg(0), arg(1))),
        "div" | "mul" => match (text.parse::<i64>(), arg(0).parse::<i64>()) {
            (Ok(value), Ok(by)) if call.name == "div" => value.checked_div(by).map_or(Val::Null, integer),
            (Ok(value), Ok(by)) => value.checked_mul(by).map_or(Val::Null, integer),
            _ => Val::Null,
        },
        _ => Val::Null,
    }
}

/// The text of a text, number or truth value.
pub(crate) fn plain_text(value: &Val) -> Option<String> {
    match value {
        Val::Text(text) => Some(text.clone()),
        Val::Number(number) => Some(number.to_string()),
        Val::Bool(value) => Some(value.to_string()),
        Val::Null
        | Val::List(_)
        | Val::Map(_)
        | Val::Json(_)
        | Val::Secret
        | Val::Ask(_)
        | Val::Of { .. }
        | Val::Ref { .. }
        | Val::Var(_)
        | Val::Template(_) => None,
    }
}

/// A constant as it stands in an argument.
fn constant(text: &str) -> Val {
    match text {
        "true" => Val::Bool(true),
        "false" => Val::Bool(false),
        "null" => Val::Null,
        _ => match text.parse::<i64>() {
            Ok(number) => integer(number),
            Err(_) => Val::text(text.trim_matches('\'')),
        },
    }
}

/// Lists under the given names as maps by position.
fn indexed(value: Val, names: &[String]) -> Val {
    if let Val::List(list) = value {
        return Val::List(list.into_iter().map(|item| indexed(item, names)).collect());
    }
    let Val::Map(members) = value else {
        return value;
    };
    let members = members.into_iter().map(|(name, member)| {
        let member = indexed(member, names);
        let Val::List(list) = member else {
            return (name, member);
        };
        if !names.contains(&name) {
            return (name, Val::List(list));
        }
        let by_position = list.into_iter().enumerate();
        let by_position = by_position.map(|(at, item)| (at.to_string(), item));
        (name, Val::Map(by_position.collect()))
    });
    Val::Map(members.collect())
}

fn integer(value: i64) -> Val {
    Val::Number(Number::from(value))
}

fn number(text: &str) -> Val {
    if let Ok(value) = text.trim().parse::<i64>() {
        return integer(value);
    }
    let float = text.trim().parse::<f64>().ok().and_then(Number::from_f64);
    float.map_or(Val::Null, Val::Number)
}

fn items(value: Val) -> Vec<Val> {
    if let Val::List(list) = value {
        return list;
    }
    if value == Val::Null { Vec::new() } else { vec![value] }
}

fn members(value: Val, keys: bool) -> Val {
    if let Val::Map(map) = value {
        return Val::List(if keys {
            map.into_keys().map(|key| Val::text(&key)).collect()
        } else {
            map.into_values().collect()
        });
    }
    value
}

fn pluck(value: Val, path: &str) -> Val {
    let mut current = value;
    for name in path.split('.') {
        let Val::Map(mut map) = current else {
            return Val::Null;
        };
        let key = map.keys().find(|key| key.eq_ignore_ascii_case(name)).cloned();
        current = key.and_then(|key| map.remove(&key)).unwrap_or(Val::Null);
    }
    current
}

/// The segment of an id behind the one called `after`.
fn segment(id: &str, after: &str) -> Val {
    let mut segments = id.split('/');
    let found = segments.by_ref().find(|segment| segment.eq_ignore_ascii_case(after));
    match found.and_then(|_| segments.next()) {
        Some(text) => Val::text(text),
        None => Val::Null,
    }
}

/// An ISO 8601 duration (`P1DT2H`) or a time span (`1.02:03:04`) in units of so many seconds, rounded down.
fn duration(text: &str, unit: i64) -> Val {
    iso_seconds(text)
        .or_else(|| span_seconds(text))
        .map_or(Val::Null, |seconds| integer(seconds / unit))
}

fn iso_seconds(text: &str) -> Option<i64> {
    let mut rest = text.strip_prefix('P')?;
    let (mut seconds, mut in_time) = (0_i64, false);
    while !rest.is_empty() {
        if let Some(time) = rest.strip_prefix('T') {
            (rest, in_time) = (time, true);
            continue;
        }
        let at = rest.find(|c: char| c.is_ascii_alphabetic())?;
        let (amount, tail) = rest.split_at_checked(at)?;
        let mut tail = tail.chars();
        let amount: i64 = amount.split('.').next()?.parse().ok()?;
        let unit = match (tail.next()?, in_time) {
            ('Y', false) => 365 * 86400,
            ('M', false) => 30 * 86400,
            ('W', false) => 7 * 86400,
            ('D', false) => 86400,
            ('H', true) => 3600,
            ('M', true) => 60,
            ('S', true) => 1,
            _ => return None,
        };
        seconds = seconds.checked_add(amount.checked_mul(unit)?)?;
        rest = tail.as_str();
    }
    Some(seconds)
}

fn span_seconds(text: &str) -> Option<i64> {
    let (days, clock) = match text.split_once('.') {
        Some((days, clock)) if clock.contains(':') => (days.parse::<i64>().ok()?, clock),
        Some(_) | None => (0, text),
    };
    let parts: Vec<i64> = clock
        .split(':')
        .map(|part| part.split('.').next().unwrap_or_default().parse().ok())
        .collect::<Option<_>>()?;
    let [hours, minutes, seconds] = parts.as_slice() else {
        return None;
    };
    days.checked_mul(86400)?
        .checked_add(hours.checked_mul(3600)?)?
        .checked_add(minutes.checked_mul(60)?)?
        .checked_add(*seconds)
}
