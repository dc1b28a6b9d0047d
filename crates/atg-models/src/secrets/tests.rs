//! Planted secrets go, in every position; what only looks like one stays.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::planted::credentials;
use super::*;

const GUID: &str = "b5684bd7-7958-4c0e-9795-d686c31746d2";
const SHA512: &str = "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==";

fn redacted(type_: &str, mut body: Value) -> (Value, usize) {
    let count = redact(type_, &mut body);
    let mut again = body.clone();
    assert_eq!(redact(type_, &mut again), 0, "a second run finds nothing: {again}");
    assert_eq!(again, body, "a second run changes nothing");
    (body, count)
}

fn gone(body: impl Into<Value>) {
    let body = body.into();
    let (after, count) = redacted("microsoft.x/y", body.clone());
    assert!(count > 0, "{body}");
    assert!(!after.to_string().contains("s3cr3t"), "{after}");
}

fn stays(body: impl Into<Value>) {
    let body = body.into();
    let (after, count) = redacted("microsoft.x/y", body.clone());
    assert_eq!((after, count), (body, 0));
}

#[test]
fn every_shape_has_a_case_and_is_found_in_it() {
    let cases = credentials();
    for (name, pattern) in shapes::table() {
        let shape = regex::Regex::new(pattern).unwrap();
        let own: Vec<_> = cases.iter().filter(|(of, _)| of == name).collect();
        assert!(!own.is_empty(), "no case of {name}");
        for (_, text) in own {
            assert!(shape.is_match(text), "{name}: {text}");
        }
    }
    assert!(
        cases
            .iter()
            .all(|(of, _)| shapes::table().iter().any(|(name, _)| name == of))
    );
}

/// The secret part of a credential, as its own shape says.
fn secret_of(name: &str, text: &str) -> String {
    let (_, pattern) = shapes::table().iter().find(|(of, _)| *of == name).unwrap();
    let found = regex::Regex::new(pattern).unwrap();
    found.captures(text).unwrap()["s"].to_owned()
}

/// The longer secret parts, as they stand inside JSON text.
static PLANTED: std::sync::LazyLock<Vec<String>> = std::sync::LazyLock::new(|| {
    let secrets = credentials().into_iter().map(|(name, text)| secret_of(name, &text));
    let escaped = secrets
        .filter(|secret| secret.len() >= 20)
        .map(|secret| json!(secret).to_string());
    escaped.map(|text| text.trim_matches('"').to_owned()).collect()
});

fn base64(text: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let n = chunk.iter().fold(0_u32, |n, b| (n << 8) | u32::from(*b)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            let six = usize::try_from((n >> (18 - 6 * i)) & 63).unwrap();
            out.push(if i <= chunk.len() {
                char::from(ALPHABET[six])
            } else {
                '='
            });
        }
    }
    out
}

#[test]
fn a_credential_goes_in_every_position_that_a_text_can_take() {
    for (name, text) in credentials() {
        let secret = secret_of(name, &text);
        let positions = [
            json!(text),
            json!({ "properties": { "note": text } }),
            json!({ "a": [[text.clone()], {"b": text.clone()}] }),
            json!({ "a": json!({"b": [text.clone()]}).to_string() }),
            json!({ "a": json!([json!({"b": text.clone()}).to_string()]).to_string() }),
            json!({ text.clone(): 1 }),
            json!({ "a": json!({ text.clone(): 1 }).to_string() }),
            json!({ "a": format!("echo {text}") }),
            json!({ "userData": base64(&format!("#!/bin/sh\necho {text}\n")) }),
            json!({ "tags": { "x": text } }),
        ];
        for body in positions {
            let (after, count) = redacted("microsoft.x/y", body.clone());
            let printed = after.to_string();
            let escaped = json!(secret).to_string();
            assert!(count > 0, "{name}: {body}");
            assert!(!printed.contains(escaped.trim_matches('"')), "{name}: {printed}");
            assert!(printed.contains(MARKER), "{name}: {printed}");
        }
        assert!(contains_secret(&text), "{name}");
        assert!(!redact_text(&text).contains(&secret), "{name}");
        assert!(!contains_secret(&redact_text(&text)), "{name}: {}", redact_text(&text));
    }
}

#[test]
fn a_value_under_a_secrets_name_goes_in_every_position() {
    for name in names::tables() {
        for key in [
            name.to_owned(),
            name.to_uppercase(),
            format!("{name}1"),
            format!("My_{name}"),
        ] {
            if !is_secret_name(&key) {
                // Exact names do not take a prefix.
                assert!(key.starts_with("My_"), "{key}");
                continue;
            }
            gone(json!({ key.clone(): "s3cr3t" }));
            gone(json!({ key.clone(): ["s3cr3t", {"x": "s3cr3t"}] }));
            gone(json!({ key.clone(): {"value": "s3cr3t", "deep": [{"er": "s3cr3t"}]} }));
            gone(json!({ "a": [{ key.clone(): "s3cr3t" }] }));
            gone(json!({ "a": json!({ key.clone(): "s3cr3t" }).to_string() }));
            gone(json!([{"name": key, "value": "s3cr3t"}]));
        }
    }
    let (body, count) = redacted(
        "",
        json!({"adminPassword": 12345, "hasPassword": true, "clientSecret": null}),
    );
    assert_eq!((count, &body["adminPassword"]), (1, &json!(MARKER)));
}

#[test]
fn a_value_at_a_secrets_path_goes() {
    for (type_, above, name) in names::paths() {
        let body = json!({ "properties": { *above: [{ *name: "s3cr3t" }] } });
        let (after, count) = redacted(type_, body);
        assert_eq!(count, 1, "{type_} {above}.{name}");
        assert!(!after.to_string().contains("s3cr3t"));
    }
    gone(json!({"type": "SecureString", "value": "s3cr3t"}));
    gone(json!({"displayName": "x", "secret": true, "value": "s3cr3t"}));
    gone(json!({"name": "Authorization", "value": "s3cr3t"}));
    gone(json!({"properties": {"parameters": {"adminPassword": {"type": "String", "value": "s3cr3t"}}}}));
}

#[test]
fn what_is_no_secret_stays() {
    stays(json!({
        "id": format!("/subscriptions/{GUID}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv/secrets/db-password"),
        "name": "db-password",
        "kmsKeyId": "https://kv.vault.azure.net/keys/k/0123456789abcdef0123456789abcdef",
        "keyName": "primary", "keyVaultId": GUID, "keyVersion": "1", "secretName": "db-password",
        "secretUri": "https://kv.vault.azure.net/secrets/s", "secretUriWithVersion": "https://kv.vault.azure.net/secrets/s/1",
        "keyVaultUri": "https://kv.vault.azure.net/", "tenantId": GUID, "clientId": GUID, "etag": "\"0x8D4BCC2E4835CD0\"",
        "publicKey": "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQC7 user@host",
        "ssh": {"publicKeys": [{"path": "/home/u/.ssh/authorized_keys", "keyData": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM"}]},
        "certificate": "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBa\n-----END CERTIFICATE-----",
        "publicPem": "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\n-----END PUBLIC KEY-----",
        "publicCertData": "MIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBa",
        "thumbprint": "3B5D5C372B7E0DB0E0C6B6B1D6C8B4E4B3C8F6F0", "digest": SHA512,
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "partitionKey": {"paths": ["/id"]}, "disablePasswordAuthentication": true, "validationToken": "x",
        "design": "design=1&sign=2", "webTest": "CredentialPassword=\"\" Proxy=\"default\"", "url": "https://host:8080/path@2?sigma=1", "mail": "mailto:a@b.c",
        "docker": "registry.azurecr.io/disk-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:1",
        "policy": "Passwords must have at least 12 characters; the password policy applies.",
        "settings": [{"name": "WEBSITE_RUN_FROM_PACKAGE", "value": "1"}, {"name": "keyVaultName", "value": "kv"}],
    }));
}

#[test]
fn a_reference_under_a_secrets_name_stays() {
    stays(
        json!({"adminPassword": {"reference": {"keyVault": {"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/kv"}, "secretName": "pw"}}}),
    );
    stays(
        json!({"password": {"type": "AzureKeyVaultSecret", "store": {"referenceName": "kv", "type": "LinkedServiceReference"}, "secretName": "pw"}}),
    );
    stays(
        json!({"secrets": [{"name": "pw", "keyVaultUrl": "https://kv.vault.azure.net/secrets/pw", "identity": "system"}]}),
    );
    stays(
        json!({"secrets": [{"sourceVault": {"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/kv"}, "vaultCertificates": [{"certificateUrl": "https://kv.vault.azure.net/secrets/c/1", "certificateStore": "My"}]}]}),
    );
    stays(
        json!([{"name": "DB_PASSWORD", "value": "@Microsoft.KeyVault(SecretUri=https://kv.vault.azure.net/secrets/pw/)"}]),
    );
    stays(json!([{"name": "DB_PASSWORD", "secretRef": "db-password"}]));
    stays(json!({"accessPolicies": [{"permissions": {"keys": ["get"], "secrets": ["get", "list"]}}]}));
    stays(json!({"keysMetadata": {"primaryMasterKey": {"generationTime": "2022-02-25T20:30:11Z"}}}));
    stays(json!({"apiKey": "Enabled", "useSharedPassword": "Disabled"}));
    stays(json!({"clientSecret": "https://kv.vault.azure.net/secrets/pw"}));
    stays(json!({"adminPassword": "[parameters('adminPassword')]"}));
    gone(json!({"clientSecret": "https://s3cr3t.example.com/secrets/pw"}));
    gone(json!({"clientSecret": "https://kv.vault.azure.net/secrets/s3cr3t?x=1"}));
    gone(json!({"password": "/s3cr3t"}));
}

#[test]
fn what_stands_around_a_credential_stays() {
    let text = "Endpoint=sb://n.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=abc=";
    let expected = format!("Endpoint=sb://n.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey={MARKER}");
    assert_eq!(redact_text(text), expected);
    assert_eq!(
        redact_text("amqps://user:pass@host:5671/v"),
        format!("amqps://user:{MARKER}@host:5671/v")
    );
}

#[test]
fn a_marker_with_something_behind_it_is_no_marker() {
    assert_eq!(
        redact_text(&format!("AccountKey={MARKER}rest")),
        format!("AccountKey={MARKER}")
    );
}

#[test]
fn names_that_become_equal_are_told_apart() {
    let (body, count) = redacted("", json!({"sig=a": 1, "sig=b": 2}));
    assert_eq!(count, 2);
    assert_eq!(body.as_object().unwrap().len(), 2);
}

/// Every property that the published resource types mark as a secret is one by name, or stands here
/// with the reason why it is not.
#[test]
fn the_published_types_secrets_are_in_the_table() {
    let Some(folder) = std::env::var_os("ATG_TEST_DATA") else {
        println!("left out: ATG_TEST_DATA is not set");
        return;
    };
    let path = std::path::Path::new(&folder).join("arm-types.jsonl.gz");
    let unpacked = std::process::Command::new("gzip")
        .arg("-dc")
        .arg(path)
        .output()
        .unwrap();
    let text = String::from_utf8(unpacked.stdout).unwrap();
    // Certificates and public keys, ids and names, addresses, free text: found by shape if at all.
    let elsewhere = [
        "cacertificate",
        "carrieraccountnumber",
        "cert",
        "certificate",
        "certificateobject",
        "clientcertificate",
        "clientid",
        "email",
        "encryptioncertthumbprint",
        "endpointurl",
        "hostkey",
        "hostkeyalgorithm",
        "httpproxy",
        "httpsproxy",
        "id",
        "imagepath",
        "linkingclientid",
        "primingmanifesturl",
        "publickeydata",
        "serverrootcacertificate",
        "state",
        "tenantid",
        "uri",
        "username",
        "workspaceresourceid",
        "adminusersshpublickey",
        "daprai",
        "dapraiinstrumentationkey",
    ];
    let by_path: Vec<_> = names::paths().iter().map(|(_, _, name)| *name).collect();
    let mut missing = std::collections::BTreeSet::new();
    for line in text.lines() {
        let type_: Value = serde_json::from_str(line).unwrap();
        marked(&type_, "", &mut |name| {
            let squashed = names::squash(name);
            if !is_secret_name(name) && !elsewhere.contains(&squashed.as_str()) && !by_path.contains(&squashed.as_str())
            {
                missing.insert(name.to_owned());
            }
        });
    }
    assert!(missing.is_empty(), "{missing:?}");
}

fn marked(node: &Value, name: &str, found: &mut impl FnMut(&str)) {
    if node["secret"] == json!(true) && node["kind"].is_string() {
        found(name);
        return;
    }
    match node {
        Value::Object(members) => {
            for (key, member) in members {
                if key == "props" {
                    for (property, inner) in member.as_object().into_iter().flatten() {
                        marked(inner, property, found);
                    }
                } else {
                    marked(member, name, found);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| marked(item, name, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-zA-Z0-9=;:/@&?. *\"{}\\[\\]-]{0,40}".prop_map(Value::from),
        prop::sample::select(credentials()).prop_map(|(_, text)| Value::from(text)),
        Just(Value::from(MARKER)),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        let name = prop_oneof![
            "[a-zA-Z]{1,12}",
            prop::sample::select(vec![
                "password",
                "value",
                "name",
                "secrets",
                "key",
                "connectionString",
                "id",
                "type"
            ])
            .prop_map(str::to_owned),
            prop::sample::select(credentials()).prop_map(|(_, text)| text),
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((name, inner.clone()), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
            inner.prop_map(|value| Value::from(value.to_string())),
        ]
    })
}

proptest! {
    #[test]
    fn redaction_is_stable_and_complete(body in any_json()) {
        let mut once = body;
        redact("microsoft.x/y", &mut once);
        let mut twice = once.clone();
        prop_assert_eq!(redact("microsoft.x/y", &mut twice), 0);
        prop_assert_eq!(&twice, &once);
        let printed = once.to_string();
        for secret in PLANTED.iter() {
            prop_assert!(!printed.contains(secret.as_str()), "{}: {}", secret, printed);
        }
    }

    #[test]
    fn text_without_secrets_is_not_touched(guid in "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", hex in "[0-9a-f]{32,128}") {
        for text in [&guid, &hex, &format!("/subscriptions/{guid}/resourceGroups/rg-{guid}")] {
            prop_assert_eq!(redact_text(text), text.as_str());
        }
    }
}

/// The hints are sound: whatever a shape matches has one.
#[test]
fn no_shape_is_without_a_hint() {
    const DRAWS: u32 = 200;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for (name, pattern) in shapes::table() {
        // Positions are not drawn, only what stands between them.
        let drawn = pattern.replace(r"\b", "").replace("^|", "").replace(r"|\z", "");
        let texts = proptest::string::string_regex(&drawn).unwrap_or_else(|error| panic!("{name}: {error}"));
        for _ in 0..DRAWS {
            let text = proptest::strategy::ValueTree::current(&texts.new_tree(&mut runner).unwrap());
            // Texts beyond ASCII always pass, so they would prove nothing.
            let ascii = |c: char| match c {
                '\u{17f}' => 's',
                '\u{212a}' => 'k',
                c if c.is_ascii() => c,
                c if c.is_whitespace() => ' ',
                _ => 'x',
            };
            let text: String = text.chars().map(ascii).collect();
            assert!(hints::may_hold_secret(&text), "{name}: {text}");
        }
    }
    assert!(!hints::may_hold_secret(
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/disks/osdisk-1"
    ));
}
