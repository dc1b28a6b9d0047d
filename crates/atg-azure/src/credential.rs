//! Tokens of the scanned tenant: asked for once, renewed before their end and after a 401.
//!
//! Relies on: `azure_identity` for everything but a static token. Must never: print a token.

use std::error::Error as _;
use std::sync::Arc;

use atg_models::{Clock, TenantId};
use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::TokenCredential;
use azure_core::error::ErrorKind;
use azure_core::http::{ClientOptions, Transport};
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, ClientAssertionCredentialOptions, ClientSecretCredential,
    ClientSecretCredentialOptions, ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId,
    WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};
use secrecy::{ExposeSecret as _, SecretString};
use time::{Duration, OffsetDateTime};
use tokio::sync::Mutex;

use crate::cloud::{Endpoints, is_loopback};
use crate::config::{CredentialChoice, StaticToken};
use crate::{AzureError, claims, limits};

/// For which service a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Azure Resource Manager and Resource Graph.
    Arm,
    /// Microsoft Graph.
    Graph,
}

/// A token, and which one it is of those that were given out.
#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) text: SecretString,
    pub(crate) serial: u64,
}

/// Gives out tokens of one tenant.
pub(crate) struct TokenSource {
    choice: CredentialChoice,
    tenant: TenantId,
    endpoints: Endpoints,
    clock: Arc<dyn Clock>,
    client: reqwest::Client,
    arm: Mutex<Slot>,
    graph: Mutex<Slot>,
}

#[derive(Default)]
struct Slot {
    serial: u64,
    token: Option<(SecretString, OffsetDateTime)>,
}

impl TokenSource {
    pub(crate) fn new(
        choice: CredentialChoice,
        tenant: TenantId,
        endpoints: Endpoints,
        clock: Arc<dyn Clock>,
        client: reqwest::Client,
    ) -> Self {
        Self {
            choice,
            tenant,
            endpoints,
            clock,
            client,
            arm: Mutex::default(),
            graph: Mutex::default(),
        }
    }

    /// A token; another one than `refused`, if that is given. Of several who ask at once one renews.
    pub(crate) async fn token(&self, audience: Audience, refused: Option<u64>) -> Result<Token, AzureError> {
        let slot = match audience {
            Audience::Arm => &self.arm,
            Audience::Graph => &self.graph,
        };
        let mut slot = slot.lock().await;
        let now = self.clock.now();
        if let Some((text, renew_at)) = &slot.token
            && refused != Some(slot.serial)
            && now < *renew_at
        {
            return Ok(Token {
                text: text.clone(),
                serial: slot.serial,
            });
        }
        // A static token that is still the same is tried once more: whoever sends has one such try a call.
        let (text, ends_at) = self.ask(audience).await?;
        let life = ends_at - now;
        let renew_at = ends_at - limits::TOKEN_MARGIN.min(life / 5);
        slot.serial += 1;
        slot.token = Some((text.clone(), renew_at));
        Ok(Token {
            text,
            serial: slot.serial,
        })
    }

    async fn ask(&self, audience: Audience) -> Result<(SecretString, OffsetDateTime), AzureError> {
        if let CredentialChoice::StaticToken(given) = &self.choice {
            let text = read_static(given).await?;
            let ends_at = claims::expiry(text.expose_secret()).filter(|at| *at > self.clock.now());
            // The file, not the clock, says when there is a newer one: a 401 does.
            let never = self.clock.now() + limits::TOKEN_LIFE * 24;
            return Ok((text, ends_at.map_or(never, |at| at.max(never))));
        }
        // A new credential each time: azure_identity keeps its own tokens, refused ones too.
        let credential = self.credential().map_err(|error| refused(&error))?;
        let scope = self.scope(audience);
        let scopes = [scope.as_str()];
        let asked = credential.get_token(&scopes, None);
        let late = self.clock.sleep_until(self.clock.now() + limits::TOKEN_TIMEOUT);
        tokio::select! {
            token = asked => {
                let token = token.map_err(|error| refused(&error))?;
                let text = SecretString::from(token.token.secret().to_owned());
                let ends_at = token.expires_on;
                let soonest = self.clock.now() + Duration::seconds(1);
                Ok((text, if ends_at > soonest { ends_at } else { self.clock.now() + limits::TOKEN_LIFE }))
            }
            () = late => Err(AzureError::Unavailable {
                doing: "asking for a token",
                problem: format!("no answer within {} s", limits::TOKEN_TIMEOUT.whole_seconds()),
            }),
        }
    }

    /// A tenant on this machine is a simulated one and stands in for the public cloud, whose
    /// services are known by their own names.
    fn scope(&self, audience: Audience) -> String {
        let (endpoint, public) = match audience {
            Audience::Arm => (&self.endpoints.arm, "https://management.azure.com"),
            Audience::Graph => (&self.endpoints.graph, "https://graph.microsoft.com"),
        };
        let resource = if is_loopback(endpoint) {
            public
        } else {
            endpoint.as_str()
        };
        format!("{}/.default", resource.trim_end_matches('/'))
    }

    fn credential(&self) -> azure_core::Result<Arc<dyn TokenCredential>> {
        let tenant = self.tenant.to_string();
        let client_options = self.client_options();
        Ok(match &self.choice {
            CredentialChoice::ManagedIdentity { client_id } => {
                ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
                    user_assigned_id: client_id.clone().map(UserAssignedId::ClientId),
                    client_options,
                }))?
            }
            CredentialChoice::WorkloadIdentity { client_id, token_file } => {
                WorkloadIdentityCredential::new(Some(WorkloadIdentityCredentialOptions {
                    credential_options: ClientAssertionCredentialOptions { client_options },
                    client_id: client_id.clone(),
                    tenant_id: Some(tenant),
                    token_file_path: token_file.clone(),
                }))?
            }
            CredentialChoice::ClientSecret { client_id, secret } => ClientSecretCredential::new(
                &tenant,
                client_id.clone(),
                secret.expose_secret().to_owned().into(),
                Some(ClientSecretCredentialOptions { client_options }),
            )?,
            CredentialChoice::AzureCli => AzureCliCredential::new(Some(AzureCliCredentialOptions {
                tenant_id: Some(tenant),
                ..AzureCliCredentialOptions::default()
            }))?,
            CredentialChoice::StaticToken(_) => {
                return Err(azure_core::Error::with_message(
                    ErrorKind::Credential,
                    "a static token is not asked for",
                ));
            }
        })
    }

    fn client_options(&self) -> ClientOptions {
        let authority = self.endpoints.authority.as_str().trim_end_matches('/');
        let mut custom = CustomConfiguration::default();
        authority.clone_into(&mut custom.authority_host);
        ClientOptions {
            transport: Some(Transport::new(Arc::new(self.client.clone()))),
            cloud: Some(Arc::new(CloudConfiguration::Custom(custom))),
            ..ClientOptions::default()
        }
    }
}

async fn read_static(given: &StaticToken) -> Result<SecretString, AzureError> {
    let path = match given {
        StaticToken::Text(text) => return Ok(text.clone()),
        StaticToken::File(path) => path,
    };
    let text = tokio::fs::read_to_string(path)
        .await
        .map_err(|error| AzureError::Authentication {
            problem: format!("the token file {} could not be read: {error}", path.display()),
        })?;
    let text = text.trim();
    if text.is_empty() || text.len() > limits::TOKEN_FILE_BYTES {
        return Err(AzureError::Authentication {
            problem: format!("the token file {} holds no token", path.display()),
        });
    }
    Ok(SecretString::from(text.to_owned()))
}

/// A network that fails is worth another attempt of the job, a refusal is not.
fn refused(error: &azure_core::Error) -> AzureError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    let mut unreachable = false;
    while let Some(here) = cause {
        if let Some(inner) = here.downcast_ref::<azure_core::Error>() {
            unreachable |= matches!(inner.kind(), ErrorKind::Io | ErrorKind::Connection);
        }
        cause = here.source();
    }
    let text = match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    };
    let problem: String = text.chars().take(limits::ERROR_TEXT_CHARS).collect();
    if unreachable {
        AzureError::Unavailable {
            doing: "asking for a token",
            problem,
        }
    } else {
        AzureError::Authentication { problem }
    }
}
