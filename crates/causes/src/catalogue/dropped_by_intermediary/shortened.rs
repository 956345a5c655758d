//! A token that arrived without its end.

use crate::cause::{Answer, Claim};
use crate::{Scene, Step};
use why401_report::Party;

/// What is shorter is no token that tells two apart.
const LEAST: usize = 16;
/// So many requests are looked at.
const LOOKS: usize = 200;

/// The gateway asks the authorization server about the token (RFC 7662 section 2.1), and names only its beginning.
pub(super) fn in_introspection(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
    let sent = step.credentials()?;
    let value = sent.value();
    let token = value.split_whitespace().nth(1)?;
    let (asked, range) = scene.attempts().take(LOOKS).find_map(|a| {
        let body = a.request()?.body.text();
        let from = if body.starts_with("token=") { 0 } else { body.find("&token=")? + 1 } + "token=".len();
        let rest = body.get(from..)?;
        let named = rest.split(['&', '\r', '\n']).next()?;
        let begins = named.len() >= LEAST && named.len() < token.len() && token.starts_with(named);
        begins.then_some((a, from..from + named.len()))
    })?;
    let request = asked.request()?;
    let claim = Claim::new(format!(
        "the client sent a token of {} characters, and what asks about it names the first {} of them",
        token.len(),
        range.len()
    ))
    .shown([scene.show_field(sent.view, sent.field, "sent by the client")])
    .shown([scene.show_part(asked.view().source, &request.body.bytes, range, "asked about without its end")])
    .fix(
        Party::Intermediary,
        "Let the gateway read the field to its end: a pattern or a limit cuts the token off.",
    );
    let claim = claim.or("token-malformed", "whether the gateway takes tokens of this form");
    // Who pasted it may have cut it: its length tells.
    let length = asked.request_field("content-length").and_then(|f| f.text().trim().parse::<usize>().ok());
    Some(if length == Some(request.body.text().len()) { claim.confirmed() } else { claim.likely() })
}
