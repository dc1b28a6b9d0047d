//! Lenient reading of references: what services and people write where an id is meant.

use std::str::FromStr as _;

use atg_models::ArmId;
use uuid::Uuid;

/// Prefixes under which services hide an id in a name or a value.
const PREFIXES: &[&str] = &["hidden-link:", "hidden-related:", "UserAssignedIdentity="];

/// Words that stand where an id could.
const WORDS: &[&str] = &[
    "msi",
    "system",
    "systemassigned",
    "systemassignedidentity",
    "none",
    "all",
    "null",
    "guestsorexternalusers",
];

/// Reads an ARM id, mended: prefix, management host, missing, doubled and trailing slashes, blanks.
/// `None` for everything else; a collection's path is not an id.
pub fn arm_id(text: &str) -> Option<ArmId> {
    let text = strip_prefix(text.trim());
    // Nearly all strings end here, so this comes before anything that allocates.
    if !matches!(text.bytes().next()?, b'/' | b's' | b'S' | b'p' | b'P' | b'h' | b'H') {
        return None;
    }
    let text = strip_host(text)?;
    let bare = text.trim_start_matches('/');
    if let Some(rest) = strip_ignore_case(bare, "providers/") {
        // Other paths start with this word too; a namespace has a dot.
        let namespace = rest.trim_start_matches('/').split('/').next().unwrap_or_default();
        if !namespace.contains('.') {
            return None;
        }
    } else {
        let rest = strip_ignore_case(bare, "subscriptions/")?;
        let subscription = rest.trim_start_matches('/').split('/').next().unwrap_or_default();
        if subscription.contains(char::is_whitespace) {
            return None;
        }
    }
    if text.starts_with('/') {
        ArmId::from_str(text).ok()
    } else {
        ArmId::from_str(&format!("/{text}")).ok()
    }
}

/// Reads a directory object's id. The all-zero id means everyone, so it names nobody.
pub(crate) fn object_id(text: &str) -> Option<Uuid> {
    const HYPHENATED_LEN_BYTES: usize = 36;
    let text = text.trim();
    if text.len() != HYPHENATED_LEN_BYTES {
        return None;
    }
    Uuid::try_parse(text).ok().filter(|id| !id.is_nil())
}

/// Whether the text is blank or a word that stands for an id.
pub(crate) fn is_word(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// Takes `head` off `text`, whatever its case.
pub(crate) fn strip_ignore_case<'t>(text: &'t str, head: &str) -> Option<&'t str> {
    let found = text.get(..head.len())?;
    found.eq_ignore_ascii_case(head).then(|| text.get(head.len()..))?
}

fn strip_prefix(text: &str) -> &str {
    let found = PREFIXES.iter().find_map(|prefix| strip_ignore_case(text, prefix));
    found.unwrap_or(text).trim_start()
}

/// Takes a management host and a query off.
fn strip_host(text: &str) -> Option<&str> {
    let Some(rest) = strip_ignore_case(text, "https://").or_else(|| strip_ignore_case(text, "http://")) else {
        return Some(text);
    };
    let (host, _) = rest.split_once('/')?;
    strip_ignore_case(host, "management.")?;
    let path = rest.get(host.len()..)?;
    Some(path.split(['?', '#']).next().unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mends_what_services_write() {
        const ID: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/a";
        for text in [
            ID.to_owned(),
            ID.trim_start_matches('/').to_owned(),
            format!(" {ID}/ "),
            format!("/{ID}"),
            format!("https://management.azure.com{ID}?api-version=2024-01-01"),
            format!("https://management.usgovcloudapi.net:443{ID}"),
            format!("hidden-link:{ID}"),
            format!("Hidden-Related:{ID}"),
            format!("UserAssignedIdentity={ID}"),
        ] {
            assert_eq!(arm_id(&text).map(|id| id.to_string()), Some(ID.to_owned()), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_id() {
        for text in [
            "",
            "/",
            "msi",
            "providers/x/y",
            "providers of things",
            "https://example.com/subscriptions/s",
            "/subscriptions/s and others",
            "[resourceId('Microsoft.Web/sites', 'a')]",
            "Microsoft.Web/sites/read",
            "/subscriptions/s/providers/Microsoft.Web/sites",
            "ünïcode/",
        ] {
            assert_eq!(arm_id(text), None, "{text}");
        }
    }

    #[test]
    fn words_and_zeros_name_nobody() {
        assert!(is_word(" MSI ") && is_word("") && is_word("SystemAssigned") && !is_word("x"));
        assert_eq!(object_id("00000000-0000-0000-0000-000000000000"), None);
        assert!(object_id("ABCDEFAB-1111-2222-3333-444455556666").is_some());
    }
}
