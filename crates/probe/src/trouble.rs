//! What goes wrong before there is an answer. None of it is a 401.

use std::fmt;

/// Why there was no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The name leads to no address.
    Name {
        /// The host.
        host: String,
        /// What the resolver said.
        why: String,
    },
    /// Nothing listens there.
    Refused {
        /// Address and port.
        at: String,
    },
    /// No connection came about, or it broke off.
    Connection {
        /// Address and port.
        at: String,
        /// Why.
        why: String,
    },
    /// No answer in time.
    Time {
        /// Address and port.
        at: String,
        /// What was waited for.
        what: &'static str,
    },
    /// TLS failed.
    Tls {
        /// Host and port.
        at: String,
        /// Why.
        why: String,
        /// What to do about it.
        advice: &'static str,
    },
    /// The proxy did not let the connection through.
    Proxy {
        /// The proxy, without credentials.
        proxy: String,
        /// What it said.
        why: String,
    },
    /// The answer is no HTTP.
    Protocol {
        /// Address and port.
        at: String,
        /// What came instead.
        why: String,
    },
    /// It cannot be asked like this.
    Unusable(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Name { host, why } => write!(
                f,
                "name: {host} has no address ({why}). This is no 401: check the spelling of the host, and the resolver"
            ),
            Trouble::Refused { at } => write!(
                f,
                "refused: nothing listens at {at}. This is no 401: check the port, and whether the server runs"
            ),
            Trouble::Connection { at, why } => {
                write!(f, "connection: {at}: {why}. This is no 401: check network and firewall")
            }
            Trouble::Time { at, what } => write!(
                f,
                "time: no {what} from {at} in time. This is no 401: a firewall that drops packets, or a server that hangs"
            ),
            Trouble::Tls { at, why, advice } => {
                write!(f, "tls: {at}: {why}. This is no 401: {advice}")
            }
            Trouble::Proxy { proxy, why } => write!(
                f,
                "proxy: {proxy}: {why}. This is not the server's answer: check the proxy, or leave it out with --noproxy"
            ),
            Trouble::Protocol { at, why } => write!(
                f,
                "protocol: {at}: {why}. This is no 401: check that HTTP is spoken there, and http against https"
            ),
            Trouble::Unusable(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Trouble {}
