//! The it tests.
