//! A named submission is one job, whichever servers it is sent to.

use atg_tests::{DEADLINE, Setup, World};
use futures_util::future::join_all;
use reqwest::{Method, Response};
use serde_json::{Value, json};

use super::two;

async fn post(world: &World, key: &str, body: &Value) -> Response {
    let request = world
        .request(Method::POST, "/api/v1/scan")
        .header("Idempotency-Key", key);
    tokio::time::timeout(DEADLINE, request.json(body).send())
        .await
        .unwrap()
        .unwrap()
}

async fn job_of(answer: Response) -> String {
    let body: Value = answer.json().await.unwrap();
    body["job_id"].as_str().unwrap_or_else(|| panic!("{body}")).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_name_at_both_servers_at_once_makes_one_job() {
    let Some([one, other]) = two(Setup::new(7, 50)).await else {
        return;
    };
    let body = json!({"tenant_id": one.tenant});
    for round in 0..3 {
        let name = format!("round-{round}");
        let sent = (0..20).map(|number| post(if number % 2 == 0 { &one } else { &other }, &name, &body));
        let (mut jobs, mut new) = (Vec::new(), 0);
        for answer in join_all(sent).await {
            assert_eq!(answer.status(), 202);
            new += usize::from(!answer.headers().contains_key("idempotent-replayed"));
            jobs.push(job_of(answer).await);
        }
        assert_eq!(new, 1);
        jobs.dedup();
        assert_eq!(jobs.len(), 1, "{jobs:?}");
        other.completion(jobs[0].parse().unwrap()).await;
    }
    for world in [&one, &other] {
        assert_eq!(world.get("/api/v1/operations").await.headers()["x-total-count"], "3");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_body_is_refused_at_the_other_server() {
    let Some([one, other]) = two(Setup::new(7, 50)).await else {
        return;
    };
    let body = json!({"tenant_id": one.tenant});
    let job = job_of(post(&one, "k", &body).await).await;
    let replayed = post(&other, "k", &body).await;
    assert_eq!(replayed.headers()["idempotent-replayed"], "true");
    assert_eq!(job_of(replayed).await, job);
    let different = json!({"tenant_id": one.tenant, "max_retries": 4});
    let refused = post(&other, "k", &different).await;
    assert_eq!(refused.status(), 409);
    let said: Value = refused.json().await.unwrap();
    assert_eq!(said["error"]["code"], "IDEMPOTENCY_MISMATCH");
    // Two bodies at once: one of them has the name.
    let (first, second) = tokio::join!(post(&one, "both", &body), post(&other, "both", &different));
    let mut answers = [first.status().as_u16(), second.status().as_u16()];
    answers.sort_unstable();
    assert_eq!(answers, [202, 409]);
    one.completion(job.parse().unwrap()).await;
}
