//! The atg command line.
fn main() {}
