//! How a server is to be started.

use std::path::PathBuf;
use std::time::Duration;

use crate::Jars;
use crate::limits::{HEAP_MIB, MEASURED_PAGE_CACHE_MIB, PAGE_CACHE_MIB, READY_WITHIN};

/// What the virtual machine compiles to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jit {
    /// C1 only: ready in half the time, with a third less memory. For tests of what is answered.
    Quick,
    /// C2 as well: slower to start, faster afterwards. For tests of how fast it is answered.
    Full,
}

/// What a server shows to who asks for TLS.
#[derive(Clone, Debug)]
pub struct Tls {
    /// Its certificate, in PEM.
    pub certificate: String,
    /// The key of that, in PEM (PKCS#8).
    pub key: String,
}

/// How a server is to be started. What is changed later holds from the next start on.
#[derive(Clone, Debug)]
pub struct Options {
    /// The release.
    pub jars: Jars,
    /// What the virtual machine compiles to.
    pub jit: Jit,
    /// Heap, in MiB.
    pub heap_mib: u32,
    /// Page cache, in MiB.
    pub page_cache_mib: u32,
    /// Lines of `neo4j.conf`, beside the usual ones or in their place: name and value.
    pub settings: Vec<(String, String)>,
    /// It speaks TLS as well as plain Bolt, on the same port.
    pub tls: Option<Tls>,
    /// The folder in which the home is made. A small file system here fills soon.
    pub folder: PathBuf,
    /// How long a start may take.
    pub ready_within: Duration,
}

impl Options {
    /// A server for tests of what is answered.
    pub fn functional(jars: Jars) -> Self {
        Self {
            jars,
            jit: Jit::Quick,
            heap_mib: HEAP_MIB,
            page_cache_mib: PAGE_CACHE_MIB,
            settings: Vec::new(),
            tls: None,
            folder: std::env::temp_dir(),
            ready_within: READY_WITHIN,
        }
    }

    /// A server for tests of how fast it is answered.
    pub fn performance(jars: Jars) -> Self {
        Self {
            jit: Jit::Full,
            page_cache_mib: MEASURED_PAGE_CACHE_MIB,
            ..Self::functional(jars)
        }
    }

    /// With a line of `neo4j.conf`.
    #[must_use]
    pub fn with_setting(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }
}
