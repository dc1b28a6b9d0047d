//! The closed list of relations: the catalogue's 45 and the generic `REFERENCES`.

use serde::{Deserialize, Serialize};

macro_rules! relations {
    ($($(#[$doc:meta])* $name:ident = $text:literal),+ $(,)?) => {
        /// How one node relates to another. Meanings and arrows: relationships.md of the design.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Relation {
            $($(#[$doc])* #[serde(rename = $text)] $name),+
        }

        impl Relation {
            /// All relations.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The name as it stands in the catalogue, the stores and in exports.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text),+
                }
            }

            /// The relation with this name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($text => Some(Self::$name),)+
                    _ => None,
                }
            }
        }
    };
}

relations! {
    /// Holder → held: tenant, management group, subscription, group, resource, child; also subnets and solution parts.
    Contains = "CONTAINS",
    /// Resource → place: region, custom location, availability set, placement group; home tenant of an app.
    LocatedIn = "LOCATED_IN",
    /// Resource → tag: one per key and value.
    TaggedWith = "TAGGED_WITH",
    /// Resource → author: person, workload or deployment that wrote it.
    CreatedBy = "CREATED_BY",
    /// Copy → origin: snapshot, image, restore, replica start, address from prefix.
    CreatedFrom = "CREATED_FROM",
    /// Managed → manager: platform-made groups, stacks, generic owner field, outside tenant; a user's line manager.
    ManagedBy = "MANAGED_BY",
    /// Object → owner: directory owners, subscription keys.
    OwnedBy = "OWNED_BY",
    /// Instance → definition: assignment to role, policy or template; principal to app; connection to connector.
    DefinedBy = "DEFINED_BY",
    /// Rule → scope: assignments, locks, budgets, schedules, access policies, maintenance, autoscale.
    AppliesTo = "APPLIES_TO",
    /// Rule → left out: policy not-scopes, exemptions, deny and access-policy exceptions.
    Excludes = "EXCLUDES",
    /// Assignment → principal: receiver of a role, deny, eligibility or delegation.
    AssignedTo = "ASSIGNED_TO",
    /// Principal → role definition: shortcut; scope, condition and assignment id live on the edge.
    HasRole = "HAS_ROLE",
    /// Member → set: directory groups and units, security groups, hubs in a WAN, fleets.
    MemberOf = "MEMBER_OF",
    /// Principal → resource: data-plane rights outside ARM roles, app permissions.
    CanAccess = "CAN_ACCESS",
    /// Resource → principal: database, cluster and unit administrators.
    AdministeredBy = "ADMINISTERED_BY",
    /// Resource → identity: system, user-assigned or named identity, and identity to its principal.
    UsesIdentity = "USES_IDENTITY",
    /// Identity → issuer: federated credentials.
    Trusts = "TRUSTS",
    /// User → used: attached or required part with no narrower type (card, disk, package, profile).
    Uses = "USES",
    /// Runner → image: image, gallery version, container registry.
    UsesImage = "USES_IMAGE",
    /// Resource → subnet: subnet occupied or injected.
    UsesSubnet = "USES_SUBNET",
    /// Resource → address: public address or prefix.
    UsesPublicIp = "USES_PUBLIC_IP",
    /// End → end: card to subnet, tunnels, circuits, service bindings.
    ConnectedTo = "CONNECTED_TO",
    /// Network → network: peering, hub spokes, circuit links.
    PeeredWith = "PEERED_WITH",
    /// Traffic → router: route table, NAT, hub table, next hop, default site.
    RoutesVia = "ROUTES_VIA",
    /// Front → back: balancer, gateway, front door, DNS balancer, message forwarding.
    ForwardsTo = "FORWARDS_TO",
    /// Protected → guard: NSG, web filter, firewall policy, flood plan, perimeter.
    SecuredBy = "SECURED_BY",
    /// Resource → source: subnets and resources admitted by a service firewall.
    AllowsAccessFrom = "ALLOWS_ACCESS_FROM",
    /// Target → private endpoint: drawn from the reached resource whichever side was read.
    ConnectedToPe = "CONNECTED_TO_PE",
    /// Zone or record → target: alias records, private zones answering for a resource.
    ResolvesTo = "RESOLVES_TO",
    /// Subnet → service type: subnet delegation.
    DelegatedTo = "DELEGATED_TO",
    /// Thing → thing: DNS zone links, private link scopes, workspace links, hidden tags.
    LinkedTo = "LINKED_TO",
    /// Workload → carrier: plan, environment, pool, host, hub, cluster, scale set.
    HostedOn = "HOSTED_ON",
    /// Data → key holder: encryption set, vault, key.
    EncryptedBy = "ENCRYPTED_BY",
    /// Vault → secret or key: metadata only.
    StoresSecret = "STORES_SECRET",
    /// Reader → vault: certificates and secrets used by configuration.
    ReadsSecretFrom = "READS_SECRET_FROM",
    /// Producer → store: boot diagnostics, capture, exports, workspaces, dead letters.
    StoresDataIn = "STORES_DATA_IN",
    /// Reader → source: ingestion and event sources.
    ReadsFrom = "READS_FROM",
    /// Emitter → receiver: event delivery, continuous export, device routing.
    SendsEventsTo = "SENDS_EVENTS_TO",
    /// Primary → partner: geo pairs, failover; check the role field, both ends report it.
    ReplicatesTo = "REPLICATES_TO",
    /// Protection → protected: backup, recovery, failover group, just-in-time access.
    Protects = "PROTECTS",
    /// Emitter → sink: workspaces, audit accounts, streaming sinks.
    LogsTo = "LOGS_TO",
    /// Resource → diagnostic setting: first half of resource → setting → sink.
    SendsDiagTo = "SENDS_DIAG_TO",
    /// Watcher → watched: alerts, flow logs, collection rules, findings.
    Monitors = "MONITORS",
    /// Alert → receiver: action groups and their receivers, playbooks.
    Notifies = "NOTIFIES",
    /// Later → earlier: deployment order, APIs an app asks for.
    DependsOn = "DEPENDS_ON",
    /// Holder → any: generic fallback, carries `path` (not counted in the 45).
    References = "REFERENCES",
}
