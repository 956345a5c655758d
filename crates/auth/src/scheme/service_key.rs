//! Kerberos tickets opened with the service's own key: what `--keytab` gives.
//!
//! A ticket is encrypted for its service alone (RFC 4120 section 5.3). Whoever has the service's keytab can tell why the
//! service did not open one: another name, another key version, another encryption type, or another key under the same
//! version; and whom an opened one is for.

mod checksum;
mod keytab;
pub mod pac;
mod seal;

pub use keytab::{ServiceKey, read};

use super::kerberos::{ApReq, Ticket};
use crate::Secret;
use crate::der::{Element, Reader, SEQUENCE, application};
use pac::Pac;

/// RFC 4120 section 7.5.1: the key usage of a ticket.
const TICKET: u32 = 2;

/// RFC 4120 section 7.5.1: the key usage of the authenticator of an AP-REQ.
const AUTHENTICATOR: u32 = 11;

/// What a ticket holds for its service (RFC 4120 section 5.3, EncTicketPart).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Opened {
    /// The client, as `alice@EXAMPLE.COM`.
    pub client: String,
    /// When the client proved itself to the KDC, `YYYYMMDDHHMMSSZ` as written.
    pub authenticated: String,
    /// Since when it is valid, `YYYYMMDDHHMMSSZ` as written; where it does not say, since when the client is known.
    pub start: String,
    /// Until when it is valid, as written.
    pub end: String,
    /// The flags that are set, by their names of RFC 4120 section 2.
    pub flags: Vec<&'static str>,
    /// What a domain controller says of the client.
    pub pac: Option<Box<Pac>>,
    /// The session key and its encryption type.
    session: Option<(i64, Secret)>,
}

/// What the client puts beside its ticket (RFC 4120 section 5.5.1, Authenticator).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authenticator {
    /// The client, as `alice@EXAMPLE.COM`: it must be the ticket's.
    pub client: String,
    /// When it was made by the client's clock, `YYYYMMDDHHMMSSZ` as written.
    pub time: String,
}

impl Opened {
    /// Opens the authenticator that came with the ticket, with the session key that stands in the ticket; `None` where it
    /// was not made with that key, or is cut off.
    pub fn authenticator(&self, request: &ApReq) -> Option<Authenticator> {
        let (etype, key) = self.session.as_ref()?;
        let plain = seal::open(*etype, key.expose(), AUTHENTICATOR, request.authenticator.expose())?;
        let outer = Reader::new(&plain).next().filter(|e| e.tag == application(2))?;
        let body = outer.only().filter(|e| e.tag == SEQUENCE)?;
        Some(Authenticator { client: principal(&body, 2, 1)?, time: body.member(5)?.text() })
    }
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
    let same_version = |k: &&ServiceKey| ticket.kvno.is_none_or(|v| k.is_version(v));
    let of_version: Vec<_> = of_service.iter().copied().filter(same_version).collect();
    if of_version.is_empty() {
        return Err(Closed::OtherVersion(distinct(of_service.iter().map(|k| k.version))));
    }
    let of_type: Vec<_> = of_version.iter().copied().filter(|k| k.etype == etype).collect();
    if of_type.is_empty() {
        return Err(Closed::OtherType(distinct(of_version.iter().map(|k| k.etype))));
    }
    let with = |k: &&ServiceKey| seal::open(etype, k.key.expose(), TICKET, ticket.sealed.expose());
    let (plain, key) = of_type.iter().find_map(|k| Some((with(k)?, *k))).ok_or(Closed::OtherKey)?;
    let keys: Vec<&ServiceKey> = std::iter::once(key).chain(of_version).collect();
    opened(&plain, &keys).ok_or(Closed::Unreadable)
}

fn distinct<T: Ord>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut all: Vec<T> = all.collect();
    all.sort();
    all.dedup();
    all
}

/// `keys` are those of the service, the first of which has opened it.
fn opened(plain: &[u8], keys: &[&ServiceKey]) -> Option<Opened> {
    let outer = Reader::new(plain).next().filter(|e| e.tag == application(3))?;
    let body = outer.only().filter(|e| e.tag == SEQUENCE)?;
    let text = |n| body.member(n).map(|e| e.text());
    let session = body.member(1).and_then(|key| {
        let bytes = key.member(1)?.bytes();
        Some((key.member(0)?.integer()?, Secret::new(bytes)))
    });
    Some(Opened {
        client: principal(&body, 3, 2)?,
        authenticated: text(5).unwrap_or_default(),
        start: text(6).or_else(|| text(5)).unwrap_or_default(),
        end: text(7)?,
        flags: body.member(0).map(|e| flags(&e)).unwrap_or_default(),
        pac: body.member(10).and_then(|data| pac::of(&data, keys)).map(Box::new),
        session,
    })
}

/// The name of member `name` and the realm of member `realm`, as `alice@EXAMPLE.COM`.
fn principal(body: &Element<'_>, name: u8, realm: u8) -> Option<String> {
    let mut names = body.member(name)?.member(1)?.inner();
    let parts: Vec<String> = std::iter::from_fn(|| names.next()).map(|part| part.text()).collect();
    Some(format!("{}@{}", parts.join("/"), body.member(realm)?.text()))
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

#[cfg(test)]
mod tests {
    use super::*;

    const SERVICE: &[u8; 16] = b"the service's 16";
    const SESSION: &[u8; 16] = b"the session's 16";
    const RC4: i64 = 23;

    /// An element of DER of less than 64 KiB.
    fn element(tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
        let content = parts.concat();
        let length = (content.len() as u16).to_be_bytes();
        [&[tag, 0x82], &length[..], &content].concat()
    }

    fn member(n: u8, inner: Vec<u8>) -> Vec<u8> {
        element(0xa0 + n, &[inner])
    }

    fn text(n: u8, text: &str) -> Vec<u8> {
        member(n, element(0x1b, &[text.into()]))
    }

    /// Authorization data with a PAC behind something else that may be ignored.
    fn authorization(n: u8, pac: &[u8]) -> Vec<u8> {
        let one = |kind: u8, data: Vec<u8>| {
            let kind = [&[2, 2, 0][..], &[kind]].concat();
            element(0x30, &[member(0, kind), member(1, element(4, &[data]))])
        };
        let relevant = |inner: Vec<u8>| one(1, element(0x30, &[inner]));
        let other = relevant(one(97, vec![5, 0]));
        member(n, element(0x30, &[other, relevant(one(128, pac.to_vec()))]))
    }

    fn alice(n: u8) -> Vec<u8> {
        let names = element(0x30, &[element(0x1b, &[b"alice".to_vec()])]);
        member(n, element(0x30, &[member(0, vec![2, 1, 1]), member(1, names)]))
    }

    fn ticket() -> Ticket {
        let key = [member(0, vec![2, 1, RC4 as u8]), member(1, element(4, &[SESSION.to_vec()]))];
        let body = [
            member(0, vec![3, 5, 0, 0x40, 0, 0, 0]),
            member(1, element(0x30, &key)),
            text(2, "EXAMPLE.COM"),
            alice(3),
            text(5, "20261122160000Z"),
            text(7, "20261123020000Z"),
            authorization(10, &pac::tests::alice(&keys()[0])),
        ];
        let plain = element(0x63, &[element(0x30, &body)]);
        Ticket {
            realm: "EXAMPLE.COM".to_owned(),
            sname: "HTTP/www.example.com".to_owned(),
            etype: Some(RC4),
            kvno: Some(2),
            sealed: Secret::new(seal::seal_with_rc4(SERVICE, TICKET, &plain)),
        }
    }

    fn request(session: &[u8]) -> ApReq {
        let body = [
            member(0, vec![2, 1, 5]),
            text(1, "EXAMPLE.COM"),
            alice(2),
            member(4, vec![2, 1, 7]),
            text(5, "20261122171614Z"),
        ];
        let plain = element(0x62, &[element(0x30, &body)]);
        ApReq {
            ticket: ticket(),
            mutual: false,
            authenticator_etype: Some(RC4),
            authenticator: Secret::new(seal::seal_with_rc4(session, AUTHENTICATOR, &plain)),
        }
    }

    fn keys() -> Vec<ServiceKey> {
        let [a, b] = [b"www.example.com".len() as u8, SERVICE.len() as u8];
        let parts: [&[u8]; 12] = [
            &[0, 2, 0, 11],
            b"EXAMPLE.COM",
            &[0, 4],
            b"HTTP",
            &[0, a],
            b"www.example.com",
            &[0, 0, 0, 1, 0, 0, 0, 0, 2],
            &(RC4 as u16).to_be_bytes(),
            &[0, b],
            SERVICE,
            &[],
            &[],
        ];
        let entry = parts.concat();
        let file = [&[5, 2], &(entry.len() as i32).to_be_bytes()[..], &entry].concat();
        read(&file).unwrap()
    }

    #[test]
    fn the_key_in_the_ticket_opens_what_the_client_put_beside_it() {
        let request = request(SESSION);
        let opened = open(&request.ticket, &keys()).unwrap();
        assert_eq!((opened.client.as_str(), opened.end.as_str()), ("alice@EXAMPLE.COM", "20261123020000Z"));
        let made = opened.authenticator(&request).unwrap();
        assert_eq!(made.client, "alice@EXAMPLE.COM");
        assert_eq!(made.time, "20261122171614Z");
    }

    #[test]
    fn what_was_made_with_another_key_or_is_cut_off_stays_closed() {
        let opened = open(&ticket(), &keys()).unwrap();
        assert_eq!(opened.authenticator(&request(b"another sixteen!")), None);
        let mut cut = request(SESSION);
        for len in [0, 15, 16, 40] {
            cut.authenticator = Secret::new(cut.authenticator.expose().get(..len).unwrap_or_default());
            assert_eq!(opened.authenticator(&cut), None);
        }
        // The session key is in no output of the ticket.
        assert!(!format!("{opened:?}").contains("session's"), "{opened:?}");
    }

    #[test]
    fn what_a_domain_controller_says_stands_in_the_ticket() {
        let opened = open(&ticket(), &keys()).unwrap();
        let pac = opened.pac.unwrap();
        assert_eq!(pac.signature, pac::Signature::Agrees);
        assert_eq!(pac.client.unwrap().authenticated, super::super::kerberos::time(&opened.authenticated));
    }
}
