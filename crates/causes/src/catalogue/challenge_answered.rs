//! The healthy handshake.

use crate::Scene;
use crate::cause::{Answer, Claim, cause};

cause! {
    /// The 401 is the first half of the handshake: the client answered the challenge and got in.
    ///
    /// # What happened
    /// The server asked for credentials with a 401 (or the proxy with a 407), the client sent the same request again
    /// with credentials, and was let in. That is how HTTP authentication works: nothing is wrong.
    ///
    /// # How it is decided
    /// The same client repeats the same request, with credentials that answer the challenge, and the answer is neither
    /// 401 nor 403 nor 407 nor an error of the server. The middle steps of NTLM and Negotiate, a stale Digest nonce
    /// renewed, and a DPoP nonce renewed are part of it. In an access log, a refusal logged for `-` that is followed by
    /// a success of the same client is such a handshake.
    ///
    /// # Who acts
    /// Nobody.
    ///
    /// # What to do
    /// Nothing. If every request pays for two round trips, let the client send its credentials unasked (preemptively):
    /// `curl --basic -u …` does, many libraries have a switch for it.
    ///
    /// # Evidence needed
    /// Both requests: a capture, a transcript, or an access log of the time in question.
    ///
    /// # Not to be confused with
    /// A 500 after the 401: the client did not get in, and the server is at fault. A refusal that another *user* got
    /// around proves nothing about this one.
    ///
    /// # References
    /// RFC 9110 section 11.2 and 15.5.2; RFC 7616 section 3.3 (stale); RFC 4559 section 4; RFC 9449 section 8 (nonce).
    pub ChallengeAnswered = "challenge-answered" in Healthy, Normal by Nobody
}

impl ChallengeAnswered {
    fn detect(scene: &Scene<'_>) -> Answer {
        let (Some(first), Some(last), true) = (scene.steps.first(), scene.last(), scene.let_in()) else {
            return Answer::RuledOut;
        };
        let asked = scene.steps.iter().any(|s| matches!(s.status(), Some(401 | 407)));
        if !asked || super::resource_hidden::not_there(scene).is_some() {
            return Answer::RuledOut;
        }
        let asked = first.status().unwrap_or(401);
        let got = last.status().unwrap_or(200);
        let steps = scene.steps.len();
        let mut claim = Claim::new(format!(
            "the {asked} was the server asking; the client answered and got in with {got}{}",
            if steps > 2 { format!(" after {steps} requests") } else { String::new() }
        ));
        if let Some((view, response)) = first.response() {
            claim = claim.shown([scene.show_status(view, response, "asked here")]);
        }
        if let Some((view, response)) = last.response() {
            claim = claim.shown([scene.show_status(view, response, "let in here")]);
        }
        let proved = last.attempt.carries_credentials() || last.sent.iter().any(|s| !s.proxy);
        if proved { scene.proved(claim) } else { claim.likely() }
    }
}
