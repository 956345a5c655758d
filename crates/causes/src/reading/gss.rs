//! The messages of integrated authentication: NTLM (MS-NLMP) and Kerberos (RFC 4121, RFC 4120) by themselves or inside
//! SPNEGO (RFC 4178), as `Negotiate`, `NTLM` and `Kerberos` carry them (RFC 4559).

use super::clock;
use super::der;
use crate::{Offered, Sent, Step};
use why401_auth::base64::{self, Alphabet};
use why401_auth::field::Element;
use why401_auth::scheme::ntlm::{self, Ntlm};

/// The object identifier 1.2.840.113554.1.2.2 in DER (RFC 4121 section 4.1).
const KERBEROS: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02];
/// More tries than this nobody needs to find a message inside another.
const TRIES: usize = 16;

/// What a message is.
#[derive(Debug)]
pub(crate) enum Message {
    /// An NTLM message.
    Ntlm(Box<Ntlm>),
    /// A Kerberos ticket for the server (RFC 4120 section 5.5.1).
    ApReq(Ticket),
    /// The server's answer to a ticket that it accepted (section 5.5.2).
    ApRep,
    /// The server's reason to refuse a ticket (section 5.9.1).
    Error(KrbError),
    /// Something else inside the scheme: SPNEGO without one of these, or bytes that are none of them.
    Other,
}

/// The part of a ticket that is not encrypted (RFC 4120 section 5.3).
#[derive(Debug, Default)]
pub(crate) struct Ticket {
    /// The service that it is for: `HTTP/www.example.com`.
    pub(crate) service: Option<String>,
    /// The service's realm.
    pub(crate) realm: Option<String>,
    /// The encryption type of the service's key.
    pub(crate) etype: Option<u32>,
    /// The version of the service's key.
    pub(crate) kvno: Option<u32>,
}

/// A KRB-ERROR (RFC 4120 section 5.9.1).
#[derive(Debug)]
pub(crate) struct KrbError {
    /// The code (section 7.5.9).
    pub(crate) code: u32,
    /// The server's time, in seconds since 1970.
    pub(crate) server_time: Option<i64>,
    /// The client's time as the server read it.
    pub(crate) client_time: Option<i64>,
}

impl Ticket {
    /// The host that the service's name names.
    pub(crate) fn host(&self) -> Option<&str> {
        self.service.as_deref()?.split_once('/').map(|(_, host)| host)
    }
}

/// The name of an encryption type (RFC 3961 and its registry at IANA).
pub(crate) fn etype_name(etype: u32) -> &'static str {
    match etype {
        1 | 3 => "DES",
        16 => "des3-cbc-sha1",
        17 => "aes128-cts-hmac-sha1-96",
        18 => "aes256-cts-hmac-sha1-96",
        19 => "aes128-cts-hmac-sha256-128",
        20 => "aes256-cts-hmac-sha384-192",
        23 => "rc4-hmac",
        25 => "camellia128-cts-cmac",
        26 => "camellia256-cts-cmac",
        _ => "an unusual type",
    }
}

/// The name and the meaning of an error code (RFC 4120 section 7.5.9).
pub(crate) fn error_name(code: u32) -> (&'static str, &'static str) {
    match code {
        31 => ("KRB_AP_ERR_BAD_INTEGRITY", "the server's key does not open the ticket"),
        32 => ("KRB_AP_ERR_TKT_EXPIRED", "the ticket has expired"),
        33 => ("KRB_AP_ERR_TKT_NYV", "the ticket is not yet valid"),
        34 => ("KRB_AP_ERR_REPEAT", "the same authenticator was sent before"),
        35 => ("KRB_AP_ERR_NOT_US", "the ticket is for another service than this server is"),
        36 => ("KRB_AP_ERR_BADMATCH", "ticket and authenticator do not match"),
        37 => ("KRB_AP_ERR_SKEW", "the clocks of client and server are too far apart"),
        38 => ("KRB_AP_ERR_BADADDR", "the ticket is bound to another address"),
        39 => ("KRB_AP_ERR_BADVERSION", "the protocol version does not match"),
        40 => ("KRB_AP_ERR_MSG_TYPE", "the message is of the wrong type"),
        41 => ("KRB_AP_ERR_MODIFIED", "the server's key does not fit: the name belongs to another account"),
        44 => ("KRB_AP_ERR_BADKEYVER", "the server does not have this version of its key"),
        45 => ("KRB_AP_ERR_NOKEY", "the server does not have this key"),
        46 => ("KRB_AP_ERR_MUT_FAIL", "mutual authentication failed"),
        52 => ("KRB_ERR_RESPONSE_TOO_BIG", "the message is too big"),
        60 => ("KRB_ERR_GENERIC", "an error that has no code"),
        _ => ("KRB-ERROR", "an error of Kerberos"),
    }
}

/// The message in credentials; `None` where they carry none.
pub(crate) fn sent(sent: &Sent<'_>) -> Option<Message> {
    of(sent.field.value.as_bytes(), sent.credentials()?)
}

/// The message in a challenge; `None` where it carries none.
pub(crate) fn offered(offered: &Offered<'_>, challenge: &Element) -> Option<Message> {
    of(offered.field.value.as_bytes(), challenge)
}

/// The message that a step's credentials carry. A request may have credentials for the proxy and for the origin: those
/// that the answer is about come first.
pub(crate) fn of_request<'s, 'a>(step: &'s Step<'a>) -> Option<(&'s Sent<'a>, Message)> {
    let first = step.credentials().into_iter();
    first.chain(step.sent.iter()).find_map(|s| Some((s, sent(s)?)))
}

/// The message that the challenge of a step carries.
pub(crate) fn of_answer<'s, 'a>(step: &'s Step<'a>) -> Option<(&'s Offered<'a>, &'s Element, Message)> {
    step.challenges().find_map(|(o, c)| Some((o, c, offered(o, c)?)))
}

fn of(value: &[u8], element: &Element) -> Option<Message> {
    if !matches!(element.scheme.name.as_str(), "ntlm" | "negotiate" | "kerberos" | "nego2")
        || element.rest.range.is_empty()
    {
        return None;
    }
    let decoded = base64::decode(value, element.rest.range.clone(), Alphabet::Standard);
    Some(read(decoded.bytes.expose()))
}

/// What a decoded message is, by what it holds.
pub(crate) fn read(bytes: &[u8]) -> Message {
    if let Some(at) = find(bytes, ntlm::SIGNATURE).next()
        && let Some(message) = bytes.get(at..).and_then(ntlm::read)
    {
        return Message::Ntlm(Box::new(message));
    }
    let wrapped = find(bytes, KERBEROS).take(TRIES).filter_map(|at| bytes.get(at + KERBEROS.len() + 2..));
    // Some clients of the scheme `Kerberos` send the message without its wrapping.
    std::iter::once(bytes).chain(wrapped).find_map(kerberos).unwrap_or(Message::Other)
}

fn find<'a>(bytes: &'a [u8], what: &'static [u8]) -> impl Iterator<Item = usize> + 'a {
    bytes.windows(what.len()).enumerate().filter(move |(_, w)| *w == what).map(|(i, _)| i)
}

/// A Kerberos message by its application tag (RFC 4120 section 5.10).
fn kerberos(bytes: &[u8]) -> Option<Message> {
    let message = der::read(bytes)?;
    let body = der::inner(message.content);
    match message.tag {
        0x6e => Some(Message::ApReq(body.and_then(ticket).unwrap_or_default())),
        0x6f => Some(Message::ApRep),
        0x7e => error(body?).map(Message::Error),
        _ => None,
    }
}

/// `AP-REQ ::= SEQUENCE { pvno [0], msg-type [1], ap-options [2], ticket [3] Ticket, authenticator [4] }`
fn ticket(ap_req: &[u8]) -> Option<Ticket> {
    let ticket = der::inner(der::inner(der::find(ap_req, 0xa3)?)?)?;
    let encrypted = der::find(ticket, 0xa3).and_then(der::inner);
    let number = |tag| encrypted.and_then(|e| der::integer(der::inner(der::find(e, tag)?)?));
    Some(Ticket {
        service: der::find(ticket, 0xa2).and_then(principal),
        realm: der::find(ticket, 0xa1).and_then(der::inner).map(text),
        etype: number(0xa0),
        kvno: number(0xa1),
    })
}

/// `PrincipalName ::= SEQUENCE { name-type [0], name-string [1] SEQUENCE OF KerberosString }`
fn principal(name: &[u8]) -> Option<String> {
    let strings = der::inner(der::find(der::inner(name)?, 0xa1)?)?;
    let parts: Vec<String> = der::elements(strings).take(8).map(|e| text(e.content)).collect();
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// `KRB-ERROR ::= SEQUENCE { ..., ctime [2], cusec [3], stime [4], susec [5], error-code [6], ... }`
fn error(body: &[u8]) -> Option<KrbError> {
    let time = |tag| der::find(body, tag).and_then(der::inner).and_then(|t| generalized(&text(t)));
    let code = der::integer(der::inner(der::find(body, 0xa6)?)?)?;
    Some(KrbError { code, server_time: time(0xa4), client_time: time(0xa2) })
}

/// `20261122171614Z`
fn generalized(text: &str) -> Option<i64> {
    let (date, time) = text.split_at_checked(8)?;
    clock::parse(&format!("{date}T{time}"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_found_inside_its_wrapping() {
        let mut bytes = vec![0x60, 0x40];
        bytes.extend_from_slice(KERBEROS);
        bytes.extend_from_slice(&[3, 0, 0x7e, 0x1a, 0x30, 0x18]);
        bytes.extend_from_slice(&[0xa4, 0x11, 0x18, 0x0f]);
        bytes.extend_from_slice(b"20261122171614Z");
        bytes.extend_from_slice(&[0xa6, 3, 2, 1, 37]);
        let Message::Error(e) = read(&bytes) else { panic!("{:?}", read(&bytes)) };
        assert_eq!((e.code, e.server_time), (37, Some(1_795_367_774)));
    }

    #[test]
    fn what_is_cut_off_is_still_what_it_is() {
        let mut bytes = vec![0x60, 0x40];
        bytes.extend_from_slice(KERBEROS);
        bytes.extend_from_slice(&[1, 0, 0x6e, 0x82]);
        assert!(matches!(read(&bytes), Message::Other));
        bytes.extend_from_slice(&[0x05, 0x00]);
        assert!(matches!(read(&bytes), Message::ApReq(_)));
        assert!(matches!(read(b"NTLMSSP\0\x01\0\0\0"), Message::Ntlm(_)));
        assert!(matches!(read(b""), Message::Other));
    }
}
