//! Requests that are let in: what reaches the upstream and what comes back.

use crate::running::{Gate, USERS, config, upstream};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

fn site(rest: &str) -> String {
    let upstream = upstream();
    config(&format!("[[site]]\nupstream = \"{upstream}\"\n{rest}\n[[site.rule]]\npath = \"/**\"\n"))
}

const ALICE: &str = "Authorization: Basic YWxpY2U6c2VjcmV0\r\n";

#[test]
fn the_upstream_gets_the_verified_user_and_no_secret() {
    let gate = Gate::start(&site(""));
    let out = gate.curl(
        &[
            "-u",
            "alice:secret",
            "-H",
            "X-Remote-User: root",
            "-d",
            "hello",
            "-H",
            "X-Forwarded-For: 10.1.1.1",
        ],
        "/a?b=c",
    );
    assert!(out.contains("POST /a?b=c HTTP/1.1\r\n") && out.contains("content: hello"), "{out}");
    let reached = out.rsplit("POST /a?b=c HTTP/1.1\r\n").next().unwrap();
    assert!(reached.contains("X-Remote-User: alice\r\n") && !reached.contains("root"), "{reached}");
    assert!(reached.contains("X-Forwarded-For: 127.0.0.1\r\n") && !reached.contains("10.1.1.1"), "{reached}");
    assert!(!reached.to_lowercase().contains("authorization"), "{reached}");
    let line = &gate.logged(1)[0];
    assert_eq!(
        (line["status"].as_u64(), line["remote_user"].as_str(), line["cause"].is_null()),
        (Some(200), Some("alice"), true)
    );
    let gate = Gate::start(&site("credentials_to_upstream = \"keep\""));
    assert!(gate.curl(&["-u", "alice:secret"], "/").contains("YWxpY2U6c2VjcmV0\r\nU"));
}

#[test]
fn content_of_any_framing_goes_both_ways() {
    let gate = Gate::start(&site(""));
    let large = "x".repeat(300_000);
    std::fs::write(gate.path("large"), &large).unwrap();
    let file = format!("@{}", gate.path("large"));
    for arguments in [
        vec!["--data-binary", &file],
        vec!["-H", "Transfer-Encoding: chunked", "--data-binary", &file],
        vec!["--http1.0", "--data-binary", &file],
    ] {
        for path in ["/plain", "/chunked"] {
            let out = gate.curl(&[&["-u", "bob:secret"], &arguments[..]].concat(), path);
            assert!(out.ends_with(&format!("content: {large}")), "{arguments:?} {path}: {} bytes", out.len());
        }
    }
    // Several requests in one write, on one connection.
    let one = format!("GET /1 HTTP/1.1\r\nHost: x\r\n{ALICE}\r\n");
    let last = format!("GET /2 HTTP/1.1\r\nHost: x\r\n{ALICE}Connection: close\r\n\r\n");
    let out = gate.raw(format!("{one}{one}{last}").as_bytes());
    assert_eq!(out.matches("HTTP/1.1 200 OK").count(), 3, "{out}");
}

#[test]
fn an_upgraded_connection_is_passed_through() {
    let gate = Gate::start(&site(""));
    let mut stream = TcpStream::connect(gate.authority()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let head = format!(
        "GET /upgrade HTTP/1.1\r\nHost: x\r\n{ALICE}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut out = String::new();
    while !out.ends_with("helloFIRST") {
        let mut piece = [0; 1024];
        let n = stream.read(&mut piece).unwrap();
        assert!(n > 0, "{out}");
        out.push_str(&String::from_utf8_lossy(&piece[..n]));
    }
    assert!(out.starts_with("HTTP/1.1 101 ") && out.contains("Upgrade: websocket\r\n"), "{out}");
    stream.write_all(b"second").unwrap();
    let mut piece = [0; 6];
    stream.read_exact(&mut piece).unwrap();
    assert_eq!(&piece, b"SECOND");
}

#[test]
fn an_upstream_that_is_down_or_breaks_off_is_told_and_bounded() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let gate = Gate::start(&config(&format!(
        "[[site]]\nupstream = \"http://{address}\"\n[[site.rule]]\npath = \"/**\"\n"
    )));
    let out = gate.curl(&["-u", "alice:secret"], "/");
    assert!(out.contains("502 Bad Gateway") && !out.contains(&address.to_string()), "{out}");
    assert!(gate.logged(1)[0]["reason"].as_str().unwrap().contains("cannot be reached"));
    // One that answers half, one that never answers.
    let odd = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = odd.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut open = Vec::new();
        for stream in odd.incoming() {
            let mut stream = stream.unwrap();
            let mut head = [0; 4096];
            let n = stream.read(&mut head).unwrap();
            if head[..n].starts_with(b"GET /half") {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf").unwrap();
            } else {
                open.push(stream);
            }
        }
    });
    let gate = Gate::start(&config(&format!(
        "[limits]\nupstream_time = \"1s\"\n[[site]]\nupstream = \"http://{address}\"\n[[site.rule]]\npath = \"/**\"\n"
    )));
    assert!(gate.curl(&["-u", "alice:secret"], "/half").contains("transfer closed"));
    assert!(gate.curl(&["-u", "alice:secret"], "/never").contains("504 Gateway Timeout"));
}

#[test]
fn a_reload_loses_no_request_and_a_broken_one_changes_nothing() {
    let mut gate = Gate::start(&site(""));
    let mut stream = TcpStream::connect(gate.authority()).unwrap();
    let ask = |stream: &mut TcpStream| {
        stream.write_all(format!("GET / HTTP/1.1\r\nHost: x\r\n{ALICE}\r\n").as_bytes()).unwrap();
        let mut answer = [0; 4096];
        let n = stream.read(&mut answer).unwrap();
        String::from_utf8_lossy(&answer[..n]).split(' ').nth(1).unwrap_or("none").to_owned()
    };
    assert_eq!(ask(&mut stream), "200");
    let good = std::fs::read_to_string(gate.path("gate.toml")).unwrap();
    std::fs::write(gate.path("gate.toml"), "[[site]]\nnonsense = 1\n").unwrap();
    gate.signal("-HUP");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(ask(&mut stream), "200");
    std::fs::write(gate.path("gate.toml"), good.replace("\"/**\"", "\"/elsewhere\"")).unwrap();
    gate.signal("-HUP");
    let begun = Instant::now();
    while ask(&mut stream) != "404" {
        assert!(begun.elapsed() < Duration::from_secs(10), "the reload is not seen");
        std::thread::sleep(Duration::from_millis(50));
    }
    // A changed password file is seen without a signal.
    std::fs::write(gate.path("gate.toml"), good).unwrap();
    gate.signal("-HUP");
    while ask(&mut stream) != "200" {
        assert!(begun.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(50));
    }
    std::fs::write(gate.path("users"), USERS.replace("alice:{SHA}5en6", "alice:{SHA}AAAA")).unwrap();
    while ask(&mut stream) != "401" {
        assert!(begun.elapsed() < Duration::from_secs(30), "the changed file is not seen");
        std::thread::sleep(Duration::from_millis(100));
    }
    drop(stream);
    assert_eq!(gate.end("-INT"), Some(0));
}

#[test]
fn tls_and_client_certificates() {
    if Command::new("openssl").arg("version").output().is_err() {
        println!("skipped: no openssl");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let run = |command: &str| {
        let out = Command::new("sh").args(["-ec", command]).current_dir(folder.path()).output().unwrap();
        assert!(out.status.success(), "{command}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap().trim().to_owned()
    };
    run(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout ca.key -out ca.pem -subj /CN=ca",
    );
    for (name, ca) in [("server", "ca"), ("alice", "ca"), ("bob", "ca")] {
        run(&format!(
            "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key -out {name}.csr -subj /CN={name}; printf 'subjectAltName=DNS:localhost,IP:127.0.0.1' > san; openssl x509 -req -in {name}.csr -CA {ca}.pem -CAkey {ca}.key -CAcreateserial -days 1 -extfile san -out {name}.pem"
        ));
    }
    run(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout stranger.key -out stranger.pem -subj /CN=alice",
    );
    let print = run("openssl x509 -in alice.pem -outform DER | openssl dgst -sha256 -r | cut -d' ' -f1");
    let upstream = upstream();
    let gate = Gate::start_in(
        folder,
        &config(&format!(
            "[server.tls]\ncertificate = \"server.pem\"\nkey = \"server.key\"\nclient_authority = \"ca.pem\"\n[[site]]\nupstream = \"{upstream}\"\n[[site.rule]]\npath = \"/**\"\nschemes = [\"certificate\"]\n"
        )),
    );
    assert!(gate.base.starts_with("https://"));
    assert!(gate.ask(&["account", "add", "alice", "--certificate", &print], "").status.success());
    gate.signal("-HUP");
    std::thread::sleep(Duration::from_millis(500));
    let ca = gate.path("ca.pem");
    let ask = |name: &str| {
        let (cert, key) = (gate.path(&format!("{name}.pem")), gate.path(&format!("{name}.key")));
        let shown = if name.is_empty() { vec![] } else { vec!["--cert", &cert, "--key", &key] };
        gate.curl(&[&["--cacert", &ca], &shown[..]].concat(), "/x")
    };
    let out = ask("alice");
    assert!(out.contains("X-Remote-User: alice"), "{out}");
    let seen = gate.logged(1).len();
    for (i, (name, cause)) in [
        ("", "client-certificate-missing"),
        ("bob", "client-certificate-refused"),
        ("stranger", "client-certificate-refused"),
    ]
    .into_iter()
    .enumerate()
    {
        let out = ask(name);
        assert!(out.contains("401 Unauthorized"), "{name}: {out}");
        assert_eq!(gate.logged(seen + i + 1)[seen + i]["cause"], cause, "{name}");
    }
}

#[test]
fn the_proxy_protocol_tells_the_client() {
    let gate = Gate::start(&config(&format!(
        "[server]\nproxy_protocol = true\n[[site]]\nupstream = \"{}\"\n[[site.rule]]\npath = \"/**\"\n",
        upstream()
    )));
    let request = format!("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{ALICE}\r\n");
    let out = gate.raw(format!("PROXY TCP4 192.0.2.7 192.0.2.1 1 2\r\n{request}").as_bytes());
    assert!(out.contains("X-Forwarded-For: 192.0.2.7"), "{out}");
    assert_eq!(gate.raw(request.as_bytes()), "");
}

#[test]
fn metrics_count_refusals_by_cause() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let gate = Gate::start(&format!("[metrics]\nlisten = \"{free}\"\n{}", site("")));
    gate.curl(&["-u", "alice:wrong"], "/");
    let out = Command::new("curl").args(["-sS", &format!("http://{free}/metrics")]).output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(text.contains("why401_gate_refusals_total{cause=\"wrong-password\"} 1"), "{text}");
    assert!(text.contains("why401_gate_responses_total{status=\"401\"} 1"));
}

#[test]
fn a_proxy_behind_it_is_told_the_origin() {
    let gate = Gate::start(&site("as_proxy = true"));
    let ask = |field: &str| {
        gate.raw(
            format!("GET http://a.example/x HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n{field}\r\n")
                .as_bytes(),
        )
    };
    let out = ask("");
    assert!(out.starts_with("HTTP/1.1 407") && out.contains("Proxy-Authenticate: Basic "), "{out}");
    let out = ask("Proxy-Authorization: Basic YWxpY2U6c2VjcmV0\r\n");
    assert!(out.contains("GET http://a.example/x HTTP/1.1") && !out.contains("YWxpY2U6"), "{out}");
}
