//! A Basic value that is none.

use crate::cause::{Answer, Claim, cause};
use crate::reading::pasted;
use crate::scene::same_server;
use crate::{Scene, Sent, Step};
use why401_auth::ProblemKind as P;
use why401_auth::percent;
use why401_http::Fact;
use why401_report::Party;

cause! {
    /// The Basic value does not decode to user-id:password.
    ///
    /// # What happened
    /// After `Basic` the server expects base64 of `user-id:password`. What was sent is not base64, lacks the colon, is
    /// percent-encoded, wrapped over lines, or encoded twice.
    ///
    /// # How it is decided
    /// By the bytes of the field, decoded. In an access log, a user name that is itself base64 of a pair was encoded twice.
    ///
    /// # Who acts
    /// Whoever writes the client.
    ///
    /// # What to do
    /// Encode once, without line breaks: `printf '%s' 'user:password' | base64 -w0`, or let the client do it (`curl -u`).
    ///
    /// # Evidence needed
    /// The request as it was sent.
    ///
    /// # Not to be confused with
    /// stray-characters: it decodes, and something came along with the name or the password.
    ///
    /// # References
    /// RFC 7617 section 2; RFC 4648 section 4. Servers differ in what they forgive: missing padding, `%3D`, spaces.
    pub BasicMalformed = "basic-malformed" in Unreadable, Fault by Caller,
        over ["credentials-refused", "unknown-user", "wrong-password", "stray-characters", "login-redirect", "no-credentials", "dropped-by-intermediary"]
}

/// Faults that every server refuses, then those that some forgive.
const HARD: &[P] = &[
    P::Wrapped,
    P::EncodedTwice,
    P::NotEncoded,
    P::NoColon,
    P::PercentEncoded,
    P::NotBase64,
    P::Utf16,
    P::Base64Truncated,
];
const SOFT: &[P] = &[P::MissingPadding, P::WrongPadding, P::Base64UrlAlphabet, P::BadValue];

impl BasicMalformed {
    fn detect(scene: &Scene<'_>) -> Answer {
        let told = || scene.told("basic-malformed", "the Basic value cannot be decoded");
        let Some(step) = scene.refused() else { return told_name(scene).unwrap_or_else(told) };
        let Some(sent) = step.credentials() else { return logged(scene, step).unwrap_or_else(told) };
        let Some(basic) = sent.basic().filter(|b| !b.text.is_empty()) else { return Answer::RuledOut };
        if let Some(rest) = wrapped_rest(step, sent) {
            let claim = advise(
                Claim::new(
                    "the Basic value is cut off by a line break: the rest of it stands on a line of its own",
                )
                .shown([scene.show_field(sent.view, sent.field, "the first part only")])
                .shown(rest_shown(scene, step, rest)),
            );
            // Elsewhere than where encoders break lines, the terminal or the paste may have done it.
            return if is_at_limit(sent) {
                claim.confirmed()
            } else {
                claim.or("credentials-refused", "whether the line is broken in the request as well").likely()
            };
        }
        let find = |kinds: &[P]| kinds.iter().find_map(|k| basic.problem(*k)).cloned();
        let (problem, hard) = match (find(HARD), find(SOFT)) {
            (Some(p), _) => (p, true),
            (None, Some(p)) => (p, false),
            _ => return still_encoded(scene, step, sent).unwrap_or(Answer::RuledOut),
        };
        let what = match problem.kind {
            P::NoColon => {
                "the Basic value decodes to one word without a colon: a user name or a password is missing"
            }
            P::EncodedTwice => "the Basic value was encoded twice: what it decodes to is base64 again",
            P::NotEncoded => "the Basic value is not encoded at all",
            P::PercentEncoded => "the Basic value is percent-encoded, which base64 is not",
            P::Wrapped => "the Basic value is broken over lines or holds a space",
            P::Utf16 => "the Basic value was encoded from UTF-16, so every other byte is zero",
            P::MissingPadding | P::WrongPadding => {
                "the padding of the Basic value is wrong, which some servers refuse"
            }
            P::Base64UrlAlphabet => {
                "the Basic value uses the URL alphabet of base64, which servers do not take here"
            }
            P::BadValue => {
                "the user name is percent-encoded, as addresses have it; inside base64 it stands as it is"
            }
            _ => "the Basic value is not base64",
        };
        let claim = advise(Claim::new(what).shown([scene.show_in_field(
            sent.view,
            sent.field,
            problem.range.clone(),
            problem.what.clone(),
        )]));
        // A character that base64 does not have: some services take a key as it is behind Basic.
        let is_key = problem.kind == P::NoColon && sent.value().contains('_');
        if is_key {
            claim
                .or("credentials-refused", "whether the service documents its key as it is behind Basic")
                .or("wrong-environment", "for which of the service's environments the key is")
                .likely()
        } else if hard {
            claim.confirmed()
        } else {
            claim
                .or("wrong-password", "the same pair, encoded as it stands, once and with its padding")
                .likely()
        }
    }
}

fn advise(claim: Claim) -> Claim {
    claim.fix_by(
        Party::Caller,
        "Encode user name, colon and password once, without a line break, or leave the encoding to the client.",
        "printf '%s' 'USER:PASSWORD' | base64 -w0",
    )
}

/// Whether the value is as long as the lines of encoders are: 76 (RFC 2045 section 6.8), 64 (RFC 7468 section 2), 60 and 72.
fn is_at_limit(sent: &Sent<'_>) -> bool {
    let value = sent.credentials().and_then(|c| c.token68.as_ref());
    value.is_some_and(|t| matches!(t.range.len(), 60 | 64 | 72 | 76))
}

/// A line of the request that is no field and looks like the rest of the base64 value.
fn wrapped_rest(step: &Step<'_>, sent: &Sent<'_>) -> Option<String> {
    let is_base64 = |t: &str| {
        !t.is_empty() && t.len() <= 120 && t.bytes().all(|c| c.is_ascii_alphanumeric() || b"+/=".contains(&c))
    };
    let (_, request) = step.request()?;
    let stray = request.fields.iter().find(|f| f.name.is_empty() && is_base64(&f.text()));
    if let Some(field) = stray {
        return Some(field.text().into_owned());
    }
    let body = request.body.text();
    let first = body.lines().find(|l| !l.trim().is_empty())?.trim().to_owned();
    (is_at_limit(sent) && is_base64(&first)).then_some(first)
}

fn rest_shown(scene: &Scene<'_>, step: &Step<'_>, rest: String) -> Vec<why401_report::Annotation> {
    let Some((view, request)) = step.request() else { return Vec::new() };
    let says = "the rest, on a line that is no field";
    if let Some(field) = request.fields.iter().find(|f| f.name.is_empty()) {
        return vec![scene.show_field(view, field, says)];
    }
    let at = request.body.text().find(&rest).unwrap_or(0);
    vec![scene.show_part(view.source, &request.body.bytes, at..at + rest.len(), says)]
}

/// A user name in a log that is base64 of a pair: the value was encoded twice.
fn logged(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
    let name = step.attempt.logged_name()?;
    if !is_encoded_pair(&name) {
        return None;
    }
    let view = step.attempt.views.iter().find(|v| v.log.is_some())?;
    let line = &view.log.as_ref()?.line;
    let at = line.to_text().find(&*name)?;
    Some(
        advise(
            Claim::new("the user name in the log is base64 of a user name and a password: the value was encoded twice")
                .shown([scene.show_part(view.source, line, at..at + name.len(), "this decodes to a pair")]),
        )
        .or("unknown-user", "the request as it was sent")
        .likely(),
    )
}

fn told_name(scene: &Scene<'_>) -> Option<Answer> {
    let statement =
        scene.refusal.statements().iter().find(|s| s.user.as_deref().is_some_and(is_encoded_pair))?;
    let claim = Claim::new(
        "the user name in the log is base64 of a user name and a password: the value was encoded twice",
    )
    .shown([scene.show_statement(statement, "this name decodes to a pair")]);
    Some(advise(claim).or("unknown-user", "the request as it was sent").likely())
}

fn is_encoded_pair(name: &str) -> bool {
    if name.len() < 8 {
        return false;
    }
    let basic = why401_auth::scheme::basic::read(name.as_bytes(), 0..name.len());
    basic.password.as_ref().is_some_and(|p| !p.is_empty())
        && !basic.user.is_empty()
        && basic.problem(P::NotEncoded).is_none()
        && basic.text.expose().iter().all(|b| (0x20..0x7f).contains(b))
}

/// The password is percent-encoded as it is in an address (RFC 3986 section 3.2.1), and the same pair is let in without that.
fn still_encoded(scene: &Scene<'_>, step: &Step<'_>, sent: &Sent<'_>) -> Option<Answer> {
    let basic = sent.basic()?;
    let password = basic.password.as_ref()?.expose_text();
    let meant = percent::decode(password.as_bytes());
    if meant == password.as_bytes() {
        return None;
    }
    let good =
        scene.attempts().filter(|a| a.let_in() && same_server(a, step.attempt)).take(LOOKS).find_map(|a| {
            let other = Step::of(a);
            let there = other.credentials()?.basic()?;
            let same = there.user.expose_text() == basic.user.expose_text()
                && there.password.as_ref().is_some_and(|p| p.expose_text().as_bytes() == meant);
            same.then(|| a.request_field("authorization").map(|f| (a, f)))?
        });
    if let Some((attempt, field)) = good {
        let claim =
            Claim::new("the password is percent-encoded, as addresses have it, and is let in as it is meant")
                .shown([scene.show_field(sent.view, sent.field, "percent-encoded, refused")])
                .shown([scene.show_field(attempt.view(), field, "the same pair as it is meant, let in")]);
        return Some(advise(claim).confirmed());
    }
    let told = told_as(scene, &meant)?;
    let claim = Claim::new("the password is percent-encoded, as addresses have it, inside base64")
        .shown([scene.show_field(sent.view, sent.field, "percent-encoded, refused")])
        .shown([scene.show_fact(told, "the password as it is meant stands here")])
        .or("wrong-password", "the same pair as it is meant, tried once by hand");
    Some(advise(claim).likely())
}

/// What somebody pasted that holds the password as it is meant; shorter ones stand in any text.
fn told_as<'a>(scene: &Scene<'a>, meant: &[u8]) -> Option<&'a Fact> {
    const SHORTEST: usize = 5;
    let holds = |f: &&Fact| memchr::memmem::find(f.text.as_bytes(), meant).is_some();
    (meant.len() >= SHORTEST).then(|| pasted::texts(scene).find(holds))?
}

/// So many requests that were let in are looked at.
const LOOKS: usize = 200;
