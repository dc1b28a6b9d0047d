//! What is behind the port is no Neo4j, or none that can be used: every call ends at once, and says why.

use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::stranger::{Does, Stranger, failure, framed, message, server, success};
use super::write;
use crate::StoreError;
use crate::neo4j::driver::{Driver, Statement};
use crate::neo4j::{Neo4jConfig, migrate, pending_migrations};

/// No bound of the product is so short but the health's: what ends within it was not waited for.
const AT_ONCE: Duration = Duration::from_secs(9);

/// An error with its causes, as the log has it.
pub(super) fn said(error: &StoreError) -> String {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    format!("{error}: {}", cause.unwrap_or_default())
}

/// Every way to a server fails soon, for a reason that may pass, and says all of this.
pub(super) async fn fails(config: &Neo4jConfig, words: &[&str]) {
    let driver = Driver::new(config).unwrap();
    assert!(!driver.answers().await, "{words:?}");
    let read = async { driver.read("testing", Statement::new("RETURN 1 AS n")).await.map(drop) };
    fails_at_once(read, words).await;
    fails_at_once(write(&driver, "CREATE (x:Never) RETURN 1 AS n"), words).await;
    fails_at_once(Box::pin(pending_migrations(config)), words).await;
    fails_at_once(Box::pin(migrate(config)), words).await;
}

async fn fails_at_once<T: std::fmt::Debug>(call: impl Future<Output = Result<T, StoreError>>, words: &[&str]) {
    let ended = tokio::time::timeout(AT_ONCE, call).await;
    let error = ended.unwrap_or_else(|_| panic!("{words:?}: waited for")).unwrap_err();
    let text = said(&error);
    assert!(matches!(error, StoreError::Unavailable { .. }), "{text}");
    for word in words {
        assert!(text.contains(word), "“{word}” is not in: {text}");
    }
}

fn chosen(version: [u8; 4]) -> Vec<Does> {
    vec![Does::Leaves(version.to_vec())]
}

fn refusing(code: &str, text: &str) -> Vec<Does> {
    let mut script = server();
    script.push(failure(code, text));
    script
}

#[tokio::test]
async fn what_is_no_neo4j_is_told_apart() {
    let http = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n".to_vec();
    let mut hello = server();
    hello.pop();
    let but_hello = |does| [hello.clone(), vec![does]].concat();
    let password = failure("Neo.ClientError.Security.Unauthorized", "authentication failure");
    let cases = [
        (vec![Does::Leaves(http)], &["HTTP port", "7687"][..]),
        (vec![Does::Leaves(Vec::new())], &["early eof"]),
        (chosen([0; 4]), &["Bolt Version 0.0", "Neo4j 5.26 or newer"]),
        (chosen([0, 0, 0, 9]), &["Bolt Version 9.0", "Neo4j 5.26 or newer"]),
        (chosen([0, 0, 1, 255]), &["Bolt Version 255.1", "Neo4j 5.26 or newer"]),
        (but_hello(password), &["authentication failure", "NEO4J_PASSWORD"]),
        (but_hello(Does::Leaves(b"220 mail.example.com ESMTP\r\n".to_vec())), &[]),
        (but_hello(Does::Says(framed(&[0xB1]))), &[]),
        (but_hello(Does::Says(framed(&[0xB1, 0x70]))), &[]),
    ];
    for (script, words) in cases {
        let stranger = Stranger::start(script).await;
        fails(&stranger.config(), words).await;
    }
}

/// As Neo4j 5.26 words it.
#[tokio::test]
async fn a_transaction_that_is_too_large_is_not_tried_again() {
    let code = "Neo.TransientError.General.MemoryPoolOutOfMemoryError";
    for (limit, tries) in [
        ("db.memory.transaction.max threshold reached", 1),
        ("dbms.memory.transaction.total.max threshold reached", 5),
    ] {
        let mut script = server();
        script.extend([success(&[]), failure(code, limit)]);
        // To ROLLBACK, which finds nothing to roll back.
        script.push(Does::Leaves(Vec::new()));
        let stranger = Stranger::start(script).await;
        let driver = Driver::new(&stranger.config()).unwrap();
        let started = tokio::time::Instant::now();
        let error = write(&driver, "RETURN 1 AS n").await.unwrap_err();
        // Not at once, when it is tried again: 20 ms at first, then twice as long each time.
        let waits = if tries > 1 { 300 } else { 0 };
        assert!(started.elapsed() >= Duration::from_millis(waits), "{limit}");
        let text = said(&error);
        assert!(text.contains(limit) && text.contains("raise that limit"), "{text}");
        assert_eq!(stranger.connections(), tries, "{limit}");
    }
}

/// The server answers reads, and has refused a write.
#[tokio::test]
async fn a_server_that_takes_no_writes_is_not_healthy_until_it_does() {
    let code = "Neo.ClientError.General.WriteOnReadOnlyAccessDatabase";
    let mut script = server();
    script.push(failure(code, "read-only"));
    let driver = Driver::new(&Stranger::start(script).await.config()).unwrap();
    assert!(!driver.refuses_writes());
    write(&driver, "RETURN 1 AS n").await.unwrap_err();
    assert!(driver.refuses_writes());
}

#[tokio::test]
async fn a_database_that_cannot_be_used_is_waited_for() {
    let cases = [
        (
            "Neo.ClientError.General.WriteOnReadOnlyAccessDatabase",
            "must take writes",
        ),
        (
            "Neo.ClientError.General.ForbiddenOnReadOnlyDatabase",
            "must take writes",
        ),
        ("Neo.ClientError.Security.Forbidden", "NEO4J_USER"),
        ("Neo.ClientError.Database.DatabaseNotFound", "NEO4J_DATABASE"),
        ("Neo.DatabaseError.Transaction.TransactionStartFailed", "restart Neo4j"),
        ("Neo.DatabaseError.General.UnknownError", "no room"),
    ];
    for (code, words) in cases {
        let stranger = Stranger::start(refusing(code, "no room")).await;
        let driver = Driver::new(&stranger.config()).unwrap();
        // BEGIN is what is refused.
        let error = write(&driver, "RETURN 1 AS n").await.unwrap_err();
        let text = said(&error);
        assert!(matches!(error, StoreError::Unavailable { .. }), "{text}");
        assert!(text.contains(code) && text.contains(words), "{text}");
        assert_eq!(stranger.connections(), 1, "{code}: tried again at once");
    }
}

/// The driver panics on an answer that ends where it should not.
#[tokio::test]
async fn half_an_answer_is_an_error_and_no_panic() {
    // To BEGIN or RUN; a transaction's RUN; its PULL; its COMMIT.
    for done in 0..=3 {
        for rest in [&[][..], &[0xA1], &[0xA1, 0xD0, 9], &[0xA1, 0x81, b'x', 0x95]] {
            let mut script = server();
            script.extend((0..done).map(|_| success(&[])));
            script.push(Does::Leaves(message(0x70, rest)));
            let stranger = Stranger::start(script).await;
            let driver = Driver::new(&stranger.config()).unwrap();
            let calls = async {
                (
                    driver.read("testing", Statement::new("RETURN 1 AS n")).await,
                    write(&driver, "RETURN 1 AS n").await,
                )
            };
            let (read, written) = tokio::time::timeout(AT_ONCE, calls).await.expect("waited for");
            if done == 0 {
                let read = read.map(drop).unwrap_err();
                assert!(matches!(read, StoreError::Unavailable { .. }), "{rest:?}: {read:?}");
            }
            // Whatever comes behind it, the word alone says that a commit was carried out.
            let is_said = done == 3 && written.is_ok();
            let is_unknown = matches!(written, Err(StoreError::Unavailable { .. }));
            assert!(is_said || is_unknown, "{done} {rest:?}: {written:?}");
        }
    }
}

/// Bytes without a plan, some of them with the frame of a message around them.
fn rubbish(random: &mut ChaCha8Rng) -> Vec<u8> {
    let length = random.random_range(0..40);
    let bytes: Vec<u8> = (0..length).map(|_| random.random()).collect();
    // A list of so many items as four bytes can say: the driver makes room for all of them at once.
    let bytes: Vec<u8> = bytes.into_iter().filter(|byte| *byte != 0xD6).collect();
    match random.random_range(0..3) {
        0 => bytes,
        1 => framed(&bytes),
        _ => {
            let tag = [0x70, 0x71, 0x7E, 0x7F][random.random_range(0..4)];
            message(tag, &bytes)
        }
    }
}

#[tokio::test]
async fn rubbish_is_an_error_wherever_it_comes() {
    for seed in 0..300 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut script = server();
        script.truncate(random.random_range(1..=2));
        script.push(Does::Leaves(rubbish(&mut random)));
        let stranger = Stranger::start(script).await;
        let driver = Driver::new(&stranger.config()).unwrap();
        let read = driver.read("testing", Statement::new("RETURN 1 AS n"));
        let read = tokio::time::timeout(AT_ONCE, read).await;
        let error = read
            .unwrap_or_else(|_| panic!("seed {seed}: waited for"))
            .map(drop)
            .unwrap_err();
        assert!(error.is_retryable(), "seed {seed}: {error:?}");
    }
}

#[tokio::test]
async fn a_name_that_leads_nowhere_is_told() {
    // Nobody may register a name below `invalid`.
    let config = Neo4jConfig {
        uri: "bolt://neo4j.invalid:7687".to_owned(),
        ..Stranger::start(Vec::new()).await.config()
    };
    let driver = Driver::new(&config).unwrap();
    let error = write(&driver, "RETURN 1 AS n").await.unwrap_err();
    let text = said(&error);
    assert!(text.contains("NEO4J_URI must name a host"), "{text}");
}
