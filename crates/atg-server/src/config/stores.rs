//! The settings of what the server keeps: which store, and where results lie.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use atg_db::neo4j::Neo4jConfig;
use atg_db::{ArtifactPlace, AzureContainer};
use atg_models::environment::Environment;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use secrecy::SecretString;
use url::Url;

use super::is_loopback;
use super::reader::Reader;

/// Where graph, jobs and keys are kept.
#[derive(Debug, Clone)]
pub enum StoreChoice {
    /// In the data folder, by one server.
    Sqlite,
    /// In a Neo4j, by any number of servers.
    Neo4j(Box<Neo4jConfig>),
}

/// Connections that one server may hold.
const POOL_SIZE_MAX: u32 = 500;
/// The shortest password of Neo4j outside dev, in characters.
const PASSWORD_CHARS_MIN: usize = 16;

impl Reader<'_> {
    /// `instance` is filled in at the start.
    pub(super) fn store(&mut self, environment: Environment) -> StoreChoice {
        // Read in any case, so that each wrong setting is told.
        let pool_size = self.pool_size(environment);
        let has_uri = self.values.text("NEO4J_URI").is_some();
        let default = if has_uri { "neo4j" } else { "sqlite" };
        if self.one_of("ATG_STORE", default, &["sqlite", "neo4j"]) == "sqlite" {
            if has_uri {
                self.problem("NEO4J_URI", "is for ATG_STORE=neo4j only: remove one of the two");
            }
            return StoreChoice::Sqlite;
        }
        let values = self.values;
        let uri = self.neo4j_uri();
        let ca_file = self.ca_file(&uri);
        let password = values.text("NEO4J_PASSWORD").unwrap_or_default();
        if let Some(problem) = password_problem(password, environment) {
            self.problem("NEO4J_PASSWORD", problem);
        }
        StoreChoice::Neo4j(Box::new(Neo4jConfig {
            uri,
            user: values.text("NEO4J_USER").unwrap_or("neo4j").to_owned(),
            password: SecretString::from(password.to_owned()),
            database: values.text("NEO4J_DATABASE").map(str::to_owned),
            ca_file,
            pool_size,
            instance: String::new(),
        }))
    }

    fn neo4j_uri(&mut self) -> String {
        const NAME: &str = "NEO4J_URI";
        const SCHEMES: &[&str] = &["bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc"];
        let Some(text) = self.values.text(NAME) else {
            self.problem(NAME, "is needed for ATG_STORE=neo4j, such as bolt://neo4j:7687");
            return String::new();
        };
        let good = Url::parse(text).is_ok_and(|url| {
            SCHEMES.contains(&url.scheme()) && url.has_host() && url.username().is_empty() && url.password().is_none()
        });
        if !good {
            self.problem(
                NAME,
                "must be an address such as bolt://neo4j:7687 or neo4j+s://host:7687, without user and password",
            );
        }
        text.to_owned()
    }

    fn ca_file(&mut self, uri: &str) -> Option<PathBuf> {
        const NAME: &str = "NEO4J_CA_FILE";
        const CHECKED: &[&str] = &["bolt+s://", "neo4j+s://"];
        let file = self.values.text(NAME).map(PathBuf::from)?;
        if !CHECKED.iter().any(|scheme| uri.starts_with(scheme)) {
            self.problem(
                NAME,
                "is for bolt+s:// and neo4j+s:// only, which check the server's certificate",
            );
        } else if let Err(error) = check_authorities(&file) {
            self.problem(NAME, format!("must be a PEM file of certificates: {error:#}"));
        }
        Some(file)
    }

    /// Each is read, one counts.
    fn pool_size(&mut self, environment: Environment) -> u32 {
        let dev = self.number("NEO4J_DEV_POOL_SIZE", 50, 1, POOL_SIZE_MAX);
        let integration = self.number("NEO4J_INTEGRATION_POOL_SIZE", 30, 1, POOL_SIZE_MAX);
        let production = self.number("NEO4J_PRODUCTION_POOL_SIZE", 50, 1, POOL_SIZE_MAX);
        match environment {
            Environment::Dev => dev,
            Environment::Integration => integration,
            Environment::Production => production,
        }
    }

    pub(super) fn artifacts(&mut self, data_dir: &Path) -> ArtifactPlace {
        const NAME: &str = "ATG_ARTIFACT_URL";
        let beside = ArtifactPlace::Folder(data_dir.join("artifacts"));
        let Some(text) = self.values.text(NAME) else {
            return beside;
        };
        let place = match Url::parse(text) {
            Ok(url) if url.scheme() == "file" => url.to_file_path().ok().map(ArtifactPlace::Folder),
            Ok(url) if url.scheme() == "az" && matches!(url.path(), "" | "/") => url
                .host_str()
                .map(|container| ArtifactPlace::AzureContainer(Box::new(self.container(container)))),
            Ok(_) | Err(_) => None,
        };
        place.unwrap_or_else(|| {
            self.problem(NAME, "must be file:///FOLDER or az://CONTAINER");
            beside
        })
    }

    fn container(&mut self, container: &str) -> AzureContainer {
        const ENDPOINT: &str = "AZURE_STORAGE_ENDPOINT";
        let values = self.values;
        let owned = |name| values.text(name).map(str::to_owned);
        let account = owned("AZURE_STORAGE_ACCOUNT_NAME").unwrap_or_else(|| {
            self.problem("AZURE_STORAGE_ACCOUNT_NAME", "is needed for az://CONTAINER");
            String::new()
        });
        let endpoint = self.url(ENDPOINT);
        if endpoint
            .as_ref()
            .is_some_and(|url| url.scheme() == "http" && !is_loopback(url))
        {
            self.problem(ENDPOINT, "must be an https address: http is for loopback only");
        }
        AzureContainer {
            account,
            container: container.to_owned(),
            key: owned("AZURE_STORAGE_ACCOUNT_KEY").map(SecretString::from),
            endpoint,
            client_id: owned("AZURE_CLIENT_ID"),
            tenant_id: owned("AZURE_TENANT_ID"),
            federated_token_file: owned("AZURE_FEDERATED_TOKEN_FILE").map(PathBuf::from),
            identity_endpoint: self.url("IDENTITY_ENDPOINT"),
        }
    }
}

/// Whether each certificate of a file can be one of an authority, and there is one.
fn check_authorities(file: &Path) -> anyhow::Result<()> {
    let text = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    let mut authorities = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let certificate = certificate.with_context(|| format!("{} cannot be read", file.display()))?;
        let added = authorities.add(certificate);
        added.with_context(|| format!("{} holds one that is none", file.display()))?;
    }
    anyhow::ensure!(!authorities.is_empty(), "{} holds none", file.display());
    Ok(())
}

/// What is wrong with a password, without a word of it.
fn password_problem(password: &str, environment: Environment) -> Option<&'static str> {
    if password.is_empty() {
        return Some("is needed for ATG_STORE=neo4j");
    }
    if environment == Environment::Dev {
        return None;
    }
    let has = |is: fn(&char) -> bool| password.chars().any(|c| is(&c));
    let strong = password.chars().count() >= PASSWORD_CHARS_MIN
        && has(|c| c.is_uppercase())
        && has(|c| c.is_lowercase())
        && has(char::is_ascii_digit)
        && has(|c| !c.is_alphanumeric());
    (!strong).then_some(
        "must have at least 16 characters outside dev, with upper and lower case, a digit and a special character",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded(uri: &str, file: &Path) -> Result<Option<PathBuf>, String> {
        let file = file.to_str().unwrap();
        let pairs = [
            ("NEO4J_URI", uri),
            ("NEO4J_PASSWORD", "a password"),
            ("NEO4J_CA_FILE", file),
        ];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let loaded = crate::config::load(pairs.into_iter(), None, None, None);
        match loaded.map(|loaded| loaded.config.store) {
            Ok(StoreChoice::Neo4j(settings)) => Ok(settings.ca_file),
            Ok(StoreChoice::Sqlite) => panic!("Neo4j was chosen"),
            Err(problems) => Err(problems.iter().map(ToString::to_string).collect()),
        }
    }

    #[test]
    fn a_file_of_authorities_is_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let written = |name: &str, text: &str| {
            let file = folder.path().join(name);
            std::fs::write(&file, text).unwrap();
            file
        };
        let certificate = rcgen::generate_simple_self_signed(["neo4j".to_owned()])
            .unwrap()
            .cert
            .pem();
        let good = written("good.pem", &certificate);
        let uri = "bolt+s://neo4j:7687";
        assert_eq!(loaded(uri, &good), Ok(Some(good.clone())));
        let (cut, _) = certificate.split_at(certificate.len() / 2);
        let other = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for (file, problem) in [
            (folder.path().join("missing.pem"), "reading"),
            (written("empty.pem", ""), "holds none"),
            (written("cut.pem", cut), "cannot be read"),
            (written("other.pem", other), "holds one that is none"),
        ] {
            let said = loaded(uri, &file).unwrap_err();
            assert!(said.contains("NEO4J_CA_FILE") && said.contains(problem), "{said}");
            assert!(said.contains(file.to_str().unwrap()), "{said}");
        }
        let said = loaded("bolt://neo4j:7687", &good).unwrap_err();
        assert!(said.contains("is for bolt+s:// and neo4j+s:// only"), "{said}");
    }
}
