//! `decode`: the JSON that scripts rely on, the text for people, and secrets in neither.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "in a test a panic is the report, and it may print"
)]

use proptest::prelude::*;
use serde_json::{Value, json};
use why401_auth::base64::{encode, encode_url};
use why401_auth::{decode, decode_line};

fn read(name: &str, value: &str) -> Value {
    serde_json::to_value(decode(name, value.as_bytes(), false)).unwrap()
}

#[test]
fn challenges_in_the_form_that_is_promised() {
    let got = read(
        "www-authenticate",
        r#"Newauth Realm="apps", type=1, title="Login to \"apps\"", Basic realm="simple""#,
    );
    assert_eq!(got["field"], "WWW-Authenticate");
    assert_eq!(got["ok"], true);
    let want = json!([
        { "scheme": "newauth", "token68": null, "params": [["realm", "apps"], ["type", "1"], ["title", "Login to \"apps\""]] },
        { "scheme": "basic", "token68": null, "params": [["realm", "simple"]] },
    ]);
    assert_eq!(got["challenges"], want);
    assert_eq!(got["problems"], json!([]));
    assert!(got.get("credentials").is_none());
    assert_eq!(got["inside"][1]["realm"], "simple");
    assert!(got["differences"][0]["who"].as_str().unwrap().contains("Chromium"));
}

#[test]
fn credentials_in_the_form_that_is_promised() {
    let value = r#"Digest username="alice", realm="x", nonce="n", uri="/", response="00112233445566778899aabbccddeeff""#;
    let got = read("Authorization", value);
    assert_eq!(got["credentials"]["scheme"], "digest");
    assert_eq!(got["credentials"]["params"][0], json!(["username", "alice"]));
    assert_eq!(got["credentials"]["params"][4], json!(["response", "*".repeat(32)]));
    assert!(got.get("challenges").is_none());
    let open = serde_json::to_value(decode("Authorization", value.as_bytes(), true)).unwrap();
    assert_eq!(open["credentials"]["params"][4][1], "00112233445566778899aabbccddeeff");
}

#[test]
fn broken_grammar_is_said_and_what_can_be_read_is_given() {
    let got = read("WWW-Authenticate", r#"Digest realm="x" nonce="y", qop=auth, opaque="z"#);
    assert_eq!(got["ok"], false);
    let params = got["challenges"][0]["params"].as_array().unwrap();
    assert_eq!(params.len(), 4);
    assert_eq!(params[3], json!(["opaque", "z"]));
    let whats: Vec<_> =
        got["problems"].as_array().unwrap().iter().map(|p| p["what"].as_str().unwrap()).collect();
    assert!(
        whats.iter().any(|w| w.contains("comma is missing"))
            && whats.iter().any(|w| w.contains("not closed"))
    );
    assert_eq!(
        (got["problems"][0]["start"].as_u64(), got["problems"][0]["end"].as_u64()),
        (Some(17), Some(17))
    );
}

#[test]
fn what_is_inside_is_shown() {
    let basic = read("Authorization", &format!("Basic {}", encode(b"alice:secret\n")));
    assert_eq!(
        (basic["inside"]["user_id"].as_str(), basic["inside"]["password"].as_str()),
        (Some("alice"), Some("*******"))
    );
    assert!(basic["problems"][0]["what"].as_str().unwrap().contains("line feed at the end of the password"));
    assert_eq!(basic["ok"], true);

    let jwt = [r#"{"alg":"none"}"#, r#"{"sub":"alice","exp":1700000000}"#, ""]
        .map(|p| encode_url(p.as_bytes()))
        .join(".");
    for (name, value) in [("Authorization", format!("Bearer {jwt}")), ("X-Api-Key", jwt.clone())] {
        let got = read(name, &value);
        assert_eq!(got["inside"]["claims"]["sub"], "alice", "{name}");
        assert_eq!(got["inside"]["times"]["exp"], "2023-11-14T22:13:20Z");
    }
    let cookie = read("Cookie", &format!("a=1; token={jwt}"));
    assert_eq!(cookie["inside"]["cookies"][1]["inside"]["claims"]["sub"], "alice");
    assert_eq!(cookie["inside"]["cookies"][0], json!({ "name": "a", "value": "*" }));

    let sigv4 = read(
        "Authorization",
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
    );
    assert_eq!(
        (sigv4["inside"]["region"].as_str(), sigv4["inside"]["service"].as_str()),
        (Some("us-east-1"), Some("iam"))
    );
    assert_eq!(sigv4["ok"], false, "'/' and ';' stand outside quotes, whatever AWS says");

    let info = read("Authentication-Info", r#"nextnonce="abc", qop=auth, rspauth="0011", nc=00000001"#);
    assert_eq!(info["inside"]["params"][2], json!(["rspauth", "****"]));
    let ntlm = read(
        "WWW-Authenticate",
        "NTLM TlRMTVNTUAACAAAAAAAAADgAAAAFgoqiASNFZ4mrze8AAAAAAAAAAAAAAAAAAAAACgB8TwAAAA8=",
    );
    assert_eq!(
        (ntlm["inside"][0]["kind"].as_str(), ntlm["inside"][0]["type"].as_u64()),
        (Some("ntlm-challenge"), Some(2))
    );
}

#[test]
fn a_line_is_read_with_or_without_its_name() {
    assert_eq!(decode_line(b"www-authenticate: Basic realm=\"x\"", false).field, "WWW-Authenticate");
    assert_eq!(decode_line(b"Bearer abc", false).field, "Authorization");
    assert_eq!(decode_line(b"X-Tenant-Auth: abc", false).field, "X-Tenant-Auth");
    assert_eq!(decode_line(b"alice:secret", false).field, "Authorization");
}

#[test]
fn text_for_people() {
    let text =
        decode("Authorization", format!("Basic {}", encode(b"alice:secret\n")).as_bytes(), false).to_text();
    assert!(text.starts_with("Authorization\n  basic\n"), "{text}");
    assert!(text.contains("user id: alice") && text.contains("at 22..24: a line feed"), "{text}");
    let hostile = decode("WWW-Authenticate", b"Basic realm=\"\x1b[31m\xe2\x80\xae\"", false).to_text();
    assert!(!hostile.contains('\x1b') && !hostile.contains('\u{202e}'), "{hostile}");
}

/// One secret in every place where one can stand.
fn with_secret(secret: &str) -> Vec<(&'static str, String)> {
    let basic = encode(format!("alice:{secret}").as_bytes());
    let jwt = format!(
        "{}.{}.{}",
        encode_url(br#"{"alg":"HS256"}"#),
        encode_url(br#"{"sub":"alice"}"#),
        encode_url(secret.as_bytes())
    );
    vec![
        ("Authorization", format!("Bearer {secret}")),
        ("Authorization", secret.to_string()),
        ("Authorization", format!("Bearer Bearer {secret}")),
        ("Authorization", format!("\"Bearer {secret}\"")),
        ("Authorization", format!("Basic {basic}")),
        ("Authorization", format!("Basic alice:{secret}")),
        ("Authorization", format!("Basic {}", encode(basic.as_bytes()))),
        ("Authorization", format!("Basic {}", encode(format!("{secret}:").as_bytes()))),
        ("Authorization", format!("Basic {}", encode(secret.as_bytes()))),
        ("Authorization", format!("Bearer {jwt}")),
        ("Authorization", format!("Token token=\"{secret}\"")),
        ("Authorization", format!("Custom password={secret}, type=1")),
        ("Authorization", format!("Digest username=\"a\", response=\"{secret}\"")),
        (
            "Authorization",
            format!("OAuth oauth_consumer_key=\"a\", oauth_token=\"{secret}\", oauth_signature=\"{secret}\""),
        ),
        ("Authorization", format!("Digest realm=\"x, response={secret}")),
        ("Authorization", format!("Digest username=a response= {secret}, realm=b {secret}")),
        ("Authorization", format!("OAuth oauth_consumer_key=\"a, oauth_token={secret}")),
        ("Authorization", format!("Hawk id=\"a, mac={secret}")),
        ("Authorization", format!("AWS4-HMAC-SHA256 Credential=a&Signature={secret}")),
        ("Authorization", format!("Hawk id=\"a\", mac=\"{secret}\"")),
        ("Authorization", format!("SharedKey account:{secret}")),
        ("Authorization", format!("SharedAccessSignature sr=x&sig={secret}&se=1")),
        (
            "Authorization",
            format!(
                "AWS4-HMAC-SHA256 Credential=AKID/20150830/r/s/aws4_request, SignedHeaders=host, Signature={secret}"
            ),
        ),
        ("Authorization", format!("Basic YTpi, Bearer {secret}")),
        ("Authorization", format!("{secret}_ {secret}")),
        ("Proxy-Authorization", format!("Basic {basic}")),
        ("X-Api-Key", secret.to_string()),
        ("X-Api-Key", format!("Bearer {secret}")),
        ("X-Amz-Security-Token", secret.to_string()),
        ("Cookie", format!("sid={secret}; {secret}")),
        ("Set-Cookie", format!("sid={secret}; Path=/")),
        ("DPoP", jwt),
        ("DPoP", secret.to_string()),
        ("Signature", format!("sig1=:{basic}:")),
        ("Authentication-Info", format!("rspauth=\"{secret}\"")),
        (
            "X-Anything",
            format!("https://bucket.example/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature={secret}"),
        ),
    ]
}

fn assert_hidden(secret: &str) {
    for (name, value) in with_secret(secret) {
        let decoded = decode(name, value.as_bytes(), false);
        let shown =
            format!("{}\n{}\n{decoded:?}", serde_json::to_string(&decoded).unwrap(), decoded.to_text());
        let coded = encode(secret.as_bytes());
        let core = coded.trim_end_matches('=');
        for trace in [secret, &secret.to_lowercase(), core, &encode_url(secret.as_bytes())] {
            assert!(!shown.contains(trace), "{name}: {value} shows {trace} in {shown}");
        }
        let parsed = format!(
            "{:?} {:?}",
            why401_auth::parse_credentials(value.as_bytes()),
            why401_auth::review::of(value.as_bytes())
        );
        assert!(!parsed.contains(secret) && !parsed.contains(core), "{name}: {value} in {parsed}");
    }
}

#[test]
fn no_secret_in_any_output() {
    for secret in [
        "CANARYsecret0123456789",
        "canary-SECRET_value.x1",
        "CorrectHorseBatteryStaple",
        "ghp_CANARY0123456789abcdefghijklmnopqrst",
        "hunter2hunter2",
    ] {
        assert_hidden(secret);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn no_secret_of_any_form(secret in "[A-Za-z][A-Za-z0-9_.~+-]{5,20}[0-9][A-Za-z0-9_.~+-]{6,20}") {
        prop_assume!(!secret.to_lowercase().contains("bearer"));
        assert_hidden(&secret);
    }

    #[test]
    fn any_field_and_any_bytes(name in "(DPoP|Cookie|Set-Cookie|Signature|Signature-Input|Authentication-Info|X-Amz-Date|X-Y|Authorization|WWW-Authenticate)", value in prop::collection::vec(any::<u8>(), 0..120)) {
        for show in [false, true] {
            let decoded = decode(&name, &value, show);
            for p in &decoded.problems {
                prop_assert!(p.start <= p.end && p.end <= value.len(), "{:?}", p);
            }
            let _ = (decoded.to_text(), serde_json::to_string(&decoded).unwrap());
        }
    }
}
