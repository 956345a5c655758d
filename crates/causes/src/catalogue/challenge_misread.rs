//! A good challenge, read wrongly.

use crate::cause::{Answer, Claim, cause};
use crate::{Scene, Step};
use std::ops::Range;
use why401_auth::Inside;
use why401_report::Party;

cause! {
    /// The challenge is valid and this client reads it wrongly.
    ///
    /// # What happened
    /// Several challenges in one field, an unusual order of parameters, quotes, or an algorithm that it does not know lead the client to an
    /// answer that does not fit.
    ///
    /// # How it is decided
    /// A challenge that RFC 9110 allows, and an answer by the client that does not fit it, or an error of its parser.
    ///
    /// # Who acts
    /// Whoever writes the client.
    ///
    /// # What to do
    /// Use a newer version of the client, or let the server write its challenges one a field.
    ///
    /// # Evidence needed
    /// The challenge and the answer to it.
    ///
    /// # Not to be confused with
    /// challenge-malformed: the field itself breaks the grammar. digest-mismatch: the answer was computed over something else.
    ///
    /// # References
    /// RFC 9110 section 11.6.1 (a recipient must parse the field with care); RFC 7616 section 3.3.
    pub ChallengeMisread = "challenge-misread" in Server, Fault by Caller, over ["credentials-refused", "wrong-password", "digest-nonce-stale"]
}

impl ChallengeMisread {
    fn detect(scene: &Scene<'_>) -> Answer {
        let told = || scene.told("challenge-misread", "the client reads the challenge wrongly");
        let Some(step) = scene.refused() else { return told() };
        let answers_digest = step.credentials().is_some_and(|s| matches!(s.inside, Inside::Digest(_)));
        match told() {
            // What was answered is not in the evidence.
            Answer::RuledOut if answers_digest && !scene.steps.iter().any(|s| s.offers("digest")) => {
                Answer::Undecidable(
                    "the challenge that this answers: does it offer the algorithm that was used?",
                )
            }
            told => algorithm(scene, step)
                .or_else(|| cut_short(scene, step))
                .or_else(|| whole_list(scene, step))
                .or_else(|| parser_fails(scene, step))
                .unwrap_or(told),
        }
    }
}

/// The only algorithms offered are others than the one that the answer uses: it was not understood, and the default taken.
fn algorithm(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
    let sent = step.credentials()?;
    let Inside::Digest(digest) = &sent.inside else { return None };
    let asked = scene.steps.iter().rev().skip(1).find(|s| s.offers("digest")).unwrap_or(step);
    let offered: Vec<String> = asked
        .challenges()
        .filter(|(_, c)| c.is("digest"))
        .map(|(_, c)| c.text("algorithm").map_or("MD5".to_owned(), |a| a.into_owned()))
        .collect();
    let used = digest.algorithm_written.clone().unwrap_or_else(|| "MD5".to_owned());
    if offered.is_empty()
        || offered.iter().any(|o| o.eq_ignore_ascii_case(&used))
        || !asked.offered.iter().all(|o| o.parsed.strict_ok())
    {
        return None;
    }
    let (o, c) = asked.challenge("digest")?;
    let mark = c.param("algorithm").map_or(c.range.clone(), |p| p.range());
    let credentials = sent.credentials()?;
    let at = credentials.param("algorithm").map_or(credentials.scheme.range.clone(), |p| p.range());
    Some(
        Claim::new(format!(
            "Digest with {} was asked for, and the client answered with {used}",
            offered.join(", ")
        ))
        .shown([scene.show_in_field(o.view, o.field, mark, "asked for")])
        .shown([scene.show_in_field(sent.view, sent.field, at, format!("answered with {used}"))])
        .fix(
            Party::Caller,
            "Use a client that knows the algorithm (curl does), or a newer version of this one.",
        )
        .fix(Party::Server, "Offer MD5 beside it for clients that know nothing else.")
        .confirmed(),
    )
}

/// Parameters that the client has to give back as they are (RFC 7616 section 3.4).
const GIVEN_BACK: [&str; 3] = ["nonce", "opaque", "realm"];
/// A value that is shorter may begin like another one by accident.
const LONG: usize = 8;

/// The client gives a value back without its end or its beginning: it stopped at a sign that has no meaning within quotes.
fn cut_short(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
    let sent = step.credentials()?;
    let Inside::Digest(_) = &sent.inside else { return None };
    let credentials = sent.credentials()?;
    let asked = scene.steps.iter().rev().skip(1).find(|s| s.offers("digest"))?;
    let (offered, challenge) = asked.challenge("digest")?;
    // Realm and opaque of another challenge than the one that is answered prove nothing.
    let same_nonce = challenge.text("nonce").as_deref() == credentials.text("nonce").as_deref();
    GIVEN_BACK.iter().filter(|name| same_nonce || **name == "nonce").find_map(|name| {
        let (given, back) = (challenge.param(name)?, credentials.param(name)?);
        let (whole, part) = (challenge.text(name)?, credentials.text(name)?);
        let cut = part.len() >= LONG.min(whole.len()) && part.len() < whole.len() && !part.is_empty();
        (cut && (whole.starts_with(&*part) || whole.ends_with(&*part))).then(|| {
            let lost = whole.replacen(&*part, "", 1);
            Claim::new(format!(
                "the client gave the {name} back without {lost:?}: it read the challenge wrongly"
            ))
            .shown([scene.show_in_field(offered.view, offered.field, given.range(), "given")])
            .shown([scene.show_in_field(sent.view, sent.field, back.range(), "given back")])
            .fix(
                Party::Caller,
                "Use another version of the client's parser: within quotes every sign belongs to the value.",
            )
            .confirmed()
        })
    })
}

/// The client gives back the whole list of qop, of which it has to choose one (RFC 7616 section 3.4).
fn whole_list(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
    let sent = step.credentials()?;
    let Inside::Digest(_) = &sent.inside else { return None };
    let text = sent.field.text();
    let lower = text.to_ascii_lowercase();
    let at = lower
        .match_indices("qop")
        .map(|(at, _)| at)
        .find(|at| lower.get(at + 3..).is_some_and(|rest| rest.trim_start().starts_with('=')))?;
    let value = lower.get(at..)?.split_once('=')?.1.trim_start();
    let list: String = value.chars().filter(|c| !c.is_whitespace() && *c != '"').take(14).collect();
    let whole =
        list.starts_with("auth,auth-int") || list.starts_with("auth-int,auth,") || list == "auth-int,auth";
    whole.then(|| {
        Claim::new("the client gave back the whole list of qop, of which it has to choose one")
            .shown([scene.show_in_field(sent.view, sent.field, at..at + 3, "more than one")])
            .fix(Party::Caller, "Use a version of the client's library that chooses one qop from the list.")
            .fix(Party::Server, "Offer one qop only.")
            .or("digest-mismatch", "the same request with qop=auth")
            .confirmed()
    })
}

/// A program ends with an error of its own in what reads challenges, and the challenge is sound.
fn parser_fails(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
    if step.attempt.carries_credentials() || !step.offered.iter().all(|o| o.parsed.strict_ok()) {
        return None;
    }
    let (offered, challenge) = step.challenges().next()?;
    let (source, text, call) =
        scene.texts().find_map(|(source, text)| Some((source, text, call_of_a_parser(&text.to_text())?)))?;
    let claim = Claim::new("the challenge is sound, and the program fails where it reads challenges")
        .shown([scene.show_in_field(offered.view, offered.field, challenge.range.clone(), "this was to be read")])
        .shown([scene.show_part(source, text, call, "the program's own error")])
        .fix(Party::Caller, "Use another version of the program or its library: within quotes every sign, commas too, belongs to the value.")
        .or("no-credentials", "whether the program had credentials to answer with");
    Some(claim.weighing(8).likely())
}

/// Whether a program's own error stands beside a sound challenge.
pub(super) fn fails_at_parsing(scene: &Scene<'_>, step: &Step<'_>) -> bool {
    parser_fails(scene, step).is_some() || scene.heard_of("challenge-misread").next().is_some()
}

/// The line of a stack of calls that names a function that takes challenges apart.
fn call_of_a_parser(text: &str) -> Option<Range<usize>> {
    let mut at = 0;
    text.split_inclusive('\n').take(100).find_map(|whole| {
        let line = whole.trim();
        let begin = at + whole.len() - whole.trim_start().len();
        at += whole.len();
        let lower = line.to_ascii_lowercase();
        let called = lower.starts_with("at ") || lower.starts_with("file ");
        let parser = lower.contains("parse")
            && ["authenticate", "challenge", "digest"].iter().any(|w| lower.contains(w));
        (called && parser).then(|| begin..begin + line.len())
    })
}
