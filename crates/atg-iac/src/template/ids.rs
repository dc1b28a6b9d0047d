//! Where a resource is deployed, and ids as the functions that compute them there.

use atg_models::ArmId;

use crate::IacError;
use crate::tables::Tables;

/// What a template is deployed into. Keys in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    /// The tenant.
    Tenant,
    /// A management group.
    ManagementGroup(String),
    /// A subscription.
    Subscription(String),
    /// A resource group of a subscription.
    Group(String, String),
}

impl Scope {
    /// Where the resource with this id is deployed.
    pub(crate) fn of(id: &ArmId) -> Self {
        let lower = id.as_str().to_lowercase();
        if let Some(subscription) = id.subscription() {
            let subscription = subscription.to_lowercase();
            return match id.resource_group() {
                Some(group) if lower.contains("/providers/") => Self::Group(subscription, group.to_lowercase()),
                Some(_) | None => Self::Subscription(subscription),
            };
        }
        let mut segments = lower.split('/').skip(1);
        let head = (segments.next(), segments.next(), segments.next());
        match (head, segments.next(), segments.next()) {
            ((_, Some("microsoft.management"), Some("managementgroups")), Some(group), Some("providers")) => {
                Self::ManagementGroup(group.to_owned())
            }
            _ => Self::Tenant,
        }
    }

    /// The scope of the template that a template of this one is deployed from.
    pub(crate) fn root(&self) -> Self {
        match self {
            Self::Group(subscription, _) => Self::Subscription(subscription.clone()),
            Self::Tenant | Self::ManagementGroup(_) | Self::Subscription(_) => self.clone(),
        }
    }

    /// A text that no other scope has.
    pub(crate) fn key(&self) -> String {
        match self {
            Self::Tenant => String::new(),
            Self::ManagementGroup(group) => format!("m:{group}"),
            Self::Subscription(subscription) => format!("s:{subscription}"),
            Self::Group(subscription, group) => format!("g:{subscription}/{group}"),
        }
    }

    fn subscription(&self) -> Option<&str> {
        match self {
            Self::Group(subscription, _) | Self::Subscription(subscription) => Some(subscription),
            Self::Tenant | Self::ManagementGroup(_) => None,
        }
    }

    /// Whether a resource whose id says that it stands on `on` needs no further word about it here.
    pub(crate) fn is(&self, on: &ArmId) -> bool {
        let lower = on.as_str().to_lowercase();
        match self {
            Self::Tenant => false,
            Self::ManagementGroup(group) => {
                lower == format!("/providers/microsoft.management/managementgroups/{group}")
            }
            Self::Subscription(subscription) => lower == format!("/subscriptions/{subscription}"),
            Self::Group(subscription, group) => {
                lower == format!("/subscriptions/{subscription}/resourcegroups/{group}")
            }
        }
    }
}

/// An expression of ARM's functions, which both languages write alike.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Code {
    /// A text.
    Text(String),
    /// A call.
    Call(&'static str, Vec<Code>),
    /// A member of what an expression gives, `subscription().id`.
    Member(Box<Code>, &'static str),
}

fn call(name: &'static str, args: impl IntoIterator<Item = Code>) -> Code {
    Code::Call(name, args.into_iter().collect())
}

fn own_subscription(member: &'static str) -> Code {
    Code::Member(Box::new(call("subscription", [])), member)
}

/// The type and the names of the last part of an id that has one.
pub(crate) fn type_and_names(id: &ArmId) -> (String, Vec<String>) {
    let before = id.scope().map_or(0, |scope| scope.as_str().len());
    let rest = id.as_str().get(before..).unwrap_or_default();
    let mut segments = rest.split('/').skip(1);
    let head = segments.next().unwrap_or_default();
    let mut type_ = if head.eq_ignore_ascii_case("providers") {
        segments.next().unwrap_or_default().to_owned()
    } else {
        // A resource group, or something else directly in a subscription.
        return (
            "Microsoft.Resources/resourceGroups".to_owned(),
            vec![id.name().to_owned()],
        );
    };
    let mut names = Vec::new();
    while let (Some(segment), Some(name)) = (segments.next(), segments.next()) {
        type_.push('/');
        type_.push_str(segment);
        names.push(name.to_owned());
    }
    (type_, names)
}

/// The id as computed by a template of `from`.
pub(crate) fn code(id: &ArmId, from: &Scope) -> Code {
    let own = id
        .subscription()
        .zip(from.subscription())
        .is_some_and(|(a, b)| a.eq_ignore_ascii_case(b));
    let subscription = || Code::Text(id.subscription().unwrap_or_default().to_owned());
    let is_resource = id.as_str().to_lowercase().contains("/providers/");
    let segments = id.as_str().split('/').count();
    if !is_resource && segments == 3 {
        return if own {
            own_subscription("id")
        } else {
            Code::Text(id.as_str().to_owned())
        };
    }
    if !is_resource && (id.resource_group().is_none() || segments != 5) {
        return Code::Text(id.as_str().to_owned());
    }
    let (type_, names) = type_and_names(id);
    let last = std::iter::once(Code::Text(type_)).chain(names.into_iter().map(Code::Text));
    let scope = id.scope();
    let Some(scope) = scope.filter(|_| is_resource) else {
        let name = if is_resource {
            "tenantResourceId"
        } else {
            "subscriptionResourceId"
        };
        let other = (!is_resource && !own).then(subscription);
        return call(name, other.into_iter().chain(last));
    };
    if scope.as_str().to_lowercase().contains("/providers/") {
        return call("extensionResourceId", std::iter::once(code(&scope, from)).chain(last));
    }
    let Some(group) = scope.resource_group() else {
        return call(
            "subscriptionResourceId",
            (!own).then(subscription).into_iter().chain(last),
        );
    };
    let mut before = Vec::new();
    match from {
        Scope::Group(_, own_group) if own && group.eq_ignore_ascii_case(own_group) => {}
        Scope::Group(..) if own => before.push(Code::Text(group.to_owned())),
        Scope::Group(..) | Scope::Subscription(_) | Scope::ManagementGroup(_) | Scope::Tenant => {
            before.push(if own {
                own_subscription("subscriptionId")
            } else {
                subscription()
            });
            before.push(Code::Text(group.to_owned()));
        }
    }
    call("resourceId", before.into_iter().chain(last))
}

/// An id with its types spelled as published.
pub(crate) fn spelled(id: &ArmId, tables: &Tables) -> Result<ArmId, IacError> {
    let mut out = match id.scope() {
        Some(scope) => spelled(&scope, tables)?.as_str().to_owned(),
        None => String::new(),
    };
    let before = id.scope().map_or(0, |scope| scope.as_str().len());
    let rest = id.as_str().get(before..).unwrap_or_default();
    let mut segments = rest.split('/').skip(1);
    let head = segments.next().unwrap_or_default();
    if head.eq_ignore_ascii_case("providers") {
        let (type_, names) = type_and_names(id);
        let type_ = spelled_type(&type_, tables)?;
        let mut types = type_.split('/');
        out.push_str("/providers/");
        out.push_str(types.next().unwrap_or_default());
        for (type_, name) in types.zip(names) {
            out.push_str(&["/", type_, "/", &name].concat());
        }
    } else {
        let all: Vec<&str> = std::iter::once(head).chain(segments).collect();
        for pair in all.chunks(2) {
            let key = pair.first().copied().unwrap_or_default();
            let name = pair.get(1).copied().unwrap_or_default();
            let known = ["subscriptions", "resourceGroups"]
                .into_iter()
                .find(|known| known.eq_ignore_ascii_case(key));
            out.push_str(&["/", known.unwrap_or(key), "/", name].concat());
        }
    }
    Ok(out.parse().unwrap_or_else(|_| id.clone()))
}

/// A type as published; where it is not, as far as its ancestors are.
pub(crate) fn spelled_type(type_: &str, tables: &Tables) -> Result<String, IacError> {
    if let Some(facts) = tables.arm_type(&type_.to_lowercase())? {
        return Ok(facts.type_.clone());
    }
    match type_.rsplit_once('/') {
        Some((parent, last)) if parent.contains('/') => Ok(format!("{}/{last}", spelled_type(parent, tables)?)),
        Some(_) | None => Ok(type_.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUB: &str = "/subscriptions/s1";

    fn said(text: &str, from: &Scope) -> String {
        fn print(code: &Code) -> String {
            match code {
                Code::Text(text) => format!("'{text}'"),
                Code::Call(name, args) => {
                    let args: Vec<String> = args.iter().map(print).collect();
                    format!("{name}({})", args.join(","))
                }
                Code::Member(of, name) => format!("{}.{name}", print(of)),
            }
        }
        print(&code(&text.parse().expect("an id"), from))
    }

    #[test]
    fn an_id_is_computed_with_no_more_words_than_its_place_needs() {
        let group = Scope::Group("s1".to_owned(), "g".to_owned());
        let top = Scope::Subscription("s1".to_owned());
        let net = format!("{SUB}/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v");
        for (id, from, expected) in [
            (net.clone(), &group, "resourceId('Microsoft.Network/virtualNetworks','v')"),
            (
                format!("{net}/subnets/a"),
                &group,
                "resourceId('Microsoft.Network/virtualNetworks/subnets','v','a')",
            ),
            (
                net.replace("/g/", "/other/"),
                &group,
                "resourceId('other','Microsoft.Network/virtualNetworks','v')",
            ),
            (
                net.replace("s1", "s2"),
                &group,
                "resourceId('s2','g','Microsoft.Network/virtualNetworks','v')",
            ),
            (
                net.clone(),
                &top,
                "resourceId(subscription().subscriptionId,'g','Microsoft.Network/virtualNetworks','v')",
            ),
            (
                format!("{net}/providers/Microsoft.Authorization/locks/l"),
                &group,
                "extensionResourceId(resourceId('Microsoft.Network/virtualNetworks','v'),'Microsoft.Authorization/locks','l')",
            ),
            (SUB.to_owned(), &group, "subscription().id"),
            (
                format!("{SUB}/resourceGroups/g"),
                &top,
                "subscriptionResourceId('Microsoft.Resources/resourceGroups','g')",
            ),
            (
                format!("{SUB}/providers/Microsoft.Authorization/policyDefinitions/p"),
                &Scope::Tenant,
                "subscriptionResourceId('s1','Microsoft.Authorization/policyDefinitions','p')",
            ),
            (
                "/providers/Microsoft.Management/managementGroups/m/providers/Microsoft.Authorization/policyDefinitions/p"
                    .to_owned(),
                &top,
                "extensionResourceId(tenantResourceId('Microsoft.Management/managementGroups','m'),'Microsoft.Authorization/policyDefinitions','p')",
            ),
        ] {
            assert_eq!(said(&id, from), expected, "{id}");
        }
    }

    #[test]
    fn a_resource_is_deployed_where_its_id_begins() {
        for (id, expected) in [
            (format!("{SUB}/resourceGroups/G"), Scope::Subscription("s1".to_owned())),
            (
                format!("{SUB}/resourceGroups/G/providers/Microsoft.Authorization/locks/l"),
                Scope::Group("s1".to_owned(), "g".to_owned()),
            ),
            (
                "/providers/Microsoft.Management/managementGroups/M/providers/Microsoft.Authorization/policyAssignments/p"
                    .to_owned(),
                Scope::ManagementGroup("m".to_owned()),
            ),
            ("/providers/Microsoft.Authorization/roleDefinitions/r".to_owned(), Scope::Tenant),
        ] {
            assert_eq!(Scope::of(&id.parse().expect("an id")), expected);
        }
    }
}
