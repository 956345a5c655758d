//! Whose request it is, as far as the evidence tells.

use crate::Attempt;
use why401_auth::scheme::ntlm::Message;
use why401_auth::{Inside, inside, parse_credentials};

/// Shorter names are taken as they stand.
const SHORTEST: usize = 8;

/// A user name of a log as it may be shown: where a pair was encoded twice, the name column holds the password too.
pub fn named(name: &str) -> String {
    // No pair is as short, encoded.
    if name.len() < SHORTEST {
        return name.to_owned();
    }
    let basic = why401_auth::scheme::basic::read(name.as_bytes(), 0..name.len());
    let printable = basic.text.expose().iter().all(|b| (0x20..0x7f).contains(b));
    let encoded = basic.problem(why401_auth::ProblemKind::NotEncoded).is_none();
    match &basic.password {
        Some(p) if encoded && printable && !p.is_empty() && !basic.user.is_empty() => basic.user_shown(),
        _ => name.to_owned(),
    }
}

/// The user of an attempt: as a log shows it, or as its Basic, Digest or NTLM credentials name it.
pub(crate) fn of(a: &Attempt) -> Option<String> {
    if let Some(name) = a.logged_name() {
        return Some(named(&name));
    }
    let field = a.request_field("authorization").or_else(|| a.request_field("proxy-authorization"))?;
    let parsed = parse_credentials(field.value.as_bytes());
    match inside::of(field.value.as_bytes(), parsed.value.first()?) {
        Inside::Basic(basic) => Some(basic.user_shown()).filter(|u| !u.is_empty()),
        Inside::Digest(digest) => digest.username,
        Inside::Negotiate(message) => match &message.token.ntlm()?.message {
            Message::Authenticate(a) if a.domain.is_empty() => Some(a.user.clone()),
            Message::Authenticate(a) => Some(format!("{}\\{}", a.domain, a.user)),
            _ => None,
        },
        _ => None,
    }
}
