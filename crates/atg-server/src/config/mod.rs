//! The configuration: read once at start, every problem told at once, secrets never printed.

mod print;
mod reader;
mod settings;
mod sources;
mod stores;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use atg_auth::Keyring;
use atg_azure::AzureConfig;
use atg_db::ArtifactPlace;
use atg_models::{TenantId, environment::Environment, limits};
use ipnet::IpNet;
use time::Duration;
use url::Url;

pub(crate) use print::reference;
pub(crate) use reader::is_loopback;
pub(crate) use sources::Values;
pub use stores::StoreChoice;

use reader::Reader;

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
    /// Where graph, jobs and keys are kept.
    pub store: StoreChoice,
    /// Folder of the embedded databases.
    pub data_dir: PathBuf,
    /// Where results are kept.
    pub artifacts: ArtifactPlace,
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
    let mut read = Reader::of(values);
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
    let data_dir = PathBuf::from(values.text("ATG_DATA_DIR").unwrap_or("./atg-data"));
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
        store: read.store(environment),
        artifacts: read.artifacts(&data_dir),
        data_dir,
        public_url: read.url("ATG_PUBLIC_URL"),
        trusted_proxies: read.networks(),
        metrics_addr: read.metrics_addr(),
        artifact_ttl: read.duration("ATG_ARTIFACT_TTL", limits::ARTIFACT_TTL_DEFAULT),
        job_ttl: read.duration("ATG_JOB_TTL", limits::JOB_TTL_DEFAULT),
        log_filter: read.log_filter(),
        log_json: read.one_of("ATG_LOG_FORMAT", "text", &["text", "json"]) == "json",
    };
    read.across(&config);
    if read.problems.is_empty() {
        Ok(config)
    } else {
        Err(read.problems)
    }
}

#[cfg(test)]
mod tests {
    use atg_azure::CredentialChoice;

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
        let problems = loaded(&[("ATG_LLM_URL", "https://llm.example")]).unwrap_err();
        assert!(problems[0].contains("not supported by this version"), "{problems:?}");
    }

    #[test]
    fn an_address_of_neo4j_chooses_it() {
        let good = [("NEO4J_URI", "bolt://neo4j:7687"), ("NEO4J_PASSWORD", "secret-word")];
        let config = loaded(&good).unwrap().config;
        let StoreChoice::Neo4j(neo4j) = &config.store else {
            panic!("{:?}", config.store)
        };
        assert_eq!((neo4j.user.as_str(), neo4j.pool_size), ("neo4j", 50));
        assert!(!format!("{config:?}").contains("secret-word"));
        assert!(matches!(loaded(&[]).unwrap().config.store, StoreChoice::Sqlite));
    }

    #[test]
    fn a_wrong_setting_of_neo4j_is_named() {
        let first = |pairs: &[(&str, &str)]| loaded(pairs).unwrap_err()[0].clone();
        assert!(first(&[("ATG_STORE", "neo4j")]).starts_with("NEO4J_URI is needed"));
        let uri = ("NEO4J_URI", "http://neo4j:7474");
        assert!(first(&[uri, ("NEO4J_PASSWORD", "x")]).starts_with("NEO4J_URI must be"));
        let uri = ("NEO4J_URI", "bolt://neo4j:7687");
        assert!(first(&[uri]).starts_with("NEO4J_PASSWORD is needed"));
        assert!(first(&[uri, ("ATG_STORE", "sqlite")]).starts_with("NEO4J_URI is for ATG_STORE=neo4j only"));
        let weak = [uri, ("NEO4J_PASSWORD", "short-1A"), ("ENVIRONMENT", "production")];
        assert!(first(&weak).starts_with("NEO4J_PASSWORD must have at least 16"));
        assert!(first(&[("NEO4J_DEV_POOL_SIZE", "0")]).starts_with("NEO4J_DEV_POOL_SIZE must be"));
    }

    #[test]
    fn results_have_a_place() {
        let place = |pairs: &[(&str, &str)]| loaded(pairs).map(|loaded| loaded.config.artifacts);
        assert!(matches!(place(&[]), Ok(ArtifactPlace::Folder(folder)) if folder.ends_with("atg-data/artifacts")));
        let shared = place(&[("ATG_ARTIFACT_URL", "file:///srv/atg")]);
        assert!(matches!(shared, Ok(ArtifactPlace::Folder(folder)) if folder == Path::new("/srv/atg")));
        let account = ("AZURE_STORAGE_ACCOUNT_NAME", "atgresults");
        let blob = place(&[("ATG_ARTIFACT_URL", "az://results"), account]);
        assert!(matches!(blob, Ok(ArtifactPlace::AzureContainer(there)) if there.container == "results"));
        for (url, name) in [
            ("s3://bucket", "ATG_ARTIFACT_URL"),
            ("results", "ATG_ARTIFACT_URL"),
            ("az://results", "AZURE_STORAGE_ACCOUNT_NAME"),
        ] {
            let problems = place(&[("ATG_ARTIFACT_URL", url)]).unwrap_err();
            assert!(problems[0].starts_with(name), "{problems:?}");
        }
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
