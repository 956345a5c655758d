//! Messages that the gate takes itself: a receipt means that the message is on the disk, whatever happens next.

use crate::running::{Gate, WHY401, config};
use std::collections::{HashMap, HashSet};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const ALICE: &str = "Authorization: Basic YWxpY2U6c2VjcmV0\r\n";

fn inbox() -> String {
    config(
        "[inbox]\nfolder = \"inbox\"\nsegment = \"32k\"\n[[site]]\n[[site.rule]]\npath = \"/{account}/{account}.sms\"\nmethods = [\"POST\"]\ninbox = true\n",
    )
}

/// Sends one message; the status and the receipt, where an answer came.
fn submit(authority: &str, key: &str, body: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(authority).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    let request = format!(
        "POST /alice/alice.sms HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{ALICE}{key}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let status = answer.get(9..12)?.parse().ok()?;
    Some((status, answer.split("receipt: ").nth(1).unwrap_or_default().trim().to_owned()))
}

fn key(text: &str) -> String {
    format!("Idempotency-Key: {text}\r\n")
}

/// Receipt and content of all messages, drained into a file.
fn drained(gate: &Gate) -> Vec<(String, String)> {
    let out = gate.ask(&["messages", "drain", "--file", &gate.path("out.jsonl")], "");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let text = std::fs::read_to_string(gate.path("out.jsonl")).unwrap();
    text.lines()
        .map(|l| {
            let line: serde_json::Value = serde_json::from_str(l).unwrap();
            (line["receipt"].as_str().unwrap().to_owned(), line["content"].as_str().unwrap().to_owned())
        })
        .collect()
}

#[test]
fn a_message_has_one_receipt_for_one_key() {
    let gate = Gate::start(&inbox());
    let (status, receipt) = submit(gate.authority(), &key("a"), "one").unwrap();
    assert_eq!((status, receipt.len()), (200, 12));
    assert_eq!(submit(gate.authority(), &key("a"), "one"), Some((200, receipt.clone())));
    assert_eq!(submit(gate.authority(), &key("a"), "two").unwrap().0, 422);
    assert_ne!(submit(gate.authority(), "", "one").unwrap().1, receipt);
    assert_eq!(gate.logged(4)[0]["receipt"], receipt.as_str());
    let listed = gate.ask(&["messages", "list"], "");
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert_eq!(listed.lines().count(), 2);
    assert!(listed.starts_with(&receipt) && listed.contains(" alice /alice/alice.sms 3 waiting"), "{listed}");
    assert_eq!(drained(&gate).len(), 2);
    assert!(gate.ask(&["messages", "list"], "").stdout.is_empty());
    let out = gate.curl(&["-u", "alice:secret", "-d", "by curl"], "/alice/alice.sms");
    assert!(out.contains("200 OK") && out.contains("X-Receipt: "), "{out}");
}

/// kill -9 in the midst of submissions, again and again: every receipt that was given is there, every key once.
#[test]
fn a_kill_at_any_moment_loses_none_and_doubles_none() {
    let mut gate = Gate::start(&inbox());
    let acknowledged: Arc<Mutex<HashMap<String, String>>> = Arc::default();
    let mut sent: HashSet<String> = HashSet::new();
    for round in 0..12 {
        let authority = gate.authority().to_owned();
        let clients: Vec<_> = (0..4)
            .map(|client| {
                let (authority, acknowledged) = (authority.clone(), acknowledged.clone());
                std::thread::spawn(move || {
                    let mut tried = Vec::new();
                    for n in 0..1000 {
                        let name = format!("{round}-{client}-{n}");
                        tried.push(name.clone());
                        match submit(&authority, &key(&name), &name) {
                            Some((200, receipt)) => acknowledged.lock().unwrap().insert(name, receipt),
                            _ => break,
                        };
                    }
                    tried
                })
            })
            .collect();
        std::thread::sleep(Duration::from_millis(30 + 37 * round));
        gate.signal("-KILL");
        let tried: Vec<String> = clients.into_iter().flat_map(|c| c.join().unwrap()).collect();
        gate.again();
        // The clients that got no answer send again what they sent last.
        let authority = gate.authority().to_owned();
        for name in tried.iter().rev().filter(|n| !acknowledged.lock().unwrap().contains_key(*n)) {
            let (status, receipt) = submit(&authority, &key(name), name).unwrap();
            assert_eq!(status, 200, "{name}");
            acknowledged.lock().unwrap().insert(name.clone(), receipt);
        }
        sent.extend(tried);
    }
    let found = drained(&gate);
    let acknowledged = acknowledged.lock().unwrap();
    println!("{} messages, {} kills", found.len(), 12);
    assert_eq!(found.len(), sent.len(), "none lost, none doubled");
    for (receipt, content) in &found {
        assert_eq!(acknowledged.get(content), Some(receipt), "{content}");
    }
    assert!(found.len() > 24);
}

#[test]
fn a_killed_drain_goes_on_where_it_was() {
    let gate = Gate::start(&inbox());
    for n in 0..60 {
        assert_eq!(submit(gate.authority(), "", &format!("m{n}")).unwrap().0, 200);
    }
    let begun = Instant::now();
    loop {
        let mut child = Command::new(WHY401)
            .args([
                "gate",
                "--config",
                &gate.path("gate.toml"),
                "messages",
                "drain",
                "--file",
                &gate.path("out.jsonl"),
            ])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(40));
        if child.try_wait().unwrap().is_some_and(|s| s.success()) || begun.elapsed() > Duration::from_secs(20)
        {
            let _ = child.kill();
            let _ = child.wait();
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let found: Vec<String> = drained(&gate).into_iter().map(|(_, content)| content).collect();
    assert_eq!(found, (0..60).map(|n| format!("m{n}")).collect::<Vec<_>>());
}

#[test]
fn messages_are_handed_to_a_command_and_to_an_address_with_retries() {
    let gate = Gate::start(&inbox());
    submit(gate.authority(), "", "one").unwrap();
    let out = gate.path("out");
    // Fails the first time.
    let command = format!(
        "cat >> {out}; test -e {out}.again || {{ touch {out}.again; exit 1; }}; echo \" $WHY401_ACCOUNT\" >> {out}"
    );
    let ran = gate.ask(&["messages", "drain", "--command", &command], "");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "oneone alice\n");
    submit(gate.authority(), "", "two").unwrap();
    let failed = gate.ask(&["messages", "drain", "--retries", "0", "--command", "exit 3"], "");
    assert_eq!(failed.status.code(), Some(2));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/in", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let mut heads = Vec::new();
        for answer in ["503 Service Unavailable", "200 OK"] {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\ntwo") {
                let mut piece = [0; 1024];
                let n = stream.read(&mut piece).unwrap();
                request.extend_from_slice(&piece[..n]);
            }
            heads.push(String::from_utf8(request).unwrap());
            stream.write_all(format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n").as_bytes()).unwrap();
        }
        heads
    });
    let posted = gate.ask(&["messages", "drain", "--url", &url], "");
    assert!(posted.status.success(), "{}", String::from_utf8_lossy(&posted.stderr));
    let heads = server.join().unwrap();
    assert_eq!(heads[0], heads[1]);
    assert!(heads[0].contains("Idempotency-Key: ") && heads[0].contains("X-Account: alice"), "{}", heads[0]);
}

/// A file that may not grow stands for a full disk: no receipt is given, and afterwards everything goes on.
#[test]
fn a_full_disk_gives_no_receipt() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("gate.toml"), inbox()).unwrap();
    std::fs::write(folder.path().join("users"), crate::running::USERS).unwrap();
    let mut gate = Gate::start_in(folder, &inbox());
    assert_eq!(submit(gate.authority(), &key("small"), "small").unwrap().0, 200);
    gate.end("-TERM");
    // 8 blocks of 1024 bytes; SIGXFSZ is ignored, so that writing fails as on a full disk.
    let mut child = Command::new("bash")
        .args([
            "-c",
            "trap '' XFSZ; ulimit -f 8; exec \"$0\" gate --listen 127.0.0.1:0 --config \"$1\"",
            WHY401,
            &gate.path("gate.toml"),
        ])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.take().unwrap()), &mut line)
        .unwrap();
    let authority = line.trim().trim_start_matches("listening on http://").trim_end_matches('/').to_owned();
    let large = "x".repeat(9000);
    assert_eq!(submit(&authority, &key("large"), &large).unwrap().0, 503);
    assert_eq!(submit(&authority, &key("little"), "little").unwrap().0, 200);
    assert_eq!(submit(&authority, &key("large"), &large).unwrap().0, 503);
    child.kill().unwrap();
    child.wait().unwrap();
    gate.again();
    assert_eq!(submit(gate.authority(), &key("large"), &large).unwrap().0, 200);
    let found: Vec<usize> = drained(&gate).into_iter().map(|(_, content)| content.len()).collect();
    assert_eq!(found, [5, 6, 9000]);
}
