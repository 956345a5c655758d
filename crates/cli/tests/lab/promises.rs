//! The lab as a program: how it starts and ends, what it serves, and what it withstands.

use crate::running::{Running, has};
use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

#[test]
fn it_starts_at_once_and_ends_in_order() {
    for signal in ["-TERM", "-INT"] {
        let lab = Running::start(&[]);
        // A debug build on a busy machine; optimised it takes a few milliseconds.
        assert!(lab.start < Duration::from_secs(5), "{:?}", lab.start);
        let idle = std::net::TcpStream::connect(lab.authority()).unwrap();
        assert_eq!(lab.end(signal), Some(0), "{signal} with a connection open");
        drop(idle);
    }
}

#[test]
fn the_index_has_an_address_for_every_cause() {
    let lab = Running::start(&[]);
    let index = lab.index();
    let causes: BTreeSet<&str> = index.iter().map(|e| e["cause"].as_str().unwrap()).collect();
    let catalogue: BTreeSet<&str> = why401_causes::CATALOGUE.iter().map(|c| c.meta().name).collect();
    assert_eq!(causes, catalogue);
    for entry in &index {
        assert_eq!(entry.as_object().unwrap().keys().collect::<Vec<_>>(), ["cause", "path", "command"]);
        assert!(entry["command"].is_null() || entry["command"].as_str().unwrap().contains("$LAB"));
    }
    let page = lab.raw(b"GET / HTTP/1.1\r\nHost: <script>\r\nConnection: close\r\n\r\n");
    assert!(page.contains("default-src 'none'") && !page.contains("<script"), "{page}");
    for entry in &index {
        assert!(page.contains(entry["path"].as_str().unwrap()));
    }
}

#[test]
fn what_is_malformed_or_too_large_is_refused() {
    let lab = Running::start(&[]);
    let head =
        |extra: &str| format!("POST /no-credentials HTTP/1.1\r\nHost: lab\r\n{extra}\r\n").into_bytes();
    for (request, status) in [
        (b"GARBAGE\r\n\r\n".to_vec(), 400),
        (head("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"), 400),
        (head("Content-Length: 1\r\nContent-Length: 2\r\n"), 400),
        (head("Content-Length: -1\r\n"), 400),
        (head("Content-Length: 99999999999\r\n"), 413),
        ([head("Transfer-Encoding: chunked\r\n"), b"fffffff\r\n".to_vec()].concat(), 413),
        ([head("Transfer-Encoding: chunked\r\n"), b"xyz\r\n".to_vec()].concat(), 400),
        (head(&format!("X: {}\r\n", "a".repeat(70_000))), 431),
        (head(&"X: a\r\n".repeat(200)), 431),
    ] {
        let answer = lab.raw(&request);
        let shown = String::from_utf8_lossy(&request[..request.len().min(60)]).into_owned();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{shown:?}: {answer:.60}");
    }
    let pipelined =
        b"GET /a HTTP/1.1\r\nHost: lab\r\n\r\nGET /b HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n";
    assert_eq!(lab.raw(pipelined).matches("HTTP/1.1 404").count(), 2);
    assert!(lab.raw(b"GET /forbidden?as=nginx HTTP/1.0\r\n\r\n").contains("401"), "alive after all that");
}

#[test]
fn it_answers_as_known_servers_do() {
    let lab = Running::start(&[]);
    for (name, says) in [
        ("apache", "Server: Apache/"),
        ("nginx", "<center>nginx/"),
        ("iis", "Server: Microsoft-IIS/10.0"),
        ("kestrel", "Server: Kestrel"),
        ("spring", "\"error\":\"Unauthorized\""),
        ("tomcat", "HTTP Status 401"),
        ("lighttpd", "Server: lighttpd/"),
        ("haproxy", "www-authenticate: Basic realm=\"lab\"\r\n"),
        ("express", "X-Powered-By: Express"),
    ] {
        let request =
            format!("GET /no-credentials?as={name} HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n");
        let answer = lab.raw(request.as_bytes());
        assert!(answer.contains(says), "{name}: {answer}");
    }
}

#[test]
fn every_version_of_http_is_spoken_on_one_port() {
    if !has("curl") {
        println!("skipped: no curl");
        return;
    }
    let lab = Running::start(&[]);
    let secure = lab.base.replace("http://", "https://");
    for (arguments, version) in [
        (vec!["--http1.0", &lab.base], "1.1"),
        (vec!["--http1.1", &lab.base], "1.1"),
        (vec!["--http2-prior-knowledge", &lab.base], "2"),
        (vec!["-k", "--http1.1", &secure], "1.1"),
        (vec!["-k", "--http2", &secure], "2"),
    ] {
        let out = Command::new("curl")
            .args(["-s", "-o", "/dev/null", "-w", "%{http_version} %{http_code}"])
            .args(&arguments)
            .output();
        assert_eq!(
            String::from_utf8(out.unwrap().stdout).unwrap(),
            format!("{version} 200"),
            "{arguments:?}"
        );
    }
}

#[test]
fn the_logs_show_who_was_claimed_and_why_it_was_refused_and_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let lab =
        Running::start(&["--log", &file("access"), "--json-log", &file("json"), "--w3c-log", &file("w3c")]);
    // alice:Tanne-99-Kahn
    lab.raw(b"GET /wrong-password?token=Fichte77 HTTP/1.1\r\nHost: lab\r\nAuthorization: Basic YWxpY2U6VGFubmUtOTktS2Fobg==\r\nConnection: close\r\n\r\n");
    lab.raw(b"GET /acl-denied HTTP/1.1\r\nHost: lab\r\nAuthorization: Basic YWxpY2U6S2llZmVyLTg4LUJvb3Q=\r\nConnection: close\r\n\r\n");
    assert_eq!(lab.end("-TERM"), Some(0));
    let [access, json, w3c] = ["access", "json", "w3c"].map(|n| std::fs::read_to_string(file(n)).unwrap());
    assert!(
        access.contains("127.0.0.1 - alice [")
            && access.contains("\"GET /wrong-password?token=*** HTTP/1.1\" 401 "),
        "{access}"
    );
    assert!(
        json.contains("\"cause\":\"wrong-password\"") && json.contains("\"cause\":\"acl-denied\""),
        "{json}"
    );
    assert!(w3c.contains(" alice 127.0.0.1 - - 401 3 5 0"), "{w3c}");
    for text in [&access, &json, &w3c] {
        for secret in ["Tanne", "Kiefer", "YWxpY2U6", "Fichte77"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}

#[test]
fn a_place_that_is_taken_is_named() {
    let lab = Running::start(&[]);
    let out =
        Command::new(crate::running::WHY401).args(["lab", "--listen", lab.authority()]).output().unwrap();
    assert_eq!(out.status.code(), Some(2));
    assert!(out.stdout.is_empty() && String::from_utf8_lossy(&out.stderr).contains("cannot listen on"));
}
