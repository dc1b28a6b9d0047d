//! A real Neo4j behind TLS: the right authority lets a scan through, another one is named.

use std::time::Instant;

use atg_neo4j::{Jars, Options, Server, Tls};
use atg_tests::{Database, ServerProcess, World};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use super::log::{completed, is_that_of};
use super::strangers::{ENDS_WITHIN, refused};
use super::watch::Watch;
use super::{tenant, undisturbed};

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_goes_through_tls_and_a_certificate_of_another_is_named() {
    let Some(jars) = Jars::from_environment().unwrap() else {
        println!("left out: NEO4J_TEST_JARS is not set (cargo xtask test fetches the jars of Neo4j)");
        return;
    };
    let signer = authority();
    let key = KeyPair::generate().unwrap();
    // A cluster's client goes on to the address that the server advertises.
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &signer).unwrap();
    let mut options = Options::functional(jars);
    options.tls = Some(Tls {
        certificate: certificate.pem(),
        key: key.serialize_pem(),
    });
    let neo4j = tokio::task::block_in_place(|| Server::start(options)).unwrap();
    let database = Database::at(neo4j.access());
    Box::pin(database.prepare()).await;
    let folder = atg_tests::folder();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let right = file("right.pem", &signer.pem());
    let other = file("other.pem", &authority().pem());
    let address = format!("localhost:{}", neo4j.port());
    let by = |scheme: &str| format!("{scheme}://{address}");

    let digest = undisturbed().await;
    let setup = tenant().neo4j(database).setting("NEO4J_URI", &by("bolt+s"));
    let mut world = setup.setting("NEO4J_CA_FILE", &right).start().await;
    let scanned = async |world: &World| {
        let job = world.start_scan().await;
        is_that_of(&digest, &completed(world, job).await);
    };
    scanned(&world).await;
    world.set("NEO4J_URI", &by("neo4j+s"));
    world.restart().await;
    scanned(&world).await;

    world.set("NEO4J_CA_FILE", &other);
    world.restart().await;
    let watch = Watch::of(&world);
    watch.says("disconnected").await;
    refused(&world).await;
    watch.was_answered().await;
    for scheme in ["bolt+s", "neo4j+s"] {
        let mut command = ServerProcess::command(folder.path(), world.sim.url());
        command
            .env("NEO4J_URI", by(scheme))
            .env("NEO4J_PASSWORD", neo4j.access().password)
            .env("NEO4J_CA_FILE", &other)
            .args(["migrate", "--dry-run"]);
        let started = Instant::now();
        let ended = atg_tests::output(&mut command).unwrap();
        assert!(started.elapsed() < ENDS_WITHIN, "{:?}", started.elapsed());
        let said = String::from_utf8(ended.stderr).unwrap();
        assert!(
            !ended.status.success() && said.contains("invalid peer certificate"),
            "{said}"
        );
        assert!(
            said.contains("NEO4J_CA_FILE must hold") && said.contains(&address),
            "{said}"
        );
    }
    world.set("NEO4J_CA_FILE", &right);
    world.restart().await;
    let watch = Watch::of(&world);
    watch.says("connected").await;
    scanned(&world).await;
}
