//! The configuration: read once at start, every problem told at once, secrets never printed.

mod print;
mod settings;
mod sources;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use atg_auth::Keyring;
use atg_azure::{AzureConfig, Cloud, CredentialChoice, CredentialSettings, Endpoints};
use atg_models::{TenantId, environment::Environment, limits};
use ipnet::IpNet;
use secrecy::SecretString;
use time::Duration;
use url::Url;

pub(crate) use print::reference;
pub(crate) use sources::Values;

/// The addresses of a custom cloud.
const ENDPOINTS: [&str; 3] = [
    "ATG_AZURE_ARM_ENDPOINT",
    "ATG_AZURE_GRAPH_ENDPOINT",
    "ATG_AZURE_AUTHORITY",
];

/// A setting that cannot be obeyed, and why. The text reads on from the setting's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    name: String,
    problem: String,
}

impl ConfigError {
    fn new(name: &str, problem: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            problem: problem.into(),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.problem)
    }
}

/// What the server runs with.
#[derive(Debug, Clone)]
pub struct Config {
    /// Address to listen on.
    pub host: IpAddr,
    /// Port to listen on; 0 = any free one.
    pub port: u16,
    /// Threads that answer requests.
    pub workers: usize,
    /// Where it runs.
    pub environment: Environment,
    /// Who may call, beside the stored keys: keys with all rights.
    pub keyring: Keyring,
    /// The only tenant that is served.
    pub target_tenant: Option<TenantId>,
    /// Where Azure is, and how it signs in.
    pub azure: AzureConfig,
    /// Jobs that run at the same time.
    pub max_concurrent_jobs: u32,
    /// Requests a minute, per key.
    pub requests_per_minute: u32,
    /// Scans an hour, per key.
    pub scans_per_hour: u32,
    /// Jobs that wait or run, per key.
    pub jobs_per_key: u32,
    /// Origins of browsers.
    pub cors_origins: Vec<String>,
    /// Folder of database and artifacts.
    pub data_dir: PathBuf,
    /// Address under which clients reach the server.
    pub public_url: Option<Url>,
    /// Proxies whose word on a request's way counts.
    pub trusted_proxies: Vec<IpNet>,
    /// Where the metrics are, if not beside the API.
    pub metrics_addr: Option<SocketAddr>,
    /// How long results are kept.
    pub artifact_ttl: Duration,
    /// How long finished jobs are kept.
    pub job_ttl: Duration,
    /// What is logged.
    pub log_filter: String,
    /// Whether logs are JSON lines.
    pub log_json: bool,
}

/// The configuration and the text of `check-config`.
#[derive(Debug)]
pub struct Loaded {
    /// What the server runs with.
    pub config: Config,
    /// Every setting as it holds, secrets as stars.
    pub effective: String,
}

/// Reads the configuration from all sources. `port` is the command line's.
///
/// # Errors
/// All settings that cannot be obeyed.
pub fn load(
    environment: impl Iterator<Item = (String, String)>,
    dotenv: Option<&Path>,
    file: Option<&Path>,
    port: Option<u16>,
) -> Result<Loaded, Vec<ConfigError>> {
    let mut values = sources::load(environment, dotenv, file)?;
    if let Some(port) = port {
        values.set("ATG_SERVER_PORT", port.to_string());
    }
    let config = build(&values, port.is_some())?;
    Ok(Loaded {
        config,
        effective: print::effective(&values),
    })
}

fn build(values: &Values, port_may_be_0: bool) -> Result<Config, Vec<ConfigError>> {
    let mut read = Reader {
        values,
        problems: Vec::new(),
    };
    let environment: Environment = read.parsed(
        "ENVIRONMENT",
        Environment::Dev,
        "must be dev, integration or production",
    );
    let dev = environment == Environment::Dev;
    let port = read.parsed("ATG_SERVER_PORT", 8000_u16, "must be a port, 1 to 65535");
    if port == 0 && !port_may_be_0 {
        read.problem("ATG_SERVER_PORT", "must be 1 to 65535 (0 only with --port)");
    }
    let config = Config {
        host: read.parsed("ATG_SERVER_HOST", IpAddr::from([0, 0, 0, 0]), "must be an IP address"),
        port,
        workers: read.number("ATG_SERVER_WORKERS", 4, 1, 256),
        environment,
        keyring: read.keyring(),
        target_tenant: read.target_tenant(),
        azure: read.azure(!dev),
        max_concurrent_jobs: read.number(
            "ATG_MAX_CONCURRENT_OPS",
            limits::CONCURRENT_JOBS_DEFAULT,
            1,
            limits::CONCURRENT_JOBS_MAX,
        ),
        cors_origins: read.origins(),
        requests_per_minute: read.rate("ATG_RATE_LIMIT_PER_MINUTE", limits::REQUESTS_PER_MINUTE_DEFAULT),
        scans_per_hour: read.rate("ATG_RATE_LIMIT_SCANS_PER_HOUR", limits::SCANS_PER_HOUR_DEFAULT),
        jobs_per_key: read.rate("ATG_MAX_JOBS_PER_KEY", limits::JOBS_PER_KEY_DEFAULT),
        data_dir: PathBuf::from(values.text("ATG_DATA_DIR").unwrap_or("./atg-data")),
        public_url: read.url("ATG_PUBLIC_URL"),
        trusted_proxies: read.networks(),
        metrics_addr: read.metrics_addr(),
        artifact_ttl: read.duration("ATG_ARTIFACT_TTL", limits::ARTIFACT_TTL_DEFAULT),
        job_ttl: read.duration("ATG_JOB_TTL", limits::JOB_TTL_DEFAULT),
        log_filter: read.log_filter(),
        log_json: read.one_of("ATG_LOG_FORMAT", "text", &["text", "json"]) == "json",
    };
    read.one_of("ATG_STORE", "sqlite", &["sqlite"]);
    read.across(&config);
    if read.problems.is_empty() {
        Ok(config)
    } else {
        Err(read.problems)
    }
}

struct Reader<'a> {
    values: &'a Values,
    problems: Vec<ConfigError>,
}

impl Reader<'_> {
    fn problem(&mut self, name: &str, problem: impl Into<String>) {
        self.problems.push(ConfigError::new(name, problem));
    }

    fn parsed<T: FromStr>(&mut self, name: &'static str, default: T, rule: &str) -> T {
        match self.values.text(name).map(T::from_str) {
            None => default,
            Some(Ok(value)) => value,
            Some(Err(_)) => {
                self.problem(name, rule);
                default
            }
        }
    }

    fn number<T: FromStr + PartialOrd + Copy + fmt::Display>(
        &mut self,
        name: &'static str,
        default: T,
        min: T,
        max: T,
    ) -> T {
        let rule = format!("must be a whole number from {min} to {max}");
        let value = self.parsed(name, default, &rule);
        if value < min || value > max {
            self.problem(name, rule);
            return default;
        }
        value
    }

    fn rate(&mut self, name: &'static str, default: u32) -> u32 {
        self.number(name, default, 1, limits::RATE_LIMIT_MAX)
    }

    fn list(&self, name: &'static str) -> Vec<String> {
        let text = self.values.text(name).unwrap_or_default();
        text.split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// Origins as browsers write them: `https://app.example.com`.
    fn origins(&mut self) -> Vec<String> {
        const NAME: &str = "CORS_ALLOWED_ORIGINS";
        let origins = self.list(NAME);
        for origin in &origins {
            let plain = Url::parse(origin).map(|url| url.origin().ascii_serialization());
            if origin != "*" && !plain.is_ok_and(|plain| plain.eq_ignore_ascii_case(origin)) {
                self.problem(
                    NAME,
                    format!("holds {origin}, which is no origin such as https://app.example.com"),
                );
            }
        }
        origins
    }

    fn networks(&mut self) -> Vec<IpNet> {
        const NAME: &str = "ATG_TRUSTED_PROXIES";
        let mut networks = Vec::new();
        for entry in self.list(NAME) {
            match entry
                .parse::<IpNet>()
                .or_else(|_| entry.parse::<IpAddr>().map(IpNet::from))
            {
                Ok(network) => networks.push(network),
                Err(_) => self.problem(
                    NAME,
                    format!("holds {entry}, which is neither an address nor a CIDR range"),
                ),
            }
        }
        networks
    }

    fn metrics_addr(&mut self) -> Option<SocketAddr> {
        const NAME: &str = "ATG_METRICS_ADDR";
        let parsed = self.values.text(NAME)?.parse().ok();
        if parsed.is_none() {
            self.problem(NAME, "must be an address with a port, such as 127.0.0.1:9090");
        }
        parsed
    }

    fn keyring(&mut self) -> Keyring {
        Keyring::from_list(self.values.text("ATG_API_KEYS").unwrap_or_default()).unwrap_or_else(|error| {
            self.problem("ATG_API_KEYS", format!("cannot be used: {error}"));
            Keyring::default()
        })
    }

    fn url(&mut self, name: &'static str) -> Option<Url> {
        let text = self.values.text(name)?;
        match Url::parse(text) {
            Ok(url) if is_plain_address(&url) => Some(url),
            Ok(_) | Err(_) => {
                self.problem(name, "must be an http or https address without user, query or fragment");
                None
            }
        }
    }

    fn duration(&mut self, name: &'static str, default: Duration) -> Duration {
        let Some(text) = self.values.text(name) else {
            return default;
        };
        match humantime::parse_duration(text)
            .ok()
            .and_then(|duration| Duration::try_from(duration).ok())
        {
            Some(duration) if duration.is_positive() => duration,
            Some(_) | None => {
                self.problem(name, "must be a duration such as 90s, 12h or 7d");
                default
            }
        }
    }

    fn log_filter(&mut self) -> String {
        let text = self.values.text("ATG_LOG").unwrap_or("info");
        if let Err(error) = tracing_subscriber::EnvFilter::try_new(text) {
            self.problem("ATG_LOG", format!("must be a level or a tracing filter: {error}"));
        }
        text.to_owned()
    }

    fn one_of(&mut self, name: &'static str, default: &'static str, known: &[&'static str]) -> &'static str {
        let Some(text) = self.values.text(name) else {
            return default;
        };
        if let Some(found) = known.iter().find(|word| word.eq_ignore_ascii_case(text)) {
            return found;
        }
        self.problem(name, format!("must be {}", known.join(" or ")));
        default
    }

    /// A UUID, or one behind a prefix.
    fn target_tenant(&mut self) -> Option<TenantId> {
        const UUID_LEN_BYTES: usize = 36;
        let text = self.values.text("ATG_TARGET_TENANT_ID")?;
        let at = text.len().checked_sub(UUID_LEN_BYTES);
        let parsed = at.and_then(|at| text.get(at..)).and_then(|uuid| uuid.parse().ok());
        if parsed.is_none() {
            self.problem(
                "ATG_TARGET_TENANT_ID",
                "must be a UUID, or one behind a prefix such as dev-tenant-",
            );
        }
        parsed
    }

    fn azure(&mut self, managed_identity_by_default: bool) -> AzureConfig {
        let use_managed_identity = self.parsed(
            "ATG_USE_MANAGED_IDENTITY",
            managed_identity_by_default,
            "must be true or false",
        );
        let values = self.values;
        let owned = |name| values.text(name).map(str::to_owned);
        let secret = |name| values.text(name).map(|text| SecretString::from(text.to_owned()));
        let name = self.one_of("ATG_AZURE_CLOUD", "public", &["public", "usgov", "china", "custom"]);
        let [arm, graph, authority] = ENDPOINTS.map(|name| values.text(name).unwrap_or_default());
        if name != "custom" {
            for endpoint in ENDPOINTS.into_iter().filter(|endpoint| values.text(endpoint).is_some()) {
                self.problem(endpoint, "is for ATG_AZURE_CLOUD=custom only");
            }
        }
        let cloud = Cloud::from_name(name, || Endpoints::parse(arm, graph, authority));
        let credential = CredentialSettings {
            name: owned("ATG_AZURE_CREDENTIAL"),
            use_managed_identity,
            client_id: owned("AZURE_CLIENT_ID"),
            client_secret: secret("AZURE_CLIENT_SECRET"),
            federated_token_file: owned("AZURE_FEDERATED_TOKEN_FILE").map(PathBuf::from),
            static_token: secret("ATG_AZURE_STATIC_TOKEN"),
        }
        .choose();
        let cloud = cloud.unwrap_or_else(|error| self.refused(&error, Cloud::Public));
        let credential = credential.unwrap_or_else(|error| self.refused(&error, CredentialChoice::AzureCli));
        let config = AzureConfig::new(cloud, credential);
        if let Err(error) = config.validate() {
            return self.refused(&error, config);
        }
        config
    }

    /// The texts of `atg-azure` name the setting at their start.
    fn refused<T>(&mut self, error: &atg_azure::ConfigError, instead: T) -> T {
        let text = error.to_string();
        let (name, problem) = text.split_once(' ').unwrap_or(("ATG_AZURE_CLOUD", &text));
        self.problem(name, problem);
        instead
    }

    /// Rules between settings.
    fn across(&mut self, config: &Config) {
        let production = config.environment == Environment::Production;
        if production && config.cors_origins.iter().any(|origin| origin == "*") {
            self.problem("CORS_ALLOWED_ORIGINS", "must not be * in production");
        }
    }
}

/// Whether paths can be put behind an address.
fn is_plain_address(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
}

/// Whether an address lies on this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "atg_dev_00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    fn loaded(pairs: &[(&str, &str)]) -> Result<Loaded, Vec<String>> {
        let environment = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        load(environment, None, None, None).map_err(|errors| errors.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn nothing_set_is_a_good_configuration() {
        let config = loaded(&[]).unwrap().config;
        assert_eq!((config.port, config.workers, config.max_concurrent_jobs), (8000, 4, 3));
        assert!(matches!(config.azure.credential, CredentialChoice::AzureCli));
    }

    #[test]
    fn every_problem_is_told() {
        let problems = loaded(&[
            ("ATG_SERVER_PORT", "0"),
            ("ATG_SERVER_WORKERS", "none"),
            ("ENVIRONMENT", "production"),
            ("ATG_API_KEYS", "short"),
            ("CORS_ALLOWED_ORIGINS", "*"),
            ("ATG_AZURE_STATIC_TOKEN", "x"),
            ("ATG_JOB_TTL", "soon"),
            ("ATG_LOG", "atg=loud"),
            ("ATG_PUBLIC_URL", "https://atg.example/?x=1"),
        ]);
        let names: Vec<_> = problems
            .unwrap_err()
            .iter()
            .map(|problem| problem.split(' ').next().unwrap().to_owned())
            .collect();
        for name in [
            "ATG_SERVER_PORT",
            "ATG_SERVER_WORKERS",
            "ATG_API_KEYS",
            "CORS_ALLOWED_ORIGINS",
            "ATG_AZURE_STATIC_TOKEN",
            "ATG_JOB_TTL",
            "ATG_LOG",
            "ATG_PUBLIC_URL",
        ] {
            assert!(names.contains(&name.to_owned()), "{name} in {names:?}");
        }
    }

    #[test]
    fn an_unknown_name_gets_the_closest() {
        let problems = loaded(&[("ATG_SERVER_PROT", "1"), ("PATH", "x"), ("ATG_SERVICE_URL", "x")]).unwrap_err();
        assert_eq!(
            problems,
            ["ATG_SERVER_PROT is not a setting (environment), did you mean ATG_SERVER_PORT?"]
        );
    }

    #[test]
    fn a_setting_of_a_later_version_is_refused() {
        let problems = loaded(&[("NEO4J_URI", "bolt://localhost")]).unwrap_err();
        assert!(problems[0].contains("not supported by this version"), "{problems:?}");
    }

    #[test]
    fn secrets_are_stars() {
        let loaded = loaded(&[("ATG_API_KEYS", KEY)]).unwrap();
        assert!(!loaded.effective.contains(KEY));
        assert!(!format!("{:?}", loaded.config).contains(KEY));
        assert!(loaded.effective.contains("********"));
    }

    #[test]
    fn a_custom_cloud_needs_its_addresses() {
        let problems = loaded(&[
            ("ATG_AZURE_CLOUD", "custom"),
            ("ATG_AZURE_ARM_ENDPOINT", "http://example.com"),
        ])
        .unwrap_err();
        assert!(
            problems[0].starts_with("ATG_AZURE_ARM_ENDPOINT must be an https URL"),
            "{problems:?}"
        );
    }

    #[test]
    fn the_target_tenant_may_stand_behind_a_prefix() {
        let config = loaded(&[(
            "ATG_TARGET_TENANT_ID",
            "dev-tenant-11111111-2222-3333-4444-555555555555",
        )])
        .unwrap()
        .config;
        assert_eq!(
            config.target_tenant.unwrap().to_string(),
            "11111111-2222-3333-4444-555555555555"
        );
    }
}
