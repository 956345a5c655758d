//! NTLM where Kerberos was offered.

use crate::cause::{Answer, Claim, cause};
use crate::reading::gss::{self, Message};
use crate::reading::{at_most, settle, token};
use crate::scene::same_client;
use crate::{Scene, Step};
use std::net::IpAddr;
use why401_report::{Certainty, Party};

cause! {
    /// The client was offered Negotiate and sent NTLM: it got no Kerberos ticket.
    ///
    /// # What happened
    /// Negotiate carries Kerberos or NTLM. A client that gets no ticket for the server's name falls back to NTLM without
    /// a word, and a server that takes Kerberos only refuses that. There is no ticket where no account has the service
    /// principal name `HTTP/host`, where the address is an IP address or an alias, where the host is not in the trusted
    /// zone, or where the client is not in the domain.
    ///
    /// # How it is decided
    /// The value after `Negotiate` holds an NTLM message (it begins with `TlRMTVNTUAAB`): certain. Where the server goes
    /// on with NTLM by itself the fallback is only noted beside the main cause.
    ///
    /// # Who acts
    /// Whoever configures the client or the domain.
    ///
    /// # What to do
    /// Ask the server by the name that has a service principal (`setspn -Q HTTP/host`, `kvno HTTP/host`), add it to the
    /// trusted zone of the browser, and look at the client's tickets (`klist`).
    ///
    /// # Evidence needed
    /// The Authorization field.
    ///
    /// # Not to be confused with
    /// kerberos-refused: a ticket was sent. kerberos-ticket-unavailable: nothing was sent.
    ///
    /// # References
    /// RFC 4559 section 4; MS-SPNG section 3; RFC 4178 section 4.2.1.
    pub KerberosFellBackToNtlm = "kerberos-fell-back-to-ntlm" in Handshake, Fault by Caller, over ["credentials-refused", "no-credentials"]
}

impl KerberosFellBackToNtlm {
    fn detect(scene: &Scene<'_>) -> Answer {
        if !token::is_refused(scene) {
            return Answer::RuledOut;
        }
        let told = scene.told_claim("kerberos-fell-back-to-ntlm", "NTLM came where Kerberos was expected");
        settle(scene.refused().and_then(|step| look(scene, step)), told, advise)
    }
}

fn look(scene: &Scene<'_>, refused: &Step<'_>) -> Option<Claim> {
    // The chain may end with the client's giving up: the newest message counts.
    let newest = scene.steps.iter().rev().find(|s| gss::of_request(s).is_some());
    // Evidence may end with the request that answers the challenge.
    let unanswered = || {
        let mut next = scene.later().take(4).map(Step::of);
        next.find(|s| s.status().is_none() && same_client(s.attempt, refused.attempt))
    };
    let last = if newest.is_none() && refused.sent.is_empty() { unanswered() } else { None };
    let step = newest.or(last.as_ref()).unwrap_or(refused);
    let (sent, Message::Ntlm(ntlm)) = gss::of_request(step)? else { return None };
    if sent.scheme() != "negotiate" {
        return None;
    }
    let goes_on = scene.steps.iter().any(|s| matches!(gss::of_answer(s), Some((_, _, Message::Ntlm(_)))));
    let mut claim = Claim::new(format!(
        "Negotiate was answered with NTLM (type {}) instead of a Kerberos ticket: the client got none for {}",
        ntlm.number(),
        step.request().and_then(|(_, r)| r.authority()).unwrap_or_else(|| "this server".to_owned())
    ));
    let range = sent.credentials().map_or(0..sent.field.value.len(), |c| c.rest.range.clone());
    claim = claim.shown([scene.show_in_field(sent.view, sent.field, range, "NTLMSSP inside Negotiate")]);
    if let Some((offered, challenge)) = step.challenge("negotiate") {
        claim = claim.shown([scene.show_in_field(
            offered.view,
            offered.field,
            challenge.range.clone(),
            "the server's answer",
        )]);
    }
    let host = step.request().and_then(|(_, r)| r.authority()).unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host.as_str(), |(h, _)| h);
    if host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() {
        claim.summary.push_str("; tickets are for names, and this is an address");
    }
    if goes_on {
        // The server takes NTLM: why it was refused in the end is another matter.
        return Some(at_most(claim, Certainty::Likely).beside());
    }
    Some(claim)
}

fn advise(claim: Claim) -> Claim {
    claim
        .fix_by(
            Party::Caller,
            "Ask the server by the name that its service principal has, in the trusted zone, from an account of the domain; see whether a ticket can be had.",
            "kvno HTTP/HOST",
        )
        .fix_by(Party::Server, "Register the service principal for the name that clients use, for the account that the service runs as.", "setspn -Q HTTP/HOST")
}
