//! A tenant made of given bodies (`--snapshot`): test input, not physics.
//!
//! Two shapes are read, packed or plain: `[[template, [resource, …]], …]`, and one JSON object a
//! line with `type`, `api_version` and `body`. Each template gets a group of its own, renamed in
//! every string that names the old one, before anything is served. Of several bodies with one id
//! the first is served; the others, and bodies without an id that parses, are reported.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

use atg_models::{ArmId, TenantId};
use flate2::read::GzDecoder;
use serde_json::{Map, Value, json};

use super::codec::{self, Kind};
use super::seeded::reference;
use super::{Listing, PlantedChanges, Table, World, shape};

/// The seed of the small directory that a snapshot is given.
const SEED: u64 = 0x5eed;
/// Users of that directory.
const USERS: usize = 5;
/// Said of a body whose id does not parse.
pub(super) const NO_ID: &str = "no parsable id";
/// Said of a second body with an id.
pub(super) const SERVED: &str = "id already served";
/// What templates say before they get a group of their own: the group of most bodies of a template.
const GROUP: &str = "/resourcegroups/";

/// A snapshot that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The file could not be opened or unpacked.
    #[error("the snapshot could not be read")]
    Read(#[from] std::io::Error),
    /// It is neither of the two shapes.
    #[error("the snapshot is neither a list of templates nor one JSON object a line")]
    Shape(#[from] serde_json::Error),
}

/// One body that is served.
#[derive(Debug)]
struct Served {
    id: ArmId,
    given: Value,
    api_version: Option<String>,
}

/// A tenant of given bodies.
#[derive(Debug)]
pub struct SnapshotWorld {
    served: Vec<Served>,
    by_id: BTreeMap<String, usize>,
    left_out: Vec<(String, &'static str)>,
    subscriptions: Vec<String>,
    groups: Vec<(String, String)>,
    types: Vec<(String, Vec<String>)>,
}

impl SnapshotWorld {
    /// Reads a file of either shape.
    pub fn from_file(path: &Path) -> Result<Self, SnapshotError> {
        let bytes = std::fs::read(path)?;
        let mut text = String::new();
        if bytes.starts_with(&[0x1f, 0x8b]) {
            GzDecoder::new(bytes.as_slice()).read_to_string(&mut text)?;
        } else {
            bytes.as_slice().read_to_string(&mut text)?;
        }
        Self::from_text(&text)
    }

    /// Reads a text of either shape.
    pub fn from_text(text: &str) -> Result<Self, SnapshotError> {
        let mut world = Self {
            served: Vec::new(),
            by_id: BTreeMap::new(),
            left_out: Vec::new(),
            subscriptions: Vec::new(),
            groups: Vec::new(),
            types: Vec::new(),
        };
        if text.trim_start().starts_with('[') {
            let templates: Vec<(String, Vec<Value>)> = serde_json::from_str(text)?;
            for (number, (name, mut bodies)) in templates.into_iter().enumerate() {
                own_group(&name, number, &mut bodies);
                for body in bodies {
                    world.add(body, None, None);
                }
            }
        } else {
            for line in text.lines().filter(|line| !line.trim().is_empty()) {
                let line: Example = serde_json::from_str(line)?;
                world.add(line.body, line.api_version, Some(line.kind));
            }
        }
        world.index();
        Ok(world)
    }

    /// What was given, without the columns that Resource Graph adds; for comparisons.
    pub fn given(&self, index: usize) -> Option<&Value> {
        self.served.get(index).map(|served| &served.given)
    }

    fn add(&mut self, body: Value, api_version: Option<String>, kind: Option<String>) {
        let text = body.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        let Ok(id) = text.parse::<ArmId>() else {
            let name = if text.is_empty() {
                kind.unwrap_or_else(|| describe(&body))
            } else {
                text
            };
            self.left_out.push((name, NO_ID));
            return;
        };
        let key = id.as_str().to_lowercase();
        if self.by_id.contains_key(&key) {
            self.left_out.push((text, SERVED));
            return;
        }
        self.by_id.insert(key, self.served.len());
        let stated = body.get("apiVersion").and_then(Value::as_str).map(str::to_owned);
        self.served.push(Served {
            id,
            api_version: api_version.or(stated),
            given: body,
        });
    }

    /// Lists the subscriptions, groups and types that occur.
    fn index(&mut self) {
        let mut subscriptions = BTreeMap::new();
        let mut groups = BTreeMap::new();
        let mut types = BTreeMap::<String, (String, BTreeSet<String>)>::new();
        for served in &self.served {
            if let Some(subscription) = served.id.subscription() {
                subscriptions
                    .entry(subscription.to_lowercase())
                    .or_insert_with(|| subscription.to_owned());
                if let Some(group) = served.id.resource_group() {
                    let key = (subscription.to_lowercase(), group.to_lowercase());
                    groups
                        .entry(key)
                        .or_insert_with(|| (subscription.to_owned(), group.to_owned()));
                }
            }
            let spelled = type_of(served);
            let row = types
                .entry(spelled.to_lowercase())
                .or_insert_with(|| (spelled, BTreeSet::new()));
            row.1.extend(served.api_version.clone());
        }
        self.subscriptions = subscriptions.into_values().collect();
        self.groups = groups.into_values().collect();
        self.types = types
            .into_values()
            .map(|(spelled, versions)| {
                let mut versions: Vec<String> = versions.into_iter().rev().collect();
                if versions.is_empty() {
                    versions.push("2021-04-01".to_owned());
                }
                (spelled, versions)
            })
            .collect();
    }

    fn subscription_row(&self, name: &str) -> Value {
        self.container(json!({
            "id": format!("/subscriptions/{name}"), "name": format!("snapshot {name}"), "type": "Microsoft.Resources/subscriptions",
            "subscriptionId": name, "properties": {"state": "Enabled", "managementGroupAncestorsChain": []},
        }))
    }

    fn group_row(&self, subscription: &str, name: &str) -> Value {
        self.container(json!({
            "id": format!("/subscriptions/{subscription}/resourceGroups/{name}"), "name": name,
            "type": "Microsoft.Resources/subscriptions/resourceGroups", "subscriptionId": subscription, "resourceGroup": name,
            "location": "westeurope", "properties": {"provisioningState": "Succeeded"},
        }))
    }

    /// A row of a container. A body that was given for it is shown here too, so that both tables say the same.
    fn container(&self, mut row: Value) -> Value {
        let id = row.get("id").and_then(Value::as_str).unwrap_or_default();
        let given = self.by_id.get(&id.to_lowercase()).and_then(|at| self.served.get(*at));
        if let Some(map) = row.as_object_mut() {
            let members = given.and_then(|served| served.given.as_object()).into_iter().flatten();
            let shown =
                members.filter(|(name, _)| !["type", "subscriptionId", "resourceGroup"].contains(&name.as_str()));
            map.extend(shown.map(|(name, value)| (name.clone(), value.clone())));
            map.insert("tenantId".to_owned(), Value::String(self.tenant_id().to_string()));
            map.insert("apiVersion".to_owned(), Value::String("2022-12-01".to_owned()));
            shape::fill(map);
        }
        row
    }

    /// A body with the columns that Resource Graph adds.
    fn body(&self, served: &Served) -> Value {
        let mut row = match &served.given {
            Value::Object(map) => map.clone(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
        };
        row.entry("name")
            .or_insert_with(|| Value::String(served.id.name().to_owned()));
        row.entry("type").or_insert_with(|| Value::String(type_of(served)));
        row.insert("tenantId".to_owned(), Value::String(self.tenant_id().to_string()));
        for (column, value) in [
            ("subscriptionId", served.id.subscription()),
            ("resourceGroup", served.id.resource_group()),
        ] {
            row.insert(
                column.to_owned(),
                value.map_or(Value::Null, |value| Value::String(value.to_owned())),
            );
        }
        if let Some(version) = &served.api_version {
            row.insert("apiVersion".to_owned(), Value::String(version.clone()));
        }
        shape::fill(&mut row);
        Value::Object(row)
    }

    fn user(&self, index: usize) -> Value {
        let name = format!("user{index}@{}", self.domain());
        json!({"id": object(Kind::User, index), "displayName": format!("User {index}"), "userPrincipalName": name, "mail": name, "userType": "Member", "accountEnabled": true})
    }
}

#[derive(serde::Deserialize)]
struct Example {
    #[serde(rename = "type")]
    kind: String,
    api_version: Option<String>,
    body: Value,
}

fn object(kind: Kind, index: usize) -> String {
    codec::encode(SEED, kind, index).to_string()
}

fn describe(body: &Value) -> String {
    let part = |key| body.get(key).and_then(Value::as_str).unwrap_or_default();
    format!("{} {}", part("type"), part("name")).trim().to_owned()
}

/// The type, as the body spells it where that fits its id, else as the id does.
fn type_of(served: &Served) -> String {
    let stated = served.given.get("type").and_then(Value::as_str).unwrap_or_default();
    if served.id.arm_type().as_str() == stated.to_lowercase() {
        stated.to_owned()
    } else {
        spelled(&served.id)
    }
}

/// The type in the id's own spelling.
fn spelled(id: &ArmId) -> String {
    let segments: Vec<&str> = id.as_str().split('/').filter(|segment| !segment.is_empty()).collect();
    let provider = segments
        .iter()
        .rposition(|segment| segment.eq_ignore_ascii_case("providers"));
    let Some(provider) = provider else {
        return id.arm_type().as_str().to_owned();
    };
    let rest = segments.get(provider + 1..).unwrap_or_default();
    let (namespace, pairs) = rest.split_first().map_or(("", rest), |(first, pairs)| (*first, pairs));
    std::iter::once(namespace)
        .chain(pairs.iter().step_by(2).copied())
        .collect::<Vec<_>>()
        .join("/")
}

/// Gives a template's bodies a group of their own: the group that they share is renamed in all strings.
fn own_group(name: &str, number: usize, bodies: &mut [Value]) {
    let mut counts = BTreeMap::<String, usize>::new();
    for body in bodies.iter() {
        let id = body
            .get("id")
            .and_then(Value::as_str)
            .and_then(|id| id.parse::<ArmId>().ok());
        if let Some(group) = id.as_ref().and_then(ArmId::resource_group) {
            *counts.entry(group.to_lowercase()).or_default() += 1;
        }
    }
    let safe: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .take(60)
        .collect();
    for (at, old) in counts.keys().enumerate() {
        let suffix = if at == 0 { String::new() } else { format!("-{at}") };
        let new = format!("{safe}-{number:03}{suffix}");
        for body in bodies.iter_mut() {
            rename(body, old, &new);
        }
    }
}

fn rename(value: &mut Value, old: &str, new: &str) {
    match value {
        Value::String(text) => *text = renamed(text, old, new),
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, old, new)),
        Value::Object(map) => {
            let stale: Vec<String> = map
                .keys()
                .filter(|key| renamed(key, old, new) != **key)
                .cloned()
                .collect();
            for key in stale {
                if let Some(inner) = map.remove(&key) {
                    map.insert(renamed(&key, old, new), inner);
                }
            }
            map.values_mut().for_each(|inner| rename(inner, old, new));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Replaces the group behind each `/resourceGroups/`, whatever the case of either.
fn renamed(text: &str, old: &str, new: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(found) = lower.get(at..).and_then(|rest| rest.find(GROUP)) {
        let start = at + found + GROUP.len();
        let rest = lower.get(start..).unwrap_or_default();
        let length = rest.find(['/', '\'', '"', ' ', ',', ')']).unwrap_or(rest.len());
        out.push_str(text.get(at..start).unwrap_or_default());
        let same = rest.get(..length) == Some(old);
        out.push_str(if same {
            new
        } else {
            text.get(start..start + length).unwrap_or_default()
        });
        at = start + length;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

impl World for SnapshotWorld {
    fn tenant_id(&self) -> TenantId {
        TenantId::new(codec::encode(SEED, Kind::Unit, usize::MAX))
    }

    fn domain(&self) -> String {
        "snapshot.onmicrosoft.com".to_owned()
    }

    fn len(&self, table: Table) -> usize {
        match table {
            Table::Subscriptions => self.subscriptions.len(),
            Table::ResourceGroups => self.groups.len(),
            Table::Resources => self.served.len(),
            Table::Users => USERS,
            Table::Groups | Table::ServicePrincipals | Table::Applications | Table::DirectoryRoles => 1,
            Table::ManagementGroups
            | Table::RoleAssignments
            | Table::RoleDefinitions
            | Table::DenyAssignments
            | Table::AdministrativeUnits
            | Table::PermissionGrants
            | Table::Devices => 0,
        }
    }

    fn row(&self, table: Table, index: usize) -> Option<Value> {
        if index >= self.len(table) {
            return None;
        }
        match table {
            Table::Subscriptions => self.subscriptions.get(index).map(|name| self.subscription_row(name)),
            Table::ResourceGroups => self
                .groups
                .get(index)
                .map(|(subscription, name)| self.group_row(subscription, name)),
            Table::Resources => self.served.get(index).map(|served| self.body(served)),
            Table::Users => Some(self.user(index)),
            Table::Groups => Some(
                json!({"id": object(Kind::Group, 0), "displayName": "sg-operators", "securityEnabled": true, "mailEnabled": false, "groupTypes": []}),
            ),
            Table::ServicePrincipals => Some(json!({
                "id": object(Kind::Principal, 0), "appId": object(Kind::AppId, 0), "displayName": "deployer", "servicePrincipalType": "Application",
                "accountEnabled": true, "appOwnerOrganizationId": self.tenant_id().to_string(), "appRoles": [], "alternativeNames": [],
            })),
            Table::Applications => Some(
                json!({"id": object(Kind::Application, 0), "appId": object(Kind::AppId, 0), "displayName": "deployer", "signInAudience": "AzureADMyOrg"}),
            ),
            Table::DirectoryRoles => Some(
                json!({"id": object(Kind::DirectoryRole, 0), "displayName": "Global Administrator", "roleTemplateId": "62e90394-69f5-4237-9190-012177145e10"}),
            ),
            Table::ManagementGroups
            | Table::RoleAssignments
            | Table::RoleDefinitions
            | Table::DenyAssignments
            | Table::AdministrativeUnits
            | Table::PermissionGrants
            | Table::Devices => None,
        }
    }

    fn subscription_of(&self, table: Table, index: usize) -> Option<String> {
        let name = match table {
            Table::Resources => self.served.get(index)?.id.subscription()?,
            Table::ResourceGroups => &self.groups.get(index)?.0,
            Table::Subscriptions => self.subscriptions.get(index)?,
            Table::ManagementGroups
            | Table::RoleAssignments
            | Table::RoleDefinitions
            | Table::DenyAssignments
            | Table::Users
            | Table::Groups
            | Table::ServicePrincipals
            | Table::Applications
            | Table::DirectoryRoles
            | Table::AdministrativeUnits
            | Table::PermissionGrants
            | Table::Devices => return None,
        };
        Some(name.to_lowercase())
    }

    fn resource(&self, id_lower: &str) -> Option<Value> {
        let id: ArmId = id_lower.parse().ok()?;
        if let Some(index) = self.by_id.get(&id.as_str().to_lowercase()) {
            return self.row(Table::Resources, *index);
        }
        let is = |known: &str, asked: Option<&str>| asked.is_some_and(|asked| asked.eq_ignore_ascii_case(known));
        match id.as_str().split('/').filter(|segment| !segment.is_empty()).count() {
            2 => {
                let at = self.subscriptions.iter().position(|name| is(name, id.subscription()))?;
                self.row(Table::Subscriptions, at)
            }
            4 => {
                let here = |row: &(String, String)| is(&row.0, id.subscription()) && is(&row.1, id.resource_group());
                self.row(Table::ResourceGroups, self.groups.iter().position(here)?)
            }
            _ => {
                let mut above = id.ancestors();
                let parent = above.find_map(|parent| self.by_id.get(&parent.as_str().to_lowercase()))?;
                shape::part(&self.served.get(*parent)?.given, id_lower).cloned()
            }
        }
    }

    fn listing(&self, listing: Listing, object_id: &str) -> Vec<Value> {
        match (listing, codec::decode(SEED, object_id)) {
            (Listing::GroupMembers, Some((Kind::Group, 0))) => (0..3)
                .map(|index| reference("user", &object(Kind::User, index)))
                .collect(),
            (Listing::RoleMembers, Some((Kind::DirectoryRole, 0))) => vec![reference("user", &object(Kind::User, 0))],
            _ => Vec::new(),
        }
    }

    fn types(&self) -> Vec<(String, Vec<String>)> {
        self.types.clone()
    }

    fn left_out(&self) -> Vec<(String, &'static str)> {
        self.left_out.clone()
    }

    fn plant_changes(&self) -> PlantedChanges {
        PlantedChanges::default()
    }
}
