//! A credential of every shape, to be planted where a test wants to see it gone.

const GUID: &str = "b5684bd7-7958-4c0e-9795-d686c31746d2";

/// The names of the table: what stands under one of them is a secret.
pub fn names() -> impl Iterator<Item = &'static str> {
    super::names::tables()
}

/// The paths of the table: type (empty for any), name above, name.
pub fn paths() -> &'static [(&'static str, &'static str, &'static str)] {
    super::names::paths()
}

/// A credential of every shape's row, at least one each.
#[expect(clippy::too_many_lines, reason = "a table")]
pub fn credentials() -> Vec<(&'static str, String)> {
    let x = |n: usize| cycle("aB3dE5gH", n);
    let hex = |n: usize| cycle("0a1b2c3d", n);
    let upper = |n: usize| cycle("A1B2C3D4", n);
    let pem = |kind: &str| {
        format!(
            "-----BEGIN {kind}PRIVATE KEY-----\nMIIE{}\n-----END {kind}PRIVATE KEY-----",
            x(64)
        )
    };
    vec![
        (
            "key in a connection string",
            format!("AccountName=a;AccountKey={}==;EndpointSuffix=x", x(86)),
        ),
        (
            "key in a connection string",
            format!("Endpoint=sb://n.servicebus.windows.net/;SharedAccessKey={}=", x(43)),
        ),
        (
            "shared access signature in a connection string",
            "BlobEndpoint=https://a/;SharedAccessSignature=sv=2020&sig=abc".to_owned(),
        ),
        (
            "signature of an address",
            "https://a.blob.core.windows.net/c?sv=2020-08-04&sig=abc%2Bdef%3D".to_owned(),
        ),
        (
            "function key in an address",
            format!("https://f.azurewebsites.net/api/x?code={}", x(54)),
        ),
        (
            "password in a connection string",
            "Server=s;User Id=u;Password=p a&s%s@!;Encrypt=true".to_owned(),
        ),
        (
            "password in a connection string",
            "Server=s;Uid=u;Pwd={pa;ss};".to_owned(),
        ),
        (
            "password in an address",
            "amqps://user:pa:ss@w@host:5671/vhost".to_owned(),
        ),
        ("private key", pem("")),
        ("private key", pem("RSA ")),
        ("private key", pem("OPENSSH ")),
        ("private key", "-----BEGIN PGP PRIVATE KEY BLOCK-----\nabc".to_owned()),
        (
            "private key in base64",
            "LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQpNSUlF".to_owned(),
        ),
        ("PuTTY key", "PuTTY-User-Key-File-3: ssh-rsa\nabc".to_owned()),
        ("JSON web token", "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.c2ln".to_owned()),
        ("authorization header", format!("Authorization: Bearer {}", x(32))),
        ("authorization header", format!("authorization: basic {}", x(32))),
        (
            "Azure Storage, Batch or Cosmos DB key",
            format!("{}+ASt{}==", x(76), x(6)),
        ),
        (
            "Azure Service Bus, Event Hubs, Relay or IoT key",
            format!("{}+ASb{}=", x(33), x(6)),
        ),
        ("Azure Redis key", format!("{}AzCa{}=", x(33), x(6))),
        ("Azure Functions key", format!("{}AzFu{}==", x(44), x(6))),
        ("Azure Search key", format!("{}AzSeA{}", x(42), x(5))),
        ("Azure Container Registry key", format!("{}+ACRA{}", x(42), x(5))),
        ("Azure AI services key", format!("{}JQQJ99{}{}", x(52), x(18), x(8))),
        ("Azure DevOps token", format!("{}AZDO{}", x(76), x(4))),
        ("Entra client secret", format!("abc8Q~{}", x(34))),
        ("atg key", format!("atg_dev_{}", hex(64))),
        ("AWS access key", format!("AKIA{}", upper(16))),
        ("Google API key", format!("AIza{}", x(35))),
        ("Google OAuth secret", format!("GOCSPX-{}", x(28))),
        ("GitHub token", format!("ghp_{}", x(36))),
        ("GitLab token", format!("glpat-{}", x(20))),
        ("Slack token", format!("xoxb-{}", x(24))),
        (
            "Slack webhook",
            format!("https://hooks.slack.com/services/T0/B0/{}", x(24)),
        ),
        (
            "Teams webhook",
            format!(
                "https://a.webhook.office.com/webhookb2/{GUID}@{GUID}/IncomingWebhook/{}",
                hex(32)
            ),
        ),
        (
            "Discord webhook",
            format!("https://discord.com/api/webhooks/123/{}", x(40)),
        ),
        ("Stripe key", format!("sk_live_{}", x(24))),
        ("SendGrid key", format!("SG.{}.{}", x(22), x(43))),
        ("OpenAI or Anthropic key", format!("sk-{}", x(48))),
        ("OpenAI or Anthropic key", format!("sk-proj-{}", x(48))),
        ("npm or PyPI token", format!("npm_{}", x(36))),
        ("Docker token", format!("dckr_pat_{}", x(27))),
        ("Databricks token", format!("dapi{}", hex(32))),
        ("HashiCorp token", format!("hvs.{}", x(24))),
        ("DigitalOcean token", format!("dop_v1_{}", hex(64))),
        ("Hugging Face token", format!("hf_{}", cycle("aBcDeFgH", 34))),
        ("Twilio key", format!("SK{}", hex(32))),
        ("New Relic key", format!("NRAK-{}", upper(27))),
        ("Grafana token", format!("glsa_{}_{}", x(32), hex(8))),
        ("age key", format!("AGE-SECRET-KEY-1{}", upper(58))),
    ]
}

fn cycle(text: &str, length: usize) -> String {
    text.chars().cycle().take(length).collect()
}
