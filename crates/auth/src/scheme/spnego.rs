//! What `Negotiate` carries (RFC 4559): a GSS-API token (RFC 2743 section 3.1) of SPNEGO (RFC 4178) or Kerberos
//! (RFC 4121), or an NTLM message as it is.

use super::kerberos::{self, Kerberos};
use super::ntlm::{self, Ntlm};
use crate::der::{self, Reader, application, context};

/// A token of `Negotiate`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Negotiate {
    /// How the token is wrapped.
    pub wrapping: Wrapping,
    /// The mechanisms offered (first the preferred one), or the one chosen.
    pub mechs: Vec<Mech>,
    /// The state of the negotiation, in an answer.
    pub state: Option<NegState>,
    /// The mechanism's own token.
    pub token: Option<MechToken>,
    /// Whether the token ends before its length says.
    pub cut_off: bool,
}

/// How a token is wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wrapping {
    /// NegTokenInit: the first one, mostly from the client.
    Init,
    /// NegTokenResp: every later one.
    Resp,
    /// The mechanism's own token without SPNEGO.
    None,
}

/// A mechanism.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Mech {
    /// Kerberos V5 (1.2.840.113554.1.2.2).
    Kerberos,
    /// Kerberos V5 under the number that Windows 2000 wrote by mistake (1.2.840.48018.1.2.2).
    MsKerberos,
    /// Kerberos user-to-user (1.2.840.113554.1.2.2.3).
    KerberosUserToUser,
    /// NTLM (1.3.6.1.4.1.311.2.2.10).
    Ntlm,
    /// NEGOEX (1.3.6.1.4.1.311.2.2.30).
    NegoEx,
    /// IAKERB (1.3.6.1.5.2.5).
    Iakerb,
    /// SPNEGO itself (1.3.6.1.5.5.2).
    Spnego,
    /// Another one, by its object identifier.
    Other(String),
}

impl Mech {
    /// By its object identifier.
    pub fn of(oid: &str) -> Self {
        match oid {
            "1.2.840.113554.1.2.2" => Mech::Kerberos,
            "1.2.840.48018.1.2.2" => Mech::MsKerberos,
            "1.2.840.113554.1.2.2.3" => Mech::KerberosUserToUser,
            "1.3.6.1.4.1.311.2.2.10" => Mech::Ntlm,
            "1.3.6.1.4.1.311.2.2.30" => Mech::NegoEx,
            "1.3.6.1.5.2.5" => Mech::Iakerb,
            "1.3.6.1.5.5.2" => Mech::Spnego,
            other => Mech::Other(other.to_string()),
        }
    }

    /// Its name, or its object identifier.
    pub fn name(&self) -> &str {
        match self {
            Mech::Kerberos => "Kerberos",
            Mech::MsKerberos => "MS Kerberos",
            Mech::KerberosUserToUser => "Kerberos user-to-user",
            Mech::Ntlm => "NTLM",
            Mech::NegoEx => "NEGOEX",
            Mech::Iakerb => "IAKERB",
            Mech::Spnego => "SPNEGO",
            Mech::Other(oid) => oid,
        }
    }
}

/// The state of a negotiation (RFC 4178 section 4.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NegState {
    /// Done.
    AcceptCompleted,
    /// At least one more message is wanted.
    AcceptIncomplete,
    /// Refused.
    Reject,
    /// The chosen mechanism is not the preferred one, and a check is wanted.
    RequestMic,
}

impl NegState {
    /// Its name in the specification.
    pub fn name(self) -> &'static str {
        match self {
            NegState::AcceptCompleted => "accept-completed",
            NegState::AcceptIncomplete => "accept-incomplete",
            NegState::Reject => "reject",
            NegState::RequestMic => "request-mic",
        }
    }
}

/// A mechanism's own token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MechToken {
    /// An NTLM message.
    Ntlm(Box<Ntlm>),
    /// A Kerberos message.
    Kerberos(Box<Kerberos>),
    /// Something else, of so many bytes.
    Other(usize),
}

impl Negotiate {
    /// The NTLM message in it.
    pub fn ntlm(&self) -> Option<&Ntlm> {
        match &self.token {
            Some(MechToken::Ntlm(ntlm)) => Some(ntlm),
            _ => None,
        }
    }

    /// The Kerberos message in it.
    pub fn kerberos(&self) -> Option<&Kerberos> {
        match &self.token {
            Some(MechToken::Kerberos(message)) => Some(message),
            _ => None,
        }
    }
}

/// Reads a token; `None` where it is none that is known.
pub fn read(bytes: &[u8]) -> Option<Negotiate> {
    let plain = |token, mech| Negotiate {
        wrapping: Wrapping::None,
        mechs: vec![mech],
        state: None,
        token: Some(token),
        cut_off: false,
    };
    if let Some(ntlm) = ntlm::read(bytes) {
        return Some(plain(MechToken::Ntlm(Box::new(ntlm)), Mech::Ntlm));
    }
    let outer = Reader::new(bytes).next()?;
    let mut found = match outer.tag {
        tag if tag == application(0) => initial(bytes, &outer),
        tag if tag == context(0) => init(bytes, &outer),
        tag if tag == context(1) => resp(bytes, &outer),
        _ => kerberos::read(bytes).map(|k| plain(MechToken::Kerberos(Box::new(k)), Mech::Kerberos)),
    }?;
    found.cut_off |= outer.cut_off;
    Some(found)
}

/// InitialContextToken: `[APPLICATION 0] { thisMech, innerContextToken }`.
fn initial(bytes: &[u8], outer: &der::Element<'_>) -> Option<Negotiate> {
    let mut inner = outer.inner();
    let mech = Mech::of(&inner.take(der::OID)?.oid()?);
    if mech == Mech::Spnego {
        let token = inner.next()?;
        return match token.tag {
            tag if tag == context(0) => init(bytes, &token),
            tag if tag == context(1) => resp(bytes, &token),
            _ => None,
        };
    }
    let token = mech_token(bytes.get(inner.rest()).unwrap_or_default());
    Some(Negotiate {
        wrapping: Wrapping::None,
        mechs: vec![mech],
        state: None,
        token: Some(token),
        cut_off: false,
    })
}

fn init(bytes: &[u8], choice: &der::Element<'_>) -> Option<Negotiate> {
    let body = choice.only()?;
    let mut mechs = Vec::new();
    if let Some(list) = body.member(0) {
        let mut list = list.inner();
        while let Some(mech) = list.next() {
            mechs.extend(mech.oid().map(|oid| Mech::of(&oid)));
        }
    }
    let token = body.member(2).map(|t| mech_token(bytes.get(t.content).unwrap_or_default()));
    (!mechs.is_empty() || token.is_some()).then_some(Negotiate {
        wrapping: Wrapping::Init,
        mechs,
        state: None,
        token,
        cut_off: false,
    })
}

fn resp(bytes: &[u8], choice: &der::Element<'_>) -> Option<Negotiate> {
    let body = choice.only()?;
    if body.tag != der::SEQUENCE {
        return None;
    }
    let state = body.member(0).and_then(|e| e.integer()).and_then(|n| match n {
        0 => Some(NegState::AcceptCompleted),
        1 => Some(NegState::AcceptIncomplete),
        2 => Some(NegState::Reject),
        3 => Some(NegState::RequestMic),
        _ => None,
    });
    let mechs = body.member(1).and_then(|e| e.oid()).map(|oid| vec![Mech::of(&oid)]).unwrap_or_default();
    let token = body.member(2).map(|t| mech_token(bytes.get(t.content).unwrap_or_default()));
    Some(Negotiate { wrapping: Wrapping::Resp, mechs, state, token, cut_off: false })
}

/// A mechanism's token: NTLM as it is, Kerberos with or without the GSS-API's frame and its two bytes of token type
/// (RFC 4121 section 4.1).
fn mech_token(bytes: &[u8]) -> MechToken {
    if let Some(ntlm) = ntlm::read(bytes) {
        return MechToken::Ntlm(Box::new(ntlm));
    }
    let framed = Reader::new(bytes).take(application(0)).and_then(|outer| {
        let mut inner = outer.inner();
        inner.take(der::OID)?;
        bytes.get(inner.rest())
    });
    let message = framed.unwrap_or(bytes);
    let typed = match message {
        [0x01..=0x03, 0x00, rest @ ..] => rest,
        _ => message,
    };
    match kerberos::read(typed) {
        Some(found) => MechToken::Kerberos(Box::new(found)),
        None => MechToken::Other(bytes.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheme::ntlm::Message;

    fn der(tag: u8, content: &[&[u8]]) -> Vec<u8> {
        let content = content.concat();
        let mut out = vec![tag];
        match u8::try_from(content.len()) {
            Ok(n) if n < 0x80 => out.push(n),
            _ => out.extend([0x82, (content.len() >> 8) as u8, content.len() as u8]),
        }
        out.extend(content);
        out
    }

    fn text(t: &str) -> Vec<u8> {
        der(0x1b, &[t.as_bytes()])
    }

    fn number(n: u8) -> Vec<u8> {
        der(0x02, &[&[n]])
    }

    const KERBEROS: &[u8] = &[0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2];
    const SPNEGO: &[u8] = &[0x06, 6, 0x2b, 6, 1, 5, 5, 2];
    const NTLM: &[u8] = &[0x06, 10, 0x2b, 6, 1, 4, 1, 0x82, 0x37, 2, 2, 0x0a];

    fn name(parts: &[&str]) -> Vec<u8> {
        let list: Vec<u8> = parts.iter().flat_map(|p| text(p)).collect();
        der(0x30, &[&der(0xa0, &[&number(2)]), &der(0xa1, &[&der(0x30, &[&list])])])
    }

    fn ap_req() -> Vec<u8> {
        let enc = der(
            0x30,
            &[&der(0xa0, &[&number(18)]), &der(0xa1, &[&number(7)]), &der(0xa2, &[&der(0x04, &[b"x"])])],
        );
        let ticket = der(
            0x61,
            &[&der(
                0x30,
                &[
                    &der(0xa0, &[&number(5)]),
                    &der(0xa1, &[&text("EXAMPLE.COM")]),
                    &der(0xa2, &[&name(&["HTTP", "www.example.com"])]),
                    &der(0xa3, &[&enc]),
                ],
            )],
        );
        der(
            0x6e,
            &[&der(
                0x30,
                &[
                    &der(0xa0, &[&number(5)]),
                    &der(0xa1, &[&number(14)]),
                    &der(0xa2, &[&der(0x03, &[&[0, 0x20, 0, 0, 0]])]),
                    &der(0xa3, &[&ticket]),
                    &der(0xa4, &[&enc]),
                ],
            )],
        )
    }

    fn gss(mech: &[u8], inner: &[u8]) -> Vec<u8> {
        der(0x60, &[mech, inner])
    }

    #[test]
    fn a_ticket_inside_spnego() {
        let token = gss(KERBEROS, &[&[1, 0][..], &ap_req()].concat());
        let init = der(
            0xa0,
            &[&der(
                0x30,
                &[&der(0xa0, &[&der(0x30, &[KERBEROS, NTLM])]), &der(0xa2, &[&der(0x04, &[&token])])],
            )],
        );
        let read = read(&gss(SPNEGO, &init)).unwrap();
        assert_eq!(
            (read.wrapping, read.mechs.as_slice()),
            (Wrapping::Init, &[Mech::Kerberos, Mech::Ntlm][..])
        );
        let Some(Kerberos::ApReq(request)) = read.kerberos() else { panic!("{read:?}") };
        assert_eq!(
            (request.ticket.sname.as_str(), request.ticket.realm.as_str()),
            ("HTTP/www.example.com", "EXAMPLE.COM")
        );
        assert_eq!((request.ticket.etype, request.ticket.kvno, request.mutual), (Some(18), Some(7), true));
    }

    #[test]
    fn a_refusal_inside_a_challenge() {
        let error = der(
            0x7e,
            &[&der(
                0x30,
                &[
                    &der(0xa0, &[&number(5)]),
                    &der(0xa1, &[&number(30)]),
                    &der(0xa4, &[&der(0x18, &[b"20261122174400Z"])]),
                    &der(0xa6, &[&number(37)]),
                    &der(0xa9, &[&text("EXAMPLE.COM")]),
                    &der(0xaa, &[&name(&["HTTP", "www"])]),
                ],
            )],
        );
        let token = gss(KERBEROS, &[&[3, 0][..], &error].concat());
        let resp = der(
            0xa1,
            &[&der(
                0x30,
                &[
                    &der(0xa0, &[&der(0x0a, &[&[2]])]),
                    &der(0xa1, &[KERBEROS]),
                    &der(0xa2, &[&der(0x04, &[&token])]),
                ],
            )],
        );
        let value = format!("Negotiate {}", crate::base64::encode(&resp));
        let parsed = crate::parse_challenges(value.as_bytes());
        let crate::InsideChallenge::Negotiate(m) =
            crate::inside::of_challenge(value.as_bytes(), &parsed.value[0])
        else {
            panic!()
        };
        assert_eq!((m.token.state, m.problems.len()), (Some(NegState::Reject), 0));
        let Some(Kerberos::Error(e)) = m.token.kerberos() else { panic!("{m:?}") };
        assert_eq!((e.code, kerberos::error_name(e.code).0), (37, "KRB_AP_ERR_SKEW"));
        assert_eq!(e.stime.as_deref().and_then(kerberos::time), Some(1_795_369_440));
    }

    #[test]
    fn ntlm_as_it_is_and_cut_off() {
        let mut message = b"NTLMSSP\0\x03\0\0\0".to_vec();
        message.resize(64, 0);
        message.extend("DOM".encode_utf16().flat_map(u16::to_le_bytes));
        message.extend("alice".encode_utf16().flat_map(u16::to_le_bytes));
        message[28..36].copy_from_slice(&[6, 0, 6, 0, 64, 0, 0, 0]);
        message[36..44].copy_from_slice(&[10, 0, 10, 0, 70, 0, 0, 0]);
        message[60] = 1;
        let found = read(&message).unwrap();
        let Message::Authenticate(a) = &found.ntlm().unwrap().message else { panic!() };
        assert_eq!((a.domain.as_str(), a.user.as_str(), a.is_anonymous), ("DOM", "alice", false));
        let cut = read(&message[..72]).unwrap();
        assert_eq!(cut.ntlm().unwrap().problems[0].kind, crate::ProblemKind::Truncated);
    }
}
