//! The token's time has not begun.

use crate::cause::{Answer, Claim, cause};
use crate::reading::clock::{self, span_text, time_text};
use crate::reading::token::{self, Carried};
use crate::reading::{at_most, settle};
use crate::{Scene, Step};
use why401_auth::token::jwt::Jwt;
use why401_report::{Certainty, Party};

/// Start and issue this close together were meant to be the same moment, in seconds.
const SAME: i64 = 60;

cause! {
    /// The token's time has not begun.
    ///
    /// # What happened
    /// The token may be used only from a moment on that still lies ahead: it was made for later (a booked access, a
    /// certificate-like token), or the issuer's clock is ahead.
    ///
    /// # How it is decided
    /// `nbf` lies after the time of the request while `iat` does not: certain. Where `iat` lies in the future too, the
    /// issuer's clock is ahead of the server's, and clock-skew leads.
    ///
    /// # Who acts
    /// Whoever writes or configures the client.
    ///
    /// # What to do
    /// Wait until the token begins, or have one issued that begins at once.
    ///
    /// # Evidence needed
    /// The token and the time of the request.
    ///
    /// # Not to be confused with
    /// clock-skew: nobody meant the token to begin later.
    ///
    /// # References
    /// RFC 7519 section 4.1.5 (nbf), 4.1.6 (iat).
    pub TokenNotYetValid = "token-not-yet-valid" in Token, Fault by Caller, over ["credentials-refused"]
}

impl TokenNotYetValid {
    fn detect(scene: &Scene<'_>) -> Answer {
        if !token::is_refused(scene) {
            return Answer::RuledOut;
        }
        let told = scene.told_claim("token-not-yet-valid", "the token is not valid yet");
        settle(scene.refused().and_then(|step| look(scene, step)), told, advise)
    }
}

fn look(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let carried = token::carried(step)?;
    let jwt = carried.jwt()?;
    if let Some(claim) = in_milliseconds(scene, &carried, jwt) {
        return Some(at_most(claim, Certainty::Likely));
    }
    let (nbf, clock) = (jwt.nbf()?, clock::of(scene, step)?);
    // The very same token a moment later: let in before it begins, its begin is no reason; let in from then on, it is the proof.
    let later = token::accepted_after(scene, step, &carried);
    let begun = later.and_then(|a| clock::of(scene, &Step::of(a))).map(|then| then.at >= nbf);
    if nbf <= clock.at || later.is_some_and(|a| a.id < step.attempt.id + 2) && begun != Some(true) {
        return None;
    }
    let ahead = nbf - clock.at;
    let mut claim = Claim::new(format!(
        "the token begins at {}; {} that is {} ahead",
        time_text(nbf),
        clock.by(),
        span_text(ahead)
    ));
    let range = jwt.claim_range("nbf").unwrap_or_else(|| carried.token.range.clone());
    claim = claim.shown([scene.show_in_field(
        carried.view,
        carried.field,
        range,
        format!("nbf is {}", time_text(nbf)),
    )]);
    claim = claim.shown(clock.shown(scene));
    let mut certainty = clock.certainty(nbf);
    let waited = begun == Some(true);
    let meant = jwt.iat().is_some_and(|iat| (waited || nbf - iat > SAME) && iat <= clock.at);
    if !meant {
        claim =
            claim.or("clock-skew", "the clocks of the issuer and of this server, held against each other");
        if jwt.iat().is_some() {
            certainty = certainty.min(Certainty::Likely);
        }
    }
    if waited && meant {
        certainty = Certainty::Certain;
    }
    if token::told_otherwise(scene, &["token-not-yet-valid", "clock-skew"]) || !token::wanted(step) {
        certainty = certainty.min(Certainty::Likely);
    }
    Some(at_most(claim, certainty))
}

/// No time since 1970 has as many seconds (the year 5138): whoever writes this writes milliseconds, and a NumericDate is
/// in seconds (RFC 7519 section 2).
const SECONDS: i64 = 100_000_000_000;

/// A token whose begin or issue lies thousands of years ahead.
fn in_milliseconds(scene: &Scene<'_>, carried: &Carried<'_>, jwt: &Jwt) -> Option<Claim> {
    let late = |name: &&str| jwt.claim(name).and_then(serde_json::Value::as_i64).is_some_and(|t| t > SECONDS);
    let name = ["nbf", "iat"].into_iter().find(late)?;
    let range = jwt.claim_range(name).unwrap_or_else(|| carried.token.range.clone());
    Some(
        Claim::new(format!(
            "{name} is in milliseconds and is read as seconds: it lies thousands of years ahead"
        ))
        .shown([scene.show_in_field(carried.view, carried.field, range, format!("{name} in milliseconds"))])
        .fix(Party::Caller, "Write iat, nbf and exp in seconds since 1970.")
        .or("credentials-refused", "the same token with its times in seconds"),
    )
}

fn advise(claim: Claim) -> Claim {
    claim.fix(
        Party::Caller,
        "Use the token from its nbf on, or have one issued that begins at once; if nobody meant it to begin later, set the issuer's clock.",
    )
}
