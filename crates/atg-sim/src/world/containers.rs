//! Management groups, subscriptions, resource groups, and the words and tags that they set.

use serde_json::{Map, Value, json};

use super::changes;
use super::cx::Cx;
use super::plan::PLAN;
use super::seeded::{SeededWorld, number};
use super::{shape, words};
use crate::seeded::{self, hash, pair};

/// Name, display name and parent; the root's name is the tenant's id.
pub(crate) const MANAGEMENT_GROUPS: [(&str, &str, usize); 10] = [
    ("", "Tenant Root Group", 0),
    ("mg-platform", "Platform", 0),
    ("mg-landingzones", "Landing Zones", 0),
    ("mg-sandbox", "Sandbox", 0),
    ("mg-decommissioned", "Decommissioned", 0),
    ("mg-connectivity", "Connectivity", 1),
    ("mg-identity", "Identity", 1),
    ("mg-management", "Management", 1),
    ("mg-corp", "Corp", 2),
    ("mg-online", "Online", 2),
];
/// Where subscriptions hang, in turn.
const HOMES: [usize; 6] = [7, 8, 9, 3, 8, 9];

/// The words of a group and of all names in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GroupWords {
    pub(crate) stem: &'static str,
    pub(crate) env: &'static str,
    pub(crate) region: &'static str,
    pub(crate) short: &'static str,
}

/// The words of a group.
pub(crate) fn words(seed: u64, group: usize) -> GroupWords {
    let (block, stamp) = (group / PLAN.stamps.len(), group % PLAN.stamps.len());
    let number = pair(seed, seeded::wide(group));
    // Most groups of a block are in one region.
    let region = if hash(number, "stay") % 100 < 60 {
        hash(seed, &format!("block{block}"))
    } else {
        hash(number, "region")
    };
    let (region, short) = words::region(region);
    let fixed = PLAN.stamps.get(stamp).and_then(|stamp| stamp.stem);
    let stem = fixed
        .or_else(|| words::pick(&words::STEMS, hash(number, "stem")))
        .unwrap_or("misc");
    let env = words::pick(&words::ENVIRONMENTS, hash(number, "env")).unwrap_or("prd");
    GroupWords {
        stem,
        env,
        region,
        short,
    }
}

/// A group's name; people name them in several ways.
pub(crate) fn group_name(seed: u64, group: usize) -> String {
    let GroupWords { stem, env, short, .. } = words(seed, group);
    match hash(pair(seed, seeded::wide(group)), "style") % 10 {
        0 => format!("RG-{}-{}-{group:04}", stem.to_uppercase(), env.to_uppercase()),
        1 => format!("{stem}_{env}_rg-{group:04}"),
        2 => format!("{stem}.{env}.{short}-{group:04}"),
        _ => format!("rg-{stem}-{env}-{short}-{group:04}"),
    }
}

/// The group of a name, `None` where there is none now.
pub(crate) fn group_named(world: &SeededWorld, name: &str) -> Option<usize> {
    let (_, digits) = name.rsplit_once('-')?;
    let group: usize = digits.parse().ok()?;
    let known = group < world.sizes().resource_groups && group_name(world.seed(), group).eq_ignore_ascii_case(name);
    (known && !(world.planted() && changes::is_removed_group(world, group))).then_some(group)
}

/// A management group as `resourcecontainers` shows it.
pub(crate) fn management_group(world: &SeededWorld, index: usize) -> Option<Value> {
    let (_, display, parent) = *MANAGEMENT_GROUPS.get(index)?;
    let name = management_name(world, index);
    let chain = ancestors(world, index);
    let names: Vec<Value> = chain.iter().filter_map(|entry| entry.get("name").cloned()).collect();
    let parent = if index == 0 {
        Value::Null
    } else {
        let parent_name = management_name(world, parent);
        json!({
            "id": format!("/providers/Microsoft.Management/managementGroups/{parent_name}"),
            "name": parent_name,
            "displayName": MANAGEMENT_GROUPS.get(parent).map(|row| row.1),
        })
    };
    let mut row = container(
        world,
        &format!("/providers/Microsoft.Management/managementGroups/{name}"),
        &name,
        "Microsoft.Management/managementGroups",
    );
    row.insert(
        "properties".to_owned(),
        json!({
            "tenantId": world.tenant_text(),
            "displayName": display,
            "details": {
                "version": 1, "updatedTime": "2023-02-14T08:11:52Z", "updatedBy": world.tenant_text(), "parent": parent,
                "managementGroupAncestors": names, "managementGroupAncestorsChain": chain,
            },
        }),
    );
    Some(Value::Object(row))
}

/// A management group by its lower-cased name.
pub(crate) fn management_group_named(world: &SeededWorld, name: &str) -> Option<Value> {
    let found = (0..MANAGEMENT_GROUPS.len()).find(|&at| management_name(world, at).eq_ignore_ascii_case(name))?;
    management_group(world, found)
}

/// The name of a management group.
pub(crate) fn management_name(world: &SeededWorld, index: usize) -> String {
    match MANAGEMENT_GROUPS.get(index) {
        Some((name, _, _)) if !name.is_empty() => (*name).to_owned(),
        _ => world.tenant_text(),
    }
}

/// From the parent up to the root.
fn ancestors(world: &SeededWorld, index: usize) -> Vec<Value> {
    let mut chain = Vec::new();
    let mut at = index;
    while at != 0 {
        at = MANAGEMENT_GROUPS.get(at).map_or(0, |row| row.2);
        chain.push(chain_entry(world, at));
    }
    chain
}

fn chain_entry(world: &SeededWorld, index: usize) -> Value {
    json!({"name": management_name(world, index), "displayName": MANAGEMENT_GROUPS.get(index).map(|row| row.1)})
}

/// A subscription as `resourcecontainers` shows it.
pub(crate) fn subscription(world: &SeededWorld, index: usize) -> Value {
    let guid = world.subscription_guid(index);
    let home = words::pick(&HOMES, seeded::wide(index)).unwrap_or(0);
    let name = match index {
        0 => "sub-management".to_owned(),
        _ => format!(
            "sub-{}-{index:03}",
            management_name(world, home).trim_start_matches("mg-")
        ),
    };
    let mut chain = vec![chain_entry(world, home)];
    chain.extend(ancestors(world, home));
    let id = format!("/subscriptions/{guid}");
    let mut row = container(world, &id, &name, "Microsoft.Resources/subscriptions");
    row.insert("subscriptionId".to_owned(), Value::String(guid));
    if index == 0 {
        row.insert("tags".to_owned(), json!({"owner": "platform-team"}));
    }
    row.insert(
        "properties".to_owned(),
        json!({
            "state": "Enabled", "authorizationSource": "RoleBased", "managementGroupAncestorsChain": chain, "managedByTenants": [],
            "subscriptionPolicies": {"quotaId": "EnterpriseAgreement_2014-09-01", "locationPlacementId": "Public_2014-09-01", "spendingLimit": "Off"},
        }),
    );
    Value::Object(row)
}

/// A resource group as `resourcecontainers` shows it.
pub(crate) fn resource_group(world: &SeededWorld, group: usize) -> Option<Value> {
    if world.planted() && changes::is_removed_group(world, group) {
        return None;
    }
    let words = words(world.seed(), group);
    let mut row = container(
        world,
        &world.group_id(group),
        &group_name(world.seed(), group),
        "Microsoft.Resources/subscriptions/resourceGroups",
    );
    let block = group / PLAN.stamps.len();
    row.insert(
        "subscriptionId".to_owned(),
        Value::String(world.subscription_guid(shape::subscription_of_block(block))),
    );
    row.insert(
        "resourceGroup".to_owned(),
        Value::String(group_name(world.seed(), group)),
    );
    row.insert("location".to_owned(), Value::String(words.region.to_owned()));
    row.insert("managedBy".to_owned(), managed_by(world, group));
    if number(world, "group tags", group) % 100 < 35 {
        row.insert("tags".to_owned(), tags(number(world, "group tag", group), words.env));
    }
    row.insert("properties".to_owned(), json!({"provisioningState": "Succeeded"}));
    Some(Value::Object(row))
}

/// The workspace that made the group, for the group that a workspace makes.
fn managed_by(world: &SeededWorld, group: usize) -> Value {
    let (block, stamp) = (group / PLAN.stamps.len(), group % PLAN.stamps.len());
    if stamp != PLAN.stamp_of("databricks") {
        return Value::Null;
    }
    let slot = PLAN.slot_of(PLAN.stamp_of("analytics"), super::bodies::DATABRICKS, 0);
    let cx = slot.and_then(|slot| world.cx(block, slot)).filter(Cx::exists);
    cx.map_or(Value::Null, |cx| Value::String(cx.own_id()))
}

/// Tags of a resource: about one in eleven has any.
pub(crate) fn resource_tags(cx: &Cx<'_>) -> Value {
    let tagged = changes::always_tagged(cx) || cx.one_of("tagged", 100) < 9;
    let env = cx.world.group_words(cx.group()).env;
    if tagged {
        tags(cx.number("tag"), env)
    } else {
        Value::Null
    }
}

fn tags(number: u64, env: &str) -> Value {
    let mut tags = Map::new();
    tags.insert("environment".to_owned(), Value::String(env.to_owned()));
    tags.insert(
        "costCenter".to_owned(),
        Value::String(format!("CC-{}", 1000 + number % 40)),
    );
    if number.is_multiple_of(3) {
        let owner = words::pick(&words::DEPARTMENTS, number / 3).unwrap_or("IT Operations");
        tags.insert("Owner".to_owned(), Value::String(owner.to_owned()));
    }
    if number.is_multiple_of(17) {
        tags.insert(
            "note".to_owned(),
            Value::String("see \"runbook\" ${team} — keep".to_owned()),
        );
    }
    Value::Object(tags)
}

fn container(world: &SeededWorld, id: &str, name: &str, arm: &str) -> Map<String, Value> {
    let mut row = Map::new();
    row.insert("id".to_owned(), Value::String(id.to_owned()));
    row.insert("name".to_owned(), Value::String(name.to_owned()));
    row.insert("type".to_owned(), Value::String(arm.to_owned()));
    row.insert("tenantId".to_owned(), Value::String(world.tenant_text()));
    row.insert("apiVersion".to_owned(), Value::String("2022-12-01".to_owned()));
    shape::fill(&mut row);
    row
}
