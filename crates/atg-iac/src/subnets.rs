//! Checks the prefixes of subnets: inside their network, and apart from each other. What is wrong is noted.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::select::Resource;
use crate::translate::Unit;
use crate::value::Val;

/// A range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Prefix {
    v6: bool,
    first: u128,
    last: u128,
}

impl Prefix {
    /// Reads `10.0.0.0/16`.
    fn parse(text: &str) -> Option<Self> {
        let (address, length) = text.split_once('/')?;
        let length: u32 = length.parse().ok()?;
        let (v6, bits, width) = match address.parse::<IpAddr>().ok()? {
            IpAddr::V4(address) => (false, u128::from(u32::from(address)), 32),
            IpAddr::V6(address) => (true, u128::from(address), 128),
        };
        let host_bits = u32::checked_sub(width, length)?;
        let hosts = 1_u128.checked_shl(host_bits).map_or(u128::MAX, |size| size - 1);
        let first = bits & !hosts;
        Some(Self {
            v6,
            first,
            last: first | hosts,
        })
    }

    fn holds(&self, other: &Self) -> bool {
        self.v6 == other.v6 && self.first <= other.first && other.last <= self.last
    }

    fn meets(&self, other: &Self) -> bool {
        self.v6 == other.v6 && self.first <= other.last && other.first <= self.last
    }
}

/// Adds a note to each subnet that lies outside its network or over another one.
pub(crate) fn check(units: &mut [Unit], resources: &[Resource]) {
    let key = |unit: &Unit| resources.get(unit.of).map(|resource| resource.key.clone());
    let spaces: BTreeMap<String, Vec<Prefix>> = units
        .iter()
        .filter(|unit| unit.target == "azurerm_virtual_network")
        .filter_map(|unit| Some((key(unit)?, prefixes(unit, "address_space"))))
        .collect();
    let mut taken: BTreeMap<String, Vec<(String, Prefix)>> = BTreeMap::new();
    for unit in units.iter_mut().filter(|unit| unit.target == "azurerm_subnet") {
        let Some(resource) = resources.get(unit.of) else {
            continue;
        };
        let parent = resource.id.as_ref().and_then(atg_models::ArmId::parent);
        let Some(network) = parent.map(|id| id.node_id().as_str().to_owned()) else {
            continue;
        };
        let others = taken.entry(network.clone()).or_default();
        for prefix in prefixes(unit, "address_prefixes") {
            let space = spaces.get(&network).filter(|space| !space.is_empty());
            if space.is_some_and(|space| !space.iter().any(|space| space.holds(&prefix))) {
                let note = "error: a prefix lies outside the address space of the network";
                unit.notes.push(("address_prefixes".to_owned(), note.to_owned()));
            }
            if let Some((other, _)) = others.iter().find(|(_, other)| other.meets(&prefix)) {
                let note = format!("error: a prefix overlaps one of the subnet {other}");
                unit.notes.push(("address_prefixes".to_owned(), note));
            }
            others.push((resource.name.clone(), prefix));
        }
    }
}

fn prefixes(unit: &Unit, attr: &str) -> Vec<Prefix> {
    match unit.block.attrs.get(attr) {
        Some(Val::List(items)) => items
            .iter()
            .filter_map(Val::as_text)
            .filter_map(Prefix::parse)
            .collect(),
        Some(_) | None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::Prefix;

    #[test]
    fn ranges_are_read_and_compared() {
        let prefix = |text| Prefix::parse(text).expect("a prefix");
        assert!(prefix("10.0.0.0/8").holds(&prefix("10.255.0.0/16")));
        assert!(!prefix("10.0.0.0/16").holds(&prefix("10.1.0.0/24")));
        assert!(prefix("10.0.1.0/24").meets(&prefix("10.0.0.0/23")));
        assert!(!prefix("10.0.2.0/24").meets(&prefix("10.0.0.0/23")));
        assert!(prefix("0.0.0.0/0").holds(&prefix("1.2.3.4/32")));
        assert!(!prefix("::/0").holds(&prefix("1.2.3.4/32")));
        assert_eq!(Prefix::parse("10.0.0.0/33"), None);
    }
}
