//! Ranges of addresses.

use std::net::IpAddr;
use std::str::FromStr;

/// A range of addresses: `192.0.2.0/24`, `2001:db8::/32`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Net {
    base: u128,
    prefix: u32,
    is_four: bool,
}

impl FromStr for Net {
    type Err = String;

    fn from_str(text: &str) -> Result<Net, String> {
        let wrong = || format!("{text:?} is no address and no range such as 192.0.2.0/24");
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u32>().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let (base, bits) = number(address);
        let prefix = prefix.unwrap_or(bits);
        if prefix > bits {
            return Err(wrong());
        }
        let net = Net { base, prefix, is_four: bits == 32 };
        match net.host_part(base) {
            0 => Ok(net),
            _ => {
                Err(format!("{text:?} has bits set behind its prefix: write the first address of the range"))
            }
        }
    }
}

impl Net {
    fn host_part(self, number: u128) -> u128 {
        let bits = if self.is_four { 32 } else { 128 } - self.prefix;
        if bits == 128 { number } else { number & ((1u128 << bits) - 1) }
    }

    /// Whether the address is in the range.
    pub(crate) fn holds(self, address: IpAddr) -> bool {
        let (number, bits) = number(address);
        (bits == 32) == self.is_four && number - self.host_part(number) == self.base
    }
}

fn number(address: IpAddr) -> (u128, u32) {
    match address.to_canonical() {
        IpAddr::V4(four) => (u128::from(u32::from(four)), 32),
        IpAddr::V6(six) => (u128::from(six), 128),
    }
}

/// Whether any range holds the address.
pub(crate) fn any(nets: &[Net], address: IpAddr) -> bool {
    nets.iter().any(|net| net.holds(address))
}

/// The address that stands for a client in limits: of IPv6 the network of 64 bits, since one customer has all of it.
pub(crate) fn client_key(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(four) => u128::from(u32::from(four)),
        IpAddr::V6(six) => u128::from(six) >> 64 << 64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_what_is_in_them() {
        for (net, address, expected) in [
            ("192.0.2.0/24", "192.0.2.255", true),
            ("192.0.2.0/24", "192.0.3.0", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "::ffff:192.0.2.7", true),
            ("0.0.0.0/0", "203.0.113.1", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
        ] {
            let net: Net = net.parse().unwrap();
            assert_eq!(net.holds(address.parse().unwrap()), expected, "{net:?} {address}");
        }
        for text in ["192.0.2.1/24", "192.0.2.0/33", "x", "192.0.2.0/", "::1/200"] {
            assert!(text.parse::<Net>().is_err(), "{text}");
        }
    }
}
