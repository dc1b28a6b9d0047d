//! Automation of the atg repository.
fn main() {}
