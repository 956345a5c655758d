//! One line a packet, as tshark, Wireshark and tcpdump summarise HTTP.

use super::draft::Draft;
use super::lines::Line;
use super::out::{MESSAGES, Out};
use super::{Dialect, Took};
use crate::http1::head;
use why401_http::{Exchange, Peer};
use why401_span::Derived;

/// Exchanges of one block, until it is known which fields its lines show.
struct Summary {
    exchanges: Vec<(Exchange, Option<(Peer, Peer)>)>,
    shows_fields: bool,
}

/// More exchanges of one block are not held.
const MOST_HELD: usize = 20_000;

pub(super) fn begin(line: &Line, _next: Option<&Line>, _out: &mut Out<'_>) -> Option<Box<dyn Dialect>> {
    packet(line).map(|_| Box::new(Summary { exchanges: Vec::new(), shows_fields: false }) as Box<dyn Dialect>)
}

/// A line's two ends and the message it tells of.
struct Packet {
    from: Peer,
    to: Peer,
    draft: Draft,
}

impl Dialect for Summary {
    fn line(&mut self, line: &Line, _next: Option<&Line>, out: &mut Out<'_>) -> Took {
        let Some(Packet { from, to, draft }) = packet(line) else {
            return if self.is_other_packet(line) { Took::Yes } else { Took::No };
        };
        if self.exchanges.len() >= MOST_HELD {
            self.end(out);
        }
        self.shows_fields |= !draft.fields.is_empty();
        if draft.is_request() {
            let ends = Some((from.clone(), to.clone()));
            let mut e = out.new_exchange(MESSAGES);
            e.request = draft.into_request();
            (e.client, e.server) = (Some(from), Some(to));
            self.exchanges.push((e, ends));
            return Took::Yes;
        }
        let response = draft.into_response();
        let open = self.exchanges.iter_mut().rev().take(200).filter(|(e, ends)| {
            e.response.is_none() && ends.as_ref().is_some_and(|(c, s)| *c == to && *s == from)
        });
        match open.last() {
            Some((e, _)) => e.response = response,
            None => {
                let mut e = out.new_exchange(MESSAGES);
                e.response = response;
                (e.client, e.server) = (Some(to.clone()), Some(from.clone()));
                e.shows.authorization = false;
                self.exchanges.push((e, Some((to, from))));
            }
        }
        Took::Yes
    }

    fn end(&mut self, out: &mut Out<'_>) {
        let mut connections: Vec<((Peer, Peer), u64)> = Vec::new();
        for (mut e, ends) in std::mem::take(&mut self.exchanges) {
            let shown = self.shows_fields && e.request.is_some();
            (e.shows.authorization, e.shows.cookies) = (shown, false);
            (e.shows.request_fields, e.shows.response_fields, e.shows.body) =
                (false, self.shows_fields, false);
            e.shows.every_request = true;
            // Only a port of its own tells one connection from another.
            if let Some(ends) = ends.filter(|(c, _)| c.port.is_some()) {
                let known = connections.iter().rev().take(500).find(|(k, _)| *k == ends).map(|(_, c)| *c);
                let connection = known.unwrap_or_else(|| {
                    let new = out.new_connection();
                    connections.push((ends, new));
                    new
                });
                e.connection = Some(connection);
            }
            out.exchange(e);
        }
    }
}

impl Summary {
    /// Packets of other kinds between those of HTTP: two ends and no message.
    fn is_other_packet(&self, line: &Line) -> bool {
        !line.is_blank() && ends(&line.str()).is_some()
    }
}

fn packet(line: &Line) -> Option<Packet> {
    let text = line.str();
    let (start, draft_line, rest) = message(&line.text, &text)?;
    let (from, to) = ends(text.get(..start)?)?;
    let mut draft = Draft::new(&draft_line)?;
    fields(&rest, &mut draft);
    Some(Packet { from, to, draft })
}

/// Where the message begins in a line, its start line, and what stands behind it.
fn message(line: &Derived, text: &str) -> Option<(usize, Derived, Derived)> {
    let mut at = 0;
    for word in text.split([' ', '\t']) {
        let start = at;
        at += word.len() + 1;
        let method = head::is_method(word.as_bytes());
        if start == 0 || !(method || word.starts_with("HTTP/1") || word.starts_with("HTTP/2")) {
            continue;
        }
        // The start line ends with the line, with two spaces or with a tab.
        let rest = text.get(start..)?;
        let end = ["  ", "\t", ", "].iter().filter_map(|gap| rest.find(gap)).min().unwrap_or(rest.len());
        let first = line.slice(start..start + end);
        if head::surely_starts(first.as_bytes().trim_ascii_end()) {
            return Some((start, first, line.slice(start + end..line.len())));
        }
    }
    None
}

/// `Name: value` parts, two spaces or a tab apart.
fn fields(rest: &Derived, draft: &mut Draft) {
    let text = rest.to_text().into_owned();
    let mut at = 0;
    for part in text.split("  ").flat_map(|p| p.split('\t').map(move |q| (p, q))).map(|(_, q)| q) {
        let start = text.get(at..).and_then(|t| t.find(part)).map_or(at, |i| at + i);
        at = start + part.len();
        if head::looks_like_field(part.trim().as_bytes()) {
            let lead = part.len() - part.trim_start().len();
            draft.field(&rest.slice(start + lead..start + part.trim_end().len().max(lead)));
        }
    }
}

/// The two ends that a line begins with.
fn ends(text: &str) -> Option<(Peer, Peer)> {
    let mut found = text
        .split(|c: char| c.is_whitespace() || matches!(c, '→' | '>' | ','))
        .map(|w| w.trim_end_matches(':'))
        .filter_map(end);
    let (from, to) = (found.next()?, found.next()?);
    Some((from, to))
}

/// `10.1.4.20:52311`, `10.1.4.20.52311` (tcpdump), `10.1.4.20`, `[::1]:80`
fn end(word: &str) -> Option<Peer> {
    if let Some((host, port)) = word.strip_prefix('[').and_then(|w| w.split_once("]:")) {
        return Some(Peer { host: host.to_owned(), port: Some(port.parse().ok()?) });
    }
    let (address, port) = match word.rsplit_once(':') {
        Some((address, port)) => (address, Some(port.parse().ok()?)),
        None => (word, None),
    };
    if address.parse::<std::net::Ipv4Addr>().is_ok() {
        return Some(Peer { host: address.to_owned(), port });
    }
    let (address, port) = address.rsplit_once('.').filter(|_| port.is_none())?;
    address.parse::<std::net::Ipv4Addr>().ok()?;
    Some(Peer { host: address.to_owned(), port: Some(port.parse().ok()?) })
}
