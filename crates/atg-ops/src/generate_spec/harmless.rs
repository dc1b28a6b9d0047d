//! Which texts may stand as they are: those that are known to say nothing of the tenant.
//!
//! An allow-list. What is not a member of a closed vocabulary or of a narrow form that only Azure writes is
//! never shown, whatever it looks like.

use std::sync::LazyLock;

use atg_iac::tables::Word;
use regex::Regex;

use super::tables::{
    ADDRESSES, IMAGE_SKUS, KINDS, MARKETPLACE, NAMED, REGIONS, SERVICE_TAGS, SKUS, SUBRESOURCES, WORDS,
};

/// Where a value stands: its name and the member that holds it, lower case.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) parent: &'a str,
    pub(super) name: &'a str,
}

/// A form that only Azure writes, and the places where it does.
struct Form {
    at: fn(Place<'_>) -> bool,
    pattern: LazyLock<Option<Regex>>,
}

macro_rules! form {
    ($at:expr, $pattern:literal) => {
        Form {
            at: $at,
            pattern: LazyLock::new(|| Regex::new(concat!("^(?:", $pattern, ")$")).ok()),
        }
    };
}

static FORMS: [Form; 11] = [
    form!(|_| true, r"P(\d{1,4}[YMWD]){0,4}(T(\d{1,6}(\.\d{1,3})?[HMS]){1,3})?"),
    form!(|_| true, r"(\d{1,3}\.)?\d{2}:\d{2}(:\d{2})?"),
    form!(|at| at.name.ends_with("version"), r"v?\d{1,4}(\.\d{1,4}){0,2}"),
    form!(|at| at.name.ends_with("version"), r"\d{4}-\d{2}-\d{2}(-preview)?"),
    form!(|at| at.name.contains("port"), r"\d{1,5}(-\d{1,5})?"),
    form!(|at| at.name.contains("zone"), r"[1-3]"),
    form!(|at| at.parent == "capacity" || at.name.starts_with("max"), r"\d{1,5}"),
    form!(|_| true, r"\d{1,4}(\.\d{1,2})?(Ki|Mi|Gi|Ti|KB|MB|GB|TB)"),
    form!(
        is_size,
        r"(Standard|Basic)_[A-Z]{1,3}\d{1,3}(-\d{1,3})?[a-z]{0,5}(_[A-Z]{1,2}\d{1,4})?(_v\d)?(_Promo)?"
    ),
    form!(
        is_size,
        r"[A-Z]{1,3}\d{1,3}([vV]\d)?|(GP|BC|HS|MO|B|S|P|G|D)(_[A-Z][a-z]{0,2}\w?\d?)?_Gen\d(_\d{1,3})?"
    ),
    form!(
        |at| at.name.ends_with("fxversion"),
        r"(NODE|PYTHON|DOTNET|DOTNETCORE|DOTNET-ISOLATED|JAVA|PHP|RUBY|TOMCAT|POWERSHELL|GO)\|\d{1,2}(\.\d{1,2})?(-lts)?"
    ),
];

fn is_size(at: Place<'_>) -> bool {
    let sku = at.parent.ends_with("sku") && matches!(at.name, "name" | "size" | "family");
    let ends = ["vmsize", "skuname", "serviceobjectivename", "workloadprofiletype"];
    sku || at.name == "tier" || ends.iter().any(|end| at.name.ends_with(end))
}

/// How `text` may be shown, if it may be.
pub(super) fn shown(at: Place<'_>, word: Option<&Word>, text: &str) -> Option<String> {
    if let Some(value) = word.and_then(|word| word.value_in(at.parent, text)) {
        return Some(value.to_owned());
    }
    if is_named(at) {
        return None;
    }
    if let Some(region) = region(text).filter(|_| at.name.contains("location") || at.name.contains("region")) {
        return Some(region.to_owned());
    }
    if let Some(published) = type_name(text).or_else(|| action(text)) {
        return Some(published);
    }
    if let Some(value) = in_table(at, text) {
        return Some(value);
    }
    let fits = |form: &Form| (form.at)(at) && form.pattern.as_ref().is_some_and(|pattern| pattern.is_match(text));
    FORMS.iter().any(fits).then(|| text.to_owned())
}

/// A member of the tables that hold at the place.
fn in_table(at: Place<'_>, text: &str) -> Option<String> {
    let known = |table: &[&'static str], text: &str| {
        let mut table = table.iter();
        table.find(|known| known.eq_ignore_ascii_case(text)).copied()
    };
    let of_image = at.parent.ends_with("imagereference") || at.parent.ends_with("image") || at.parent == "identifier";
    let here = match at.name {
        "publisher" | "offer" | "type" => known(MARKETPLACE, text),
        "sku" if of_image => known(IMAGE_SKUS, text),
        "groupids" | "groupid" | "subresourcetarget" => known(SUBRESOURCES, text),
        "kind" if at.parent.is_empty() => {
            let parts: Option<Vec<_>> = text.split(',').map(|part| known(KINDS, part)).collect();
            return parts.map(|parts| parts.join(","));
        }
        name if name.contains("address") || name.contains("servicetag") => known(SERVICE_TAGS, text),
        _ if is_size(at) => known(SKUS, text),
        name => {
            let row = NAMED.iter().find(|(known, _)| *known == name);
            row.and_then(|(_, table)| known(table, text))
        }
    };
    here.or_else(|| known(WORDS, text))
        .or_else(|| known(ADDRESSES, text))
        .map(str::to_owned)
}

/// Whether people give the value as a name: then even a common word is theirs.
fn is_named(at: Place<'_>) -> bool {
    let names = [
        "displayname",
        "description",
        "username",
        "hostname",
        "domain",
        "title",
        "label",
        "notes",
    ];
    (at.name == "name" && !at.parent.ends_with("sku")) || names.iter().any(|name| at.name.ends_with(name))
}

/// The region that is meant, by any spelling.
pub(super) fn region(text: &str) -> Option<&'static str> {
    let name: String = text
        .chars()
        .filter(|c| *c != ' ')
        .flat_map(char::to_lowercase)
        .collect();
    REGIONS.iter().find(|region| **region == name).copied()
}

/// A type of Azure's, or a namespace of types, as it is published.
pub(super) fn type_name(text: &str) -> Option<String> {
    if !(text.contains('/') || text.contains('.')) || text.starts_with('/') {
        return None;
    }
    let word = atg_iac::tables::word(&text.to_lowercase()).ok().flatten()?;
    Some(word.spelling)
}

/// What may be done with things of a published type: `Microsoft.Network/virtualNetworks/subnets/join/action`.
fn action(text: &str) -> Option<String> {
    const ACTIONS: &[&str] = &["/read", "/write", "/delete", "/join/action", "/action"];
    let (type_, action) = ACTIONS
        .iter()
        .find_map(|action| Some((text.strip_suffix(action)?, action)))?;
    Some(format!("{}{action}", type_name(type_)?))
}

/// How Azure writes a moment.
static MOMENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?\s?(Z|[+-]\d{2}:?\d{2})?$").ok()
});

/// Whether a text is a moment.
pub(super) fn is_moment(text: &str) -> bool {
    MOMENT.as_ref().is_some_and(|moment| moment.is_match(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(parent: &str, name: &str, text: &str) -> Option<String> {
        let word = atg_iac::tables::word(name).unwrap();
        shown(Place { parent, name }, word.as_ref(), text)
    }

    #[test]
    fn every_form_compiles() {
        assert!(FORMS.iter().all(|form| form.pattern.is_some()));
        assert!(is_moment("2026-01-01T12:00:00.1234567Z") && !is_moment("2026-01-01T12:00:00Zcontoso"));
    }

    #[test]
    fn what_azure_defines_is_shown() {
        for (parent, name, text, expected) in [
            ("sku", "name", "standard_lrs", "Standard_LRS"),
            ("properties", "location", "West Europe", "westeurope"),
            ("hardwareprofile", "vmsize", "Standard_D4as_v5", "Standard_D4as_v5"),
            (
                "hardwareprofile",
                "vmsize",
                "Standard_NC24ads_A100_v4",
                "Standard_NC24ads_A100_v4",
            ),
            ("sku", "name", "P1v3", "P1v3"),
            ("sku", "name", "GP_Gen5_2", "GP_Gen5_2"),
            ("properties", "destinationportrange", "80-443", "80-443"),
            ("properties", "defaultmessagetimetolive", "P14DT3H4M", "P14DT3H4M"),
            ("properties", "kubernetesversion", "1.29.4", "1.29.4"),
            ("siteconfig", "linuxfxversion", "NODE|18-lts", "NODE|18-lts"),
            (
                "properties",
                "servicename",
                "microsoft.network/virtualnetworks",
                "Microsoft.Network/virtualNetworks",
            ),
            ("imagereference", "publisher", "Canonical", "canonical"),
            ("", "kind", "functionapp,linux", "functionapp,Linux"),
            ("sku", "tier", "generalpurpose", "GeneralPurpose"),
            ("serviceendpoints", "service", "Microsoft.Storage", "Microsoft.Storage"),
            (
                "delegations",
                "actions",
                "Microsoft.Network/virtualNetworks/subnets/join/action",
                "Microsoft.Network/virtualNetworks/subnets/join/action",
            ),
            ("properties", "groupids", "blob", "blob"),
            ("resources", "memory", "0.5Gi", "0.5Gi"),
            ("properties", "addressprefix", "0.0.0.0/0", "0.0.0.0/0"),
        ] {
            assert_eq!(
                check(parent, name, text).as_deref(),
                Some(expected),
                "{parent}.{name} {text}"
            );
        }
    }

    #[test]
    fn what_a_tenant_chose_is_not() {
        for (parent, name, text) in [
            ("subnets", "name", "default"),
            ("", "name", "Standard_LRS"),
            ("properties", "description", "true"),
            ("properties", "addressprefix", "10.1.0.0/16"),
            ("properties", "kubernetesversion", "10.1.2.3"),
            ("siteconfig", "linuxfxversion", "DOCKER|contoso.azurecr.io/web:1"),
            ("imagereference", "publisher", "contoso"),
            ("hardwareprofile", "vmsize", "Standard_Contoso"),
            ("properties", "anything", "westeurope"),
            ("properties", "resourcetype", "Contoso.Secret/things"),
            ("properties", "port", "contoso"),
            ("", "kind", "app,contoso"),
            ("properties", "actions", "Contoso.Secret/things/read"),
            ("properties", "anything", "4711"),
        ] {
            assert_eq!(check(parent, name, text), None, "{parent}.{name} {text}");
        }
    }
}
