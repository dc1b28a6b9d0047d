//! Which subnets the network of each kind of group has, and what stands in them.

use super::super::cx::Cx;

/// A subnet of a group's network.
#[derive(Clone, Copy)]
pub(crate) struct Subnet {
    pub(crate) name: &'static str,
    /// The service that it is delegated to.
    pub(crate) delegation: Option<&'static str>,
    /// Whether a network security group may stand on it.
    pub(crate) guarded: bool,
}

const fn plain(name: &'static str) -> Subnet {
    Subnet {
        name,
        delegation: None,
        guarded: true,
    }
}

const fn platform(name: &'static str) -> Subnet {
    Subnet {
        name,
        delegation: None,
        guarded: false,
    }
}

const fn delegated(name: &'static str, service: &'static str) -> Subnet {
    Subnet {
        name,
        delegation: Some(service),
        guarded: true,
    }
}

const HUB: &[Subnet] = &[
    plain("default"),
    platform("GatewaySubnet"),
    platform("AzureFirewallSubnet"),
    platform("AzureBastionSubnet"),
];
const TWO: &[Subnet] = &[plain("default"), plain("snet-app")];
const ONE: &[Subnet] = &[plain("default")];
const WEB: &[Subnet] = &[plain("default"), delegated("snet-app", "Microsoft.Web/serverFarms")];
const CONTAINERS: &[Subnet] = &[
    plain("default"),
    delegated("snet-apps", "Microsoft.App/environments"),
    delegated("snet-groups", "Microsoft.ContainerInstance/containerGroups"),
];
const DATA: &[Subnet] = &[
    plain("default"),
    delegated("snet-postgres", "Microsoft.DBforPostgreSQL/flexibleServers"),
    delegated("snet-mysql", "Microsoft.DBforMySQL/flexibleServers"),
];

/// The subnets of a network, by the role of its group.
pub(crate) fn of(c: &Cx<'_>) -> &'static [Subnet] {
    match c.role() {
        "hub" => HUB,
        "web1" | "web2" => WEB,
        "containers" => CONTAINERS,
        "data" => DATA,
        "desktops" | "legacy" => ONE,
        _ => TWO,
    }
}
