//! TLS on the way to the server: a certificate that is not the right one is named with what mends it, and the
//! right one lets everything through.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

use super::stranger::{Does, Stranger, server, success};
use super::strangers::fails;
use crate::neo4j::Neo4jConfig;
use crate::neo4j::driver::Driver;

/// Who signs, and the file that says so.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    file: tempfile::NamedTempFile,
}

impl Authority {
    fn new() -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), issuer.pem()).unwrap();
        Self { issuer, file }
    }

    /// A server that answers whatever it is asked, with a certificate as changed.
    async fn server(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Stranger {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)
            .unwrap();
        Stranger::start_with(healthy(), Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    fn trusted(&self, config: Neo4jConfig) -> Neo4jConfig {
        Neo4jConfig {
            ca_file: Some(self.file.path().to_owned()),
            ..config
        }
    }
}

/// Enough to be asked for its health: RUN and PULL come together.
fn healthy() -> Vec<Does> {
    let mut script = server();
    script.extend([success(&[]), success(&[])]);
    script
}

async fn works(config: &Neo4jConfig) {
    // The bound of the health is short, for a server that is near and not busy.
    let driver = Driver::new(config).unwrap();
    for _ in 0..20 {
        if driver.answers().await {
            return;
        }
    }
    panic!("{} does not work", config.uri);
}

#[tokio::test]
async fn the_right_certificate_lets_everything_through() {
    let authority = Authority::new();
    let server = authority.server("localhost", |_| {}).await;
    works(&authority.trusted(server.config_at("bolt+s", "localhost"))).await;
    // Whoever asks for no check gets none.
    works(&server.config_at("bolt+ssc", "127.0.0.1")).await;
    let by_address = authority.server("127.0.0.1", |_| {}).await;
    works(&authority.trusted(by_address.config_at("bolt+s", "127.0.0.1"))).await;
}

#[tokio::test]
async fn a_wrong_certificate_is_told_with_what_mends_it() {
    let authority = Authority::new();
    let good = authority.server("localhost", |_| {}).await;
    // Neither the system's authorities nor another one have signed it.
    let other = Authority::new();
    let trusted = other.trusted(good.config_at("bolt+s", "localhost"));
    fails(&trusted, &["BadSignature", "NEO4J_CA_FILE"]).await;
    let by_system = good.config_at("bolt+s", "localhost");
    fails(&by_system, &["UnknownIssuer", "NEO4J_CA_FILE"]).await;

    // The same certificate comes the next time: nobody asks twice.
    let before = good.connections();
    let driver = Driver::new(&trusted).unwrap();
    super::write(&driver, "RETURN 1 AS n").await.unwrap_err();
    assert_eq!(good.connections() - before, 1);

    let elsewhere = authority.trusted(good.config_at("bolt+s", "127.0.0.1"));
    fails(&elsewhere, &["NEO4J_URI must name the server as its certificate does"]).await;

    let old = authority.server("localhost", |params| params.not_after = date_time_ymd(2001, 1, 1));
    let old = old.await;
    fails(
        &authority.trusted(old.config_at("bolt+s", "localhost")),
        &["has expired: renew it"],
    )
    .await;

    let early = authority.server("localhost", |params| params.not_before = date_time_ymd(2900, 1, 1));
    let early = early.await;
    let config = authority.trusted(early.config_at("bolt+s", "localhost"));
    fails(&config, &["is not valid yet: look at the clocks"]).await;
}

/// The driver's list of servers hides why it is empty.
#[tokio::test]
async fn a_cluster_that_cannot_be_asked_says_why() {
    let authority = Authority::new();
    let good = authority.server("localhost", |_| {}).await;
    let config = good.config_at("neo4j+s", "localhost");
    let error = Box::pin(crate::neo4j::migrate(&config)).await.unwrap_err();
    let text = super::strangers::said(&error);
    assert!(text.contains("NEO4J_CA_FILE"), "{text}");
}

#[tokio::test]
async fn one_side_that_speaks_tls_alone_is_told() {
    let authority = Authority::new();
    let plain = Stranger::start(vec![Does::Leaves(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec())]).await;
    let config = authority.trusted(plain.config_at("bolt+s", "localhost"));
    fails(&config, &["is TLS spoken there?"]).await;
    let tls = authority.server("localhost", |_| {}).await;
    fails(&tls.config_at("bolt", "localhost"), &["TLS is spoken there"]).await;
    // Neo4j closes without a word.
    let closing = Stranger::start(vec![Does::Leaves(Vec::new())]).await;
    let error = Box::pin(crate::neo4j::migrate(&closing.config())).await.unwrap_err();
    let text = super::strangers::said(&error);
    assert!(text.contains("use bolt+s://"), "{text}");
}
