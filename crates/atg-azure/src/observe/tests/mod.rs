//! Small worlds, one per family of relations, and the laws that hold for all.

use atg_models::TenantId;
use atg_models::graph::{CollectionKey, Observation, Source};
use serde_json::{Value, json};
use time::OffsetDateTime;

mod access;
mod containers;
mod laws;
mod network;
mod rows;

use super::{Context, arm_row};

pub(crate) const TENANT: &str = "11111111-1111-1111-1111-111111111111";

pub(super) fn observe(row: &Value) -> Vec<Observation> {
    arm_row(row, &context(Source::Arg)).unwrap_or_else(|error| panic!("{error}: {row}"))
}

pub(crate) fn context(source: Source) -> Context<'static> {
    Context {
        tenant: TENANT.parse::<TenantId>().unwrap(),
        source,
        observed_at: OffsetDateTime::UNIX_EPOCH,
        owner: &|owned| {
            Some(CollectionKey::new(
                "arg.resources",
                owned.subscription_id.unwrap_or(TENANT),
            ))
        },
        api_version: &|_| Some("2024-01-01".to_owned()),
    }
}

/// Edges as `source -RELATION-> target`, ids cut to their last two segments.
pub(super) fn edges(observations: &[Observation]) -> Vec<String> {
    let short = |id: &str| {
        if id.starts_with('/') {
            let mut tail: Vec<_> = id.rsplit('/').take(2).collect();
            tail.reverse();
            tail.join("/")
        } else {
            id.to_owned()
        }
    };
    let all = observations.iter().flat_map(|observation| &observation.edges);
    let mut lines: Vec<_> = all
        .map(|edge| {
            let (source, target) = (short(edge.source.id.as_str()), short(edge.target.id.as_str()));
            format!("{source} -{}-> {target}", edge.relation.as_str())
        })
        .collect();
    lines.sort();
    lines.dedup();
    lines
}

/// Look-ups as `anchor -RELATION-> kind value`.
pub(super) fn lookups(observations: &[Observation]) -> Vec<String> {
    let all = observations.iter().flat_map(|observation| &observation.lookups);
    let lines = all.map(|lookup| {
        format!(
            "{} {} {}",
            lookup.relation.as_str(),
            lookup.alias.kind.0,
            lookup.alias.value
        )
    });
    lines.collect()
}

/// Aliases as `kind value`.
pub(super) fn aliases(observations: &[Observation]) -> Vec<String> {
    let all = observations.iter().flat_map(|observation| &observation.aliases);
    all.map(|alias| format!("{} {}", alias.kind.0, alias.value)).collect()
}

/// A resource in group `g` of subscription `s`.
pub(super) fn resource(type_: &str, name: &str, properties: &Value) -> Value {
    json!({"id": in_group(&format!("{type_}/{name}")), "name": name, "type": type_, "properties": properties})
}

/// The id of `Namespace/type/name` in group `g` of subscription `s`.
pub(super) fn in_group(tail: &str) -> String {
    format!("/subscriptions/s/resourceGroups/g/providers/{tail}")
}
