//! Entra's token endpoint and discovery documents, and the check of tokens that come back.
//!
//! A token names its tenant, audience and expiry like a real one (clients read them) and is
//! signed with a secret of this run. Error texts begin with Entra's AADSTS codes.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::base64url;
use crate::call::{Call, Lane, Reply};
use crate::seeded;
use crate::sim::Sim;

/// What a token says.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Claims {
    aud: String,
    iss: String,
    iat: u64,
    nbf: u64,
    exp: u64,
    appid: String,
    oid: String,
    sub: String,
    tid: String,
    ver: String,
    /// Grows with each token, so that all up to one can be expired at once.
    uti: u64,
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Principal {
    pub(crate) id: String,
}

/// Answers a path of the token lane.
pub(crate) fn answer(sim: &Sim, call: &Call) -> Reply {
    let segments = call.lower_segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        ["common", "discovery", "instance"] => Reply::ok(instance_discovery(sim, call)),
        [tenant, "v2.0", ".well-known", "openid-configuration"] | [tenant, ".well-known", "openid-configuration"] => {
            known(sim, tenant, call, openid)
        }
        [_, "discovery", "v2.0", "keys"] => Reply::ok(json!({"keys": []})),
        [tenant, "oauth2", "v2.0", "token"] | [tenant, "oauth2", "token"] if call.method == "POST" => {
            known(sim, tenant, call, give)
        }
        _ => aad_error(sim, 404, "invalid_request", 900_144, "The endpoint is not known."),
    }
}

/// The tenant that a call names: in its path where tokens are given, else by its token.
pub(crate) fn named_tenant(sim: &Sim, call: &Call) -> Option<String> {
    if call.lane() == Lane::Token {
        return call.lower_segments().into_iter().next();
    }
    Some(read(sim, call.bearer.as_deref()?)?.tid)
}

/// Checks the bearer token of a call.
pub(crate) fn check(sim: &Sim, call: &Call, lane: Lane) -> Result<Principal, Reply> {
    let Some(bearer) = call.bearer.as_deref() else {
        return Err(unauthorized(
            sim,
            lane,
            "AuthenticationFailed",
            "Authentication failed. The 'Authorization' header is missing.",
        ));
    };
    if bearer.split('.').count() != 3 {
        return match &sim.config.static_token {
            Some(only) if only != bearer => Err(unauthorized(
                sim,
                lane,
                "InvalidAuthenticationToken",
                "The access token is invalid.",
            )),
            _ => Ok(Principal {
                id: "static".to_owned(),
            }),
        };
    }
    let Some(claims) = read(sim, bearer) else {
        return Err(unauthorized(
            sim,
            lane,
            "InvalidAuthenticationToken",
            "The access token is invalid.",
        ));
    };
    if claims.exp <= sim.now_ms() / 1_000 || claims.uti <= sim.expired_up_to() {
        return Err(expired(sim, lane));
    }
    let for_graph = claims.aud.contains("graph");
    if for_graph != (lane == Lane::Graph) {
        return Err(unauthorized(
            sim,
            lane,
            "InvalidAuthenticationTokenAudience",
            "The access token has been obtained for the wrong audience or resource.",
        ));
    }
    Ok(Principal { id: claims.appid })
}

/// The answer to a token that has expired.
pub(crate) fn expired(sim: &Sim, lane: Lane) -> Reply {
    let code = if lane == Lane::Graph {
        "InvalidAuthenticationToken"
    } else {
        "ExpiredAuthenticationToken"
    };
    unauthorized(
        sim,
        lane,
        code,
        "expired_token: The access token expiry UTC time is in the past.",
    )
}

fn unauthorized(sim: &Sim, _lane: Lane, code: &str, message: &str) -> Reply {
    let tenant = sim.tenant();
    Reply::error(401, code, message).with(
        "WWW-Authenticate",
        format!(
            "Bearer authorization_uri=\"https://login.microsoftonline.com/{tenant}\", error=\"invalid_token\", error_description=\"{message}\""
        ),
    )
}

fn known(sim: &Sim, tenant: &str, call: &Call, then: fn(&Sim, &Call) -> Reply) -> Reply {
    if tenant == sim.tenant() || tenant == sim.world.domain().to_ascii_lowercase() {
        return then(sim, call);
    }
    let text = format!("Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID.");
    aad_error(sim, 400, "invalid_request", 90_002, &text)
}

fn give(sim: &Sim, call: &Call) -> Reply {
    let form: Vec<(String, String)> = url::form_urlencoded::parse(&call.body).into_owned().collect();
    let field = |name: &str| {
        form.iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    let needed = |name: &str| {
        let text = format!("The request body must contain the following parameter: '{name}'.");
        aad_error(sim, 400, "invalid_request", 900_144, &text)
    };
    if field("grant_type") != Some("client_credentials") {
        return aad_error(
            sim,
            400,
            "unsupported_grant_type",
            70_003,
            "The app requested an unsupported grant type.",
        );
    }
    let Some(client) = field("client_id") else {
        return needed("client_id");
    };
    let Some(resource) = field("scope").or_else(|| field("resource")) else {
        return needed("scope");
    };
    let proof = field("client_secret").or_else(|| field("client_assertion"));
    let right = match (&sim.config.client_secret, proof) {
        (_, None) => return needed("client_secret"),
        (Some(only), Some(given)) => only == given,
        (None, Some(given)) => !given.is_empty(),
    };
    if !right {
        let text = format!(
            "Invalid client secret provided. Ensure the secret being sent is the client secret value, for app '{client}'."
        );
        return aad_error(sim, 401, "invalid_client", 7_000_215, &text);
    }
    let ttl_s = sim.config.token_ttl_s;
    let token = sign(sim, client, resource.trim_end_matches("/.default"));
    sim.count_token();
    Reply::ok(json!({
        "token_type": "Bearer",
        "expires_in": ttl_s,
        "ext_expires_in": ttl_s,
        "access_token": token,
    }))
}

fn sign(sim: &Sim, client: &str, audience: &str) -> String {
    let now_s = sim.now_ms() / 1_000;
    let tenant = sim.tenant();
    let oid = seeded::uuid(sim.config.seed, client);
    let claims = Claims {
        aud: audience.to_owned(),
        iss: format!("https://sts.windows.net/{tenant}/"),
        iat: now_s,
        nbf: now_s,
        // The claims are whole seconds: rounded up, or the token would end before the answer's `expires_in` says.
        exp: sim.now_ms().div_ceil(1_000).saturating_add(sim.config.token_ttl_s),
        appid: client.to_owned(),
        oid: oid.clone(),
        sub: oid,
        tid: tenant,
        ver: "1.0".to_owned(),
        uti: sim.next_token(),
    };
    let payload = serde_json::to_vec(&claims).unwrap_or_default();
    let head = base64url::encode(br#"{"typ":"JWT","alg":"RS256","kid":"atg-sim"}"#);
    let body = format!("{head}.{}", base64url::encode(&payload));
    let signature = signature(sim, &body);
    format!("{body}.{signature}")
}

fn signature(sim: &Sim, body: &str) -> String {
    base64url::encode(&Sha256::digest(format!("{}\0{body}", sim.secret)))
}

fn read(sim: &Sim, token: &str) -> Option<Claims> {
    let (body, given) = token.rsplit_once('.')?;
    if signature(sim, body) != given {
        return None;
    }
    let (_, payload) = body.split_once('.')?;
    serde_json::from_slice(&base64url::decode(payload)?).ok()
}

fn openid(sim: &Sim, call: &Call) -> Reply {
    let tenant = sim.tenant();
    let base = &call.base;
    Reply::ok(json!({
        "token_endpoint": format!("{base}/{tenant}/oauth2/v2.0/token"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": format!("{base}/{tenant}/discovery/v2.0/keys"),
        "issuer": format!("{base}/{tenant}/v2.0"),
        "authorization_endpoint": format!("{base}/{tenant}/oauth2/v2.0/authorize"),
        "device_authorization_endpoint": format!("{base}/{tenant}/oauth2/v2.0/devicecode"),
        "response_types_supported": ["code", "id_token"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "tenant_region_scope": "EU",
        "cloud_instance_name": "microsoftonline.com",
        "msgraph_host": "graph.microsoft.com",
    }))
}

fn instance_discovery(sim: &Sim, call: &Call) -> Value {
    let host = call.base.split("://").nth(1).unwrap_or_default();
    json!({
        "tenant_discovery_endpoint": format!("{}/{}/v2.0/.well-known/openid-configuration", call.base, sim.tenant()),
        "api-version": "1.1",
        "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
    })
}

fn aad_error(sim: &Sim, status: u16, error: &str, code: u32, text: &str) -> Reply {
    let id = sim.request_id();
    let timestamp = sim.timestamp();
    Reply {
        status,
        headers: Vec::new(),
        sent: None,
        foreign: false,
        body: json!({
            "error": error,
            "error_description": format!("AADSTS{code}: {text} Trace ID: {id} Correlation ID: {id} Timestamp: {timestamp}"),
            "error_codes": [code],
            "timestamp": timestamp,
            "trace_id": id,
            "correlation_id": id,
            "error_uri": format!("https://login.microsoftonline.com/error?code={code}"),
        }),
    }
}
