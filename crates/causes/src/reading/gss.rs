//! The message of integrated authentication that a step carries: NTLM or Kerberos, bare or inside SPNEGO (RFC 4559).

use crate::{Offered, Sent, Step};
use why401_auth::field::Element;
use why401_auth::inside::{self, Inside, InsideChallenge};
use why401_auth::scheme::kerberos::{ApReq, Kerberos, KrbError};
use why401_auth::scheme::ntlm::Ntlm;
use why401_auth::scheme::spnego::{MechToken, NegState, Negotiate};

/// What a message is.
#[derive(Debug)]
pub(crate) enum Message {
    /// An NTLM message.
    Ntlm(Box<Ntlm>),
    /// A Kerberos ticket for the server.
    ApReq(ApReq),
    /// The server's answer to a ticket that it accepted.
    ApRep,
    /// The server's reason to refuse a ticket.
    Error(KrbError),
    /// SPNEGO without one of these, and where it says that the handshake stands.
    Negotiation(Option<NegState>),
    /// Bytes that are none of them.
    Unreadable,
}

/// The message in credentials; `None` where they carry none.
pub(crate) fn sent(sent: &Sent<'_>) -> Option<Message> {
    match &sent.inside {
        Inside::Negotiate(message) => Some(read(&message.token)),
        Inside::UnreadableMessage(_) => Some(Message::Unreadable),
        _ => None,
    }
}

/// The message in a challenge; `None` where it carries none.
pub(crate) fn offered(offered: &Offered<'_>, challenge: &Element) -> Option<Message> {
    match inside::of_challenge(offered.field.value.as_bytes(), challenge) {
        InsideChallenge::Negotiate(message) => Some(read(&message.token)),
        InsideChallenge::UnreadableMessage(_) => Some(Message::Unreadable),
        _ => None,
    }
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

fn read(token: &Negotiate) -> Message {
    match &token.token {
        Some(MechToken::Ntlm(ntlm)) => Message::Ntlm(ntlm.clone()),
        Some(MechToken::Kerberos(kerberos)) => match kerberos.as_ref() {
            Kerberos::ApReq(request) => Message::ApReq(request.clone()),
            Kerberos::ApRep { .. } => Message::ApRep,
            Kerberos::Error(error) => Message::Error(error.clone()),
            Kerberos::KdcReq(_) | Kerberos::KdcRep(_) => Message::Negotiation(token.state),
        },
        Some(MechToken::Other(_)) | None => Message::Negotiation(token.state),
    }
}
