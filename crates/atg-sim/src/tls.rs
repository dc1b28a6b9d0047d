//! A certificate of the simulator's own making.

use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// Names of the certificate: this machine, and the data planes that a proxy leads here.
const NAMES: [&str; 16] = [
    "localhost",
    "127.0.0.1",
    "management.azure.com",
    "graph.microsoft.com",
    "login.microsoftonline.com",
    "*.vault.azure.net",
    "*.managedhsm.azure.net",
    "*.blob.core.windows.net",
    "*.queue.core.windows.net",
    "*.table.core.windows.net",
    "*.file.core.windows.net",
    "*.dfs.core.windows.net",
    "*.web.core.windows.net",
    "*.azurecr.io",
    "*.azconfig.io",
    "*.database.windows.net",
];

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// It could not be signed.
    #[error("the certificate could not be signed")]
    Sign(#[from] rcgen::Error),
    /// The TLS library refuses it.
    #[error("the certificate is refused")]
    Refused(#[from] rustls::Error),
}

/// A certificate and what a listener needs of it.
pub(crate) struct Certificate {
    pub(crate) pem: String,
    pub(crate) config: ServerConfig,
}

/// Makes one.
pub(crate) fn certificate() -> Result<Certificate, TlsError> {
    let key = KeyPair::generate()?;
    let params = CertificateParams::new(NAMES.map(str::to_owned).to_vec())?;
    let certificate = params.self_signed(&key)?;
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)?;
    Ok(Certificate {
        pem: certificate.pem(),
        config,
    })
}
