//! Tokens: given, refused, expired.

use serde_json::Value;
use time::macros::datetime;

use super::world::TENANT;
use super::{Bench, client, literal};
use crate::{SimConfig, Simulator, TestClock};

async fn login(bench: &Bench, tenant: &str, secret: &str, scope: &str) -> (u16, Value) {
    let url = format!("{}/{tenant}/oauth2/v2.0/token", bench.sim.url());
    let form = format!("grant_type=client_credentials&client_id=app&client_secret={secret}&scope={scope}");
    let request = bench
        .http
        .post(url)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn tenants(bench: &Bench, token: &str) -> reqwest::Response {
    let url = format!("{}/tenants?api-version=2022-12-01", bench.sim.url());
    bench.http.get(url).bearer_auth(token).send().await.unwrap()
}

const ARM: &str = "https://management.azure.com/.default";

#[actix_web::test]
async fn a_token_opens_arm_until_it_expires() {
    let clock = TestClock::new(datetime!(2026-01-01 0:00 UTC));
    let given = clock.clone();
    let bench = Bench::new(2, move |config| {
        config.clock = std::sync::Arc::new(given);
        config.token_ttl_s = 600;
    });
    let (status, body) = login(&bench, TENANT, "s", ARM).await;
    assert_eq!((status, body["expires_in"].as_u64()), (200, Some(600)));
    let token = body["access_token"].as_str().unwrap();
    let answer = tenants(&bench, token).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.json::<Value>().await.unwrap()["value"][0]["tenantId"], TENANT);
    clock.advance(time::Duration::seconds(600));
    let answer = tenants(&bench, token).await;
    assert_eq!(answer.status(), 401);
    assert!(
        answer.headers()["www-authenticate"]
            .to_str()
            .unwrap()
            .contains("expired_token")
    );
    assert_eq!(
        answer.json::<Value>().await.unwrap()["error"]["code"],
        "ExpiredAuthenticationToken"
    );
    let (_, body) = login(&bench, "contoso.onmicrosoft.com", "s", ARM).await;
    assert_eq!(
        tenants(&bench, body["access_token"].as_str().unwrap()).await.status(),
        200
    );
}

#[actix_web::test]
async fn wrong_logins_name_their_reason() {
    let bench = Bench::new(1, |config| config.client_secret = Some("right".to_owned()));
    let (status, body) = login(&bench, "99999999-2222-3333-4444-555555555555", "right", ARM).await;
    assert_eq!((status, body["error_codes"][0].as_u64()), (400, Some(90_002)));
    let (status, body) = login(&bench, TENANT, "wrong", ARM).await;
    assert_eq!((status, body["error"].as_str()), (401, Some("invalid_client")));
    assert!(body["error_description"].as_str().unwrap().starts_with("AADSTS7000215"));
    let (_, body) = login(&bench, TENANT, "right", "https://graph.microsoft.com/.default").await;
    let answer = tenants(&bench, body["access_token"].as_str().unwrap()).await;
    assert_eq!(answer.status(), 401, "a token of Microsoft Graph does not open ARM");
    let url = format!("{}/tenants?api-version=2022-12-01", bench.sim.url());
    assert_eq!(bench.http.get(url).send().await.unwrap().status(), 401);
    assert_eq!(tenants(&bench, "a.b.c").await.status(), 401);
}

#[actix_web::test]
async fn an_authority_is_found_over_tls() {
    let mut config = SimConfig::new(literal(1, 1));
    config.tls = true;
    let sim = Simulator::start(config).unwrap();
    let root = reqwest::Certificate::from_pem(sim.certificate_pem().unwrap().as_bytes()).unwrap();
    let http = reqwest::Client::builder()
        .tls_certs_only([root.clone()])
        .no_proxy()
        .build()
        .unwrap();
    let url = format!(
        "{}/{TENANT}/v2.0/.well-known/openid-configuration",
        sim.tls_url().unwrap()
    );
    let body: Value = http.get(url).send().await.unwrap().json().await.unwrap();
    let endpoint = body["token_endpoint"].as_str().unwrap();
    assert_eq!(
        endpoint,
        format!("{}/{TENANT}/oauth2/v2.0/token", sim.tls_url().unwrap())
    );
    let proxy = reqwest::Proxy::https(sim.proxy_url().unwrap()).unwrap();
    let http = reqwest::Client::builder()
        .tls_certs_only([root])
        .proxy(proxy)
        .build()
        .unwrap();
    let answer = http
        .get("https://some-vault.vault.azure.net/certificates/contacts")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 404);
    assert_eq!(
        answer.json::<Value>().await.unwrap()["error"]["code"],
        "ContactsNotFound"
    );
    drop(client());
}

/// Two tenants at one address, as at Azure's.
#[actix_web::test]
async fn a_call_is_of_the_tenant_whose_token_it_carries() {
    let seeded = crate::world::SeededWorld::new(8, 30);
    let other = crate::world::World::tenant_id(&seeded).to_string();
    let mut config = SimConfig::new(literal(1, 1));
    config.beside = vec![std::sync::Arc::new(seeded)];
    let bench = Bench {
        sim: Simulator::start(config).unwrap(),
        http: client(),
    };
    for tenant in [TENANT, other.as_str()] {
        let (_, body) = login(&bench, tenant, "s", ARM).await;
        let answer = tenants(&bench, body["access_token"].as_str().unwrap()).await;
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["value"][0]["tenantId"], tenant, "{answer}");
    }
    let (status, _) = login(&bench, "99999999-2222-3333-4444-555555555555", "s", ARM).await;
    assert_eq!(status, 400);
    let answer: Value = tenants(&bench, "static").await.json().await.unwrap();
    assert_eq!(answer["value"][0]["tenantId"], TENANT);
}
