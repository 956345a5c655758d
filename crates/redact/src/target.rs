//! Secrets in request targets and addresses.

use crate::names::{Secrecy, secrecy};
use crate::ranges::{Ranges, find, part};
use crate::{is_placeholder, shapes};
use std::ops::Range;

/// The secrets of a request target or an address: the password of its userinfo and values of its parameters, in the
/// query, the fragment and the path, one level of nested percent-encoding included.
///
/// Parameters are secret by their name (`access_token`, `X-Amz-Signature`, `code` ...) or by the shape of their value.
pub fn secrets_in_target(target: &str) -> Vec<Range<usize>> {
    let mut found = Ranges::default();
    userinfo(target, &mut found);
    parameters(target, &mut found);
    shapes::find_in(target, &mut found);
    found.finish()
}

/// Parts of names whose values a log does not need, though they may be no secret: `my_key`, `oauth_sig`.
const SUSPECT: [&str; 8] = ["token", "key", "secret", "pass", "sig", "auth", "code", "credential"];

/// A target with `***` in place of every secret and of every value whose name is suspect: for logs, where a value too many
/// costs nothing and one too few cannot be taken back.
pub fn target_without_secrets(target: &str) -> String {
    let mut hidden = Ranges::default();
    hidden.add_all(0, secrets_in_target(target));
    let mut at = target.find('?').map_or(target.len(), |i| i + 1);
    for pair in part(target, at..target.len()).split('&') {
        let name = pair.split('=').next().unwrap_or_default();
        let value = at + (name.len() + 1).min(pair.len())..at + pair.len();
        if !value.is_empty() && SUSPECT.iter().any(|s| name.to_ascii_lowercase().contains(s)) {
            hidden.add(value);
        }
        at += pair.len() + 1;
    }
    let mut out = String::with_capacity(target.len());
    let mut from = 0;
    for secret in hidden.finish() {
        out.push_str(part(target, from..secret.start));
        out.push_str("***");
        from = secret.end;
    }
    out.push_str(part(target, from..target.len()));
    out
}

/// `user:password@` (RFC 3986 section 3.2.1); a token alone before the `@` too.
fn userinfo(target: &str, found: &mut Ranges) {
    let start = target.find("//").map_or(0, |i| i + 2);
    let mut authority = part(target, start..find(target, start, |c| matches!(c, '/' | '?' | '#')));
    // A password with a slash in it ends the authority by the letter; what stands behind the colon is then no port.
    let port = authority.rsplit(':').next().unwrap_or_default();
    if !authority.contains('@')
        && authority.contains(':')
        && !port.bytes().all(|b| b.is_ascii_digit() || b == b']')
    {
        authority = part(target, start..find(target, start, |c| matches!(c, '?' | '#')));
    }
    if !authority.contains('@') && slash_in_password(target, start, authority) {
        authority = part(target, start..find(target, start, |c| matches!(c, '?' | '#')));
    }
    let Some(at) = authority.rfind('@') else { return };
    let user = part(authority, 0..at);
    match user.split_once(':') {
        Some((name, password)) if !is_placeholder(password) => found.add(start + name.len() + 1..start + at),
        Some((name, _)) if shapes::looks_random(name, 20) => found.add(start..start + name.len()),
        None if shapes::looks_random(user, 16) => found.add(start..start + at),
        _ => {}
    }
}

/// Whether `name:digits/…@host` is likelier a user, a password that begins with digits, and a host, than a host, a port
/// and a path with an `@` in it. Scoped packages (`/@scope/name`) and what has a host's name are the latter.
fn slash_in_password(target: &str, start: usize, authority: &str) -> bool {
    let whole = part(target, start..find(target, start, |c| matches!(c, '?' | '#')));
    let Some((name, _)) = authority.split_once(':') else { return false };
    let Some((before, host)) = whole.rsplit_once('@') else { return false };
    let plain_name = !name.contains(['.', '[']) && !name.eq_ignore_ascii_case("localhost");
    plain_name && !before.ends_with('/') && (host.contains('/') || host.contains('.'))
}

/// Every `name=value`, where `&`, `;`, `?` and `#` part them, also written `%26`, `%3F`, `%23` and `%3D`.
fn parameters(target: &str, found: &mut Ranges) {
    let mut name = 0..0;
    let mut value_at: Option<usize> = None;
    let mut at = 0;
    while at <= target.len() {
        let (what, width) = separator(part(target, at..target.len()));
        match what {
            Separator::None => {}
            Separator::Equals if value_at.is_none() => {
                name.end = at;
                value_at = Some(at + width);
            }
            // base64 in a value may end in `=`.
            Separator::Equals => {}
            Separator::Next => {
                if let Some(start) = value_at.take() {
                    hide(target, name.clone(), start..at, found);
                }
                name = at + width..at + width;
            }
        }
        at += width;
    }
}

fn hide(target: &str, name: Range<usize>, value: Range<usize>, found: &mut Ranges) {
    let name = part(target, name);
    let name = name.rsplit('/').next().unwrap_or(name);
    let text = part(target, value.clone());
    let short_number = text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit());
    let secret = match secrecy(name) {
        Secrecy::Strong => true,
        Secrecy::Weak => !short_number,
        Secrecy::No => false,
    };
    if secret && !is_placeholder(text) {
        found.add(value);
    }
}

enum Separator {
    None,
    Equals,
    Next,
}

/// What stands at the beginning of `rest`, and how many bytes it takes; the end of the text parts as well.
fn separator(rest: &str) -> (Separator, usize) {
    const ENCODED: &[(&str, bool)] =
        &[("%3d", true), ("%253d", true), ("%26", false), ("%2526", false), ("%3f", false)];
    let Some(c) = rest.chars().next() else { return (Separator::Next, 1) };
    match c {
        '=' => (Separator::Equals, 1),
        '&' | ';' | '?' | '#' | ' ' | '"' => (Separator::Next, 1),
        '%' => ENCODED
            .iter()
            .find(|(code, _)| rest.get(..code.len()).is_some_and(|s| s.eq_ignore_ascii_case(code)))
            .map_or((Separator::None, 1), |(code, equals)| {
                (if *equals { Separator::Equals } else { Separator::Next }, code.len())
            }),
        c => (Separator::None, c.len_utf8()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(target: &str) -> String {
        let hidden = secrets_in_target(target);
        why401_span::mask(target, |i| hidden.iter().any(|r| r.contains(&i)))
    }

    #[test]
    fn userinfo_loses_its_password() {
        assert_eq!(masked("https://alice:pw@h/p"), "https://alice:••@h/p");
        assert_eq!(masked("https://alice@h/p?a=b"), "https://alice@h/p?a=b");
        assert_eq!(masked("alice:p:w@h:443"), "alice:•••@h:443");
        assert_eq!(masked("https://alice:p/w@h/"), "https://alice:•••@h/");
        assert_eq!(masked("https://h:80/a@b"), "https://h:80/a@b");
        assert_eq!(masked("https://alice:1/x@host/"), "https://alice:•••@host/");
        assert_eq!(masked("https://registry:5000/@scope/p"), "https://registry:5000/@scope/p");
        assert_eq!(
            masked("https://h.example.com:80/u/bob@example.com"),
            "https://h.example.com:80/u/bob@example.com"
        );
        assert_eq!(masked("https://h/p?mail=a:b@c"), "https://h/p?mail=a:b@c");
    }

    #[test]
    fn parameters_are_hidden_by_name() {
        assert_eq!(masked("/p?user=al&access_token=abc&x=1"), "/p?user=al&access_token=•••&x=1");
        assert_eq!(masked("/p?X-Amz-Signature=ab#id_token=cd"), "/p?X-Amz-Signature=••#id_token=••");
        assert_eq!(masked("/p;jsessionid=ab?code=404&code=Ab7x9"), "/p;jsessionid=••?code=404&code=•••••");
        assert_eq!(
            masked("/r?to=https%3A%2F%2Fh%3Ftoken%3Dab%26u%3D1"),
            "/r?to=https%3A%2F%2Fh%3Ftoken%3D••%26u%3D1"
        );
        assert_eq!(masked("/p?token=undefined&key=${KEY}"), "/p?token=undefined&key=${KEY}");
    }

    #[test]
    fn a_log_gets_no_secret_of_a_target() {
        let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.Q2FuYXJ5NDcxMXhDYW5hcnk0NzExeA";
        let canary = "Canary4711";
        for name in [
            "jwt",
            "sid",
            "session",
            "PHPSESSID",
            "access_token",
            "authtoken",
            "api_key",
            "X-Api-Key",
            "client_secret",
            "mysecret",
            "password",
            "passwd",
            "passphrase",
            "pwd",
            "signature",
            "sig",
            "oauth_sig",
            "auth",
            "authorization",
            "code",
            "credential",
            "X-Amz-Credential",
            "ticket",
            "SAMLResponse",
            "otp",
        ] {
            let told = target_without_secrets(&format!("/a?x=1&{name}={canary}&y=2"));
            assert_eq!(told, format!("/a?x=1&{name}=***&y=2"));
        }
        assert_eq!(target_without_secrets(&format!("/a?x={jwt}")), "/a?x=***");
        assert_eq!(target_without_secrets("/a/b?page=2&my_key=404"), "/a/b?page=2&my_key=***");
        assert_eq!(target_without_secrets("https://alice:Canary4711@h/p"), "https://alice:***@h/p");
    }

    #[test]
    fn the_end_of_a_base64_value_is_hidden_too() {
        assert_eq!(masked("/p?sig=QQ==&v=2"), "/p?sig=••••&v=2");
    }
}
