//! Hosts, key-vault addresses and issuers out of URLs, image references and bare names.

use atg_models::graph::{Alias, AliasKind};
use serde_json::{Map, Value};
use url::Url;

use crate::relations::reference::strip_ignore_case;

/// The host that a value names, lower case: out of a URL, an image reference, or alone.
pub(crate) fn host(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text.split_once('|').map_or(text, |(_, image)| image).trim();
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let rest = rest
        .rsplit_once('@')
        .filter(|(user, _)| !user.contains('/'))
        .map_or(rest, |(_, rest)| rest);
    let host = rest.split(['/', ':', '?', '#', ',']).next().unwrap_or_default();
    let host = host.trim_end_matches('.');
    let sound = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let numeric = host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if !host.contains('.') || host.starts_with('.') || numeric || !host.chars().all(sound) {
        return None;
    }
    Some(host.to_lowercase())
}

/// The host of an image reference. An image without a registry in front is of a public hub.
pub(crate) fn image_host(text: &str) -> Option<String> {
    let text = text.trim();
    let image = match text.split_once('|') {
        Some((marker, image)) if marker.to_ascii_uppercase().contains("DOCKER") => image,
        Some(_) => return None,
        None => text,
    };
    let rest = strip_ignore_case(image, "https://").unwrap_or(image);
    let (registry, _) = rest.split_once('/')?;
    host(registry)
}

/// What an address in a vault names beyond the vault: the sort of object, its name and version.
pub(crate) fn vault_object(text: &str) -> Map<String, Value> {
    let mut facts = Map::new();
    let Ok(url) = Url::parse(text.trim()) else { return facts };
    let mut segments = url
        .path_segments()
        .into_iter()
        .flatten()
        .filter(|segment| !segment.is_empty());
    let sort = match segments.next() {
        Some(sort) if sort.eq_ignore_ascii_case("keys") => "key",
        Some(sort) if sort.eq_ignore_ascii_case("secrets") => "secret",
        Some(sort) if sort.eq_ignore_ascii_case("certificates") => "certificate",
        Some(_) | None => return facts,
    };
    for (fact, value) in [
        (format!("{sort}_name"), segments.next()),
        (format!("{sort}_version"), segments.next()),
    ] {
        if let Some(value) = value {
            facts.insert(fact, Value::String(value.to_owned()));
        }
    }
    facts
}

/// An issuer as it is compared: without regard to case of its host, without a slash at the end.
pub(crate) fn issuer(text: &str) -> Option<String> {
    let url = Url::parse(text.trim()).ok()?;
    let host = url.host_str()?;
    let path = url.path().trim_end_matches('/').to_lowercase();
    Some(format!("{}://{host}{path}", url.scheme()))
}

/// Whether an issuer is a managed cluster's, so that a body of this tenant may publish it.
pub(crate) fn is_cluster_issuer(issuer: &str) -> bool {
    let host = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
    host.split('/')
        .next()
        .is_some_and(|host| host.contains(".oic.") && host.contains("aks.azure"))
}

/// The alias of a host.
pub(crate) fn host_alias(host: String) -> Alias {
    Alias {
        kind: AliasKind("host".to_owned()),
        value: host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_hosts() {
        for (text, found) in [
            ("https://Acc.blob.core.windows.net/", Some("acc.blob.core.windows.net")),
            ("https://v.vault.azure.net:443/keys/k/1", Some("v.vault.azure.net")),
            (
                "sb://ns.servicebus.windows.net/;EntityPath=x",
                Some("ns.servicebus.windows.net"),
            ),
            ("app.azurewebsites.net", Some("app.azurewebsites.net")),
            ("10.0.0.4", None),
            ("nginx", None),
            ("[reference('x').y]", None),
            ("", None),
        ] {
            assert_eq!(host(text).as_deref(), found, "{text}");
        }
        assert_eq!(image_host("DOCKER|r.azurecr.io/a/b:1").as_deref(), Some("r.azurecr.io"));
        assert_eq!(image_host("nginx:1.25"), None);
        assert_eq!(image_host("library/nginx"), None);
        assert_eq!(image_host("NODE|18-lts"), None);
    }

    #[test]
    fn keeps_key_name_and_version() {
        let facts = vault_object("https://v.vault.azure.net/keys/K1/abc");
        assert_eq!(
            Value::Object(facts),
            serde_json::json!({"key_name": "K1", "key_version": "abc"})
        );
        assert!(vault_object("https://v.vault.azure.net/").is_empty());
    }

    #[test]
    fn tells_clusters_from_outside_issuers() {
        let cluster = issuer("https://westeurope.oic.prod-aks.azure.com/T/G/").unwrap();
        assert_eq!(cluster, "https://westeurope.oic.prod-aks.azure.com/t/g");
        assert!(is_cluster_issuer(&cluster));
        assert!(!is_cluster_issuer("https://token.actions.githubusercontent.com"));
    }
}
