//! Where connections go in place of where the address says, as curl's options have it.

use std::net::{IpAddr, SocketAddr};

/// A version of IP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Version 4.
    V4,
    /// Version 6.
    V6,
}

/// Where connections go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routes {
    /// Addresses in place of the resolver's: host (`*` for every one), port, address.
    resolve: Vec<(String, u16, IpAddr)>,
    connect_to: Vec<ConnectTo>,
    /// Addresses of this version of IP only.
    pub family: Option<Family>,
    /// Proxies are asked for a tunnel for `http` addresses too.
    pub tunnel: bool,
}

/// `HOST1:PORT1:HOST2:PORT2`; what is empty is `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ConnectTo {
    of: (Option<String>, Option<u16>),
    to: (Option<String>, Option<u16>),
}

impl Routes {
    /// Takes in curl's `--resolve`: `[+]HOST:PORT:ADDRESS[,ADDRESS]...`, or `-HOST:PORT` to take one back.
    ///
    /// # Errors
    /// Where it is written otherwise.
    pub fn resolve(&mut self, entry: &str) -> Result<(), String> {
        let wrong = || "--resolve is written as HOST:PORT:ADDRESS".to_owned();
        let taken_back = entry.strip_prefix('-');
        let rest = taken_back.or(entry.strip_prefix('+')).unwrap_or(entry);
        let (host, rest) = host(rest).ok_or_else(wrong)?;
        let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
        let (port, addresses) = rest.split_once(':').map_or((rest, None), |(p, a)| (p, Some(a)));
        let port: u16 = port.parse().map_err(|_| wrong())?;
        if taken_back.is_some() {
            self.resolve.retain(|(h, p, _)| (h, *p) != (&host, port));
            return Ok(());
        }
        for address in addresses.ok_or_else(wrong)?.split(',') {
            let ip = address.trim_matches(['[', ']']).parse().map_err(|_| wrong())?;
            self.resolve.push((host.clone(), port, ip));
        }
        Ok(())
    }

    /// Takes in curl's `--connect-to`: `HOST1:PORT1:HOST2:PORT2`, whose parts may be empty. Without the last one, or the
    /// last two, it is as if they were empty.
    ///
    /// # Errors
    /// Where a port is none.
    pub fn connect_to(&mut self, entry: &str) -> Result<(), String> {
        let wrong = || "--connect-to is written as HOST1:PORT1:HOST2:PORT2".to_owned();
        let (of_host, rest) = host(entry).ok_or_else(wrong)?;
        let (of_port, rest) = rest.split_once(':').unwrap_or((rest, ""));
        let (to_host, to_port) = host(rest).unwrap_or((rest, ""));
        let port = |text: &str| match text {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| wrong()),
        };
        let named = |text: &str| Some(text.to_ascii_lowercase()).filter(|t| !t.is_empty());
        self.connect_to
            .push(ConnectTo { of: (named(of_host), port(of_port)?), to: (named(to_host), port(to_port)?) });
        Ok(())
    }

    /// Host and port to connect to for these; whether they are others than `--connect-to` found them.
    ///
    /// The first entry that fits and names either counts. Source: curl's manual page, and `parse_connect_to_slist` in its
    /// `lib/url.c`.
    pub fn instead<'a>(&'a self, host: &'a str, port: u16) -> (&'a str, u16, bool) {
        let fits = |c: &&ConnectTo| {
            let host = c.of.0.as_deref().is_none_or(|h| h.eq_ignore_ascii_case(host));
            host && c.of.1.is_none_or(|p| p == port) && c.to != (None, None)
        };
        match self.connect_to.iter().find(fits) {
            Some(c) => (c.to.0.as_deref().unwrap_or(host), c.to.1.unwrap_or(port), true),
            None => (host, port, false),
        }
    }

    /// The addresses that were given for a host, written without brackets.
    pub(super) fn given(&self, host: &str, port: u16) -> Vec<SocketAddr> {
        let of = |wanted: &str| -> Vec<SocketAddr> {
            let fits = |(h, p, _): &&(String, u16, IpAddr)| h.eq_ignore_ascii_case(wanted) && *p == port;
            self.resolve.iter().filter(fits).map(|(_, _, ip)| SocketAddr::new(*ip, port)).collect()
        };
        let own = of(host);
        if own.is_empty() { of("*") } else { own }
    }

    /// Whether an address is of the version of IP that is wanted.
    pub(super) fn takes(&self, address: &SocketAddr) -> bool {
        match self.family {
            None => true,
            Some(Family::V4) => address.is_ipv4(),
            Some(Family::V6) => address.is_ipv6(),
        }
    }
}

/// A host up to its colon, with brackets where these are its own, and what follows the colon.
fn host(text: &str) -> Option<(&str, &str)> {
    let end = if text.starts_with('[') { text.find(']')? + 1 } else { text.find(':')? };
    let (host, rest) = text.split_at_checked(end)?;
    Some((host, rest.strip_prefix(':')?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn routes(connect_to: &[&str]) -> Routes {
        let mut routes = Routes::default();
        connect_to.iter().for_each(|c| routes.connect_to(c).unwrap());
        routes
    }

    #[test]
    fn parts_that_are_empty_stand_for_any_or_for_the_same() {
        let r = routes(&["a.example:80::", "a.example:80:b.example:81", ":443:[::1]:", "::c.example:"]);
        assert_eq!(r.instead("a.example", 80), ("b.example", 81, true));
        assert_eq!(r.instead("A.example", 443), ("[::1]", 443, true));
        assert_eq!(r.instead("d.example", 8080), ("c.example", 8080, true));
        assert_eq!(routes(&["a.example:80:b.example:81"]).instead("a.example", 81), ("a.example", 81, false));
        assert_eq!(routes(&["a.example:80:b.example"]).instead("a.example", 80).0, "b.example");
        assert!(Routes::default().connect_to("a:x:b:1").is_err());
        assert!(Routes::default().connect_to("a").is_err());
    }

    #[test]
    fn addresses_are_given_and_taken_back() {
        let mut r = Routes::default();
        for entry in ["+h.example:443:192.0.2.1,[2001:db8::1]", "*:443:192.0.2.9", "[::2]:80:192.0.2.3"] {
            r.resolve(entry).unwrap();
        }
        assert_eq!(r.given("H.example", 443).len(), 2);
        assert_eq!(r.given("other.example", 443), ["192.0.2.9:443".parse().unwrap()]);
        assert_eq!(r.given("::2", 80), ["192.0.2.3:80".parse().unwrap()]);
        r.resolve("-h.example:443").unwrap();
        assert_eq!(r.given("h.example", 443), ["192.0.2.9:443".parse().unwrap()]);
        assert!(r.resolve("h.example:443").is_err() && r.resolve("h:x:192.0.2.1").is_err());
        let v4 = Routes { family: Some(Family::V4), ..Routes::default() };
        assert!(v4.takes(&"192.0.2.1:1".parse().unwrap()) && !v4.takes(&"[::1]:1".parse().unwrap()));
    }

    proptest! {
        #[test]
        fn no_entry_is_too_strange(entry in "[-+]?[a-z0-9:.*\\[\\]é]{0,30}") {
            let mut r = Routes::default();
            let _ = (r.resolve(&entry), r.connect_to(&entry));
            let _ = r.instead("h", 1);
        }
    }
}
