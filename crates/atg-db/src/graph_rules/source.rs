//! Which of several observations of one node counts.
//!
//! The one whose source stands nearer to the truth (ARM and Microsoft Graph before Resource Graph before
//! what was derived from another body), then the one with the smaller hashes.

use atg_models::graph::Source;

/// What an observation is judged by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing<'o> {
    /// See [`source_number`].
    pub(crate) source: i64,
    /// Of its content.
    pub(crate) hash: &'o [u8],
    /// Of what its body says.
    pub(crate) said: &'o [u8],
}

/// Whether a new observation replaces one of the same generation.
pub(crate) fn wins(new: Standing<'_>, held: Standing<'_>) -> bool {
    (rank(new.source), new.hash, new.said) < (rank(held.source), held.hash, held.said)
}

/// ARM and Microsoft Graph describe different things, so neither stands before the other.
fn rank(source: i64) -> i64 {
    source.max(1)
}

/// The sources in the order in which they win: who owns the truth first, who copies it after, who
/// reads it out of another body last. The number is stored.
pub(crate) const fn source_number(source: Source) -> i64 {
    match source {
        Source::Arm => 0,
        Source::Graph => 1,
        Source::Arg => 2,
        Source::Derived => 3,
    }
}

/// The counterpart of [`source_number`]; `None` for a number that this version does not know.
pub(crate) const fn source_of(number: i64) -> Option<Source> {
    match number {
        0 => Some(Source::Arm),
        1 => Some(Source::Graph),
        2 => Some(Source::Arg),
        3 => Some(Source::Derived),
        _ => None,
    }
}
