//! Infrastructure code from a graph snapshot: pure and deterministic.
//!
//! Reads no clock, does no I/O, uses no hash-ordered collection: the same snapshot and options
//! give the same bytes.
