//! The environment's proxies, chosen as curl chooses them.

use super::socks::Finds;
use why401_auth::Secret;
use why401_http::Address;

/// A proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// `user:password` for it, percent-decoded.
    pub userinfo: Option<Secret>,
    /// Where SOCKS version 5 is spoken with it instead of HTTP: who finds the addresses of hosts.
    pub socks: Option<Finds>,
}

impl Proxy {
    /// Reads `http://user:password@host:port`, or the same with `socks5://` or `socks5h://`; the scheme may be missing,
    /// and so may be the port, which is 1080 then as in curl.
    ///
    /// # Errors
    /// A proxy of a kind that is not spoken here.
    pub fn parse(text: &str) -> Result<Proxy, String> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let socks = match scheme.to_ascii_lowercase().as_str() {
            "http" => None,
            "socks5" => Some(Finds::Client),
            "socks5h" => Some(Finds::Proxy),
            _ => {
                return Err(format!(
                    "a proxy of the kind {scheme}:// is not spoken here; http://, socks5:// and socks5h:// are"
                ));
            }
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
        let (userinfo, host_port) =
            authority.rsplit_once('@').map_or((None, authority), |(u, h)| (Some(u), h));
        let address = Address::parse(&format!("http://{host_port}/")).filter(|a| !a.host.is_empty());
        let address = address.ok_or_else(|| "the proxy's address has no host".to_owned())?;
        let port = if host_port.ends_with(&format!(":{}", address.port)) { address.port } else { 1080 };
        let userinfo = userinfo.map(|u| Secret::new(why401_auth::percent::decode(u.as_bytes())));
        Ok(Proxy { host: address.host, port, userinfo, socks })
    }

    /// Host and port.
    pub fn at(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// Which proxy is for which address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    /// For `http` addresses (`http_proxy`).
    pub http: Option<Proxy>,
    /// For `https` addresses (`https_proxy`).
    pub https: Option<Proxy>,
    /// Hosts that are asked directly (`no_proxy`).
    pub except: String,
}

impl Proxies {
    /// The proxy for an address.
    pub fn for_address(&self, address: &Address) -> Option<&Proxy> {
        if self.excepts(&address.host, address.port) {
            return None;
        }
        if address.scheme == "https" { self.https.as_ref() } else { self.http.as_ref() }
    }

    /// Names and their subdomains, `*` for all, with a port or without; addresses as they are written or as a block.
    fn excepts(&self, host: &str, port: u16) -> bool {
        let host = host.trim_matches(['[', ']']);
        self.except.split([',', ' ']).map(str::trim).filter(|e| !e.is_empty()).any(|entry| {
            let (name, of_port) = match entry.rsplit_once(':') {
                Some((name, p)) if !name.contains(':') => (name, p.parse::<u16>().ok()),
                _ => (entry, None),
            };
            let name = name.trim_matches(['[', ']']).trim_start_matches('.').to_ascii_lowercase();
            let fits = entry == "*"
                || host == name
                || host.strip_suffix(&name).is_some_and(|rest| rest.ends_with('.'))
                || in_block(host, &name);
            fits && of_port.is_none_or(|p| p == port)
        })
    }
}

/// Whether an IPv4 address lies in `192.0.2.0/24`.
fn in_block(host: &str, block: &str) -> bool {
    let parts = block.split_once('/').and_then(|(net, bits)| {
        let host: std::net::Ipv4Addr = host.parse().ok()?;
        let net: std::net::Ipv4Addr = net.parse().ok()?;
        let bits: u32 = bits.parse().ok().filter(|b| *b <= 32)?;
        Some((u32::from(host), u32::from(net), bits))
    });
    parts.is_some_and(|(host, net, bits)| bits == 0 || (host ^ net) >> (32 - bits) == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_are_read_as_curl_reads_them() {
        let proxies = Proxies {
            http: Proxy::parse("http://bob:p%40@proxy.example.com:3128/").ok(),
            https: None,
            except: "localhost, .example.com,192.0.2.0/24,other.example.net:8080".to_owned(),
        };
        let direct = |a: &str| proxies.for_address(&Address::parse(a).unwrap()).is_none();
        assert!(
            direct("http://localhost/") && direct("http://a.example.com/") && direct("http://192.0.2.7/")
        );
        assert!(direct("http://other.example.net:8080/") && !direct("http://other.example.net/"));
        assert!(!direct("http://notexample.com/") && direct("https://notexample.com/"));
        let proxy = proxies.http.unwrap();
        assert_eq!(
            (proxy.at().as_str(), proxy.userinfo.unwrap().expose()),
            ("proxy.example.com:3128", &b"bob:p@"[..])
        );
        assert!(Proxy::parse("socks4://h:1").is_err());
        let socks = Proxy::parse("socks5h://h").unwrap();
        assert_eq!((socks.port, socks.socks), (1080, Some(Finds::Proxy)));
    }
}
