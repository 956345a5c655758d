//! NTLM against servers that keep its state with the connection.

use crate::{PASSWORD, first};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use why401_auth::Secret;
use why401_auth::base64;
use why401_auth::scheme::ntlm::{self, Message};

const CHALLENGE: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

/// What a server saw: connection, method, number of the NTLM message (0: none), length of the content.
type Seen = Arc<Mutex<Vec<(usize, String, u32, usize)>>>;

/// Lets in who answers its challenge with the password; `close` ends each connection with the challenge.
fn server(close: bool) -> (String, Seen) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://127.0.0.1:{}/x", listener.local_addr().unwrap().port());
    let seen = Seen::default();
    let kept = Arc::clone(&seen);
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().flatten().enumerate() {
            let kept = Arc::clone(&kept);
            std::thread::spawn(move || serve(number, stream, close, &kept));
        }
    });
    (url, seen)
}

fn serve(connection: usize, stream: TcpStream, close: bool, seen: &Seen) {
    let mut to = stream.try_clone().unwrap();
    let mut from = BufReader::new(stream);
    let mut asked = false;
    loop {
        let (mut line, mut message, mut length) = (String::new(), None, 0);
        if from.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let method = line.split(' ').next().unwrap().to_owned();
        loop {
            let mut field = String::new();
            from.read_line(&mut field).unwrap();
            let field = field.trim();
            if field.is_empty() {
                break;
            }
            let (name, value) = field.split_once(": ").unwrap();
            match name.to_ascii_lowercase().as_str() {
                "authorization" => {
                    let text = value.strip_prefix("NTLM ").unwrap();
                    let decoded = base64::decode(text.as_bytes(), 0..text.len(), base64::Alphabet::Standard);
                    message = Some(ntlm::read(decoded.bytes.expose()).unwrap());
                }
                "content-length" => length = value.parse().unwrap(),
                _ => {}
            }
        }
        from.read_exact(&mut vec![0; length]).unwrap();
        let number = message.as_ref().map_or(0, |m| m.number());
        seen.lock().unwrap().push((connection, method, number, length));
        let (status, challenge) = match message.map(|m| m.message) {
            Some(Message::Negotiate { .. }) => {
                asked = true;
                let text = why401_verify::ntlm::challenge(CHALLENGE, "SRV", "srv.example.com", 1_700_000_000);
                (401, format!("NTLM {}", base64::encode(&text)))
            }
            Some(Message::Authenticate(given)) if asked => {
                let right = why401_verify::ntlm::verify(&given, CHALLENGE, &Secret::new(PASSWORD)).is_ok();
                (if right && given.user == "alice" { 200 } else { 401 }, "NTLM".to_owned())
            }
            _ => (401, "Negotiate\r\nWWW-Authenticate: NTLM".to_owned()),
        };
        let ends = close && number == 1;
        let connection = if ends { "Connection: close\r\n" } else { "" };
        let challenge = match status {
            200 => String::new(),
            _ => format!("WWW-Authenticate: {challenge}\r\n"),
        };
        let head = format!("HTTP/1.1 {status} X\r\n{challenge}{connection}Content-Length: 0\r\n\r\n");
        if to.write_all(head.as_bytes()).is_err() || ends {
            return;
        }
    }
}

fn asked(url: &str, words: &[&str]) -> (String, serde_json::Value) {
    let report = crate::probe(&[words, &[url]].concat());
    (first(&report).0.to_owned(), report)
}

#[test]
fn the_handshake_stays_on_its_connection_and_is_let_in() {
    let right = format!("EXAMPLE\\alice:{PASSWORD}");
    let (url, seen) = server(false);
    assert_eq!(asked(&url, &["-u", &right]).0, "challenge-answered");
    let of = |seen: &Seen| seen.lock().unwrap().clone();
    let get = || "GET".to_owned();
    assert_eq!(of(&seen), [(0, get(), 0, 0), (1, get(), 1, 0), (1, get(), 3, 0)]);
    // What changes things leaves once, with its content, and nothing is asked for without it.
    let (url, seen) = server(false);
    let out = crate::run(&["--", "curl", "--ntlm", "-u", &right, "-d", "a=1", &url]);
    assert_eq!(out.status.code(), Some(0), "{}", String::from_utf8_lossy(&out.stderr));
    let post = || "POST".to_owned();
    assert_eq!(of(&seen), [(0, get(), 0, 0), (1, post(), 1, 0), (1, post(), 3, 3)]);
    // Where nothing is asked for, nothing is sent that changes something.
    let open = crate::server::Server::start(|_, _| crate::server::ok());
    crate::run(&["--", "curl", "--ntlm", "-u", &right, "-d", "a=1", &open.url("/")]);
    assert!(open.seen().iter().all(|r| r.method == "GET"), "{:?}", open.seen());
}

#[test]
fn a_refused_password_is_sent_once() {
    let (url, seen) = server(false);
    let (cause, report) = asked(&url, &["-u", "alice:wrong-1", "--allow-wrong"]);
    assert_eq!(cause, "credentials-refused", "{report}");
    let answers = seen.lock().unwrap().iter().filter(|s| s.2 == 3).count();
    assert_eq!(answers, 1, "a domain locks accounts");
}

#[test]
fn a_connection_that_ends_with_the_challenge_is_the_cause() {
    let (url, seen) = server(true);
    let (cause, report) = asked(&url, &["-u", &format!("alice:{PASSWORD}"), "--scheme", "ntlm"]);
    assert_eq!(cause, "ntlm-connection-broken", "{report}");
    assert!(seen.lock().unwrap().iter().all(|s| s.2 != 3));
}

#[test]
fn where_a_ticket_is_wanted_no_password_goes_and_what_to_do_is_said() {
    let server = crate::server::Server::start(|_, _| crate::server::refused("Negotiate"));
    let (_, report) = asked(&server.url("/"), &["-u", &format!("alice:{PASSWORD}")]);
    assert!(server.seen().iter().all(|r| r.authorization().is_none()));
    let problems = report["sources"][0]["problems"].to_string();
    assert!(problems.contains("kinit") && problems.contains("curl --negotiate -u :"), "{problems}");
    let out = crate::run(&["--", "curl", "--negotiate", "-u", ":", &server.url("/")]);
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&out.stderr).contains("kinit"));
}
