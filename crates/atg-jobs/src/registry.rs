//! The operations that a server knows, by kind and nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use atg_models::job::{JobError, OnCrash, TenantUse};
use atg_models::{ErrorCode, JobKind};
use serde_json::Value;

use crate::{Finished, Operation, OperationContext, OperationError, OperationLimits};

/// The operations of a server.
#[derive(Clone, Default)]
pub struct Registry {
    by_kind: BTreeMap<JobKind, Arc<dyn AnyOperation>>,
}

impl Registry {
    /// Adds an operation; one of the same kind is replaced.
    #[must_use]
    pub fn with<O: Operation>(mut self, operation: O) -> Self {
        self.by_kind.insert(O::KIND, Arc::new(Erased(operation)));
        self
    }

    /// The kinds that can be run.
    pub fn kinds(&self) -> impl Iterator<Item = JobKind> {
        self.by_kind.keys().copied()
    }

    pub(crate) fn get(&self, kind: JobKind) -> Option<Arc<dyn AnyOperation>> {
        self.by_kind.get(&kind).cloned()
    }
}

/// An operation with its types erased: JSON in, JSON out.
#[async_trait]
pub(crate) trait AnyOperation: Send + Sync {
    fn limits(&self) -> OperationLimits;
    fn on_crash(&self) -> OnCrash;
    fn tenant_use(&self) -> TenantUse;
    async fn run(&self, context: &dyn OperationContext, params: Value) -> Result<Finished<Value>, OperationError>;
}

struct Erased<O>(O);

#[async_trait]
impl<O: Operation> AnyOperation for Erased<O> {
    fn limits(&self) -> OperationLimits {
        self.0.limits()
    }

    fn on_crash(&self) -> OnCrash {
        self.0.on_crash()
    }

    fn tenant_use(&self) -> TenantUse {
        self.0.tenant_use()
    }

    async fn run(&self, context: &dyn OperationContext, params: Value) -> Result<Finished<Value>, OperationError> {
        let params = serde_json::from_value(params).map_err(|error| {
            let message = format!("the stored request cannot be read by this version: {error}");
            OperationError::Fatal(JobError::new(ErrorCode::InvalidRequest, message))
        })?;
        let Finished { outcome, artifact } = self.0.run(context, params).await?;
        let outcome = serde_json::to_value(outcome).map_err(|error| {
            tracing::error!(%error, "an operation's outcome cannot be printed");
            OperationError::Fatal(JobError::new(ErrorCode::Internal, "internal error"))
        })?;
        Ok(Finished { outcome, artifact })
    }
}
