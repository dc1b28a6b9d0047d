//! As much of Bolt 4.4 as it takes to log in.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use crate::probe::HANDSHAKE;

/// What a message begins with: a structure of one field, and which one.
const HELLO: [u8; 2] = [0xB1, 0x01];
const SUCCESS: [u8; 2] = [0xB1, 0x70];
/// A map of four entries, and a text with its length in a byte.
const MAP_OF_FOUR: u8 = 0xA4;
const TEXT: u8 = 0xD0;

/// Whether the server takes this password of its first user.
pub(super) fn logs_in(port: u16, password: &str) -> bool {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    stream.write_all(&HANDSHAKE).unwrap();
    let mut chosen = [0; 4];
    stream.read_exact(&mut chosen).unwrap();
    assert_eq!(chosen, [0, 0, 4, 4]);

    let mut message = [&HELLO[..], &[MAP_OF_FOUR]].concat();
    let entries = [
        ["user_agent", "atg-neo4j/1"],
        ["scheme", "basic"],
        ["principal", "neo4j"],
        ["credentials", password],
    ];
    for text in entries.concat() {
        message.extend([TEXT, u8::try_from(text.len()).unwrap()]);
        message.extend(text.as_bytes());
    }
    let length = u16::try_from(message.len()).unwrap().to_be_bytes();
    // A message is a chunk with its length, and an empty one.
    stream.write_all(&[&length[..], &message, &[0, 0]].concat()).unwrap();
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).unwrap();
    answer[2..] == SUCCESS
}
