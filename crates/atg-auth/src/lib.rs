//! API keys, scopes, and the pure decision whether a principal may do something.
