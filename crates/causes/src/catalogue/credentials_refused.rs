//! What is left when nothing finer is proved.

use super::resource_hidden::is_answered_alike;
use crate::cause::{Answer, Claim, cause};
use crate::reading::{signed, token};
use crate::{Scene, Step, login};
use why401_history::Outcome;
use why401_http::{Fact, FactKind, Speaker};
use why401_knowledge::Weight;
use why401_report::{Certainty, Party};

cause! {
    /// Well-formed credentials were refused, and the evidence does not tell which of the finer causes it is.
    ///
    /// # What happened
    /// The client sent credentials of a scheme that the server offers, the server read them and said no.
    ///
    /// # How it is decided
    /// Credentials on the request, 401 on the answer, and nothing that proves a finer cause: the answer to a wrong
    /// password, an unknown user and a locked account is the same on purpose. The server's own log tells them apart.
    ///
    /// # Who acts
    /// The person whose credentials these are.
    ///
    /// # What to do
    /// Try the same user name and password where they are known to work (the service's own login page), by hand,
    /// once: too many attempts lock accounts. If they fail there, set a new password. If they work, ask the operator for
    /// the line of the error log with the time, the account and the address.
    ///
    /// # Evidence needed
    /// The server's error log of that second settles it.
    ///
    /// # Not to be confused with
    /// no-credentials: the field is not there at all.
    ///
    /// # References
    /// RFC 9110 section 15.5.2: "If the request included authentication credentials, then the 401 response indicates
    /// that authorization has been refused for those credentials."
    pub CredentialsRefused = "credentials-refused" in Refused, Fault by AccountOwner
}

impl CredentialsRefused {
    fn detect(scene: &Scene<'_>) -> Answer {
        if scene.let_in() {
            return Answer::RuledOut;
        }
        if !scene.is_unauthorized() {
            return refused_with_400(scene).unwrap_or(Answer::RuledOut);
        }
        let told = scene
            .told_claim("credentials-refused", "these credentials are not accepted")
            .or_else(|| vague(scene));
        let Some(step) = scene.focus().filter(|s| s.attempt.carries_credentials() && s.status() == Some(401))
        else {
            // The whole request was seen and carries nothing: a page's standard text speaks of credentials all the same.
            let nothing_sent = |step: &Step<'_>| {
                step.attempt.shows_credentials()
                    && !step.attempt.carries_credentials()
                    && step.request_field("cookie").is_none()
                    && step.other_credentials(scene).is_none()
            };
            return match (told, scene.focus()) {
                (_, Some(step)) if step.status() == Some(401) && nothing_sent(step) => Answer::RuledOut,
                (Some(mut claim), _) => {
                    let seldom = scene.is_told_by_a_person(None) || says_little(scene);
                    let most = if seldom { Certainty::Possible } else { Certainty::Likely };
                    claim.certainty = claim.certainty.min(most);
                    leave_open(claim, "basic").as_told()
                }
                (None, Some(step)) if step.status() == Some(0) => only_told(scene),
                (None, Some(step)) => match in_another_place(scene, step) {
                    Answer::RuledOut => unseen(scene, step),
                    found => found,
                },
                (None, None) => only_told(scene),
            };
        };
        let scheme = step.credentials().map(|s| s.scheme().to_owned()).unwrap_or_default();
        let who = step.attempt.user.clone();
        let mut claim = Claim::new(match (&who, scheme.as_str()) {
            (Some(user), _) => {
                format!("the server read the credentials of {user} and refused them; why, it does not say")
            }
            (None, "") => "the server read the credentials and refused them; why, it does not say".to_owned(),
            (None, scheme) => {
                format!("the server read the {scheme} credentials and refused them; why, it does not say")
            }
        });
        claim = show(scene, step, claim);
        if let Some(t) = told {
            claim.evidence.extend(t.evidence);
            claim.also.extend(t.also);
        }
        claim = beside_made_up(scene, step, claim);
        let claim = leave_open(claim, kind_of(step, &scheme));
        // Who asks for this scheme has looked at what came with it; who does not may be somebody else, or want something else.
        let looked = step.offers(&scheme) || step.attempt.logged_name().is_some() || !says_little(scene);
        if looked { leftover(scene, claim) } else { claim.possible() }
    }
}

/// What is left when nothing finer is found is likely, unless a person tells of it: whoever asks about a refusal has
/// tried these credentials elsewhere, and what made them ask is seldom that they are simply wrong.
fn leftover(scene: &Scene<'_>, claim: Claim) -> Answer {
    if scene.is_told_by_a_person(None) { claim.possible() } else { claim.likely() }
}

/// Whether neither the answer, nor the server's log, nor a product that was recognised says that the credentials are not
/// accepted: what any program prints of every refusal is no reason.
fn says_little(scene: &Scene<'_>) -> bool {
    // A token endpoint's own word, whoever prints it (RFC 6749 section 5.2).
    const OF_ENDPOINT: &str = "invalid_client";
    let of_server = |h: &crate::Heard<'_>| {
        h.text.to_text().contains(OF_ENDPOINT)
            || matches!(h.speaker, None | Some(Speaker::ServerLog))
            || scene.products.contains(&h.said.product)
    };
    let said = |h: &crate::Heard<'_>| of_server(h) && h.said.weight > Weight::Reports;
    !["credentials-refused", "wrong-password", "unknown-user"].iter().any(|c| scene.heard_of(c).any(said))
}

/// What the answer to credentials that `why401 probe --allow-wrong` made up tells of the given ones.
fn beside_made_up(scene: &Scene<'_>, step: &Step<'_>, mut claim: Claim) -> Claim {
    if is_made_up(step) {
        return claim;
    }
    let other = scene.made_up().find(|a| {
        a.path() == step.attempt.path()
            && a.authority() == step.attempt.authority()
            && is_made_up(&Step::of(a))
    });
    let Some((other, answer)) = other.and_then(|other| Some((other, other.response()?))) else {
        return claim;
    };
    let (more, says) = if is_answered_alike(step.attempt, other) {
        ("; made-up credentials get the same answer: it tells nothing of these", "the same for made-up ones")
    } else {
        (
            "; made-up credentials get another answer: it tells these from unknown ones",
            "another for made-up ones",
        )
    };
    claim.summary.push_str(more);
    claim.shown([scene.show_status(other.view(), answer, says)])
}

/// Whether the credentials are of `why401 probe`'s own making: its name and 32 hexadecimal digits.
fn is_made_up(step: &Step<'_>) -> bool {
    let Some(sent) = step.credentials() else { return false };
    let text = match sent.basic() {
        Some(basic) => String::from_utf8_lossy(basic.text.expose()).into_owned(),
        None => sent.value().split_once(' ').map(|(_, token)| token.to_owned()).unwrap_or_default(),
    };
    let word = text.split(':').next().unwrap_or_default().strip_prefix("why401-").unwrap_or_default();
    word.len() == 32 && word.bytes().all(|b| b.is_ascii_hexdigit())
}

/// What decides which finer causes are open: a JWT that can be read and is not over, a signed request, else the scheme.
fn kind_of<'s>(step: &Step<'_>, scheme: &'s str) -> &'s str {
    let readable = token::carried(step).is_some_and(|c| c.jwt().is_some_and(|j| j.exp().is_some()));
    match (readable, signed::of(step)) {
        (true, _) => "readable token",
        (false, Some(_)) => "signed request",
        (false, None) => scheme,
    }
}

/// Words that suggest a wrong password or an unknown user, and do not tell which.
fn vague(scene: &Scene<'_>) -> Option<Claim> {
    let told = ["wrong-password", "unknown-user"].iter().find_map(|cause| {
        let claim = scene.told_claim(cause, "user name or password is not accepted")?;
        (claim.certainty != Certainty::Certain).then_some(claim)
    })?;
    Some(told)
}

/// Credentials in a field, query or form of the service's own.
fn in_another_place(scene: &Scene<'_>, step: &Step<'_>) -> Answer {
    if step.status() != Some(401) || step.challenges().any(|(_, c)| !super::wrong_field::of_keys(c)) {
        return Answer::RuledOut;
    }
    if let Some(claim) = login::in_log(scene, step) {
        return leftover(scene, leave_open(claim, "basic"));
    }
    let Some((place, shown)) = step.other_credentials(scene) else { return Answer::RuledOut };
    let mut claim =
        Claim::new(format!("the credentials in {place} were refused; why, the server does not say"))
            .shown([shown]);
    if let Some((view, response)) = step.response() {
        claim = claim.shown([scene.show_status(view, response, "refused")]);
    }
    let claim = leave_open(claim, "token").or("wrong-field", "which field the service's documentation names");
    if says_little(scene) { claim.possible() } else { leftover(scene, claim) }
}

/// An answer of 401 to a request of which not enough is known to tell whether it carried credentials.
fn unseen(scene: &Scene<'_>, step: &Step<'_>) -> Answer {
    // Fields without credentials are another matter (evidence-redacted), but not those of a request that a capture cut off.
    let mut views = step.attempt.views.iter();
    let cut = views.any(|v| v.shows.authorization && v.request.as_ref().is_some_and(|r| !r.complete));
    // A command line tells the host, and hides what a variable holds.
    let told = |f: &why401_http::FieldLine| !f.is("host") && !f.is(":authority");
    let fields = step.request().is_some_and(|(_, r)| r.fields.iter().any(told));
    let shown = step.attempt.shows_credentials() || (fields && !cut);
    if step.status() != Some(401) || shown || step.attempt.logged_dash() {
        return Answer::RuledOut;
    }
    let mut claim =
        Claim::new("a request was refused with 401; what is given here does not tell what it carried")
            .or("no-credentials", "the request as it was sent: curl -v, or a capture")
            .weighing(-10);
    if let Some((view, response)) = step.response() {
        claim = claim.shown([scene.show_status(view, response, "refused")]);
    }
    leave_open(claim, "basic").possible()
}

/// The error of a token endpoint (RFC 6749 section 5.2) in somebody's words, with or without its underscore.
fn refused_with_400(scene: &Scene<'_>) -> Option<Answer> {
    if scene.status() != Some(400) || !scene.steps.is_empty() {
        return None;
    }
    let said = scene.statements().find(|s| {
        let text = s.text.to_text().to_ascii_lowercase();
        ["invalid client", "invalid_client", "invalid grant", "invalid_grant"]
            .iter()
            .any(|w| text.contains(w))
    })?;
    let claim = Claim::new("the token endpoint does not accept the client's id and secret, or its grant")
        .shown([scene.show_statement(said, "refused")])
        .or("no-credentials", "the request as it was sent: curl -v, or a capture");
    Some(leave_open(claim, "basic").likely())
}

/// Nothing but somebody's word that there was a 401.
fn only_told(scene: &Scene<'_>) -> Answer {
    // The 401 that somebody speaks of is the one that is shown, and was answered.
    let answered = |r: &why401_history::Refusal| r.chain().is_some_and(|c| c.outcome == Outcome::LetIn);
    if scene.chain().is_none() && scene.case.refusals.iter().any(answered) {
        return Answer::RuledOut;
    }
    let says = |t: &str| {
        let t = t.to_ascii_lowercase();
        t.contains("401")
            || t.contains("unauthorized")
            || t.contains("authentication failed")
            || t.contains("invalid_client")
            || t.contains("invalid client")
    };
    match scene.statements().find(|s| s.status == Some(401) || says(&s.text.to_text())) {
        Some(statement) => {
            let claim = Claim::new("a request was refused with 401; what is given here does not tell why")
                .shown([scene.show_statement(statement, "refused")])
                .or("no-credentials", "the request as it was sent: curl -v, or a capture");
            leave_open(claim, "basic").possible()
        }
        None => bare_code(scene),
    }
}

/// Nothing but the number 401.
fn bare_code(scene: &Scene<'_>) -> Answer {
    let is_401 = |f: &&Fact| matches!(&f.kind, FactKind::Code(code) if code == "401");
    match scene.case.facts.iter().find(is_401) {
        Some(fact) => {
            let claim = Claim::new(
                "401 says that the server wants credentials, or others; the number does not tell why",
            )
            .shown([scene.show_fact(fact, "refused")])
            .or("no-credentials", "the request as it was sent: curl -v, or a capture");
            leave_open(claim, "basic").possible()
        }
        None => Answer::RuledOut,
    }
}

fn show(scene: &Scene<'_>, step: &Step<'_>, mut claim: Claim) -> Claim {
    if let Some(sent) = step.credentials() {
        claim = claim.shown([scene.show_field(sent.view, sent.field, "sent and refused")]);
    } else if let Some(v) = step.attempt.views.iter().find(|v| v.log.is_some())
        && let (Some(log), why401_http::LoggedUser::Name(name)) = (&v.log, &v.user)
    {
        let line = log.line.to_text();
        let mark = line.find(&*name.to_text()).map_or(0..line.len(), |i| i..i + name.len());
        claim =
            claim.shown([scene.show_part(v.source, &log.line, mark, "this name was claimed and refused")]);
    }
    if let Some((view, response)) = step.response() {
        claim = claim.shown([scene.show_status(view, response, "refused")]);
    }
    claim
}

fn leave_open(claim: Claim, scheme: &str) -> Claim {
    if scheme == "readable token" {
        return claim
            .fix(Party::Caller, "Hold the token's iss, aud and scope against what this service is configured to take (why401 decode shows them).")
            .fix(Party::Server, "Look up the log at this time: it tells a bad signature, a wrong audience and a wrong issuer apart.")
            .or("bad-signature", "the token's kid and alg against the key set that the server uses")
            .or("wrong-audience", "the audience that the server is configured with, against the token's aud")
            .or("wrong-issuer", "the issuer that the server trusts, against the token's iss")
            .or("token-revoked", "whether the token was revoked or replaced since");
    }
    if scheme == "signed request" {
        return claim
            .fix(Party::Caller, "Compare what was signed on both sides byte for byte, and see that key and secret belong together.")
            .or("signature-mismatch", "the string to sign of both sides")
            .or("clock-skew", "the time in the request against the server's Date")
            .or("wrong-environment", "whether the key is of this very host and region");
    }
    let claim = claim.fix(
        Party::AccountOwner,
        "Try the same credentials once by hand where they are known to work; if they fail there, set new ones.",
    );
    let claim = claim.fix(
        Party::Server,
        "Look up the error log at this time for this account: it tells wrong password, unknown user and locked account apart.",
    );
    match scheme {
        "bearer" | "dpop" | "token" | "jwt" => claim
            .or("token-expired", "the time of issue and the lifetime of the token")
            .or("token-revoked", "whether the token was revoked or replaced since")
            .or("wrong-environment", "whether the token is for this very host"),
        _ => claim
            .or("wrong-password", "the server's error log, or one login by hand with the same password")
            .or("unknown-user", "the server's error log, or the list of accounts")
            .or("account-locked", "the state of the account"),
    }
}
