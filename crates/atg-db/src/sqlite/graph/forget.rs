//! Words that nothing uses any more: after a tenant went, its subscriptions, groups and paths are among them.

use crate::sqlite::fault::Outcome;
use crate::sqlite::writer::Session;

/// Every column that holds the key of a word.
const USES: &[(&str, &[&str])] = &[
    ("node", &["kind_k", "type_k", "sub_k", "rg_k", "loc_k", "api_k"]),
    ("edge", &["rel"]),
    ("assertion", &["path_k", "s_kind", "d_kind"]),
    ("alias", &["kind_k"]),
    ("lookup", &["kind_k", "rel", "path_k"]),
];

/// Removes them. Looks at every row once: for the removal of a tenant, not for a scan.
pub(super) fn words(session: &mut Session) -> Outcome<()> {
    let uses = USES.iter().flat_map(|(table, columns)| {
        columns
            .iter()
            .map(move |column| format!("SELECT {column} FROM {table} WHERE {column} IS NOT NULL"))
    });
    let used = uses.collect::<Vec<_>>().join(" UNION ");
    session
        .connection
        .execute(&format!("DELETE FROM word WHERE k NOT IN ({used})"), [])?;
    session.words.forget();
    Ok(())
}
