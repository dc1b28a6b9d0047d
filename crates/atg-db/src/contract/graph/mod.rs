//! What every graph store does.

pub mod conflicts;
pub mod edges;
pub mod ledger;
pub mod lookups;
pub mod order;
pub mod reads;
pub mod scans;
pub mod sweeps;

/// Runs the suite against the graph stores that a factory makes.
#[macro_export]
macro_rules! graph_contract {
    ($factory:path) => {
        $crate::contract_cases! { $factory, $crate::contract::graph;
            scans::{
                a_node_reads_back_as_it_was_written, a_large_body_is_kept_whole,
                an_unchanged_world_only_gets_a_generation, the_same_page_twice_changes_nothing,
                an_overtaken_attempt_is_refused, an_earlier_scan_cannot_write_any_more,
                a_finished_scan_stays_as_it_is, complete_needs_a_whole_ledger,
                another_tenants_node_is_refused, resources_are_counted_by_the_rule
            }
            ledger::{
                a_page_needs_its_plan, complete_needs_every_partition, a_settled_collection_takes_no_page,
                a_partition_starts_again, a_plan_is_resumed, a_late_page_does_not_turn_the_cursor_back
            }
            conflicts::{
                a_derived_body_never_replaces_one_that_was_read, a_derived_body_stands_in_when_nothing_else_was_read,
                of_two_bodies_of_one_scan_the_same_one_wins, a_new_scan_replaces_an_earlier_body,
                only_the_winners_edges_are_kept
            }
            edges::{
                a_reference_makes_a_stub_that_reading_fills, two_bodies_state_one_edge,
                a_rewritten_body_replaces_its_own_edges_only, a_derived_node_goes_with_its_last_edge,
                a_stub_says_only_what_its_id_says, a_known_kind_stands_before_an_unknown_one,
                a_listed_edge_goes_when_it_is_not_renewed, a_listing_that_failed_removes_nothing
            }
            lookups::{
                a_lookup_is_answered_whichever_comes_first, a_lookup_from_the_found_side,
                an_ambiguous_alias_answers_nothing, an_answer_goes_with_its_node, a_lookup_goes_with_its_body,
                an_anchor_stands_for_the_body, tenants_do_not_answer_each_other
            }
            sweeps::{
                what_was_not_seen_goes, without_proof_nothing_goes, a_swept_node_that_is_referred_to_is_a_stub,
                a_node_comes_back, a_tombstone_has_its_time, a_collection_sweeps_only_its_own, a_sweep_works_in_parts
            }
            reads::{
                find_pages_by_id, find_filters, a_neighbourhood_has_a_budget, a_shortest_path,
                streams_give_everything_in_order, the_export_leaves_out_what_a_scan_alone_knows,
                changes_between_scans, a_tenant_is_removed_alone, a_cache_value, edges_are_derived_again
            }
            order::{any_order_gives_one_digest, a_rescan_equals_a_fresh_scan}
        }
    };
}
