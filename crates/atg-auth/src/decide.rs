//! Whether a principal may do something: pure, and the only place that says so.

use atg_models::{ErrorCode, TenantId};

use crate::principal::{Principal, Scope, Tenants};

/// Why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The key's scope is too small.
    #[error("this needs a key with the scope {needed}")]
    Scope {
        /// Which is needed.
        needed: Scope,
    },
    /// The key is for other tenants.
    #[error("this key is not for this tenant")]
    Tenant,
}

impl Denied {
    /// With which it is answered; of a job in a path the answer is 404 instead.
    pub const CODE: ErrorCode = ErrorCode::Forbidden;
}

/// Whether `principal` may do what needs `scope`, and do it to `tenant` where there is one.
pub fn decide(principal: &Principal, scope: Scope, tenant: Option<TenantId>) -> Result<(), Denied> {
    if !principal.scope.includes(scope) {
        return Err(Denied::Scope { needed: scope });
    }
    match tenant {
        Some(tenant) if !principal.tenants.contains(tenant) => Err(Denied::Tenant),
        Some(_) | None => Ok(()),
    }
}

/// Whether a job is visible: it belongs to its tenant. One without a known tenant is visible to the
/// key that made it and to keys for all tenants.
pub fn may_see_job(principal: &Principal, job_tenant: Option<TenantId>, job_key_prefix: &str) -> bool {
    match (job_tenant, &principal.tenants) {
        (_, Tenants::All) => true,
        (Some(tenant), Tenants::Set(tenants)) => tenants.contains(&tenant),
        (None, Tenants::Set(_)) => principal.key_prefix.as_str() == job_key_prefix,
    }
}

/// The tenant that a request without one means: the only one of `stored` that the principal may see,
/// else the only one it may see at all.
pub fn sole_tenant(principal: &Principal, stored: &[TenantId]) -> Option<TenantId> {
    let mut visible = stored.iter().filter(|tenant| principal.tenants.contains(**tenant));
    match (visible.next(), visible.next(), &principal.tenants) {
        (Some(tenant), None, Tenants::All | Tenants::Set(_)) => Some(*tenant),
        (None, _, Tenants::Set(tenants)) if tenants.len() == 1 => tenants.first().copied(),
        (Some(_), Some(_), _) | (None, _, Tenants::All | Tenants::Set(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyPrefix;
    use uuid::Uuid;

    fn tenant(n: u128) -> TenantId {
        TenantId::new(Uuid::from_u128(n))
    }

    fn principal(scope: Scope, tenants: Option<&[u128]>) -> Principal {
        Principal {
            key_prefix: KeyPrefix::from_stored("01234567").unwrap(),
            key_name: "k".to_owned(),
            scope,
            tenants: tenants.map_or(Tenants::All, |numbers| {
                Tenants::Set(numbers.iter().copied().map(tenant).collect())
            }),
            expires_at: None,
        }
    }

    #[test]
    fn scope_comes_before_tenant() {
        let one = principal(Scope::Operate, Some(&[1]));
        assert_eq!(decide(&one, Scope::Read, Some(tenant(1))), Ok(()));
        assert_eq!(decide(&one, Scope::Operate, None), Ok(()));
        assert_eq!(decide(&one, Scope::Operate, Some(tenant(2))), Err(Denied::Tenant));
        let needed = Scope::Admin;
        assert_eq!(decide(&one, needed, Some(tenant(2))), Err(Denied::Scope { needed }));
    }

    #[test]
    fn a_job_belongs_to_its_tenant() {
        let one = principal(Scope::Read, Some(&[1]));
        assert!(may_see_job(&one, Some(tenant(1)), "ffffffff"));
        assert!(!may_see_job(&one, Some(tenant(2)), "01234567"));
        assert!(may_see_job(&one, None, "01234567"));
        assert!(!may_see_job(&one, None, "ffffffff"));
        assert!(may_see_job(&principal(Scope::Read, None), None, "ffffffff"));
    }

    #[test]
    fn the_sole_tenant_is_the_only_visible_one() {
        let stored = [tenant(1), tenant(2)];
        assert_eq!(sole_tenant(&principal(Scope::Read, None), &stored), None);
        assert_eq!(
            sole_tenant(&principal(Scope::Read, None), &stored[..1]),
            Some(tenant(1))
        );
        assert_eq!(sole_tenant(&principal(Scope::Read, None), &[]), None);
        assert_eq!(
            sole_tenant(&principal(Scope::Read, Some(&[2])), &stored),
            Some(tenant(2))
        );
        assert_eq!(
            sole_tenant(&principal(Scope::Read, Some(&[2, 3])), &stored),
            Some(tenant(2))
        );
        assert_eq!(
            sole_tenant(&principal(Scope::Read, Some(&[3])), &stored),
            Some(tenant(3))
        );
        assert_eq!(sole_tenant(&principal(Scope::Read, Some(&[3, 4])), &stored), None);
    }
}
