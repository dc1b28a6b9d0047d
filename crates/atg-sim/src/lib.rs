//! A simulated Azure tenant over HTTP, seeded, with the real quotas and faults.

pub mod world;
