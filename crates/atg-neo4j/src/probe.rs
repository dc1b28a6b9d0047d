//! Whether something speaks Bolt on a port.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

use crate::limits::PROBE;

/// The magic number, then four proposals: version 4.4, which every release offers, and none.
pub(crate) const HANDSHAKE: [u8; 20] = [0x60, 0x60, 0xB0, 0x17, 0, 0, 4, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// A port that can be connected to is not enough: the system accepts for a server that is paused.
pub(crate) fn speaks_bolt(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let asked = TcpStream::connect_timeout(&address, PROBE).and_then(|mut stream| {
        stream.set_read_timeout(Some(PROBE))?;
        stream.set_write_timeout(Some(PROBE))?;
        stream.write_all(&HANDSHAKE)?;
        let mut chosen = [0; 4];
        stream.read_exact(&mut chosen)
    });
    asked.is_ok()
}
