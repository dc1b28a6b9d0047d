//! Ranges of addresses, of both families.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A range of addresses: `10.0.0.0/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Prefix {
    pub(super) v6: bool,
    pub(super) first: u128,
    pub(super) last: u128,
    pub(super) length: u32,
}

impl Prefix {
    /// Reads `10.0.0.0/16`. Bits behind the prefix do not count.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, length) = text.trim().split_once('/')?;
        let length: u32 = length.parse().ok()?;
        match address.parse::<IpAddr>().ok()? {
            IpAddr::V4(address) => Self::at(false, u128::from(u32::from(address)), length),
            IpAddr::V6(address) => Self::at(true, u128::from(address), length),
        }
    }

    /// The range of this length that holds an address.
    pub(super) fn at(v6: bool, address: u128, length: u32) -> Option<Self> {
        let width = if v6 { 128 } else { 32 };
        let host_bits = u32::checked_sub(width, length)?;
        let hosts = 1_u128.checked_shl(host_bits).map_or(u128::MAX, |size| size - 1);
        let first = address & !hosts;
        Some(Self {
            v6,
            first,
            last: first | hosts,
            length,
        })
    }

    pub(super) fn holds(&self, other: &Self) -> bool {
        self.v6 == other.v6 && self.first <= other.first && other.last <= self.last
    }

    pub(super) fn meets(&self, other: &Self) -> bool {
        self.v6 == other.v6 && self.first <= other.last && other.first <= self.last
    }

    /// The first range of this length in `space` from `from` on that meets none of `taken`.
    pub(super) fn free(space: &Self, from: u128, length: u32, taken: &[Self]) -> Option<Self> {
        let mut at = from.max(space.first);
        loop {
            let mut candidate = Self::at(space.v6, at, length)?;
            if candidate.first < at {
                candidate = Self::at(space.v6, candidate.last.checked_add(1)?, length)?;
            }
            if !space.holds(&candidate) {
                return None;
            }
            match taken
                .iter()
                .filter(|taken| taken.meets(&candidate))
                .map(|taken| taken.last)
                .max()
            {
                None => return Some(candidate),
                Some(last) => at = last.max(candidate.last).checked_add(1)?,
            }
        }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = match u32::try_from(self.first) {
            Ok(first) if !self.v6 => IpAddr::V4(Ipv4Addr::from(first)),
            Ok(_) | Err(_) => IpAddr::V6(Ipv6Addr::from(self.first)),
        };
        write!(f, "{address}/{}", self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::Prefix;

    fn prefix(text: &str) -> Prefix {
        Prefix::parse(text).expect("a prefix")
    }

    #[test]
    fn ranges_are_read_and_compared() {
        assert!(prefix("10.0.0.0/8").holds(&prefix("10.255.0.0/16")));
        assert!(!prefix("10.0.0.0/16").holds(&prefix("10.1.0.0/24")));
        assert!(prefix("10.0.1.0/24").meets(&prefix("10.0.0.0/23")));
        assert!(!prefix("10.0.2.0/24").meets(&prefix("10.0.0.0/23")));
        assert!(prefix("0.0.0.0/0").holds(&prefix("1.2.3.4/32")));
        assert!(!prefix("::/0").holds(&prefix("1.2.3.4/32")));
        assert_eq!(Prefix::parse("10.0.0.0/33"), None);
    }

    #[test]
    fn they_print_as_they_are_read() {
        for text in ["10.0.0.0/16", "0.0.0.0/0", "fd00:1::/64", "::/0", "::1/128"] {
            assert_eq!(prefix(text).to_string(), text);
        }
        assert_eq!(prefix("10.0.1.7/24").to_string(), "10.0.1.0/24");
    }

    #[test]
    fn the_first_free_range_is_found() {
        let taken = [prefix("10.0.0.0/24"), prefix("10.0.1.128/25")];
        let free = |space, from, length| Prefix::free(&prefix(space), prefix(from).first, length, &taken);
        assert_eq!(free("10.0.0.0/16", "10.0.0.0/24", 24), Some(prefix("10.0.2.0/24")));
        assert_eq!(free("10.0.0.0/16", "10.0.0.0/24", 25), Some(prefix("10.0.1.0/25")));
        assert_eq!(free("10.0.0.0/23", "10.0.0.0/24", 24), None);
        assert_eq!(free("10.0.0.0/16", "10.0.3.5/32", 24), Some(prefix("10.0.4.0/24")));
    }
}
