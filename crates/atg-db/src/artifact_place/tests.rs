//! A real blob service, where there is one (`cargo xtask test` starts Azurite).
#![allow(
    clippy::disallowed_methods,
    reason = "what is tested is how long a real service is waited for, by the system's clock"
)]

mod azurite;
mod identity;
mod unreachable;

use std::error::Error as _;

use crate::{ObjectArtifacts, PlaceProblem, StoreError};

/// What is wrong with the place, by an error that says so.
#[track_caller]
fn problem(error: &StoreError) -> &PlaceProblem {
    assert!(error.is_retryable(), "{error:?}");
    let source = error.source().and_then(|source| source.downcast_ref());
    source.unwrap_or_else(|| panic!("says nothing of the place: {error:?}"))
}

#[tokio::test]
async fn a_folder_that_has_gone_is_not_an_artifact_that_has() {
    use crate::ArtifactStore as _;
    let folder = tempfile::tempdir().unwrap();
    let artifacts = ObjectArtifacts::in_folder(folder.path()).unwrap();
    artifacts.check().await.unwrap();
    let id = crate::contract::world::artifact(1);
    assert_eq!(artifacts.size(id).await.unwrap(), None);
    // As a share that is no longer mounted.
    std::fs::remove_dir_all(folder.path().join("artifacts")).unwrap();
    let gone = artifacts.size(id).await.unwrap_err();
    assert!(matches!(problem(&gone), PlaceProblem::NoFolder), "{gone:?}");
}
