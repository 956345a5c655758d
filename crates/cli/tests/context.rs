//! What a person adds to the evidence: `--config`, `--intended-user`, `--intended-scheme`, `--clock`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "in a test a panic is the report")]

use serde_json::Value;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A file that is gone when the test is.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str, contents: &str) -> Scratch {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("why401-context-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(name);
        std::fs::write(&path, contents).unwrap();
        Scratch(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(self.0.parent().unwrap());
    }
}

fn run(args: &[&str], evidence: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_why401"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _ = child.stdin.take().unwrap().write_all(evidence.as_bytes());
    child.wait_with_output().unwrap()
}

fn report(args: &[&str], evidence: &str) -> Value {
    let out = run(&[&["--format", "json"], args].concat(), evidence);
    serde_json::from_slice(&out.stdout).unwrap()
}

fn cause(report: &Value) -> &str {
    report["findings"][0]["cause"].as_str().unwrap()
}

/// `alice` with a password, refused.
const REFUSED: &str = "GET /api/x HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: Basic YWxpY2U6Q2FuYXJ5NDcxMXg=\r\n\r\n\
HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n";
const WITHOUT: &str = "GET /api/x HTTP/1.1\r\nHost: api.example.com\r\n\r\n\
HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n";

#[test]
fn a_configuration_that_takes_the_field_away_is_pointed_at() {
    let text = "server {\n  location /api {\n    proxy_set_header Authorization \"\";\n    proxy_pass http://x;\n  }\n}\n";
    let file = Scratch::new("nginx.conf", text);
    let found = report(&["--config", file.path()], REFUSED);
    assert_eq!(cause(&found), "dropped-by-intermediary", "{found:#}");
    assert_ne!(found["findings"][0]["certainty"], "certain");
    let evidence = found["findings"][0]["evidence"].as_array().unwrap();
    let at = evidence.iter().find(|e| e["source"] == file.path()).unwrap();
    assert_eq!(at["line"], 3);
    let (start, end) = (at["start"].as_u64().unwrap() as usize, at["end"].as_u64().unwrap() as usize);
    assert!(text.get(start..end).unwrap().starts_with("proxy_set_header Authorization"), "{at}");
    let fixes = found["findings"][0]["fixes"].to_string();
    assert!(fixes.contains("proxy_set_header Authorization $http_authorization"), "{fixes}");
}

#[test]
fn a_configuration_for_another_place_is_not() {
    for text in [
        "server {\n  location / { proxy_pass http://x; }\n  location /other { proxy_set_header Authorization \"\"; }\n}\n",
        "server { server_name api.example.com; location / { proxy_pass http://x; } }\nserver { server_name b.example.com; proxy_set_header Authorization \"\"; }\n",
    ] {
        let file = Scratch::new("nginx.conf", text);
        let found = report(&["--config", file.path()], REFUSED);
        assert_eq!(cause(&found), "credentials-refused", "{text}{found:#}");
    }
}

/// One of each store: it has nothing for the host asked, is named and pointed at, and keeps its secrets.
#[test]
fn a_store_without_an_entry_for_the_host_is_pointed_at() {
    for (name, text) in [
        (".npmrc", "//npm.example.org/:_authToken=npm_Canary4711Canary4711Canary4711\n"),
        ("config.json", "{\"auths\": {\"r.example.org\": {\"auth\": \"YWxpY2U6Q2FuYXJ5NDcxMXg=\"}}}\n"),
        (
            "settings.xml",
            "<settings><servers><server><id>a</id><username>bob</username><password>Canary4711x</password></server></servers>\
             <mirrors><mirror><id>b</id><url>https://api.example.com/m</url></mirror></mirrors></settings>\n",
        ),
        (
            "nuget.config",
            "<configuration>\n<packageSources>\n<add key=\"f\" value=\"https://api.example.com/v3\" />\n</packageSources>\n</configuration>\n",
        ),
        ("pip.conf", "[global]\nindex-url = https://bob:Canary4711x@pypi.example.org/simple\n"),
        (
            "kubeconfig",
            "kind: Config\nclusters:\n- cluster:\n    server: https://api.example.com:6443\nusers:\n- name: bob\n  user: {}\ncurrent-context: c\n",
        ),
    ] {
        let file = Scratch::new(name, text);
        let found = report(&["--config", file.path()], WITHOUT);
        assert_eq!(cause(&found), "no-credentials", "{name}: {found:#}");
        let finding = &found["findings"][0];
        let pointed = finding["evidence"].as_array().unwrap().iter().any(|e| e["source"] == file.path());
        assert!(pointed, "{name}: {finding:#}");
        assert!(
            finding["summary"].as_str().unwrap().contains("has no credentials for api.example.com"),
            "{finding}"
        );
        let all = found.to_string();
        assert!(!all.contains("Canary4711") && !all.contains("YWxpY2U6Q2FuYXJ5NDcxMXg"), "{name}: {all}");
    }
}

#[test]
fn a_netrc_that_went_first_is_pointed_at() {
    let file = Scratch::new(".netrc", "machine api.example.com login alice password Canary4711x\n");
    let found = report(&["--config", file.path(), "--intended-user", "bob"], REFUSED);
    assert_eq!(cause(&found), "overridden-by-client", "{found:#}");
    assert_eq!(found["findings"][0]["certainty"], "certain");
    assert!(!found.to_string().contains("Canary4711x"));
}

#[test]
fn the_user_and_the_scheme_that_were_meant_count() {
    assert_eq!(cause(&report(&[], REFUSED)), "credentials-refused");
    assert_eq!(cause(&report(&["--intended-user", "alice"], REFUSED)), "credentials-refused");
    assert_eq!(cause(&report(&["--intended-user", "bob"], REFUSED)), "overridden-by-client");
    let hers = REFUSED.replace("/api/x", "/bob/inbox");
    assert_eq!(cause(&report(&["--intended-user", "bob"], &hers)), "wrong-account");
    assert_eq!(cause(&report(&["--intended-scheme", "bearer"], REFUSED)), "overridden-by-client");
    assert_eq!(cause(&report(&["--intended-scheme", "Basic"], REFUSED)), "credentials-refused");
}

/// A token from 17:00 to 18:00 of 2026-11-22, in evidence without any time.
const TOKEN: &str = "GET /api HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: Bearer eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlLmNvbS8iLCJpYXQiOjE3OTUzNjY4MDAsImV4cCI6MTc5NTM3MDQwMH0.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n\r\n\
HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer error=\"invalid_token\"\r\nContent-Length: 0\r\n\r\n";

#[test]
fn the_clock_of_the_machine_counts() {
    let at = |clock: &str| {
        let found = report(&["--clock", clock, "--now", "2026-11-22T17:30:00Z"], TOKEN);
        (cause(&found).to_owned(), found["findings"][0]["certainty"].as_str().unwrap().to_owned())
    };
    assert_eq!(at("2026-11-22T18:30:00Z"), ("token-expired".to_owned(), "certain".to_owned()));
    assert_eq!(at("2026-11-22T17:30:00Z").0, "credentials-refused");
    // A signature of a clock that is ahead, in evidence without any other time.
    let signed = "GET /x HTTP/1.1\r\nHost: api.example.com\r\nX-Amz-Date: 20261122T171614Z\r\nAuthorization: AWS4-HMAC-SHA256 \
        Credential=AKIAIOSFODNN7EXAMPLE/20261122/us-east-1/execute-api/aws4_request, SignedHeaders=host;x-amz-date, \
        Signature=fe5f80f77d5fa3beca038a248ff027d0445342fe2855ddc963176630326f1024\r\n\r\n\
        HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(cause(&report(&["--clock", "+20m"], signed)), "clock-skew");
    assert_eq!(cause(&report(&["--clock=-20m"], signed)), "clock-skew");
    assert_ne!(cause(&report(&["--clock", "+10s"], signed)), "clock-skew");
}

#[test]
fn what_cannot_be_read_is_said() {
    for (args, word) in [
        (&["--clock", "yesterday"][..], "offset"),
        (&["--config", "/no/such/file"][..], "no such file"),
        (&["--config", "/"][..], "folder"),
    ] {
        let out = run(args, REFUSED);
        assert_eq!(out.status.code(), Some(2), "{args:?}");
        assert!(out.stdout.is_empty() && String::from_utf8_lossy(&out.stderr).contains(word), "{args:?}");
    }
}
