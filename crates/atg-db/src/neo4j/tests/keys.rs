//! The suite of the key stores, and what several servers do at once.

use std::sync::Arc;

use atg_auth::{ApiKey, KeyRecord, Scope, StoredKey, Tenants};
use atg_models::Environment;
use atg_models::limits::STORED_KEYS_MAX;
use futures_util::future::join_all;
use time::Duration;

use super::cutter::{CUTS, Cutter};
use super::world::{Turn, fresh};
use crate::contract::world::at;
use crate::neo4j::Neo4jKeys;
use crate::neo4j::driver::{Driver, Statement, transaction};
use crate::{KeyPut, KeyStore as _, StoreError};

async fn keys() -> Option<(Arc<Neo4jKeys>, Turn)> {
    let turn = fresh().await?;
    Some((Arc::new(Neo4jKeys::new(Arc::clone(&turn.driver))), turn))
}

crate::key_contract!(super::keys);

fn api_key(number: u8) -> ApiKey {
    ApiKey::generate(Environment::Dev, [number; 32])
}

fn key(number: u8, name: &str) -> StoredKey {
    StoredKey::new(KeyRecord::of(&api_key(number), name, Scope::Read, Tenants::All), at(0))
}

fn servers(turn: &Turn) -> Vec<Neo4jKeys> {
    (0..8).map(|_| Neo4jKeys::new(turn.another())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_want_a_name_one_gets_it() {
    let Some(turn) = fresh().await else { return };
    let servers = servers(&turn);
    servers[0].put(key(9, "other")).await.unwrap();
    let puts = (1..=8)
        .zip(&servers)
        .map(|(number, server)| server.put(key(number, "ci")));
    let put: Vec<_> = join_all(puts).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(put.iter().filter(|put| **put == KeyPut::Made).count(), 1, "{put:?}");
    assert_eq!(put.iter().filter(|put| **put == KeyPut::NameTaken).count(), 7);
    assert_eq!(servers[0].revision().await.unwrap(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_rotated_and_revoked_once_and_every_change_counts() {
    let Some(turn) = fresh().await else { return };
    let servers = servers(&turn);
    let old = key(1, "ci");
    assert_eq!(servers[0].put(old.clone()).await.unwrap(), KeyPut::Made);
    let rotations = (2..=9).zip(&servers).map(|(number, server)| {
        let rotation = old.rotate(&api_key(number), Duration::HOUR, at(10));
        server.replace(&old.record.prefix, rotation)
    });
    let rotated = join_all(rotations).await;
    assert_eq!(
        rotated.iter().filter(|outcome| outcome.is_ok()).count(),
        1,
        "{rotated:?}"
    );
    assert_eq!(servers[0].list().await.unwrap().len(), 2);
    let revoked = join_all(servers.iter().map(|server| server.revoke("ci", at(20)))).await;
    let revoked: u64 = revoked.into_iter().map(Result::unwrap).sum();
    assert_eq!((revoked, servers[0].revision().await.unwrap()), (2, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_use_of_all_servers_counts() {
    let Some(turn) = fresh().await else { return };
    let servers = servers(&turn);
    for number in 1..=20 {
        servers[0].put(key(number, &format!("k{number}"))).await.unwrap();
    }
    let uses = |second: i64| {
        (1..=20)
            .map(move |number| (key(number, "").record.prefix, at(second)))
            .collect()
    };
    let touches = (0_i64..)
        .zip(&servers)
        .map(|(second, server)| server.touch(uses(second)));
    for touched in join_all(touches).await {
        touched.unwrap();
    }
    for key in servers[0].list().await.unwrap() {
        assert_eq!(key.last_used_at, Some(at(7)));
    }
}

#[tokio::test]
async fn the_number_of_keys_has_a_bound() {
    let Some((keys, turn)) = keys().await else { return };
    let fill = async || -> Result<(), StoreError> {
        let text = "UNWIND range(1, $count) AS n CREATE (k:ApiKey {prefix: 'n' + n, place: n})";
        transaction!(turn.driver, "testing", |tx| async {
            tx.run(Statement::new(text).with("count", STORED_KEYS_MAX - 1))
                .await
                .map(drop)
        });
        Ok(())
    };
    fill().await.unwrap();
    assert_eq!(keys.put(key(1, "a")).await.unwrap(), KeyPut::Made);
    let full = keys.put(key(2, "b")).await;
    assert!(matches!(full, Err(StoreError::TooLarge { .. })), "{full:?}");
}

/// Each change loses the answer of its commit once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_whose_answer_is_lost_is_made_once() {
    for cut in CUTS {
        let Some((plain, turn)) = keys().await else { return };
        let cutter = Cutter::start(&turn.config, cut).await;
        let driver = Driver::new(&cutter.config(&turn.config)).unwrap();
        let lossy = Neo4jKeys::new(Arc::new(driver));
        let old = key(1, "ci");
        cutter.cut(1);
        assert_eq!(lossy.put(old.clone()).await.unwrap(), KeyPut::Made, "{cut:?}");
        let rotation = old.rotate(&api_key(2), Duration::HOUR, at(10));
        cutter.cut(1);
        let rotated = lossy.replace(&old.record.prefix, rotation).await;
        assert_eq!(rotated.unwrap(), KeyPut::Made, "{cut:?}");
        cutter.cut(1);
        assert_eq!(lossy.revoke("ci", at(20)).await.unwrap(), 2, "{cut:?}");
        assert_eq!(plain.revision().await.unwrap(), 3, "{cut:?}");
        assert_eq!(plain.list().await.unwrap().len(), 2, "{cut:?}");
    }
}
