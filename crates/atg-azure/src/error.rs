//! What can go wrong with Azure as a whole, as opposed to one page.

use atg_models::ErrorCode;

/// An error that ends the scan.
#[derive(Debug, thiserror::Error)]
pub enum AzureError {
    /// No token, or it is of another tenant, or it was refused.
    #[error("Azure refused the credential: {problem}")]
    Authentication {
        /// Without secrets; names the tenants when they differ.
        problem: String,
    },
    /// The principal may not even list the tenant.
    #[error("the principal lacks {permission}")]
    Forbidden {
        /// What would be needed.
        permission: String,
    },
    /// Azure kept throttling.
    #[error("Azure kept answering 429 while {doing}")]
    Throttled {
        /// What was asked.
        doing: &'static str,
    },
    /// Azure did not answer, or not sensibly.
    #[error("Azure could not be reached while {doing}: {problem}")]
    Unavailable {
        /// What was asked.
        doing: &'static str,
        /// Without secrets.
        problem: String,
    },
}

impl AzureError {
    /// The code of the job that fails with it.
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Authentication { .. } => ErrorCode::AzureAuthenticationFailed,
            Self::Forbidden { .. } => ErrorCode::AzureForbidden,
            Self::Throttled { .. } => ErrorCode::AzureThrottled,
            Self::Unavailable { .. } => ErrorCode::AzureUnavailable,
        }
    }

    /// Whether another attempt of the job may help.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Authentication { .. } | Self::Forbidden { .. } => false,
            Self::Throttled { .. } | Self::Unavailable { .. } => true,
        }
    }
}
