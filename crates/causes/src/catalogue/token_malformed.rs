//! The token cannot be read.

use crate::cause::{Answer, Claim, cause};
use crate::reading::token::{self, Carried};
use crate::reading::{at_most, settle};
use crate::scene::same_server;
use crate::{Scene, Step};
use std::ops::Range;
use why401_auth::base64::{self, Alphabet};
use why401_auth::token::Shape;
use why401_auth::token::jwt::{self, Form, Jwt};
use why401_auth::{Problem, ProblemKind};
use why401_report::{Certainty, Party};

cause! {
    /// The token cannot be read: cut off, wrong number of parts, not base64url.
    ///
    /// # What happened
    /// The token was damaged on its way into the request: a part is missing because a column, a variable or a copied
    /// line was too short, it was encoded once more, or the whole JSON answer of the token endpoint was sent in place of
    /// the token inside it.
    ///
    /// # How it is decided
    /// By the bytes: a JWT whose parts are too few or too many, no base64url, no JSON, or whose signature has another
    /// length than its algorithm gives; a token that begins as one that was issued or accepted and ends too early.
    ///
    /// # Who acts
    /// Whoever writes or configures the client.
    ///
    /// # What to do
    /// Hold what is sent against what was issued, byte for byte: the length first, then the end.
    ///
    /// # Evidence needed
    /// The token as it was sent.
    ///
    /// # Not to be confused with
    /// stray-characters: something came along with a whole token. wrong-token-type: whole, but no JWT at all.
    ///
    /// # References
    /// RFC 7515 section 7.1 (compact serialization); RFC 7519 section 7.2; RFC 7516 section 7.1 (five parts).
    pub TokenMalformed = "token-malformed" in Token, Fault by Caller, over ["credentials-refused", "token-revoked"]
}

impl TokenMalformed {
    fn detect(scene: &Scene<'_>) -> Answer {
        if !token::is_refused(scene) {
            return Answer::RuledOut;
        }
        let told =
            scene.told_claim("token-malformed", "the token cannot be read").map(|claim| detail(scene, claim));
        settle(scene.refused().and_then(|step| look(scene, step)), told, advise)
    }
}

/// The server cannot read it, but the token is well-formed as far as can be seen: it has not said what it meant.
fn detail(scene: &Scene<'_>, claim: Claim) -> Claim {
    let Some(carried) = scene.refused().and_then(token::carried) else { return claim };
    let readable = |j: &Jwt| j.claims.is_some() || j.form == Form::Encrypted && j.header.is_some();
    let whole = carried.jwt().is_some_and(|j| readable(j) && j.problems.is_empty());
    if !whole {
        return claim;
    }
    let claim = claim.or("bad-signature", "whether the token verifies with the issuer's key set");
    at_most(claim.or("wrong-token-type", "which kind of token the server takes"), Certainty::Likely)
}

fn look(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let Some(carried) = token::carried(step) else { return cut_off_in_address(scene, step) };
    if token::accepted_before(scene, step, &carried).is_some()
        || token::accepted_after(scene, step, &carried).is_some()
    {
        return None;
    }
    let (summary, range, certainty) = cut_off(scene, step, &carried)
        .map(|(s, r)| (s, r, Certainty::Certain))
        .or_else(|| carried.jwt().and_then(|jwt| by_bytes(&carried, jwt)))
        .or_else(|| encoded_again(&carried))
        .or_else(|| whole_answer(&carried))
        .or_else(|| pair_in_clear(scene, step, &carried))?;
    // What is seen in the bytes goes before what a general refusal may mean.
    let claim = Claim::new(summary).shown([scene.show_in_field(
        carried.view,
        carried.field,
        range,
        "this cannot be read",
    )]);
    let other = token::told_otherwise(scene, &["token-malformed", "bad-signature", "stray-characters"]);
    Some(at_most(
        claim,
        if other || !token::wanted(step) { certainty.min(Certainty::Likely) } else { certainty },
    ))
}

/// A token of the evidence that this one is the beginning of.
fn cut_off(scene: &Scene<'_>, step: &Step<'_>, carried: &Carried<'_>) -> Option<(String, Range<usize>)> {
    let sent = carried.token.text.expose_text().into_owned();
    if sent.len() < 8 {
        return None;
    }
    let issued = token::issued(scene).into_iter().map(|i| i.token);
    let accepted = token::accepted_others(scene, step, carried)
        .into_iter()
        .map(|(_, f, _)| f.text().rsplit(' ').next().unwrap_or_default().to_owned());
    let whole = issued.chain(accepted).find(|w| w.len() > sent.len() && w.starts_with(&sent))?;
    let end = carried.token.range.end;
    let summary = format!("the token was cut off: {} of {} characters were sent", sent.len(), whole.len());
    Some((summary, end.saturating_sub(1)..end))
}

/// A secret that stands as a part of the path (`/bot<token>/getUpdates`), shorter at its end than one that is let in.
fn cut_off_in_address(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    // Names of resources are shorter, and differ by more than their last characters.
    const SHORTEST: usize = 24;
    const CUT: usize = 4;
    let path = step.attempt.path()?;
    let parts = || path.split('/').filter(|p| p.len() >= SHORTEST && p.bytes().any(|b| b.is_ascii_digit()));
    parts().next()?;
    let good = scene.attempts().take(NEAR).filter(|a| a.let_in() && same_server(a, step.attempt));
    let (other, sent, whole) = good.into_iter().find_map(|a| {
        let theirs = a.path()?;
        let pair = parts().find_map(|mine| {
            let longer =
                |t: &&str| t.len() > mine.len() && t.len() <= mine.len() + CUT && t.starts_with(mine);
            theirs.split('/').find(longer).map(|t| (mine.len(), t.len()))
        })?;
        Some((a, pair.0, pair.1))
    })?;
    let (view, request) = step.request()?;
    let summary = format!("the secret in the address was cut off: {sent} of {whole} characters were sent");
    let there =
        other.view().request.as_ref().map(|r| scene.show_request(other.view(), r, "whole, and let in"));
    Some(Claim::new(summary).shown([scene.show_request(view, request, "cut off")]).shown(there))
}

/// So many requests are looked at for a whole one.
const NEAR: usize = 500;

/// The problems of a JWT that no reader gets over.
fn by_bytes(carried: &Carried<'_>, jwt: &Jwt) -> Option<(String, Range<usize>, Certainty)> {
    // Others use dots and base64 too: what is no JWT by anything it says may be whole in its own way.
    let is_jwt =
        jwt.alg().is_some() || ["iss", "exp", "sub", "aud", "iat"].iter().any(|c| jwt.claim(c).is_some());
    let fatal = |p: &&Problem| {
        use ProblemKind::{Missing, NotBase64, NotJson, PercentEncoded, Truncated, WrongPartCount};
        matches!(p.kind, WrongPartCount | NotBase64 | NotJson | Truncated | Missing | PercentEncoded)
    };
    let tolerated = |p: &&Problem| {
        use ProblemKind::{
            Base64StandardAlphabet, Base64Truncated, TrailingBits, UnexpectedPadding, WrongPadding,
        };
        matches!(
            p.kind,
            UnexpectedPadding | Base64StandardAlphabet | WrongPadding | TrailingBits | Base64Truncated
        )
    };
    // What came along from outside is another cause's matter.
    let stray = carried.token.problems.iter().any(|p| {
        use ProblemKind::{ByteOrderMark, Invisible, LineBreak, OddSpace, OuterSpace, Quotes, Wrapped};
        matches!(p.kind, ByteOrderMark | Invisible | LineBreak | OddSpace | OuterSpace | Quotes | Wrapped)
    });
    if stray || !is_jwt {
        return None;
    }
    let worst = jwt.problems.iter().find(fatal).map(|p| (p, Certainty::Certain));
    let (problem, certainty) =
        worst.or_else(|| jwt.problems.iter().find(tolerated).map(|p| (p, Certainty::Likely)))?;
    Some((format!("the token cannot be read: {}", problem.what), problem.range.clone(), certainty))
}

/// A JWT in base64 once more, as `kubectl get secret` gives it out (Kubernetes, Secrets: the values of `data` are base64).
fn encoded_again(carried: &Carried<'_>) -> Option<(String, Range<usize>, Certainty)> {
    let sent = carried.token.text.expose_text();
    let decoded = base64::decode(sent.as_bytes(), 0..sent.len(), Alphabet::Standard);
    jwt::looks_like(decoded.bytes.expose().trim_ascii()).then(|| {
        let summary = "the token was encoded in base64 once more: decoded, it is a JWT".to_owned();
        (summary, carried.token.range.clone(), Certainty::Certain)
    })
}

/// The answer of the token endpoint in place of the token.
fn whole_answer(carried: &Carried<'_>) -> Option<(String, Range<usize>, Certainty)> {
    (carried.token.shape == Shape::Json).then(|| {
        let summary = "a whole JSON document was sent in place of the token inside it".to_owned();
        (summary, carried.token.range.clone(), Certainty::Certain)
    })
}

/// A pair of name and key as it is, where the same scheme takes it in base64 (Elasticsearch: `ApiKey base64(id:api_key)`).
fn pair_in_clear(
    scene: &Scene<'_>,
    step: &Step<'_>,
    carried: &Carried<'_>,
) -> Option<(String, Range<usize>, Certainty)> {
    let sent = carried.token.text.expose_text();
    let (name, key) = sent.split_once(':').filter(|_| !carried.scheme.is_empty())?;
    if name.len() < 8 || key.len() < 8 || sent.contains(['/', ' ', '{']) {
        return None;
    }
    let good = scene.attempts().filter(|a| a.let_in() && same_server(a, step.attempt)).find_map(|a| {
        let field = a.request_field("authorization")?.text().into_owned();
        let (scheme, value) = field.split_once(' ')?;
        let decoded = base64::decode(value.as_bytes(), 0..value.len(), Alphabet::Standard);
        let text = String::from_utf8_lossy(decoded.bytes.expose()).into_owned();
        (scheme.eq_ignore_ascii_case(&carried.scheme) && text.contains(':')).then_some(text)
    });
    let certainty = match good {
        Some(text) if text == *sent => Certainty::Certain,
        None if !carried.scheme.eq_ignore_ascii_case("apikey")
            || !step.challenges().any(|(_, c)| c.is("apikey")) =>
        {
            return None;
        }
        _ => Certainty::Likely,
    };
    let summary =
        "the name and the key were sent as they are, and this scheme takes the pair in base64".to_owned();
    Some((summary, carried.token.range.clone(), certainty))
}

fn advise(claim: Claim) -> Claim {
    claim.fix(
        Party::Caller,
        "Hold what is sent against what was issued: the length first, then the end; look for a column, variable or line that cuts it.",
    )
}
