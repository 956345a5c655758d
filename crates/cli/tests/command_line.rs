//! The promises of the command line: exit status, streams, forms of output, secrets.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "in a test a panic is the report")]

use std::io::Write;
use std::process::{Command, Output, Stdio};

const REFUSED: &str = "$ curl -v -u alice:Canary4711x http://h.example.com/a?token=Tok3nCanary99\n\
* Connected to h.example.com\n> GET /a?token=Tok3nCanary99 HTTP/1.1\n> Host: h.example.com\n\
> Authorization: Basic YWxpY2U6Q2FuYXJ5NDcxMXg=\n> Cookie: sid=C00kieCanary77\n> \n< HTTP/1.1 401 Unauthorized\n\
< WWW-Authenticate: Basic realm=\"x\"\n< Set-Cookie: sid=C00kieCanary78; Path=/\n< Content-Length: 0\n< \n";
const FINE: &str =
    "> GET /a HTTP/1.1\n> Host: h.example.com\n> \n< HTTP/1.1 200 OK\n< Content-Length: 0\n< \n";

fn why401(args: &[&str], stdin: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_why401"))
        .args(args)
        .env_remove("NO_COLOR")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end without reading: that is its right.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    child.wait_with_output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn a_fault_is_told_by_status_one() {
    let o = why401(&[], REFUSED.as_bytes());
    assert_eq!(o.status.code(), Some(1), "{}", out(&o));
    assert!(out(&o).starts_with("fault: "), "{}", out(&o));
    assert!(o.stderr.is_empty());
}

#[test]
fn no_fault_is_told_by_status_zero_in_one_line() {
    let o = why401(&["-"], FINE.as_bytes());
    assert_eq!((o.status.code(), out(&o).lines().count()), (Some(0), 1), "{}", out(&o));
}

#[test]
fn the_unusable_is_told_by_status_two_on_standard_error_alone() {
    for (args, stdin) in [
        (&["/no/such/file"][..], ""),
        (&[][..], ""),
        (&["/"][..], ""),
        (&["https://example.com/"][..], ""),
        (&["--input", "nonsense"][..], FINE),
        (&["--format", "nonsense"][..], FINE),
        (&["--keys", "/no/such/file"][..], FINE),
        (&["explain", "no-such-cause"][..], ""),
        (&["decode"][..], ""),
    ] {
        let o = why401(args, stdin.as_bytes());
        assert_eq!(o.status.code(), Some(2), "{args:?}");
        assert!(o.stdout.is_empty() && !o.stderr.is_empty(), "{args:?}");
    }
}

#[test]
fn one_unreadable_file_among_others_is_noted() {
    let o = why401(&["/no/such/file", "-"], FINE.as_bytes());
    assert_eq!(o.status.code(), Some(0));
    assert!(out(&o).contains("/no/such/file"), "{}", out(&o));
}

#[test]
fn a_code_in_words_is_evidence() {
    let o = why401(&["401.3", "--format", "json"], b"");
    let document: serde_json::Value = serde_json::from_slice(&o.stdout).unwrap();
    assert_eq!(document["sources"][0]["format"], "code");
    assert_eq!(o.status.code(), Some(1), "{document:#}");
}

#[test]
fn the_document_has_its_keys_in_their_order() {
    let o = why401(&["--format", "json"], REFUSED.as_bytes());
    let document: serde_json::Value = serde_json::from_slice(&o.stdout).unwrap();
    let keys = |v: &serde_json::Value| v.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&document), ["schema", "tool", "sources", "findings"]);
    assert_eq!(
        keys(&document["sources"][0]),
        ["name", "format", "bytes", "exchanges", "statuses", "first", "last", "problems"]
    );
    assert_eq!(
        keys(&document["findings"][0]),
        [
            "cause",
            "verdict",
            "certainty",
            "party",
            "summary",
            "count",
            "first",
            "last",
            "account",
            "client",
            "server",
            "resource",
            "exchanges",
            "evidence",
            "fixes",
            "also_possible",
            // Where messages are known; and `series` before it, where times are.
            "sequence"
        ]
    );
    assert_eq!(document["sources"][0]["bytes"], REFUSED.len());
    let note = &document["findings"][0]["evidence"][0];
    assert_eq!(keys(note), ["source", "start", "end", "line", "text", "says"]);
}

#[test]
fn no_form_of_output_holds_a_secret() {
    for format in ["text", "json", "markdown", "html"] {
        let o = why401(&["--format", format, "--all", "--color", "always"], REFUSED.as_bytes());
        for secret in
            ["Canary4711x", "Tok3nCanary99", "C00kieCanary77", "C00kieCanary78", "YWxpY2U6Q2FuYXJ5NDcxMXg"]
        {
            assert!(!out(&o).contains(secret), "{format}: {secret}\n{}", out(&o));
        }
    }
    let field = "Authorization: Basic YWxpY2U6Q2FuYXJ5NDcxMXg=";
    assert!(!out(&why401(&["decode", field], b"")).contains("Canary4711x"));
    assert!(out(&why401(&["decode", "--show-secrets", field], b"")).contains("Canary4711x"));
}

#[test]
fn secrets_are_shown_to_who_asks() {
    let o = why401(&["--show-secrets"], REFUSED.as_bytes());
    assert!(out(&o).contains("YWxpY2U6Q2FuYXJ5NDcxMXg="), "{}", out(&o));
}

#[test]
fn colour_only_when_asked() {
    assert!(!out(&why401(&[], REFUSED.as_bytes())).contains('\u{1b}'));
    assert!(out(&why401(&["--color", "always"], REFUSED.as_bytes())).contains('\u{1b}'));
}

#[test]
fn a_reader_who_goes_away_is_no_error() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_why401"))
        .arg("explain")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let o = child.wait_with_output().unwrap();
    assert!(o.stderr.is_empty() && o.status.code() == Some(0), "{:?}", o.status);
}

#[test]
fn options_stand_before_and_behind_a_command() {
    for args in
        [["--format", "json", "explain", "no-credentials"], ["explain", "no-credentials", "--format", "json"]]
    {
        let document: serde_json::Value = serde_json::from_slice(&why401(&args, b"").stdout).unwrap();
        assert_eq!(document["cause"], "no-credentials");
    }
}
