//! The proc tests.
