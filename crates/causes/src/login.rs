//! Calls by which a client logs in: user name and password are in the content, so a log shows no user for them.

use crate::Step;
use crate::cause::Claim;
use crate::scene::{Scene, same_client, same_server};
use why401_history::Attempt;
use why401_http::path_of;

/// So many requests before a refusal are looked at for a login.
const NEAR: usize = 100;

/// Segments of a path that end in a login.
const LOGINS: &[&str] = &[
    "login",
    "log-in",
    "log_in",
    "signin",
    "sign-in",
    "sign_in",
    "authenticate",
    "authenticatebyname",
    "logon",
    "session_login.cgi",
    "login.cgi",
    "login.php",
    "wp-login.php",
    "j_security_check",
    "loginaccount",
    "userlogin",
];

/// Whether a request is a login by its method and path: `POST /api/auth/login`, `POST /sign-in/email`.
pub(crate) fn is_call(attempt: &Attempt) -> bool {
    let post = attempt.method().is_some_and(|m| m.eq_ignore_ascii_case("POST"));
    post && attempt.target().is_some_and(|t| {
        let path = path_of(&t).to_ascii_lowercase();
        path.ends_with("/auth/password")
            || path.rsplit('/').filter(|s| !s.is_empty()).take(2).any(|s| LOGINS.contains(&s))
    })
}

/// The login of the same client at the same server that was accepted last before this.
pub(crate) fn accepted_before<'a>(scene: &Scene<'a>, step: &Step<'a>) -> Option<&'a Attempt> {
    let mut near = scene.earlier().take(NEAR);
    near.find(|a| {
        matches!(a.status(), Some(200..=299))
            && is_call(a)
            && same_client(a, step.attempt)
            && same_server(a, step.attempt)
    })
}

/// A refused login that only a log shows.
pub(crate) fn in_log(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let attempt = step.attempt;
    if step.status() != Some(401)
        || attempt.shows_credentials()
        || attempt.logged_name().is_some()
        || !is_call(attempt)
    {
        return None;
    }
    let (view, log) = attempt.views.iter().find_map(|v| v.log.as_ref().map(|l| (v, l)))?;
    Some(
        Claim::new(
            "a login was refused; the user name and password are in its content, which the log does not show",
        )
        .shown([scene.show_part(view.source, &log.line, 0..log.line.len(), "the login, refused")]),
    )
}
