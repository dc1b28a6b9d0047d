//! Resource Graph: the language, paging, scopes.

use serde_json::json;

use super::world::{SUB_A, SUB_B};
use super::{Bench, ids};

#[actix_web::test]
async fn pages_in_order_cover_every_row_once() {
    let bench = Bench::new(25, |_| {});
    let rows = bench
        .all("resources | project id, name, tags | order by id asc", 7)
        .await;
    assert_eq!(rows.len(), 50);
    let mut sorted = ids(&rows);
    sorted.sort();
    sorted.dedup();
    assert_eq!(sorted, ids(&rows));
    let first = bench
        .query(json!({"query": "Resources | order by id asc", "options": {"$top": 7}}))
        .await;
    assert_eq!(first.body["totalRecords"], 50);
    assert_eq!(first.body["count"], 7);
    assert_eq!(first.body["resultTruncated"], "false");
    assert_eq!(first.body["data"][0]["type"], "microsoft.network/virtualnetworks");
    assert!(first.body["data"][0].get("apiVersion").is_none());
    assert_eq!(first.header("x-ms-user-quota-resets-after"), "00:00:05");
    let lost = bench
        .query(json!({"query": "resources | project name | order by id asc", "options": {"$top": 7}}))
        .await;
    assert_eq!(lost.body["resultTruncated"], "true", "without the id rows are lost");
    assert!(lost.body.get("$skipToken").is_none());
}

#[actix_web::test]
async fn pages_without_order_are_not_stable() {
    let bench = Bench::new(50, |_| {});
    let mut rows = ids(&bench.all("resources | project id", 20).await);
    assert_eq!(rows.len(), 100);
    rows.sort();
    rows.dedup();
    assert!(rows.len() < 100, "some rows come twice and others never");
}

#[actix_web::test]
async fn a_skip_token_belongs_to_its_query() {
    let bench = Bench::new(10, |_| {});
    let first = bench
        .query(json!({"query": "resources | order by id asc", "options": {"$top": 5}}))
        .await;
    let token = first.body["$skipToken"].clone();
    let other = bench
        .query(json!({"query": "resources | order by id desc", "options": {"$top": 5, "$skipToken": token}}))
        .await;
    assert_eq!((other.status, other.code()), (400, "BadRequest"));
    assert_eq!(other.body["error"]["details"][0]["code"], "InvalidSkipToken");
}

#[actix_web::test]
async fn filters_select_what_they_say() {
    let bench = Bench::new(6, |config| config.quotas = false);
    for (filter, count) in [
        ("type =~ 'Microsoft.Network/VirtualNetworks'", 12),
        ("type == 'Microsoft.Network/virtualNetworks'", 0),
        ("type in~ ('x', 'MICROSOFT.NETWORK/VIRTUALNETWORKS')", 12),
        ("type !in~ ('x', 'MICROSOFT.NETWORK/VIRTUALNETWORKS')", 0),
        ("tags['env'] =~ 'prod'", 4),
        ("tags['env'] == 'prod'", 0),
        (
            "tags.env != 'Prod' and subscriptionId =~ 'AAAAAAAA-0000-0000-0000-000000000001'",
            4,
        ),
        ("not(name contains '0000') or name endswith '1'", 3),
        ("name startswith 'VNET' and resourceGroup =~ 'net-rg'", 12),
        ("id has 'vnet' and isnotempty(location)", 12),
        (
            r"resourceGroup in~ ('net-rg', 'a\'b') and tostring(tags['env']) =~ 'prod'",
            4,
        ),
        ("isnotempty(tostring(tags['team']))", 0),
        ("hash(tolower(id), 1) == 0", 12),
        ("isnull(sku) and strcat(name, '!') == 'vnet-00003!'", 1),
    ] {
        let answer = bench.kql(&format!("resources | where {filter} | count")).await;
        assert_eq!(answer.body["data"], json!([{"Count": count}]), "{filter}");
    }
    let mut parts = Vec::new();
    for part in 0..3 {
        let query = format!("resources | where hash(tolower(id)) % 3 == {part} | project id | order by id asc");
        parts.extend(ids(&bench.all(&query, 100).await));
    }
    parts.sort();
    parts.dedup();
    assert_eq!(parts.len(), 12, "the parts make the whole");
    let grouped = bench
        .kql("resources | summarize count() by subscriptionId, type | order by subscriptionId asc")
        .await;
    assert_eq!(grouped.body["data"][1]["count_"], 6);
    assert_eq!(grouped.body["data"][1]["subscriptionId"], SUB_B);
    let extended = bench.kql("resources | extend low = tolower(name), n=strlen(name) | where low == 'vnet-00002' | project low, n | take 5").await;
    assert_eq!(extended.body["data"], json!([{"low": "vnet-00002", "n": 10}]));
}

#[actix_web::test]
async fn what_is_not_understood_is_refused() {
    let bench = Bench::new(1, |config| config.quotas = false);
    for query in [
        "",
        "nothing",
        "resources |",
        "resources | where",
        "resources | join x",
        "resources | where id ~ 'x'",
        "resources | where f(id)",
        "resources | where a == 'x",
        "resources resources",
    ] {
        let answer = bench.kql(query).await;
        assert_eq!(answer.status, 400, "{query}");
        assert_eq!(answer.body["error"]["details"][0]["code"], "InvalidQuery", "{query}");
    }
    let answer = bench
        .query(json!({"query": "resources", "options": {"$top": 1001}}))
        .await;
    assert_eq!(answer.status, 400);
}

#[actix_web::test]
async fn scopes_bound_what_is_seen() {
    let bench = Bench::new(3, |_| {});
    let containers = "resourcecontainers | project id, type | order by id asc";
    let whole = bench.kql(containers).await;
    assert_eq!(whole.body["totalRecords"], 5);
    let one = bench
        .query(json!({"query": containers, "subscriptions": [SUB_A]}))
        .await;
    assert_eq!(
        one.body["totalRecords"], 2,
        "no management group when subscriptions are listed"
    );
    let group = bench
        .query(json!({"query": "resources", "managementGroups": ["root"]}))
        .await;
    assert_eq!(group.body["totalRecords"], 3);
    let access = bench
        .kql("authorizationresources | where type =~ 'microsoft.authorization/roleassignments'")
        .await;
    assert_eq!(access.body["totalRecords"], 1);
    assert_eq!(bench.kql("policyresources").await.body["totalRecords"], 0);
}

#[actix_web::test]
async fn casing_changes_ids_and_nothing_else() {
    let plain = Bench::new(4, |_| {});
    let cased = Bench::new(4, |config| config.casing_seed = Some(3));
    let query = "resources | order by id asc";
    let (plain, cased) = (plain.all(query, 100).await, cased.all(query, 100).await);
    assert_ne!(plain, cased);
    assert_eq!(ids(&plain), ids(&cased));
    assert_eq!(plain[0]["name"], cased[0]["name"]);
}
