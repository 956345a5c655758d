//! How long something worked, in the words of a program or a person.

use crate::Scene;
use crate::cause::Claim;
use jiff::Timestamp;
use std::ops::Range;
use why401_http::{Speaker, Statement};

/// A claim that a token's time was over: an end that was printed and lies before the refusal, or a story of calls that
/// go well for a time and are refused from then on.
pub(crate) fn over(scene: &Scene<'_>) -> Option<Claim> {
    printed(scene).or_else(|| story(scene))
}

/// Names under which programs print until when something holds, in lower case without `_` and `-`.
const ENDS: &[&str] = &[
    "expirationtimestamp",
    "expiresat",
    "expireson",
    "expiry",
    "expiration",
    "validuntil",
    "tokenexpiry",
    "exp",
];

/// More statements are not held against each other.
const MOST: usize = 200;

fn printed(scene: &Scene<'_>) -> Option<Claim> {
    let all: Vec<(&Statement, String)> =
        scene.statements().take(MOST).map(|s| (s, s.text.to_text().into_owned())).collect();
    let (said, end) =
        all.iter().find_map(|(s, text)| times(text).find(|t| is_end(text, t)).map(|t| (*s, t)))?;
    let (refused, at) = all.iter().find_map(|(s, text)| {
        let refusal = s.status == Some(401) || text.contains("401") || text.contains("nauthorized");
        let own = times(text).find(|t| !is_end(text, t)).map(|t| t.at);
        Some((*s, own.or(s.time.map(|m| m.at)).filter(|at| refusal && *at > end.at)?))
    })?;
    let claim = Claim::new(format!("it held until {}, and the refusal is of {at}", end.at))
        .shown([scene.show_part(said.source, &said.text, end.range, "until then")])
        .shown([scene.show_statement(refused, "refused after that")]);
    Some(Claim { certainty: why401_report::Certainty::Likely, ..claim })
}

/// A time in a text.
struct Time {
    range: Range<usize>,
    at: Timestamp,
}

/// Times with their zone, as RFC 3339 has them.
fn times(text: &str) -> impl Iterator<Item = Time> + '_ {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let mark = text.get(from..)?.find("-")? + from;
            from = mark + 1;
            let Some(start) = mark.checked_sub(4) else { continue };
            let Some(rest) = text.get(start..) else { continue };
            let len = rest
                .find(|c: char| !(c.is_ascii_digit() || matches!(c, '-' | ':' | '.' | 'T' | 'Z' | '+')))
                .unwrap_or(rest.len());
            let Some(word) = rest.get(..len) else { continue };
            if let Ok(at) = word.parse::<Timestamp>() {
                from = start + len;
                return Some(Time { range: start..start + len, at });
            }
        }
    })
}

/// Whether the name before a time says that something ends then.
fn is_end(text: &str, time: &Time) -> bool {
    let before = text.get(..time.range.start).unwrap_or_default();
    let name: String = before
        .trim_end_matches(|c: char| !c.is_alphanumeric())
        .chars()
        .rev()
        .take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
        .filter(char::is_ascii_alphabetic)
        .collect();
    let name: String = name.chars().rev().collect::<String>().to_ascii_lowercase();
    ENDS.contains(&name.as_str())
}

const UNITS: &[&str] = &["second", "minute", "min", "hour", "hr", "day", "week", "month"];
const WELL: &[&str] = &[
    "fixes",
    "initially",
    "at first",
    "noticed",
    "works",
    "worked",
    "working",
    "fine",
    " ok",
    "success",
    "without problem",
    "go through",
];
const THEN: &[&str] = &[
    "after that",
    "then ",
    "until",
    "stops",
    "stopped",
    "starts to",
    "starts failing",
    "start failing",
    "started failing",
    "starts returning",
    "starts throwing",
    "begins to",
    "keeps failing",
];
const CURED: &[&str] = &[
    "restart",
    "started again",
    "start it again",
    "log in again",
    "login again",
    "sign in again",
    "new token",
    "reconnect",
    "reload",
    "refresh",
    "re-login",
    "relogin",
    "authenticate again",
    "reauth",
];

fn story(scene: &Scene<'_>) -> Option<Claim> {
    let persons = || scene.statements().filter(|s| s.speaker == Speaker::Person).take(MOST);
    let has = |list: &[&str], text: &str| list.iter().any(|w| text.contains(w));
    let told = persons().find(|s| spell(&s.text.to_text().to_lowercase()).is_some())?;
    let all = persons().map(|s| s.text.to_text().to_lowercase()).collect::<Vec<_>>().join("\n");
    if !has(WELL, &all) || !has(THEN, &all) {
        return None;
    }
    let claim =
        Claim::new("it goes well for a time and is refused from then on, as with a token whose time is over")
            .shown([scene.show_statement(told, "for a time only")])
            .or("session-expired", "whether a session cookie or a token is sent")
            .weighing(2);
    let certainty =
        if has(CURED, &all) { why401_report::Certainty::Likely } else { why401_report::Certainty::Possible };
    Some(Claim { certainty, ..claim })
}

/// Where a text names a span of time during or after which something happens: `after 15 minutes`, `for an hour`.
fn spell(text: &str) -> Option<Range<usize>> {
    // No number at all.
    let vague =
        ["after a period of time", "after some time", "after a while", "after a certain time", "after a few"];
    if let Some(at) = vague.iter().find_map(|v| text.find(v)) {
        return Some(at..text.len());
    }
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
    words.windows(4).find_map(|w| {
        let [lead, a, b, c] = w else { return None };
        let leads = matches!(
            *lead,
            "after" | "for" | "first" | "every" | "about" | "exactly" | "within" | "approximately" | "around"
        );
        let unit = |w: &str| UNITS.iter().any(|u| w.trim_end_matches('s') == *u);
        let count = |w: &str| {
            w.bytes().all(|b| b.is_ascii_digit())
                || matches!(
                    w,
                    "a" | "an" | "one" | "two" | "few" | "some" | "several" | "about" | "exactly" | "the"
                )
        };
        (leads && count(a) && (unit(b) || count(b) && unit(c))).then_some(0..text.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_told_from_other_times() {
        let text = r#"2026-03-23T23:39:06Z {"expirationTimestamp":"2026-03-23T23:53:05Z","issuedAt":"2026-03-23T23:38:05+00:00"}"#;
        let found: Vec<_> = times(text).map(|t| is_end(text, &t)).collect();
        assert_eq!(found, [false, true, false]);
        assert_eq!(times("2026-13-45 -- 1-2-3 ü-").count(), 0);
    }

    #[test]
    fn spells_are_found() {
        for text in ["the first 15 minutes all is well", "after about an hour", "for 24 hours it works"] {
            assert!(spell(text).is_some(), "{text}");
        }
        for text in ["for the first time", "after the update", "15 minutes", "every user"] {
            assert!(spell(text).is_none(), "{text}");
        }
    }
}
