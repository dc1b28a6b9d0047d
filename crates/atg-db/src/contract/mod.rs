//! The behaviour suites: one for each trait, run against every backend.
//!
//! A case is a function over a fresh, empty store. A backend names itself with a factory, an async
//! function that answers such a store (in an `Arc` or a `Box`) and whatever must be kept alive
//! beside it: `graph_contract!(factory);` in a test module makes a test of each case. A factory that may
//! find no server answers an `Option`; without a store a case passes, and the factory says why.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::needless_pass_by_value,
    clippy::wildcard_imports,
    clippy::assigning_clones,
    clippy::float_cmp,
    reason = "the suites are tests; a case's name says what it is about"
)]

pub mod artifacts;
pub mod azurite;
pub mod dice;
pub mod graph;
pub mod history;
pub mod jobs;
pub mod keys;
pub mod moving;
pub mod world;

/// What a factory answers: a store and its guard, or nothing where there is no server for it.
pub trait Made {
    type Store;
    type Guard;

    fn made(self) -> Option<(Self::Store, Self::Guard)>;
}

impl<S, G> Made for (S, G) {
    type Store = S;
    type Guard = G;

    fn made(self) -> Option<(S, G)> {
        Some(self)
    }
}

impl<S, G> Made for Option<(S, G)> {
    type Store = S;
    type Guard = G;

    fn made(self) -> Option<(S, G)> {
        self
    }
}

/// Makes a test of each named case.
#[macro_export]
macro_rules! contract_cases {
    ($factory:path, $suite:path; $($module:ident :: { $($case:ident),+ $(,)? })+) => {
        $(
            mod $module {
                $(
                    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                    async fn $case() {
                        #[allow(unused_imports, reason = "the factory may be named by its full path")]
                        use super::*;
                        use $suite as suite;
                        let made = $crate::contract::Made::made($factory().await);
                        let Some((store, _guard)) = made else { return };
                        suite::$module::$case(&*store).await;
                    }
                )+
            }
        )+
    };
}
