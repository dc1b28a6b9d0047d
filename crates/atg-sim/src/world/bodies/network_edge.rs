//! To come.

use super::TypeRow;

pub(super) const ROWS: &[TypeRow] = &[];
