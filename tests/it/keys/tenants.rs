//! A key for some tenants sees nothing of the others, on any route.

use atg_auth::{Scope, Tenants};
use atg_models::{JobId, TenantId};
use atg_sim::world::SeededWorld;
use atg_sim::{SimConfig, Simulator};
use atg_tests::{DirectScan, Document, Setup, World};
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;

use super::Caller;

/// A server whose store holds two tenants; the second one is answered too.
pub(super) async fn two_tenants() -> (World, TenantId) {
    let mut world = Setup::new(7, 60).start().await;
    world.stop_server().await;
    let mut config = SimConfig::new(Arc::new(SeededWorld::new(8, 60)));
    config.quotas = false;
    let other = Simulator::start(config).unwrap();
    let folder = world.stores().await;
    DirectScan::new(&folder, &world.sim, 1).run().await.unwrap();
    DirectScan::new(&folder, &other, 2).run().await.unwrap();
    drop(folder);
    world.restart().await;
    let other = other.world().tenant_id();
    assert_ne!(world.tenant, other);
    (world, other)
}

/// A generation by the key of the configuration, to its end.
async fn generated(world: &World, tenant: &str) -> JobId {
    let response = world.post("/api/v1/generate-iac", &json!({"tenant_id": tenant})).await;
    let body: Value = response.json().await.unwrap();
    let job = body["job_id"]
        .as_str()
        .unwrap_or_else(|| panic!("{body}"))
        .parse()
        .unwrap();
    world.completion(job).await;
    job
}

fn ids(list: &Value, field: &str) -> Vec<String> {
    let rows = list.as_array().unwrap().iter();
    rows.map(|row| row[field].as_str().unwrap().to_owned()).collect()
}

/// Every operation of the document that a job's id leads to.
async fn on_every_route(caller: &Caller<'_>, job: JobId, mut check: impl FnMut(&str, u16)) {
    let mut walked = 0;
    for operation in Document::of_code().operations() {
        if !operation.secured || !operation.path.contains("{job_id}") {
            continue;
        }
        let path = operation
            .path
            .replace("{job_id}", &job.to_string())
            .replace("{path}", "report.json");
        let method: Method = operation.method.to_uppercase().parse().unwrap();
        let response = caller.request(method, &path).send().await.unwrap();
        check(&format!("{} {path}", operation.method), response.status().as_u16());
        walked += 1;
    }
    assert!(walked >= 7, "{walked} routes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_for_one_tenant_learns_nothing_of_another() {
    let (world, other) = two_tenants().await;
    let own_job = generated(&world, &world.tenant.to_string()).await;
    let other_job = generated(&world, &other.to_string()).await;
    let nameless_job = generated(&world, "a tenant by name").await;
    let of = |tenant| Tenants::Set([tenant].into());
    let caller = Caller::new(&world, "one", 1, |record| record.tenants = of(world.tenant)).await;

    assert_eq!(
        ids(&caller.json("/api/v1/tenants").await, "tenant_id"),
        [world.tenant.to_string()]
    );
    let list = caller.get("/api/v1/operations").await;
    assert_eq!(list.headers()["x-total-count"], "1");
    assert_eq!(ids(&list.json().await.unwrap(), "job_id"), [own_job.to_string()]);
    for hidden in [other_job, nameless_job] {
        on_every_route(&caller, hidden, |route, status| assert_eq!(status, 404, "{route}")).await;
    }
    on_every_route(&caller, own_job, |route, status| {
        assert!(status != 401 && status != 403, "{route} {status}");
    })
    .await;
    for path in ["", "/result", "/download"] {
        let path = format!("/api/v1/operations/{own_job}{path}");
        assert_eq!(caller.get(&path).await.status(), 200, "{path}");
    }

    // A tenant named in a body is refused as such.
    for path in ["/api/v1/scan", "/api/v1/generate-iac"] {
        for tenant in [other.to_string(), other.to_string().to_uppercase()] {
            let (status, body) = caller.post(path, &json!({"tenant_id": tenant})).await;
            assert_eq!((status, &body["error"]["code"]), (403, &json!("FORBIDDEN")), "{path}");
        }
    }
    assert_eq!(caller.get("/api/v1/operations").await.headers()["x-total-count"], "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_a_tenant_means_the_only_one_that_the_key_sees() {
    let (world, other) = two_tenants().await;
    let set = |tenants: &[TenantId]| Tenants::Set(tenants.iter().copied().collect());
    let (far, farther) = (
        TenantId::new(uuid::Uuid::from_u128(1)),
        TenantId::new(uuid::Uuid::from_u128(2)),
    );
    let one = Caller::new(&world, "one", 1, |record| record.tenants = set(&[other])).await;
    let both = Caller::new(&world, "both", 2, |record| record.tenants = set(&[other, world.tenant])).await;
    let none = Caller::new(&world, "none", 3, |record| record.tenants = set(&[far, farther])).await;

    let (status, job) = one.post("/api/v1/generate-iac", &json!({})).await;
    assert_eq!(status, 202, "{job}");
    let job = one
        .json(&format!("/api/v1/operations/{}", job["job_id"].as_str().unwrap()))
        .await;
    assert_eq!(job["tenant_id"], other.to_string());
    let message = async |caller: &Caller<'_>| {
        let (status, body) = caller.post("/api/v1/generate-iac", &json!({})).await;
        assert_eq!(status, 400, "{body}");
        body["error"]["message"].as_str().unwrap().to_owned()
    };
    assert!(message(&both).await.contains("more than one tenant"));
    // It does not learn that there are two.
    assert!(message(&none).await.contains("no tenant is stored"));
    assert_eq!(none.json("/api/v1/tenants").await, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_no_tenant_belongs_to_its_key() {
    let world = World::small().await;
    let of = |tenant| Tenants::Set([tenant].into());
    let maker = Caller::new(&world, "maker", 1, |record| record.tenants = of(world.tenant)).await;
    let other = Caller::new(&world, "other", 2, |record| record.tenants = of(world.tenant)).await;
    let (status, job) = maker
        .post("/api/v1/generate-iac", &json!({"tenant_id": "by name"}))
        .await;
    assert_eq!(status, 202, "{job}");
    let job: JobId = job["job_id"].as_str().unwrap().parse().unwrap();
    world.completion(job).await;
    let path = format!("/api/v1/operations/{job}");
    assert_eq!(maker.get(&path).await.status(), 200);
    assert_eq!(
        ids(&maker.json("/api/v1/operations").await, "job_id"),
        [job.to_string()]
    );
    assert_eq!(other.get(&path).await.status(), 404);
    assert_eq!(other.json("/api/v1/operations").await, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_admin_removes_a_tenant_and_only_its_own() {
    let (world, other) = two_tenants().await;
    let of = |tenant| Tenants::Set([tenant].into());
    let operator = Caller::new(&world, "operator", 1, |record| record.tenants = of(world.tenant)).await;
    let admin = Caller::new(&world, "admin", 2, |record| {
        record.scope = Scope::Admin;
        record.tenants = of(world.tenant);
    })
    .await;
    let remove = async |caller: &Caller<'_>, tenant: TenantId| {
        let path = format!("/api/v1/tenants/{tenant}");
        caller.request(Method::DELETE, &path).send().await.unwrap()
    };
    for tenant in [world.tenant, other] {
        assert_eq!(remove(&operator, tenant).await.status(), 403, "{tenant}");
    }
    assert_eq!(remove(&admin, other).await.status(), 404);
    let before = world.client.tenants().await.unwrap();
    let taken: Value = remove(&admin, world.tenant).await.json().await.unwrap();
    world
        .completion(taken["job_id"].as_str().unwrap().parse().unwrap())
        .await;
    let kept: Vec<_> = before.into_iter().filter(|tenant| tenant.tenant_id == other).collect();
    assert_eq!(world.client.tenants().await.unwrap(), kept);
}
