//! Secrets in the fields of a message.

use crate::names::{FieldKind, Secrecy, field_kind, secrecy};
use crate::pairs::{Pair, auth_params, cookies};
use crate::ranges::{Ranges, find, part, skip_blanks, trimmed};
use crate::words::{in_prose, is_scheme};
use crate::{is_placeholder, secrets_in_target, spoken, text};
use std::ops::Range;

/// The secrets in the value of a field of this name.
///
/// Of `Authorization` all after the scheme, but of Digest only the answer (RFC 7616 section 3.4), of AWS Signature
/// Version 4 the signature and most of the key id, of OAuth 1.0 token and signature (RFC 5849 section 3.5.1). Of cookies
/// the values. Of challenges only what Negotiate and NTLM carry: a nonce is no secret.
pub fn secrets_in_field(name: &str, value: &str) -> Vec<Range<usize>> {
    let mut found = Ranges::default();
    match field_kind(name) {
        FieldKind::Credentials => credentials(value, 0..value.len(), &mut found),
        FieldKind::Challenge => challenge(value, &mut found),
        FieldKind::Info => {
            hide_params(value, 0..value.len(), |n| matches!(n, "rspauth" | "cnonce"), &mut found);
        }
        FieldKind::Cookie => {
            for Pair { value: range, .. } in cookies(value) {
                hide_value(value, range, &mut found);
            }
        }
        FieldKind::SetCookie => set_cookie(value, &mut found),
        FieldKind::Secret => {
            let start = skip_blanks(value, 0);
            let word = find(value, start, char::is_whitespace);
            if is_scheme(part(value, start..word)) && word < value.len() {
                credentials(value, start..value.len(), &mut found);
            } else {
                hide(value, 0..value.len(), &mut found);
            }
        }
        FieldKind::Address => found.add_all(0, secrets_in_target(value)),
        FieldKind::Plain => text::scan(value, &mut found),
    }
    found.finish()
}

/// Credentials (RFC 9110 section 11.4), several in one field too: everything but what their scheme shows by design.
fn credentials(value: &str, range: Range<usize>, found: &mut Ranges) {
    let mut starts = scheme_starts(value, range.clone());
    if starts.first() != Some(&range.start) {
        starts.insert(0, range.start);
    }
    starts.push(range.end);
    for (start, end) in starts.iter().zip(starts.iter().skip(1)) {
        one_credentials(value, *start..*end, found);
    }
}

/// Where a scheme begins: at the beginning, or behind a comma outside quotes.
fn scheme_starts(value: &str, range: Range<usize>) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut fresh = true;
    let mut quoted = false;
    let mut at = range.start;
    while at < range.end {
        match part(value, at..at + 1) {
            "\"" => (quoted, fresh) = (!quoted, false),
            "," if !quoted => fresh = true,
            " " | "\t" => {}
            _ if fresh && !quoted => {
                fresh = false;
                let end = find(value, at, |c| c.is_whitespace() || matches!(c, ',' | '=' | '"'));
                let whole_word = !matches!(part(value, end..end + 1), "=" | "\"");
                if whole_word && is_scheme(part(value, at..end)) {
                    starts.push(at);
                }
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    starts
}

fn one_credentials(value: &str, range: Range<usize>, found: &mut Ranges) {
    let mut at = range.start;
    let mut scheme = "";
    // A scheme may stand twice, or the name of the field before it.
    while at < range.end {
        let start = skip_blanks(value, at);
        let end = find(value, start, |c| c.is_whitespace() || c == ',').min(range.end);
        let word = part(value, start..end);
        let name_of_field = word.strip_suffix(':').is_some_and(|n| field_kind(n) == FieldKind::Credentials);
        if !is_scheme(word) && !name_of_field {
            break;
        }
        if is_scheme(word) {
            scheme = word;
        }
        at = end.max(at + 1);
    }
    let scheme = scheme.to_ascii_lowercase();
    let rest = at..range.end;
    match scheme.as_str() {
        "digest" => {
            let uris =
                auth_params(part(value, rest.clone())).into_iter().filter(|p| name_is(value, at, p, "uri"));
            for pair in uris {
                let start = at + pair.value.start;
                found.add_all(start, secrets_in_target(part(value, start..at + pair.value.end)));
            }
            hide_params(value, rest, |n| matches!(n, "response" | "cnonce"), found);
        }
        "oauth" => {
            hide_params(
                value,
                rest,
                |n| matches!(n, "oauth_token" | "oauth_signature" | "oauth_verifier"),
                found,
            );
        }
        "hawk" | "mac" => hide_params(value, rest, |n| matches!(n, "mac" | "hash"), found),
        "signature" | "hmac" => hide_params(value, rest, |n| n.contains("signature"), found),
        "vapid" => hide_params(value, rest, |n| n == "t", found),
        s if s.starts_with("aws4-") || s.starts_with("goog4-") => aws(value, rest, found),
        _ => hide(value, rest, found),
    }
}

fn name_is(value: &str, base: usize, pair: &Pair, name: &str) -> bool {
    part(value, base + pair.name.start..base + pair.name.end).eq_ignore_ascii_case(name)
}

/// Hides the values of the parameters whose name (in lower case) is said to be secret; all, where there are none.
fn hide_params(value: &str, range: Range<usize>, secret: impl Fn(&str) -> bool, found: &mut Ranges) {
    let pairs = auth_params(part(value, range.clone()));
    if pairs.is_empty() {
        return hide(value, range, found);
    }
    for Pair { name, value: at } in pairs {
        let name = part(value, range.start + name.start..range.start + name.end).to_ascii_lowercase();
        let inside = range.start + at.start..range.start + at.end;
        if secret(&name) && !is_placeholder(part(value, inside.clone())) {
            found.add(inside);
        }
    }
}

/// AWS Signature Version 4: `Credential=KEYID/date/region/service/aws4_request, SignedHeaders=..., Signature=...`.
fn aws(value: &str, range: Range<usize>, found: &mut Ranges) {
    hide_params(value, range.clone(), |n| n == "signature", found);
    let pairs = auth_params(part(value, range.clone()));
    if let Some(pair) = pairs.iter().find(|p| name_is(value, range.start, p, "credential")) {
        let start = range.start + pair.value.start;
        let id = find(value, start, |c| c == '/').min(range.start + pair.value.end);
        // `AKIA` or `ASIA` tells a lasting key from a temporary one.
        found.add((start + 4).min(id)..id);
    }
}

/// Hides a value but for white space, controls, commas and quotes around it, which may be what is wrong with it.
fn hide(value: &str, range: Range<usize>, found: &mut Ranges) {
    let text = part(value, range.clone());
    if is_placeholder(text) {
        return;
    }
    let edge =
        |c: char| open_char(c) || matches!(c, ',' | '"' | '\'' | '<' | '>' | '`' | '“' | '”' | '‘' | '’');
    let start = range.start + (text.len() - text.trim_start_matches(edge).len());
    let end = start + text.trim_matches(edge).len();
    let mut from = start;
    for (i, c) in part(value, start..end).char_indices() {
        if open_char(c) {
            found.add(from..start + i);
            from = start + i + c.len_utf8();
        }
    }
    found.add(from..end);
}

/// White space, controls and characters that nobody sees.
fn open_char(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}')
}

fn hide_value(value: &str, range: Range<usize>, found: &mut Ranges) {
    if !is_placeholder(part(value, range.clone())) {
        found.add(range);
    }
}

/// A challenge shows all, but for tickets and for a secret of the request that a careless server repeats.
fn challenge(value: &str, found: &mut Ranges) {
    blobs(value, found);
    spoken::find_in(value, found);
    for Pair { name, value: range } in auth_params(value) {
        let is_secret = secrecy(part(value, name)) == Secrecy::Strong;
        let said = part(value, range.clone());
        if is_secret && said.len() >= 8 && !in_prose(said) {
            hide_value(value, range, found);
        }
    }
}

/// What Negotiate and NTLM carry in a challenge (RFC 4559 section 4.1).
fn blobs(value: &str, found: &mut Ranges) {
    let mut at = 0;
    while at < value.len() {
        let start = find(value, at, |c| !c.is_whitespace() && c != ',');
        let end = find(value, start, |c| c.is_whitespace() || c == ',');
        let word = part(value, start..end);
        if ["negotiate", "ntlm", "kerberos"].iter().any(|s| word.eq_ignore_ascii_case(s)) {
            let blob = skip_blanks(value, end);
            let blob_end = find(value, blob, |c| c.is_whitespace() || c == ',');
            let text = part(value, blob..blob_end);
            let bare = text.trim_end_matches('=');
            if bare.len() >= 8 && !bare.contains('=') {
                found.add(blob..blob_end);
            }
            at = blob.max(end + 1);
        } else {
            at = end.max(at + 1);
        }
    }
}

/// The values of cookies, not those of their attributes (RFC 6265 section 4.1.1, RFC 6265bis).
fn set_cookie(value: &str, found: &mut Ranges) {
    const ATTRIBUTES: &[&str] = &[
        "expires",
        "max-age",
        "domain",
        "path",
        "secure",
        "httponly",
        "samesite",
        "priority",
        "partitioned",
        "version",
        "comment",
    ];
    for (i, Pair { name, value: range }) in cookies(value).into_iter().enumerate() {
        let name = part(value, name);
        let bare =
            name.is_empty() && ATTRIBUTES.iter().any(|a| part(value, range.clone()).eq_ignore_ascii_case(a));
        let attribute = i > 0 && (bare || ATTRIBUTES.iter().any(|a| name.eq_ignore_ascii_case(a)));
        if !attribute {
            hide_value(value, trimmed(value, range), found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(name: &str, value: &str) -> String {
        let hidden = secrets_in_field(name, value);
        why401_span::mask(value, |i| hidden.iter().any(|r| r.contains(&i)))
    }

    #[test]
    fn of_credentials_the_scheme_is_seen() {
        assert_eq!(masked("authorization", "Basic QTpC"), "Basic ••••");
        assert_eq!(masked("Authorization", "Bearer Bearer abcd"), "Bearer Bearer ••••");
        assert_eq!(masked("Authorization", "Authorization: Bearer abcd"), "Authorization: Bearer ••••");
        assert_eq!(masked("Authorization", "hunter2"), "•••••••");
        assert_eq!(masked("Authorization", "Bearer"), "Bearer");
        assert_eq!(masked("Authorization", "Bearer undefined"), "Bearer undefined");
        assert_eq!(masked("Authorization", "Basic QTpC, Bearer abcd"), "Basic ••••, Bearer ••••");
        assert_eq!(masked("Autorization", "Token abcd"), "Token ••••");
        assert_eq!(masked("Authorization", "Negotiate YIIabc=="), "Negotiate ••••••••");
        assert_eq!(masked("Authorization", "Basic alice:hunter2"), "Basic •••••••••••••");
    }

    #[test]
    fn stray_characters_stay_visible() {
        assert_eq!(masked("Authorization", "Bearer \"abcd\n\""), "Bearer \"••••\n\"");
        assert_eq!(masked("Authorization", "Bearer ab\u{200b}cd"), "Bearer ••\u{200b}••");
    }

    #[test]
    fn of_digest_only_the_answer_is_secret() {
        assert_eq!(
            masked(
                "Authorization",
                r#"Digest username="al", uri="/p?token=ab", nonce="n", response="12", cnonce=cc, qop=auth"#
            ),
            r#"Digest username="al", uri="/p?token=••", nonce="n", response="••", cnonce=••, qop=auth"#
        );
    }

    #[test]
    fn of_signatures_the_scope_is_seen() {
        assert_eq!(
            masked(
                "Authorization",
                "AWS4-HMAC-SHA256 Credential=AKIAXYZ/20260101/eu/s3/aws4_request, Signature=abcd"
            ),
            "AWS4-HMAC-SHA256 Credential=AKIA•••/20260101/eu/s3/aws4_request, Signature=••••"
        );
        assert_eq!(
            masked(
                "Authorization",
                r#"OAuth oauth_consumer_key="c", oauth_token="tt", oauth_signature="ss""#
            ),
            r#"OAuth oauth_consumer_key="c", oauth_token="••", oauth_signature="••""#
        );
    }

    #[test]
    fn of_cookies_names_and_attributes_are_seen() {
        assert_eq!(masked("Cookie", "a=xyz; lang=de"), "a=•••; lang=••");
        assert_eq!(
            masked("Set-Cookie", "sid=xyz; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Path=/; HttpOnly"),
            "sid=•••; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Path=/; HttpOnly"
        );
        assert_eq!(masked("Set-Cookie", "sid=; Max-Age=0"), "sid=; Max-Age=0");
        assert_eq!(masked("Set-Cookie", "a=1; Path=/\nb=2; Secure"), "a=•; Path=/\nb=•; Secure");
    }

    #[test]
    fn challenges_are_no_secret_but_for_tickets() {
        let digest = r#"Digest realm="r", nonce="Zk3Tq9LmW2xVb7NcR4sYp8HdJ6gFa1Qe", qop="auth""#;
        assert_eq!(masked("WWW-Authenticate", digest), digest);
        assert_eq!(
            masked("WWW-Authenticate", "NTLM TlRMTVNTUAAC, Basic realm=\"x\""),
            "NTLM ••••••••••••, Basic realm=\"x\""
        );
        assert_eq!(masked("WWW-Authenticate", "Negotiate, NTLM"), "Negotiate, NTLM");
        assert_eq!(
            masked(
                "WWW-Authenticate",
                r#"Bearer token="a1b2c3d4e5", error_description="bad token a1b2c3d4e5f6""#
            ),
            r#"Bearer token="••••••••••", error_description="bad token ••••••••••••""#
        );
        assert_eq!(
            masked("Authentication-Info", r#"rspauth="ab", nextnonce="cd""#),
            r#"rspauth="••", nextnonce="cd""#
        );
    }

    #[test]
    fn other_fields_by_name() {
        assert_eq!(masked("X-Api-Key", "abc"), "•••");
        assert_eq!(masked("X-Auth-Token", "Bearer abc"), "Bearer •••");
        assert_eq!(masked("Location", "https://h/cb?code=a1b2c&state=s"), "https://h/cb?code=•••••&state=s");
        assert_eq!(masked("Server", "nginx/1.22"), "nginx/1.22");
    }
}
