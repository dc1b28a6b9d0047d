//! Free loopback ports.

use std::net::{Ipv4Addr, TcpListener};

use crate::error::Error;
use crate::limits::PORT_LOOKS;
use crate::random::random;

/// Below the range from which systems take the ports of outgoing connections: while a killed server is down,
/// nothing else is given its port by chance.
const LOWEST: u16 = 20_000;
/// Behind the highest of ours.
const END: u16 = 32_000;

/// A port on which nothing listens now.
pub(crate) fn free() -> Result<u16, Error> {
    for _ in 0..PORT_LOOKS {
        let port = LOWEST + u16::from_le_bytes(random()?) % (END - LOWEST);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(Error::NoPort)
}
