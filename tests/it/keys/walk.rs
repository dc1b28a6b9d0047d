//! The walk over the document: every operation × (no key, a smaller scope, another tenant's, draining).
//! The store that does not answer has its own walk.

use std::collections::BTreeSet;

use atg_auth::{Scope, Tenants};
use atg_models::JobId;
use atg_tests::{Described, Document, World};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::Caller;
use super::tenants::two_tenants;

/// What api.md says of an operation: what a key has to be allowed, and what it gets for another tenant.
const OPERATIONS: [(&str, Scope, u16); 17] = [
    ("startScan", Scope::Operate, 403),
    ("getScan", Scope::Read, 404),
    ("startGenerateIac", Scope::Operate, 403),
    ("getGenerateIac", Scope::Read, 404),
    ("startGenerateSpec", Scope::Operate, 403),
    ("getGenerateSpec", Scope::Read, 404),
    ("listOperations", Scope::Read, 200),
    ("getOperation", Scope::Read, 404),
    ("cancelOperation", Scope::Operate, 404),
    ("getOperationResult", Scope::Read, 404),
    ("downloadOperation", Scope::Read, 404),
    ("getOperationFile", Scope::Read, 404),
    ("listOperationEvents", Scope::Read, 404),
    ("listTenants", Scope::Read, 200),
    ("removeTenant", Scope::Admin, 404),
    ("createWsTicket", Scope::Read, 404),
    ("openProgressSocket", Scope::Read, 404),
];
/// Operations without a key, and what they say of a server that drains.
const OPEN: [(&str, u16); 5] = [
    ("getHealth", 200),
    ("getHealthAtRoot", 200),
    ("getLiveness", 200),
    ("getReadiness", 503),
    ("getMetrics", 200),
];

/// A tenant, and a finished job of it for each kind.
struct Subject {
    tenant: String,
    scan: JobId,
    iac: JobId,
    spec: JobId,
}

impl Subject {
    async fn new(world: &World, tenant: String) -> Self {
        let made = async |path: &str| {
            let response = world.post(path, &json!({"tenant_id": tenant})).await;
            let body: Value = response.json().await.unwrap();
            let job: JobId = body["job_id"].as_str().unwrap().parse().unwrap();
            world.completion(job).await;
            job
        };
        Self {
            scan: made("/api/v1/scan").await,
            iac: made("/api/v1/generate-iac").await,
            spec: made("/api/v1/generate-spec").await,
            tenant,
        }
    }

    /// The operation, asked about this tenant: nothing is wrong but who asks.
    fn ask(&self, operation: &Described, ask: impl Fn(Method, &str) -> RequestBuilder) -> RequestBuilder {
        let job = match operation.id.as_str() {
            "getScan" => self.scan,
            "getGenerateSpec" => self.spec,
            _ => self.iac,
        };
        let path = operation.path.replace("{job_id}", &job.to_string());
        let path = path.replace("{path}", "REPORT.md").replace("{tenant_id}", &self.tenant);
        assert!(
            !path.contains('{'),
            "{path} has a parameter that this walk does not know"
        );
        let request = ask(operation.method.to_uppercase().parse().unwrap(), &path);
        match operation.id.as_str() {
            "createWsTicket" => request.json(&json!({"job_id": job})),
            _ if operation.method == "post" => request.json(&json!({"tenant_id": self.tenant})),
            _ => request,
        }
    }
}

fn smaller(scope: Scope) -> Option<Scope> {
    match scope {
        Scope::Read => None,
        Scope::Operate => Some(Scope::Read),
        Scope::Admin => Some(Scope::Operate),
    }
}

/// The operations behind a key, each with its row.
fn secured() -> Vec<(Described, Scope, u16)> {
    let find = |operation: Described| {
        let (_, scope, other) = OPERATIONS.into_iter().find(|(id, ..)| *id == operation.id)?;
        Some((operation, scope, other))
    };
    Document::of_code().operations().into_iter().filter_map(find).collect()
}

#[test]
fn the_walk_knows_every_operation_and_each_has_a_name_of_its_own() {
    let document = Document::of_code().operations();
    let ids: BTreeSet<&str> = document.iter().map(|operation| operation.id.as_str()).collect();
    assert_eq!(ids.len(), document.len(), "{ids:?}");
    let known: BTreeSet<&str> = OPERATIONS
        .iter()
        .map(|row| row.0)
        .chain(OPEN.map(|row| row.0))
        .collect();
    assert_eq!(ids, known);
    for operation in &document {
        let is_open = OPEN.iter().any(|(id, _)| *id == operation.id);
        assert_eq!(operation.secured, !is_open, "{operation:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_key_a_smaller_scope_and_another_tenant_are_refused_everywhere() {
    let (world, other) = two_tenants().await;
    let own = Subject::new(&world, world.tenant.to_string()).await;
    let foreign = Subject::new(&world, other.to_string()).await;
    let tenants = Tenants::Set([world.tenant].into());
    let caller = async |name: &str, number: u8, scope: Scope| {
        let tenants = tenants.clone();
        Caller::new(&world, name, number, move |record| {
            record.scope = scope;
            record.tenants = tenants;
        })
        .await
    };
    let read = caller("read", 1, Scope::Read).await;
    let operate = caller("operate", 2, Scope::Operate).await;
    let admin = caller("admin", 3, Scope::Admin).await;
    let with = |scope: Scope| match scope {
        Scope::Read => &read,
        Scope::Operate => &operate,
        Scope::Admin => &admin,
    };
    for (operation, scope, elsewhere) in secured() {
        let id = &operation.id;
        let anonymous = own.ask(&operation, |method, path| world.anonymous(method, path));
        let answer = anonymous.send().await.unwrap();
        assert_eq!(answer.status(), 401, "{id} without a key");
        assert_eq!(answer.headers()["www-authenticate"], "Bearer", "{id}");
        if let Some(smaller) = smaller(scope) {
            let asked = own.ask(&operation, |method, path| with(smaller).request(method, path));
            assert_eq!(asked.send().await.unwrap().status(), 403, "{id} with a smaller scope");
        }
        let asked = foreign.ask(&operation, |method, path| with(scope).request(method, path));
        let answer = asked.send().await.unwrap();
        assert_eq!(answer.status(), elsewhere, "{id} for another tenant");
        let told = answer.text().await.unwrap();
        assert!(!told.contains(&foreign.tenant), "{id} names another tenant: {told}");
    }
    // With the right key and for its own tenant none of them is refused. What ends the rest comes last.
    let (last, first): (Vec<_>, Vec<_>) = secured().into_iter().partition(|(_, scope, _)| *scope == Scope::Admin);
    for (operation, scope, _) in first.into_iter().chain(last) {
        let asked = own.ask(&operation, |method, path| with(scope).request(method, path));
        let status = asked.send().await.unwrap().status().as_u16();
        let expected = match operation.id.as_str() {
            "startScan" | "startGenerateIac" | "startGenerateSpec" | "removeTenant" => 202,
            "createWsTicket" => 201,
            "cancelOperation" => 409,
            "openProgressSocket" => 426,
            _ => 200,
        };
        assert_eq!(status, expected, "{}", operation.id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_drains_says_so_on_every_operation_that_needs_a_key() {
    let world = World::small().await;
    world.scan().await;
    let own = Subject::new(&world, world.tenant.to_string()).await;
    world.drain();
    for (operation, ..) in secured() {
        // Before who asks is looked at.
        let anonymous = own.ask(&operation, |method, path| world.anonymous(method, path));
        let known = own.ask(&operation, |method, path| world.request(method, path));
        for asked in [anonymous, known] {
            let answer = asked.send().await.unwrap();
            assert_eq!(answer.status(), 503, "{}", operation.id);
            assert!(answer.headers().contains_key("retry-after"), "{}", operation.id);
            let body: Value = answer.json().await.unwrap();
            assert_eq!(body["error"]["code"], "DRAINING", "{}", operation.id);
        }
    }
    for operation in Document::of_code().operations() {
        if let Some((_, expected)) = OPEN.into_iter().find(|(id, _)| *id == operation.id) {
            let answer = world.anonymous(Method::GET, &operation.path).send().await.unwrap();
            assert_eq!(answer.status(), expected, "{}", operation.id);
        }
    }
}
