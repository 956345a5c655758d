//! A secret put anywhere where secrets stand is hidden, whatever it looks like.
#![allow(clippy::indexing_slicing, reason = "in a test a panic is the report")]

use proptest::prelude::*;
use why401_redact::{SecretSet, is_placeholder, secrets_in_field, secrets_in_target, secrets_in_text};

fn masked(text: &str, hidden: &[std::ops::Range<usize>]) -> String {
    why401_span::mask(text, |i| hidden.iter().any(|r| r.contains(&i)))
}

/// Fields, by name and by what stands around the secret.
const FIELDS: &[(&str, &str)] = &[
    ("Authorization", "Bearer {}"),
    ("authorization", "bearer  {}"),
    ("Authorization", "{}"),
    ("Authorization", "Bearer Bearer {}"),
    ("Authorization", "Basic {}"),
    ("Authorization", "Unknown-Scheme {}"),
    ("Authorization", "Digest username=\"al\", realm=\"r\", nonce=\"n\", uri=\"/\", response=\"{}\""),
    (
        "Authorization",
        "AWS4-HMAC-SHA256 Credential=AKID/2026/eu/s3/aws4_request, SignedHeaders=host, Signature={}",
    ),
    ("Authorization", "OAuth oauth_token=\"{}\", oauth_nonce=\"n\""),
    ("Authorization", "Basic eA==, Bearer {}"),
    ("Autorization", "Bearer {}"),
    ("Proxy-Authorization", "Basic {}"),
    ("X-Forwarded-Authorization", "Bearer {}"),
    ("Cookie", "lang=de; sid={}; x=y"),
    ("Set-Cookie", "sid={}; Path=/; HttpOnly"),
    ("Set-Cookie", "a=b; Path=/, sid={}; Secure"),
    ("X-Api-Key", "{}"),
    ("PRIVATE-TOKEN", "{}"),
    ("X-Amz-Security-Token", "{}"),
    ("DPoP", "{}"),
    ("Signature", "sig1=:{}:"),
    ("WWW-Authenticate", "Negotiate {}{}"),
    ("Authentication-Info", "rspauth=\"{}\", qop=auth"),
    ("Location", "https://example.com/cb?state=1&code={}"),
    ("Location", "https://example.com/cb#access_token={}&x=1"),
    ("Referer", "https://alice:{}@example.com/"),
];

const TARGETS: &[&str] = &[
    "/p?access_token={}",
    "/p?a=b&api_key={}&c=d",
    "/p?X-Amz-Signature={}",
    "https://alice:{}@example.com/p",
    "/p;jsessionid={}?x=1",
    "/r?next=https%3A%2F%2Fexample.com%2F%3Ftoken%3D{}",
];

const TEXTS: &[&str] = &[
    "> Authorization: Bearer {}\r\n> Accept: */*\r\n",
    "* [HTTP/2] [1] [authorization: Bearer {}]",
    "curl -H 'Authorization: Bearer {}' https://example.com/",
    "curl -u alice:{} https://example.com/",
    "curl -u 'alice:{}' https://example.com/",
    "curl --user alice:{} https://example.com/",
    "wget --http-password={} https://example.com/",
    "http -a alice:{} GET example.com",
    "git clone https://alice:{}@example.com/r.git",
    "{\"password\": \"{}\"}",
    "{\"access_token\":\"{}\",\"token_type\":\"bearer\"}",
    "{\"name\": \"Authorization\", \"value\": \"Bearer {}\"}",
    "{\"name\":\"Cookie\",\"value\":\"sid={}\"}",
    "grant_type=password&username=alice&password={}&scope=x",
    "  password: {}\n",
    "password={}\n",
    "db.password = {}\n",
    "export API_TOKEN={}",
    "<password>{}</password>",
    "machine example.com login alice password {}",
    "//registry.example.com/:_authToken={}",
    "127.0.0.1 - - [x] \"GET /p?token={} HTTP/1.1\" 401 1",
    "requests.get(u, auth=('alice', '{}'))",
    "proxy_set_header Authorization \"Bearer {}\";",
    "Cookie: sid={}; a=b",
    "X-Api-Key: {}",
    "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----",
    "\"request\": \"{\\\"password\\\":\\\"{}\\\"}\"",
];

fn secret() -> impl Strategy<Value = String> {
    let plain = "[A-Za-z0-9]{8,40}";
    let signs = "[A-Za-z0-9][A-Za-z0-9._~+/-]{6,30}[A-Za-z0-9]";
    prop_oneof![plain, signs].prop_filter("ordinary words are for sentences", |s| {
        !is_placeholder(s) && s.bytes().any(|b| b.is_ascii_digit())
    })
}

proptest! {
    #[test]
    fn a_secret_is_hidden_where_it_stands(secret in secret()) {
        // By the letter (RFC 3986 section 3.2.1) no slash stands in userinfo.
        let fits = |around: &str| !(around.contains("://alice:") && secret.contains('/'));
        for (name, around) in FIELDS.iter().filter(|f| fits(f.1)) {
            let value = around.replace("{}", &secret);
            let shown = masked(&value, &secrets_in_field(name, &value));
            prop_assert!(!shown.contains(&secret), "{name}: {around}");
            let line = format!("< {name}: {value}\r\n");
            let shown = masked(&line, &secrets_in_text(&line));
            prop_assert!(!shown.contains(&secret), "in text: {name}: {around}");
        }
        for around in TARGETS.iter().filter(|t| fits(t)) {
            let target = around.replace("{}", &secret);
            let shown = masked(&target, &secrets_in_target(&target));
            prop_assert!(!shown.contains(&secret), "{around}");
        }
        for around in TEXTS.iter().filter(|t| fits(t)) {
            let text = around.replace("{}", &secret);
            let shown = masked(&text, &secrets_in_text(&text));
            prop_assert!(!shown.contains(&secret), "{around}");
        }
    }

    #[test]
    fn ranges_are_in_order_on_boundaries_and_within(text in "\\PC{0,80}") {
        for ranges in [secrets_in_text(&text), secrets_in_target(&text), secrets_in_field("Cookie", &text), secrets_in_field("authorization", &text)] {
            let mut before = 0;
            for r in ranges {
                prop_assert!(before <= r.start && r.start < r.end);
                prop_assert!(text.get(r.clone()).is_some());
                before = r.end;
            }
        }
    }

    #[test]
    fn hostile_pieces_do_no_harm(pieces in prop::collection::vec(prop_oneof![
        Just("Authorization: "), Just("password="), Just("\""), Just("'"), Just("\\"), Just("Bearer "), Just("ä"), Just("\u{202e}"),
        Just("://"), Just("@"), Just("%3D"), Just("auth=("), Just("\n"), Just("<"), Just("-u "), Just("a:b"), Just("\"name\":"), Just("{"), Just("["), Just("$1$")
    ], 0..60)) {
        let text = pieces.concat();
        for r in secrets_in_text(&text).into_iter().chain(secrets_in_field("Set-Cookie", &text)).chain(secrets_in_target(&text)) {
            prop_assert!(text.get(r).is_some());
        }
    }

    #[test]
    fn a_known_secret_is_found_by_value(secret in secret(), before in "[ a-z:=]{0,9}", after in "[ a-z&;]{0,9}") {
        let mut set = SecretSet::default();
        set.field("Authorization", &format!("Bearer {secret}"));
        let text = format!("{before}{secret}{after}");
        prop_assert!(!set.scrub(&text).contains(&secret));
    }
}
