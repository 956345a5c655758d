//! A SOCKS proxy on the way, from the command line and from the environment.

use crate::server::{Server, ok, refused};
use crate::{PASSWORD, command, first, probe, run};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A proxy that wants `bob:p:w` and connects every name to loopback; the hosts that it was told.
fn proxy() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let told = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&told);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let kept = Arc::clone(&kept);
            std::thread::spawn(move || serve(stream, &kept));
        }
    });
    (port, told)
}

fn serve(mut client: TcpStream, told: &Mutex<Vec<String>>) -> Option<()> {
    fn take(client: &mut TcpStream, n: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; n];
        client.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }
    let count = take(&mut client, 2)?[1];
    if !take(&mut client, count.into())?.contains(&2) {
        client.write_all(&[5, 0xff]).ok()?;
        return None;
    }
    client.write_all(&[5, 2]).ok()?;
    let n = take(&mut client, 2)?[1];
    let user = take(&mut client, n.into())?;
    let n = take(&mut client, 1)?[0];
    let password = take(&mut client, n.into())?;
    let wrong = u8::from((user.as_slice(), password.as_slice()) != (b"bob", b"p:w"));
    client.write_all(&[1, wrong]).ok()?;
    let kind = take(&mut client, 4)?[3];
    let host = if kind == 3 {
        let n = take(&mut client, 1)?[0];
        String::from_utf8(take(&mut client, n.into())?).ok()?
    } else {
        take(&mut client, 4)?.iter().map(u8::to_string).collect::<Vec<_>>().join(".")
    };
    let port = take(&mut client, 2)?;
    told.lock().unwrap().push(host);
    let server = TcpStream::connect(("127.0.0.1", u16::from_be_bytes([port[0], port[1]]))).ok();
    client.write_all(&[5, if server.is_some() { 0 } else { 5 }, 0, 1, 0, 0, 0, 0, 0, 0]).ok()?;
    let mut server = server?;
    let (mut from, mut to) = (client.try_clone().ok()?, server.try_clone().ok()?);
    std::thread::spawn(move || std::io::copy(&mut from, &mut to));
    std::io::copy(&mut server, &mut client).ok()?;
    None
}

#[test]
fn a_socks_proxy_is_gone_through() {
    let server =
        Server::start(|r, _| if r.authorization().is_some() { ok() } else { refused("Basic realm=x") });
    let (port, told) = proxy();
    let user = format!("alice:{PASSWORD}");
    let through = format!("socks5h://bob:p%3Aw@127.0.0.1:{port}");
    let far = format!("http://api.far.invalid:{}/x", server.port);
    let report = probe(&["-x", &through, "-u", &user, &far]);
    assert_eq!(first(&report).0, "challenge-answered");
    assert_eq!(*told.lock().unwrap(), ["api.far.invalid", "api.far.invalid"], "the proxy finds the address");
    assert!(server.seen().iter().all(|r| r.target == "/x"), "no whole address, as for an HTTP proxy");

    let through = format!("socks5://bob:p%3Aw@127.0.0.1:{port}");
    let out = command(&["-u", &user, &server.url("/x")]).env("ALL_PROXY", &through).output().unwrap();
    assert_eq!(out.status.code(), Some(0));
    assert_eq!(told.lock().unwrap().last().map(String::as_str), Some("127.0.0.1"));
    let at = format!("127.0.0.1:{port}");
    let words = ["--", "curl", "--socks5-hostname", &at, "--proxy-user", "bob:p:w", "-u", &user, &far];
    assert_eq!(run(&words).status.code(), Some(0));
}

#[test]
fn a_socks_proxy_that_refuses_has_its_own_word() {
    let (port, _) = proxy();
    let closed = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    for (userinfo, why) in
        [("", "user and password"), ("bob:no@", "refused user"), ("bob:p%3Aw@", "connection was refused")]
    {
        let through = format!("socks5h://{userinfo}127.0.0.1:{port}");
        let out = run(&["-x", &through, &format!("http://far.invalid:{closed}/")]);
        let said = String::from_utf8_lossy(&out.stderr);
        assert_eq!((out.status.code(), out.stdout.len()), (Some(2), 0), "{said}");
        assert!(said.lines().any(|l| l.starts_with("proxy:") && l.contains(why)), "{said}");
    }
}

#[test]
fn a_program_is_recorded_behind_a_socks_proxy() {
    if std::process::Command::new("curl").arg("--version").output().is_err() {
        println!("skipped: no curl");
        return;
    }
    let server = Server::start(|_, _| refused("Basic realm=x"));
    let (port, told) = proxy();
    let far = format!("http://api.far.invalid:{}/x", server.port);
    let out = std::process::Command::new(env!("CARGO_BIN_EXE_why401"))
        .args(["run", "--", "curl", "-s", &far])
        .env("http_proxy", format!("socks5h://bob:p%3Aw@127.0.0.1:{port}"))
        .env_remove("no_proxy")
        .env_remove("NO_PROXY")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(said.contains("no-credentials"), "{said}");
    assert_eq!(*told.lock().unwrap(), ["api.far.invalid"]);
    assert!(server.seen().iter().all(|r| r.target == "/x"));
}
