//! The table of settings: names, defaults, rules. The reference page and `check-config` are made from it.

/// One setting.
pub(crate) struct Setting {
    /// Its name, in every source.
    pub(crate) name: &'static str,
    /// What holds when it is not set; empty = nothing.
    pub(crate) default: &'static str,
    /// What it does and what it may be.
    pub(crate) rule: &'static str,
    /// Printed as stars.
    pub(crate) secret: bool,
}

const fn plain(name: &'static str, default: &'static str, rule: &'static str) -> Setting {
    Setting {
        name,
        default,
        rule,
        secret: false,
    }
}

const fn secret(name: &'static str, rule: &'static str) -> Setting {
    Setting {
        name,
        default: "",
        rule,
        secret: true,
    }
}

/// All settings that this version obeys, in the order of the reference.
pub(crate) const SETTINGS: &[Setting] = &[
    plain("ATG_SERVER_HOST", "0.0.0.0", "address to listen on"),
    plain(
        "ATG_SERVER_PORT",
        "8000",
        "1–65535; 0 only from the command line, the bound port is printed",
    ),
    plain("ATG_SERVER_WORKERS", "4", "threads that answer requests, 1 or more"),
    plain(
        "ENVIRONMENT",
        "dev",
        "dev, integration or production; outside dev at least one key is needed, here or stored",
    ),
    secret(
        "ATG_API_KEYS",
        "comma-separated API keys, each with all rights; `atg-server keys` keeps keys with fewer",
    ),
    plain(
        "ATG_TARGET_TENANT_ID",
        "",
        "the only tenant that is served: a UUID, or one behind a prefix such as dev-tenant-",
    ),
    plain(
        "ATG_USE_MANAGED_IDENTITY",
        "true outside dev",
        "true or false: how the server signs in to Azure",
    ),
    plain(
        "ATG_AZURE_CREDENTIAL",
        "",
        "managed_identity, workload_identity, client_secret or azure_cli: names the credential explicitly",
    ),
    plain(
        "AZURE_CLIENT_ID",
        "",
        "client id of the service principal or user-assigned identity",
    ),
    secret("AZURE_CLIENT_SECRET", "client secret of the service principal"),
    plain("AZURE_TENANT_ID", "", "home tenant of the service principal"),
    plain("AZURE_FEDERATED_TOKEN_FILE", "", "token file of the workload identity"),
    plain("ATG_MAX_CONCURRENT_OPS", "3", "jobs that run at the same time, 1–64"),
    plain(
        "ATG_RATE_LIMIT_SCANS_PER_HOUR",
        "10",
        "scans an hour, per key: 1 or more",
    ),
    plain(
        "ATG_RATE_LIMIT_PER_MINUTE",
        "600",
        "requests a minute, per key: 1 or more",
    ),
    plain(
        "ATG_MAX_JOBS_PER_KEY",
        "10",
        "jobs that wait or run at the same time, per key: 1 or more",
    ),
    plain(
        "CORS_ALLOWED_ORIGINS",
        "",
        "comma-separated origins of browsers; * is refused in production",
    ),
    plain(
        "ATG_STORE",
        "neo4j when NEO4J_URI is set, else sqlite",
        "sqlite (one server, a folder) or neo4j (any number of servers)",
    ),
    plain(
        "NEO4J_URI",
        "",
        "bolt:// or neo4j:// address of Neo4j; +s with TLS, +ssc with TLS and any certificate; the server starts although \
         it cannot be reached",
    ),
    plain("NEO4J_USER", "neo4j", "user of Neo4j"),
    secret(
        "NEO4J_PASSWORD",
        "password of Neo4j; outside dev at least 16 characters with upper and lower case, a digit and a special character",
    ),
    plain(
        "NEO4J_CA_FILE",
        "the system's authorities",
        "PEM file of the authorities that may sign the certificate of Neo4j, for bolt+s:// and neo4j+s://",
    ),
    plain("NEO4J_DATABASE", "", "database of Neo4j; the user's own when empty"),
    plain("NEO4J_DEV_POOL_SIZE", "50", "connections to Neo4j in dev, 1–500"),
    plain(
        "NEO4J_INTEGRATION_POOL_SIZE",
        "30",
        "connections to Neo4j in integration, 1–500",
    ),
    plain(
        "NEO4J_PRODUCTION_POOL_SIZE",
        "50",
        "connections to Neo4j in production, 1–500",
    ),
    plain(
        "ATG_DATA_DIR",
        "./atg-data",
        "folder of the database and the artifacts, created with mode 0700",
    ),
    plain(
        "ATG_ARTIFACT_URL",
        "the folder artifacts in ATG_DATA_DIR",
        "where results are kept: file:///FOLDER or az://CONTAINER; servers that share a Neo4j share this place too",
    ),
    plain("AZURE_STORAGE_ACCOUNT_NAME", "", "storage account of az://CONTAINER"),
    secret(
        "AZURE_STORAGE_ACCOUNT_KEY",
        "key of the storage account; without it the server's identity signs in",
    ),
    plain(
        "AZURE_STORAGE_ENDPOINT",
        "",
        "blob endpoint of the storage account, where it is not Azure's own; http only on loopback",
    ),
    plain(
        "IDENTITY_ENDPOINT",
        "",
        "where the managed identity gets tokens for the storage account; Container Apps and App Service set it",
    ),
    plain(
        "ATG_AZURE_CLOUD",
        "public",
        "public, usgov, china or custom; custom takes the three addresses below",
    ),
    plain(
        "ATG_AZURE_ARM_ENDPOINT",
        "",
        "Resource Manager of a custom cloud; http only on loopback",
    ),
    plain(
        "ATG_AZURE_GRAPH_ENDPOINT",
        "",
        "Microsoft Graph of a custom cloud; http only on loopback",
    ),
    plain(
        "ATG_AZURE_AUTHORITY",
        "",
        "token authority of a custom cloud; http only on loopback",
    ),
    secret(
        "ATG_AZURE_STATIC_TOKEN",
        "a token, or @file read again on 401; custom cloud on loopback only",
    ),
    plain(
        "ATG_PUBLIC_URL",
        "",
        "address under which clients reach the server, for the links that it gives out",
    ),
    plain(
        "ATG_TRUSTED_PROXIES",
        "",
        "comma-separated addresses or CIDR ranges; Forwarded and X-Forwarded-Host, -Proto, -For count only from these",
    ),
    plain(
        "ATG_METRICS_ADDR",
        "",
        "address:port for /metrics, which is then no longer on the API's own",
    ),
    plain(
        "ATG_ARTIFACT_TTL",
        "7d",
        "how long results are kept: a duration such as 90s, 12h, 7d",
    ),
    plain("ATG_JOB_TTL", "30d", "how long finished jobs are kept: a duration"),
    plain(
        "ATG_LOG",
        LOG_DEFAULT,
        "what is logged: error, warn, info, debug, or a tracing filter",
    ),
    plain("ATG_LOG_FORMAT", "text", "text or json"),
];

/// Neo4j's driver says of each connection that it has one, and calls Bolt's version Neo4j's.
pub(super) const LOG_DEFAULT: &str = "info,neo4rs=warn";

/// Settings that the design names and this version does not obey: setting one is an error, not a silence.
pub(crate) const NOT_YET: &[&str] = &["ATG_LLM_URL", "ATG_LLM_API_KEY", "ATG_LLM_MODEL"];

/// Names with our prefix that belong to the client, the tests and the tools.
pub(crate) const OF_OTHERS: &[&str] = &[
    "ATG_SERVICE_URL",
    "ATG_API_KEY",
    "ATG_CONFIG",
    "ATG_OUTPUT",
    "ATG_TIMEOUT",
    "ATG_TENANT_ID",
    "ATG_TEST_DATA",
    "ATG_TEST_CHROMIUM",
    "ATG_TEST_CHROMEDRIVER",
    "ATG_TEST_RUN_DIR",
    "ATG_CACHE_DIR",
];

/// The setting with this name.
pub(crate) fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

/// The known name that looks most like `name`, if one looks like it at all.
pub(crate) fn closest(name: &str) -> Option<&'static str> {
    /// Below this the two have little in common (0 = nothing, 1 = equal).
    const ALIKE: f64 = 0.8;
    SETTINGS
        .iter()
        .map(|setting| (strsim::jaro_winkler(setting.name, name), setting.name))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, name)| name)
}
