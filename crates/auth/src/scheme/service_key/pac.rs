//! The Privilege Attribute Certificate, in which a domain controller says who the client of a ticket is
//! ([MS-PAC], <https://learn.microsoft.com/openspecs/windows_protocols/ms-pac>).
//!
//! It stands in the ticket's authorization data (RFC 4120 section 5.2.6), within AD-IF-RELEVANT, and is signed with the
//! service's key, and with keys that only a KDC has.

mod logon;
mod ndr;
mod sid;

pub use logon::Logon;

use super::{ServiceKey, checksum};
use crate::der::{Element, SEQUENCE};
use ndr::Ndr;

/// RFC 4120 section 5.2.6.1.
const AD_IF_RELEVANT: i64 = 1;
/// RFC 4120 section 7.5.4; [MS-KILE] section 2.2.3.
const AD_WIN2K_PAC: i64 = 128;
/// [MS-PAC] section 2.8.4: KERB_NON_KERB_CKSUM_SALT.
const USAGE: u32 = 17;

/// The kinds of buffers that are read ([MS-PAC] section 2.4).
const LOGON_INFO: u32 = 1;
const SERVER_CHECKSUM: u32 = 6;
const KDC_CHECKSUM: u32 = 7;
const CLIENT_INFO: u32 = 10;
const UPN_DNS_INFO: u32 = 12;

/// What a PAC says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pac {
    /// The kinds of its buffers, in their order: see [`kind_name`].
    pub kinds: Vec<u32>,
    /// For whom it was made.
    pub client: Option<Client>,
    /// Who that is.
    pub logon: Option<Logon>,
    /// The names by which the directory knows the client.
    pub names: Option<Names>,
    /// Whether the service's key has signed it.
    pub signature: Signature,
}

/// For whom a PAC was made: the ticket's client, or the PAC belongs to another ticket ([MS-PAC] section 2.7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// The client's name, mostly without a realm.
    pub name: String,
    /// When the client proved itself to the KDC, in seconds since 1970: the ticket's authtime.
    pub authenticated: Option<i64>,
}

/// Names of a client in its directory ([MS-PAC] section 2.10).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names {
    /// The user principal name, `alice@example.com`.
    pub upn: String,
    /// The domain's name in DNS, in capitals as a rule.
    pub domain: String,
    /// The account's name and SID, which newer domain controllers write.
    pub account: Option<(String, String)>,
}

/// What became of the server signature ([MS-PAC] section 2.8.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Signature {
    /// There is none.
    #[default]
    Missing,
    /// It was made with a key of the service.
    Agrees,
    /// It is of the type that belongs to the key that opens the ticket, and was not made with it.
    Differs,
    /// It is of this checksum type, for which there is no key here.
    Unknown(i32),
}

/// The name of a kind of buffer ([MS-PAC] section 2.4).
pub fn kind_name(kind: u32) -> &'static str {
    match kind {
        LOGON_INFO => "logon information",
        2 => "credentials",
        SERVER_CHECKSUM => "server signature",
        KDC_CHECKSUM => "KDC signature",
        CLIENT_INFO => "client",
        11 => "delegation",
        UPN_DNS_INFO => "names",
        13 => "client claims",
        14 => "device information",
        15 => "device claims",
        16 => "ticket signature",
        17 => "attributes",
        18 => "requestor",
        19 => "full signature",
        20 => "requestor's identifier",
        _ => "a buffer of an unknown kind",
    }
}

/// The PAC in authorization data; `keys` are those of the service, the first of which has opened the ticket.
pub(super) fn of(data: &Element<'_>, keys: &[&ServiceKey]) -> Option<Pac> {
    with_type(data, AD_IF_RELEVANT).find_map(|relevant| {
        let inner = relevant.only().filter(|e| e.tag == SEQUENCE)?;
        let pac = with_type(&inner, AD_WIN2K_PAC).next()?;
        read(pac.bytes(), keys)
    })
}

/// The contents of the elements of authorization data that are of this type.
fn with_type<'a>(data: &Element<'a>, kind: i64) -> impl Iterator<Item = Element<'a>> {
    let mut all = data.inner();
    std::iter::from_fn(move || all.next())
        .filter(move |one| one.member(0).and_then(|e| e.integer()) == Some(kind))
        .filter_map(|one| one.member(1))
}

/// Reads a PAC ([MS-PAC] section 2.3); of several buffers of a kind the first.
pub(crate) fn read(bytes: &[u8], keys: &[&ServiceKey]) -> Option<Pac> {
    let pac = PacType::new(bytes)?;
    Some(Pac {
        kinds: pac.buffers.iter().map(|b| b.kind).collect(),
        client: pac.content(CLIENT_INFO).and_then(client),
        logon: pac.content(LOGON_INFO).and_then(logon::read),
        names: pac.content(UPN_DNS_INFO).and_then(names),
        signature: pac.signature(keys).unwrap_or_default(),
    })
}

struct PacType<'a> {
    bytes: &'a [u8],
    buffers: Vec<Buffer>,
}

struct Buffer {
    kind: u32,
    offset: usize,
    len: usize,
}

impl<'a> PacType<'a> {
    fn new(bytes: &'a [u8]) -> Option<Self> {
        let mut head = Ndr::raw(bytes);
        let (count, _version) = (head.long()?, head.long()?);
        let mut buffers = Vec::new();
        for _ in 0..count {
            let (kind, len, offset) = (head.long()?, head.long()?, head.hyper()?);
            buffers.push(Buffer { kind, offset: usize::try_from(offset).ok()?, len: len as usize });
        }
        Some(PacType { bytes, buffers })
    }

    fn buffer(&self, kind: u32) -> Option<&Buffer> {
        self.buffers.iter().find(|b| b.kind == kind)
    }

    fn content(&self, kind: u32) -> Option<&'a [u8]> {
        let at = self.buffer(kind)?;
        self.bytes.get(at.offset..at.offset.checked_add(at.len)?)
    }

    /// The type of a signature, and where it stands; a number of the KDC may follow it ([MS-PAC] section 2.8).
    fn signed(&self, kind: u32) -> Option<(i32, std::ops::Range<usize>)> {
        let (sum, _) = self.content(kind)?.split_first_chunk::<4>()?;
        let (sum, at) = (i32::from_le_bytes(*sum), self.buffer(kind)?);
        let end = at.offset + at.len;
        let start = at.offset + 4;
        Some((sum, start..checksum::len(sum).map_or(end, |len| end.min(start + len))))
    }

    /// [MS-PAC] section 2.8.4: over the whole of it, with zeros in place of both signatures.
    fn signature(&self, keys: &[&ServiceKey]) -> Option<Signature> {
        let (kind, at) = self.signed(SERVER_CHECKSUM)?;
        let there = self.bytes.get(at.clone())?;
        let mut message = self.bytes.to_vec();
        for at in [Some(at), self.signed(KDC_CHECKSUM).map(|(_, at)| at)].into_iter().flatten() {
            message.get_mut(at)?.fill(0);
        }
        let agrees = |key: &&ServiceKey| {
            checksum::of(kind, key.key.expose(), USAGE, &message).is_some_and(|sum| sum == there)
        };
        Some(if keys.iter().any(agrees) {
            Signature::Agrees
        } else if keys.first().is_some_and(|k| checksum::of_etype(k.etype) == Some(kind)) {
            Signature::Differs
        } else {
            Signature::Unknown(kind)
        })
    }
}

/// PAC_CLIENT_INFO.
fn client(buffer: &[u8]) -> Option<Client> {
    let mut info = Ndr::raw(buffer);
    let authenticated = info.time()?;
    let len = info.short()?;
    Some(Client { name: utf16(info.take(usize::from(len))?), authenticated })
}

/// UPN_DNS_INFO.
fn names(buffer: &[u8]) -> Option<Names> {
    /// The flag that says that the account's name and SID follow.
    const EXTENDED: u32 = 2;
    let mut info = Ndr::raw(buffer);
    let part = |info: &mut Ndr<'_>| {
        let (len, offset) = (usize::from(info.short()?), usize::from(info.short()?));
        buffer.get(offset..offset + len)
    };
    let (upn, domain) = (part(&mut info)?, part(&mut info)?);
    let account = if info.long()? & EXTENDED == 0 {
        None
    } else {
        let (name, sid) = (part(&mut info)?, part(&mut info)?);
        Some((utf16(name), sid::read(&mut Ndr::raw(sid))?))
    };
    Some(Names { upn: utf16(upn), domain: utf16(domain), account })
}

/// Text as Windows writes it, little end first.
fn utf16(bytes: &[u8]) -> String {
    let units = bytes.as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit));
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

#[cfg(test)]
pub(super) mod tests;
