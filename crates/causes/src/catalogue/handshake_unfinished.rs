//! A handshake that stops half-way.

use crate::cause::{Answer, Claim, cause};
use crate::reading::gss::{self, Message};
use crate::reading::{at_most, settle, token};
use crate::scene::{same_client, same_server};
use crate::{Scene, Step};
use why401_auth::scheme::spnego::NegState;
use why401_report::{Certainty, Party};

/// `SEC_E_NO_CREDENTIALS`, which IIS logs for the middle step of a handshake.
const MIDDLE: u32 = 0x8009_030e;

cause! {
    /// The client began an NTLM or Negotiate handshake and did not send the last message.
    ///
    /// # What happened
    /// The client sent its first message, the server answered with a challenge, and the client stopped: it cannot
    /// compute the answer (no password, a library that knows the first step only), a policy forbids it (NTLM switched
    /// off, NTLMv1 not allowed), or somebody sent a copied first message by hand.
    ///
    /// # How it is decided
    /// The last answer carries an NTLM type 2 message or a continuation token, and no request follows in evidence that
    /// shows all of them: certain. An IIS log that ends in the middle step (401 1 2148074254) with no later success of
    /// that client: likely.
    ///
    /// # Who acts
    /// Whoever writes or configures the client.
    ///
    /// # What to do
    /// Give the client's own integrated authentication the work (`curl --ntlm -u USER`, `HttpClientHandler.Credentials`)
    /// instead of a fixed field, and look at its error after the challenge.
    ///
    /// # Evidence needed
    /// A capture or transcript of the client that shows that nothing follows.
    ///
    /// # Not to be confused with
    /// ntlm-connection-broken: the last message was sent, over another connection, or the connection was closed.
    ///
    /// # References
    /// MS-NLMP section 1.3.1; MS-NTHT section 4; RFC 4559 section 5; RFC 4178 section 4.2.
    pub HandshakeUnfinished = "handshake-unfinished" in Handshake, Fault by Caller,
        over ["credentials-refused", "kerberos-fell-back-to-ntlm", "no-credentials"]
}

impl HandshakeUnfinished {
    fn detect(scene: &Scene<'_>) -> Answer {
        if !token::is_refused(scene) {
            return Answer::RuledOut;
        }
        let told = scene.told_claim("handshake-unfinished", "the handshake was not finished");
        settle(scene.refused().and_then(|step| look(scene, step)), told, advise)
    }
}

fn look(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    by_message(scene, step).or_else(|| by_log(scene, step))
}

fn by_message(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let (offered, challenge, message) = gss::of_answer(step)?;
    let (what, says) = match &message {
        Message::Ntlm(ntlm) if ntlm.number() == 2 => {
            ("an NTLM challenge (type 2)", "type 2: this wants an answer")
        }
        Message::Negotiation(Some(NegState::AcceptIncomplete | NegState::RequestMic)) => {
            ("a continuation token", "this wants an answer")
        }
        _ => return None,
    };
    let sent = gss::of_request(step)?;
    // The last message refused is another matter, and so is a connection that ends here.
    let was_last = matches!(&sent.1, Message::Ntlm(ntlm) if ntlm.number() == 3);
    let closes = step
        .response_field("connection")
        .is_some_and(|(_, f)| f.text().to_ascii_lowercase().contains("close"));
    if was_last || closes || answered_elsewhere(scene, step) {
        return None;
    }
    let every = step.attempt.views.iter().any(|v| v.shows.every_request);
    let mut claim =
        Claim::new(format!("the server answered with {what}, and the client sent nothing after it"));
    claim = claim
        .shown([scene.show_field(sent.0.view, sent.0.field, "the first message")])
        .shown([scene.show_in_field(offered.view, offered.field, challenge.range.clone(), says)]);
    if !every {
        claim = claim.or("wrong-password", "the client's next request, if it sent one: record all of them");
    }
    Some(at_most(claim, if every { Certainty::Certain } else { Certainty::Likely }))
}

/// A later request of the client to this server that goes on with the handshake.
fn answered_elsewhere(scene: &Scene<'_>, step: &Step<'_>) -> bool {
    let later =
        scene.later().take(64).filter(|a| same_client(a, step.attempt) && same_server(a, step.attempt));
    later.map(Step::of).any(|s| match gss::of_request(&s) {
        Some((_, Message::Ntlm(ntlm))) => ntlm.number() == 3,
        _ => false,
    })
}

fn by_log(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let (view, log) = step.attempt.views.iter().find_map(|v| v.log.as_ref().map(|l| (v, l)))?;
    let came_in_later = || scene.later().take(64).any(|a| same_client(a, step.attempt) && a.let_in());
    if log.win32 != Some(MIDDLE)
        || step.status() != Some(401)
        || step.attempt.logged_name().is_some()
        || came_in_later()
    {
        return None;
    }
    let line = log.line.to_text();
    let code = MIDDLE.to_string();
    let mark = line.find(&code).map_or(0..line.len(), |i| i..i + code.len());
    let claim = Claim::new("the log ends in the middle of a handshake (SEC_E_NO_CREDENTIALS), and this client does not get in afterwards")
        .shown([scene.show_part(view.source, &log.line, mark, "the middle step: the server asked for the last message")])
        .or("no-credentials", "a capture at the client: whether it sent a first message at all");
    Some(at_most(claim, Certainty::Likely))
}

fn advise(claim: Claim) -> Claim {
    claim.fix_by(
        Party::Caller,
        "Let the client's own NTLM or Negotiate support do the handshake, not a fixed field, and look at its error after the server's challenge.",
        "curl -v --ntlm -u 'DOMAIN\\USER' URL",
    )
}
