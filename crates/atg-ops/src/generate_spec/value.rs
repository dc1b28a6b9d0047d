//! One value of a body: shown, or its placeholder by what it looks like.

use std::net::IpAddr;

use atg_iac::tables::Word;
use atg_models::{ArmId, secrets};
use uuid::Uuid;

use super::harmless::{self, Place};
use super::names::Names;
use super::outline::Outline;
use super::prefix;
use super::tables::ROLES;

/// What a value is turned into text with.
pub(super) struct Values<'a> {
    pub(super) names: &'a mut Names,
    pub(super) outline: &'a Outline,
    /// Stands for the tenant's domain.
    pub(super) domain: Option<&'a str>,
}

impl Values<'_> {
    /// A text at `at`: as Markdown.
    pub(super) fn text(&mut self, at: Place<'_>, word: Option<&Word>, text: &str) -> String {
        if text.contains(secrets::MARKER) {
            return "(a secret)".to_owned();
        }
        if let Some(shown) = harmless::shown(at, word, text) {
            return format!("`{shown}`");
        }
        if let Some(id) = atg_azure::relations::arm_id(text) {
            return self.reference(&id);
        }
        if let Ok(guid) = Uuid::try_parse(text) {
            return self.guid(&guid.as_hyphenated().to_string());
        }
        self.by_shape(at, text)
    }

    /// The thing that an id names.
    pub(super) fn reference(&mut self, id: &ArmId) -> String {
        let key = id.node_id();
        if let Some(label) = self.outline.label(self.names, key.as_str()) {
            return label.to_owned();
        }
        if let Some(role) = built_in_role(id.name()) {
            return role.to_owned();
        }
        let prefix = prefix::of_type(id.arm_type().as_str());
        self.names.thing(&prefix, key.as_str())
    }

    /// Whether a text is a GUID of nothing that the document knows.
    pub(super) fn is_bare_id(&self, text: &str) -> bool {
        Uuid::try_parse(text).is_ok_and(|guid| self.known(&guid.as_hyphenated().to_string()).is_none())
    }

    fn guid(&mut self, guid: &str) -> String {
        self.known(guid).unwrap_or_else(|| self.names.thing("guid", guid))
    }

    /// What a GUID is the id of.
    fn known(&self, guid: &str) -> Option<String> {
        let ids = [
            guid.to_owned(),
            format!("/subscriptions/{guid}"),
            format!("tenant:{guid}"),
        ];
        let mut labels = ids.iter().filter_map(|id| self.outline.label(self.names, id));
        labels.next().or_else(|| built_in_role(guid)).map(str::to_owned)
    }

    fn by_shape(&mut self, at: Place<'_>, text: &str) -> String {
        if text.parse::<IpAddr>().is_ok() {
            return self.names.value("ip", text);
        }
        if let Some((address, length)) = text.split_once('/')
            && address.parse::<IpAddr>().is_ok()
            && let Ok(length) = length.parse::<u8>()
        {
            // The size of a network is worth knowing and tells nothing of where it is.
            return format!("{}/{length}", self.names.value("net", text));
        }
        if text.contains("://") {
            return self.names.value("url", text);
        }
        if let Some((_, host)) = text.split_once('@')
            && is_host(host)
        {
            let mail = self.names.value("mail", text);
            return match self.domain {
                Some(domain) => format!("{mail}@{domain}"),
                None => mail,
            };
        }
        if is_host(text) {
            return self.names.value("host", text);
        }
        let prefix = if at.name.ends_with("name") { "name" } else { "text" };
        self.names.value(prefix, text)
    }
}

/// The name of a built-in role, by its GUID.
pub(super) fn built_in_role(guid: &str) -> Option<&'static str> {
    let found = ROLES.iter().find(|(known, _)| known.eq_ignore_ascii_case(guid));
    found.map(|(_, name)| *name)
}

fn is_host(text: &str) -> bool {
    let label = |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    text.contains('.') && text.split('.').all(label) && text.bytes().any(|b| b.is_ascii_alphabetic())
}
