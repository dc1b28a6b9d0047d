//! One setting after another: parsed by its rule, every problem kept.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use atg_auth::Keyring;
use atg_azure::{AzureConfig, Cloud, CredentialChoice, CredentialSettings, Endpoints};
use atg_models::{TenantId, environment::Environment, limits};
use ipnet::IpNet;
use secrecy::SecretString;
use time::Duration;
use url::Url;

use super::settings::LOG_DEFAULT;
use super::{Config, ConfigError, Values};

/// The addresses of a custom cloud.
const ENDPOINTS: [&str; 3] = [
    "ATG_AZURE_ARM_ENDPOINT",
    "ATG_AZURE_GRAPH_ENDPOINT",
    "ATG_AZURE_AUTHORITY",
];

/// Reads settings, each by its rule, and remembers all that is wrong.
pub(super) struct Reader<'a> {
    pub(super) values: &'a Values,
    pub(super) problems: Vec<ConfigError>,
}

impl<'a> Reader<'a> {
    pub(super) fn of(values: &'a Values) -> Self {
        Self {
            values,
            problems: Vec::new(),
        }
    }

    pub(super) fn problem(&mut self, name: &str, problem: impl Into<String>) {
        self.problems.push(ConfigError::new(name, problem));
    }

    pub(super) fn parsed<T: FromStr>(&mut self, name: &'static str, default: T, rule: &str) -> T {
        match self.values.text(name).map(T::from_str) {
            None => default,
            Some(Ok(value)) => value,
            Some(Err(_)) => {
                self.problem(name, rule);
                default
            }
        }
    }

    pub(super) fn number<T: FromStr + PartialOrd + Copy + fmt::Display>(
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

    pub(super) fn rate(&mut self, name: &'static str, default: u32) -> u32 {
        self.number(name, default, 1, limits::RATE_LIMIT_MAX)
    }

    pub(super) fn list(&self, name: &'static str) -> Vec<String> {
        let text = self.values.text(name).unwrap_or_default();
        text.split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// Origins as browsers write them: `https://app.example.com`.
    pub(super) fn origins(&mut self) -> Vec<String> {
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

    pub(super) fn networks(&mut self) -> Vec<IpNet> {
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

    pub(super) fn metrics_addr(&mut self) -> Option<SocketAddr> {
        const NAME: &str = "ATG_METRICS_ADDR";
        let parsed = self.values.text(NAME)?.parse().ok();
        if parsed.is_none() {
            self.problem(NAME, "must be an address with a port, such as 127.0.0.1:9090");
        }
        parsed
    }

    pub(super) fn keyring(&mut self) -> Keyring {
        Keyring::from_list(self.values.text("ATG_API_KEYS").unwrap_or_default()).unwrap_or_else(|error| {
            self.problem("ATG_API_KEYS", format!("cannot be used: {error}"));
            Keyring::default()
        })
    }

    pub(super) fn url(&mut self, name: &'static str) -> Option<Url> {
        let text = self.values.text(name)?;
        match Url::parse(text) {
            Ok(url) if is_plain_address(&url) => Some(url),
            Ok(_) | Err(_) => {
                self.problem(name, "must be an http or https address without user, query or fragment");
                None
            }
        }
    }

    pub(super) fn duration(&mut self, name: &'static str, default: Duration) -> Duration {
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

    pub(super) fn log_filter(&mut self) -> String {
        let text = self.values.text("ATG_LOG").unwrap_or(LOG_DEFAULT);
        if let Err(error) = tracing_subscriber::EnvFilter::try_new(text) {
            self.problem("ATG_LOG", format!("must be a level or a tracing filter: {error}"));
        }
        text.to_owned()
    }

    pub(super) fn one_of(&mut self, name: &'static str, default: &'static str, known: &[&'static str]) -> &'static str {
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
    pub(super) fn target_tenant(&mut self) -> Option<TenantId> {
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

    pub(super) fn azure(&mut self, managed_identity_by_default: bool) -> AzureConfig {
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
    pub(super) fn refused<T>(&mut self, error: &atg_azure::ConfigError, instead: T) -> T {
        let text = error.to_string();
        let (name, problem) = text.split_once(' ').unwrap_or(("ATG_AZURE_CLOUD", &text));
        self.problem(name, problem);
        instead
    }

    /// Rules between settings.
    pub(super) fn across(&mut self, config: &Config) {
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
