//! Microsoft Graph.

use serde_json::{Value, json};

use super::world::{group_id, user_id};
use super::{Bench, ids};

#[actix_web::test]
async fn users_come_page_by_page() {
    let bench = Bench::new(12, |_| {});
    let mut answer = bench.get("/v1.0/users?$top=5").await;
    let mut users = Vec::new();
    loop {
        users.extend(answer.values().iter().cloned());
        let Some(next) = answer.body["@odata.nextLink"].as_str().map(str::to_owned) else {
            break;
        };
        answer = bench.follow(&next).await;
    }
    assert_eq!(ids(&users), (0..12).map(user_id).collect::<Vec<_>>());
    assert!(users[0].get("accountEnabled").is_none(), "not among the eleven");
    let chosen = bench.get("/v1.0/users?$top=1&$select=accountEnabled,department").await;
    assert_eq!(chosen.values()[0]["department"], "Sales");
    assert!(chosen.values()[0].get("displayName").is_none());
    let one = bench.get(&format!("/v1.0/users/{}", user_id(3))).await;
    assert_eq!(one.body["displayName"], "User 3");
}

#[actix_web::test]
async fn options_are_refused_rather_than_ignored() {
    let bench = Bench::new(2, |_| {});
    assert_eq!(bench.get("/v1.0/users?$top=1000").await.status, 400);
    assert_eq!(
        bench.get("/v1.0/users?$filter=x").await.code(),
        "Request_UnsupportedQuery"
    );
    assert_eq!(
        bench.get("/v1.0/users?$count=true").await.code(),
        "Request_UnsupportedQuery"
    );
    assert_eq!(bench.get("/v1.0/users/$count").await.code(), "Request_BadRequest");
    assert_eq!(bench.get("/v1.0/nothing").await.code(), "BadRequest");
    let url = format!("{}/v1.0/users/$count", bench.sim.url());
    let counted = bench
        .ask(bench.http.get(url).header("ConsistencyLevel", "eventual"))
        .await
        .unwrap();
    assert_eq!(counted.body, json!(2));
}

#[actix_web::test]
async fn members_are_listed_and_batched() {
    let bench = Bench::new(3, |_| {});
    let members = bench.get(&format!("/v1.0/groups/{}/members", group_id())).await;
    assert_eq!(members.values()[0]["@odata.type"], "#microsoft.graph.user");
    let requests: Vec<Value> = (0..20)
        .map(|at| json!({"id": at.to_string(), "method": "GET", "url": format!("/groups/{}/members?$top=1", if at == 7 { "none" } else { group_id() })}))
        .collect();
    let url = format!("{}/v1.0/$batch", bench.sim.url());
    let answer = bench
        .ask(bench.http.post(&url).json(&json!({"requests": requests})))
        .await
        .unwrap();
    let answers = answer.body["responses"].as_array().unwrap();
    assert_eq!(answers.len(), 20);
    assert!(
        answers
            .windows(2)
            .any(|pair| pair[0]["id"].as_str() > pair[1]["id"].as_str()),
        "in another order"
    );
    for answer in answers {
        let status = if answer["id"] == "7" { 404 } else { 200 };
        assert_eq!(answer["status"], status);
    }
    let more = vec![json!({"id": "x", "method": "GET", "url": "/users"}); 21];
    let answer = bench
        .ask(bench.http.post(&url).json(&json!({"requests": more})))
        .await
        .unwrap();
    assert_eq!(answer.status, 400);
}
