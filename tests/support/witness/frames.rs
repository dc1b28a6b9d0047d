//! The frames of a log, as a socket or an event stream carries them.

/// A server's side of a socket: text messages, cut out of what is on the wire.
#[derive(Default)]
pub struct SocketFrames {
    buffer: Vec<u8>,
    message: Vec<u8>,
}

/// Opcodes of the protocol.
const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;

impl SocketFrames {
    /// The messages that are whole now.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        self.buffer.extend_from_slice(bytes);
        let mut whole = Vec::new();
        while let Some((is_last, opcode, payload)) = self.frame() {
            if ![CONTINUATION, TEXT].contains(&opcode) {
                continue;
            }
            self.message.extend(payload);
            if is_last {
                whole.push(std::mem::take(&mut self.message));
            }
        }
        whole
    }

    /// One frame. A server masks nothing.
    fn frame(&mut self) -> Option<(bool, u8, Vec<u8>)> {
        let (first, second) = (*self.buffer.first()?, *self.buffer.get(1)?);
        let (head, bytes) = match second & 0x7f {
            126 => (4, big_endian(self.buffer.get(2..4)?)),
            127 => (10, big_endian(self.buffer.get(2..10)?)),
            short => (2, usize::from(short)),
        };
        let payload = self.buffer.get(head..head + bytes)?.to_vec();
        self.buffer.drain(..head + bytes);
        Some((first & 0x80 != 0, first & 0x0f, payload))
    }
}

fn big_endian(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

/// An event stream: the data of its events.
#[derive(Default)]
pub struct StreamFrames {
    buffer: Vec<u8>,
}

impl StreamFrames {
    /// The frames that are whole now.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        self.buffer.extend_from_slice(bytes);
        let mut whole = Vec::new();
        while let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\n\n") {
            let event: Vec<u8> = self.buffer.drain(..end + 2).collect();
            let lines = event.split(|byte| *byte == b'\n');
            whole.extend(
                lines
                    .filter_map(|line| line.strip_prefix(b"data: "))
                    .map(<[u8]>::to_vec),
            );
        }
        whole
    }
}
