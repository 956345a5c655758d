//! Every way to name credentials without writing them on a command line.

use crate::server::{Server, ok, refused};
use crate::{PASSWORD, command, first, probe, run};
use std::io::Write;
use std::process::Stdio;

const BASIC: &str = "Basic YWxpY2U6V2ludGVyLTQy";

/// Lets in whoever sends this field.
fn wants(name: &'static str, value: &'static str, challenge: &'static str) -> Server {
    Server::start(move |r, _| if r.field(name) == Some(value) { ok() } else { refused(challenge) })
}

#[test]
fn a_password_comes_from_the_environment_a_file_or_standard_input() {
    let server = wants("authorization", BASIC, "Basic realm=x");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, format!("{PASSWORD}\nmore\n")).unwrap();
    let url = server.url("/x");
    let env = command(&["-u", "alice", "--password-env", "MY_PASSWORD", &url])
        .env("MY_PASSWORD", PASSWORD)
        .output();
    assert_eq!(env.unwrap().status.code(), Some(0));
    let out = run(&["-u", "alice", "--password-file", file.to_str().unwrap(), &url]);
    assert_eq!(out.status.code(), Some(0));
    let mut child =
        command(&["-u", "alice", "--password-file", "-", &url]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let missing = run(&["-u", "alice", &url]);
    assert_eq!((missing.status.code(), missing.stdout.len()), (Some(2), 0));
}

#[test]
fn a_password_comes_from_a_netrc_or_a_credential_helper() {
    let server = wants("authorization", BASIC, "Basic realm=x");
    let folder = tempfile::tempdir().unwrap();
    let netrc = folder.path().join(".netrc");
    std::fs::write(&netrc, format!("machine 127.0.0.1 login alice password {PASSWORD}\n")).unwrap();
    let url = server.url("/x");
    for words in [vec!["--netrc-file", netrc.to_str().unwrap()], vec!["--netrc"]] {
        let words = [words, vec![url.as_str()]].concat();
        let out = command(&words).env("HOME", folder.path()).output().unwrap();
        assert_eq!(out.status.code(), Some(0), "{}", String::from_utf8_lossy(&out.stderr));
    }
    let out = command(&["--", "curl", "-n", &url]).env("HOME", folder.path()).output().unwrap();
    assert_eq!(out.status.code(), Some(0));
    let store = folder.path().join(".git-credentials");
    std::fs::write(&store, format!("http://alice:{PASSWORD}@127.0.0.1%3a{}\n", server.port)).unwrap();
    std::fs::write(folder.path().join(".gitconfig"), "[credential]\n\thelper = store\n").unwrap();
    let out = command(&["--credential-helper", &url])
        .env("HOME", folder.path())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env_remove("XDG_CONFIG_HOME")
        .output()
        .unwrap();
    assert_eq!(out.status.code(), Some(0), "{}", String::from_utf8_lossy(&out.stderr));
}

#[test]
fn tokens_and_fields_come_from_the_environment() {
    let bearer = wants("authorization", "Bearer tok-Winter-42", "Bearer");
    let out =
        command(&["--bearer-env", "MY_TOKEN", &bearer.url("/x")]).env("MY_TOKEN", "tok-Winter-42").output();
    assert_eq!(out.unwrap().status.code(), Some(0));
    let key = wants("x-api-key", "k-Winter-42", "ApiKey");
    let words = ["--field", "X-Api-Key: $MY_KEY", &key.url("/x")];
    assert_eq!(command(&words).env("MY_KEY", "k-Winter-42").output().unwrap().status.code(), Some(0));
    assert_eq!(run(&["--field", "X-Api-Key: $NOT_THERE_AT_ALL", &key.url("/x")]).status.code(), Some(2));
}

#[test]
fn the_address_and_curl_s_command_lines_are_taken_as_they_are() {
    let server = wants("authorization", BASIC, "Basic realm=x");
    let port = server.port;
    let in_address = format!("http://alice:{PASSWORD}@127.0.0.1:{port}/x");
    assert_eq!(run(&[&in_address]).status.code(), Some(0));
    let url = server.url("/x");
    let user = format!("alice:{PASSWORD}");
    assert_eq!(run(&["--", "curl", "-sS", "-o", "/dev/null", "-u", &user, &url]).status.code(), Some(0));
    run(&["--", "/usr/bin/curl", "-H", "X-A: 1", "-XPUT", "-d", "a=1", "-d", "b=2", "-u", &user, &url]);
    let put = server.seen().into_iter().find(|r| r.method == "PUT").unwrap();
    assert_eq!((put.field("x-a"), put.body.as_slice()), (Some("1"), &b"a=1&b=2"[..]));
    assert_eq!(put.authorization(), Some(BASIC), "curl does not wait to be asked");
    assert_eq!(run(&["--", "wget", &url]).status.code(), Some(2));
}

#[test]
fn digest_is_answered_in_every_algorithm() {
    for algorithm in ["MD5", "SHA-256", "SHA-512-256", "MD5-sess", "SHA-256-sess"] {
        let server = Server::start(move |r, _| match r.authorization() {
            Some(value)
                if value.starts_with("Digest ") && value.contains(&format!("algorithm={algorithm}")) =>
            {
                ok()
            }
            _ => refused(&format!("Digest realm=\"x\", qop=\"auth\", nonce=\"abc\", algorithm={algorithm}")),
        });
        let report = probe(&["-u", &format!("alice:{PASSWORD}"), &server.url("/x")]);
        assert_eq!(first(&report).0, "challenge-answered", "{algorithm}");
        assert_eq!(server.seen().len(), 2);
    }
}

#[test]
fn a_request_is_signed_for_aws() {
    let server = Server::start(|_, _| refused("Bearer"));
    let out = command(&["--aws", "s3/eu-west-1", &server.url("/bucket/key")])
        .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", PASSWORD)
        .output()
        .unwrap();
    assert!(!String::from_utf8_lossy(&out.stderr).contains(PASSWORD));
    let seen = server.seen();
    let value = seen.iter().find_map(|r| r.authorization()).unwrap();
    assert!(value.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"), "{value}");
    assert!(value.contains("/eu-west-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date"));
}
