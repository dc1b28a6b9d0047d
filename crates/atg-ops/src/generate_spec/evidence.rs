//! What a group or a subscription is for, concluded from what is in it: types, tags, words of names.
//!
//! No word of the tenant's own is repeated. Words are looked up in closed tables, and what is said is
//! the table's meaning.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::tables::{ENVIRONMENT_TAGS, ENVIRONMENTS};

/// What a type says of the group that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Topic {
    Web,
    Containers,
    Machines,
    Databases,
    Analytics,
    Intelligence,
    Integration,
    Desktops,
    Recovery,
    Connectivity,
    Network,
    Storage,
    Secrets,
    Monitoring,
    Automation,
}

impl Topic {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web applications",
            Self::Containers => "containers",
            Self::Machines => "virtual machines",
            Self::Databases => "databases",
            Self::Analytics => "data and analytics",
            Self::Intelligence => "AI services",
            Self::Integration => "messaging and integration",
            Self::Desktops => "virtual desktops",
            Self::Recovery => "backup and recovery",
            Self::Connectivity => "network connectivity",
            Self::Network => "networking",
            Self::Storage => "storage",
            Self::Secrets => "secrets and keys",
            Self::Monitoring => "monitoring",
            Self::Automation => "automation",
        }
    }

    /// How much one resource says: what others only serve says less.
    const fn weight(self) -> u64 {
        match self {
            Self::Web
            | Self::Containers
            | Self::Databases
            | Self::Analytics
            | Self::Intelligence
            | Self::Integration
            | Self::Desktops
            | Self::Connectivity => 6,
            Self::Machines | Self::Recovery => 4,
            Self::Secrets | Self::Automation => 2,
            Self::Network | Self::Storage | Self::Monitoring => 1,
        }
    }
}

/// Types, or what they start with, and their topic. The first that fits counts.
const TOPICS: &[(&str, Topic)] = &[
    ("microsoft.web/", Topic::Web),
    ("microsoft.cdn/", Topic::Web),
    ("microsoft.apimanagement/", Topic::Integration),
    ("microsoft.app/", Topic::Containers),
    ("microsoft.containerservice/", Topic::Containers),
    ("microsoft.containerregistry/", Topic::Containers),
    ("microsoft.containerinstance/", Topic::Containers),
    ("microsoft.compute/", Topic::Machines),
    ("microsoft.sql", Topic::Databases),
    ("microsoft.dbfor", Topic::Databases),
    ("microsoft.documentdb/", Topic::Databases),
    ("microsoft.cache/", Topic::Databases),
    ("microsoft.databricks/", Topic::Analytics),
    ("microsoft.datafactory/", Topic::Analytics),
    ("microsoft.synapse/", Topic::Analytics),
    ("microsoft.kusto/", Topic::Analytics),
    ("microsoft.streamanalytics/", Topic::Analytics),
    ("microsoft.purview/", Topic::Analytics),
    ("microsoft.machinelearningservices/", Topic::Intelligence),
    ("microsoft.cognitiveservices/", Topic::Intelligence),
    ("microsoft.search/", Topic::Intelligence),
    ("microsoft.botservice/", Topic::Intelligence),
    ("microsoft.eventgrid/", Topic::Integration),
    ("microsoft.eventhub/", Topic::Integration),
    ("microsoft.servicebus/", Topic::Integration),
    ("microsoft.logic/", Topic::Integration),
    ("microsoft.devices/", Topic::Integration),
    ("microsoft.relay/", Topic::Integration),
    ("microsoft.desktopvirtualization/", Topic::Desktops),
    ("microsoft.recoveryservices/", Topic::Recovery),
    ("microsoft.dataprotection/", Topic::Recovery),
    ("microsoft.network/azurefirewalls", Topic::Connectivity),
    ("microsoft.network/bastionhosts", Topic::Connectivity),
    ("microsoft.network/expressroute", Topic::Connectivity),
    ("microsoft.network/virtualhubs", Topic::Connectivity),
    ("microsoft.network/virtualnetworkgateways", Topic::Connectivity),
    ("microsoft.network/virtualwans", Topic::Connectivity),
    ("microsoft.network/", Topic::Network),
    ("microsoft.storage/", Topic::Storage),
    ("microsoft.netapp/", Topic::Storage),
    ("microsoft.keyvault/", Topic::Secrets),
    ("microsoft.managedidentity/", Topic::Secrets),
    ("microsoft.insights/", Topic::Monitoring),
    ("microsoft.operationalinsights/", Topic::Monitoring),
    ("microsoft.operationsmanagement/", Topic::Monitoring),
    ("microsoft.alertsmanagement/", Topic::Monitoring),
    ("microsoft.automation/", Topic::Automation),
    ("microsoft.devtestlab/", Topic::Automation),
];

/// Words of names and their topic.
const NAME_WORDS: &[(&str, Topic)] = &[
    ("hub", Topic::Connectivity),
    ("connectivity", Topic::Connectivity),
    ("network", Topic::Network),
    ("net", Topic::Network),
    ("networking", Topic::Network),
    ("monitoring", Topic::Monitoring),
    ("monitor", Topic::Monitoring),
    ("logs", Topic::Monitoring),
    ("logging", Topic::Monitoring),
    ("backup", Topic::Recovery),
    ("web", Topic::Web),
    ("aks", Topic::Containers),
    ("db", Topic::Databases),
    ("sql", Topic::Databases),
    ("database", Topic::Databases),
    ("analytics", Topic::Analytics),
    ("storage", Topic::Storage),
    ("avd", Topic::Desktops),
];

/// How many topics a purpose names.
const TOPICS_SHOWN: usize = 3;
/// A topic with less than this part of the leading one's weight is not named.
const PART_OF_LEADING: u64 = 5;

/// What was seen in one place.
#[derive(Debug, Clone, Default)]
pub(super) struct Evidence {
    pub(super) resources: u64,
    pub(super) by_type: BTreeMap<Arc<str>, u64>,
    pub(super) by_region: BTreeMap<Arc<str>, u64>,
    topics: BTreeMap<Topic, u64>,
    tagged: BTreeMap<&'static str, u64>,
    named: BTreeMap<&'static str, u64>,
    said: BTreeMap<Topic, u64>,
}

impl Evidence {
    /// A resource: its type, lower case and as it is shown.
    pub(super) fn resource(&mut self, type_: &str, shown: &Arc<str>, region: &Arc<str>) {
        self.resources += 1;
        *self.by_type.entry(Arc::clone(shown)).or_default() += 1;
        *self.by_region.entry(Arc::clone(region)).or_default() += 1;
        if let Some((_, topic)) = TOPICS.iter().find(|(start, _)| type_.starts_with(start)) {
            *self.topics.entry(*topic).or_default() += 1;
        }
    }

    /// Its tags, or the group's.
    pub(super) fn tags(&mut self, tags: &BTreeMap<String, String>) {
        for (key, value) in tags {
            if ENVIRONMENT_TAGS.iter().any(|known| known.eq_ignore_ascii_case(key))
                && let Some(environment) = environment(value)
            {
                *self.tagged.entry(environment).or_default() += 1;
            }
        }
    }

    /// Its own name.
    pub(super) fn name(&mut self, name: &str) {
        for word in name.split(|c: char| !c.is_ascii_alphanumeric()) {
            if let Some(environment) = environment(word) {
                *self.named.entry(environment).or_default() += 1;
            }
            if let Some((_, topic)) = NAME_WORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)) {
                *self.said.entry(*topic).or_default() += 1;
            }
        }
    }

    /// What the place is for, in a phrase.
    pub(super) fn purpose(&self) -> String {
        let environment = leading(&self.tagged).or_else(|| leading(&self.named));
        let topics = self.leading_topics();
        let what = match topics.as_slice() {
            [] if self.resources == 0 => "empty".to_owned(),
            [] => "mixed resources".to_owned(),
            [only] => only.as_str().to_owned(),
            [first @ .., last] => {
                let first: Vec<_> = first.iter().map(|topic| topic.as_str()).collect();
                format!("{} and {}", first.join(", "), last.as_str())
            }
        };
        match environment {
            Some((environment, _)) => format!("{environment}: {what}"),
            None => what,
        }
    }

    /// What that rests on.
    pub(super) fn because(&self) -> String {
        let mut reasons = Vec::new();
        let mut types: Vec<_> = self.by_type.iter().collect();
        types.sort_by(|one, other| other.1.cmp(one.1).then(one.0.cmp(other.0)));
        let shown: Vec<_> = types
            .iter()
            .take(TOPICS_SHOWN)
            .map(|(type_, count)| format!("{count} × {type_}"))
            .collect();
        if !shown.is_empty() {
            reasons.push(shown.join(", "));
        }
        if let Some((_, count)) = leading(&self.tagged) {
            let all: u64 = self.tagged.values().sum();
            reasons.push(format!("{count} of {all} environment tags"));
        } else if leading(&self.named).is_some() {
            reasons.push("a word of its name".to_owned());
        }
        reasons.join("; ")
    }

    fn leading_topics(&self) -> Vec<Topic> {
        let mut weights: BTreeMap<Topic, u64> = BTreeMap::new();
        for (topic, count) in &self.topics {
            *weights.entry(*topic).or_default() += topic.weight() * count;
        }
        if weights.is_empty() {
            weights.extend(self.said.iter().map(|(topic, count)| (*topic, *count)));
        }
        let most = weights.values().copied().max().unwrap_or_default();
        let mut topics: Vec<_> = weights.into_iter().collect();
        topics.retain(|(_, weight)| weight * PART_OF_LEADING >= most);
        topics.sort_by_key(|(topic, weight)| (std::cmp::Reverse(*weight), *topic));
        topics.into_iter().take(TOPICS_SHOWN).map(|(topic, _)| topic).collect()
    }
}

fn leading(counts: &BTreeMap<&'static str, u64>) -> Option<(&'static str, u64)> {
    // The first of equals, in the order of the words.
    let most = counts.values().copied().max()?;
    counts
        .iter()
        .find(|(_, count)| **count == most)
        .map(|(word, count)| (*word, *count))
}

/// The environment that a word means.
pub(super) fn environment(word: &str) -> Option<&'static str> {
    let found = ENVIRONMENTS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word));
    found.map(|(_, meaning)| *meaning)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(types: &[(&str, u64)], tags: &[(&str, &str)], name: &str) -> Evidence {
        let mut evidence = Evidence::default();
        for (type_, count) in types {
            for _ in 0..*count {
                evidence.resource(&type_.to_lowercase(), &Arc::from(*type_), &Arc::from("westeurope"));
            }
        }
        for (key, value) in tags {
            evidence.tags(&BTreeMap::from([((*key).to_owned(), (*value).to_owned())]));
        }
        evidence.name(name);
        evidence
    }

    #[test]
    fn the_purpose_follows_from_what_is_there() {
        let site = ("Microsoft.Web/sites", 2);
        let database = ("Microsoft.Sql/servers/databases", 1);
        let nsg = ("Microsoft.Network/networkSecurityGroups", 1);
        for (evidence, purpose) in [
            (of(&[], &[], "contoso"), "empty"),
            (of(&[], &[], "rg-contoso-hub"), "network connectivity"),
            (
                of(&[site, database, nsg], &[], "contoso"),
                "web applications and databases",
            ),
            (
                of(&[site], &[("Env", "PRD"), ("env", "prod"), ("env", "dev")], "x-dev"),
                "production: web applications",
            ),
            (of(&[nsg], &[("owner", "prod")], "net-tst-001"), "test: networking"),
            (of(&[("Contoso.Secret/things", 1)], &[], "x"), "mixed resources"),
        ] {
            assert_eq!(evidence.purpose(), purpose);
        }
    }

    #[test]
    fn what_a_purpose_rests_on_repeats_no_word_of_the_tenant() {
        let evidence = of(
            &[("Microsoft.Web/sites", 2)],
            &[("env", "prod"), ("env", "contoso")],
            "contoso-prod",
        );
        assert_eq!(evidence.because(), "2 × Microsoft.Web/sites; 1 of 1 environment tags");
    }
}
