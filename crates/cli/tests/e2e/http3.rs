//! Refusals over HTTP/3, read with the key log of the client.

use crate::stage::{Stage, diagnose, expect, have};
use std::path::Path;
use std::process::Command;

const TOOLS: &[&str] = &["caddy", "chromium", "tcpdump", "openssl"];

/// What Chromium takes a certificate by that nobody has signed.
fn key_hash(certificate: &str) -> String {
    let script = "openssl x509 -in \"$1\" -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64";
    let out = Command::new("sh").args(["-c", script, "-", certificate]).output().unwrap();
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_wrong_password_over_http_3() {
    if !have(TOOLS) {
        return;
    }
    let mut stage = Stage::new();
    let (certificate, key) = stage.certificate("origin");
    let caddy = stage.caddy(&certificate, &key);
    let port = caddy.port;
    let keys = stage.path("keys.log");
    let capture = stage.capture(&[port], |s| {
        let arguments = [
            format!("--user-data-dir={}", s.path("profile").display()),
            format!("--ssl-key-log-file={}", keys.display()),
            format!("--origin-to-force-quic-on=localhost:{port}"),
            format!("--ignore-certificate-errors-spki-list={}", key_hash(&certificate)),
            format!("https://alice:Summer-41@localhost:{port}/data.json"),
        ];
        let mut args =
            vec!["120", "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--enable-quic"];
        args.extend(["--disable-background-networking", "--host-resolver-rules=MAP localhost 127.0.0.1"]);
        args.push("--dump-dom");
        args.extend(arguments.iter().map(String::as_str));
        s.run("chromium.txt", "timeout", &args);
    });
    let Some(capture) = capture else { return };
    expect(&[&capture, &keys], "credentials-refused", "likely");
    let report = diagnose(&[&capture, &keys]);
    let evidence = report["findings"][0]["evidence"].to_string();
    assert!(evidence.contains("quic server 127.0.0.1:") && evidence.contains("HTTP/3 401"), "{evidence}");
    // Without keys nothing is claimed, and the server and the way to keys are told.
    let report = diagnose(&[&capture]);
    assert_eq!(report["findings"].as_array().unwrap().len(), 0, "{report}");
    let problems = report["sources"][0]["problems"].to_string();
    assert!(problems.contains("HTTP/3 (QUIC) to localhost (127.0.0.1:"), "{problems}");
    assert!(problems.contains("--ssl-key-log-file"), "{problems}");
}

#[test]
fn the_sample_is_explained_and_its_password_not_shown() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples");
    let (capture, keys) = (samples.join("http3.pcap"), samples.join("http3.keys"));
    let report = diagnose(&[&capture, &keys]);
    let causes: Vec<&str> =
        report["findings"].as_array().unwrap().iter().filter_map(|f| f["cause"].as_str()).collect();
    assert!(causes.contains(&"credentials-refused") && causes.contains(&"no-credentials"), "{causes:?}");
    let whole = report.to_string();
    // The password, and how Basic writes it behind its user's name.
    assert!(!whole.contains("Pw9#canary") && !whole.contains("YWxpY2U6UHc5I2NhbmFyeSs0NzEx"), "{whole}");
}
