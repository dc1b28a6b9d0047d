//! ARM: lists, one by id, errors.

use serde_json::json;

use super::Bench;
use super::world::{SUB_A, SUB_B, TENANT};

#[actix_web::test]
async fn lists_page_by_next_link() {
    let bench = Bench::new(5, |config| config.arm_page_rows = 2);
    let mut answer = bench
        .get(&format!("/subscriptions/{SUB_A}/resources?api-version=2021-04-01"))
        .await;
    let mut names = Vec::new();
    loop {
        names.extend(
            answer
                .values()
                .iter()
                .map(|value| value["name"].as_str().unwrap().to_owned()),
        );
        assert!(answer.values().iter().all(|value| value.get("properties").is_none()));
        let Some(next) = answer.body["nextLink"].as_str().map(str::to_owned) else {
            break;
        };
        answer = bench.follow(&next).await;
    }
    assert_eq!(
        names,
        ["vnet-00000", "vnet-00002", "vnet-00004", "vnet-00006", "vnet-00008"]
    );
    assert_eq!(answer.header("x-ms-ratelimit-remaining-subscription-reads"), "247");
}

#[actix_web::test]
async fn containers_are_listed() {
    let bench = Bench::new(2, |_| {});
    let subscriptions = bench.get("/subscriptions?api-version=2022-12-01").await;
    assert_eq!(subscriptions.values()[1]["subscriptionId"], SUB_B);
    assert_eq!(subscriptions.values()[1]["tenantId"], TENANT);
    let groups = bench
        .get(&format!("/subscriptions/{SUB_A}/resourcegroups?api-version=2021-04-01"))
        .await;
    assert_eq!(groups.values()[0]["type"], "Microsoft.Resources/resourceGroups");
    assert!(groups.values()[0].get("tenantId").is_none());
    let below = bench
        .get(concat!(
            "/providers/Microsoft.Management/managementGroups/root",
            "/descendants?api-version=2020-05-01"
        ))
        .await;
    assert_eq!(below.values().len(), 1);
    assert_eq!(below.values()[0]["name"], SUB_A);
    let providers = bench
        .get(&format!("/subscriptions/{SUB_A}/providers?api-version=2021-04-01"))
        .await;
    assert_eq!(
        providers.values()[0]["resourceTypes"][0]["apiVersions"][1],
        "2024-05-01"
    );
    let assignments = bench
        .get(&format!(
            "/subscriptions/{SUB_A}/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01"
        ))
        .await;
    assert_eq!(assignments.values().len(), 1);
    let other = bench
        .get(&format!(
            "/subscriptions/{SUB_B}/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01"
        ))
        .await;
    assert_eq!(other.values().len(), 0);
    let locks = bench
        .get(&format!(
            "/subscriptions/{SUB_A}/providers/Microsoft.Authorization/locks?api-version=2020-05-01"
        ))
        .await;
    assert_eq!(locks.body, json!({"value": []}));
}

#[actix_web::test]
async fn a_resource_is_found_by_its_id_in_any_casing() {
    let bench = Bench::new(2, |_| {});
    let id =
        format!("/SUBSCRIPTIONS/{SUB_A}/resourcegroups/net-rg/providers/microsoft.network/VIRTUALnetworks/VNET-00000");
    let answer = bench.get(&format!("{id}?api-version=2024-05-01")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["name"], "vnet-00000");
    assert!(answer.body.get("sku").is_none() && answer.body.get("apiVersion").is_none());
    let children = bench.get(&format!("{id}/subnets?api-version=2024-05-01")).await;
    assert_eq!(children.values()[0]["name"], "default");
    let typed = bench
        .get(&format!(
            "/subscriptions/{SUB_A}/providers/Microsoft.Network/virtualNetworks?api-version=2024-05-01"
        ))
        .await;
    assert_eq!(typed.values().len(), 2);
}

#[actix_web::test]
async fn errors_have_arm_s_shape() {
    let bench = Bench::new(1, |_| {});
    let group = format!("/subscriptions/{SUB_A}/resourceGroups/none");
    for (path, status, code) in [
        ("/subscriptions".to_owned(), 400, "MissingApiVersionParameter"),
        (
            "/subscriptions?api-version=latest".to_owned(),
            400,
            "InvalidApiVersionParameter",
        ),
        (
            "/subscriptions/nobody/resourcegroups?api-version=2021-04-01".to_owned(),
            404,
            "SubscriptionNotFound",
        ),
        (format!("{group}?api-version=2021-04-01"), 404, "ResourceGroupNotFound"),
        (
            format!("{group}/providers/Microsoft.Network/virtualNetworks/x?api-version=2021-04-01"),
            404,
            "ResourceNotFound",
        ),
        (
            format!("/subscriptions/{SUB_A}/providers/Microsoft.No/things?api-version=2021-04-01"),
            404,
            "InvalidResourceType",
        ),
    ] {
        let answer = bench.get(&path).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{path}");
    }
    let metadata = bench.get("/metadata/endpoints?api-version=2022-09-01").await;
    assert_eq!(metadata.body["resourceManager"], format!("{}/", bench.sim.url()));
}
