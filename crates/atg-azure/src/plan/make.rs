//! The plan: which collections a scan reads, in which parts, and what it leaves out.

use std::collections::BTreeMap;

use atg_models::TenantId;
use atg_models::graph::{CollectionKey, NotPlanned, PartitionKey, PlannedCollection, ScanFilters};

use crate::arm::ListedSubscription;
use crate::plan::partition::{Slice, groups_only, resources_only, subscriptions_only};
use crate::plan::sources::{self, How, LEFT_OUT, SOURCES, STEPS, Source};
use crate::{ScanPlan, Step};

/// What Azure said before anything is read.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) tenant: TenantId,
    pub(crate) principal: String,
    /// Subscriptions of this tenant.
    pub(crate) subscriptions: Vec<ListedSubscription>,
    /// Subscriptions of other tenants.
    pub(crate) other_tenant: u64,
    /// Resources by subscription, as Resource Graph counts them with the filters.
    pub(crate) resources: Option<BTreeMap<String, u64>>,
    /// Names of resource groups by subscription, as ARM lists them.
    pub(crate) groups: BTreeMap<String, Vec<String>>,
}

/// Makes the plan.
pub(crate) fn make(known: &Known, filters: &ScanFilters) -> ScanPlan {
    let planner = Plan { known, filters };
    let chosen = planner.chosen();
    let steps = STEPS.iter().map(|(name, track)| Step {
        name,
        track: *track,
        collections: SOURCES
            .iter()
            .filter(|source| source.step == *name)
            .flat_map(|source| planner.collections(source, &chosen))
            .collect(),
    });
    ScanPlan {
        principal: known.principal.clone(),
        steps: steps.filter(|step| !step.collections.is_empty()).collect(),
        not_planned: planner.not_planned(),
        subscriptions: chosen,
    }
}

struct Plan<'a> {
    known: &'a Known,
    filters: &'a ScanFilters,
}

impl Plan<'_> {
    /// The subscriptions that are read: all of this tenant, or those asked for, seen or not.
    fn chosen(&self) -> Vec<(String, String)> {
        let pair = |listed: &ListedSubscription| (listed.id.clone(), listed.name.clone());
        let own = &self.known.subscriptions;
        if self.filters.subscriptions.is_empty() {
            return own.iter().map(pair).collect();
        }
        let mut wanted: Vec<_> = self.filters.subscriptions.iter().map(|id| id.to_lowercase()).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let found = |id: String| {
            let listed = own.iter().find(|listed| listed.id == id);
            listed.map_or_else(|| (id.clone(), id.clone()), pair)
        };
        wanted.into_iter().map(found).collect()
    }

    fn collections(&self, source: &Source, chosen: &[(String, String)]) -> Vec<PlannedCollection> {
        let narrowed = self.filters.narrows_resources();
        let all_subscriptions = self.filters.subscriptions.is_empty();
        match source.how {
            How::Arg { .. } => match source.name {
                sources::RESOURCES => self.resources(source, chosen),
                sources::RESOURCE_GROUPS => self.groups(source, chosen),
                sources::SUBSCRIPTIONS => vec![self.subscriptions(source, chosen)],
                sources::ROLE_ASSIGNMENTS if narrowed => Vec::new(),
                sources::ROLE_ASSIGNMENTS => {
                    let tenant = all_subscriptions.then(|| self.of_tenant(source, None));
                    let each = chosen.iter().map(|(id, _)| whole(source, id));
                    tenant.into_iter().chain(each).collect()
                }
                sources::MANAGEMENT_GROUPS if !all_subscriptions => Vec::new(),
                _ => vec![self.of_tenant(source, None)],
            },
            How::DenyAssignments if narrowed => Vec::new(),
            How::DenyAssignments => chosen.iter().map(|(id, _)| whole(source, id)).collect(),
            How::Directory(_) | How::PerParent(_) if self.filters.no_directory => Vec::new(),
            How::Tenant | How::Directory(_) | How::PerParent(_) => vec![self.of_tenant(source, None)],
        }
    }

    fn of_tenant(&self, source: &Source, expected: Option<u64>) -> PlannedCollection {
        PlannedCollection {
            expected,
            ..whole(source, &self.known.tenant.to_string())
        }
    }

    fn subscriptions(&self, source: &Source, chosen: &[(String, String)]) -> PlannedCollection {
        let only = subscriptions_only(self.filters);
        PlannedCollection {
            sweepable: only.is_none(),
            expected: u64::try_from(chosen.len()).ok(),
            partitions: Slice::cut(None, only.as_deref()),
            ..self.of_tenant(source, None)
        }
    }

    fn groups(&self, source: &Source, chosen: &[(String, String)]) -> Vec<PlannedCollection> {
        let only = groups_only(self.filters);
        let planned = chosen.iter().map(|(id, _)| {
            let names = self.known.groups.get(id);
            let wanted = &self.filters.resource_groups;
            let counted = names.map(|names| names.iter().filter(|name| wanted.is_empty() || wanted.contains(name)));
            PlannedCollection {
                sweepable: only.is_none(),
                expected: counted.and_then(|counted| u64::try_from(counted.count()).ok()),
                partitions: Slice::cut(None, only.as_deref()),
                ..whole(source, id)
            }
        });
        planned.collect()
    }

    fn resources(&self, source: &Source, chosen: &[(String, String)]) -> Vec<PlannedCollection> {
        let only = resources_only(self.filters);
        let planned = |scope: &str, counted: Option<u64>| PlannedCollection {
            collection: CollectionKey::new(source.name, scope),
            sweepable: only.is_none(),
            expected: counted,
            partitions: Slice::cut(counted, only.as_deref()),
        };
        let counted = |id: &str| {
            let counts = self.known.resources.as_ref()?;
            Some(counts.get(id).copied().unwrap_or(0))
        };
        let each = chosen.iter().map(|(id, _)| planned(id, counted(id)));
        // What lies outside subscriptions is in no resource group either.
        let outside = self.filters.subscriptions.is_empty() && self.filters.resource_groups.is_empty();
        let tenant = outside.then(|| planned(&self.known.tenant.to_string(), counted("")));
        each.chain(tenant).collect()
    }

    fn not_planned(&self) -> Vec<NotPlanned> {
        let entry = |what: &str, reason: String, count| NotPlanned {
            what: what.to_owned(),
            reason,
            count,
        };
        let mut left: Vec<_> = LEFT_OUT
            .iter()
            .map(|(what, why)| entry(what, (*why).to_owned(), None))
            .collect();
        if self.known.other_tenant > 0 {
            let why = "subscriptions of other tenants (delegated access) are not read";
            left.push(entry("other_tenant", why.to_owned(), Some(self.known.other_tenant)));
        }
        if self.filters.no_directory {
            left.push(entry("graph", "the directory was left out on request".to_owned(), None));
        }
        if !self.filters.subscriptions.is_empty() {
            let own = &self.known.subscriptions;
            let others = own
                .iter()
                .filter(|listed| !self.filters.subscriptions.contains(&listed.id))
                .count();
            let why = "only the subscriptions asked for are read, and nothing outside of them".to_owned();
            left.push(entry("other_subscriptions", why, u64::try_from(others).ok()));
        }
        if self.filters.narrows_resources() {
            let why = "resources are narrowed by resource group, type or tag";
            left.push(entry("other_resources", why.to_owned(), None));
            for source in [sources::ROLE_ASSIGNMENTS, sources::DENY_ASSIGNMENTS] {
                left.push(entry(source, format!("{why}, so assignments are not read"), None));
            }
        }
        left
    }
}

fn whole(source: &Source, scope: &str) -> PlannedCollection {
    PlannedCollection {
        collection: CollectionKey::new(source.name, scope),
        sweepable: true,
        expected: None,
        partitions: vec![PartitionKey("{}".to_owned())],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: &str = "aaaaaaaa-0000-0000-0000-000000000001";

    fn known() -> Known {
        let listed = |id: &str| ListedSubscription {
            id: id.to_owned(),
            name: id.to_uppercase(),
            tenant: Some(TENANT.to_owned()),
        };
        Known {
            tenant: TENANT.parse().unwrap(),
            principal: "me".to_owned(),
            subscriptions: vec![listed("s1"), listed("s2")],
            other_tenant: 0,
            resources: Some([("s1".to_owned(), 9000)].into()),
            groups: [("s1".to_owned(), vec!["a".to_owned(), "b".to_owned()])].into(),
        }
    }

    fn planned<'a>(plan: &'a ScanPlan, key: &str) -> Option<&'a PlannedCollection> {
        let mut all = plan.steps.iter().flat_map(|step| &step.collections);
        all.find(|planned| planned.collection.as_str() == key)
    }

    fn left_out(plan: &ScanPlan, what: &str) -> bool {
        plan.not_planned.iter().any(|left| left.what == what)
    }

    #[test]
    fn an_unfiltered_plan_reads_everything_whole() {
        let plan = make(&known(), &ScanFilters::default());
        let steps: Vec<_> = plan.steps.iter().map(|step| (step.name, step.track)).collect();
        assert_eq!(steps, STEPS);
        assert!(
            plan.steps
                .iter()
                .flat_map(|step| &step.collections)
                .all(|planned| planned.sweepable)
        );
        let large = planned(&plan, "arg.resources/s1").unwrap();
        assert_eq!((large.expected, large.partitions.len()), (Some(9000), 3));
        assert_eq!(planned(&plan, "arg.resources/s2").unwrap().expected, Some(0));
        assert_eq!(planned(&plan, "arg.resourcegroups/s1").unwrap().expected, Some(2));
        assert_eq!(planned(&plan, "arg.resourcegroups/s2").unwrap().expected, None);
        assert!(planned(&plan, &format!("arg.resources/{TENANT}")).is_some());
        assert!(left_out(&plan, "arm.children") && !left_out(&plan, "other_tenant"));
    }

    #[test]
    fn a_subscription_that_is_asked_for_and_not_seen_is_planned() {
        let filters = ScanFilters {
            subscriptions: vec!["s9".to_owned()],
            ..ScanFilters::default()
        };
        let plan = make(&known(), &filters);
        assert_eq!(plan.subscriptions, [("s9".to_owned(), "s9".to_owned())]);
        assert!(planned(&plan, "arg.resources/s9").is_some());
        assert!(planned(&plan, "arg.resources/s1").is_none());
        assert!(planned(&plan, &format!("arg.managementgroups/{TENANT}")).is_none());
        assert!(
            !planned(&plan, &format!("arg.subscriptions/{TENANT}"))
                .unwrap()
                .sweepable
        );
        assert!(left_out(&plan, "other_subscriptions"));
    }

    #[test]
    fn a_narrowed_collection_is_never_swept() {
        let filters = ScanFilters {
            resource_groups: vec!["b".to_owned()],
            no_directory: true,
            ..ScanFilters::default()
        };
        let plan = make(&known(), &filters);
        assert!(!planned(&plan, "arg.resources/s1").unwrap().sweepable);
        let groups = planned(&plan, "arg.resourcegroups/s1").unwrap();
        assert_eq!((groups.sweepable, groups.expected), (false, Some(1)));
        assert!(planned(&plan, &format!("graph.users/{TENANT}")).is_none());
        assert!(left_out(&plan, "graph") && left_out(&plan, "arg.roleassignments"));
    }

    #[test]
    fn delegated_subscriptions_are_counted() {
        let plan = make(
            &Known {
                other_tenant: 2,
                ..known()
            },
            &ScanFilters::default(),
        );
        assert!(
            plan.not_planned
                .iter()
                .any(|left| left.what == "other_tenant" && left.count == Some(2))
        );
    }
}
