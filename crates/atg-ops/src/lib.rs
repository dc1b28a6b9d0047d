//! The operations of atg, one module each.
