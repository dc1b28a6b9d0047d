//! Base64 that holds a text: scripts and configuration stand so in machine and container bodies.

/// Shorter texts hold no credential.
const SHORTEST_BYTES: usize = 16;

/// The text that `encoded` holds in base64 (either alphabet, line breaks allowed); `None` when it is
/// no base64 or what it holds is no text.
pub(super) fn decode(encoded: &str) -> Option<String> {
    let encoded = encoded.trim();
    if encoded.len() < SHORTEST_BYTES {
        return None;
    }
    let mut bytes = Vec::with_capacity(encoded.len() / 4 * 3);
    let (mut bits, mut held) = (0_u32, 0_u32);
    let body = encoded.trim_end_matches('=');
    for byte in body.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        bits = (bits << 6) | u32::from(sextet(byte)?);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 0xff).ok()?);
        }
        bits &= (1 << held) - 1;
    }
    String::from_utf8(bytes).ok()
}

const fn sextet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_decoded_and_nothing_else() {
        assert_eq!(decode("cGFzc3dvcmQ9aHVudGVyMg==").as_deref(), Some("password=hunter2"));
        assert_eq!(decode("cGFzc3dvcmQ9\naHVudGVyMg").as_deref(), Some("password=hunter2"));
        assert_eq!(decode("short"), None);
        assert_eq!(decode("not base64 at all, really"), None);
        assert_eq!(decode("/////////////////////w=="), None, "bytes that are no text");
    }
}
