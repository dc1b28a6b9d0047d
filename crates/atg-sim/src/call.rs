//! One request and its answer, apart from the HTTP library.

use bytes::Bytes;
use serde_json::{Value, json};

/// Who is served by which budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// The token endpoint and its discovery documents.
    Token,
    /// Azure Resource Manager.
    Arm,
    /// Azure Resource Graph.
    Arg,
    /// Microsoft Graph.
    Graph,
    /// Data planes behind the proxy.
    Data,
    /// The control endpoints.
    Control,
}

impl Lane {
    /// All lanes.
    pub const ALL: [Self; 6] = [
        Self::Token,
        Self::Arm,
        Self::Arg,
        Self::Graph,
        Self::Data,
        Self::Control,
    ];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Arm => "arm",
            Self::Arg => "arg",
            Self::Graph => "graph",
            Self::Data => "data",
            Self::Control => "control",
        }
    }

    /// The lane of that name.
    pub fn from_wire(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lane| lane.as_str() == name)
    }
}

/// A request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Call {
    /// In upper case.
    pub(crate) method: String,
    /// Decoded, with its leading slash.
    pub(crate) path: String,
    /// Decoded pairs.
    pub(crate) query: Vec<(String, String)>,
    /// What follows `Bearer `.
    pub(crate) bearer: Option<String>,
    /// `ConsistencyLevel: eventual` was sent.
    pub(crate) eventual: bool,
    /// The body.
    pub(crate) body: Bytes,
    /// Scheme, host and port as the client named them.
    pub(crate) base: String,
}

impl Call {
    /// A query parameter; names are compared without regard to case.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The path's segments in lower case.
    pub(crate) fn lower_segments(&self) -> Vec<String> {
        self.path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(str::to_ascii_lowercase)
            .collect()
    }

    /// Which budget serves it.
    pub(crate) fn lane(&self) -> Lane {
        let lower = self.path.to_ascii_lowercase();
        let host = self.base.split("://").nth(1).unwrap_or_default();
        let local = host.starts_with("localhost") || host.starts_with("127.0.0.1") || host.starts_with("[::1]");
        if lower.starts_with("/_sim/") {
            Lane::Control
        } else if !local && (host.contains(".vault.") || host.contains(".core.windows.net")) {
            Lane::Data
        } else if lower.contains("/oauth2/")
            || lower.contains("/.well-known/")
            || lower.starts_with("/common/discovery")
        {
            Lane::Token
        } else if lower.starts_with("/providers/microsoft.resourcegraph/") {
            Lane::Arg
        } else if lower.starts_with("/v1.0/") || lower.starts_with("/beta/") {
            Lane::Graph
        } else {
            Lane::Arm
        }
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Value,
    /// The body as it is sent, where it was measured already.
    pub(crate) sent: Option<Bytes>,
    /// It is to speak of another tenant.
    pub(crate) foreign: bool,
}

impl Reply {
    /// 200 with a body.
    pub(crate) fn ok(body: Value) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            body,
            sent: None,
            foreign: false,
        }
    }

    /// An error in the shape that ARM and Microsoft Graph share.
    pub(crate) fn error(status: u16, code: &str, message: &str) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: json!({"error": {"code": code, "message": message}}),
            sent: None,
            foreign: false,
        }
    }

    /// With one more header.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}
