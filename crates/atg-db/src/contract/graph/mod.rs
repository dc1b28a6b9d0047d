//! What every graph store does.

pub mod scans;

/// Runs the suite against the graph stores that a factory makes.
#[macro_export]
macro_rules! graph_contract {
    ($factory:path) => {
        $crate::contract_cases!($factory, $crate::contract::graph::scans:
            a_node_reads_back_as_it_was_written
            an_unchanged_world_only_gets_a_generation
            the_same_page_twice_changes_nothing
            an_overtaken_attempt_is_refused
        );
    };
}
