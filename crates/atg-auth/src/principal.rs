//! Who asks, and what that one may do at most.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use atg_models::{TenantId, limits};
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

    /// This scope and those that it includes, the smallest first.
    pub fn included(self) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |other| self.includes(*other))
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

/// Not a list of tenants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be all, or up to {max} tenant ids (UUIDs) separated by commas", max = limits::KEY_TENANTS_MAX)]
pub struct NotTenants;

impl FromStr for Tenants {
    type Err = NotTenants;

    /// Takes `all`, or ids separated by commas.
    fn from_str(text: &str) -> Result<Self, NotTenants> {
        if text.trim() == "all" {
            return Ok(Self::All);
        }
        let ids = text.split(',').map(|id| id.trim().parse::<TenantId>());
        let ids: BTreeSet<_> = ids.collect::<Result<_, _>>().map_err(|_| NotTenants)?;
        if ids.len() > limits::KEY_TENANTS_MAX {
            return Err(NotTenants);
        }
        Ok(Self::Set(ids))
    }
}

impl fmt::Display for Tenants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Set(tenants) => {
                let ids: Vec<_> = tenants.iter().map(ToString::to_string).collect();
                f.write_str(&ids.join(","))
            }
        }
    }
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
        let included: Vec<_> = Scope::Operate.included().collect();
        assert_eq!(included, [Scope::Read, Scope::Operate]);
    }

    #[test]
    fn tenants_print_as_they_are_read() {
        let two = "11111111-2222-3333-4444-555555555555,66666666-7777-8888-9999-000000000000";
        for text in ["all", two] {
            let tenants: Tenants = text.parse().unwrap();
            assert_eq!(tenants.to_string(), text);
        }
        let again = format!(" {two},{two} ").parse::<Tenants>();
        assert_eq!(again, two.parse());
        for wrong in ["", "All", "x", "all,all", &format!("{two},"), &two.replace('-', "")] {
            assert_eq!(wrong.parse::<Tenants>(), Err(NotTenants), "{wrong}");
        }
        let many: Vec<_> = (0..=limits::KEY_TENANTS_MAX)
            .map(|n| format!("11111111-2222-3333-4444-{n:012}"))
            .collect();
        assert_eq!(many.join(",").parse::<Tenants>(), Err(NotTenants));
        assert!(many[1..].join(",").parse::<Tenants>().is_ok());
    }
}
