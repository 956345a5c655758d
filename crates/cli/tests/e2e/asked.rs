//! `why401 probe` against real servers.

use crate::stage::{Stage, have};
use serde_json::Value;
use std::process::{Command, Stdio};

pub(crate) fn probe(stage: &Stage, words: &[&str]) -> (Option<i32>, Value, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_why401"));
    command.args(["probe", "--format", "json", "--pause", "5", "--noproxy", "*"]).args(words);
    if stage.path("ca.pem").exists() {
        command.arg("--cacert").arg(stage.path("ca.pem"));
    }
    let out = command.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    (out.status.code(), serde_json::from_slice(&out.stdout).unwrap_or_default(), said)
}

fn cause(report: &Value) -> &str {
    report["findings"][0]["cause"].as_str().unwrap_or("none")
}

#[test]
fn apache_with_digest() {
    if !have(&["apache2", "openssl"]) {
        return;
    }
    let mut stage = Stage::new();
    let script = "printf 'alice:Members:%s' \"$(printf 'alice:Members:Winter-42' | openssl dgst -md5 -r | cut -d' ' -f1)\" > digest";
    Command::new("sh").args(["-c", script]).current_dir(stage.path("")).status().unwrap();
    let apache = stage.apache("AuthType Digest\nAuthName Members\nAuthUserFile digest\nRequire valid-user");
    let url = format!("http://127.0.0.1:{}/data.json", apache.port);
    let (status, report, said) = probe(&stage, &["-u", "alice:Winter-42", &url]);
    assert_eq!((status, cause(&report)), (Some(0), "challenge-answered"), "{said}");
    let (status, report, said) = probe(&stage, &["-u", "alice:wrong-1", &url]);
    assert_eq!((status, cause(&report)), (Some(1), "credentials-refused"), "{said}");
    let (_, report, _) = probe(&stage, &["--", "curl", "-u", "alice:Winter-42", &url]);
    assert_eq!(cause(&report), "scheme-not-offered");
}

#[test]
fn nginx_over_http_2_and_1() {
    if !have(&["nginx", "openssl"]) {
        return;
    }
    let mut stage = Stage::new();
    let server = stage.nginx_tls("auth_basic Members; auth_basic_user_file users;");
    let url = format!("https://localhost:{}/data.json", server.port);
    for version in [&[][..], &["--http1.1"]] {
        let (status, report, said) = probe(&stage, &[version, &["-u", "alice:Winter-42", &url]].concat());
        assert_eq!((status, cause(&report)), (Some(0), "challenge-answered"), "{said}");
    }
    let log = std::fs::read_to_string(server.access).unwrap();
    assert!(log.contains("HTTP/2.0\" 200") && log.contains("HTTP/1.1\" 200"), "{log}");
}

#[test]
fn a_client_certificate_is_asked_for() {
    if !have(&["nginx", "openssl"]) {
        return;
    }
    let mut stage = Stage::new();
    let root = stage.path("").display().to_string();
    let block = format!("ssl_client_certificate {root}/ca.pem; ssl_verify_client on;");
    let server = stage.nginx_tls(&block);
    let url = format!("https://localhost:{}/data.json", server.port);
    let (status, report, said) = probe(&stage, &[&url]);
    assert_eq!((status, cause(&report)), (Some(1), "client-certificate-missing"), "{said}");
    let (cert, key) = (format!("{root}/me.pem"), format!("{root}/me.key"));
    let (status, report, said) = probe(&stage, &["--cert", &cert, "--key", &key, &url]);
    assert_eq!((status, cause(&report)), (Some(0), "none"), "{said} {report}");
}

#[test]
fn a_certificate_that_nobody_trusts_is_no_401() {
    if !have(&["nginx", "openssl"]) {
        return;
    }
    let mut stage = Stage::new();
    let server = stage.nginx_tls("auth_basic Members; auth_basic_user_file users;");
    std::fs::rename(stage.path("ca.pem"), stage.path("away.pem")).unwrap();
    let url = format!("https://localhost:{}/data.json", server.port);
    let (status, report, said) = probe(&stage, &[&url]);
    assert_eq!((status, report), (Some(2), Value::Null));
    assert!(said.contains("tls: localhost"), "{said}");
    let (status, report, _) = probe(&stage, &["-k", &url]);
    assert_eq!((status, cause(&report)), (Some(1), "no-credentials"));
}

#[test]
fn what_curl_is_told_of_tls_is_done() {
    if !have(&["nginx", "openssl"]) {
        return;
    }
    let mut stage = Stage::new();
    let root = stage.path("").display().to_string();
    let server = stage.nginx_tls(&format!(
        "ssl_client_certificate {root}/ca.pem; ssl_verify_client on; ssl_protocols TLSv1.2;"
    ));
    let script = "P='-passout pass:Winter-42'; openssl pkcs8 -topk8 -in me.key $P -out sealed.key &&
        openssl pkcs8 -topk8 -in me.key $P -v2 aes-128-cbc -v2prf hmacWithSHA1 -outform DER -out sealed.der &&
        openssl pkcs8 -topk8 -in me.key $P -scrypt -out scrypt.key && openssl ec -in me.key -aes128 $P -out old.key &&
        openssl x509 -in me.pem -outform DER -out me.der && cat me.pem sealed.key > both:1.pem && mkdir cas && cp ca.pem cas";
    let made = Command::new("sh").args(["-c", script]).current_dir(stage.path("")).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let url = format!("https://other.example:{}/data.json", server.port);
    let to = format!("other.example:{}:localhost:", server.port);
    let ask = |words: &str| {
        let words = words.replace("DIR", &root);
        let mut all = vec!["--", "curl", "-k", "--connect-to", &to, &url];
        all.extend(words.split_whitespace());
        let out = Command::new(env!("CARGO_BIN_EXE_why401"))
            .args(["probe", "--format", "json", "--pause", "5", "--noproxy", "*"])
            .args(all)
            .current_dir(stage.path(""))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(!said.contains("Winter-42") && !String::from_utf8_lossy(&out.stdout).contains("Winter-42"));
        (out.status.code(), said)
    };
    for words in [
        "-E DIR/me.pem:Winter-42 --key DIR/sealed.key",
        "-E DIR/both\\:1.pem:Winter-42",
        "--cert DIR/me.der --cert-type DER --key DIR/sealed.der --key-type der --pass Winter-42",
        "-E DIR/me.pem --key DIR/me.key --tls-max 1.2 --tlsv1.2",
    ] {
        assert_eq!(ask(words).0, Some(0), "{words}: {}", ask(words).1);
    }
    for (words, says) in [
        ("-E DIR/me.pem --key DIR/sealed.key", "is encrypted; name the pass phrase"),
        ("-E DIR/me.pem:wrong --key DIR/sealed.key", "the pass phrase does not open its key"),
        ("-E DIR/me.pem:Winter-42 --key DIR/scrypt.key", "openssl pkcs8 -topk8 -v2 aes-256-cbc"),
        ("-E DIR/me.pem:Winter-42 --key DIR/old.key", "OpenSSL's old way"),
        ("-E DIR/me.p12 --cert-type P12", "openssl pkcs12"),
        ("-E DIR/me.pem --key DIR/me.key --tlsv1.3", "tls: other.example"),
        ("--tlsv1.3 --tls-max 1.2", "leave no version of TLS"),
        ("--capath DIR/none", "no such file"),
    ] {
        let (status, said) = ask(words);
        assert!(status == Some(2) && said.contains(says), "{words}: {status:?} {said}");
    }
    // A folder of authorities is trusted as the file is.
    let url = format!("https://localhost:{}/data.json", server.port);
    let verified = format!("-E {root}/me.pem --key {root}/me.key --capath {root}/cas {url}");
    let out = Command::new(env!("CARGO_BIN_EXE_why401"))
        .args(["probe", "--pause", "5", "--noproxy", "*", "--", "curl"])
        .args(verified.split(' '))
        .output()
        .unwrap();
    assert_eq!(out.status.code(), Some(0), "{}", String::from_utf8_lossy(&out.stderr));
}
