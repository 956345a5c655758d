//! Lists of addresses that are let in without a login, as the settings of programs have them.
//!
//! Moonraker (`trusted_clients`), Home Assistant (`trusted_networks`), qBittorrent (`AuthSubnetWhitelist`), OctoPrint
//! (`localNetworks`), Apache (`Require ip`, `Allow from`), nginx (`allow`), Traefik (`sourceRange`), Plex (`allowedNetworks`),
//! and others by names such as these.

use crate::Scene;
use std::net::IpAddr;
use std::ops::Range;
use why401_http::FactKind;
use why401_span::{Derived, SourceId};

/// How a setting of this kind is named, in lower case without `_`, `-` and white space.
const NAMES: &[&str] = &[
    "trustedclients",
    "trustednetworks",
    "trustedsubnets",
    "trustedaddresses",
    "trustedips",
    "authsubnetwhitelist",
    "subnetwhitelist",
    "ipwhitelist",
    "whitelistedips",
    "ipallowlist",
    "allowlist",
    "allowedips",
    "allowedaddresses",
    "allowedaddr",
    "allowednetworks",
    "allowedsubnets",
    "allowfrom",
    "localnetworks",
    "localnetworksubnets",
    "sourcerange",
    "requireip",
    "allow",
];

/// Where more refusals are to be explained, no list is looked for; nor in more texts.
const FEW: usize = 50;
const TEXTS: usize = 50;
/// No more of a text is read, in bytes, and no more networks of it.
const MOST: usize = 64 * 1024;
const NETWORKS: usize = 500;

/// The first address of a network, and how many bits of it count (RFC 4632 section 3.1).
type Network = (IpAddr, u32);

/// A list of networks, and where it stands.
pub(crate) struct Listed<'a> {
    pub(crate) source: SourceId,
    pub(crate) text: &'a Derived,
    /// Of its first line.
    pub(crate) range: Range<usize>,
    networks: Vec<Network>,
}

impl Listed<'_> {
    /// Whether an address is in one of its networks.
    pub(crate) fn has(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|(network, length)| within(address, *network, *length))
    }
}

/// The list in what was given along; `None` where there is none, or several that may be meant.
pub(crate) fn of<'a>(scene: &Scene<'a>) -> Option<Listed<'a>> {
    if scene.case.refusals.len() > FEW {
        return None;
    }
    let mut found: Option<Listed<'a>> = None;
    let given = scene.case.facts.iter();
    let given = given.filter(|f| matches!(f.kind, FactKind::Pasted | FactKind::Configuration { .. }));
    for (source, text) in given.take(TEXTS).map(|f| (f.source, &f.text)) {
        if let Some((range, networks)) = read(&text.to_text()) {
            match &mut found {
                // The same text as a whole and in parts.
                Some(list) if list.networks == networks => {}
                Some(_) => return None,
                None => found = Some(Listed { source, text, range, networks }),
            }
        }
    }
    found
}

/// The networks of all settings of this kind in a text, and where the first one begins.
fn read(text: &str) -> Option<(Range<usize>, Vec<Network>)> {
    let mut networks = Vec::new();
    let mut first = None;
    let (mut at, mut inside, mut indent) = (0, false, 0);
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        if at > MOST {
            break;
        }
        let trimmed = line.trim();
        let depth = line.len() - line.trim_start().len();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        let item = trimmed.trim_start_matches(['-', ' ', '"', '\'', '[']);
        let names = named(trimmed);
        // The items of a list stand further in, or behind dashes.
        inside =
            names || inside && network(first_word(item)).is_some() && (depth > indent || item != trimmed);
        if names {
            indent = depth;
            first = first.or(Some(start..start + trimmed.len() + depth));
        }
        if inside {
            let words = line.split(|c: char| c.is_whitespace() || ",;\"'[]=()".contains(c));
            networks.extend(words.filter_map(network).take(NETWORKS.saturating_sub(networks.len())));
        }
    }
    first.filter(|_| !networks.is_empty()).map(|range| (range, networks))
}

fn first_word(item: &str) -> &str {
    item.split(|c: char| c.is_whitespace() || ",;\"']".contains(c)).next().unwrap_or_default()
}

/// Whether a line begins with the name of such a setting.
fn named(line: &str) -> bool {
    let line = line.trim_start_matches(['-', ' ', '"', '\'']);
    let end = line.find([':', '=', '"', '[']).unwrap_or(line.len());
    // `allow 10.0.0.0/8;` and `Require ip 10.0.0.0/8` have nothing between name and value.
    let end = line.find(|c: char| c.is_ascii_digit()).map_or(end, |digit| digit.min(end));
    let name: String = line.get(..end).unwrap_or_default().chars().filter(|c| c.is_alphabetic()).collect();
    let name = name.to_ascii_lowercase();
    let own = name.strip_prefix("webui").unwrap_or(&name);
    NAMES.contains(&own)
}

/// `192.168.0.0/16`, `fe80::/10`, an address alone.
fn network(word: &str) -> Option<Network> {
    let (address, length) = match word.split_once('/') {
        Some((address, length)) => (address, Some(length.parse::<u32>().ok()?)),
        None => (word, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let whole = if address.is_ipv4() { 32 } else { 128 };
    let length = length.unwrap_or(whole);
    (length <= whole).then_some((address, length))
}

fn within(address: IpAddr, network: IpAddr, length: u32) -> bool {
    match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(n)) => {
            let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
            a.to_bits() & mask == n.to_bits() & mask
        }
        (IpAddr::V6(a), IpAddr::V6(n)) => {
            let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
            a.to_bits() & mask == n.to_bits() & mask
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_many_programs_are_lists() {
        for (text, networks) in [
            ("[authorization]\ntrusted_clients:\n    10.0.0.0/8\n    FE80::/10\n\n[history]\n", 2),
            (
                "homeassistant:\n  auth_providers:\n    - type: trusted_networks\n      trusted_networks:\n        - 192.168.1.0/24\n        - ::1\n",
                2,
            ),
            ("WebUI\\AuthSubnetWhitelist=192.168.1.0/24, 10.0.0.5\n", 2),
            ("<Location /x>\n  Require ip 192.0.2.0/24 198.51.100.7\n</Location>", 2),
            ("allow 10.0.0.0/8;\nallow 192.0.2.1;\ndeny all;\n", 2),
            ("sourceRange:\n  - \"10.0.0.0/8\"\n", 1),
        ] {
            assert_eq!(read(text).map(|(_, n)| n.len()), Some(networks), "{text}");
        }
        for none in [
            "host: 0.0.0.0\nport: 7125\n",
            "trusted_clients:\n\nother:\n  10.0.0.1\n",
            "We allow logins from 10.0.0.1",
        ] {
            assert_eq!(read(none).map(|(_, n)| n.len()), None, "{none}");
        }
    }

    #[test]
    fn addresses_lie_within_networks() {
        let is = |a: &str, n: &str| {
            let (network, length) = network(n).unwrap();
            within(a.parse().unwrap(), network, length)
        };
        assert!(
            is("192.168.1.77", "192.168.0.0/16") && is("10.1.1.1", "0.0.0.0/0") && is("fe80::1", "fe80::/10")
        );
        assert!(
            !is("192.169.1.77", "192.168.0.0/16")
                && !is("2001:db8::1", "fe80::/10")
                && !is("10.0.0.1", "::/0")
        );
        assert!(is("2001:db8::1", "::/0") && is("10.0.0.1", "10.0.0.1") && network("10.0.0.0/40").is_none());
    }
}
