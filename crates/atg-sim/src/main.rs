//! Starts atg-sim.
fn main() {}
