//! Request targets and addresses, as far as causes compare them.

/// The parts of an `http` or `https` address that causes compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// `http` or `https`, in lower case.
    pub scheme: String,
    /// Host in lower case, without userinfo and port.
    pub host: String,
    /// The port, the scheme's own where none is written (RFC 9110 sections 4.2.1 and 4.2.2).
    pub port: u16,
    /// Path and query, at least `/`.
    pub target: String,
}

impl Address {
    /// Reads an absolute `http` or `https` address; `None` for anything else.
    pub fn parse(text: &str) -> Option<Address> {
        let (scheme, rest) = text.trim().split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        let own_port = match scheme.as_str() {
            "http" | "ws" => 80,
            "https" | "wss" => 443,
            _ => return None,
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at_checked(end)?;
        let host_port = authority.rsplit('@').next().unwrap_or(authority);
        let (host, port) = split_port(host_port);
        let target = target.split('#').next().unwrap_or_default();
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        Some(Address { scheme, host: host.to_ascii_lowercase(), port: port.unwrap_or(own_port), target })
    }

    /// Whether both have the same scheme, host and port (RFC 6454 section 4).
    pub fn same_origin(&self, other: &Address) -> bool {
        self.scheme == other.scheme && self.host == other.host && self.port == other.port
    }
}

fn split_port(host_port: &str) -> (&str, Option<u16>) {
    match host_port.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => match port.parse() {
            Ok(port) => (host, Some(port)),
            Err(_) => (host_port, None),
        },
        _ => (host_port, None),
    }
}

/// The path of a target: without scheme, authority, query and fragment. What begins with a slash has neither of the first
/// two (origin-form, RFC 9112 section 3.2.1), whatever addresses its query carries.
pub fn path_of(target: &str) -> &str {
    let path = match target.split_once("://") {
        Some((_, rest)) if !target.starts_with('/') => {
            rest.find('/').and_then(|i| rest.get(i..)).unwrap_or("/")
        }
        _ => target,
    };
    path.split(['?', '#']).next().unwrap_or(path)
}

/// The query of a target, without its question mark; `None` if there is none.
pub fn query_of(target: &str) -> Option<&str> {
    let (_, query) = target.split_once('?')?;
    Some(query.split('#').next().unwrap_or(query))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_schemes_port() {
        let a = Address::parse("https://alice:pw@Example.com/a?b#c").unwrap();
        assert_eq!((a.host.as_str(), a.port, a.target.as_str()), ("example.com", 443, "/a?b"));
        assert!(a.same_origin(&Address::parse("https://example.com:443").unwrap()));
        assert!(!a.same_origin(&Address::parse("http://example.com").unwrap()));
    }

    #[test]
    fn bracketed_hosts_keep_their_colons() {
        let a = Address::parse("http://[::1]:8080/").unwrap();
        assert_eq!((a.host.as_str(), a.port), ("[::1]", 8080));
        assert_eq!(Address::parse("http://[::1]/").unwrap().port, 80);
    }

    #[test]
    fn a_target_is_taken_apart_in_all_its_forms() {
        assert_eq!(path_of("http://h/p?q"), "/p");
        assert_eq!(path_of("/p?q#f"), "/p");
        assert_eq!(path_of("/login?next=https://h/q"), "/login");
        assert_eq!(query_of("/p?a=b#f"), Some("a=b"));
        assert_eq!(query_of("/p"), None);
    }
}
