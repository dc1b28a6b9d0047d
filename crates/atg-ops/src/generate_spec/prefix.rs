//! What a placeholder starts with: the sort of thing it stands for.

use atg_models::graph::NodeKind;

use super::harmless::type_name;
use super::tables::PREFIXES;

/// Longer ones make no good names.
const MAX_CHARS: usize = 24;

/// For a kind that has no ARM type of interest.
pub(super) fn of_kind(kind: NodeKind, type_: Option<&str>) -> String {
    let fixed = match kind {
        NodeKind::Tenant => "tenant",
        NodeKind::ManagementGroup => "mg",
        NodeKind::Subscription => "sub",
        NodeKind::ResourceGroup => "rg",
        NodeKind::RoleDefinition => "role",
        NodeKind::RoleAssignment => "assignment",
        NodeKind::DenyAssignment => "deny",
        NodeKind::PolicyAssignment => "policyassignment",
        NodeKind::PolicyDefinition => "policy",
        NodeKind::Lock => "lock",
        NodeKind::User => "user",
        NodeKind::Group => "group",
        NodeKind::ServicePrincipal => "sp",
        NodeKind::Application => "registration",
        NodeKind::DirectoryRole => "directoryrole",
        NodeKind::AdministrativeUnit => "unit",
        NodeKind::Device => "device",
        NodeKind::Tag => "tag",
        NodeKind::Region => "region",
        NodeKind::ResourceType => "type",
        NodeKind::ExternalIssuer => "issuer",
        NodeKind::Stub => "object",
        NodeKind::Resource => return type_.map_or_else(|| "res".to_owned(), of_type),
    };
    fixed.to_owned()
}

/// For an ARM type, lower case. Only published types have one of their own.
pub(super) fn of_type(type_: &str) -> String {
    let kind = NodeKind::of_type(&atg_models::ArmType::new(type_));
    if kind != NodeKind::Resource {
        return of_kind(kind, None);
    }
    if let Some((_, prefix)) = PREFIXES.iter().find(|(known, _)| *known == type_) {
        return (*prefix).to_owned();
    }
    let published = type_name(type_).unwrap_or_default();
    let last = published.rsplit('/').next().unwrap_or_default();
    let letters: String = last.chars().filter(char::is_ascii_alphabetic).take(MAX_CHARS).collect();
    if letters.is_empty() {
        return "res".to_owned();
    }
    singular(&letters.to_lowercase())
}

fn singular(word: &str) -> String {
    if let Some(stem) = word.strip_suffix("ies") {
        return format!("{stem}y");
    }
    let keeps = word.ends_with("ss") || word.ends_with("us");
    let stem = word.strip_suffix("sses").map(|stem| format!("{stem}ss"));
    stem.unwrap_or_else(|| word.strip_suffix('s').filter(|_| !keeps).unwrap_or(word).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_says_the_sort_and_an_unknown_type_says_nothing() {
        for (type_, prefix) in [
            ("microsoft.compute/virtualmachines", "vm"),
            ("microsoft.resources/resourcegroups", "rg"),
            ("microsoft.authorization/locks", "lock"),
            ("microsoft.network/firewallpolicies", "firewallpolicy"),
            ("microsoft.storage/storageaccounts/blobservices", "blobservice"),
            ("contoso.secret/things", "res"),
        ] {
            assert_eq!(of_type(type_), prefix);
        }
    }
}
