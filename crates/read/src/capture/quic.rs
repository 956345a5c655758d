//! HTTP/3: its connections cannot be read here, but they can be named.

use super::exchanges::Exchanges;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use why401_capture::Datagram;
use why401_span::Span;
use why401_tls::{QuicInitials, is_quic_initial};

/// The port that HTTP/3 has where nothing else was agreed on (RFC 9114, section 3.1).
const HTTPS: u16 = 443;
/// Between so many pairs of addresses connections are told apart.
const MOST: usize = 4096;

/// The QUIC connections that were met.
#[derive(Debug, Default)]
pub(super) struct Quic {
    initials: QuicInitials,
    /// From whom to whom, and where it began: the name that the client asked for did not come yet.
    unnamed: BTreeMap<(SocketAddr, SocketAddr), Span>,
    named: BTreeSet<(SocketAddr, SocketAddr)>,
}

const WHY: &str = "HTTP/3 is not decrypted here";

impl Quic {
    /// Takes a datagram in, where it begins a connection.
    pub(super) fn datagram(&mut self, d: &Datagram<'_>, to: &mut Exchanges<'_>) {
        if !is_quic_initial(d.bytes) {
            return;
        }
        let between = (d.from, d.to);
        let hello = self.initials.datagram(d.bytes);
        let may_be_new = self.named.len() < MOST && !self.named.contains(&between);
        let Some(hello) = hello else {
            if d.to.port() == HTTPS && may_be_new && self.unnamed.len() < MOST {
                self.unnamed.entry(between).or_insert(d.span);
            }
            return;
        };
        let begun = self.unnamed.remove(&between).unwrap_or(d.span);
        if may_be_new {
            self.named.insert(between);
        }
        // Other protocols run over QUIC as well: DNS, SMB.
        if hello.protocols.iter().any(|p| p.starts_with("h3")) {
            let host = hello.server_name.map_or(d.to.to_string(), |name| format!("{name} ({})", d.to));
            to.unread_http3(host, WHY.to_owned(), begun);
        }
    }

    /// Tells of those whose name was not captured.
    pub(super) fn finish(&mut self, to: &mut Exchanges<'_>) {
        for ((_, server), begun) in std::mem::take(&mut self.unnamed) {
            to.unread_http3(server.to_string(), WHY.to_owned(), begun);
        }
    }
}
