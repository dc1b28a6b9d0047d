//! One resource of the templates, made of what was read.

use std::collections::{BTreeMap, BTreeSet};

use atg_models::ArmId;
use serde_json::{Map, Value as Json};

use crate::select::Resource;
use crate::tables::{ArmTypeFacts, BodyFacts};
use crate::template::fit::Fitting;
use crate::template::ids::{self, Scope};
use crate::template::value::{Key, Param, Value};
use crate::translate::{Books, refused_by_row};
use crate::{IacError, Reason};

/// A resource of the templates.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// The resource it comes from, by its place in the list.
    pub(crate) of: usize,
    /// Canonical id.
    pub(crate) key: String,
    /// The id, with its types spelled as published.
    pub(crate) id: ArmId,
    /// `Microsoft.Network/virtualNetworks/subnets`
    pub(crate) type_: String,
    /// The names along the last part of the id.
    pub(crate) names: Vec<String>,
    /// The version.
    pub(crate) api_version: String,
    /// Where it is deployed.
    pub(crate) scope: Scope,
    /// The resource that it stands on, when that is not the scope itself.
    pub(crate) on: Option<ArmId>,
    /// The other members.
    pub(crate) members: Vec<(Key, Value)>,
    /// What has to be there first because it holds this one, by place in the list of items.
    pub(crate) holder: Option<usize>,
    /// The resource group that it is in, by place in the list of items.
    pub(crate) group: Option<usize>,
    /// What else has to be there first.
    pub(crate) uses: BTreeSet<usize>,
    /// Keys of the parameters in it.
    pub(crate) params: BTreeSet<String>,
    /// Whether its type is published.
    pub(crate) typed: bool,
    /// Paths with what was done there.
    pub(crate) notes: Vec<(String, String)>,
    /// Paths of what is left out.
    pub(crate) left_out: Vec<String>,
}

impl Item {
    /// All that has to be there first.
    pub(crate) fn needs(&self) -> impl Iterator<Item = usize> + '_ {
        self.uses.iter().copied().chain(self.holder)
    }

    /// The last name.
    pub(crate) fn name(&self) -> &str {
        self.names.last().map_or("", String::as_str)
    }

    /// The type and the names, for readers: `Microsoft.Network/virtualNetworks/vnet`.
    pub(crate) fn label(&self) -> String {
        let short = self.type_.rsplit('/').next().unwrap_or_default();
        format!("{short} {}", self.names.join(" "))
    }
}

/// Members of a body of which nothing is published.
const COMMON_MEMBERS: &[&str] = &[
    "properties",
    "sku",
    "kind",
    "zones",
    "plan",
    "extendedLocation",
    "managedBy",
    "location",
    "tags",
    "identity",
];

/// What ARM answers beside the body.
const NOT_BODY: &[&str] = &[
    "id",
    "name",
    "type",
    "apiVersion",
    "systemData",
    "dependsOn",
    "resources",
    "subscriptionId",
    "resourceGroup",
    "tenantId",
    "comments",
    "copy",
    "condition",
];

/// The item of a resource and the parameters that it brings, or why there is none.
pub(crate) fn item(
    resource: &Resource,
    of: usize,
    books: &Books,
    params: &mut BTreeMap<String, Param>,
) -> Result<Result<Item, (Reason, String)>, IacError> {
    let Some(id) = &resource.id else {
        return Ok(Err((Reason::UnreadableId, "the id is no ARM id".to_owned())));
    };
    let Some(body) = resource.body.as_ref().and_then(Json::as_object) else {
        return Ok(Err((Reason::NoBody, "the graph holds no body".to_owned())));
    };
    if let Some(refused) = refused_by_row(resource, books) {
        return Ok(Err(refused));
    }
    let facts = books.tables().arm_type(&resource.type_)?;
    let published = books.tables().arm_body(&resource.type_)?;
    let version = match version(resource, facts.as_deref(), published.as_deref()) {
        Ok(version) => version,
        Err(refused) => return Ok(Err(refused)),
    };
    let id = ids::spelled(id, books.tables())?;
    let (type_, names) = ids::type_and_names(&id);
    let scope = Scope::of(&id);
    let label = names.join(" ");
    let none = BTreeMap::new();
    let mut fitting = Fitting::new(
        &resource.key,
        names.last().map_or("", String::as_str),
        &label,
        published.as_ref().map_or(&none, |published| &published.defs),
    );
    let members = match &published {
        Some(published) => fitting.body(&request(body), &published.body),
        None => unpublished(body, &mut fitting),
    };
    let Fitting {
        params: own,
        notes,
        left_out,
        ..
    } = fitting;
    let item = Item {
        of,
        key: resource.key.clone(),
        api_version: version,
        on: id.scope().filter(|_| id.is_extension()).filter(|on| !scope.is(on)),
        type_,
        names,
        scope,
        members,
        holder: None,
        group: None,
        uses: BTreeSet::new(),
        params: own.keys().cloned().collect(),
        typed: published.is_some(),
        notes,
        left_out,
        id,
    };
    params.extend(own);
    Ok(Ok(item))
}

/// The version that it was read at, where that is published; else the newest stable one.
fn version(
    resource: &Resource,
    facts: Option<&ArmTypeFacts>,
    published: Option<&BodyFacts>,
) -> Result<String, (Reason, String)> {
    let own = resource.api_version.as_ref().filter(|version| !version.is_empty());
    let Some(facts) = facts else {
        return own
            .cloned()
            .ok_or_else(|| (Reason::NoApiVersion, "no api-version is known".to_owned()));
    };
    let Some(published) = published else {
        return Err((Reason::ReadOnly, "ARM publishes no way to create this type".to_owned()));
    };
    let is_preview = |version: &str| version.to_lowercase().contains("preview");
    match own {
        Some(own) if facts.preview || (!is_preview(own) && published.versions.contains(own)) => Ok(own.clone()),
        None if facts.preview => Err((Reason::PreviewOnly, "only preview versions are published".to_owned())),
        Some(_) | None => Ok(facts.api_version.clone()),
    }
}

fn request(body: &Map<String, Json>) -> Map<String, Json> {
    let kept = body
        .iter()
        .filter(|(name, value)| !listed(NOT_BODY, name) && !value.is_null());
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn unpublished(body: &Map<String, Json>, fitting: &mut Fitting<'_>) -> Vec<(Key, Value)> {
    let mut out = Vec::new();
    for (name, value) in body {
        if listed(COMMON_MEMBERS, name) && !value.is_null() {
            out.push((Key::Text(name.clone()), fitting.any(value, name)));
        }
    }
    out
}

fn listed(list: &[&str], name: &str) -> bool {
    list.iter().any(|entry| entry.eq_ignore_ascii_case(name))
}
