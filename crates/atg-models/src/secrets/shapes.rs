//! Texts that are credentials by their shape, wherever they stand.
//!
//! A row's group `s` is the secret part; what stands around it (a host, a user) stays. Sources: the
//! key formats that Microsoft documents as identifiable, and those that the providers document.
//! A bare old storage key has the shape of a SHA-512 digest and is found by its name only.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::{MARKER, base64_text, hints};

/// What it is, and how it looks.
const SHAPES: &[(&str, &str)] = &[
    (
        "key in a connection string",
        r"(?i)(?:AccountKey|SharedAccessKey|SharedSecretValue|SharedSecret|AccessKey|ApiKey|PrimaryKey|SecondaryKey|AuthKey|Ocp-Apim-Subscription-Key|client_?secret|(?:access|refresh)_?token)\s*=\s*(?P<s>[^;&\s\x22'<>]+)",
    ),
    (
        "shared access signature in a connection string",
        r"(?i)SharedAccessSignature\s*=\s*(?P<s>[^;\s\x22'<>]+)",
    ),
    (
        "signature of an address",
        r"(?i)(?:^|[^a-z0-9_]|%26|%3f|u0026)sig(?:=|%3d)(?P<s>[^&;\s\x22'<>#]+)",
    ),
    ("function key in an address", r"(?i)[?&]code=(?P<s>[a-z0-9_/+=%-]{20,})"),
    (
        "password in a connection string",
        r#"(?i)(?:password|passwd|pwd|passphrase)\s*=\s*(?P<s>"[^"\r\n]+"|'[^'\r\n]+'|\{[^}\r\n]+\}|[^;"'{\s][^;\r\n]*)"#,
    ),
    (
        "password in an address",
        r"(?i)[a-z][a-z0-9+.-]*://[^\s/?#:@\x22'<>]*:(?P<s>[^\s/?#\x22'<>]+)@",
    ),
    (
        "private key",
        r"(?P<s>-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\z))",
    ),
    (
        "private key in base64",
        r"(?P<s>LS0tLS1CRUdJTi(?:BSU0|BQUkl|BFQy|BPUEVO|BFTkNS|BEU0E)[A-Za-z0-9+/=\s]+)",
    ),
    ("PuTTY key", r"(?P<s>PuTTY-User-Key-File-[\s\S]+)"),
    (
        "JSON web token",
        r"(?P<s>eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*)(?:\.[A-Za-z0-9_-]+)*)",
    ),
    (
        "authorization header",
        r"(?i)(?:authorization[\x22']?\s*[:=]\s*[\x22']?(?:basic|sharedkey|bearer)|\bbearer)\s+(?P<s>[a-z0-9+/_.=~:-]{20,})",
    ),
    (
        "Azure Storage, Batch or Cosmos DB key",
        r"(?P<s>[A-Za-z0-9+/]{76}(?:\+ASt|\+ABa|ACDb|\+AMC)[A-Za-z0-9+/]{6}(?:==)?)",
    ),
    (
        "Azure Service Bus, Event Hubs, Relay or IoT key",
        r"(?P<s>[A-Za-z0-9+/]{33}(?:\+ASb|\+AEh|\+ARm|AIoT)[A-Za-z0-9+/]{6}=)",
    ),
    ("Azure Redis key", r"(?P<s>[A-Za-z0-9]{33}AzCa[A-Za-z0-9]{6}=)"),
    (
        "Azure Functions key",
        r"(?P<s>[A-Za-z0-9_-]{44}AzFu[A-Za-z0-9_-]{6}={0,2})",
    ),
    ("Azure Search key", r"(?P<s>[A-Za-z0-9]{42}AzSe[A-D][A-Za-z0-9]{5})"),
    (
        "Azure Container Registry key",
        r"(?P<s>[A-Za-z0-9+/]{42}\+ACR[A-D][A-Za-z0-9+/]{5})",
    ),
    (
        "Azure AI services key",
        r"(?P<s>[A-Za-z0-9]{52}JQQJ9[9D][A-Za-z0-9]{18}[A-Za-z0-9]{4,8})",
    ),
    ("Azure DevOps token", r"(?P<s>[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4})"),
    (
        "Entra client secret",
        r"(?P<s>[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34})",
    ),
    ("atg key", r"(?P<s>atg_(?:dev|integration|production)_[0-9a-f]{64})"),
    ("AWS access key", r"\b(?P<s>(?:AKIA|ASIA)[A-Z0-9]{16})\b"),
    ("Google API key", r"(?P<s>AIza[0-9A-Za-z_-]{35})"),
    (
        "Google OAuth secret",
        r"(?P<s>GOCSPX-[0-9A-Za-z_-]{28}|ya29\.[0-9A-Za-z_-]{20,})",
    ),
    (
        "GitHub token",
        r"(?P<s>gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})",
    ),
    ("GitLab token", r"(?P<s>gl(?:pat|dt|rt|ptt|soat)-[A-Za-z0-9_-]{20,})"),
    (
        "Slack token",
        r"(?P<s>xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-[0-9]-[A-Za-z0-9-]{10,})",
    ),
    (
        "Slack webhook",
        r"hooks\.slack\.com/(?:services|workflows)/(?P<s>[A-Za-z0-9/_-]+)",
    ),
    ("Teams webhook", r"webhook\.office\.com/webhookb2/(?P<s>[^\s\x22'<>]+)"),
    (
        "Discord webhook",
        r"discord(?:app)?\.com/api/webhooks/[0-9]+/(?P<s>[A-Za-z0-9_-]+)",
    ),
    (
        "Stripe key",
        r"(?P<s>[rs]k_(?:live|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9+/=]{24,})",
    ),
    ("SendGrid key", r"(?P<s>SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43})"),
    (
        "OpenAI or Anthropic key",
        r"\b(?P<s>sk-(?:(?:proj|svcacct|admin|ant)-[A-Za-z0-9_-]{20,}|[A-Za-z0-9]{40,}))",
    ),
    (
        "npm or PyPI token",
        r"(?P<s>npm_[A-Za-z0-9]{36}|pypi-AgEI[A-Za-z0-9_-]{40,})",
    ),
    ("Docker token", r"(?P<s>dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,})"),
    ("Databricks token", r"\b(?P<s>dapi[a-f0-9]{32}(?:-[0-9])?)\b"),
    (
        "HashiCorp token",
        r"(?P<s>hv[bsr]\.[A-Za-z0-9_-]{24,}|[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{60,})",
    ),
    ("DigitalOcean token", r"(?P<s>do[opr]_v1_[a-f0-9]{64})"),
    ("Hugging Face token", r"\b(?P<s>hf_[A-Za-z]{34})\b"),
    ("Twilio key", r"\b(?P<s>SK[0-9a-f]{32})\b"),
    ("New Relic key", r"(?P<s>NRAK-[A-Z0-9]{27})"),
    ("Grafana token", r"(?P<s>glsa_[A-Za-z0-9]{32}_[a-f0-9]{8})"),
    ("age key", r"(?P<s>AGE-SECRET-KEY-1[A-Z0-9]{58})"),
];

/// One automaton each: together they would be too large a one to be kept, and each has a literal to
/// skip to.
#[expect(
    clippy::expect_used,
    reason = "a row that does not compile must stop the program, not let secrets pass; a test compiles them all"
)]
static COMPILED: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let shapes = SHAPES.iter();
    shapes
        .map(|(_, pattern)| Regex::new(pattern).expect("every shape compiles"))
        .collect()
});

/// Whether the text holds a credential, as it is or in base64.
pub fn contains_secret(text: &str) -> bool {
    replace(text).1 > 0
}

/// The text with every credential in it replaced by [`MARKER`]: for logs and messages.
pub fn redact_text(text: &str) -> Cow<'_, str> {
    replace(text).0
}

/// The shortest text of any shape (`pwd=x`).
const SHORTEST_BYTES: usize = 5;

/// The text without credentials, and how many there were.
pub(super) fn replace(text: &str) -> (Cow<'_, str>, usize) {
    if text.len() < SHORTEST_BYTES {
        return (Cow::Borrowed(text), 0);
    }
    let (replaced, count) = replace_shapes(text);
    if count > 0 {
        return (replaced, count);
    }
    let inside = base64_text::decode(text).is_some_and(|decoded| replace_shapes(&decoded).1 > 0);
    if inside {
        return (Cow::Borrowed(MARKER), 1);
    }
    (replaced, 0)
}

fn replace_shapes(text: &str) -> (Cow<'_, str>, usize) {
    if !hints::may_hold_secret(text) {
        return (Cow::Borrowed(text), 0);
    }
    let mut replaced = Cow::Borrowed(text);
    let mut count = 0_usize;
    for shape in COMPILED.iter().filter(|shape| shape.is_match(text)) {
        let without = shape.replace_all(&replaced, |found: &Captures<'_>| without_secret(found, &mut count));
        if let Cow::Owned(without) = without {
            replaced = Cow::Owned(without);
        }
    }
    if count == 0 {
        return (Cow::Borrowed(text), 0);
    }
    (replaced, count)
}

fn without_secret(found: &Captures<'_>, count: &mut usize) -> String {
    let whole = found.get(0).map_or("", |whole| whole.as_str());
    let Some(secret) = found.name("s").map(|secret| secret.as_str()) else {
        return whole.to_owned();
    };
    // What was replaced before stays, so that a second run changes nothing.
    if secret == MARKER {
        return whole.to_owned();
    }
    *count = count.saturating_add(1);
    // The secret is the last thing of every shape but for an address's `@`.
    match whole.rsplit_once(secret) {
        Some((before, after)) => format!("{before}{MARKER}{after}"),
        None => MARKER.to_owned(),
    }
}

#[cfg(test)]
pub(super) const fn table() -> &'static [(&'static str, &'static str)] {
    SHAPES
}
