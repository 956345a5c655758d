//! Kerberos messages (RFC 4120 section 5) as far as they stand unencrypted, in GSS-API tokens and on the wire.

use crate::der::{Element, Reader, application};
use crate::secret::Secret;

/// A Kerberos message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kerberos {
    /// AP-REQ: a client shows a service its ticket.
    ApReq(ApReq),
    /// AP-REP: the service answers.
    ApRep {
        /// The encryption type.
        etype: Option<i64>,
    },
    /// KRB-ERROR: a service or a KDC refuses.
    Error(KrbError),
    /// AS-REQ or TGS-REQ: a client asks a KDC for a ticket.
    KdcReq(KdcReq),
    /// AS-REP or TGS-REP: the KDC gives it.
    KdcRep(KdcRep),
}

/// What an AP-REQ shows (RFC 4120 section 5.5.1).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ApReq {
    /// The ticket.
    pub ticket: Ticket,
    /// Whether the client wants the service to prove itself too.
    pub mutual: bool,
    /// The encryption type of the authenticator, that is of the session key.
    pub authenticator_etype: Option<i64>,
    /// The authenticator, encrypted with the session key: see
    /// [`Opened::authenticator`](super::service_key::Opened::authenticator).
    pub authenticator: Secret,
}

/// The part of a ticket that anybody can read (RFC 4120 section 5.3).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ticket {
    /// The realm that issued it.
    pub realm: String,
    /// The service it is for, as `HTTP/host`.
    pub sname: String,
    /// The encryption type of the service's key.
    pub etype: Option<i64>,
    /// The version of the service's key: it must be the keytab's.
    pub kvno: Option<u32>,
    /// The rest, encrypted for the service: see [`service_key`](super::service_key).
    pub sealed: Secret,
}

/// What a KRB-ERROR says (RFC 4120 section 5.9.1).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KrbError {
    /// The code (RFC 4120 section 7.5.9).
    pub code: i64,
    /// The service's realm.
    pub realm: String,
    /// The service.
    pub sname: String,
    /// The client's realm.
    pub crealm: Option<String>,
    /// The client.
    pub cname: Option<String>,
    /// The server's time, `YYYYMMDDHHMMSSZ` as written.
    pub stime: Option<String>,
    /// The client's time, as written.
    pub ctime: Option<String>,
    /// More text.
    pub text: Option<String>,
}

/// What a request to a KDC says (RFC 4120 section 5.4.1).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KdcReq {
    /// Whether it asks for a ticket for a service with a ticket in hand (TGS), not with a password (AS).
    pub tgs: bool,
    /// The realm.
    pub realm: String,
    /// The client.
    pub cname: Option<String>,
    /// The service.
    pub sname: String,
    /// The encryption types that the client takes, best first.
    pub etypes: Vec<i64>,
}

/// What a KDC's answer says (RFC 4120 section 5.4.2).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KdcRep {
    /// Whether it answers a TGS-REQ.
    pub tgs: bool,
    /// The client's realm.
    pub crealm: String,
    /// The client.
    pub cname: String,
    /// The ticket.
    pub ticket: Ticket,
}

/// Reads a message, with or without its APPLICATION tag; `None` where it is none.
pub fn read(bytes: &[u8]) -> Option<Kerberos> {
    let outer = Reader::new(bytes).next()?;
    let number = outer.tag & 0x1f;
    let (body, number) = if outer.tag == application(number) {
        (outer.only()?, i64::from(number))
    } else {
        // The message type is member [1], but [2] in requests and answers of a KDC.
        let kind = |n| outer.member(n).and_then(|e| e.integer());
        let kind = [kind(1), kind(2)].into_iter().flatten().find(|n| (10..=30).contains(n))?;
        (outer, kind)
    };
    if body.tag != crate::der::SEQUENCE {
        return None;
    }
    Some(match number {
        10 | 12 => Kerberos::KdcReq(kdc_req(&body, number == 12)?),
        11 | 13 => Kerberos::KdcRep(kdc_rep(&body, number == 13)?),
        14 => Kerberos::ApReq(ap_req(&body)?),
        15 => Kerberos::ApRep { etype: body.member(2).and_then(|e| e.member(0)).and_then(|e| e.integer()) },
        30 => Kerberos::Error(error(&body)?),
        _ => return None,
    })
}

fn text(body: &Element<'_>, n: u8) -> Option<String> {
    body.member(n).map(|e| e.text())
}

/// PrincipalName: its components with slashes between.
fn principal(body: &Element<'_>, n: u8) -> Option<String> {
    let mut names = body.member(n)?.member(1)?.inner();
    let mut parts = Vec::new();
    while let Some(part) = names.next() {
        parts.push(part.text());
    }
    Some(parts.join("/"))
}

fn ticket(element: &Element<'_>) -> Option<Ticket> {
    let body = if element.tag == application(1) { element.only()? } else { element.clone() };
    let enc = body.member(3);
    let number = |n| enc.as_ref().and_then(|e| e.member(n)).and_then(|e| e.integer());
    Some(Ticket {
        realm: text(&body, 1)?,
        sname: principal(&body, 2)?,
        etype: number(0),
        kvno: number(1).and_then(|n| u32::try_from(n & 0xffff_ffff).ok()),
        sealed: Secret::new(enc.as_ref().and_then(|e| e.member(2)).map(|e| e.bytes()).unwrap_or_default()),
    })
}

fn ap_req(body: &Element<'_>) -> Option<ApReq> {
    // ap-options is a BIT STRING: after the count of unused bits, bit 2 of the first byte is mutual-required.
    let mutual = body.member(2).is_some_and(|e| e.bytes().get(1).is_some_and(|b| b & 0x20 != 0));
    Some(ApReq {
        ticket: ticket(&body.member(3)?)?,
        mutual,
        authenticator_etype: body.member(4).and_then(|e| e.member(0)).and_then(|e| e.integer()),
        authenticator: Secret::new(
            body.member(4).and_then(|e| e.member(2)).map(|e| e.bytes()).unwrap_or_default(),
        ),
    })
}

fn error(body: &Element<'_>) -> Option<KrbError> {
    Some(KrbError {
        code: body.member(6)?.integer()?,
        realm: text(body, 9).unwrap_or_default(),
        sname: principal(body, 10).unwrap_or_default(),
        crealm: text(body, 7),
        cname: principal(body, 8),
        stime: text(body, 4),
        ctime: text(body, 2),
        text: text(body, 11),
    })
}

fn kdc_req(message: &Element<'_>, tgs: bool) -> Option<KdcReq> {
    let body = message.member(4)?;
    let mut etypes = Vec::new();
    if let Some(list) = body.member(8) {
        let mut list = list.inner();
        while let Some(etype) = list.next() {
            etypes.extend(etype.integer());
        }
    }
    Some(KdcReq {
        tgs,
        realm: text(&body, 2)?,
        cname: principal(&body, 1),
        sname: principal(&body, 3).unwrap_or_default(),
        etypes,
    })
}

fn kdc_rep(body: &Element<'_>, tgs: bool) -> Option<KdcRep> {
    Some(KdcRep {
        tgs,
        crealm: text(body, 3)?,
        cname: principal(body, 4)?,
        ticket: ticket(&body.member(5)?)?,
    })
}

/// A KerberosTime (`20200613210423Z`) in seconds since 1970.
pub fn time(text: &str) -> Option<i64> {
    crate::time::compact(text.strip_suffix('Z')?)
}

/// An encryption type's name (<https://www.iana.org/assignments/kerberos-parameters>).
pub fn etype_name(etype: i64) -> &'static str {
    match etype {
        1 => "des-cbc-crc",
        3 => "des-cbc-md5",
        16 => "des3-cbc-sha1",
        17 => "aes128-cts-hmac-sha1-96",
        18 => "aes256-cts-hmac-sha1-96",
        19 => "aes128-cts-hmac-sha256-128",
        20 => "aes256-cts-hmac-sha384-192",
        23 => "rc4-hmac",
        24 => "rc4-hmac-exp",
        25 => "camellia128-cts-cmac",
        26 => "camellia256-cts-cmac",
        _ => "an encryption type without a known name",
    }
}

/// An error code's name and meaning (RFC 4120 section 7.5.9).
pub fn error_name(code: i64) -> (&'static str, &'static str) {
    match code {
        6 => ("KDC_ERR_C_PRINCIPAL_UNKNOWN", "the client is not in the Kerberos database"),
        7 => ("KDC_ERR_S_PRINCIPAL_UNKNOWN", "the service is not in the Kerberos database"),
        8 => ("KDC_ERR_PRINCIPAL_NOT_UNIQUE", "several principals of this name are in the Kerberos database"),
        12 => ("KDC_ERR_POLICY", "the KDC's policy rejects the request"),
        13 => ("KDC_ERR_BADOPTION", "the KDC cannot accommodate the requested option"),
        14 => ("KDC_ERR_ETYPE_NOSUPP", "the KDC has no support for the encryption type"),
        18 => (
            "KDC_ERR_CLIENT_REVOKED",
            "the client's credentials have been revoked: disabled, expired or locked",
        ),
        22 => ("KDC_ERR_SERVICE_NOTYET", "the service is not yet valid"),
        23 => ("KDC_ERR_KEY_EXPIRED", "the password has expired"),
        24 => ("KDC_ERR_PREAUTH_FAILED", "the password is wrong"),
        25 => ("KDC_ERR_PREAUTH_REQUIRED", "preauthentication is wanted: a normal first answer"),
        29 => ("KDC_ERR_SVC_UNAVAILABLE", "a service that the KDC needs is not available"),
        31 => ("KRB_AP_ERR_BAD_INTEGRITY", "the integrity check on the decrypted field failed: another key"),
        32 => ("KRB_AP_ERR_TKT_EXPIRED", "the ticket has expired"),
        33 => ("KRB_AP_ERR_TKT_NYV", "the ticket is not yet valid"),
        34 => ("KRB_AP_ERR_REPEAT", "the request is a replay"),
        35 => ("KRB_AP_ERR_NOT_US", "the ticket is not for this service"),
        36 => ("KRB_AP_ERR_BADMATCH", "ticket and authenticator do not match"),
        37 => ("KRB_AP_ERR_SKEW", "the clocks differ by too much"),
        38 => ("KRB_AP_ERR_BADADDR", "the address in the ticket is not the client's"),
        40 => ("KRB_AP_ERR_MSG_TYPE", "the message type is invalid"),
        41 => (
            "KRB_AP_ERR_MODIFIED",
            "the message was modified, or was encrypted with another key than the service's",
        ),
        44 => ("KRB_AP_ERR_BADKEYVER", "the version of the key is not available"),
        45 => ("KRB_AP_ERR_NOKEY", "the service's key is not available"),
        46 => ("KRB_AP_ERR_MUT_FAIL", "mutual authentication failed"),
        52 => ("KRB_ERR_RESPONSE_TOO_BIG", "the answer is too big for UDP: TCP follows"),
        60 => ("KRB_ERR_GENERIC", "a generic error; the text says more"),
        68 => ("KDC_ERR_WRONG_REALM", "another realm is to be asked"),
        _ => ("", "an error code without a known name"),
    }
}
