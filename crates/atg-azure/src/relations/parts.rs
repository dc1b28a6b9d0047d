//! Which child types are parts of their parent, and which children are made from its body.
//!
//! A reference to a part is a reference to what it is a part of. A type that is not named here
//! is a node of its own. A part that has a body of its own (a template's `inboundNatRules`)
//! still becomes a node when it is read: nothing that was served is lost.

use std::collections::HashSet;
use std::sync::LazyLock;

use atg_models::{ArmId, ArmType};

/// A child that is served inside its parent's body and is a node all the same.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Materialised {
    /// The parent's type.
    pub(crate) parent: &'static str,
    /// The member of `properties` that lists the children.
    pub(crate) list: &'static str,
    /// The last segment of the children's type.
    pub(crate) segment: &'static str,
}

/// Children that are made from their parent's body.
pub(crate) const MATERIALISED: &[Materialised] = &[
    Materialised {
        parent: "microsoft.network/virtualnetworks",
        list: "subnets",
        segment: "subnets",
    },
    Materialised {
        parent: "microsoft.network/virtualnetworks",
        list: "virtualNetworkPeerings",
        segment: "virtualNetworkPeerings",
    },
];

/// Segments that name a part under whatever type they stand.
const PARTS_ANYWHERE: &[&str] = &[
    "ipconfigurations",
    "bastionhostipconfigurations",
    "frontendipconfigurations",
    "authorizationrules",
    "privateendpointconnections",
    "privateendpoinconnections",
    "privatelinkconfigurations",
];

/// Parts by the type that they are parts of.
const PARTS: &[(&str, &[&str])] = &[
    (
        "microsoft.network/loadbalancers",
        &[
            "backendaddresspools",
            "loadbalancingrules",
            "probes",
            "inboundnatrules",
            "inboundnatpools",
            "outboundrules",
            "outboundnatrules",
        ],
    ),
    (
        "microsoft.network/applicationgateways",
        &[
            "authenticationcertificates",
            "backendaddresspools",
            "backendhttpsettingscollection",
            "backendsettingscollection",
            "frontendports",
            "gatewayipconfigurations",
            "httplisteners",
            "listeners",
            "loaddistributionpolicies",
            "probes",
            "redirectconfigurations",
            "requestroutingrules",
            "rewriterulesets",
            "routingrules",
            "sslcertificates",
            "sslprofiles",
            "trustedclientcertificates",
            "trustedrootcertificates",
            "urlpathmaps",
        ],
    ),
    (
        "microsoft.network/frontdoors",
        &[
            "backendpools",
            "frontendendpoints",
            "healthprobesettings",
            "loadbalancingsettings",
            "routingrules",
        ],
    ),
    (
        "microsoft.network/networksecuritygroups",
        &["securityrules", "defaultsecurityrules"],
    ),
    ("microsoft.network/routetables", &["routes"]),
    (
        "microsoft.network/expressroutecircuits",
        &["peerings", "authorizations"],
    ),
    ("microsoft.network/expressroutecrossconnections", &["peerings"]),
    ("microsoft.network/expressrouteports", &["links", "authorizations"]),
    (
        "microsoft.network/networkprofiles",
        &["containernetworkinterfaceconfigurations", "containernetworkinterfaces"],
    ),
    (
        "microsoft.network/privateendpoints",
        &["privatelinkserviceconnections", "manualprivatelinkserviceconnections"],
    ),
    (
        "microsoft.network/virtualnetworks/subnets",
        &["delegations", "serviceassociationlinks", "resourcenavigationlinks"],
    ),
    (
        "microsoft.network/virtualnetworkgateways",
        &[
            "vpnclientrootcertificates",
            "vpnclientrevokedcertificates",
            "policygroups",
        ],
    ),
    ("microsoft.network/p2svpngateways", &["p2sconnectionconfigurations"]),
    (
        "microsoft.network/vpngateways/vpnconnections",
        &["vpnlinkconnections", "vpnsitelinkconnections"],
    ),
    (
        "microsoft.network/vpnserverconfigurations",
        &["vpnserverconfigurationpolicygroups"],
    ),
    (
        "microsoft.network/serviceendpointpolicies",
        &["serviceendpointpolicydefinitions"],
    ),
    // Scopes of Cosmos data-plane roles go on with segments of their own.
    ("microsoft.documentdb/databaseaccounts", &["dbs"]),
];

static PART_TYPES: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let rows = PARTS.iter();
    rows.flat_map(|(parent, segments)| segments.iter().map(move |segment| format!("{parent}/{segment}")))
        .collect()
});

/// Whether things of this type are parts of their parent, or of what that is a part of.
pub(crate) fn is_part(type_: &ArmType) -> bool {
    let mut text = type_.as_str();
    while let Some((parent, segment)) = text.rsplit_once('/') {
        if !parent.contains('/') {
            return false;
        }
        if PARTS_ANYWHERE.contains(&segment) || PART_TYPES.contains(text) {
            return true;
        }
        text = parent;
    }
    false
}

/// The node that `id` belongs to, and the sub-path that was cut off.
pub(crate) fn roll_up(id: &ArmId) -> (ArmId, Option<String>) {
    let mut node = id.clone();
    while is_part(&node.arm_type()) {
        let Some(parent) = node.parent() else { break };
        node = parent;
    }
    let cut = id
        .as_str()
        .get(node.as_str().len()..)
        .map(|cut| cut.trim_start_matches('/').to_owned());
    (node, cut.filter(|cut| !cut.is_empty()))
}
