//! ARM resource ids: parsed, printed, and taken apart into parents and scopes.
//!
//! An id is a list of blocks. The first may be `/subscriptions/{s}[/resourceGroups/{g}]`;
//! each further one is `/providers/{namespace}` with one or more `/{type}/{name}` pairs. A block
//! behind another provider block is an extension resource (a lock on a machine, say), and
//! what stands before it is its scope. Ids are compared without regard to case: the node's key
//! is [`ArmId::node_id`], the spelling of the source is kept in [`ArmId::as_str`].
//!
//! Source: Azure Resource Manager, "Resource IDs" and "Extension resource types".

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::ids::NodeId;

/// Why a text is not an ARM id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ArmIdError {
    /// It does not start with a slash.
    #[error("an ARM id starts with a slash")]
    NoLeadingSlash,
    /// It starts with neither `subscriptions` nor `providers`.
    #[error("an ARM id starts with /subscriptions/ or /providers/")]
    UnknownRoot,
    /// A type without a name, or a provider without a type: a collection's path, not an id.
    #[error("an ARM id ends with a resource's name")]
    Incomplete,
    /// Longer than [`NodeId::MAX_BYTES`], or with control characters.
    #[error("an ARM id has at most {max} bytes and no control characters", max = NodeId::MAX_BYTES)]
    Unprintable,
}

/// A resource type, `microsoft.network/virtualnetworks/subnets`: always lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct ArmType(String);

impl ArmType {
    /// Lower-cases `text`, and folds Resource Graph's spelling of the resource group's type into ARM's.
    pub fn new(text: &str) -> Self {
        let lower = text.trim().trim_matches('/').to_lowercase();
        if lower == "microsoft.resources/subscriptions/resourcegroups" {
            return Self(RESOURCE_GROUP_TYPE.to_owned());
        }
        Self(lower)
    }

    /// The type as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The namespace, `microsoft.network`.
    pub fn namespace(&self) -> &str {
        self.0.split_once('/').map_or(self.as_str(), |(namespace, _)| namespace)
    }

    /// The type of the parent resource, `None` for a root type.
    pub fn parent(&self) -> Option<Self> {
        let (parent, _) = self.0.rsplit_once('/')?;
        parent.contains('/').then(|| Self(parent.to_owned()))
    }
}

impl fmt::Display for ArmType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The type of a resource group, as ARM spells it.
pub const RESOURCE_GROUP_TYPE: &str = "microsoft.resources/resourcegroups";
/// The type of a subscription.
pub const SUBSCRIPTION_TYPE: &str = "microsoft.resources/subscriptions";
/// The type of a management group.
pub const MANAGEMENT_GROUP_TYPE: &str = "microsoft.management/managementgroups";

/// A parsed ARM id.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ArmId {
    /// As the source spelled it, with single slashes and none at the end.
    display: String,
    /// Where each block starts, in bytes of `display`.
    blocks: Vec<usize>,
}

impl ArmId {
    /// The id as the source spelled it, without doubled or trailing slashes.
    pub fn as_str(&self) -> &str {
        &self.display
    }

    /// The key of the node that this id names.
    ///
    /// A role definition, and a policy definition that is named by a GUID, is the same thing with
    /// and without a subscription in front, so those are keyed without.
    pub fn node_id(&self) -> NodeId {
        let last = self.last_block();
        let mut pairs = last.split('/').skip(2);
        let type_lower = pairs.next().map(str::to_lowercase);
        let (namespace, type_) = match (pairs.next(), type_lower) {
            (Some(type_), Some(namespace)) => (namespace, type_.to_lowercase()),
            _ => return NodeId::from_canonical(self.display.to_lowercase()),
        };
        let global = namespace == "microsoft.authorization"
            && match type_.as_str() {
                "roledefinitions" => true,
                "policydefinitions" | "policysetdefinitions" => {
                    pairs.next().is_some_and(|name| Uuid::try_parse(name).is_ok())
                }
                _ => false,
            };
        let canonical = if global {
            last.to_lowercase()
        } else {
            self.display.to_lowercase()
        };
        NodeId::from_canonical(canonical)
    }

    /// The type of the thing named.
    pub fn arm_type(&self) -> ArmType {
        let last = self.last_block();
        let mut segments = last.split('/').skip(1);
        let head = segments.next().unwrap_or_default();
        if head.eq_ignore_ascii_case("providers") {
            let namespace = segments.next().unwrap_or_default();
            return ArmType::new(&join_types(namespace, segments));
        }
        let types = last.split('/').skip(1);
        ArmType::new(&join_types("Microsoft.Resources", types))
    }

    /// The name: the last segment.
    pub fn name(&self) -> &str {
        self.display.rsplit_once('/').map_or("", |(_, name)| name)
    }

    /// The subscription segment. It is not always a UUID: samples use words.
    pub fn subscription(&self) -> Option<&str> {
        self.root_value("subscriptions", 0)
    }

    /// The resource group's name.
    pub fn resource_group(&self) -> Option<&str> {
        self.root_value("resourcegroups", 1)
    }

    /// What holds this thing: the parent resource, else the group, subscription, management group
    /// or other resource that it stands on; `None` directly under the tenant.
    pub fn parent(&self) -> Option<Self> {
        let last = self.last_block();
        let pairs_from = if last_is_provider(last) { 2 } else { 0 };
        let segments = last.split('/').skip(1).count();
        if segments > pairs_from + 2 {
            let (rest, _name) = self.display.rsplit_once('/')?;
            let (rest, _type) = rest.rsplit_once('/')?;
            return Some(Self {
                display: rest.to_owned(),
                blocks: self.blocks.clone(),
            });
        }
        self.scope()
    }

    /// What precedes the last `/providers/`: the scope of an extension resource.
    pub fn scope(&self) -> Option<Self> {
        let (&start, rest) = self.blocks.split_last()?;
        if rest.is_empty() || start == 0 {
            return None;
        }
        Some(Self {
            display: self.display.get(..start)?.to_owned(),
            blocks: rest.to_vec(),
        })
    }

    /// Whether this is a resource on another resource (a lock on a machine).
    pub fn is_extension(&self) -> bool {
        let providers = self
            .blocks
            .iter()
            .filter(|&&start| self.display.get(start..).is_some_and(last_is_provider));
        providers.count() > 1
    }

    /// The parent, its parent, and so on up to the root.
    pub fn ancestors(&self) -> impl Iterator<Item = Self> {
        std::iter::successors(self.parent(), Self::parent)
    }

    /// The id of the child `{type}/{name}` of this resource.
    #[must_use]
    pub fn child(&self, type_: &str, name: &str) -> Self {
        Self {
            display: format!("{}/{type_}/{name}", self.display),
            blocks: self.blocks.clone(),
        }
    }

    fn last_block(&self) -> &str {
        let start = self.blocks.last().copied().unwrap_or_default();
        self.display.get(start..).unwrap_or_default()
    }

    fn root_value(&self, key: &str, pair: usize) -> Option<&str> {
        let mut segments = self.display.split('/').skip(1);
        if !segments.next()?.eq_ignore_ascii_case("subscriptions") {
            return None;
        }
        let subscription = segments.next()?;
        if pair == 0 {
            return Some(subscription);
        }
        segments.next()?.eq_ignore_ascii_case(key).then_some(())?;
        segments.next()
    }
}

impl FromStr for ArmId {
    type Err = ArmIdError;

    fn from_str(text: &str) -> Result<Self, ArmIdError> {
        let text = text.trim();
        if text.len() > NodeId::MAX_BYTES || text.chars().any(char::is_control) {
            return Err(ArmIdError::Unprintable);
        }
        if !text.starts_with('/') {
            return Err(ArmIdError::NoLeadingSlash);
        }
        let mut display = String::with_capacity(text.len());
        let mut blocks = Vec::with_capacity(2);
        let mut segments = text
            .split('/')
            .map(str::trim)
            .filter(|segment| !segment.is_empty())
            .peekable();
        match segments.peek() {
            Some(root) if root.eq_ignore_ascii_case("subscriptions") || root.eq_ignore_ascii_case("providers") => {}
            Some(_) | None => return Err(ArmIdError::UnknownRoot),
        }
        let mut types_in_block = 0_usize;
        while let Some(key) = segments.next() {
            if key.eq_ignore_ascii_case("providers") {
                if types_in_block == 0 && !blocks.is_empty() {
                    return Err(ArmIdError::Incomplete);
                }
                blocks.push(display.len());
                types_in_block = 0;
            } else {
                if blocks.is_empty() {
                    blocks.push(0);
                }
                types_in_block += 1;
            }
            let value = segments.next().ok_or(ArmIdError::Incomplete)?;
            display.push('/');
            display.push_str(key);
            display.push('/');
            display.push_str(value);
        }
        if types_in_block == 0 {
            return Err(ArmIdError::Incomplete);
        }
        Ok(Self { display, blocks })
    }
}

impl fmt::Display for ArmId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.display)
    }
}

impl fmt::Debug for ArmId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.display)
    }
}

fn last_is_provider(block: &str) -> bool {
    block
        .get(1..10)
        .is_some_and(|head| head.eq_ignore_ascii_case("providers"))
}

/// Joins the type segments (every other one) behind a namespace.
fn join_types<'a>(namespace: &str, segments: impl Iterator<Item = &'a str>) -> String {
    let mut text = namespace.to_owned();
    for type_ in segments.step_by(2) {
        text.push('/');
        text.push_str(type_);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> ArmId {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    const SUBNET: &str =
        "/subscriptions/S1/resourcegroups/Rg/providers/Microsoft.Network/virtualNetworks/V/subnets/Default";

    #[test]
    fn takes_a_child_resource_apart() {
        let subnet = id(SUBNET);
        assert_eq!(subnet.arm_type().as_str(), "microsoft.network/virtualnetworks/subnets");
        assert_eq!(
            (subnet.name(), subnet.subscription(), subnet.resource_group()),
            ("Default", Some("S1"), Some("Rg"))
        );
        let ancestors: Vec<_> = subnet.ancestors().map(|a| a.arm_type().as_str().to_owned()).collect();
        assert_eq!(
            ancestors,
            [
                "microsoft.network/virtualnetworks",
                RESOURCE_GROUP_TYPE,
                SUBSCRIPTION_TYPE
            ]
        );
        assert!(!subnet.is_extension());
    }

    #[test]
    fn takes_an_extension_resource_apart() {
        let lock = id(
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/m/providers/Microsoft.Authorization/locks/l",
        );
        assert!(lock.is_extension());
        assert_eq!(lock.arm_type().as_str(), "microsoft.authorization/locks");
        assert_eq!(lock.parent(), lock.scope());
        assert_eq!(lock.scope().unwrap().name(), "m");
    }

    #[test]
    fn knows_scopes_above_the_group() {
        let group = id("/providers/Microsoft.Management/managementGroups/corp");
        assert_eq!(group.arm_type().as_str(), MANAGEMENT_GROUP_TYPE);
        assert_eq!(group.parent(), None);
        let assignment = id(
            "/providers/Microsoft.Management/managementGroups/corp/providers/Microsoft.Authorization/roleAssignments/a",
        );
        assert_eq!(assignment.parent(), Some(group));
        assert_eq!(id("/subscriptions/s").arm_type().as_str(), SUBSCRIPTION_TYPE);
        assert_eq!(id("/subscriptions/s").parent(), None);
    }

    #[test]
    fn a_role_definition_is_keyed_without_its_subscription() {
        let bare = id("/providers/Microsoft.Authorization/roleDefinitions/ACDD72A7-3385-48EF-BD42-F606FBA81AE7");
        let with = id(
            "/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7",
        );
        assert_eq!(bare.node_id(), with.node_id());
        let custom = id("/subscriptions/s/providers/Microsoft.Authorization/policyDefinitions/deny-public-ip");
        assert_eq!(custom.node_id().as_str(), custom.as_str().to_lowercase());
    }

    #[test]
    fn mends_slashes_and_refuses_what_is_no_id() {
        assert_eq!(id("//subscriptions//s/").as_str(), "/subscriptions/s");
        for (text, error) in [
            ("", ArmIdError::NoLeadingSlash),
            ("subscriptions/s", ArmIdError::NoLeadingSlash),
            ("/", ArmIdError::UnknownRoot),
            ("/tenants/t", ArmIdError::UnknownRoot),
            ("/subscriptions", ArmIdError::Incomplete),
            ("/providers/Microsoft.Network", ArmIdError::Incomplete),
            (
                "/subscriptions/s/providers/Microsoft.Network/virtualNetworks",
                ArmIdError::Incomplete,
            ),
            ("/subscriptions/s\n", ArmIdError::Incomplete),
        ] {
            if text.ends_with('\n') {
                assert!(text.parse::<ArmId>().is_ok(), "blanks around an id are trimmed");
            } else {
                assert_eq!(text.parse::<ArmId>().unwrap_err(), error, "{text}");
            }
        }
    }

    mod laws {
        use super::*;
        use proptest::prelude::*;

        fn segment() -> impl Strategy<Value = String> {
            "[A-Za-z0-9][A-Za-z0-9._()-]{0,12}".prop_filter("a keyword", |text| !text.eq_ignore_ascii_case("providers"))
        }

        prop_compose! {
            fn any_id()(
                root in prop_oneof![
                    Just(String::new()),
                    segment().prop_map(|s| format!("/subscriptions/{s}")),
                    (segment(), segment()).prop_map(|(s, g)| format!("/subscriptions/{s}/resourceGroups/{g}")),
                ],
                blocks in prop::collection::vec(
                    (segment(), prop::collection::vec((segment(), segment()), 1..4)), 1..4),
            ) -> String {
                let mut text = root;
                for (namespace, pairs) in blocks {
                    text.extend(["/providers/", &namespace]);
                    for (type_, name) in pairs {
                        text.extend(["/", &type_, "/", &name]);
                    }
                }
                text
            }
        }

        fn recase(text: &str, seed: u64) -> String {
            text.chars()
                .enumerate()
                .map(|(at, c)| {
                    if seed >> (at % 64) & 1 == 1 {
                        c.to_ascii_uppercase()
                    } else {
                        c.to_ascii_lowercase()
                    }
                })
                .collect()
        }

        proptest! {
            #[test]
            fn prints_what_it_parsed(text in any_id()) {
                let parsed = id(&text);
                prop_assert_eq!(parsed.as_str(), text);
            }

            #[test]
            fn casing_changes_no_key_and_no_type(text in any_id(), seed: u64) {
                let (plain, mixed) = (id(&text), id(&recase(&text, seed)));
                prop_assert_eq!(plain.node_id(), mixed.node_id());
                prop_assert_eq!(plain.arm_type(), mixed.arm_type());
                let keys = |id: &ArmId| id.ancestors().map(|a| a.node_id()).collect::<Vec<_>>();
                prop_assert_eq!(keys(&plain), keys(&mixed));
            }

            #[test]
            fn ancestors_are_prefixes_and_end(text in any_id()) {
                let whole = id(&text);
                let mut last = whole.as_str().len();
                for ancestor in whole.ancestors() {
                    prop_assert!(whole.as_str().starts_with(ancestor.as_str()));
                    prop_assert!(ancestor.as_str().len() < last);
                    prop_assert_eq!(&ancestor.as_str().parse::<ArmId>().unwrap(), &ancestor);
                    last = ancestor.as_str().len();
                }
            }

            #[test]
            fn a_child_knows_its_parent(text in any_id(), type_ in segment(), name in segment()) {
                let parent = id(&text);
                prop_assert_eq!(parent.child(&type_, &name).parent(), Some(parent));
            }

            #[test]
            fn any_text_parses_or_is_refused(text in "\\PC{0,80}") {
                let _ = text.parse::<ArmId>();
            }
        }
    }
}
