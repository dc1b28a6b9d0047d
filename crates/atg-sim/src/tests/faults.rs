//! Each fault, seen from the client.

use serde_json::{Value, json};

use super::world::{SUB_A, TENANT};
use super::{Bench, ids};
use crate::{Fault, FaultKind, SimConfig};

fn with(fault: &str) -> impl FnOnce(&mut SimConfig) {
    let fault = Fault::parse(fault).unwrap();
    move |config| config.faults.push(fault)
}

const TENANTS: &str = "/tenants?api-version=2022-12-01";
const ORDERED: &str = "resources | project id, tenantId | order by id asc";

#[actix_web::test]
async fn statuses_come_once_and_are_counted() {
    for (fault, status, retry_after) in [
        ("error_500", 500, ""),
        ("error_503", 503, ""),
        ("throttle:value=7", 429, "7"),
        ("throttle_bare", 429, ""),
        ("token_expired", 401, ""),
    ] {
        let bench = Bench::new(1, with(fault));
        let answer = bench.get(TENANTS).await;
        assert_eq!(
            (answer.status, answer.header("retry-after")),
            (status, retry_after),
            "{fault}"
        );
        assert_eq!(bench.get(TENANTS).await.status, 200, "{fault}");
        assert_eq!(bench.sim.stats().faults.values().sum::<u64>(), 1);
    }
}

#[actix_web::test]
async fn broken_answers_do_not_read_as_json() {
    for fault in ["cut_before", "cut_during", "truncated_json", "wrong_content_type"] {
        let bench = Bench::new(3, with(&format!("{fault}:path=tenants")));
        let error = bench.try_get(TENANTS).await.err();
        assert!(error.is_some(), "{fault}");
        assert_eq!(error.unwrap().is_request(), fault == "cut_before", "{fault}");
        assert_eq!(bench.sim.stats().faults[fault], 1);
        assert_eq!(bench.get(TENANTS).await.status, 200, "{fault}");
    }
    let bench = Bench::new(3, with("cut_after"));
    assert_eq!(bench.get(TENANTS).await.status, 200, "the answer is whole");
    // The connection ends unannounced: whoever uses it again is cut.
    drop(bench.try_get(TENANTS).await);
    assert_eq!(bench.get(TENANTS).await.status, 200);
    assert_eq!(bench.sim.stats().faults["cut_after"], 1);
}

#[actix_web::test]
async fn pages_go_wrong() {
    let bench = Bench::new(10, with("page_repeated"));
    let mut rows = ids(&bench.all(ORDERED, 5).await);
    assert_eq!(rows.len(), 25, "one page came twice");
    rows.dedup();
    rows.sort();
    rows.dedup();
    assert_eq!(rows.len(), 20, "and nothing is missing");
    let bench = Bench::new(10, with("page_missing:nth=2"));
    assert_eq!(bench.all(ORDERED, 5).await.len(), 15);
    let bench = Bench::new(10, with("page_reordered"));
    let rows = ids(&bench.all(ORDERED, 5).await);
    assert!(!rows.is_sorted());
    let bench = Bench::new(10, with("tenant_changed"));
    let rows = bench.all(ORDERED, 5).await;
    assert_eq!(rows.iter().filter(|row| row["tenantId"] != TENANT).count(), 5);
    let bench = Bench::new(10, with("next_link_loop:lane=arg"));
    let mut token = Value::Null;
    for _ in 0..5 {
        let answer = bench
            .query(json!({"query": ORDERED, "options": {"$top": 5, "$skipToken": token}}))
            .await;
        assert!(ids(answer.body["data"].as_array().unwrap())[0].ends_with("vnet-00000"));
        token = answer.body["$skipToken"].clone();
    }
    let bench = Bench::new(10, with("skip_token_expired"));
    let first = bench.query(json!({"query": ORDERED, "options": {"$top": 5}})).await;
    let second = bench
        .query(json!({"query": ORDERED, "options": {"$top": 5, "$skipToken": first.body["$skipToken"]}}))
        .await;
    assert_eq!(second.body["error"]["details"][0]["code"], "SkipTokenExpired");
    let bench = Bench::new(10, with("page_too_large:value=8"));
    let large = bench.query(json!({"query": ORDERED, "options": {"$top": 10}})).await;
    assert_eq!(large.body["error"]["details"][0]["code"], "ResponsePayloadTooLarge");
    assert_eq!(bench.all(ORDERED, 5).await.len(), 20);
}

#[actix_web::test]
async fn scopes_are_forbidden() {
    let bench = Bench::new(3, with(&format!("forbidden_subscription:target={SUB_A}")));
    let groups = format!("/subscriptions/{SUB_A}/resourcegroups?api-version=2021-04-01");
    assert_eq!(bench.get(&groups).await.code(), "AuthorizationFailed");
    assert_eq!(
        bench.all(ORDERED, 5).await.len(),
        3,
        "Resource Graph says nothing of what it leaves out"
    );
    assert_eq!(
        bench.get("/subscriptions?api-version=2022-12-01").await.values().len(),
        2
    );
    let alone = bench.query(json!({"query": ORDERED, "subscriptions": [SUB_A]})).await;
    assert_eq!((alone.status, alone.code()), (403, "AccessDenied"));
    let bench = Bench::new(3, with("forbidden_collection:target=groups"));
    assert_eq!(bench.get("/v1.0/groups").await.code(), "Authorization_RequestDenied");
    assert_eq!(bench.get("/v1.0/users").await.status, 200);
}

#[actix_web::test]
async fn other_tenants_show() {
    let bench = Bench::new(3, with("wrong_tenant_token"));
    let tenants = bench.get(TENANTS).await;
    assert_ne!(tenants.values()[0]["tenantId"], TENANT);
    let bench = Bench::new(3, with("delegated_subscription"));
    let listed = bench.get("/subscriptions?api-version=2022-12-01").await;
    let foreign: Vec<&Value> = listed.values().iter().filter(|row| row["tenantId"] != TENANT).collect();
    assert_eq!((listed.values().len(), foreign.len()), (3, 1));
    assert_eq!(foreign[0]["managedByTenants"][0]["tenantId"], TENANT);
    let rows = bench.all(ORDERED, 100).await;
    assert_eq!(rows.iter().filter(|row| row["tenantId"] != TENANT).count(), 5);
    assert_eq!(rows.len(), 11);
}

#[actix_web::test]
async fn the_control_endpoint_arms_faults() {
    let bench = Bench::new(1, |_| {});
    let url = format!("{}/_sim/faults", bench.sim.url());
    let faults = json!(["error_500:nth=2", {"kind": "slow", "seed": 4}, {"kind": "throttle", "lane": "graph"}]);
    let answer = bench.ask(bench.http.post(&url).json(&faults)).await.unwrap();
    assert_eq!(answer.body["faults"].as_array().unwrap().len(), 3);
    assert_eq!(bench.get(TENANTS).await.status, 200);
    assert_eq!(bench.get(TENANTS).await.status, 500);
    assert_eq!(bench.get("/v1.0/users").await.status, 429);
    let answer = bench.ask(bench.http.post(&url).json(&json!(["zap"]))).await.unwrap();
    assert_eq!(answer.status, 400);
    let seeded = FaultKind::ALL
        .iter()
        .map(|&kind| Fault::from_seed(kind, 1))
        .collect::<Vec<_>>();
    assert!(seeded.iter().all(|fault| fault.nth <= 3));
}
