//! Another program's own log, pasted along, shows the same secret in a field of its own, and that it was let in.

use crate::cause::Claim;
use crate::elsewhere::is_secret;
use crate::reading::lines_at;
use crate::{Scene, Step, moved};
use std::ops::Range;
use why401_http::FactKind;

/// So many texts, and lines of one, are looked through.
const TEXTS: usize = 50;
const LINES: usize = 2_000;
/// So many lines behind a field may the answer stand.
const NEAR: usize = 8;
/// A secret is so long, and so much of it is left where a log masks the rest.
const SECRET: usize = 16;
const LEFT: usize = 4;

/// The secret of `Authorization` in another field of a request that a log tells of and that was let in.
pub(super) fn let_in_elsewhere(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let sent = step.credentials().filter(|s| !s.proxy && s.basic().is_none())?;
    let value = sent.value();
    let secret = value.rsplit(' ').next().filter(|s| s.len() >= SECRET)?;
    let given = scene.case.facts.iter().filter(|f| f.kind == FactKind::Pasted).take(TEXTS);
    let (fact, (range, name)) =
        given.into_iter().find_map(|fact| Some((fact, in_text(&fact.text.to_text(), secret)?)))?;
    let claim = Claim::new(format!(
        "the secret was refused in Authorization, and another program gets in with it in the field {name}"
    ))
    .shown([scene.show_field(sent.view, sent.field, "refused here")])
    .shown([scene.show_part(fact.source, &fact.text, range, "let in with this")])
    .or("wrong-token-type", "whether Authorization takes another kind of token at this server");
    // It says more than a wording that is given for every token that is not known.
    Some(moved::advise(claim, &name).weighing(20))
}

/// The field line, and its name.
fn in_text(text: &str, secret: &str) -> Option<(Range<usize>, String)> {
    let lines = lines_at(text, LINES);
    lines.iter().enumerate().find_map(|(i, (start, line))| {
        let (name, value) = line.split_once(':')?;
        let name = name.trim().trim_start_matches(['>', ' ', '"', '\'']).trim_end_matches(['"', '\'']);
        let lower = name.to_ascii_lowercase();
        let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        let for_secrets = is_name && is_secret(&lower) && lower != "authorization" && lower != "cookie";
        let behind = || lines.iter().skip(i + 1).take(NEAR).map(|(_, line)| *line);
        let end = start + line.trim_end().len();
        (for_secrets && is_it(value, secret) && is_let_in(behind())).then(|| (*start..end, name.to_owned()))
    })
}

/// Whether a value is the secret, or its begin with the rest masked: `Vq3n***`, `Vq3n...`, `Vq3n…`.
fn is_it(value: &str, secret: &str) -> bool {
    let value = value.trim().trim_matches(|c| matches!(c, '"' | '\'' | ','));
    let cut = value.find(['*', '…', '•']).or_else(|| value.find("...")).or_else(|| value.find("[redacted"));
    match cut {
        Some(cut) => value.get(..cut).is_some_and(|left| left.len() >= LEFT && secret.starts_with(left)),
        None => value == secret,
    }
}

/// Whether the first status that follows is one of success (RFC 9110 section 15.3).
fn is_let_in<'l>(lines: impl Iterator<Item = &'l str>) -> bool {
    let mut statuses = lines.flat_map(|line| {
        line.split(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != ':' && c != '-').filter_map(|w| {
            let status = w.parse::<u16>().ok().filter(|_| w.len() == 3);
            status.filter(|s| (200..600).contains(s))
        })
    });
    statuses.next().is_some_and(|s| s < 300)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masked_secret_is_known_by_its_begin() {
        let secret = "Kd81mQzT4vLw0pXy";
        let name = |text: &str| in_text(text, secret).map(|(_, name)| name);
        let own = |name: &str| Some(name.to_owned());
        assert_eq!(name("GET /api/me\n  X-Api-Key: Kd81***\n200 OK id=1\n"), own("X-Api-Key"));
        assert_eq!(
            name("> x-auth-token: Kd81mQzT4vLw0pXy\n< HTTP/1.1 204 No Content\n"),
            own("x-auth-token")
        );
        for none in [
            "GET /api/me\n  X-Api-Key: Zz81***\n200 OK\n",
            "GET /api/me\n  X-Api-Key: Kd81***\n401 Unauthorized\n200 OK\n",
            "GET /api/me\n  X-Request-Id: Kd81***\n200 OK\n",
            "GET /api/me\n  X-Api-Key: K***\n200 OK\n",
        ] {
            assert_eq!(name(none), None, "{none}");
        }
    }
}
