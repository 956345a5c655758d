//! JSON Web Tokens: header and harmless claims stay, since they are what proves a cause; the rest is replaced.

use crate::base64;
use why401_auth::is_public_claim;

/// Deeper JSON is no token.
const DEEPEST: usize = 32;

/// The token with what is secret of it replaced; `None` where this is no JWT (RFC 7519) of three parts.
pub(crate) fn masked(text: &str, plain: &mut dyn FnMut(&str) -> String) -> Option<String> {
    let (header, rest) = text.split_once('.')?;
    let (claims, signature) = rest.split_once('.')?;
    let json = |part: &str| String::from_utf8(base64::decode(part)?).ok().filter(|t| t.starts_with('{'));
    let (head, body) = (json(header)?, json(claims)?);
    let head = base64::encode_like(members(&head, plain)?.as_bytes(), header);
    let body = base64::encode_like(members(&body, plain)?.as_bytes(), claims);
    // An encrypted token has five parts; all but its header is secret.
    let parts: Vec<String> = signature.split('.').map(&mut *plain).collect();
    Some(format!("{head}.{body}.{}", parts.join(".")))
}

/// JSON with the values of members whose names are not known to be harmless replaced at their length.
fn members(json: &str, plain: &mut dyn FnMut(&str) -> String) -> Option<String> {
    let mut out = String::with_capacity(json.len());
    // Whether what is inside of each open brace or bracket may be shown, and whether it is an object.
    let mut open: Vec<(bool, bool)> = Vec::new();
    let mut name_is_next = false;
    let mut harmless = false;
    let mut rest = json;
    while let Some(c) = rest.chars().next() {
        let shown = open.last().map_or(harmless, |(inherited, object)| *inherited || (*object && harmless));
        let taken = match c {
            '"' => {
                let end = string_end(rest)?;
                let inside = rest.get(1..end - 1)?;
                if name_is_next {
                    // Shown nowhere else, and what a replay is known by.
                    harmless = is_public_claim(inside) && !matches!(inside, "jti" | "origin_jti");
                    name_is_next = false;
                    out.push_str(rest.get(..end)?);
                } else {
                    out.push('"');
                    out.push_str(&if shown { inside.to_owned() } else { plain(inside) });
                    out.push('"');
                }
                end
            }
            '{' | '[' => {
                if open.len() > DEEPEST {
                    return None;
                }
                let inherited = !open.is_empty() && shown;
                open.push((inherited, c == '{'));
                name_is_next = c == '{';
                out.push(c);
                1
            }
            '}' | ']' => {
                open.pop()?;
                out.push(c);
                1
            }
            ',' => {
                name_is_next = open.last().is_some_and(|(_, object)| *object);
                out.push(c);
                1
            }
            '1'..='9' if !shown => {
                out.push('1');
                1
            }
            c => {
                out.push(c);
                c.len_utf8()
            }
        };
        rest = rest.get(taken..)?;
    }
    Some(out)
}

/// Where a string that begins here ends.
fn string_end(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (i, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => return Some(i + 1),
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_that_prove_causes_stay_and_others_go() {
        let mut plain = |s: &str| "x".repeat(s.len());
        let json =
            r#"{"iss":"https://i/","exp":17,"note":"ab\"c","n1":{"k":["abc",12],"sub":"s"},"aud":["a","b"]}"#;
        let want =
            r#"{"iss":"https://i/","exp":17,"note":"xxxxx","n1":{"k":["xxx",11],"sub":"s"},"aud":["a","b"]}"#;
        assert_eq!(members(json, &mut plain).as_deref(), Some(want));
        let token = format!(
            "{}.{}.c2lnbmF0dXJl",
            base64::encode_like(br#"{"alg":"HS256"}"#, ""),
            base64::encode_like(json.as_bytes(), "")
        );
        let made = masked(&token, &mut plain).unwrap_or_default();
        assert_eq!(made.len(), token.len());
        assert!(made.starts_with("eyJhbGciOiJIUzI1NiJ9.eyJpc3Mi") && made.ends_with(".xxxxxxxxxxxx"));
        assert_eq!(masked("a.b.c", &mut plain), None);
        assert_eq!(members("{\"a", &mut plain), None);
    }
}
