//! Kerberos tickets opened with the service's own key: what `--keytab` gives.
//!
//! A ticket is encrypted for its service alone (RFC 4120 section 5.3). Whoever has the service's keytab can tell why the
//! service did not open one: another name, another key version, another encryption type, or another key under the same
//! version; and whom an opened one is for.

mod keytab;
mod seal;

pub use keytab::{ServiceKey, read};

use super::kerberos::Ticket;
use crate::der::{Element, Reader, SEQUENCE, application};

/// RFC 4120 section 7.5.1: the key usage of a ticket.
const TICKET: u32 = 2;

/// What a ticket holds for its service (RFC 4120 section 5.3, EncTicketPart), without the session key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Opened {
    /// The client, as `alice@EXAMPLE.COM`.
    pub client: String,
    /// Since when it is valid, `YYYYMMDDHHMMSSZ` as written; where it does not say, since when the client is known.
    pub start: String,
    /// Until when it is valid, as written.
    pub end: String,
    /// The flags that are set, by their names of RFC 4120 section 2.
    pub flags: Vec<&'static str>,
}

/// Why a ticket could not be opened with the keys at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closed {
    /// There is no key for this service; these are there.
    OtherService(Vec<String>),
    /// There are keys for this service, of these versions, and none of the ticket's.
    OtherVersion(Vec<u32>),
    /// There are keys of this version, of these encryption types, and none of the ticket's.
    OtherType(Vec<i64>),
    /// There is a key of the same version and type, and the ticket was not made with it.
    OtherKey,
    /// The encryption type is not known here, or the ticket is cut off.
    Unreadable,
}

/// Opens a ticket with the keys of a keytab.
///
/// # Errors
/// Why it does not open: what a service with this keytab meets.
pub fn open(ticket: &Ticket, keys: &[ServiceKey]) -> Result<Opened, Closed> {
    let etype = ticket.etype.ok_or(Closed::Unreadable)?;
    if !seal::knows(etype) || ticket.sealed.expose().is_empty() {
        return Err(Closed::Unreadable);
    }
    let name = format!("{}@{}", ticket.sname, ticket.realm);
    let of_service: Vec<_> = keys.iter().filter(|k| k.principal.eq_ignore_ascii_case(&name)).collect();
    if of_service.is_empty() {
        return Err(Closed::OtherService(distinct(keys.iter().map(|k| k.principal.clone()))));
    }
    let same_version = |k: &&&ServiceKey| ticket.kvno.is_none_or(|v| k.is_version(v));
    let of_version: Vec<_> = of_service.iter().filter(same_version).collect();
    if of_version.is_empty() {
        return Err(Closed::OtherVersion(distinct(of_service.iter().map(|k| k.version))));
    }
    let of_type: Vec<_> = of_version.iter().filter(|k| k.etype == etype).collect();
    if of_type.is_empty() {
        return Err(Closed::OtherType(distinct(of_version.iter().map(|k| k.etype))));
    }
    let plain =
        of_type.iter().find_map(|k| seal::open(etype, k.key.expose(), TICKET, ticket.sealed.expose()));
    opened(&plain.ok_or(Closed::OtherKey)?).ok_or(Closed::Unreadable)
}

fn distinct<T: Ord>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut all: Vec<T> = all.collect();
    all.sort();
    all.dedup();
    all
}

fn opened(plain: &[u8]) -> Option<Opened> {
    let outer = Reader::new(plain).next().filter(|e| e.tag == application(3))?;
    let body = outer.only().filter(|e| e.tag == SEQUENCE)?;
    let text = |n| body.member(n).map(|e| e.text());
    let mut names = body.member(3)?.member(1)?.inner();
    let parts: Vec<String> = std::iter::from_fn(|| names.next()).map(|part| part.text()).collect();
    Some(Opened {
        client: format!("{}@{}", parts.join("/"), text(2)?),
        start: text(6).or_else(|| text(5)).unwrap_or_default(),
        end: text(7)?,
        flags: body.member(0).map(|e| flags(&e)).unwrap_or_default(),
    })
}

/// The names of the bits of TicketFlags, the first of which is reserved (RFC 4120 section 5.3).
const FLAGS: &[&str] = &[
    "",
    "forwardable",
    "forwarded",
    "proxiable",
    "proxy",
    "may-postdate",
    "postdated",
    "invalid",
    "renewable",
    "initial",
    "pre-authent",
    "hw-authent",
    "transited-policy-checked",
    "ok-as-delegate",
];

fn flags(bits: &Element<'_>) -> Vec<&'static str> {
    // The first byte counts the bits at the end that mean nothing.
    let bytes = bits.bytes().get(1..).unwrap_or_default();
    let is_set = |i: usize| bytes.get(i / 8).is_some_and(|b| b & (0x80 >> (i % 8)) != 0);
    FLAGS
        .iter()
        .enumerate()
        .filter(|(i, name)| is_set(*i) && !name.is_empty())
        .map(|(_, name)| *name)
        .collect()
}
