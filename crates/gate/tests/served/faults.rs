//! What goes wrong around the gate: keys that change, locked and full files, clients that stall, very many of them, upstreams
//! that do not answer.

use crate::running::{ALICE, Gate, asked, exchange, run};
use crate::upstream::certificates;
use serde_json::{Map, Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use why401_verify::jwk::{SigningKey, published};
use why401_verify::jwt;

/// Serves what `text` holds at the moment, as the issuer of tokens does; nothing: the issuer is down.
fn issuer(text: Arc<Mutex<Option<String>>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            if let Some(text) = text.lock().unwrap().clone() {
                let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len());
            }
        }
    });
    address
}

fn token(key: &SigningKey, kid: &str) -> String {
    let map = |value: Value| -> Map<String, Value> { value.as_object().unwrap().clone() };
    let claims =
        json!({"iss": "https://issuer.example", "aud": "gate", "sub": "alice", "exp": 4_102_444_800u64});
    jwt::make(key, &map(json!({"kid": kid})), &map(claims)).unwrap()
}

#[test]
fn keys_that_an_issuer_changes_are_fetched() {
    let (old, new) = (SigningKey::new_ec().unwrap(), SigningKey::new_ec().unwrap());
    let text = Arc::new(Mutex::new(None));
    let address = issuer(text.clone());
    let gate = Gate::start(&format!(
        "[bearer]\nissuer = \"https://issuer.example\"\naudience = \"gate\"\nkeys_url = \"http://{address}/keys\"\n[inbox]\nfolder = \"inbox\"\n[[site]]\n[[site.rule]]\npath = \"/x\"\nmethods = [\"POST\"]\nschemes = [\"bearer\"]\ninbox = true\n"
    ));
    let ask = |token: &str| {
        let out = gate.curl(&["-d", "x", "-H", &format!("Authorization: Bearer {token}")], "/x");
        out.split("< HTTP/1.1 ").nth(1).unwrap()[..3].to_owned()
    };
    let (first, second) = (token(&old, "one"), token(&new, "two"));
    let until = |token: &str, status: &str| {
        let begun = Instant::now();
        while ask(token) != status {
            assert!(begun.elapsed() < Duration::from_secs(25), "not {status}");
            std::thread::sleep(Duration::from_millis(300));
        }
    };
    // The issuer is down at first.
    assert_eq!(ask(&first), "503");
    assert_eq!(gate.logged(1)[0]["cause"], "auth-backend-down");
    *text.lock().unwrap() = Some(published([("one", &old)]));
    until(&first, "200");
    assert_eq!(ask(&second), "401");
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(gate.logged(2).pop().unwrap()["cause"], "bad-signature");
    *text.lock().unwrap() = Some(published([("two", &new)]));
    until(&second, "200");
    assert_eq!(ask(&first), "401");
    // What was had stays in use while there is nothing to be had.
    *text.lock().unwrap() = None;
    std::thread::sleep(Duration::from_secs(6));
    assert_eq!(ask(&second), "200");
}

#[test]
fn a_database_that_is_locked_or_cannot_be_written_is_told_and_stays_as_it_was() {
    let gate = Gate::start(
        "database = \"accounts.jsonl\"\n[inbox]\nfolder = \"inbox\"\n[[site]]\n[[site.rule]]\npath = \"/x\"\nmethods = [\"POST\"]\ninbox = true\n",
    );
    let add = |name: &str| {
        let adding = why401_gate::account::Adding {
            name: name.to_owned(),
            groups: vec!["g".to_owned()],
            ..Default::default()
        };
        why401_gate::account::add(&gate.path("gate.toml"), &adding, jiff::Timestamp::UNIX_EPOCH).map(|_| ())
    };
    add("bob").unwrap();
    let before = std::fs::read(gate.path("accounts.jsonl")).unwrap();
    let lock = std::fs::File::open(gate.path("accounts.lock")).unwrap();
    lock.lock().unwrap();
    let begun = Instant::now();
    let says = add("carol").unwrap_err();
    assert!(
        says.contains("is locked by another process") && begun.elapsed() < Duration::from_secs(10),
        "{says}"
    );
    // The gate reads on meanwhile.
    assert!(gate.curl(&["-u", "alice:secret", "-d", "x"], "/x").contains("200 OK"));
    drop(lock);
    if std::path::Path::new("/dev/full").exists() {
        std::os::unix::fs::symlink("/dev/full", gate.path("accounts.new")).unwrap();
        let says = add("carol").unwrap_err();
        assert!(says.contains("cannot write") && says.contains("accounts.jsonl"), "{says}");
        assert_eq!(std::fs::read(gate.path("accounts.jsonl")).unwrap(), before);
        std::fs::remove_file(gate.path("accounts.new")).unwrap();
    }
    add("carol").unwrap();
    assert_ne!(std::fs::read(gate.path("accounts.jsonl")).unwrap(), before);
    // A second gate does not write into the same inbox.
    let path = gate.path("gate.toml");
    let second = why401_gate::run(&path, Some("127.0.0.1:0".parse().unwrap()), |_, _| {}, |_| {});
    assert!(second.unwrap_err().contains("is locked by another process"));
}

#[test]
fn who_does_not_read_or_does_not_finish_shaking_hands_is_ended() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        if !certificates(folder.path()) {
            return;
        }
        let gate = Gate::start_in(
            folder,
            "[limits]\nhead_time = \"1s\"\n[server.tls]\ncertificate = \"server.pem\"\nkey = \"server.key\"\n[[site]]\nupstream = \"http://127.0.0.1:1\"\n[[site.rule]]\npath = \"/**\"\n",
        );
        for first in [&b""[..], b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\n\r\n"] {
            let mut stream = TcpStream::connect(gate.address).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            stream.write_all(first).unwrap();
            let begun = Instant::now();
            let _ = stream.read_to_end(&mut Vec::new());
            assert!(begun.elapsed() < Duration::from_secs(5), "{first:?}");
        }
        assert!(gate.curl(&["-k", "--http2"], "/").contains("< HTTP/2 401"));
        assert!(gate.curl(&["-k", "--http1.1"], "/").contains("< HTTP/1.1 401"));
    });
    run(async {
        // An upstream with more than all buffers hold.
        let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = upstream.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in upstream.incoming() {
                let mut stream = stream.unwrap();
                std::thread::spawn(move || {
                    let _ = stream.read(&mut [0; 4096]);
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n");
                    let _ = stream.write_all(&vec![b'x'; 50_000_000]);
                });
            }
        });
        let gate = Gate::start(&format!(
            "[limits]\nbody_idle = \"1s\"\n[[site]]\nupstream = \"http://{address}\"\n[[site.rule]]\npath = \"/**\"\n"
        ));
        let mut sender = gate.connect().await;
        let (answer, _) = sender.send_request(asked("GET", "/"), true).unwrap();
        let (_, mut body) = answer.await.unwrap().into_parts();
        let mut stream = TcpStream::connect(gate.address).unwrap();
        write!(stream, "GET / HTTP/1.1\r\nHost: x\r\nAuthorization: {ALICE}\r\n\r\n").unwrap();
        let lines = gate.logged(2);
        for line in &lines {
            assert!(line["reason"].as_str().unwrap().contains("the client went away"), "{line}");
        }
        // What came is what there was room for; then the stream is broken off.
        let mut read = 0;
        loop {
            match body.data().await {
                Some(Ok(piece)) => read += piece.len(),
                Some(Err(_)) => break,
                None => panic!("it ends as if it were whole"),
            }
        }
        assert!((1..1_000_000).contains(&read), "{read}");
    });
}

#[test]
fn an_upstream_of_http2_that_is_silent_or_breaks_off_is_told() {
    run(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let mut open = Vec::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let mut connection = h2::server::handshake(stream).await.unwrap();
                let (request, mut respond) = connection.accept().await.unwrap().unwrap();
                if request.uri().path() == "/half" {
                    let mut out = respond.send_response(http::Response::new(()), false).unwrap();
                    out.send_data("half".into(), false).unwrap();
                    let pause = tokio::time::Duration::from_millis(200);
                    let _ = tokio::time::timeout(pause, connection.accept()).await;
                    connection.abrupt_shutdown(h2::Reason::INTERNAL_ERROR);
                    let _ = tokio::time::timeout(pause, connection.accept()).await;
                } else {
                    open.push((connection, request, respond));
                }
            }
        });
        let config = |upstream: String| {
            Gate::start(&format!(
                "[limits]\nupstream_time = \"1s\"\n[[site]]\nupstream = \"http://{upstream}\"\nupstream_version = \"2\"\n[[site.rule]]\npath = \"/**\"\n"
            ))
        };
        let gate = config(address.to_string());
        for version in ["--http1.1", "--http2-prior-knowledge"] {
            let out = gate.curl(&[version, "-u", "alice:secret"], "/never");
            assert!(out.contains(" 504"), "{out}");
            let out = gate.curl(&[version, "-u", "alice:secret"], "/half");
            assert!(out.contains(" 200") && out.contains("curl: ("), "{out}");
        }
        // Nobody there, and somebody who speaks something else.
        let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = nobody.local_addr().unwrap();
        drop(nobody);
        let gate = config(address.to_string());
        assert!(gate.curl(&["-u", "alice:secret"], "/").contains("502 Bad Gateway"));
        let other = issuer(Arc::new(Mutex::new(Some("x".to_owned()))));
        let gate = config(other.to_string());
        assert!(gate.curl(&["-u", "alice:secret"], "/").contains("502 Bad Gateway"));
        assert!(gate.logged(1)[0]["reason"].as_str().unwrap().contains("upstream"));
    });
}

/// As many as the limit on open files allows, up to ten thousand.
fn many() -> usize {
    let out = Command::new("sh").args(["-c", "ulimit -n"]).output().unwrap();
    let limit = String::from_utf8(out.stdout).unwrap().trim().parse().unwrap_or(20_000);
    10_000.min(usize::max(limit, 400) - 300)
}

#[test]
fn ten_thousand_connections_are_held_in_little_memory_and_hinder_nobody() {
    // A process of its own: two ends of a connection in one need twice as many files.
    let program = std::env::current_exe().unwrap();
    let program = program.parent().unwrap().parent().unwrap().join("examples/serve");
    if !program.exists() {
        println!("skipped: the example is not built");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("users"), crate::running::USERS).unwrap();
    std::fs::write(
        folder.path().join("gate.toml"),
        "[server]\nlisten = \"127.0.0.1:0\"\n[accounts]\nhtpasswd = \"users\"\n[[site]]\nupstream = \"http://127.0.0.1:1\"\n[[site.rule]]\npath = \"/**\"\n",
    )
    .unwrap();
    let mut gate =
        Command::new(program).arg(folder.path().join("gate.toml")).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(gate.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let authority = line.trim().trim_start_matches("listening on http://").trim_end_matches('/').to_owned();
    let ask = |stream: &mut TcpStream| {
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut out = [0; 2048];
        let n = stream.read(&mut out).unwrap();
        assert!(out[..n].starts_with(b"HTTP/1.1 401"), "{}", String::from_utf8_lossy(&out[..n]));
    };
    let count = many();
    let mut open: Vec<TcpStream> = (0..count)
        .map(|_| {
            let mut stream = TcpStream::connect(&authority).unwrap();
            ask(&mut stream);
            stream
        })
        .collect();
    let status = std::fs::read_to_string(format!("/proc/{}/status", gate.id())).unwrap_or_default();
    let memory = status
        .lines()
        .find_map(|l| l.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    println!("{count} connections, {memory:?} KiB");
    assert!(memory.is_none_or(|kib| kib < 50_000), "{memory:?}");
    let begun = Instant::now();
    for stream in open.iter_mut().step_by(count / 20) {
        ask(stream);
    }
    assert!(begun.elapsed() < Duration::from_secs(5));
    drop(open);
    ask(&mut TcpStream::connect(&authority).unwrap());
    gate.kill().unwrap();
    gate.wait().unwrap();
}

#[test]
fn a_client_that_goes_away_takes_its_request_with_it() {
    run(async {
        // The upstream never answers; the client does not wait for that.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let gate = Gate::start(&format!(
            "[[site]]\nupstream = \"http://{}\"\n[[site.rule]]\npath = \"/**\"\n",
            listener.local_addr().unwrap()
        ));
        let mut sender = gate.connect().await;
        let (answer, mut stream) = sender.send_request(asked("GET", "/"), false).unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
        stream.send_reset(h2::Reason::CANCEL);
        drop(answer);
        let line = &gate.logged(1)[0];
        assert!(
            line["took_ms"].as_u64().unwrap() < 5000 && line["reason"].as_str().unwrap().contains("client"),
            "{line}"
        );
        let request = http::Request::get("http://gate.example/").body(()).unwrap();
        assert_eq!(exchange(&mut sender, request, None).await.unwrap().0.status(), 401);
    });
}

#[test]
fn what_an_upstream_says_before_it_has_all_is_heard() {
    for (first, status) in [
        (
            "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n",
            413,
        ),
        ("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", 200),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let upstream = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let mut stream = listener.accept().unwrap().0;
            let read = stream.read(&mut [0; 4096]).unwrap();
            assert!(read > 0);
            stream.write_all(first.as_bytes()).unwrap();
            if status == 200 {
                let mut all = Vec::new();
                while !all.ends_with(b"yz") {
                    let mut space = [0; 65536];
                    let size = stream.read(&mut space).unwrap();
                    all.extend_from_slice(&space[..size]);
                }
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
            }
            // It reads no more, and stays.
            std::thread::sleep(Duration::from_secs(30));
        });
        let gate = Gate::start(&format!(
            "[limits]\nbody = \"64M\"\n[[site]]\nupstream = \"http://{upstream}\"\n[[site.rule]]\npath = \"/**\"\n"
        ));
        let mut content = vec![b'x'; 20_000_000];
        content.extend_from_slice(b"yz");
        std::fs::write(gate.path("large"), content).unwrap();
        let begun = Instant::now();
        let out = gate.curl(&["-u", "alice:secret", "-H", "Expect:", "--data-binary", "@large"], "/");
        assert!(out.contains(&format!("< HTTP/1.1 {status} ")), "{out}");
        assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    }
}
