//! Something came along with the secret.

use crate::cause::{Answer, Claim, cause};
use crate::reading::{dumped, litter};
use crate::{Scene, Step};
use why401_auth::base64::{self, Alphabet};
use why401_auth::{Inside, Problem, ProblemKind as P};
use why401_http::{Exchange, FieldLine};
use why401_report::Party;

cause! {
    /// A line break, space, quote, BOM or invisible character came along with the user name, password or token.
    ///
    /// # What happened
    /// The secret was copied or made with something attached: `echo` adds a line break, a file ends with one, a shell
    /// keeps the quotes, a web page puts a no-break space before the token.
    ///
    /// # How it is decided
    /// By the bytes of the field, decoded. A password may end with a space on purpose, so outer spaces are likely only; a
    /// line break, a byte order mark or an invisible character is certain.
    ///
    /// # Who acts
    /// Whoever writes or configures the client.
    ///
    /// # What to do
    /// Use `printf '%s'` instead of `echo`, trim what is read from files and variables, paste as plain text.
    ///
    /// # Evidence needed
    /// The request as it was sent.
    ///
    /// # Not to be confused with
    /// basic-malformed: the value does not decode at all.
    ///
    /// # References
    /// RFC 7617 section 2 (control characters are not allowed in user-id and password); RFC 6750 section 2.1.
    pub StrayCharacters = "stray-characters" in Unreadable, Fault by Caller,
        over ["credentials-refused", "wrong-password", "unknown-user", "token-malformed", "near-miss-credentials", "token-revoked", "login-redirect"]
}

const CERTAIN: &[P] =
    &[P::LineBreak, P::ByteOrderMark, P::Invisible, P::ControlCharacter, P::OddSpace, P::Quotes];
const LIKELY: &[P] = &[P::OuterSpace, P::Typographic];

impl StrayCharacters {
    fn detect(scene: &Scene<'_>) -> Answer {
        let told = || {
            match litter::around(scene).or_else(|| dumped::line_end(scene)) {
            Some((shown, what)) => Claim::new(format!("something came along with the secret: {what}"))
                .shown([shown])
                .fix(Party::Caller, "Use the secret alone, without what a terminal, a file or a string's notation put around it.")
                .or("credentials-refused", "the request as it was sent: curl -v")
                .likely(),
            None => scene.told("stray-characters", "a character came along that does not belong to the secret"),
        }
        };
        let Some(step) = scene.refused() else { return told() };
        for sent in &step.sent {
            if let Some(colon) = sent.parsed.problem(P::SchemeColon) {
                return Claim::new("a colon stands behind the scheme, where a space belongs")
                    .shown([scene.show_in_field(
                        sent.view,
                        sent.field,
                        colon.range.clone(),
                        "not part of the field",
                    )])
                    .fix(
                        Party::Caller,
                        "Write the scheme, one space and the secret: `Authorization: Bearer SECRET`.",
                    )
                    .or("credentials-refused", "the same without the colon")
                    .likely();
            }
            let problems: &[Problem] = match &sent.inside {
                // A key as it is, with a character that base64 does not have: decoded it is noise.
                Inside::Basic(basic) if basic.problem(P::NoColon).is_some() && sent.value().contains('_') => {
                    continue;
                }
                Inside::Basic(basic) => &basic.problems,
                Inside::Token(token) => &token.problems,
                _ => continue,
            };
            let find = |kinds: &[P]| problems.iter().find(|p| kinds.contains(&p.kind));
            let (problem, sure) = match (find(CERTAIN), find(LIKELY)) {
                (Some(p), _) => (p, true),
                (None, Some(p)) => (p, false),
                _ => continue,
            };
            let claim = Claim::new(format!("something came along with the secret: {}", problem.what))
                .shown([scene.show_in_field(sent.view, sent.field, problem.range.clone(), problem.what.clone())])
                .fix_by(
                    Party::Caller,
                    "Make the value without what came along: printf adds nothing, echo adds a line break; trim what is read from a file or a variable.",
                    "printf '%s' 'USER:PASSWORD' | base64 -w0",
                );
            return if sure {
                claim.confirmed()
            } else {
                claim.or("wrong-password", "whether the secret really has this character").likely()
            };
        }
        if let Some(claim) = broken_off(scene, step) {
            return claim.likely();
        }
        if let Some(claim) = quoted_key(step, scene).or_else(|| in_query(step, scene)) {
            return claim.confirmed();
        }
        if let Some(claim) = within_base64(scene, step) {
            return claim.confirmed();
        }
        for name in KEYS {
            let Some((view, field)) = step.request_field(name) else { continue };
            let problems = why401_auth::stray::find(field.value.as_bytes(), "the key");
            if let Some(problem) = problems.iter().find(|p| CERTAIN.contains(&p.kind)) {
                return Claim::new(format!("something came along with the key: {}", problem.what))
                    .shown([scene.show_in_field(view, field, problem.range.clone(), problem.what.clone())])
                    .fix(Party::Caller, "Send the key alone: trim what is read from a file or a variable.")
                    .confirmed();
            }
        }
        told()
    }
}

/// A line of the request that is no field and stands behind the one with the secret: a line break in it.
fn broken_off(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let sent = step.credentials().filter(|s| s.scheme() != "basic" && !s.field.value.is_empty())?;
    let mut fields = step.request()?.1.fields.iter();
    fields.find(|f| std::ptr::eq(*f, sent.field))?;
    let rest = fields.next().filter(|f| f.name.is_empty() && !f.value.is_empty())?;
    let claim = Claim::new("a line break stands in the secret: its rest is on a line that is no field")
        .shown([scene.show_field(sent.view, sent.field, "the first part only")])
        .shown([scene.show_field(sent.view, rest, "the rest")])
        .fix(
            Party::Caller,
            "Make the value one line: `base64 -w0`, or without the line breaks that it was copied with.",
        );
    Some(claim.or("credentials-refused", "whether the line is broken in the request as well"))
}

/// `id:key` in base64, as Elasticsearch's ApiKey has it, with a line break behind the key.
fn within_base64(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let sent = step.sent.iter().find(|s| !s.proxy)?;
    let Inside::Token(token) = &sent.inside else { return None };
    let text = token.text.expose_text();
    let decoded = base64::decode(text.as_bytes(), 0..text.len(), Alphabet::Standard);
    let bytes = decoded.bytes.expose();
    let (rest, last) = (bytes.get(..bytes.len().checked_sub(1)?)?, bytes.last()?);
    let pair = rest.contains(&b':') && rest.iter().all(u8::is_ascii_graphic);
    (pair && matches!(last, b'\n' | b'\r')).then(|| {
        Claim::new("something came along with the key: decoded, it ends in a line break")
            .shown([scene.show_in_field(sent.view, sent.field, token.range.clone(), "ends in a line break")])
            .fix_by(
                Party::Caller,
                "Encode it without the line break: printf adds none, echo does.",
                "printf '%s' 'ID:KEY' | base64 -w0",
            )
    })
}

/// Fields that hold a key.
const KEYS: [&str; 6] = ["x-api-key", "api-key", "apikey", "x-auth-token", "x-access-token", "private-token"];

/// A key that kept the quotes, or the backslash at the end of the line, of the command that it was copied from.
fn quoted_key(step: &Step<'_>, scene: &Scene<'_>) -> Option<Claim> {
    let named = KEYS.iter().find_map(|name| step.request_field(name));
    let (view, field) = named.or_else(|| of_a_service(step))?;
    let value = field.value.as_bytes();
    let (first, last) = (value.first()?, value.last()?);
    let quote = matches!(first, b'\'' | b'"' | b'`');
    let range = if quote { 0..1 } else { value.len() - 1..value.len() };
    (value.len() > 8 && (quote || *last == b'\\')).then(|| {
        Claim::new(
            "something came along with the key: quotes or a backslash of the command that it was copied from",
        )
        .shown([scene.show_in_field(view, field, range, "no part of the key")])
        .fix(Party::Caller, "Send the key alone, without what a shell's line has around it.")
    })
}

/// A field that a service has named after itself: `DATALAB-API-KEY`.
fn of_a_service<'a>(step: &Step<'a>) -> Option<(&'a Exchange, &'a FieldLine)> {
    let (view, request) = step.request()?;
    let is_key = |f: &&FieldLine| {
        let name = f.name.to_text().to_ascii_lowercase();
        ["api-key", "apikey", "api_key", "-token"].iter().any(|end| name.ends_with(end))
            && crate::elsewhere::is_secret(&name)
    };
    request.fields.iter().find(is_key).map(|field| (view, field))
}

/// A key in the query that ends in an encoded blank, line break or quote.
fn in_query(step: &Step<'_>, scene: &Scene<'_>) -> Option<Claim> {
    let (view, request) = step.request()?;
    let line = request.line.to_text();
    let (at, _) = line.match_indices(['?', '&']).find(|(at, _)| {
        let pair = line.get(at + 1..).unwrap_or_default();
        let name = pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
        ["key", "token", "apikey", "api_key", "access_token", "api-key"].contains(&name.as_str())
    })?;
    let pair = line.get(at + 1..)?.split(['&', ' ', '#']).next()?;
    let value = pair.split_once('=')?.1;
    let lower = value.to_ascii_lowercase();
    let stray = ["%20", "%0a", "%0d", "%22", "%27", "%09"]
        .into_iter()
        .find(|s| lower.ends_with(s) || lower.starts_with(s))?;
    let from = at + 1 + pair.find('=')? + 1;
    let place =
        if lower.ends_with(stray) { from + value.len() - 3..from + value.len() } else { from..from + 3 };
    (value.len() > 8).then(|| {
        Claim::new(format!("something came along with the key in the address: {stray}"))
            .shown([scene.show_part(view.source, &request.line, place, "no part of the key")])
            .fix(Party::Caller, "Send the key alone: trim what is read from a field, a file or a variable.")
    })
}
