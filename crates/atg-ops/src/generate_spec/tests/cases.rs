//! A small tenant, and what its specification says.

use std::collections::BTreeSet;

use atg_models::api::GenerateSpecRequest;
use atg_models::graph::{CollectionKey, Gap, NodeKind, NotPlanned, Observation, Verdict};
use serde_json::{Value, json};

use super::{complete, files, form, placeholders, tenant, text};

const SUBSCRIPTION: &str = "aaaaaaaa-0000-0000-0000-000000000001";
const PERSON: &str = "bbbbbbbb-0000-0000-0000-000000000001";

fn id(rest: &str) -> String {
    format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-contoso-shop-prd{rest}")
}

fn row(provider: &str, name: &str, rest: &Value) -> Value {
    let mut row = json!({
        "id": id(&format!("/providers/{provider}/{name}")), "name": name.rsplit('/').next(),
        "type": provider.to_lowercase(), "location": "westeurope",
    });
    row.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    row
}

/// A machine in a network, a storage account, a person who may read.
pub(super) fn shop() -> Vec<Observation> {
    let role = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
    let rows = [
        json!({"id": format!("/subscriptions/{SUBSCRIPTION}"), "name": SUBSCRIPTION, "displayName": "Contoso Shop",
            "type": "microsoft.resources/subscriptions"}),
        json!({"id": id(""), "name": "rg-contoso-shop-prd", "location": "westeurope",
            "type": "microsoft.resources/subscriptions/resourcegroups", "tags": {"env": "prod"}}),
        row(
            "Microsoft.Network/virtualNetworks",
            "contoso-net",
            &json!({"properties": {
            "addressSpace": {"addressPrefixes": ["10.20.0.0/16"]},
            "subnets": [{"name": "contoso-front", "id": id("/providers/Microsoft.Network/virtualNetworks/contoso-net/subnets/contoso-front"),
                "properties": {"addressPrefix": "10.20.1.0/24", "privateEndpointNetworkPolicies": "Disabled"}}]}}),
        ),
        row(
            "Microsoft.Network/networkInterfaces",
            "contoso-nic",
            &json!({"properties": {"enableIPForwarding": false, "ipConfigurations": [
            {"name": "contoso-ip", "properties": {"privateIPAddress": "10.20.1.4", "privateIPAllocationMethod": "Static",
                "subnet": {"id": id("/providers/Microsoft.Network/virtualNetworks/contoso-net/subnets/contoso-front")}}}]}}),
        ),
        row(
            "Microsoft.Compute/virtualMachines",
            "contoso-web01",
            &json!({
            "tags": {"env": "prod", "Owner": "jane@contoso.com", "contoso-id": "4711"}, "zones": ["1"],
            "properties": {"hardwareProfile": {"vmSize": "Standard_D2s_v5"},
                "osProfile": {"computerName": "contoso-web01", "adminUsername": "jane", "customData": "**atg:secret**"},
                "storageProfile": {"imageReference": {"publisher": "Canonical", "offer": "UbuntuServer", "sku": "18.04-LTS", "version": "latest"},
                    "osDisk": {"diskSizeGB": 64, "caching": "ReadWrite"}},
                "networkProfile": {"networkInterfaces": [{"id": id("/providers/Microsoft.Network/networkInterfaces/contoso-nic")}]},
                "extra": {"contoso": 1}}}),
        ),
        row(
            "Microsoft.Storage/storageAccounts",
            "contosodata",
            &json!({"kind": "StorageV2", "sku": {"name": "Standard_LRS", "tier": "Standard"},
            "properties": {"minimumTlsVersion": "TLS1_2", "supportsHttpsTrafficOnly": true,
                "primaryEndpoints": {"blob": "https://contosodata.blob.core.windows.net/"},
                "networkAcls": {"defaultAction": "Deny", "ipRules": [{"value": "203.0.113.7", "action": "Allow"}]}}}),
        ),
        json!({"id": id("/providers/Microsoft.Authorization/roleAssignments/cccccccc-0000-0000-0000-000000000001"),
            "name": "cccccccc-0000-0000-0000-000000000001", "type": "microsoft.authorization/roleassignments",
            "properties": {"roleDefinitionId": format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{role}"),
                "principalId": PERSON, "principalType": "User", "scope": id("")}}),
        json!({"id": format!("/providers/Microsoft.Authorization/roleDefinitions/{role}"), "name": role,
            "type": "microsoft.authorization/roledefinitions", "properties": {"roleName": "Reader", "type": "BuiltInRole"}}),
    ];
    let person = json!({"id": PERSON, "displayName": "Jane Contoso", "userPrincipalName": "jane@contoso.com"});
    tenant(&rows, &[(NodeKind::User, person)])
}

#[test]
fn the_flat_form() {
    insta::assert_snapshot!(text(&files(&shop(), &form(false), &complete())));
}

#[test]
fn the_hierarchical_form() {
    insta::assert_snapshot!(text(&files(&shop(), &form(true), &complete())));
}

#[test]
fn nothing_of_the_tenant_is_in_either_form() {
    for hierarchical in [false, true] {
        let text = text(&files(&shop(), &form(hierarchical), &complete())).to_lowercase();
        for told in [
            "contoso",
            "jane",
            "10.20.",
            "203.0.113",
            "4711",
            "aaaaaaaa-",
            "bbbbbbbb-",
            "cccccccc-",
        ] {
            assert!(!text.contains(told), "{told} in\n{text}");
        }
    }
}

#[test]
fn placeholders_are_the_same_in_both_forms_and_in_every_run() {
    let of = |hierarchical| text(&files(&shop(), &form(hierarchical), &complete()));
    let (flat, tree) = (of(false), of(true));
    assert_eq!(flat, of(false));
    assert_eq!(placeholders(&flat), placeholders(&tree));
    assert!(placeholders(&flat).len() > 10, "{flat}");
}

#[test]
fn what_is_missing_is_said() {
    let gap = |scope: &str, reason: &str| Gap {
        collection: CollectionKey::new("arg.resources", scope),
        state: "forbidden".to_owned(),
        reason: reason.to_owned(),
    };
    let left_out = NotPlanned {
        what: "other_tenant".to_owned(),
        reason: "contoso".to_owned(),
        count: Some(3),
    };
    let mut based_on = complete();
    based_on.verdict = Verdict::Partial;
    based_on.gaps = vec![
        gap(SUBSCRIPTION, "missing permission: Reader on /subscriptions/contoso"),
        gap("contoso", "contoso"),
    ];
    based_on.not_planned = vec![left_out];
    let request = GenerateSpecRequest {
        limit: Some(2),
        ..form(false)
    };
    let text = text(&files(&shop(), &request, &based_on));
    for said in [
        "**partial: not everything could be read",
        "missing permission: Reader |",
        "| other_tenant | 3 |",
        "2 of 5: **the limit that was asked for leaves 3 out**",
    ] {
        assert!(text.contains(said), "{said} not in\n{text}");
    }
    assert!(!text.contains("contoso"), "{text}");
    assert_eq!(text.matches("\n#### ").count(), 2, "{text}");
}

#[test]
fn the_callers_domain_stands_for_the_tenants() {
    let request = GenerateSpecRequest {
        domain_name: Some("example.com|<b>".to_owned()),
        ..form(true)
    };
    let with = text(&files(&shop(), &request, &complete()));
    assert!(with.contains("- **Domain:** example.comb\n"), "{with}");
    let without = text(&files(&shop(), &form(true), &complete()));
    let of_users = |text: &str| text.matches("- user-").count();
    assert_eq!(
        (of_users(&with), with.matches("@example.comb").count()),
        (of_users(&without), 1)
    );
    let (with, without): (BTreeSet<_>, _) = (placeholders(&with), placeholders(&without));
    assert_eq!(with, without);
}
