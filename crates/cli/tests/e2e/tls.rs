//! Refusals inside TLS, read with the key log of the client; and what is visible without one.

use crate::stage::{Stage, diagnose, expect, have};
use std::path::PathBuf;

const TOOLS: &[&str] = &["nginx", "curl", "tcpdump", "openssl"];
const WRONG: &str = "alice:Summer-41";

/// nginx with TLS that asks for Basic, and a capture of curl with the wrong password; `None` where nothing may be captured.
fn refused(how: &str, protocols: &str, curl: &[&str]) -> Option<(Stage, PathBuf, PathBuf)> {
    let mut stage = Stage::new();
    let (certificate, key) = stage.certificate("origin");
    let users = stage.path("users").display().to_string();
    let nginx = stage.nginx_listening(
        how,
        &format!(
            "ssl_certificate {certificate}; ssl_certificate_key {key}; ssl_protocols {protocols}; \
             auth_basic Members; auth_basic_user_file {users};"
        ),
    );
    let capture = stage.capture(&[nginx.port], |s| {
        let url = format!("https://localhost:{}/data.json", nginx.port);
        let args = [&["-skv", "--resolve", "localhost:0:127.0.0.1", "-4", "-u", WRONG, &url], curl].concat();
        s.run("curl.txt", "curl", &args);
    })?;
    Some((stage, capture, nginx.error))
}

fn named_with_its_keys(how: &str, protocols: &str, curl: &[&str]) {
    if !have(TOOLS) {
        return;
    }
    let Some((stage, capture, error)) = refused(how, protocols, curl) else { return };
    let keys = stage.path("keys.log");
    expect(&[&capture, &keys], "credentials-refused", "likely");
    expect(&[&capture, &keys, &error], "wrong-password", "certain");
    // Without keys nothing is claimed, and the way to them is told.
    let report = diagnose(&[&capture]);
    assert_eq!(report["findings"].as_array().unwrap().len(), 0, "{report}");
    let problems: Vec<&str> = report["sources"][0]["problems"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|p| p["what"].as_str())
        .collect();
    assert!(problems.iter().any(|p| p.starts_with("TLS to localhost (127.0.0.1:")), "{problems:?}");
    assert!(problems.iter().any(|p| p.contains("SSLKEYLOGFILE=keys.log curl")), "{problems:?}");
}

#[test]
fn a_wrong_password_over_tls_1_2() {
    named_with_its_keys("ssl", "TLSv1.2", &["--http1.1"]);
}

#[test]
fn a_wrong_password_over_tls_1_2_with_cbc() {
    named_with_its_keys("ssl", "TLSv1.2", &["--http1.1", "--ciphers", "ECDHE-RSA-AES256-SHA384"]);
}

#[test]
fn a_wrong_password_over_tls_1_3() {
    named_with_its_keys("ssl", "TLSv1.3", &["--http1.1"]);
}

#[test]
fn a_wrong_password_over_http_2_and_tls_1_3() {
    named_with_its_keys("ssl http2", "TLSv1.3", &["--http2"]);
}

#[test]
fn a_wrong_password_over_http_2_and_tls_1_2() {
    named_with_its_keys("ssl http2", "TLSv1.2", &["--http2"]);
}

/// A server that takes only clients with a certificate it trusts; curl shows the one named, if any.
fn certificate_wanted(version: &str, shown: Option<&str>) -> Option<(Stage, PathBuf)> {
    let mut stage = Stage::new();
    let (certificate, key) = stage.certificate("origin");
    stage.certificate("alice");
    let args = ["-cert", &certificate, "-key", &key, "-CAfile", &certificate, "-Verify", "1"];
    let port = stage.openssl(&[&args[..], &["-verify_return_error", version]].concat());
    let capture = stage.capture(&[port], |s| {
        let url = format!("https://localhost:{port}/");
        let of = |suffix: &str| s.path(&format!("alice.{suffix}")).display().to_string();
        let (pem, key) = (of("pem"), of("key"));
        let mut args = vec!["-skv", "-4", &url];
        if shown.is_some() {
            args.extend(["--cert", &pem, "--key", &key]);
        }
        s.run("curl.txt", "curl", &args);
    })?;
    Some((stage, capture))
}

#[test]
fn no_client_certificate_is_seen_from_outside_in_tls_1_2() {
    if !have(TOOLS) {
        return;
    }
    let Some((_stage, capture)) = certificate_wanted("-tls1_2", None) else { return };
    expect(&[&capture], "client-certificate-missing", "certain");
}

#[test]
fn no_client_certificate_is_seen_with_the_keys_of_tls_1_3() {
    if !have(TOOLS) {
        return;
    }
    let Some((stage, capture)) = certificate_wanted("-tls1_3", None) else { return };
    expect(&[&capture, &stage.path("keys.log")], "client-certificate-missing", "certain");
}

#[test]
fn a_client_certificate_of_an_unknown_issuer() {
    if !have(TOOLS) {
        return;
    }
    let Some((stage, capture)) = certificate_wanted("-tls1_2", Some("alice")) else { return };
    expect(&[&capture], "client-certificate-refused", "certain");
    drop(stage);
    let Some((stage, capture)) = certificate_wanted("-tls1_3", Some("alice")) else { return };
    expect(&[&capture, &stage.path("keys.log")], "client-certificate-refused", "certain");
}

#[test]
fn nginx_wants_a_certificate_and_says_so_inside() {
    if !have(TOOLS) {
        return;
    }
    let mut stage = Stage::new();
    let (certificate, key) = stage.certificate("origin");
    let block = format!(
        "ssl_certificate {certificate}; ssl_certificate_key {key}; ssl_client_certificate {certificate}; ssl_verify_client on;"
    );
    let nginx = stage.nginx_listening("ssl", &block);
    let capture = stage.capture(&[nginx.port], |s| {
        s.run("curl.txt", "curl", &["-skv", "-4", &format!("https://localhost:{}/data.json", nginx.port)]);
    });
    if let Some(capture) = capture {
        expect(&[&capture, &stage.path("keys.log")], "client-certificate-missing", "certain");
    }
}
