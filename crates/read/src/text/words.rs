//! Status codes, error codes, users and addresses in running text.

use std::ops::Range;
use why401_http::Statement;

/// Fills in what the words of a statement name.
pub(crate) fn fill(s: &mut Statement) {
    let text = s.text.to_text().into_owned();
    let (status, code) = status(&text);
    s.status = s.status.or(status);
    if s.code.is_none() {
        s.code = code.or_else(|| product_code(&text));
    }
    if s.user.is_none() {
        s.user = user(&text);
    }
    if s.target.is_none()
        && let Some((method, target)) = request(&text)
    {
        s.method = s.method.take().or(Some(method));
        s.target = Some(target);
    }
}

/// Words that stand before the number of a status.
const BEFORE: &[&str] = &[
    "http",
    "status",
    "statuscode",
    "code",
    "error",
    "response",
    "got",
    "returned",
    "returns",
    "received",
    "with",
    "answered",
    "http/1.1",
    "http/1.0",
    "http/2",
    "http/2.0",
    "status_code",
    "httpstatus",
    "e",
];
/// Words that stand behind it.
const BEHIND: &[&str] = &[
    "unauthorized",
    "unauthorised",
    "authorization",
    "forbidden",
    "proxy",
    "client",
    "error",
    "access",
    "not",
    "http",
    "server",
    "denied",
    "authentication",
    "bad",
    "found",
    "moved",
    "internal",
    "ok",
    "requires",
];
/// Words that make a number a quantity or a place.
const OTHERWISE: &[&str] =
    &["port", "line", "pid", "id", "ms", "bytes", "byte", "seconds", "sec", "times", "mb", "kb", "lines"];

/// The status code that a text names, and its substatus (`401.3`) as a code.
pub(crate) fn status(text: &str) -> (Option<u16>, Option<String>) {
    let mut found = None;
    for (range, number) in numbers(text) {
        let Ok(status) = number.parse::<u16>() else { continue };
        if number.len() != 3 || !(300..600).contains(&status) {
            continue;
        }
        let before = text.get(..range.start).unwrap_or_default();
        let behind = text.get(range.end..).unwrap_or_default();
        let mut sub =
            behind.strip_prefix('.').map(|b| b.chars().take_while(char::is_ascii_digit).collect::<String>());
        sub = sub.filter(|s| (1..=2).contains(&s.len()));
        if sub.is_none()
            && behind.starts_with('.')
            && behind.chars().nth(1).is_some_and(|c| c.is_ascii_digit())
        {
            continue;
        }
        let last = before.chars().next_back();
        if matches!(last, Some(':' | '/' | '.' | '-' | '#' | '+' | '$' | ',')) && !before.ends_with("HTTP/") {
            continue;
        }
        let word_before = last_word(before);
        let word_behind = first_word(behind);
        let is = |list: &[&str], word: &str| list.contains(&word);
        if is(OTHERWISE, &word_before) || is(OTHERWISE, &word_behind) {
            continue;
        }
        let sure = is(BEFORE, &word_before) || is(BEHIND, &word_behind);
        let refusal = matches!(status, 401 | 403 | 407);
        let substatus = sub.as_ref().filter(|_| matches!(status, 401 | 403));
        if let Some(sub) = substatus {
            return (Some(status), Some(format!("{status}.{sub}")));
        }
        if sure && refusal {
            return (Some(status), None);
        }
        if (sure || refusal) && sub.is_none() {
            found = found.or(Some(status));
        }
    }
    (found, None)
}

/// Runs of digits that are no part of a word.
fn numbers(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let start = at + bytes.get(at..)?.iter().position(u8::is_ascii_digit)?;
            let len = bytes.get(start..)?.iter().take_while(|c| c.is_ascii_digit()).count();
            at = start + len;
            let word = |c: &u8| c.is_ascii_alphanumeric() || *c == b'_' || *c >= 0x80;
            let before = start.checked_sub(1).and_then(|i| bytes.get(i));
            // E401 of npm.
            let e =
                before == Some(&b'E') && !start.checked_sub(2).and_then(|i| bytes.get(i)).is_some_and(word);
            if (before.is_some_and(word) && !e) || bytes.get(at).is_some_and(word) {
                continue;
            }
            return Some((start..at, text.get(start..at)?));
        }
    })
}

fn last_word(text: &str) -> String {
    let trimmed = text.trim_end_matches(|c: char| !c.is_alphanumeric());
    let start = trimmed
        .rfind(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '/' | '.')))
        .map_or(0, |i| i + trimmed.get(i..).and_then(|t| t.chars().next()).map_or(1, char::len_utf8));
    trimmed.get(start..).unwrap_or_default().to_ascii_lowercase()
}

fn first_word(text: &str) -> String {
    let trimmed = text.trim_start_matches(|c: char| !c.is_alphanumeric());
    trimmed.chars().take_while(|c| c.is_alphanumeric()).collect::<String>().to_ascii_lowercase()
}

/// Codes by which a product names a refusal: `AH01617`, `IDX10206`, `AADSTS50034`, `E401`, `0x80070005`.
fn product_code(text: &str) -> Option<String> {
    word_ranges(text).find_map(|r| {
        let word = text.get(r)?.trim_end_matches('.');
        let digits = |prefix: &str, n: usize| {
            word.strip_prefix(prefix).is_some_and(|d| d.len() >= n && d.bytes().all(|c| c.is_ascii_digit()))
        };
        let digits_of = word.strip_prefix("0x").unwrap_or(word);
        let hex = digits_of.len() == 8 && digits_of.bytes().all(|c| c.is_ascii_hexdigit());
        let named = digits("AH", 5) || digits("IDX", 5) || digits("AADSTS", 4) || digits("E40", 1);
        if hex && is_refusal(&format!("0x{digits_of}")) {
            return Some(format!("0x{}", digits_of.to_ascii_uppercase()));
        }
        named.then(|| word.to_owned())
    })
}

/// `HRESULT`s of Windows Update (0x8024….), of security (0x8009….), of Win32 (0x8007….) and of NTSTATUS
/// (0xC00000…) are refusals' codes more often than addresses in memory.
fn is_refusal(hex: &str) -> bool {
    let lower = hex.to_ascii_lowercase();
    ["0x8024", "0x8009", "0x8007", "0x8010", "0x8019", "0xc000"].iter().any(|p| lower.starts_with(p))
}

/// The codes in a text that the user can look up, with their places.
pub(crate) fn codes(text: &str) -> Vec<(Range<usize>, String)> {
    let mut found = Vec::new();
    for range in word_ranges(text) {
        let Some(word) = text.get(range.clone()) else { continue };
        let trimmed = word.trim_end_matches('.');
        // WindowsUpdate.log leaves the `0x` away: `hr = 80244017`.
        let hex = trimmed.len() == 8 && trimmed.bytes().all(|c| c.is_ascii_hexdigit());
        let bare = hex && is_refusal(&format!("0x{trimmed}"));
        let spelt = if bare { format!("0x{trimmed}") } else { trimmed.to_owned() };
        let number = trimmed.bytes().all(|c| c.is_ascii_digit());
        if let Some(code) = super::code::code_of(&spelt).filter(|_| bare || !number) {
            found.push((range.start..range.start + trimmed.len(), code));
        }
    }
    found
}

fn word_ranges(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = text.get(at..)?;
        let start = at + rest.find(inside)?;
        let len = text.get(start..)?.find(|c| !inside(c)).unwrap_or(text.len() - start);
        at = start + len;
        Some(start..at)
    })
}

/// The user that a text names: `user 'alice'`, `user "alice"`, `user: alice`, `user=alice`, `account alice`.
pub(crate) fn user(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    for key in ["username", "user", "account", "login"] {
        let mut from = 0;
        while let Some(at) = lower.get(from..).and_then(|t| t.find(key)) {
            let start = from + at;
            from = start + key.len();
            let before = start.checked_sub(1).and_then(|i| lower.as_bytes().get(i));
            if before.is_some_and(|c| {
                c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'/' | b'%' | b'{' | b'.')
            }) {
                continue;
            }
            let rest = text.get(from..).unwrap_or_default();
            // The name of a JSON member: its own quote ends behind it.
            let rest = rest.strip_prefix('"').filter(|_| before == Some(&b'"')).unwrap_or(rest);
            let (value, quoted) = match rest.trim_start_matches(' ') {
                r if r.starts_with(['\'', '"', '`', '[']) => (r, true),
                r if r.starts_with([':', '=']) => {
                    let r = r.trim_start_matches([':', '=']).trim_start();
                    (r, r.starts_with(['\'', '"']))
                }
                _ => continue,
            };
            let name: String = if quoted {
                let quote = match value.chars().next() {
                    Some('[') => ']',
                    quote => quote.unwrap_or('"'),
                };
                value.chars().skip(1).take_while(|c| *c != quote).collect()
            } else {
                value
                    .chars()
                    .take_while(|c| !c.is_whitespace() && !matches!(c, ',' | ';' | ')' | ']' | '"'))
                    .collect()
            };
            let no_name = ["true", "false", "none", "null", "not", "is", "and", "or", "name", "id"]
                .contains(&name.to_ascii_lowercase().as_str());
            let plausible = !name.is_empty()
                && (quoted || !no_name)
                && name.len() <= 256
                && !name.contains('\n')
                && !name.starts_with(['(', '<', '{', '$', '[']);
            if plausible {
                return Some(name);
            }
        }
    }
    None
}

/// The request that a text names: a method in capitals and a path or an address behind it.
pub(crate) fn request(text: &str) -> Option<(String, String)> {
    let mut words =
        text.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '(' | ')' | '`' | '<' | '>'));
    let mut before = words.next()?;
    for word in words {
        if word.is_empty() {
            continue;
        }
        let address = word.starts_with('/') || word.starts_with("http://") || word.starts_with("https://");
        let method = before.rsplit(['[', ':', '=']).next().unwrap_or(before);
        if address && crate::http1::head::is_method(method.as_bytes()) {
            return Some((method.to_owned(), word.trim_end_matches([',', ':', ';', ']']).to_owned()));
        }
        before = word;
    }
    None
}

/// The `http` and `https` addresses in a text.
pub(crate) fn addresses(text: &str) -> Vec<Range<usize>> {
    let lower = text.to_ascii_lowercase();
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = lower.get(from..).and_then(|t| t.find("://")) {
        let colon = from + at;
        from = colon + 3;
        let head = lower.get(..colon).unwrap_or_default();
        let scheme = ["https", "http"].iter().find(|s| head.ends_with(**s));
        let Some(scheme) = scheme else { continue };
        let rest = text.get(from..).unwrap_or_default();
        let end = rest.find(|c: char| {
            c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`' | '|' | '\\' | '^')
        });
        let mut end = from + end.unwrap_or(rest.len());
        while end > from
            && text.get(..end).is_some_and(|t| t.ends_with(['.', ',', ';', ')', ':', ']', '}', '!', '?']))
        {
            end -= 1;
        }
        if end > from {
            found.push(colon - scheme.len()..end);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_told_from_other_numbers() {
        let sure = |s| (Some(s), None);
        assert_eq!(status("HTTP 401: Bad credentials"), sure(401));
        assert_eq!(status("(HTTP code 401) unexpected"), sure(401));
        assert_eq!(status("npm ERR! code E401"), sure(401));
        assert_eq!(status("The remote server returned an error: (401) Unauthorized."), sure(401));
        assert_eq!(status("Wrong code: got 401 (expected 200)"), sure(401));
        assert_eq!(status("HTTP Error 401.3 - Unauthorized"), (Some(401), Some("401.3".to_owned())));
        assert_eq!(status("HTTP/1.1 500 Internal"), sure(500));
        for none in [
            "port 401",
            "took 401 ms",
            "10.1.4.31:401",
            "x401",
            "4011",
            "401.305 s",
            "version 1.401",
            "line 403",
            "500 users",
        ] {
            assert_eq!(status(none), (None, None), "{none}");
        }
    }

    #[test]
    fn names_of_users_are_found_where_they_are_marked() {
        assert_eq!(user("Server auth using Digest with user 'Postman'").as_deref(), Some("Postman"));
        assert_eq!(user(r#"user "al ice": password mismatch"#).as_deref(), Some("al ice"));
        assert_eq!(user(r#"{"user": "alice", "error": "no"}"#).as_deref(), Some("alice"));
        assert_eq!(user("{\n  \"user\": {},\n  \"error\": \"no\"\n}"), None);
        assert_eq!(user("Username: (not set)"), None);
        assert_eq!(user("User-Agent: curl"), None);
        assert_eq!(user("the user is gone"), None);
    }

    #[test]
    fn requests_and_addresses_are_found() {
        assert_eq!(
            request(r#"[ERROR] 401 : GET https://x/y, z"#),
            Some(("GET".into(), "https://x/y".into()))
        );
        assert_eq!(request("get /x"), None);
        let text = "see (https://a.example/x?y=1). or http://b";
        let found: Vec<_> = addresses(text).into_iter().filter_map(|r| text.get(r)).collect();
        assert_eq!(found, ["https://a.example/x?y=1", "http://b"]);
    }
}
