//! How large a log is, and how it comes, changes nothing.

use crate::diagnose;
use crate::hub::Hub;
use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

/// Cause, certainty, account, client, count, first and last of every finding.
fn told(report: &Value) -> Vec<String> {
    let all = report["findings"].as_array().unwrap().iter();
    let of = |f: &Value| {
        ["cause", "certainty", "account", "client", "count", "first", "last"]
            .map(|k| f[k].to_string())
            .join(" ")
    };
    let mut all: Vec<String> = all.map(of).collect();
    all.sort();
    all
}

#[test]
fn how_large_a_log_is_changes_no_finding() {
    let mut guessed = String::new();
    let mut methods = String::new();
    let mut addresses = String::new();
    let mut gate = String::new();
    let mut listed = String::new();
    for i in 0..4000u32 {
        let at = format!("22/Nov/2026:{:02}:{:02}:{:02} +0000", i / 360, i / 6 % 60, i % 6 * 10);
        let (user, status) = match i % 10 {
            0 => (format!("name{i}"), 401),
            _ => (format!("user{}", i % 13), 200),
        };
        let client = if i % 10 == 0 { 99 } else { i % 13 };
        writeln!(
            guessed,
            "192.0.2.{client} - {user} [{at}] \"GET /v1/orders HTTP/1.1\" {status} 1 \"-\" \"curl/8.5.0\""
        )
        .unwrap();
        let (method, path, status) = match i % 8 {
            0 => ("GET", "/v1/submit", 401),
            2 => ("POST", "/v1/orders", 200),
            _ => ("POST", "/v1/submit", 200),
        };
        writeln!(
            methods,
            "192.0.2.{0} - user{0} [{at}] \"{method} {path} HTTP/1.1\" {status} 1 \"-\" \"curl/8.5.0\"",
            i % 5
        )
        .unwrap();
        // One of them writes an address in capital letters; the right ones are in the midst of what it asks for.
        let (path, status) = match i % 8 {
            0 if i % 5 == 2 => ("/V1/Submit", 401),
            2..5 if (100..3900).contains(&i) => ("/v1/submit", 200),
            _ => ("/v1/orders", 200),
        };
        writeln!(
            addresses,
            "192.0.2.{0} - user{0} [{at}] \"POST {path} HTTP/1.1\" {status} 1 \"-\" \"curl/8.5.0\"",
            i % 5
        )
        .unwrap();
        // Two addresses need no credentials; a third one is asked for them, another one's session ended, and one asks for what
        // nobody is served.
        let (client, path, status) = match i % 20 {
            3 | 9 => (9, "/status".to_owned(), 401),
            5 => (7, "/account".to_owned(), if i < 3000 { 200 } else { 401 }),
            7 if i > 3500 => (8, format!("/.env{}", i % 9), 401),
            n if n < 12 => (n % 2, "/status".to_owned(), 200),
            n => (n % 2, format!("/page{}", i % 40), 200),
        };
        writeln!(
            listed,
            "192.0.2.{client} - - [{at}] \"GET {path} HTTP/1.1\" {status} 1 \"-\" \"curl/8.5.0\""
        )
        .unwrap();
        let (cause, status) = match i % 20 {
            3 => ("wrong-method", 405),
            7 => ("wrong-address", 404),
            11 => ("rate-limited", 429),
            13 => ("wrong-password", 401),
            _ => ("", 200),
        };
        let named = if cause.is_empty() { String::new() } else { format!("\"cause\":\"{cause}\",") };
        let (h, m, s, who) = (i / 360, i / 6 % 60, i % 6 * 10, i % 3);
        writeln!(
            gate,
            "{{\"time\":\"2026-11-22T{h:02}:{m:02}:{s:02}Z\",\"logger\":\"why401\",{named}\"remote_addr\":\"192.0.2.{who}\",\"remote_user\":\"user{who}\",\"request_method\":\"POST\",\"request_uri\":\"/submit\",\"server_protocol\":\"HTTP/1.1\",\"status\":{status},\"http_referer\": \"-\" }}",
        )
        .unwrap();
    }
    let hub = Hub::day_of(40);
    let folder = tempfile::tempdir().unwrap();
    for (name, log) in [
        ("hub", &hub.log),
        ("guessed", &guessed),
        ("methods", &methods),
        ("addresses", &addresses),
        ("gate", &gate),
        ("listed", &listed),
    ] {
        assert!(log.len() < 1024 * 1024, "{name}: {}", log.len());
        let small = folder.path().join(name);
        std::fs::write(&small, log).unwrap();
        // The same requests with a longer field that decides nothing.
        let referrer = format!(" \"https://hub.example.com/{}\" ", "x".repeat(300));
        let large = folder.path().join(format!("{name}.large"));
        std::fs::write(&large, log.replace(" \"-\" ", &referrer)).unwrap();
        assert!(std::fs::metadata(&large).unwrap().len() > 1024 * 1024);
        let (small, large) = (diagnose(&[&small], &[]), diagnose(&[&large], &[]));
        assert!(small["overview"].is_null() && large["overview"].is_object(), "{name}");
        assert!(!told(&small).is_empty());
        assert_eq!(told(&small), told(&large), "{name}");
    }
}

#[test]
fn a_large_log_from_a_pipe_is_read_as_one_from_a_file() {
    let hub = Hub::day();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("access.log");
    std::fs::write(&path, &hub.log).unwrap();
    let piped = |path: &Path| {
        let out = Command::new(env!("CARGO_BIN_EXE_why401"))
            .args(["--format", "json", "-"])
            .stdin(std::fs::File::open(path).unwrap())
            .output()
            .unwrap();
        serde_json::from_slice::<Value>(&out.stdout).unwrap()
    };
    let (file, pipe) = (diagnose(&[&path], &[]), piped(&path));
    assert_eq!(told(&pipe), told(&file));
    assert_eq!(pipe["sources"][0]["bytes"].as_u64(), Some(hub.log.len() as u64));
    assert_eq!(pipe["overview"], file["overview"]);
    assert!(Command::new("gzip").arg(&path).status().unwrap().success());
    let packed = piped(&folder.path().join("access.log.gz"));
    assert_eq!(told(&packed), told(&file));
}
