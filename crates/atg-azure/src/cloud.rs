//! Where Azure is: the endpoints of each cloud.
//!
//! Must never: let a token leave over plain http, except to loopback.

use url::{Host, Url};

/// Which cloud.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Cloud {
    /// Azure.
    #[default]
    Public,
    /// Azure Government.
    UsGov,
    /// Azure operated by 21Vianet.
    China,
    /// Endpoints of one's own: a sovereign cloud, or a simulated tenant.
    Custom(Box<Endpoints>),
}

/// Where a cloud's services are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// Azure Resource Manager, `https://management.azure.com`.
    pub arm: Url,
    /// Microsoft Graph, `https://graph.microsoft.com`.
    pub graph: Url,
    /// The token authority, `https://login.microsoftonline.com`.
    pub authority: Url,
}

/// Why a configuration was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Not a usable URL.
    #[error("{name} must be an https URL, or an http URL of this machine (127.0.0.1, ::1, localhost)")]
    Endpoint {
        /// Which setting.
        name: &'static str,
    },
    /// A setting that the choice needs is absent.
    #[error("{name} must be set {why}")]
    Missing {
        /// Which setting.
        name: &'static str,
        /// What for.
        why: &'static str,
    },
    /// A word that is not in the list.
    #[error("{name} must be one of {allowed}")]
    Unknown {
        /// Which setting.
        name: &'static str,
        /// The list.
        allowed: &'static str,
    },
    /// A static token would leave this machine.
    #[error("ATG_AZURE_STATIC_TOKEN is allowed only with ATG_AZURE_CLOUD=custom and endpoints on this machine")]
    StaticTokenAbroad,
}

impl Endpoints {
    /// Takes the three settings of a custom cloud apart.
    pub fn parse(arm: &str, graph: &str, authority: &str) -> Result<Self, ConfigError> {
        Ok(Self {
            arm: endpoint("ATG_AZURE_ARM_ENDPOINT", arm)?,
            graph: endpoint("ATG_AZURE_GRAPH_ENDPOINT", graph)?,
            authority: endpoint("ATG_AZURE_AUTHORITY", authority)?,
        })
    }

    /// Whether all of them are on this machine.
    pub fn are_loopback(&self) -> bool {
        [&self.arm, &self.graph, &self.authority].into_iter().all(is_loopback)
    }
}

impl Cloud {
    /// The names that `ATG_AZURE_CLOUD` takes.
    pub const NAMES: &'static str = "public, usgov, china, custom";

    /// The cloud of that name; `endpoints` are asked for only by `custom`.
    pub fn from_name(
        name: &str,
        endpoints: impl FnOnce() -> Result<Endpoints, ConfigError>,
    ) -> Result<Self, ConfigError> {
        match name {
            "public" => Ok(Self::Public),
            "usgov" => Ok(Self::UsGov),
            "china" => Ok(Self::China),
            "custom" => Ok(Self::Custom(Box::new(endpoints()?))),
            _ => Err(ConfigError::Unknown {
                name: "ATG_AZURE_CLOUD",
                allowed: Self::NAMES,
            }),
        }
    }

    /// Its endpoints. Source: Azure, "Cloud endpoints and national clouds".
    pub fn endpoints(&self) -> Result<Endpoints, ConfigError> {
        let (arm, graph, authority) = match self {
            Self::Public => (
                "https://management.azure.com",
                "https://graph.microsoft.com",
                "https://login.microsoftonline.com",
            ),
            Self::UsGov => (
                "https://management.usgovcloudapi.net",
                "https://graph.microsoft.us",
                "https://login.microsoftonline.us",
            ),
            Self::China => (
                "https://management.chinacloudapi.cn",
                "https://microsoftgraph.chinacloudapi.cn",
                "https://login.chinacloudapi.cn",
            ),
            Self::Custom(endpoints) => return Ok(Endpoints::clone(endpoints)),
        };
        Endpoints::parse(arm, graph, authority)
    }
}

/// Whether a URL points at this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn endpoint(name: &'static str, text: &str) -> Result<Url, ConfigError> {
    let refused = ConfigError::Endpoint { name };
    let mut url = Url::parse(text.trim()).map_err(|_| refused.clone())?;
    let plain_at_home = url.scheme() == "http" && is_loopback(&url);
    let named = url.username().is_empty() && url.password().is_none() && url.host().is_some();
    if !named || (url.scheme() != "https" && !plain_at_home) {
        return Err(refused);
    }
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_only() {
        for good in [
            "http://127.0.0.1:8080",
            "http://localhost:1/",
            "http://[::1]:2",
            "https://arm.example",
        ] {
            assert!(Endpoints::parse(good, good, good).is_ok(), "{good}");
        }
        for bad in [
            "http://arm.example",
            "http://localhost.example",
            "ftp://127.0.0.1",
            "",
            "https://u:p@arm.example",
        ] {
            assert!(Endpoints::parse(bad, "https://a", "https://a").is_err(), "{bad}");
        }
    }

    #[test]
    fn every_named_cloud_has_endpoints() {
        for name in ["public", "usgov", "china"] {
            let cloud = Cloud::from_name(name, || panic!("not custom")).unwrap();
            assert!(!cloud.endpoints().unwrap().are_loopback());
        }
        assert!(Cloud::from_name("moon", || panic!("not custom")).is_err());
    }
}
