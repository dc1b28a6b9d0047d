//! What a filter selects, and how it is refused.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{ResourceFacts, ResourceFilter};

/// Whether `filter` wants a virtual network `hub-1` in `Rg-Net` (West Europe), subscription `Production`.
fn wants(filter: &str) -> bool {
    let tags = BTreeMap::from([("Env", "Prod"), ("Cost Center", "a=b, c & d"), ("empty", "")]);
    let tags = tags
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let parsed: ResourceFilter = filter.parse().unwrap_or_else(|error| panic!("{filter}: {error}"));
    assert_eq!(parsed.to_string(), filter);
    parsed.matches(&ResourceFacts {
        type_: "microsoft.network/virtualnetworks",
        id: "/subscriptions/aaaaaaaa-0000-0000-0000-000000000001/resourceGroups/Rg-Net/providers/Microsoft.Network/virtualNetworks/hub-1",
        name: "hub-1",
        subscription_id: Some("aaaaaaaa-0000-0000-0000-000000000001"),
        subscription_name: Some("Production"),
        resource_group: Some("Rg-Net"),
        location: Some("West Europe"),
        tags: &tags.collect(),
    })
}

#[test]
fn what_selects_it() {
    for filter in [
        "Microsoft.Network/virtualNetworks",
        " MICROSOFT.network/VIRTUALnetworks ",
        "Microsoft.Compute/virtualMachines, Microsoft.Network/virtualNetworks",
        "Microsoft.Network/*",
        "Microsoft.Net*",
        "*/virtualNetworks",
        "type=Microsoft.Network/*",
        "resource_group=rg-*",
        "resourceGroup='rg-net'",
        "rg=RG-NET",
        "resourceGroup=~'(?i).*(other|net).*'",
        "subscription=aaaaaaaa-0000-0000-0000-000000000001",
        "subscription_id='AAAAAAAA-0000-0000-0000-000000000001'",
        "subscription=prod*",
        "location=westeurope",
        "region='West Europe'",
        "name=hub-*",
        "name=*ub*1",
        "id=*/virtualNetworks/hub-1",
        "tag:env=Prod",
        "tag:env",
        "tag:env=P*d",
        "tag:Cost Center=\"a=b, c & d\"",
        "tag:'cost center'",
        "tag:empty=''",
        "!tag:owner",
        "!name=spoke*",
        "name!=spoke*",
        "!Microsoft.Compute/*",
        "type=Microsoft.Network/* & tag:env=Prod & !location=northeurope",
        "name=spoke & tag:env, name=hub-1 & tag:env",
    ] {
        assert!(wants(filter), "{filter}");
    }
}

#[test]
fn what_does_not() {
    for filter in [
        "Microsoft.Network/virtualNetworks/subnets",
        "Microsoft.Network/virtual",
        "resource_group=rg",
        "resourceGroup=~'(?i)net'",
        "tag:env=prod",
        "tag:env!=Prod",
        "tag:owner",
        "!tag:env",
        "name=hub",
        "name=*hub",
        "name=hub-1*1",
        "location=west",
        "type=Microsoft.Network/* & tag:env=Test",
    ] {
        assert!(!wants(filter), "{filter}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_the_fix() {
    for (filter, position, fix) in [
        ("", 1, "condition is missing"),
        ("a/b", 1, "Microsoft.Network/virtualNetworks"),
        ("Microsoft.Compute", 1, "Microsoft.Network/*"),
        ("*", 1, "must be a resource type"),
        ("Microsoft.Web/sites,", 21, "condition is missing"),
        (",Microsoft.Web/sites", 1, "condition is missing"),
        ("Microsoft.Web/sites, ,name=x", 22, "condition is missing"),
        ("name=x & ", 10, "condition is missing"),
        ("nmae=x", 1, "use type, name"),
        ("name=", 6, "value is missing"),
        ("name=x, rg= & tag:a", 13, "value is missing"),
        ("name=''", 6, "value is missing"),
        ("name='x", 6, "never closed"),
        ("name='x' y", 10, "',' (or) or '&' (and)"),
        ("name==x", 5, "one '='"),
        ("tag:=x", 1, "tag:NAME"),
        ("tag:a=b=c", 8, "quotes"),
        ("rg=a/b", 4, "resource group"),
        ("name=~x.*", 7, "quotes"),
        ("name=~'('", 7, "regular expression"),
        ("name=~'.{1000}{1000}'", 7, "too large"),
        ("!!name=x", 2, "use type, name"),
    ] {
        let error = filter.parse::<ResourceFilter>().expect_err(filter);
        assert_eq!(error.position, position, "{filter:?}: {error}");
        assert!(error.problem.contains(fix), "{filter:?}: {error}");
    }
}

proptest! {
    /// Whatever is written: it is refused, or prints as it was given and means the same again.
    #[test]
    fn any_text_is_refused_or_reads_back(text in "[a-z*!&,=~'\": ./_-]{0,40}") {
        if let Ok(filter) = text.parse::<ResourceFilter>() {
            let value = serde_json::to_value(&filter).unwrap();
            prop_assert_eq!(&value, &serde_json::Value::from(text));
            prop_assert_eq!(serde_json::from_value::<ResourceFilter>(value).unwrap(), filter);
        }
    }

    /// More conditions never select more; more entries never select less.
    #[test]
    fn and_narrows_and_or_widens(one in condition(), two in condition()) {
        prop_assert_eq!(wants(&format!("{one} & {two}")), wants(&one) && wants(&two));
        prop_assert_eq!(wants(&format!("{one},{two}")), wants(&one) || wants(&two));
        let negated = one.strip_prefix('!').map_or_else(|| format!("!{one}"), str::to_owned);
        prop_assert_eq!(wants(&negated), !wants(&one));
    }
}

fn condition() -> impl Strategy<Value = String> {
    let field = prop_oneof![
        Just("name"),
        Just("rg"),
        Just("tag:env"),
        Just("location"),
        Just("subscription")
    ];
    let value = prop_oneof![
        Just("hub*"),
        Just("rg-net"),
        Just("Prod"),
        Just("*e*"),
        Just("west*"),
        Just("prod*")
    ];
    (field, value, any::<bool>())
        .prop_map(|(field, value, negated)| format!("{}{field}={value}", if negated { "!" } else { "" }))
}
