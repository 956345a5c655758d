//! What a KDC says when it refuses (RFC 4120), on UDP and TCP port 88.

use why401_http::{Moment, Peer, Speaker, Statement};
use why401_span::{Derived, SourceId};

/// The port that RFC 4120, section 7.2, assigns.
pub(super) const PORT: u16 = 88;
/// A message of the KDC is rarely longer; a longer one is no error.
const LONGEST: usize = 64 << 10;

/// The answers on a TCP connection: each with its length in four bytes before it (RFC 4120, section 7.2.2).
#[derive(Debug, Default)]
pub(super) struct Answers {
    begun: why401_span::Builder,
    lost: bool,
}

impl Answers {
    /// Takes the next bytes and gives the messages that are whole.
    pub(super) fn push(&mut self, bytes: &[u8], origin: why401_span::Span) -> Vec<Derived> {
        let mut whole = Vec::new();
        if self.lost {
            return whole;
        }
        self.begun.push_exact(bytes, origin);
        let all = std::mem::take(&mut self.begun).finish();
        let mut at = 0;
        while let Some(head) = all.as_bytes().get(at..).and_then(|b| b.first_chunk::<4>()) {
            let len = u32::from_be_bytes(*head) as usize;
            if len > LONGEST {
                self.lost = true;
                return whole;
            }
            if all.len() < at + 4 + len {
                break;
            }
            whole.push(all.slice(at + 4..at + 4 + len));
            at += 4 + len;
        }
        self.begun.push_part(&all, at..all.len());
        whole
    }

    /// Bytes are missing.
    pub(super) fn gap(&mut self) {
        *self = Answers { lost: true, ..Answers::default() };
    }

    /// About how many bytes of memory the answer takes that is not whole.
    pub(super) fn footprint(&self) -> usize {
        self.begun.footprint()
    }
}

/// What a KRB-ERROR (RFC 4120, section 5.9.1) says.
#[derive(Debug, Default, PartialEq, Eq)]
struct KrbError {
    code: u32,
    client: Option<String>,
    realm: Option<String>,
    server: Option<String>,
    text: Option<String>,
}

/// A message of a KDC as a statement, if it is an error.
pub(super) fn statement(
    source: SourceId,
    message: &Derived,
    time: Option<Moment>,
    client: Peer,
) -> Option<Statement> {
    let error = krb_error(message.as_bytes())?;
    let name = error_name(error.code).unwrap_or("an error without a name");
    let mut text = format!("KRB-ERROR {} {name}", error.code);
    let parts = [
        ("client", &error.client),
        ("server", &error.server),
        ("realm", &error.realm),
        ("text", &error.text),
    ];
    for (what, value) in parts {
        text.extend(value.as_ref().map(|v| format!(", {what} {v}")));
    }
    let text = message.decoded(0..message.len(), text);
    let mut said = Statement::new(source, Speaker::ServerLog, text);
    said.time = time;
    said.client = Some(client);
    said.user = error.client;
    said.code = Some(format!("KRB-ERROR {}", error.code));
    said.product = Some("kerberos");
    Some(said)
}

/// The next element of DER: tag and contents.
fn element<'a>(rest: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let (&tag, after) = rest.split_first()?;
    let (&len, after) = after.split_first()?;
    let (len, after) = match len {
        0..=0x7f => (usize::from(len), after),
        0x81..=0x83 => {
            let (digits, after) = after.split_at_checked(usize::from(len & 0x7f))?;
            (digits.iter().fold(0, |n, d| n << 8 | usize::from(*d)), after)
        }
        _ => return None,
    };
    let (contents, behind) = after.split_at_checked(len)?;
    *rest = behind;
    Some((tag, contents))
}

fn krb_error(mut bytes: &[u8]) -> Option<KrbError> {
    let (0x7e, mut sequence) = element(&mut bytes)? else { return None };
    let (0x30, mut fields) = element(&mut sequence)? else { return None };
    let mut error = KrbError::default();
    let mut coded = false;
    while let Some((tag, mut value)) = element(&mut fields) {
        let text = |(_, text): (u8, &[u8])| String::from_utf8_lossy(text).into_owned();
        match tag {
            0xa6 => {
                let (_, digits) = element(&mut value)?;
                error.code = digits.iter().take(4).fold(0, |n, d| n << 8 | u32::from(*d));
                coded = true;
            }
            0xa8 => error.client = principal(value),
            0xa9 => error.realm = element(&mut value).map(text),
            0xaa => error.server = principal(value),
            0xab => error.text = element(&mut value).map(text),
            _ => {}
        }
    }
    coded.then_some(error)
}

/// PrincipalName: its components, as people write them.
fn principal(mut value: &[u8]) -> Option<String> {
    let (_, mut name) = element(&mut value)?;
    while let Some((tag, mut parts)) = element(&mut name) {
        if tag == 0xa1 {
            let (_, mut parts) = element(&mut parts)?;
            let part = |(_, text): (u8, &[u8])| String::from_utf8_lossy(text).into_owned();
            let parts: Vec<String> = std::iter::from_fn(|| element(&mut parts)).map(part).collect();
            return Some(parts.join("/"));
        }
    }
    None
}

/// RFC 4120, section 7.5.9.
fn error_name(code: u32) -> Option<&'static str> {
    Some(match code {
        1 => "KDC_ERR_NAME_EXP",
        2 => "KDC_ERR_SERVICE_EXP",
        3 => "KDC_ERR_BAD_PVNO",
        6 => "KDC_ERR_C_PRINCIPAL_UNKNOWN",
        7 => "KDC_ERR_S_PRINCIPAL_UNKNOWN",
        8 => "KDC_ERR_PRINCIPAL_NOT_UNIQUE",
        9 => "KDC_ERR_NULL_KEY",
        12 => "KDC_ERR_POLICY",
        13 => "KDC_ERR_BADOPTION",
        14 => "KDC_ERR_ETYPE_NOSUPP",
        16 => "KDC_ERR_PADATA_TYPE_NOSUPP",
        18 => "KDC_ERR_CLIENT_REVOKED",
        19 => "KDC_ERR_SERVICE_REVOKED",
        20 => "KDC_ERR_TGT_REVOKED",
        23 => "KDC_ERR_KEY_EXPIRED",
        24 => "KDC_ERR_PREAUTH_FAILED",
        25 => "KDC_ERR_PREAUTH_REQUIRED",
        26 => "KDC_ERR_SERVER_NOMATCH",
        29 => "KDC_ERR_SVC_UNAVAILABLE",
        31 => "KRB_AP_ERR_BAD_INTEGRITY",
        32 => "KRB_AP_ERR_TKT_EXPIRED",
        33 => "KRB_AP_ERR_TKT_NYV",
        34 => "KRB_AP_ERR_REPEAT",
        35 => "KRB_AP_ERR_NOT_US",
        36 => "KRB_AP_ERR_BADMATCH",
        37 => "KRB_AP_ERR_SKEW",
        41 => "KRB_AP_ERR_MODIFIED",
        44 => "KRB_AP_ERR_BADKEYVER",
        45 => "KRB_AP_ERR_NOKEY",
        52 => "KRB_ERR_RESPONSE_TOO_BIG",
        60 => "KRB_ERR_GENERIC",
        68 => "KDC_ERR_WRONG_REALM",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use why401_span::Span;

    fn der(tag: u8, inside: &[&[u8]]) -> Vec<u8> {
        let inside = inside.concat();
        [&[tag, inside.len() as u8][..], &inside].concat()
    }

    fn error() -> Vec<u8> {
        let name = |part: &[&[u8]]| {
            let parts: Vec<Vec<u8>> = part.iter().map(|p| der(0x1b, &[p])).collect();
            let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            der(0x30, &[&[0xa0, 3, 2, 1, 1], &der(0xa1, &[&der(0x30, &parts)])])
        };
        let fields = der(
            0x30,
            &[
                &[0xa0, 3, 2, 1, 5, 0xa1, 3, 2, 1, 30],
                &der(0xa6, &[&[2, 1, 7]]),
                &der(0xa8, &[&name(&[b"alice"])]),
                &der(0xa9, &[&der(0x1b, &[b"EXAMPLE.COM"])]),
                &der(0xaa, &[&name(&[b"HTTP", b"www.example.com"])]),
            ],
        );
        der(0x7e, &[&fields])
    }

    #[test]
    fn an_error_is_told_by_its_name_and_who_it_is_about() {
        let bytes = error();
        let framed = [&(bytes.len() as u32).to_be_bytes()[..], &bytes].concat();
        let mut answers = Answers::default();
        let (front, back) = framed.split_at(9);
        let span = |at: u64| Span::new(SourceId(0), at, at);
        assert!(answers.push(front, span(100)).is_empty());
        let whole = answers.push(back, span(200));
        let peer = Peer { host: "192.0.2.1".into(), port: None };
        let said = statement(SourceId(0), &whole[0], None, peer).unwrap();
        assert_eq!(
            said.text.to_text(),
            "KRB-ERROR 7 KDC_ERR_S_PRINCIPAL_UNKNOWN, client alice, server HTTP/www.example.com, realm EXAMPLE.COM"
        );
        assert_eq!(said.text.whole().unwrap().span.start, 104);
        for cut in 0..bytes.len() {
            assert!(krb_error(&bytes[..cut]).is_none(), "{cut}");
        }
    }
}
