//! Azure Resource Graph: the query language, its evaluation over the world, and the route.

pub(crate) mod eval;
pub(crate) mod kql;
pub(crate) mod lexer;
pub(crate) mod route;
pub(crate) mod rows;
