//! Which issuer and audience a service is set up to trust, by its settings among what was pasted, and the claims of a token
//! that was decoded there.
//!
//! Settings carry many names: `issuer-uri` (Spring), `Authority`, `ValidIssuer`, `ValidAudience` (ASP.NET), `openid-config`
//! (Azure API Management), `--oidc-issuer-url` (Kubernetes), `JWT_ISSUER` (an environment). All of them end in the same few
//! words.

use crate::Scene;
use std::ops::Range;
use why401_auth::token::jwt;
use why401_http::{Fact, FactKind};

/// More settings of one evidence are not held against a token.
const MOST: usize = 40;

/// What is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Issuer,
    Audience,
}

/// A value that stands under such a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Value {
    pub(crate) text: String,
    pub(crate) range: Range<usize>,
    /// Whether it is held against the claim letter by letter (RFC 7519 section 2, StringOrURI): an issuer by that name is, an address
    /// where its metadata is looked up is not.
    pub(crate) exact: bool,
}

/// Values in a piece of evidence.
pub(crate) struct Found<'a> {
    pub(crate) fact: &'a Fact,
    pub(crate) value: Value,
}

/// What the settings in the evidence trust.
pub(crate) fn settings<'a>(scene: &Scene<'a>, what: What) -> Vec<Found<'a>> {
    texts(scene)
        .flat_map(|(fact, text)| of_settings(&text, what).into_iter().map(move |value| Found { fact, value }))
        .take(MOST)
        .collect()
}

/// The claim of a token that was decoded, or given as it is, among what was pasted.
pub(crate) fn claimed<'a>(scene: &Scene<'a>, what: What) -> Vec<Found<'a>> {
    texts(scene)
        .flat_map(|(fact, text)| of_claims(&text, what).into_iter().map(move |value| Found { fact, value }))
        .take(MOST)
        .collect()
}

fn texts<'a>(scene: &Scene<'a>) -> impl Iterator<Item = (&'a Fact, String)> + use<'a> {
    scene.case.facts.iter().filter(|f| f.kind == FactKind::Pasted).map(|f| (f, f.text.to_text().into_owned()))
}

/// The endings of names of settings, without anything but letters and digits.
fn names(name: &str, what: What) -> bool {
    let plain: String =
        name.chars().filter(|c| c.is_ascii_alphanumeric()).collect::<String>().to_ascii_lowercase();
    match what {
        What::Issuer => {
            let ends = [
                "issuer",
                "issuers",
                "issueruri",
                "issuerurl",
                "issuerbaseurl",
                "authority",
                "openidconfigurl",
                "metadataaddress",
                "discoveryurl",
                "discoveryendpoint",
                "oidcissuerurl",
                "issuerlocal",
                "authserverurl",
            ];
            (ends.iter().any(|e| plain.ends_with(e))
                || plain.contains("issuer")
                    && !["key", "location", "jwks", "cluster", "cert", "name", "secret", "signing"]
                        .iter()
                        .any(|w| plain.contains(w)))
                && plain != "clusterissuer"
        }
        What::Audience => {
            let ends = ["audience", "audiences", "aud", "apiidentifier", "expectedaudience"];
            ends.iter().any(|e| plain.ends_with(e)) && !plain.contains("validate")
        }
    }
}

fn of_settings(text: &str, what: What) -> Vec<Value> {
    let mut found = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        if !line.trim_start().starts_with(['#', ';']) && !line.trim_start().starts_with("//") {
            found.extend(in_line(line, start, what).filter(|v| !is_claim(text, v.range.start)));
        }
    }
    if what == What::Audience {
        found.extend(elements(text));
    }
    found
}

/// The first name on a line that is followed by a value.
fn in_line(line: &str, start: usize, what: What) -> impl Iterator<Item = Value> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(rest) = line.get(from..) {
        let Some(begin) = rest.find(is_name).map(|i| from + i) else { break };
        let end = line.get(begin..).and_then(|r| r.find(|c| !is_name(c))).map_or(line.len(), |i| begin + i);
        from = end;
        let word = line.get(begin..end).unwrap_or_default();
        // `issuer:` has its colon with it, `Jwt:Issuer` has one within; a value that follows the equals sign of a flag stands behind it.
        let name = word.trim_end_matches(':');
        let element = line.get(end..).and_then(|r| r.strip_prefix(" url=")).is_some();
        if !(names(name, what) || element && names(&format!("{name}url"), what)) {
            continue;
        }
        if let Some(mut value) = value(line, begin + name.len(), start, what) {
            value.exact = name.to_ascii_lowercase().trim_end_matches('s').ends_with("issuer");
            from = (value.range.end - start).max(from);
            found.push(value);
        }
    }
    found.into_iter()
}

/// The value behind a name: a quoted string, or a word.
fn value(line: &str, from: usize, start: usize, what: What) -> Option<Value> {
    let mut rest = line.get(from..)?;
    let mut at = from;
    // At most one step into a list or a call: `= new[] { "x" }`, `("x")`, `url="x"`.
    let skip =
        rest.find(|c: char| !matches!(c, ' ' | '\t' | ':' | '=' | '>' | '(' | '[' | '{' | '"' | '\'' | ','))?;
    let sign = rest.get(..skip)?.contains([':', '=', '>', '(']) || rest.starts_with(" url=");
    // Settings as a table: a name alone, some room, an address.
    let alone = line.get(..from).is_some_and(|before| before.split_whitespace().count() == 1);
    let table = alone && skip >= 2 && rest.get(skip..)?.starts_with("http");
    let sign = sign || table;
    let quoted = rest.get(..skip)?.ends_with(['"', '\'']);
    if !sign {
        return None;
    }
    at += skip;
    rest = line.get(at..)?;
    for lead in ["url=\"", "new[] { \"", "new List<string> { \"", "new string[] { \""] {
        if let Some(behind) = rest.strip_prefix(lead) {
            at += lead.len();
            rest = behind;
        }
    }
    let end = rest
        .find(|c: char| {
            if quoted {
                matches!(c, '"' | '\'' | '\n')
            } else {
                c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ')' | ';' | '<' | ']' | '}')
            }
        })
        .unwrap_or(rest.len());
    let text = rest.get(..end)?.trim_end_matches('\r');
    let of_server = line.get(..from)?.to_ascii_lowercase().ends_with("auth-server-url");
    let literal = !text.is_empty() && !text.contains(['$', '{', '<', '*', '%', '(']);
    let fits = match what {
        // An adapter of Keycloak is given the server, and the realm by itself.
        What::Issuer => text.contains("://") && (!of_server || text.contains("/realms/")),
        What::Audience => {
            text.len() >= 3 && (quoted || text.contains("://") || text.len() == 36 || text.contains('-'))
        }
    };
    (literal && fits).then(|| Value {
        text: text.to_owned(),
        range: start + at..start + at + end,
        exact: false,
    })
}

/// `<claim name="aud"><value>…</value>`, as Azure API Management has it.
fn elements(text: &str) -> Option<Value> {
    let begin = text.find("name=\"aud\"")?;
    let rest = text.get(begin..)?.get(..400.min(text.len() - begin))?;
    let from = rest.find("<value>")? + "<value>".len();
    let len = rest.get(from..)?.find("</value>")?;
    let (start, end) = (begin + from, begin + from + len);
    Some(Value { text: text.get(start..end)?.trim().to_owned(), range: start..end, exact: true })
}

/// Whether a place is in the decoded claims of a token: other registered claims stand in the same object.
fn is_claim(text: &str, at: usize) -> bool {
    const WIDEST: usize = 4096;
    let before = text.as_bytes().get(at.saturating_sub(WIDEST)..at).unwrap_or_default();
    let behind = text.as_bytes().get(at..).unwrap_or_default();
    let mut depth = 0_usize;
    let open = before.iter().rposition(|b| match b {
        b'}' => {
            depth += 1;
            false
        }
        b'{' if depth > 0 => {
            depth -= 1;
            false
        }
        b => *b == b'{',
    });
    let Some(object) = open.and_then(|o| before.get(o..)) else { return false };
    let rest = behind
        .get(..behind.iter().take(WIDEST).position(|b| *b == b'}').unwrap_or(behind.len().min(WIDEST)))
        .unwrap_or_default();
    let has =
        |name: &str| [object, rest].iter().any(|part| memchr::memmem::find(part, name.as_bytes()).is_some());
    ["exp", "iat", "nbf", "sub"].iter().filter(|n| has(&format!("\"{n}\"")) || has(&format!("'{n}'"))).count()
        >= 2
}

fn of_claims(text: &str, what: What) -> Vec<Value> {
    let name = if what == What::Issuer { "iss" } else { "aud" };
    let mut found = Vec::new();
    for quote in ['"', '\''] {
        let mark = format!("{quote}{name}{quote}");
        for (i, _) in text.match_indices(&mark).take(8).filter(|(i, _)| is_claim(text, *i)) {
            let from = i + mark.len();
            let Some(rest) = text.get(from..) else { continue };
            let Some(open) = rest.find(quote).filter(|o| {
                rest.get(..*o).is_some_and(|r| r.trim_matches([' ', ':', '[', '\n', '\t']).is_empty())
            }) else {
                continue;
            };
            let inside = from + open + 1;
            if let Some(len) = text.get(inside..).and_then(|r| r.find(quote)) {
                found.push(Value {
                    text: text.get(inside..inside + len).unwrap_or_default().to_owned(),
                    range: inside..inside + len,
                    exact: true,
                });
            }
        }
    }
    found.extend(raw_tokens(text, what));
    found
}

/// Tokens that stand there as they are.
fn raw_tokens(text: &str, what: What) -> Vec<Value> {
    let mut found = Vec::new();
    for (i, _) in text.match_indices("eyJ").take(16) {
        let before = i.checked_sub(1).and_then(|b| text.as_bytes().get(b));
        if before.is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_')) {
            continue;
        }
        let rest = text.get(i..).unwrap_or_default();
        let len = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')))
            .unwrap_or(rest.len());
        let bytes = text.as_bytes();
        if !bytes.get(i..i + len).is_some_and(jwt::looks_like) {
            continue;
        }
        let read = jwt::read(bytes, i..i + len);
        match what {
            What::Issuer => {
                found.extend(read.iss().map(|t| Value { text: t.to_owned(), range: i..i + len, exact: true }))
            }
            What::Audience => found.extend(read.aud().first().map(|t| Value {
                text: (*t).to_owned(),
                range: i..i + len,
                exact: true,
            })),
        }
    }
    found
}

/// Whether a token's issuer is the one that a setting names.
pub(crate) fn is_issuer(setting: &str, iss: &str) -> bool {
    let bare = |t: &str| {
        let t = t.split("/.well-known/").next().unwrap_or(t);
        t.trim_end_matches('/').to_owned()
    };
    let (setting, iss) = (bare(setting), bare(iss));
    // Microsoft: an authority without a version stands for tokens of either version, as clients use it.
    let tenant = |t: &str| {
        let rest = t
            .strip_prefix("https://login.microsoftonline.com/")
            .or(t.strip_prefix("https://sts.windows.net/"))?;
        Some(rest.trim_end_matches("/v2.0").to_owned())
    };
    let versioned = setting.ends_with("/v2.0") || setting.starts_with("https://sts.windows.net/");
    let any_tenant = ["/common", "/organizations", "/consumers"].iter().any(|t| setting.contains(t));
    setting == iss
        || any_tenant
        || !versioned && tenant(&setting).is_some() && tenant(&setting) == tenant(&iss)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str, what: What) -> Vec<String> {
        of_settings(text, what).into_iter().map(|v| v.text).collect()
    }

    #[test]
    fn settings_are_found_under_their_many_names() {
        for text in [
            "spring.security.oauth2.resourceserver.jwt.issuer-uri=https://i.example/realms/a",
            "        jwt:\n          issuer-uri: https://i.example/realms/a\n",
            "options.Authority = \"https://i.example/realms/a\";",
            "ValidIssuer = \"https://i.example/realms/a\",",
            "      - AUTH_VALID_ISSUERS_LOCAL=https://i.example/realms/a",
            "\"Issuer\": \"https://i.example/realms/a\",",
            "--oidc-issuer-url=https://i.example/realms/a",
            "<openid-config url=\"https://i.example/realms/a\" />",
            "JWT.require(algorithm).withIssuer(\"https://i.example/realms/a\")",
            "issuer => 'https://i.example/realms/a'",
            "  Issuer           https://i.example/realms/a",
        ] {
            assert_eq!(all(text, What::Issuer), ["https://i.example/realms/a"], "{text}");
        }
        for text in [
            "ValidAudience = \"my-api\",",
            "audience: 'my-api'",
            "<claim name=\"aud\">\n<value>my-api</value>",
            "JWT_AUDIENCE=my-api",
            "ValidAudiences = new[] { \"my-api\" }",
        ] {
            assert_eq!(all(text, What::Audience), ["my-api"], "{text}");
        }
    }

    #[test]
    fn an_issuer_is_compared_letter_by_letter_and_the_place_of_its_metadata_is_not() {
        let exact = |text: &str| of_settings(text, What::Issuer).first().map(|v| v.exact);
        assert_eq!(exact("\"Issuer\": \"https://i.example\""), Some(true));
        assert_eq!(exact("issuerBaseURL: 'https://i.example'"), Some(false));
        assert_eq!(exact("quarkus.oidc.auth-server-url=https://i.example/realms/a"), Some(false));
        assert_eq!(exact("\"auth-server-url\": \"https://i.example/auth\""), None);
    }

    #[test]
    fn what_is_no_setting_is_none() {
        for text in [
            "ValidIssuer = Configuration[\"Jwt:Issuer\"],",
            "the issuer is wrong",
            "issuer: ${ISSUER}",
            "# issuer: https://x.example",
            "ISSUERS_PUBLICKEY_LOCATION=https://x.example/certs",
            "issuer-uri:",
            "ü issuer",
        ] {
            assert!(all(text, What::Issuer).is_empty(), "{text}: {:?}", all(text, What::Issuer));
        }
        for text in ["ValidateAudience = false,", "aud", "audience: ${AUD}"] {
            assert!(all(text, What::Audience).is_empty(), "{text}: {:?}", all(text, What::Audience));
        }
    }

    #[test]
    fn decoded_claims_are_told_from_settings() {
        let text =
            "{\n \"iss\": \"https://t.example/\", \"aud\": [\"a\", \"b\"],\n \"exp\": 1, \"sub\": \"x\" }";
        let of = |what| of_claims(text, what).into_iter().map(|v| v.text).collect::<Vec<_>>();
        assert_eq!(of(What::Issuer), ["https://t.example/"]);
        assert_eq!(of(What::Audience), ["a"]);
        assert!(all(text, What::Audience).is_empty());
        let both = format!("policy:\n  issuer: https://s.example/\n  a: {{ }}\ntoken:\n{text}");
        assert_eq!(all(&both, What::Issuer), ["https://s.example/"]);
    }

    #[test]
    fn issuers_are_compared_as_servers_do() {
        assert!(is_issuer("https://i.example/.well-known/openid-configuration", "https://i.example/"));
        assert!(is_issuer("https://login.microsoftonline.com/t", "https://sts.windows.net/t/"));
        assert!(is_issuer("https://login.microsoftonline.com/t", "https://login.microsoftonline.com/t/v2.0"));
        assert!(!is_issuer(
            "https://login.microsoftonline.com/u",
            "https://login.microsoftonline.com/t/v2.0"
        ));
        assert!(!is_issuer("https://login.microsoftonline.com/t/v2.0", "https://sts.windows.net/t/"));
        assert!(is_issuer(
            "https://login.microsoftonline.com/common/v2.0",
            "https://login.microsoftonline.com/t/v2.0"
        ));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(iss|aud|issuer|\"|=|:|[ \n<>(){}]|eyJ|\\.|ü){0,40}") {
            for what in [What::Issuer, What::Audience] {
                for v in of_settings(&text, what).into_iter().chain(of_claims(&text, what)) {
                    proptest::prop_assert!(text.get(v.range).is_some());
                }
            }
        }
    }
}
