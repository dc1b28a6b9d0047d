//! The names under which other bodies may refer to a body's node.

use std::collections::HashMap;
use std::sync::LazyLock;

use atg_models::ArmId;
use atg_models::arm_id::{MANAGEMENT_GROUP_TYPE, RESOURCE_GROUP_TYPE};
use atg_models::graph::{Alias, AliasKind};
use serde_json::Value;

use crate::relations::address;
use crate::relations::catalogue::{CATALOGUE, Catalogue, Form, Row, Target};
use crate::relations::derive::Subject;
use crate::relations::path::{Path, member};

/// Host names that rows without a `match` find: where bodies of these types state their own.
const HOSTS: &[(&str, &str)] = &[
    ("microsoft.apimanagement/service", "properties.gatewayUrl"),
    ("microsoft.app/containerapps", "properties.configuration.ingress.fqdn"),
    ("microsoft.cdn/profiles/afdendpoints", "properties.hostName"),
    ("microsoft.cdn/profiles/endpoints", "properties.hostName"),
    (
        "microsoft.containerinstance/containergroups",
        "properties.ipAddress.fqdn",
    ),
    ("microsoft.containerservice/managedclusters", "properties.fqdn"),
    (
        "microsoft.dbformysql/flexibleservers",
        "properties.fullyQualifiedDomainName",
    ),
    (
        "microsoft.dbforpostgresql/flexibleservers",
        "properties.fullyQualifiedDomainName",
    ),
    ("microsoft.devices/iothubs", "properties.hostName"),
    ("microsoft.documentdb/databaseaccounts", "properties.documentEndpoint"),
    ("microsoft.eventgrid/topics", "properties.endpoint"),
    ("microsoft.keyvault/managedhsms", "properties.hsmUri"),
    ("microsoft.logic/workflows", "properties.accessEndpoint"),
    ("microsoft.network/frontdoors", "properties.cname"),
    ("microsoft.network/publicipaddresses", "properties.dnsSettings.fqdn"),
    ("microsoft.network/trafficmanagerprofiles", "properties.dnsConfig.fqdn"),
    ("microsoft.signalrservice/signalr", "properties.hostName"),
    ("microsoft.sql/servers", "properties.fullyQualifiedDomainName"),
    ("microsoft.storage/storageaccounts", "properties.primaryEndpoints.file"),
    ("microsoft.storage/storageaccounts", "properties.primaryEndpoints.queue"),
    ("microsoft.storage/storageaccounts", "properties.primaryEndpoints.table"),
    ("microsoft.storage/storageaccounts", "properties.primaryEndpoints.web"),
    ("microsoft.web/staticsites", "properties.defaultHostname"),
];

static PUBLISHERS: LazyLock<HashMap<String, Vec<Publisher>>> = LazyLock::new(|| publishers(&CATALOGUE));

static ANY: LazyLock<Option<Publisher>> = LazyLock::new(|| {
    Some(Publisher {
        path: Path::parse("properties.defaultHostName").ok()?,
        kind: AliasKind("host".to_owned()),
    })
});

#[derive(Debug, Clone, PartialEq)]
struct Publisher {
    path: Path,
    kind: AliasKind,
}

/// Adds the subject's aliases.
pub(crate) fn publish(subject: &Subject<'_>, out: &mut Vec<Alias>) {
    let of_type = subject.types.iter().filter_map(|type_| PUBLISHERS.get(type_)).flatten();
    for publisher in of_type.chain(ANY.as_ref()) {
        if !may_publish(publisher, subject) {
            continue;
        }
        if publisher.path.text == "name" {
            out.extend(own_name(publisher, subject));
            continue;
        }
        for text in publisher.path.strings(subject.body) {
            let value = match publisher.kind.0.as_str() {
                "host" => address::host(text),
                "issuer" => address::issuer(text),
                _ => Some(text.trim().to_lowercase()),
            };
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                out.push(Alias {
                    kind: publisher.kind.clone(),
                    value,
                });
            }
        }
    }
}

/// Only cards that forward traffic can be a next hop: the others' addresses would be doubles of
/// each other all over the tenant.
fn may_publish(publisher: &Publisher, subject: &Subject<'_>) -> bool {
    if !publisher.path.text.ends_with("privateIPAddress") {
        return true;
    }
    let is_card = subject
        .types
        .iter()
        .any(|type_| type_ == "microsoft.network/networkinterfaces");
    let forwards = member(subject.body, "properties").and_then(|properties| member(properties, "enableIPForwarding"));
    !is_card || forwards == Some(&Value::Bool(true))
}

/// The node's name: alone where it is unique in the world, below its parent where the parent is.
fn own_name(publisher: &Publisher, subject: &Subject<'_>) -> Option<Alias> {
    let id = subject.arm.as_ref()?;
    let name = id.name().to_lowercase();
    let is_child = subject.end.type_.as_ref()?.parent().is_some();
    let value = match id.parent().as_ref().map(ArmId::node_id) {
        Some(parent) if is_child => format!("{parent}/{name}"),
        Some(_) | None => name,
    };
    Some(Alias {
        kind: publisher.kind.clone(),
        value,
    })
}

fn publishers(catalogue: &Catalogue) -> HashMap<String, Vec<Publisher>> {
    let mut by_type: HashMap<String, Vec<Publisher>> = HashMap::new();
    let mut add = |type_: &str, path: Path, kind: AliasKind| {
        let publishers = by_type.entry(type_.to_owned()).or_default();
        let publisher = Publisher { path, kind };
        if !publishers.contains(&publisher) {
            publishers.push(publisher);
        }
    };
    for row in &catalogue.rows {
        let Some(path) = row.matches.as_ref().filter(|_| is_looked_up(row)) else {
            continue;
        };
        for type_ in row.types() {
            add(type_.as_str(), path.clone(), row.alias.clone());
        }
        if path.text.ends_with("privateIPAddress")
            && let Ok(front) = Path::parse("properties.frontendIPConfigurations[*].properties.privateIPAddress")
        {
            add("microsoft.network/loadbalancers", front, row.alias.clone());
        }
    }
    for (type_, path) in HOSTS {
        if let Ok(path) = Path::parse(path) {
            add(type_, path, AliasKind("host".to_owned()));
        }
    }
    by_type
}

/// Names that resolve at once, because an id can be made of them, need no alias.
fn is_looked_up(row: &Row) -> bool {
    if row.form != Form::NameInParent || row.matches.as_ref().is_none_or(|path| path.text != "name") {
        return !row.targets.contains(&Target::Tenant);
    }
    match row.sole_type() {
        None => true,
        Some(type_) => {
            let by_id = [
                RESOURCE_GROUP_TYPE,
                MANAGEMENT_GROUP_TYPE,
                "microsoft.authorization/roledefinitions",
            ];
            type_.parent().is_none() && !by_id.contains(&type_.as_str())
        }
    }
}
