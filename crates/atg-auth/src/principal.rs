//! Who asks, and what that one may do at most.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use atg_models::TenantId;
use time::OffsetDateTime;

use crate::KeyPrefix;

/// What a key may do. Each scope includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Sees jobs, results and tenants.
    Read,
    /// Starts and cancels jobs.
    Operate,
    /// Removes tenants.
    Admin,
}

/// Not the name of a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be read, operate or admin")]
pub struct UnknownScope;

impl Scope {
    /// All scopes, the smallest first.
    pub const ALL: [Self; 3] = [Self::Read, Self::Operate, Self::Admin];

    /// The name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Operate => "operate",
            Self::Admin => "admin",
        }
    }

    /// Whether who has this scope has `other` too.
    pub fn includes(self, other: Self) -> bool {
        self >= other
    }

    /// The largest of a comma-separated list, which includes the rest.
    pub fn largest_of(list: &str) -> Result<Self, UnknownScope> {
        let mut largest = None;
        for name in list.split(',') {
            largest = largest.max(Some(name.trim().parse::<Self>()?));
        }
        largest.ok_or(UnknownScope)
    }
}

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        Self::ALL
            .into_iter()
            .find(|scope| scope.as_str() == text)
            .ok_or(UnknownScope)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which tenants a key may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tenants {
    /// Every one.
    All,
    /// These.
    Set(BTreeSet<TenantId>),
}

impl Tenants {
    /// Whether it is one of them.
    pub fn contains(&self, tenant: TenantId) -> bool {
        match self {
            Self::All => true,
            Self::Set(tenants) => tenants.contains(&tenant),
        }
    }
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The key's public prefix: jobs carry it, logs name it.
    pub key_prefix: KeyPrefix,
    /// The key's name.
    pub key_name: String,
    /// What it may do.
    pub scope: Scope,
    /// For which tenants.
    pub tenants: Tenants,
    /// Until when.
    pub expires_at: Option<OffsetDateTime>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_includes_those_before_it() {
        for (at, scope) in Scope::ALL.into_iter().enumerate() {
            let included = Scope::ALL.into_iter().filter(|other| scope.includes(*other)).count();
            assert_eq!(included, at + 1, "{scope}");
        }
        assert_eq!(Scope::largest_of("operate, read"), Ok(Scope::Operate));
        assert_eq!(Scope::largest_of("read,write"), Err(UnknownScope));
        assert_eq!(Scope::largest_of(""), Err(UnknownScope));
    }
}
