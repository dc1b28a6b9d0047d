//! GUIDs in texts: found wherever they stand, with hyphens or without, and replaced.

use crate::names::hex_digest;

/// Characters of a GUID with its hyphens.
pub(crate) const GUID_CHARS: usize = 36;
/// Characters of one without.
const PLAIN_CHARS: usize = 32;
/// Where its hyphens are.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];
/// How the stand-ins for what cannot be mapped start. No GUID of Azure does: its version and variant are ours.
const STAND_IN: &str = "a7600000-0000-8000-8000-";

/// Replaces GUIDs by what `map` gives for their lower-cased form with hyphens. `None`: nothing was replaced.
pub(crate) fn replace(text: &str, mut map: impl FnMut(&str) -> Option<String>) -> Option<String> {
    if text.len() < PLAIN_CHARS {
        return None;
    }
    let bytes = text.as_bytes();
    let (mut out, mut copied, mut at) = (String::new(), 0, 0);
    while at < bytes.len() {
        let Some((length, guid)) = guid_at(text, at) else {
            at += 1;
            continue;
        };
        let Some(new) = map(&guid) else {
            at += 1;
            continue;
        };
        out.push_str(text.get(copied..at).unwrap_or_default());
        if length == GUID_CHARS {
            out.push_str(&new);
        } else {
            out.extend(new.chars().filter(|c| *c != '-'));
        }
        at += length;
        copied = at;
    }
    if copied == 0 {
        return None;
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    Some(out)
}

/// The GUID that starts at this byte: its length, and its lower-cased form with hyphens.
fn guid_at(text: &str, at: usize) -> Option<(usize, String)> {
    let bytes = text.as_bytes();
    let hex = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
    if !hex(at) {
        return None;
    }
    let fits = |offset: usize| {
        if HYPHENS.contains(&offset) {
            bytes.get(at + offset) == Some(&b'-')
        } else {
            hex(at + offset)
        }
    };
    if (0..GUID_CHARS).all(fits) {
        return Some((GUID_CHARS, text.get(at..at + GUID_CHARS)?.to_lowercase()));
    }
    if !(0..PLAIN_CHARS).all(|offset| hex(at + offset)) {
        return None;
    }
    let plain = text.get(at..at + PLAIN_CHARS)?.to_lowercase();
    Some((PLAIN_CHARS, hyphenated(&plain)))
}

fn hyphenated(plain: &str) -> String {
    let mut out = String::with_capacity(GUID_CHARS);
    for c in plain.chars() {
        if HYPHENS.contains(&out.len()) {
            out.push('-');
        }
        out.push(c);
    }
    out
}

/// Whether the whole text is a GUID with hyphens.
pub(crate) fn is_guid(text: &str) -> bool {
    text.len() == GUID_CHARS && guid_at(text, 0).is_some_and(|(length, _)| length == GUID_CHARS)
}

/// A text cut where stand-ins stand, which are pieces of their own.
pub(crate) fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(STAND_IN) {
        let (before, behind) = rest.split_at_checked(at).unwrap_or((rest, ""));
        let (stand_in, behind) = behind.split_at_checked(GUID_CHARS).unwrap_or((behind, ""));
        pieces.extend([before, stand_in].into_iter().filter(|piece| !piece.is_empty()));
        rest = behind;
    }
    pieces.extend(Some(rest).filter(|piece| !piece.is_empty()));
    pieces
}

/// The stand-in for something of another tenant or subscription that nothing is known for.
pub(crate) fn stand_in(sort: &str, of: &str) -> String {
    let digits = hex_digest(&format!("{sort}\n{of}"));
    format!("{STAND_IN}{}", digits.get(..12).unwrap_or_default())
}

/// Whether a text holds a stand-in.
pub(crate) fn holds_stand_in(text: &str) -> bool {
    text.contains(STAND_IN) || (text.len() >= PLAIN_CHARS && text.contains(&STAND_IN.replace('-', "")))
}

/// A GUID that follows from another one and from what it is for.
pub(crate) fn derived(guid: &str, purpose: &str) -> String {
    let digits = hex_digest(&format!("{purpose}\n{guid}"));
    let mut digits: Vec<char> = digits.chars().take(PLAIN_CHARS).collect();
    // Version 8, "custom", and the variant of RFC 9562.
    for (at, c) in [(12, '8'), (16, 'a')] {
        if let Some(digit) = digits.get_mut(at) {
            *digit = c;
        }
    }
    hyphenated(&digits.into_iter().collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "aaaaaaaa-0000-4000-8000-00000000000b";
    const TWO: &str = "cccccccc-1111-4111-9111-11111111111d";

    fn swapped(text: &str) -> Option<String> {
        replace(text, |guid| (guid == ONE).then(|| TWO.to_owned()))
    }

    #[test]
    fn a_guid_is_found_wherever_it_stands() {
        let plain = |guid: &str| guid.replace('-', "");
        for (before, behind) in [
            ("", ""),
            ("/subscriptions/", "/x"),
            ("é", "é"),
            ("Default-", "-WEU"),
            ("ab", "ab"),
        ] {
            for (one, two) in [
                (ONE.to_owned(), TWO.to_owned()),
                (ONE.to_uppercase(), TWO.to_owned()),
                (plain(ONE), plain(TWO)),
            ] {
                let text = format!("{before}{one}{behind}{one}");
                assert_eq!(swapped(&text), Some(format!("{before}{two}{behind}{two}")), "{text}");
            }
        }
        assert_eq!(swapped(TWO), None);
        assert_eq!(swapped("short"), None);
    }

    #[test]
    fn stand_ins_and_derived_ones_are_guids_of_their_own() {
        let stand_in = stand_in("principal", ONE);
        assert!(is_guid(&stand_in) && is_guid(&derived(ONE, "x")), "{stand_in}");
        assert!(holds_stand_in(&format!("a/{stand_in}/b")) && holds_stand_in(&stand_in.replace('-', "")));
        assert!(!holds_stand_in(ONE));
        assert_ne!(derived(ONE, "x"), derived(ONE, "y"));
        let text = format!("a {stand_in}{stand_in} b");
        assert_eq!(pieces(&text), ["a ", &stand_in, &stand_in, " b"]);
    }
}
