//! Two clocks that disagree.

use super::kerberos_refused;
use crate::cause::{Answer, Claim, cause};
use crate::reading::clock::{self, Whose, span_text, time_text};
use crate::reading::gss::{self, Message};
use crate::reading::signed::{self, Stamp};
use crate::reading::token::{self, Carried};
use crate::reading::{at_most, settle};
use crate::scene::same_server;
use crate::{Scene, Step};
use why401_auth::scheme::kerberos as kerberos_message;
use why401_auth::token::jwt::Jwt;
use why401_http::FactKind;
use why401_report::{Certainty, Party};

/// A token from the future by so much proves that two clocks disagree; below, rounding and a slow network may do it.
const PROVED: i64 = 30;
/// What Kerberos allows (RFC 4120 section 8.2 names five minutes as usual).
const KERBEROS: i64 = 300;

cause! {
    /// The two clocks disagree: a fresh token, signature or ticket counts as old or as future.
    ///
    /// # What happened
    /// What the client sent is bound to a time, and the clock that made it and the clock that checks it are further
    /// apart than the server allows. Small boards without a battery, virtual machines that slept and containers on such
    /// hosts are the usual ones.
    ///
    /// # How it is decided
    /// The `Date` of the answer, which is the server's clock, is held against what the request names: a token's `iat`
    /// that lies in the future, `X-Amz-Date`, `oauth_timestamp`, a signature's `created`, the `iat` of a DPoP proof.
    /// Beyond what servers of that kind allow it is certain. So is KRB_AP_ERR_SKEW (37) inside the challenge, the time in a
    /// ticket's authenticator, which the service's keytab opens (`--keytab`), more than five minutes from the server's, and a
    /// server's word for it. A token that is good by the recorder's clock and over by the server's shows it as well; so does
    /// a time that is seconds off, where the same server let in another request that was in time.
    ///
    /// # Who acts
    /// Whoever runs the machine whose clock is wrong: mostly the client's, sometimes the server's.
    ///
    /// # What to do
    /// Set both clocks by NTP and see that they stay so (`timedatectl`, `chronyc tracking`, `w32tm /query /status`).
    ///
    /// # Evidence needed
    /// The request with its time stamp, and the answer with its `Date`.
    ///
    /// # Not to be confused with
    /// token-expired: the token is old by every clock. A request that was repeated long after it had been signed.
    ///
    /// # References
    /// RFC 7519 section 4.1.6; RFC 9110 section 6.6.1; RFC 4120 sections 5.9.1 and 7.5.9; RFC 9421 section 7.2.2;
    /// RFC 9449 section 11.1; AWS, Signature Version 4 (time stamps).
    pub ClockSkew = "clock-skew" in Token, Fault by Caller,
        over ["token-not-yet-valid", "token-expired", "signature-mismatch", "proof-of-possession-failed", "kerberos-refused",
              "credentials-refused"]
}

impl ClockSkew {
    fn detect(scene: &Scene<'_>) -> Answer {
        if !token::is_refused(scene) {
            return Answer::RuledOut;
        }
        let told = scene.told_claim("clock-skew", "the clocks of client and server disagree");
        let cues = [
            kerberos,
            hawk,
            stamp,
            told_stamp,
            let_in_once_in_time,
            future_token,
            ahead_of_the_recorder,
            authenticator,
            slow_kerberos,
            one_time_code,
        ];
        let found = scene.refused().and_then(|step| {
            let claims = cues.iter().filter_map(|cue| cue(scene, step));
            // The first of the surest.
            claims.reduce(|best, next| if next.certainty > best.certainty { next } else { best })
        });
        settle(found, told, advise)
    }
}

/// The server says it inside the challenge.
fn kerberos(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let (offered, challenge, Message::Error(error)) = gss::of_answer(step)? else { return None };
    if !matches!(error.code, 33 | 37) {
        return None;
    }
    let (name, meaning) = kerberos_message::error_name(error.code);
    let time = |text: &Option<String>| text.as_deref().and_then(kerberos_message::time);
    let mut claim = Claim::new(match (time(&error.stime), time(&error.ctime)) {
        (Some(server), Some(client)) if server != client => format!(
            "the server refused the ticket with {name}: its clock says {}, the client's said {}",
            time_text(server),
            time_text(client)
        ),
        (Some(server), _) => {
            format!("the server refused the ticket with {name}: its clock says {}", time_text(server))
        }
        _ => format!("the server refused the ticket with {name}: {meaning}"),
    });
    let says = format!("a KRB-ERROR in it: {} ({name})", error.code);
    claim = claim.shown([scene.show_in_field(offered.view, offered.field, challenge.range.clone(), says)]);
    Some(at_most(claim, if error.code == 37 { Certainty::Certain } else { Certainty::Likely }))
}

/// Hawk's challenge brings the server's time along.
fn hawk(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let (offered, challenge) = step.challenge("hawk")?;
    let server = challenge.text("ts").and_then(|t| clock::parse(&t))?;
    let stamp = signed::stamps(step).into_iter().next()?;
    let apart = stamp.at - server;
    if apart.abs() <= stamp.allowed {
        return None;
    }
    let claim = Claim::new(apart_text(&stamp, apart)).shown(stamp.shown(scene, "the client's clock"));
    Some(claim.shown([scene.show_in_field(
        offered.view,
        offered.field,
        challenge.range.clone(),
        "the server's clock (ts)",
    )]))
}

/// A signature or a proof names its time.
fn stamp(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let server = clock::server(step)?;
    let stamp = signed::stamps(step).into_iter().find(|s| {
        let apart = s.at - server.at;
        apart > s.allowed || (s.ages && -apart > s.allowed)
    })?;
    // The same signed request sent again is old, not wrong about the time.
    if stamp.at < server.at && sent_before(scene, step) {
        return None;
    }
    let apart = stamp.at - server.at;
    let mut claim = Claim::new(apart_text(&stamp, apart))
        .shown(stamp.shown(scene, format!("{} by the client's clock", time_text(stamp.at))))
        .shown(server.shown(scene));
    let mut certainty = if apart.abs() > stamp.never { Certainty::Certain } else { Certainty::Likely };
    if token::told_otherwise(
        scene,
        &["clock-skew", "signature-mismatch", "proof-of-possession-failed", "token-not-yet-valid"],
    ) {
        certainty = certainty.min(Certainty::Likely);
    }
    let other = if stamp.name.contains("iat") { "proof-of-possession-failed" } else { "signature-mismatch" };
    claim = claim.or(
        other,
        format!("set the clock and try again: if it is refused still, the time was not all ({})", stamp.rule),
    );
    Some(at_most(claim, certainty))
}

/// The time of a signature was some seconds off where it was refused, and right where the same server let one in: whoever
/// checks it may allow less than others do.
fn let_in_once_in_time(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let server = clock::server(step)?;
    let stamp = signed::stamps(step).into_iter().find(|s| (s.at - server.at).abs() >= OFF)?;
    let (good, right) =
        scene.attempts().filter(|a| a.let_in() && same_server(a, step.attempt)).take(LOOKS).find_map(
            |a| {
                let good = Step::of(a);
                let date = clock::server(&good)?;
                let right = signed::stamps(&good).into_iter().find(|s| s.name == stamp.name)?;
                ((right.at - date.at).abs() <= RIGHT).then_some((a, right))
            },
        )?;
    let claim = Claim::new(format!(
        "{}; with a clock that is right the same server let one in",
        apart_text(&stamp, stamp.at - server.at)
    ))
    .shown(stamp.shown(scene, format!("{} by the client's clock", time_text(stamp.at))))
    .shown(server.shown(scene))
    .shown(right.shown(scene, "in time"))
    .shown([scene.show_status(good.view(), good.response()?, "let in")])
    .or("credentials-refused", "what else was changed between the two");
    Some(at_most(claim, Certainty::Likely))
}

/// From so many seconds on a clock is off, where another request shows it right.
const OFF: i64 = 10;
/// The time that a request is under way.
const RIGHT: i64 = 3;
/// So many requests that were let in are looked at.
const LOOKS: usize = 50;

/// A signature names its time by a clock of which the person says that it is wrong; the answer tells no time.
fn told_stamp(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let (_, ahead) = clock::given(scene);
    let fact =
        scene.case.facts.iter().find(|f| matches!(f.kind, FactKind::Clock { ahead, .. } if ahead != 0))?;
    if clock::server(step).is_some() {
        return None;
    }
    let stamp =
        signed::stamps(step).into_iter().find(|s| ahead > s.allowed || (s.ages && -ahead > s.allowed))?;
    let claim = Claim::new(apart_text(&stamp, ahead))
        .shown([scene.show_fact(fact, "so far is the client's clock ahead")])
        .shown(stamp.shown(scene, format!("{} by the client's clock", time_text(stamp.at))))
        .or(
            "signature-mismatch",
            "set the clock and try again: if it is refused still, the time was not all",
        );
    Some(at_most(claim, Certainty::Likely))
}

fn apart_text(stamp: &Stamp<'_>, apart: i64) -> String {
    let way = if apart > 0 { "ahead of" } else { "behind" };
    format!("the client's clock ({}) is {} {way} the server's; {}", stamp.name, span_text(apart), stamp.rule)
}

fn sent_before(scene: &Scene<'_>, step: &Step<'_>) -> bool {
    let Some(signed) = signed::of(step) else { return false };
    let Some(field) = signed.field else { return false };
    let name = field.name.to_text();
    let same = |a: &why401_history::Attempt| {
        a.request_field(&name).is_some_and(|f| f.value.as_bytes() == field.value.as_bytes())
    };
    let mut nearby = crate::reading::before(scene, step.attempt).take(200);
    nearby.any(|a| a.forwarded_as != Some(step.attempt.id) && same(a))
}

/// A token issued later than now.
fn future_token(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let carried = token::carried(step)?;
    let jwt = carried.jwt()?;
    let (iat, clock) = (jwt.iat()?, clock::of(scene, step)?);
    let ahead = iat - clock.at;
    // A second may be a rounding, unless the server says itself that the token is invalid.
    let invalid =
        token::challenge(step).is_some_and(|(_, _, c)| c.error_written.as_deref() == Some("invalid_token"));
    // So does the same token, let in a moment later.
    let let_in = scene.accepted_with(carried.field.value.as_bytes()).next().is_some();
    if ahead < if invalid || let_in { 1 } else { 2 }
        || token::accepted_before(scene, step, &carried).is_some()
    {
        return None;
    }
    let mut claim = Claim::new(format!(
        "the token was issued at {}, which {} lies {} ahead: the issuer's clock and the server's disagree",
        time_text(iat),
        clock.by(),
        span_text(ahead)
    ));
    claim = claim.shown(show_claim(scene, &carried, jwt, "iat")).shown(clock.shown(scene));
    let mut certainty = clock.certainty(iat);
    if ahead < PROVED
        || !token::wanted(step)
        || token::told_otherwise(scene, &["clock-skew", "token-not-yet-valid"])
    {
        certainty = certainty.min(Certainty::Likely);
    }
    claim = claim.or("token-not-yet-valid", "whether the token was meant to begin later");
    Some(at_most(claim, certainty))
}

/// The token is good by the recorder's clock and over by the server's.
fn ahead_of_the_recorder(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let (server, here) = (clock::server(step)?, clock::recorder(scene, step)?);
    let carried = token::carried(step)?;
    let jwt = carried.jwt()?;
    let (exp, apart) = (jwt.exp()?, server.at - here);
    if server.whose != Whose::Server || exp > server.at || exp <= here || apart < PROVED {
        return None;
    }
    let mut claim = Claim::new(format!(
        "the token is good until {}, but the server's clock is {} ahead of the recorder's and counts it as over",
        time_text(exp),
        span_text(apart)
    ));
    claim = claim.shown(show_claim(scene, &carried, jwt, "exp")).shown(server.shown(scene)).by(Party::Server);
    // The issuer agrees with the recorder: the token was issued a moment ago, or at least not in the future.
    let issuer_agrees = jwt.iat().is_some_and(|iat| iat <= here + 5 && here - iat < exp - iat);
    Some(at_most(claim, if issuer_agrees { Certainty::Certain } else { Certainty::Likely }))
}

/// The time in the authenticator of a ticket, which a keytab given opens, against the server's clock.
fn authenticator(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let server = clock::server(step)?;
    let (sent, Message::ApReq(request)) = gss::of_request(step)? else { return None };
    let (keytab, made) = kerberos_refused::made(scene, &request)?;
    let apart = server.at - made;
    if apart.abs() <= KERBEROS {
        return None;
    }
    let claim = Claim::new(format!(
        "the client made its authenticator at {} by its own clock, and the server's is {} {}; Kerberos allows five minutes",
        time_text(made),
        span_text(apart.abs()),
        if apart > 0 { "ahead" } else { "behind" }
    ));
    let claim = claim
        .shown([scene.show_field(sent.view, sent.field, "the ticket with its authenticator, refused")])
        .shown([scene.show_fact(keytab, "the keytab given opens them")])
        .shown(server.shown(scene));
    // A request that was kept back for long looks the same.
    let certain = server.whose == Whose::Server;
    Some(at_most(claim, if certain { Certainty::Certain } else { Certainty::Likely }))
}

/// A ticket refused while the clocks are further apart than Kerberos allows.
fn slow_kerberos(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let (server, here) = (clock::server(step)?, clock::recorder(scene, step)?);
    let (sent, Message::ApReq(_)) = gss::of_request(step)? else { return None };
    let apart = server.at - here;
    if apart.abs() <= KERBEROS || gss::of_answer(step).is_some() {
        return None;
    }
    let claim = Claim::new(format!(
        "a Kerberos ticket was refused, and the server's clock is {} {} the recorder's; Kerberos allows five minutes",
        span_text(apart),
        if apart > 0 { "ahead of" } else { "behind" }
    ));
    let claim = claim
        .shown([scene.show_field(sent.view, sent.field, "a ticket, refused")])
        .shown(server.shown(scene));
    Some(at_most(claim.or("kerberos-refused", "the server's log: it names the error"), Certainty::Likely))
}

fn show_claim(
    scene: &Scene<'_>,
    carried: &Carried<'_>,
    jwt: &Jwt,
    name: &str,
) -> Option<why401_report::Annotation> {
    let at = jwt.time(name)?;
    let range = jwt.claim_range(name).unwrap_or_else(|| carried.token.range.clone());
    Some(scene.show_in_field(carried.view, carried.field, range, format!("{name} is {}", time_text(at))))
}

fn advise(claim: Claim) -> Claim {
    let party = claim.party.unwrap_or(Party::Caller);
    claim.fix_by(
        party,
        "Set the clocks of both machines by NTP, and hold them against each other: the Date field of any answer is the server's clock.",
        "curl -sI URL | grep -i ^date; date -u",
    )
}

/// A code of an authenticator application goes by the clock, in steps of 30 seconds (RFC 6238 section 5.2); servers take one
/// step more on either side.
const CODE: i64 = 45;

fn one_time_code(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let path = step.attempt.path()?.to_ascii_lowercase();
    let asks = path.split(['/', '-', '_']).any(|s| matches!(s, "totp" | "otp" | "2fa" | "mfa" | "twofactor"));
    let (recorder, server) = (clock::recorder(scene, step)?, clock::server(step)?);
    let apart = recorder - server.at;
    (asks && apart.abs() > CODE).then(|| {
        let claim = Claim::new(format!(
            "a one-time code was refused, and the clock of the server is {} {} that of the client",
            clock::span_text(apart.abs()),
            if apart > 0 { "behind" } else { "ahead of" }
        ))
        .shown(server.shown(scene));
        at_most(claim.or("credentials-refused", "the same with clocks that agree"), Certainty::Likely)
    })
}
