//! Zones, private and public, and their links and resolvers.

use serde_json::{Value, json};

use super::super::cx::Cx;
use super::network::link;
use super::{DNS_RESOLVER, DNS_ZONE, PRIVATE_ZONE, TypeRow, VNET, ZONE_LINK};

const ZONES: &[&str] = &["2024-06-01", "2020-06-01"];

pub(super) const ROWS: &[TypeRow] = &[
    TypeRow {
        arm: PRIVATE_ZONE,
        versions: ZONES,
        name: |c| zone_name(c).to_owned(),
        body: private_zone,
    },
    TypeRow {
        arm: ZONE_LINK,
        versions: ZONES,
        name: |c| format!("{}/link-hub-{:04}", zone_name(c), c.group()),
        body: zone_link,
    },
    TypeRow {
        arm: DNS_ZONE,
        versions: &["2018-05-01"],
        name: |c| format!("{}{}.contoso.example", c.stem(), c.group()),
        body: dns_zone,
    },
    TypeRow {
        arm: DNS_RESOLVER,
        versions: &["2025-05-01", "2022-07-01"],
        name: |c| c.name("dnspr"),
        body: resolver,
    },
];

const ZONE_NAMES: [&str; 8] = [
    "privatelink.blob.core.windows.net",
    "privatelink.database.windows.net",
    "privatelink.vaultcore.azure.net",
    "privatelink.azurewebsites.net",
    "privatelink.documents.azure.com",
    "privatelink.postgres.database.azure.com",
    "privatelink.mysql.database.azure.com",
    "privatelink.azurecr.io",
];

fn zone_name(c: &Cx<'_>) -> &'static str {
    ZONE_NAMES.get(c.ord()).copied().unwrap_or("internal.contoso.example")
}

fn private_zone(c: &Cx<'_>) -> Value {
    json!({"location": "global", "properties": {
        "provisioningState": "Succeeded", "internalId": null, "maxNumberOfRecordSets": 25_000, "maxNumberOfVirtualNetworkLinks": 1_000,
        "maxNumberOfVirtualNetworkLinksWithRegistration": 100, "numberOfRecordSets": 1 + c.one_of("records", 5),
        "numberOfVirtualNetworkLinks": 1, "numberOfVirtualNetworkLinksWithRegistration": 0,
    }})
}

fn zone_link(c: &Cx<'_>) -> Value {
    json!({"location": "global", "properties": {
        "provisioningState": "Succeeded", "registrationEnabled": false, "virtualNetworkLinkState": "Completed",
        "resolutionPolicy": "Default", "virtualNetwork": link(c.id_in("hub", VNET, 0)),
    }})
}

fn dns_zone(c: &Cx<'_>) -> Value {
    let server = |number: u32| {
        format!(
            "ns{number}-0{}.azure-dns.{}.",
            c.one_of("ns", 9) + 1,
            ["com", "net", "org", "info"]
                .get(usize::try_from(number).unwrap_or(1) - 1)
                .unwrap_or(&"com")
        )
    };
    json!({"location": "global", "properties": {
        "maxNumberOfRecordSets": 10_000, "numberOfRecordSets": 2, "nameServers": [server(1), server(2), server(3), server(4)], "zoneType": "Public",
    }})
}

fn resolver(c: &Cx<'_>) -> Value {
    json!({
        "location": c.there("hub", VNET, 0).map(|hub| hub.location()),
        "properties": {"provisioningState": "Succeeded", "dnsResolverState": "Connected", "resourceGuid": c.guid("resource"), "virtualNetwork": link(c.id_in("hub", VNET, 0))},
    })
}
