//! The tenants of one simulator. As in Azure they are all at one address, and the token tells whose a call is.

use crate::call::Call;
use crate::config::SimConfig;
use crate::fault::Fault;
use crate::sim::Sim;
use crate::token;

/// One tenant at the least.
pub(crate) struct Tenants {
    first: Sim,
    beside: Vec<Sim>,
}

impl Tenants {
    pub(crate) fn new(mut config: SimConfig) -> Self {
        let beside = std::mem::take(&mut config.beside);
        let beside = beside.into_iter().map(|world| {
            Sim::new(SimConfig {
                world,
                ..config.clone()
            })
        });
        Self {
            beside: beside.collect(),
            first: Sim::new(config),
        }
    }

    /// The one that is meant where nothing tells.
    pub(crate) fn first(&self) -> &Sim {
        &self.first
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Sim> {
        std::iter::once(&self.first).chain(&self.beside)
    }

    pub(crate) fn arm(&self, fault: Fault) {
        self.beside.iter().for_each(|sim| sim.arm(fault.clone()));
        self.first.arm(fault);
    }

    /// Whose a call is.
    pub(crate) fn of(&self, call: &Call) -> &Sim {
        if self.beside.is_empty() {
            return &self.first;
        }
        let named = token::named_tenant(&self.first, call);
        let found = self.all().find(|sim| named.as_ref() == Some(&sim.tenant()));
        found.unwrap_or(&self.first)
    }
}
