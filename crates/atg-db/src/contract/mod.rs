//! The behaviour suites: one for each trait, run against every backend.
//!
//! A case is a function over a fresh, empty store. A backend names itself with a factory, an async
//! function that answers such a store (in an `Arc` or a `Box`) and whatever must be kept alive beside it:
//! `graph_contract!(factory);` in a test module makes a test of each case.

pub mod graph;
pub mod world;

/// Makes a test of each named case.
#[macro_export]
macro_rules! contract_cases {
    ($factory:path, $module:path: $($case:ident)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                use $module as cases;
                let (store, _guard) = $factory().await;
                cases::$case(&*store).await;
            }
        )+
    };
}
