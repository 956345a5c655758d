//! The same request was refused, and let in once a rule that hands the field on had been put in.

use super::advise;
use crate::cause::{Answer, Claim};
use crate::{Scene, Step};
use why401_history::Attempt;

/// What hands the field on (Apache mod_rewrite, mod_setenvif and core; mod_wsgi; nginx's ngx_http_proxy_module and
/// ngx_http_fastcgi_module).
const HANDS_ON: &[&str] = &[
    "e=http_authorization:",
    "setenvif authorization",
    "setenvifnocase authorization",
    "cgipassauth on",
    "wsgipassauthorization on",
    "proxy_set_header authorization $http_authorization",
    "proxy_pass_header authorization",
    "fastcgi_param http_authorization $http_authorization",
    "fastcgi_pass_header authorization",
];

/// A rule was added, as diff(1) shows it, and the same credentials for the same request are let in with it.
pub(super) fn by_a_rule(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
    let sent = step.credentials()?;
    let good = scene
        .accepted_with(sent.field.value.as_bytes())
        .find(|a| a.id > step.attempt.id && same_request(a, step.attempt))?;
    let (source, text, range) = scene.texts().find_map(|(source, text)| {
        let plain = text.to_text().to_ascii_lowercase();
        let at = HANDS_ON.iter().find_map(|rule| added(&plain, rule))?;
        Some((source, text, at))
    })?;
    let claim = Claim::new("the same credentials are let in since a rule hands the field on to the program")
        .shown([scene.show_field(sent.view, sent.field, "refused here")])
        .shown([scene.show_status(good.view(), good.response()?, "let in with the same credentials")])
        .shown([scene.show_part(source, text, range, "this rule was added")]);
    Some(advise(claim).or("server-misconfigured", "what else was changed at the same time").confirmed())
}

fn same_request(a: &Attempt, b: &Attempt) -> bool {
    a.method() == b.method() && a.target() == b.target()
}

/// Where a rule stands in a line that was added (`> ` of a plain diff, `+` of a unified one).
fn added(text: &str, rule: &str) -> Option<std::ops::Range<usize>> {
    text.match_indices(rule).find_map(|(at, _)| {
        let line = text.get(..at)?.rsplit('\n').next()?.trim_start();
        line.starts_with(['>', '+']).then_some(at..at + rule.len())
    })
}
