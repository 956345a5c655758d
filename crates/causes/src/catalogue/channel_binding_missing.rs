//! The login is not bound to the TLS connection that the server sees.

use crate::cause::{Answer, Claim, cause};
use crate::reading::configured::{self, Found};
use crate::reading::gss::{self, Message};
use crate::reading::{at_most, settle, token};
use crate::{Scene, Step};
use why401_auth::scheme::ntlm::Message as NtlmMessage;
use why401_report::{Certainty, Party};

/// `SEC_E_BAD_BINDINGS` (Microsoft, COM error codes for security).
const BAD_BINDINGS: u32 = 0x8009_0346;

cause! {
    /// The server requires channel binding (Extended Protection) and the message has none or another.
    ///
    /// # What happened
    /// With Extended Protection the NTLM or Kerberos message must name the TLS connection it goes over, so that nobody
    /// can pass it on. The client sent no such binding, or one of another connection, because TLS ends at a proxy before
    /// the server.
    ///
    /// # How it is decided
    /// Win32 status 2148074310 (SEC_E_BAD_BINDINGS) in IIS's log, or the server's word: certain. A last message that
    /// names a TLS connection, refused behind an intermediary: likely.
    ///
    /// # Who acts
    /// Whoever configures the client, the server's Extended Protection or the proxy.
    ///
    /// # What to do
    /// Let TLS go through to the server, or set Extended Protection to allow what the proxy does (IIS: `tokenChecking`,
    /// a list of service names). Update a client that sends no binding.
    ///
    /// # Evidence needed
    /// IIS's log with its Win32 status, and the last message of the handshake.
    ///
    /// # Not to be confused with
    /// wrong-password: looks the same to the client.
    ///
    /// # References
    /// RFC 5929 section 4 (tls-server-end-point); MS-NLMP section 2.2.2.1 (MsvAvChannelBindings); Microsoft, Extended
    /// Protection for Authentication.
    pub ChannelBindingMissing = "channel-binding-missing" in Handshake, Fault by Caller,
        over ["credentials-refused", "wrong-password", "kerberos-refused"]
}

impl ChannelBindingMissing {
    fn detect(scene: &Scene<'_>) -> Answer {
        if !token::is_refused(scene) {
            return Answer::RuledOut;
        }
        let told = scene.told_claim("channel-binding-missing", "the channel binding is missing or wrong");
        settle(
            scene.refused().and_then(|step| {
                by_status(scene, step).or_else(|| demanded(scene, step)).or_else(|| by_message(scene, step))
            }),
            told,
            advise,
        )
    }
}

fn by_status(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let (view, log) = step.attempt.views.iter().find_map(|v| v.log.as_ref().map(|l| (v, l)))?;
    if log.win32 != Some(BAD_BINDINGS) {
        return None;
    }
    let (line, code) = (log.line.to_text(), BAD_BINDINGS.to_string());
    let mark = line.find(&code).map_or(0..line.len(), |i| i..i + code.len());
    let claim = Claim::new(
        "the server refused the login because its channel binding is missing or wrong (SEC_E_BAD_BINDINGS)",
    );
    Some(claim.shown([scene.show_part(view.source, &log.line, mark, "SEC_E_BAD_BINDINGS")]))
}

/// A last message of NTLM that names a TLS connection, where an intermediary stands between.
fn by_message(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let (sent, Message::Ntlm(ntlm)) = gss::of_request(step)? else { return None };
    let NtlmMessage::Authenticate(last) = &ntlm.message else { return None };
    let passed_on = step.attempt.forwarded_as.or(step.attempt.forwarded_from).is_some()
        || ["via", "x-forwarded-for", "x-forwarded-proto", "forwarded"]
            .iter()
            .any(|n| step.request_field(n).is_some())
        || step.response_field("via").is_some();
    if last.target_info.channel_binding != Some(true) || !passed_on {
        return None;
    }
    let claim = Claim::new("the login names the client's own TLS connection, which ends at a proxy before the server; one that insists on the binding refuses it")
        .shown([scene.show_field(sent.view, sent.field, "type 3 with a channel binding")])
        .or("wrong-password", "the Win32 status in the server's log: 2148074310 means the binding, 2148074252 the password");
    Some(at_most(claim.by(Party::Intermediary), Certainty::Possible))
}

/// IIS is told to demand a binding, and refused a login that may have one.
fn demanded(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let sent = step.credentials().filter(|s| matches!(s.scheme(), "ntlm" | "negotiate"))?;
    let Found { fact, place } = configured::wants_binding(scene)?;
    let bound = gss::of_request(step).is_some_and(|(_, m)| match m {
        Message::Ntlm(ntlm) => matches!(&ntlm.message, NtlmMessage::Authenticate(a) if a.target_info.channel_binding == Some(true)),
        _ => false,
    });
    let claim = Claim::new(format!("the login was refused, and the configuration {}", place.how))
        .shown([scene.show_field(sent.view, sent.field, "refused")])
        .shown([scene.show_part(fact.source, &fact.text, place.range, "demanded here")])
        .or("credentials-refused", "the Win32 status in the server's log: 2148074310 means the binding");
    Some(at_most(claim, if bound { Certainty::Possible } else { Certainty::Likely }))
}

fn advise(claim: Claim) -> Claim {
    claim
        .fix(Party::Server, "Set Extended Protection to what stands before the server (allow, or a list of service names for a TLS-ending proxy).")
        .fix(Party::Intermediary, "Let TLS go through to the server for clients that log in with NTLM or Kerberos.")
        .fix(Party::Caller, "Use a client that sends channel bindings.")
}
