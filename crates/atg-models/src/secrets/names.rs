//! Key names and paths whose values are secrets.
//!
//! Names are compared squashed: lower case, letters and digits only, digits at the end left out
//! (`ACCESS_KEY_1` is `accesskey`). Source: the properties that Azure's published resource types
//! mark as secret, and the settings that name a credential by custom.

use super::MARKER;

/// A name that ends so holds a secret.
const ENDINGS: &[&str] = &[
    "accesskey",
    "accountkey",
    "activationkey",
    "adminkey",
    "apikey",
    "applicationkey",
    "appkey",
    "authcode",
    "authorizationcode",
    "authorizationkey",
    "bitlockerkey",
    "certificatekey",
    "certificatevalue",
    "connectionkey",
    "connectionstring",
    "credentialskey",
    "decryptionkey",
    "encryptedcredential",
    "encryptedkey",
    "endpointkey",
    "extensionkey",
    "functionkey",
    "functionskey",
    "ingestionkey",
    "kubeconfig",
    "licensekey",
    "luiskey",
    "masterkey",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "pfxblob",
    "pfxcertificate",
    "policykey",
    "primarykey",
    "privatekey",
    "privatekeydata",
    "productkey",
    "pwd",
    "saskey",
    "sastoken",
    "sasuri",
    "sasurl",
    "secondarykey",
    "secret",
    "secretconfigurationvalue",
    "secretdata",
    "secretkey",
    "secretdeploymentvalues",
    "secretstring",
    "secrettext",
    "secretvalue",
    "securestring",
    "securevalue",
    "serviceprincipalkey",
    "sharedkey",
    "signingkey",
    "storagekey",
    "subscriptionkey",
    "token",
    "validationkey",
    "webhookkey",
    "workspacekey",
];

/// A name that is exactly this holds a secret, or only secrets below it.
const EXACT: &[&str] = &[
    "admcredential",
    "apnscredential",
    "baiducredential",
    "browsercredential",
    "customdata",
    "gcmcredential",
    "keytab",
    "mpnscredential",
    "networkdatacontent",
    "ownershipvoucher",
    "pat",
    "pnscredentials",
    "protectedparameters",
    "protectedsettings",
    "psk",
    "sas",
    "secretresources",
    "secrets",
    "securesettings",
    "sendkeyvalue",
    "userdatacontent",
    "verifysignupphrase",
    "virtualclustergraduationproperties",
    "wnscredential",
    "xapikey",
    "xiaomicredential",
];

/// Names that end like a secret and are none.
const NOT_SECRET: &[&str] = &[
    "cancellationtoken",
    "clientrequesttoken",
    "clienttoken",
    "continuationtoken",
    "creationtoken",
    "domainverificationtoken",
    "nexttoken",
    "publickeytoken",
    "publicsigningkey",
    "skiptoken",
    "synctoken",
    "updatetriggertoken",
    "validationtoken",
];

/// Names of headers and settings that hold a secret when they stand as a `name` beside a `value`.
const NAMED_VALUES: &[&str] = &["authorization", "cookie", "proxyauthorization", "setcookie"];

/// Type (empty = any), name above, name: for names that mean something else elsewhere.
const PATHS: &[(&str, &str, &str)] = &[
    ("", "additionalunattendcontent", "content"),
    ("", "authorization", "code"),
    ("", "credentials", "key"),
    ("", "inline", "value"),
    ("", "keys", "value"),
    ("", "protectedfiles", "content"),
    ("", "repositoryaccess", "code"),
    ("", "secretinfo", "value"),
    ("", "sslconfiguration", "key"),
    ("microsoft.app/agents/connectors", "properties", "datasource"),
    ("microsoft.app/agentspaces/connectors", "properties", "datasource"),
    (
        "microsoft.app/connectedenvironments/certificates",
        "properties",
        "value",
    ),
    ("microsoft.app/managedenvironments/certificates", "properties", "value"),
    (
        "microsoft.containerregistry/registries/webhooks",
        "properties",
        "serviceuri",
    ),
    ("microsoft.elastic/monitors/openaiintegrations", "properties", "key"),
    ("microsoft.eventgrid", "properties", "endpointurl"),
    ("microsoft.eventgrid", "destination", "endpointurl"),
    ("microsoft.extendedlocation/customlocations", "authentication", "value"),
    ("microsoft.keyvault/vaults/secrets", "properties", "value"),
    (
        "microsoft.kusto/clusters/databases/scripts",
        "properties",
        "scriptcontent",
    ),
    (
        "microsoft.securityinsights/alertrules/actions",
        "properties",
        "triggeruri",
    ),
];

/// Name above, name: what sounds like a secret and is none there (the verbs of a vault's access policy).
const NOT_SECRET_PATHS: &[(&str, &str)] = &[("permissions", "secrets")];

/// Below a secret name, what ends so describes or refers, and is no secret itself.
const REFERENCE_ENDINGS: &[&str] = &[
    "algorithm",
    "description",
    "enabled",
    "expiry",
    "id",
    "identity",
    "ids",
    "keyvault",
    "kind",
    "length",
    "name",
    "policy",
    "ref",
    "reference",
    "scopes",
    "size",
    "store",
    "thumbprint",
    "time",
    "type",
    "uri",
    "url",
    "vault",
    "version",
];

/// Whether a value under this name is a secret, wherever it stands.
pub fn is_secret_name(name: &str) -> bool {
    is_secret(&squash(name))
}

pub(super) fn is_secret(squashed: &str) -> bool {
    if NOT_SECRET.contains(&squashed) {
        return false;
    }
    EXACT.contains(&squashed) || ENDINGS.iter().any(|ending| squashed.ends_with(ending))
}

/// Whether a `value` beside this `name` is a secret.
pub(super) fn names_secret_value(name: &str) -> bool {
    let squashed = squash(name);
    is_secret(&squashed) || NAMED_VALUES.contains(&squashed.as_str())
}

/// Whether the value at this place of a body of this type is a secret. Names come squashed.
pub(super) fn is_secret_path(type_lower: &str, above: &str, name: &str) -> bool {
    PATHS
        .iter()
        .any(|(type_, parent, key)| *key == name && *parent == above && type_lower.starts_with(type_))
}

/// Whether the name sounds like a secret at this place and is none.
pub(super) fn is_harmless_path(above: &str, name: &str) -> bool {
    NOT_SECRET_PATHS.contains(&(above, name))
}

/// Whether what stands under this name below a secret refers to it or describes it.
pub(super) fn is_reference(squashed: &str) -> bool {
    !is_secret(squashed) && REFERENCE_ENDINGS.iter().any(|ending| squashed.ends_with(ending))
}

/// Lower case, letters and digits only, digits at the end left out. A name that was a credential says
/// nothing about its value.
pub(super) fn squash(name: &str) -> String {
    if name.contains(MARKER) {
        return String::new();
    }
    let squashed: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    squashed.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned()
}

#[cfg(any(test, feature = "testing"))]
pub(super) fn tables() -> impl Iterator<Item = &'static str> {
    ENDINGS.iter().chain(EXACT).copied()
}

#[cfg(any(test, feature = "testing"))]
pub(super) fn paths() -> &'static [(&'static str, &'static str, &'static str)] {
    PATHS
}
