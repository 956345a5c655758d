//! Whose request it is, as far as the evidence tells.

use crate::Attempt;
use why401_auth::scheme::ntlm::Message;
use why401_auth::{Inside, inside, parse_credentials};

/// The user of an attempt: as a log shows it, or as its Basic, Digest or NTLM credentials name it.
pub(crate) fn of(a: &Attempt) -> Option<String> {
    if let Some(name) = a.logged_name() {
        return Some(name.into_owned());
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
