//! What goes wrong before there is an answer has its own word, exit status 2, and nothing on standard output.

use crate::run;
use std::io::{Read, Write};
use std::net::TcpListener;

#[track_caller]
fn fails(words: &[&str], word: &str) {
    let out = run(words);
    let said = String::from_utf8_lossy(&out.stderr);
    assert_eq!((out.status.code(), out.stdout.len()), (Some(2), 0), "{said}");
    assert!(said.lines().any(|l| l.starts_with(&format!("{word}:"))), "{said}");
}

/// A port on which whoever connects gets these bytes, and then the end.
fn says(bytes: &'static [u8]) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(bytes);
        }
    });
    port
}

#[test]
fn a_name_without_an_address() {
    fails(&["http://no-such-host.invalid/"], "name");
}

#[test]
fn nobody_listens() {
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    fails(&[&format!("http://127.0.0.1:{port}/")], "refused");
}

#[test]
fn no_tls_is_spoken() {
    let port = says(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    fails(&[&format!("https://127.0.0.1:{port}/")], "tls");
}

#[test]
fn the_connection_is_closed_without_an_answer() {
    fails(&[&format!("http://127.0.0.1:{}/", says(b""))], "connection");
}

#[test]
fn no_http_is_spoken() {
    fails(&[&format!("http://127.0.0.1:{}/", says(b"SSH-2.0-OpenSSH_9.2\r\n"))], "protocol");
}

#[test]
fn the_proxy_does_not_let_it_through() {
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    fails(&["-x", &format!("http://127.0.0.1:{port}"), "http://example.com/"], "proxy");
}

#[test]
fn what_cannot_be_asked_is_said() {
    for words in [
        &["ftp://example.com/"][..],
        &["-x", "socks4://127.0.0.1:1", "http://example.com/"],
        &["--field", "no colon", "http://127.0.0.1/"],
        &["--scheme", "negotiate", "-u", "a:b", "http://127.0.0.1/"],
        &[],
    ] {
        let out = run(words);
        assert_eq!((out.status.code(), out.stdout.len()), (Some(2), 0), "{words:?}");
        assert!(!out.stderr.is_empty());
    }
}
