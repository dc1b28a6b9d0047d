//! The operations of atg, one module each. The engine knows them by their kind only.
//!
//! Relies on the traits of `atg-db` and `atg-azure`, on `atg-iac` for code. Must never: keep a state
//! that a killed process would lose, or speak HTTP by itself.

mod archive;
mod basis;
pub mod generate_iac;
pub mod generate_spec;
mod limits;
mod patience;
pub mod remove_tenant;
pub mod scan;
mod stop;
#[cfg(test)]
mod testing;
pub mod unpack;

pub use generate_iac::GenerateIacOperation;
pub use generate_spec::GenerateSpecOperation;
pub use remove_tenant::RemoveTenantOperation;
pub use scan::ScanOperation;
