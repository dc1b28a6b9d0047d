//! Takes the secrets out of a resource's body: by name, by place, by shape, in texts that are JSON,
//! and in the names of members.

use serde_json::{Map, Value};

use super::names;
use super::shapes;
use super::{MARKER, contains_secret};
use crate::arm_id::ArmId;

/// Replaces every secret in `body` by [`MARKER`] and returns how many there were. A second run
/// changes nothing.
pub fn redact(type_: &str, body: &mut Value) -> usize {
    let mut walk = Walk {
        type_lower: type_.to_lowercase(),
        count: 0,
    };
    let top = Place {
        name: "",
        secret: false,
    };
    walk.value(body, top);
    walk.count
}

/// Where a value stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    /// Its own name, squashed; that of the list for an item of one.
    name: &'a str,
    /// Whether all values here are secrets.
    secret: bool,
}

struct Walk {
    type_lower: String,
    count: usize,
}

impl Walk {
    fn value(&mut self, value: &mut Value, place: Place<'_>) {
        match value {
            Value::Object(members) => self.object(members, place),
            Value::Array(items) => {
                for item in items {
                    self.value(item, place);
                }
            }
            Value::String(text) => self.text(text, place),
            Value::Number(_) if place.secret => {
                *value = Value::String(MARKER.to_owned());
                self.count = self.count.saturating_add(1);
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn object(&mut self, members: &mut Map<String, Value>, place: Place<'_>) {
        self.names_of(members);
        let holds_secret_value = says_that_value_is_secret(members);
        for (name, member) in members.iter_mut() {
            let squashed = names::squash(name);
            let is_value = matches!(squashed.as_str(), "value" | "defaultvalue" | "currentvalue");
            let by_name = names::is_secret(&squashed) && !names::is_harmless_path(place.name, &squashed);
            let secret = by_name
                || names::is_secret_path(&self.type_lower, place.name, &squashed)
                || (holds_secret_value && is_value)
                || (place.secret && !names::is_reference(&squashed));
            self.value(
                member,
                Place {
                    name: &squashed,
                    secret,
                },
            );
        }
    }

    fn text(&mut self, text: &mut String, place: Place<'_>) {
        if place.secret && !text.is_empty() && text != MARKER && !is_reference(text) {
            MARKER.clone_into(text);
            self.count = self.count.saturating_add(1);
            return;
        }
        self.json_text(text, place);
        let (replaced, count) = shapes::replace(text);
        if count > 0 {
            self.count = self.count.saturating_add(count);
            *text = replaced.into_owned();
        }
    }

    /// A text that is JSON itself is treated as a part of the body.
    fn json_text(&mut self, text: &mut String, place: Place<'_>) {
        if !text.trim_start().starts_with(['{', '[', '"']) {
            return;
        }
        let Ok(mut inner) = serde_json::from_str::<Value>(text) else {
            return;
        };
        let before = self.count;
        self.value(&mut inner, place);
        if self.count > before {
            *text = inner.to_string();
        }
    }

    /// Names that are credentials. Two that become equal are told apart by a number.
    fn names_of(&mut self, members: &mut Map<String, Value>) {
        if !members.keys().any(|name| contains_secret(name)) {
            return;
        }
        for (name, member) in std::mem::take(members) {
            let (replaced, count) = shapes::replace(&name);
            self.count = self.count.saturating_add(count);
            let mut unique = replaced.clone().into_owned();
            let mut number = 1_u32;
            while members.contains_key(&unique) {
                number = number.saturating_add(1);
                unique = format!("{replaced}#{number}");
            }
            members.insert(unique, member);
        }
    }
}

/// Whether the object says of its own `value` that it is a secret: `{"name": "DB_PASSWORD", …}`,
/// `{"type": "SecureString", …}`, `{"secret": true, …}`.
fn says_that_value_is_secret(members: &Map<String, Value>) -> bool {
    members.iter().any(|(name, member)| {
        let squashed = names::squash(name);
        match (squashed.as_str(), member) {
            ("name" | "key" | "displayname" | "keyname", Value::String(text)) => names::names_secret_value(text),
            ("type", Value::String(text)) => {
                text.eq_ignore_ascii_case("securestring") || text.eq_ignore_ascii_case("secureobject")
            }
            ("secret" | "issecret" | "sensitive" | "issensitive" | "encrypted" | "isencrypted", Value::Bool(true)) => {
                true
            }
            _ => false,
        }
    })
}

/// Whether a value under a secret's name only says where the secret is.
fn is_reference(text: &str) -> bool {
    is_arm_id(text) || is_vault_address(text) || is_setting_reference(text) || is_switch(text)
}

/// Settings such as `apiKey: Enabled` say whether there is a secret.
fn is_switch(text: &str) -> bool {
    ["enabled", "disabled", "true", "false", "none"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word))
}

fn is_arm_id(text: &str) -> bool {
    text.starts_with('/') && text.parse::<ArmId>().is_ok()
}

/// `https://NAME.vault.azure.net/secrets/NAME[/VERSION]`, in every cloud.
fn is_vault_address(text: &str) -> bool {
    const SUFFIXES: [&str; 6] = [
        ".vault.azure.net",
        ".vault.azure.cn",
        ".vault.usgovcloudapi.net",
        ".managedhsm.azure.net",
        ".managedhsm.azure.cn",
        ".managedhsm.usgovcloudapi.net",
    ];
    let lower = text.to_lowercase();
    let Some(rest) = lower.strip_prefix("https://") else {
        return false;
    };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.strip_suffix(":443").unwrap_or(host);
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    SUFFIXES
        .iter()
        .any(|suffix| host.strip_suffix(suffix).is_some_and(plain))
        && path.split('/').all(plain)
        && path.split('/').count() <= 4
}

/// App Service's references to a vault or a configuration store, a template's parameter, an AWS role.
fn is_setting_reference(text: &str) -> bool {
    let lower = text.to_lowercase();
    let call = (lower.starts_with("@microsoft.keyvault(") || lower.starts_with("@microsoft.appconfiguration("))
        && lower.ends_with(')');
    let parameter = lower
        .strip_prefix("[parameters('")
        .and_then(|rest| rest.strip_suffix("')]"))
        .is_some_and(|name| name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b)));
    call || parameter || lower.starts_with("arn:aws")
}
