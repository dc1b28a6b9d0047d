//! What this crate is configured with, and how the settings choose a credential.

use std::fmt;
use std::path::PathBuf;

use secrecy::SecretString;

use crate::cloud::{Cloud, ConfigError};
use crate::limits;

/// Everything that is needed to read Azure.
#[derive(Debug, Clone)]
pub struct AzureConfig {
    /// Where Azure is.
    pub cloud: Cloud,
    /// Who asks.
    pub credential: CredentialChoice,
    /// Requests in flight at most, in all lanes together.
    pub max_concurrency: usize,
    /// Tries of one request after the first.
    pub max_retries: u32,
}

impl AzureConfig {
    /// With the defaults of a scan.
    pub fn new(cloud: Cloud, credential: CredentialChoice) -> Self {
        Self {
            cloud,
            credential,
            max_concurrency: limits::MAX_CONCURRENCY,
            max_retries: limits::MAX_RETRIES,
        }
    }

    /// Refuses what would send a static token away from this machine.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let endpoints = self.cloud.endpoints()?;
        let custom = matches!(self.cloud, Cloud::Custom(_));
        match self.credential {
            CredentialChoice::StaticToken(_) if !custom || !endpoints.are_loopback() => {
                Err(ConfigError::StaticTokenAbroad)
            }
            CredentialChoice::StaticToken(_)
            | CredentialChoice::ManagedIdentity { .. }
            | CredentialChoice::WorkloadIdentity { .. }
            | CredentialChoice::ClientSecret { .. }
            | CredentialChoice::AzureCli => Ok(()),
        }
    }
}

/// How tokens are come by.
#[derive(Debug, Clone)]
pub enum CredentialChoice {
    /// The machine's own identity.
    ManagedIdentity {
        /// Of a user-assigned identity; `None` for the system-assigned one.
        client_id: Option<String>,
    },
    /// A Kubernetes service account's token, exchanged.
    WorkloadIdentity {
        /// `None`: as the environment of the pod says.
        client_id: Option<String>,
        /// `None`: as the environment of the pod says.
        token_file: Option<PathBuf>,
    },
    /// An application and its secret.
    ClientSecret {
        /// The application.
        client_id: String,
        /// Its secret.
        secret: SecretString,
    },
    /// Whoever is logged in with `az login`.
    AzureCli,
    /// A token that is given; loopback only.
    StaticToken(StaticToken),
}

/// A token that is given.
#[derive(Clone)]
pub enum StaticToken {
    /// The token itself.
    Text(SecretString),
    /// A file that holds it; read again on a 401.
    File(PathBuf),
}

impl StaticToken {
    /// `@path` names a file, anything else is the token.
    pub fn from_setting(text: &str) -> Self {
        match text.strip_prefix('@') {
            Some(path) => Self::File(PathBuf::from(path)),
            None => Self::Text(SecretString::from(text.trim().to_owned())),
        }
    }
}

impl fmt::Debug for StaticToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("***"),
            Self::File(path) => write!(f, "@{}", path.display()),
        }
    }
}

/// The settings from which a credential is chosen.
#[derive(Debug, Clone, Default)]
pub struct CredentialSettings {
    /// `ATG_AZURE_CREDENTIAL`: names one explicitly.
    pub name: Option<String>,
    /// `ATG_USE_MANAGED_IDENTITY`.
    pub use_managed_identity: bool,
    /// `AZURE_CLIENT_ID`.
    pub client_id: Option<String>,
    /// `AZURE_CLIENT_SECRET`.
    pub client_secret: Option<SecretString>,
    /// `AZURE_FEDERATED_TOKEN_FILE`.
    pub federated_token_file: Option<PathBuf>,
    /// `ATG_AZURE_STATIC_TOKEN`.
    pub static_token: Option<SecretString>,
}

impl CredentialSettings {
    /// The names that `ATG_AZURE_CREDENTIAL` takes.
    pub const NAMES: &'static str = "managed_identity, workload_identity, client_secret, azure_cli, static_token";

    /// The explicit choice, else a static token, else the managed identity if it is on, else client
    /// id and secret, else workload identity, else the Azure CLI.
    pub fn choose(self) -> Result<CredentialChoice, ConfigError> {
        let name = self
            .name
            .as_deref()
            .map(|name| name.trim().to_lowercase().replace('-', "_"));
        match name.as_deref() {
            Some("managed_identity") => Ok(self.managed_identity()),
            Some("workload_identity") => Ok(self.workload_identity()),
            Some("client_secret") => self.secret(),
            Some("azure_cli") => Ok(CredentialChoice::AzureCli),
            Some("static_token") => self.token(),
            Some(_) => Err(ConfigError::Unknown {
                name: "ATG_AZURE_CREDENTIAL",
                allowed: Self::NAMES,
            }),
            None if self.static_token.is_some() => self.token(),
            None if self.use_managed_identity => Ok(self.managed_identity()),
            None if self.client_secret.is_some() => self.secret(),
            None if self.federated_token_file.is_some() => Ok(self.workload_identity()),
            None => Ok(CredentialChoice::AzureCli),
        }
    }

    fn managed_identity(self) -> CredentialChoice {
        CredentialChoice::ManagedIdentity {
            client_id: self.client_id,
        }
    }

    fn workload_identity(self) -> CredentialChoice {
        CredentialChoice::WorkloadIdentity {
            client_id: self.client_id,
            token_file: self.federated_token_file,
        }
    }

    fn secret(self) -> Result<CredentialChoice, ConfigError> {
        const WHY: &str = "to log in with a client secret";
        let missing = |name| ConfigError::Missing { name, why: WHY };
        Ok(CredentialChoice::ClientSecret {
            client_id: self.client_id.ok_or_else(|| missing("AZURE_CLIENT_ID"))?,
            secret: self.client_secret.ok_or_else(|| missing("AZURE_CLIENT_SECRET"))?,
        })
    }

    fn token(self) -> Result<CredentialChoice, ConfigError> {
        use secrecy::ExposeSecret as _;
        let token = self.static_token.ok_or(ConfigError::Missing {
            name: "ATG_AZURE_STATIC_TOKEN",
            why: "to use a static token",
        })?;
        Ok(CredentialChoice::StaticToken(StaticToken::from_setting(
            token.expose_secret(),
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::Endpoints;

    fn settings() -> CredentialSettings {
        CredentialSettings {
            client_id: Some("app".to_owned()),
            client_secret: Some("hush".to_owned().into()),
            ..CredentialSettings::default()
        }
    }

    #[test]
    fn the_explicit_name_wins() {
        let named = |name: &str| CredentialSettings {
            name: Some(name.to_owned()),
            use_managed_identity: true,
            ..settings()
        };
        assert!(matches!(named("azure-cli").choose(), Ok(CredentialChoice::AzureCli)));
        assert!(matches!(
            named("client_secret").choose(),
            Ok(CredentialChoice::ClientSecret { .. })
        ));
        assert!(matches!(named("").choose(), Err(ConfigError::Unknown { .. })));
        assert!(matches!(
            named("static_token").choose(),
            Err(ConfigError::Missing { .. })
        ));
    }

    #[test]
    fn without_a_name_what_is_set_decides() {
        assert!(matches!(settings().choose(), Ok(CredentialChoice::ClientSecret { .. })));
        let on = CredentialSettings {
            use_managed_identity: true,
            ..settings()
        };
        assert!(matches!(
            on.choose(),
            Ok(CredentialChoice::ManagedIdentity { client_id: Some(_) })
        ));
        assert!(matches!(
            CredentialSettings::default().choose(),
            Ok(CredentialChoice::AzureCli)
        ));
    }

    #[test]
    fn no_secret_is_printed() {
        let mut all = settings();
        all.static_token = Some("hush".to_owned().into());
        let text = format!(
            "{all:?} {:?} {:?}",
            all.clone().choose().unwrap(),
            settings().choose().unwrap()
        );
        assert!(!text.contains("hush"), "{text}");
    }

    #[test]
    fn a_static_token_stays_on_this_machine() {
        let token = CredentialChoice::StaticToken(StaticToken::from_setting("t"));
        let home = Endpoints::parse("http://127.0.0.1:1", "http://127.0.0.1:1", "http://127.0.0.1:1").unwrap();
        assert!(
            AzureConfig::new(Cloud::Custom(Box::new(home.clone())), token.clone())
                .validate()
                .is_ok()
        );
        let mixed = Endpoints {
            graph: "https://graph.example".parse().unwrap(),
            ..home
        };
        for cloud in [Cloud::Public, Cloud::Custom(Box::new(mixed))] {
            let config = AzureConfig::new(cloud, token.clone());
            assert_eq!(config.validate(), Err(ConfigError::StaticTokenAbroad));
        }
    }
}
