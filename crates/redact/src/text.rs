//! Secrets in text of any kind: logs, configuration, commands, bodies, what a person pasted.

use crate::ranges::{Ranges, find, from, part};
use crate::{commands, keyed::Keyed, shapes, spoken};
use std::ops::Range;

/// The secrets of any text, found by the names beside them, by the words of commands and by their shape.
///
/// What an ordinary sentence says about passwords and tokens is left as it is.
pub fn secrets_in_text(text: &str) -> Vec<Range<usize>> {
    let mut found = Ranges::default();
    scan(text, &mut found);
    lines(text, &mut found);
    spoken::find_in(text, &mut found);
    found.finish()
}

/// All but what takes whole lines to see.
pub(crate) fn scan(text: &str, found: &mut Ranges) {
    // What a field's own rules have judged is not judged again by its shape: a nonce looks like a token.
    let mut at = 0;
    for judged in Keyed::new(text, found).run() {
        shapes_between(text, at..judged.start, found);
        at = judged.end.max(at);
    }
    shapes_between(text, at..text.len(), found);
}

fn shapes_between(text: &str, range: Range<usize>, found: &mut Ranges) {
    let mut inside = Ranges::default();
    shapes::find_in(part(text, range.clone()), &mut inside);
    found.add_all(range.start, inside.finish());
    addresses(text, range, found);
}

/// An address anywhere.
fn addresses(text: &str, range: Range<usize>, found: &mut Ranges) {
    let mut at = range.start;
    while let Some(i) = part(text, at..range.end).find("://") {
        let start = at + i + 3;
        let end = find(text, start, |c| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`'));
        let whole = format!("//{}", part(text, start..end.min(range.end)));
        for r in crate::secrets_in_target(&whole) {
            found.add(start + r.start.saturating_sub(2)..start + r.end.saturating_sub(2));
        }
        at = end.max(start);
    }
}

fn lines(text: &str, found: &mut Ranges) {
    let mut at = 0;
    let mut wrapped = false;
    for line in text.split_inclusive('\n') {
        let body = line.trim_end();
        wrapped = continues(body, wrapped);
        if wrapped && !body.contains(':') {
            found.add(at..at + body.len());
        }
        key_log(body, at, found);
        netrc(body, at, found);
        commands::find_in(body, at, found);
        at += line.len();
    }
}

/// Whether a base64 value goes on behind this line, or this line goes on with one.
fn continues(line: &str, wrapped: bool) -> bool {
    let base64 = |s: &str| {
        s.len() >= 4
            && s.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b'-' | b'_'))
    };
    let line = line.trim_start_matches(['<', '>', '*', ' ', '\t']);
    if wrapped && base64(line) {
        return true;
    }
    let Some((name, value)) = line.split_once(':') else { return false };
    let name = name.rsplit([' ', '\'', '"']).next().unwrap_or(name);
    name.to_ascii_lowercase().ends_with("authorization")
        && value.rsplit(' ').next().is_some_and(|last| last.len() >= 40 && base64(last))
}

/// A line of a key log (NSS Key Log Format): label, client random, secret.
fn key_log(line: &str, at: usize, found: &mut Ranges) {
    const LABELS: &[&str] = &["CLIENT_", "SERVER_", "EXPORTER_", "EARLY_EXPORTER_", "RSA ", "ECH_", "QUIC_"];
    if !LABELS.iter().any(|l| line.starts_with(l)) {
        return;
    }
    let Some((_, secret)) = line.rsplit_once(' ') else { return };
    if secret.len() >= 32 && secret.bytes().all(|b| b.is_ascii_hexdigit()) {
        found.add(at + line.len() - secret.len()..at + line.len());
    }
}

/// The password of a `.netrc` entry: on a line that begins with one of its words, or by itself.
fn netrc(line: &str, at: usize, found: &mut Ranges) {
    let first = line.split_whitespace().next().unwrap_or_default();
    if !matches!(first, "machine" | "default" | "login" | "account" | "password") {
        return;
    }
    let mut from_here = 0;
    while let Some(i) = from(line, from_here).find("password") {
        let word_end = from_here + i + "password".len();
        let start = find(line, word_end, |c| c != ' ' && c != '\t');
        let end = find(line, start, |c| c == ' ' || c == '\t');
        // "password mismatch for user x" is a sentence, not an entry.
        let alone = first != "password" || end == line.len();
        if start > word_end && alone && !crate::is_placeholder(part(line, start..end)) {
            found.add(at + start..at + end);
        }
        from_here = end.max(word_end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str) -> String {
        let hidden = secrets_in_text(text);
        why401_span::mask(text, |i| hidden.iter().any(|r| r.contains(&i)))
    }

    /// `«` and `»` enclose what must be hidden.
    fn check(marked: &str) {
        let text = marked.replace(['«', '»'], "");
        let mut hide = false;
        let mut want = String::new();
        for c in marked.chars() {
            match c {
                '«' => hide = true,
                '»' => hide = false,
                c => want.push(if hide { '•' } else { c }),
            }
        }
        assert_eq!(masked(&text), want);
    }

    #[test]
    fn fields_anywhere_in_text() {
        check("> Authorization: Basic «QTpC»\n> Host: h");
        check("curl -H 'Authorization: Bearer «abcd»' https://h/");
        check("curl -H \"X-Api-Key: «abcd»\" -H 'Accept: */*'");
        check("12:00 http.c:756: => Send header: authorization: Basic «QTpC»");
        check("< WWW-Authenticate: Digest realm=\"r\", nonce=\"Zk3Tq9LmW2xVb7NcR4sYp8HdJ6gFa1Qe\"");
        check("> Cookie: a=«xyz»; b=«q»\r\nAccept: x");
        check(
            "Authorization: Basic «YnVpbGQuYXV0b21hdGlvbkBzdWJzaWRpYXJ5LmV4YW1wbGUuY29tOlZxNy»\n«ZC1zZXJ2aWNl»\nHost: h",
        );
        check("proxy_set_header Authorization \"Basic «QTpC»\";");
        check("proxy_set_header Authorization $http_authorization;");
    }

    #[test]
    fn json_forms_yaml_ini_xml() {
        check(r#"{"user":"al","password":"«p w\"x»","token": "«ab»", "error":"invalid_token"}"#);
        check(r#"{"name":"Authorization","value":"Bearer «abcd»"},{"name":"Accept","value":"x"}"#);
        check(r#"{"value":"Bearer «abcd»","name":"Authorization"},{"value":"x","name":"Accept"}"#);
        check("{\n \"Authorization\": [\n  \"Bearer «abcd»\"\n ]}");
        check(r#"body: "{\"password\":\"«hunter2»\",\"a\":1}""#);
        check("grant_type=password&username=al&password=«hunter2»&x=1");
        check("spring.datasource.password=«hunter2»\nserver.port=80");
        check("auth:\n  user: al\n  password: «hunter2»\n");
        check("export GITHUB_TOKEN=«abcd»");
        check("<user>al</user><password>«hunter2»</password>");
        check(r#"<add key="ApiKey" value="«abcd»"/><add key="Mode" value="x"/>"#);
        check("map[Authorization:[Bearer «abcd»]]");
    }

    #[test]
    fn commands() {
        check("curl -u alice:«hunter2» https://h/");
        check("curl -u 'alice:«hunt er2»' https://h/ --proxy-user bob:«pw»");
        check("curl --user=alice:«hunter2» -ualice:«pw» https://h");
        check("wget --user=al --password=«hunter2» https://h/");
        check("tool --api-key «abcd» --verbose");
        check("git clone https://al:«hunter2»@h/r.git");
        check("curl -b 'sid=«abc»; x=«y»' 'https://h/?access_token=«abc»&x=1'");
        check("requests.get(url, auth=('alice', '«hunter2»'))");
        check("HTTPBasicAuth('alice', \"«hunter2»\")");
        check("curl -u alice https://h/");
    }

    #[test]
    fn files_of_secrets() {
        check("machine h login alice password «hunter2»");
        check("login alice\npassword «hunter2»");
        check("CLIENT_RANDOM 0123 «0123456789abcdef0123456789abcdef0123456789abcdef»");
        check("alice:«$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/»");
        check("//registry.example/:_authToken=«abcd»");
    }

    #[test]
    fn prose_is_left() {
        for text in [
            "The access token expired",
            "invalid_token: The token is expired",
            "Bearer realm=\"x\", error=\"invalid_token\"",
            "Basic authentication failed for user alice",
            "password mismatch for user \"al\"",
            "token: is not valid",
            "user alice: Password Mismatch",
            "Password required",
            "password authentication failed for user \"x\"",
            "error: invalid token: signature is invalid",
            "Bearer token was not sent",
            "cookie: none was sent",
            "code=401 key=3",
            "{\"code\": 401, \"message\": \"Bad credentials\"}",
            "token_type=bearer",
            "Authentication: failed",
            "auth_basic \"closed site\";",
            "AuthUserFile /etc/apache2/passwords",
            "secret: true",
            "Server auth using Basic with user 'al'",
            "[auth_basic:error] AH01618: user al not found: /x",
            "the client sends credentials only to the first host",
            "java.lang.IllegalStateException: token::type",
            "Authorization: ",
            "WWW-Authenticate: Basic realm=\"secret: area\"",
            "OAuth signature does not match",
            "Negotiate authentication is required",
        ] {
            assert_eq!(masked(text), text);
        }
    }

    #[test]
    fn time_is_linear() {
        for piece in [
            "password=",
            "Authorization: ",
            "Bearer ",
            "://@",
            "\"name\":\"",
            "-u a",
            "auth=(",
            "$1$",
            "'",
            "&lt;",
            "a:",
            "eyJ.",
            "=",
            "Cookie: ,",
            "BEGIN PRIVATE KEY-----",
            "password ",
            "machine password ",
        ] {
            let text = piece.repeat(50_000 / piece.len());
            let start = std::time::Instant::now();
            secrets_in_text(&text);
            assert!(start.elapsed().as_millis() < 2000, "{piece}");
        }
    }
}
