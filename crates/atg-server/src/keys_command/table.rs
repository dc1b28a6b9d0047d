//! Keys as people and programs read them.

use std::fmt::Write as _;

use atg_auth::{KeyRecord, Scope, StoredKey, Tenants};
use atg_models::time_text;
use serde_json::{Value, json};
use time::OffsetDateTime;

const HEAD: [&str; 9] = [
    "NAME",
    "PREFIX",
    "SCOPES",
    "TENANTS",
    "STATUS",
    "CREATED",
    "EXPIRES",
    "REVOKED",
    "LAST USED",
];

/// A table with a head, its columns as wide as they need to be.
pub(super) fn text(keys: &[StoredKey], now: OffsetDateTime) -> String {
    let head = HEAD.map(str::to_owned);
    let rows: Vec<_> = std::iter::once(head)
        .chain(keys.iter().map(|key| cells(key, now)))
        .collect();
    let widths: Vec<usize> = (0..HEAD.len())
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
        })
        .collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            // Writing to a String cannot fail.
            let _ = write!(line, "{cell:<width$}  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn cells(key: &StoredKey, now: OffsetDateTime) -> [String; 9] {
    let record = &key.record;
    [
        record.name.clone(),
        record.prefix.to_string(),
        scopes(record.scope).join(","),
        tenants(&record.tenants),
        key.status(now).as_str().to_owned(),
        time_text::print(key.created_at),
        moment(record.expires_at, "never"),
        moment(key.revoked_at, "–"),
        moment(key.last_used_at, "–"),
    ]
}

/// Long lists are told whole by `--json`.
fn tenants(tenants: &Tenants) -> String {
    match tenants {
        Tenants::Set(several) if several.len() > 1 => {
            let first = several.first().map(ToString::to_string).unwrap_or_default();
            format!("{first} and {} more", several.len().saturating_sub(1))
        }
        Tenants::All | Tenants::Set(_) => tenants.to_string(),
    }
}

fn moment(at: Option<OffsetDateTime>, none: &str) -> String {
    at.map_or_else(|| none.to_owned(), time_text::print)
}

fn scopes(scope: Scope) -> Vec<&'static str> {
    scope.included().map(Scope::as_str).collect()
}

/// One key for programs.
pub(super) fn json(key: &StoredKey, now: OffsetDateTime) -> Value {
    let StoredKey {
        record,
        created_at,
        rotated_at,
        revoked_at,
        last_used_at,
    } = key;
    let KeyRecord {
        name,
        prefix,
        digest: _,
        environment,
        scope,
        tenants,
        expires_at,
    } = record;
    let tenants = match tenants {
        Tenants::All => json!("all"),
        Tenants::Set(tenants) => json!(tenants),
    };
    let time = |at: &Option<OffsetDateTime>| at.map(time_text::print);
    json!({
        "name": name, "prefix": prefix.as_str(), "environment": environment.as_str(), "scopes": scopes(*scope),
        "tenants": tenants, "status": key.status(now).as_str(), "created_at": time_text::print(*created_at),
        "expires_at": time(expires_at), "rotated_at": time(rotated_at), "revoked_at": time(revoked_at),
        "last_used_at": time(last_used_at),
    })
}

/// What a new key is, in a line.
pub(super) fn summary(key: &StoredKey) -> String {
    let record = &key.record;
    let ends = record.expires_at.map_or_else(
        || "does not expire".to_owned(),
        |at| format!("ends at {}", time_text::print(at)),
    );
    format!(
        "prefix {}, environment {}, scopes {}, tenants {}, {ends}",
        record.prefix,
        record.environment,
        scopes(record.scope).join(","),
        tenants(&record.tenants),
    )
}

#[cfg(test)]
mod tests {
    use atg_auth::ApiKey;
    use atg_models::Environment;

    use super::*;

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn stored() -> StoredKey {
        let key = ApiKey::generate(Environment::Dev, [0xab; 32]);
        let tenants = "22222222-2222-3333-4444-555555555555,11111111-2222-3333-4444-555555555555";
        let record = KeyRecord::of(&key, "ci", Scope::Operate, tenants.parse().unwrap());
        StoredKey::new(record, NOW)
    }

    #[test]
    fn a_table_has_a_head_and_no_digest() {
        let shown = text(&[stored()], NOW);
        let lines: Vec<_> = shown.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with("NAME  PREFIX    SCOPES        TENANTS"), "{shown}");
        assert!(lines[1].starts_with("ci    abababab  read,operate  11111111-2222-3333-4444-555555555555 and 1 more"));
        assert!(lines[1].contains("active  1970-01-01T00:00:00.000Z  never"), "{shown}");
    }

    #[test]
    fn a_program_gets_every_field() {
        let value = json(&stored(), NOW);
        assert_eq!(value["scopes"], json!(["read", "operate"]));
        assert_eq!(value["tenants"].as_array().unwrap().len(), 2);
        assert_eq!(
            (&value["status"], &value["expires_at"]),
            (&json!("active"), &Value::Null)
        );
        assert!(!value.to_string().contains("digest"));
    }
}
