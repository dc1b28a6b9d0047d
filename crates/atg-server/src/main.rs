//! Starts atg-server.
fn main() {}
