//! From a row and the text at its path to the thing that the text names, or the alias that will tell.

use atg_models::graph::{Alias, AliasKind, EdgeEnd, NodeKind};
use atg_models::{ArmId, ArmType, TenantId};
use serde_json::{Map, Value};

use crate::relations::catalogue::{Anchor, Form, Row, Target};
use crate::relations::derive::Subject;
use crate::relations::path::{Path, Step, member, text_member};
use crate::relations::walk::{At, around};
use crate::relations::{address, ends, parts, reference};

/// What a text names.
#[derive(Debug)]
pub(crate) enum Found {
    /// This, with facts for the edge.
    End(EdgeEnd, Map<String, Value>),
    /// Whatever publishes this alias, with facts for the edge.
    Alias(Alias, Map<String, Value>),
    /// Nothing: a blank, a word, something else than the row expects.
    Nothing,
}

impl Found {
    fn end(end: Option<EdgeEnd>) -> Self {
        end.map_or(Self::Nothing, |end| Self::End(end, Map::new()))
    }

    fn alias(kind: &AliasKind, value: String) -> Self {
        Self::Alias(
            Alias {
                kind: kind.clone(),
                value,
            },
            Map::new(),
        )
    }
}

/// Resolves the text that `row` found at `at`.
pub(crate) fn resolve(row: &Row, text: &str, subject: &Subject<'_>, at: &[At<'_>]) -> Found {
    if let Some(found) = derived(row, text, at) {
        return found;
    }
    if let Some(id) = reference::arm_id(text) {
        let (end, facts) = rolled(&id);
        return Found::End(end, facts);
    }
    if text.trim() == "/" && row.form == Form::ArmId {
        return Found::end(Some(ends::tenant_end(subject.tenant)));
    }
    if reference::is_word(text) {
        return Found::Nothing;
    }
    match row.form {
        Form::ArmId => Found::Nothing,
        Form::PrincipalId => principal(row, text, subject, at),
        Form::AppId => app(row, text),
        Form::Fqdn => by_host(row, text),
        Form::NameInParent => by_name(row, text, subject),
    }
}

/// The source end of a row's edge (or its target end, where the row turns the edge round).
pub(crate) fn anchor(row: &Row, subject: &Subject<'_>, at: &[At<'_>]) -> Option<EdgeEnd> {
    let id = subject.arm.as_ref();
    let above = match &row.anchor {
        Anchor::Itself => return Some(subject.end.clone()),
        Anchor::Parent => id.and_then(ArmId::parent),
        Anchor::Scope => id.and_then(ArmId::scope),
        Anchor::Profile => id.and_then(root_resource),
        Anchor::At(path) => return anchor_at(path, subject, at),
    };
    Some(above.map_or_else(|| subject.end.clone(), |id| rolled(&id).0))
}

/// The node that an id belongs to; what was cut off stays as a fact.
pub(crate) fn rolled(id: &ArmId) -> (EdgeEnd, Map<String, Value>) {
    let (node, cut) = parts::roll_up(id);
    let mut facts = Map::new();
    if let Some(cut) = cut {
        facts.insert("sub_path".to_owned(), Value::String(cut));
    }
    (ends::arm_end(&node), facts)
}

/// Derived nodes are made on sight.
fn derived(row: &Row, text: &str, at: &[At<'_>]) -> Option<Found> {
    for target in &row.targets {
        let end = match target {
            Target::Region => ends::region_end(text),
            Target::Tag => match at.last() {
                Some(At::Name(name)) => ends::tag_end(name, text),
                Some(At::Item(_)) | None => None,
            },
            Target::Tenant if row.targets.len() == 1 => text.trim().parse::<TenantId>().ok().map(ends::tenant_end),
            Target::ResourceType => ends::type_end(text),
            Target::ExternalIssuer => {
                let Some(issuer) = address::issuer(text) else {
                    return Some(Found::Nothing);
                };
                if address::is_cluster_issuer(&issuer) {
                    return Some(Found::alias(&row.alias, issuer));
                }
                Some(ends::issuer_end(issuer))
            }
            Target::Tenant | Target::Any | Target::Type(_) => continue,
        };
        return Some(Found::end(end));
    }
    None
}

fn principal(row: &Row, text: &str, subject: &Subject<'_>, at: &[At<'_>]) -> Found {
    let around = around(subject.body, at);
    let says = |name: &str| around.and_then(|around| text_member(around, name)).unwrap_or_default();
    let by_author = row.matches.is_some();
    let Some(id) = reference::object_id(text) else {
        return if by_author && text.contains('@') {
            Found::alias(&row.alias, text.trim().to_lowercase())
        } else {
            Found::Nothing
        };
    };
    // Authors and administrators that are applications are given by their client id.
    let author = if by_author {
        says("createdByType")
    } else {
        says("principalType")
    };
    let by_client_id = by_author || row.path.text.ends_with("sid");
    if by_client_id && (author.eq_ignore_ascii_case("Application") || author.eq_ignore_ascii_case("ManagedIdentity")) {
        let kind = AliasKind("appid@microsoft.graph/serviceprincipals".to_owned());
        return Found::alias(&kind, id.as_hyphenated().to_string());
    }
    let said = [says("principalType"), says("createdByType"), says("type")];
    let kind = said.into_iter().find_map(principal_kind).or_else(|| {
        let type_ = row.sole_type()?;
        ends::directory_kind(type_)
    });
    Found::end(Some(ends::object_end(id, kind.unwrap_or(NodeKind::Stub))))
}

/// The kind that a body itself says of a principal.
fn principal_kind(word: &str) -> Option<NodeKind> {
    let kinds = [
        ("User", NodeKind::User),
        ("Group", NodeKind::Group),
        ("ForeignGroup", NodeKind::Group),
        ("ServicePrincipal", NodeKind::ServicePrincipal),
        ("App", NodeKind::ServicePrincipal),
        ("Device", NodeKind::Device),
    ];
    kinds
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(word))
        .map(|(_, kind)| *kind)
}

fn app(row: &Row, text: &str) -> Found {
    match reference::object_id(text) {
        Some(id) => Found::alias(&row.alias, id.as_hyphenated().to_string()),
        None => Found::Nothing,
    }
}

fn by_host(row: &Row, text: &str) -> Found {
    let image = row.path.text.ends_with("mage") || row.path.text.ends_with("FxVersion");
    let host = if image {
        address::image_host(text)
    } else {
        address::host(text)
    };
    match host {
        Some(host) => Found::Alias(address::host_alias(host), address::vault_object(text)),
        None => Found::Nothing,
    }
}

fn by_name(row: &Row, text: &str, subject: &Subject<'_>) -> Found {
    let name = text.trim().trim_matches('/');
    if row.targets.contains(&Target::Tenant) {
        return Found::end(directory_scope(name, subject.tenant));
    }
    let types: Vec<_> = row.types().collect();
    let by_id = match types.as_slice() {
        [type_] => id_by_name(type_, name, subject),
        _ => None,
    };
    if let Some(id) = by_id {
        let (end, facts) = rolled(&id);
        return Found::End(end, facts);
    }
    if name.is_empty() || name.contains('[') {
        return Found::Nothing;
    }
    let scope = types
        .first()
        .and_then(|type_| ancestor_of_type(subject.arm.as_ref()?, &type_.parent()?));
    let is_name = row.matches.as_ref().is_some_and(|path| path.text == "name");
    let value = match scope {
        Some(scope) if is_name => format!("{}/{}", scope.node_id(), name.to_lowercase()),
        Some(_) | None => name.to_lowercase(),
    };
    Found::alias(&row.alias, value)
}

/// The id of a thing whose name is unique where the body stands.
fn id_by_name(type_: &ArmType, name: &str, subject: &Subject<'_>) -> Option<ArmId> {
    if name.is_empty() || name.contains(['/', '[']) {
        return None;
    }
    let own = subject.arm.as_ref()?;
    match type_.as_str() {
        atg_models::arm_id::RESOURCE_GROUP_TYPE => {
            let subscription = own.subscription()?;
            format!("/subscriptions/{subscription}/resourceGroups/{name}")
                .parse()
                .ok()
        }
        atg_models::arm_id::MANAGEMENT_GROUP_TYPE => format!("/providers/Microsoft.Management/managementGroups/{name}")
            .parse()
            .ok(),
        "microsoft.authorization/roledefinitions" => {
            format!("/providers/Microsoft.Authorization/roleDefinitions/{name}")
                .parse()
                .ok()
        }
        // A workspace names its subnets beside the network's id.
        "microsoft.network/virtualnetworks/subnets" => {
            let parameters = member(member(subject.body, "properties")?, "parameters")?;
            let network = text_member(member(parameters, "customVirtualNetworkId")?, "value")?;
            Some(reference::arm_id(network)?.child("subnets", name))
        }
        text => {
            let (_, segment) = text.rsplit_once('/')?;
            Some(ancestor_of_type(own, &type_.parent()?)?.child(segment, name))
        }
    }
}

fn ancestor_of_type(id: &ArmId, type_: &ArmType) -> Option<ArmId> {
    std::iter::once(id.clone())
        .chain(id.ancestors())
        .find(|id| id.arm_type() == *type_)
}

/// `/` for the tenant, else a path to a unit or an application.
fn directory_scope(path: &str, tenant: TenantId) -> Option<EdgeEnd> {
    if path.is_empty() {
        return Some(ends::tenant_end(tenant));
    }
    match path.split_once('/') {
        Some((_, unit)) => Some(ends::object_end(
            reference::object_id(unit)?,
            NodeKind::AdministrativeUnit,
        )),
        None => Some(ends::object_end(reference::object_id(path)?, NodeKind::Application)),
    }
}

fn root_resource(id: &ArmId) -> Option<ArmId> {
    let own = id.arm_type();
    let root = id
        .ancestors()
        .filter(|above| above.arm_type().namespace() == own.namespace());
    root.last()
}

fn anchor_at(path: &Path, subject: &Subject<'_>, at: &[At<'_>]) -> Option<EdgeEnd> {
    let mut value = subject.body;
    let mut list = "";
    for (depth, step) in path.steps.iter().enumerate() {
        value = match (step, at.get(depth)) {
            (Step::Name(name), _) => {
                list = name;
                member(value, name)?
            }
            (Step::AnyItem, Some(At::Item(item))) | (Step::Item(item), _) => value.as_array()?.get(*item)?,
            (Step::AnyName, Some(At::Name(name))) => member(value, name)?,
            (Step::AnyItem | Step::AnyName | Step::Prefix(_), _) => return None,
        };
    }
    if let Some(text) = value.as_str() {
        if let Some(id) = reference::arm_id(text) {
            return Some(rolled(&id).0);
        }
        let around = around(subject.body, at)?;
        let said = text_member(around, "principalType").and_then(principal_kind);
        let kind = if path.text == "clientId" {
            Some(NodeKind::ServicePrincipal)
        } else {
            said
        };
        return Some(ends::object_end(
            reference::object_id(text)?,
            kind.unwrap_or(NodeKind::Stub),
        ));
    }
    if let Some(id) = text_member(value, "id").and_then(reference::arm_id) {
        return Some(rolled(&id).0);
    }
    let name = text_member(value, "name").filter(|name| !name.is_empty() && !name.contains('/'))?;
    Some(ends::arm_end(&subject.arm.as_ref()?.child(list, name)))
}
