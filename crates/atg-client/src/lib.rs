//! A typed async client of the atg server.
