//! Faults: what goes wrong, at which call, how often; each counts how often it fired.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::call::Lane;
use crate::seeded;

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, [$($lane:ident),*];)*) => {
        /// What can go wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum FaultKind {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)*
        }

        impl FaultKind {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name on the command line and on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// The lanes where it can happen.
            pub const fn lanes(self) -> &'static [Lane] {
                match self { $(Self::$variant => &[$(Lane::$lane),*]),* }
            }
        }
    };
}

kinds! {
    /// The connection ends before a byte of the answer.
    CutBefore = "cut_before", [Arm, Arg, Graph, Token];
    /// The connection ends in the middle of the answer.
    CutDuring = "cut_during", [Arm, Arg, Graph];
    /// The connection ends, unannounced, behind the answer.
    CutAfter = "cut_after", [Arm, Arg, Graph];
    /// 429 with Retry-After (`value` seconds, 1 by default).
    Throttle = "throttle", [Arm, Arg, Graph];
    /// 429 without Retry-After.
    ThrottleBare = "throttle_bare", [Arm, Arg, Graph];
    /// 500.
    Error500 = "error_500", [Arm, Arg, Graph, Token];
    /// 503.
    Error503 = "error_503", [Arm, Arg, Graph, Token];
    /// The answer takes `value` milliseconds (1500 by default).
    Slow = "slow", [Arm, Arg, Graph, Token];
    /// The JSON ends in the middle, the HTTP message does not.
    TruncatedJson = "truncated_json", [Arm, Arg, Graph];
    /// A page comes twice: the one before the asked one is sent again.
    PageRepeated = "page_repeated", [Arg, Graph];
    /// A page is left out.
    PageMissing = "page_missing", [Arg];
    /// The rows of a page come in another order.
    PageReordered = "page_reordered", [Arg, Graph];
    /// A page that is not the first speaks of another tenant.
    TenantChanged = "tenant_changed", [Arg];
    /// The next link leads to its own page, again and again.
    NextLinkLoop = "next_link_loop", [Arg, Graph, Arm];
    /// A skip token is refused as expired.
    SkipTokenExpired = "skip_token_expired", [Arg, Graph];
    /// A subscription (`target`, or the one of that number) may not be read.
    ForbiddenSubscription = "forbidden_subscription", [Arm, Arg];
    /// A directory collection (`target`, or the one of that number) may not be read.
    ForbiddenCollection = "forbidden_collection", [Graph];
    /// An HTML page with status 200.
    WrongContentType = "wrong_content_type", [Arm, Arg, Graph];
    /// Pages of more than `value` rows are refused as larger than 16 MiB.
    PageTooLarge = "page_too_large", [Arg];
    /// Whatever token comes, it is one of another tenant.
    WrongTenantToken = "wrong_tenant_token", [Arm, Arg, Graph];
    /// A subscription of another tenant is listed, with its rows.
    DelegatedSubscription = "delegated_subscription", [Arm, Arg];
    /// All tokens given so far have expired.
    TokenExpired = "token_expired", [Arm, Arg, Graph];
}

impl FaultKind {
    /// The kind of that name.
    pub fn from_wire(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }

    /// The value that a seed's number gives it.
    fn seeded_value(self, number: u64) -> Option<u64> {
        if matches!(self, Self::ForbiddenSubscription | Self::ForbiddenCollection) {
            return Some(number);
        }
        (self == Self::Slow).then_some(200 + number % 1_300)
    }

    /// Whether it stays once it has begun.
    const fn lasts(self) -> bool {
        matches!(
            self,
            Self::NextLinkLoop
                | Self::ForbiddenSubscription
                | Self::ForbiddenCollection
                | Self::PageTooLarge
                | Self::WrongTenantToken
                | Self::DelegatedSubscription
        )
    }
}

/// One fault and where it strikes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// Only in this lane; in all of the kind's, when absent.
    #[serde(default)]
    pub lane: Option<Lane>,
    /// Only where the path holds this, without regard to case.
    #[serde(default)]
    pub path: Option<String>,
    /// The first matching call that is struck, from 1.
    #[serde(default = "one")]
    pub nth: u64,
    /// How many calls from there on.
    #[serde(default = "one")]
    pub count: u64,
    /// A number whose meaning depends on the kind.
    #[serde(default)]
    pub value: Option<u64>,
    /// A subscription id or a directory collection.
    #[serde(default)]
    pub target: Option<String>,
}

fn one() -> u64 {
    1
}

/// Why a fault on the command line is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// No kind of that name.
    #[error("there is no fault named {0}")]
    Name(String),
    /// A setting that is not known, or has no number where one is needed.
    #[error("a fault has no setting {0} (lane, path, nth, count, value, target)")]
    Setting(String),
}

impl Fault {
    /// Strikes the first matching call; kinds that last strike all.
    pub fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            lane: None,
            path: None,
            nth: 1,
            count: if kind.lasts() { u64::MAX } else { 1 },
            value: None,
            target: None,
        }
    }

    /// A fault of a kind at a place that the seed chooses: lane, call and count.
    pub fn from_seed(kind: FaultKind, seed: u64) -> Self {
        /// Small enough that a scan of a small tenant comes that far.
        const LAST_NTH: u64 = 3;
        let number = seeded::hash(seed, kind.as_str());
        // A scan with a static token never comes to the token lane.
        let lanes: Vec<Lane> = kind
            .lanes()
            .iter()
            .copied()
            .filter(|lane| *lane != Lane::Token)
            .collect();
        let at = seeded::narrow(number % seeded::wide(lanes.len()).max(1));
        let fault = Self::new(kind);
        Self {
            lane: if kind.lasts() { None } else { lanes.get(at).copied() },
            nth: if kind.lasts() {
                1
            } else {
                1 + seeded::mix(number) % LAST_NTH
            },
            count: if kind.lasts() {
                fault.count
            } else {
                1 + seeded::mix(number ^ 7) % 2
            },
            value: kind.seeded_value(number >> 8),
            ..fault
        }
    }

    /// Reads `NAME[:k=v,k=v]`.
    pub fn parse(text: &str) -> Result<Self, FaultError> {
        let (name, settings) = text.split_once(':').unwrap_or((text, ""));
        let kind = FaultKind::from_wire(name).ok_or_else(|| FaultError::Name(name.to_owned()))?;
        let mut fault = Self::new(kind);
        for setting in settings.split(',').filter(|setting| !setting.is_empty()) {
            let wrong = || FaultError::Setting(setting.to_owned());
            let (key, value) = setting.split_once('=').ok_or_else(wrong)?;
            let number = || value.parse::<u64>().map_err(|_| wrong());
            match key {
                "lane" => fault.lane = Some(Lane::from_wire(value).ok_or_else(wrong)?),
                "path" => fault.path = Some(value.to_owned()),
                "nth" => fault.nth = number()?,
                "count" => fault.count = number()?,
                "value" => fault.value = Some(number()?),
                "target" => fault.target = Some(value.to_owned()),
                "seed" => fault = Self::from_seed(kind, number()?),
                _ => return Err(wrong()),
            }
        }
        Ok(fault)
    }

    fn matches(&self, lane: Lane, path_lower: &str) -> bool {
        let lane_fits = self
            .lane
            .map_or_else(|| self.kind.lanes().contains(&lane), |only| only == lane);
        let path_fits = |part: &String| path_lower.contains(&part.to_ascii_lowercase());
        lane_fits && self.path.as_ref().is_none_or(path_fits)
    }
}

/// The faults of a running simulator.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    armed: Vec<(Fault, u64)>,
    fired: BTreeMap<FaultKind, u64>,
}

impl Faults {
    /// Arms a fault.
    pub(crate) fn arm(&mut self, fault: Fault) {
        self.armed.push((fault, 0));
    }

    /// Takes all faults away; the counts stay.
    pub(crate) fn clear(&mut self) {
        self.armed.clear();
    }

    /// The faults of that kind, whether they strike or not.
    pub(crate) fn armed(&self, kind: FaultKind) -> Option<&Fault> {
        self.armed
            .iter()
            .map(|(fault, _)| fault)
            .find(|fault| fault.kind == kind)
    }

    /// Asks whether a kind strikes this call; counts the call as one that it could have struck.
    pub(crate) fn strikes(&mut self, kind: FaultKind, lane: Lane, path_lower: &str) -> Option<Fault> {
        let mut struck = None;
        for (fault, seen) in &mut self.armed {
            if fault.kind != kind || !fault.matches(lane, path_lower) {
                continue;
            }
            *seen += 1;
            if struck.is_none() && *seen >= fault.nth && *seen - fault.nth < fault.count {
                struck = Some(fault.clone());
            }
        }
        if struck.is_some() {
            *self.fired.entry(kind).or_insert(0) += 1;
        }
        struck
    }

    /// How often each kind fired.
    pub(crate) fn fired(&self) -> &BTreeMap<FaultKind, u64> {
        &self.fired
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_the_calls_it_names() {
        let mut faults = Faults::default();
        faults.arm(Fault::parse("error_500:lane=arm,nth=2,count=2,path=ResourceGroups").unwrap());
        let strikes: Vec<bool> = (0..5)
            .map(|_| {
                faults
                    .strikes(FaultKind::Error500, Lane::Arm, "/x/resourcegroups")
                    .is_some()
            })
            .collect();
        assert_eq!(strikes, [false, true, true, false, false]);
        assert!(
            faults
                .strikes(FaultKind::Error500, Lane::Graph, "/x/resourcegroups")
                .is_none()
        );
        assert_eq!(faults.fired().get(&FaultKind::Error500), Some(&2));
    }

    #[test]
    fn a_seed_chooses_the_same_fault_again() {
        for &kind in FaultKind::ALL {
            assert_eq!(FaultKind::from_wire(kind.as_str()), Some(kind));
            assert_eq!(Fault::from_seed(kind, 5), Fault::from_seed(kind, 5));
        }
        assert_eq!(Fault::parse("nonsense"), Err(FaultError::Name("nonsense".to_owned())));
        assert!(Fault::parse("slow:value=x").is_err());
    }
}
