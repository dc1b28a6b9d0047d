//! A server for a measurement.

use crate::error::Error;
use crate::{Access, Jars, Options, Server};

/// A server to measure against, as long as this lives.
pub struct Measured {
    access: Access,
    _own: Option<Server>,
}

impl Measured {
    /// The one that the environment names, whose data are then the measurement's to remove; else one of its own, from
    /// the jars that the environment names. `None` when it names neither.
    pub fn from_environment() -> Result<Option<Self>, Error> {
        if let Some(access) = Access::from_environment() {
            return Ok(Some(Self { access, _own: None }));
        }
        let Some(jars) = Jars::from_environment()? else {
            return Ok(None);
        };
        let own = Server::start(Options::performance(jars))?;
        Ok(Some(Self {
            access: own.access(),
            _own: Some(own),
        }))
    }

    /// How to reach it.
    pub fn access(&self) -> &Access {
        &self.access
    }
}
