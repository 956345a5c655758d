//! Every command of the index with a real curl: its transcript, the traffic and the lab's own log name the cause.

use crate::running::{Running, has, named};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Where one kind of evidence cannot show the cause: the path, and what it lacks.
type Lacks = &'static [(&'static str, &'static str)];

/// What the traffic alone does not show.
const NOT_IN_TRAFFIC: Lacks = &[
    ("/overridden-by-client", "the credentials that were meant"),
    ("/url-credentials-ignored", "the address as it was given"),
    ("/scheme-unsupported-by-client", "the client's own error"),
    ("/kerberos-ticket-unavailable", "the client's own error"),
    ("/challenge-missing", "that the client holds credentials"),
    ("/challenge-malformed", "that the client holds credentials"),
    ("/windows-update-denied", "the client's own log"),
];

/// What the lab's log alone does not show, or shows in more detail.
const NOT_IN_LOG: Lacks = &[
    ("/challenge-answered/digest-renewed", "that the second answer is to the challenge of the first"),
    ("/dropped-on-redirect", "the request before the redirect belongs to it only by the client"),
    ("/overridden-by-client", "the credentials that were meant; the log knows that the password is wrong"),
    ("/wrong-field/key", "the second request is let in and looks like the answer to the first"),
    ("/url-credentials-ignored", "the address as it was given"),
    ("/preflight-challenged", "that it is one: the fields of the request are not logged"),
    ("/credentials-refused", "nothing: the log knows that the password is wrong"),
    ("/handshake-unfinished", "that no message follows"),
    ("/kerberos-ticket-unavailable", "the client's own error"),
    ("/channel-binding-missing", "the name is taken for the answer to the step before"),
    ("/challenge-missing", "the fields of the answer"),
    ("/login-redirect", "that data was asked for"),
];

/// What a command of the index provokes.
struct Experiment {
    path: String,
    cause: String,
    command: String,
}

/// All addresses that a command is given for.
fn experiments(lab: &Running) -> impl Iterator<Item = Experiment> {
    lab.index().into_iter().filter_map(|entry| {
        let text = |name: &str| entry[name].as_str().map(str::to_owned);
        Some(Experiment { path: text("path")?, cause: text("cause")?, command: text("command")? })
    })
}

struct Row {
    path: String,
    cause: String,
    transcript: String,
    traffic: Option<String>,
    log: String,
}

#[test]
fn a_real_client_provokes_every_cause_and_it_is_named() {
    if !has("curl") {
        println!("skipped: no curl");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path();
    let log = place.join("log");
    let lab = Running::start(&["--json-log", &log.display().to_string()]);
    let can_capture = can_capture(place);
    if !can_capture {
        println!("the traffic is not captured: no tcpdump, or not allowed");
    }
    let mut rows = Vec::new();
    for Experiment { path, cause, command } in experiments(&lab) {
        let _ = fs::remove_file(place.join("keys"));
        let logged = fs::read(&log).unwrap_or_default().len();
        let capture = can_capture.then(|| Capture::start(&lab, &place.join("pcap")));
        fs::write(place.join("transcript"), transcript(&lab, &command, place)).unwrap();
        drop(capture);
        fs::write(place.join("lines"), &fs::read(&log).unwrap()[logged..]).unwrap();
        let keys = place.join("keys").display().to_string();
        let keys = if Path::new(&keys).exists() { vec!["--keys", &keys] } else { vec![] };
        rows.push(Row {
            path,
            cause,
            transcript: named(&place.join("transcript"), &[]),
            traffic: can_capture.then(|| named(&place.join("pcap"), &keys)),
            log: named(&place.join("lines"), &[]),
        });
    }
    assert_eq!(lab.end("-TERM"), Some(0));
    report(&rows);
}

/// Runs a command of the index as a person does and returns all that it prints.
fn transcript(lab: &Running, command: &str, place: &Path) -> Vec<u8> {
    let out = Command::new("sh")
        .arg("-c")
        .arg(format!("exec 2>&1; {command}"))
        .env("LAB", &lab.base)
        .env("TMPDIR", place)
        .env("SSLKEYLOGFILE", place.join("keys"))
        .env_remove("http_proxy")
        .env_remove("NO_PROXY")
        .output()
        .unwrap();
    out.stdout
}

/// Commands that cannot be tried over HTTP/2: NTLM belongs to a connection, a proxy is asked in HTTP/1.1, TLS chooses by itself,
/// and curl 7.88 sends no second request after a challenge where it knows beforehand that HTTP/2 is spoken.
const NOT_IN_HTTP2: &[&str] =
    &["--ntlm", "--negotiate", "-x ", "https", "--http1", "--anyauth", "--digest", "digest-nonce"];

/// The same experiments over HTTP/2: what is said of them does not depend on the version.
#[test]
fn the_causes_are_named_over_http2_as_well() {
    if !has("curl") {
        println!("skipped: no curl");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path();
    let log = place.join("log");
    let lab = Running::start(&["--json-log", &log.display().to_string()]);
    let (mut wrong, mut tried) = (Vec::new(), 0);
    for Experiment { path, cause, command } in experiments(&lab) {
        if NOT_IN_HTTP2.iter().any(|o| command.contains(o)) {
            continue;
        }
        tried += 1;
        let logged = fs::read(&log).unwrap_or_default().len();
        let command = format!("curl() {{ command curl --http2-prior-knowledge \"$@\"; }}; {command}");
        let said = transcript(&lab, &command, place);
        assert!(String::from_utf8_lossy(&said).contains("HTTP/2"), "{path}");
        fs::write(place.join("transcript"), said).unwrap();
        fs::write(place.join("lines"), &fs::read(&log).unwrap()[logged..]).unwrap();
        let may_miss = NOT_IN_LOG.iter().any(|(p, _)| *p == path.as_str());
        for (what, found) in [
            ("transcript", named(&place.join("transcript"), &[])),
            ("lines", named(&place.join("lines"), &[])),
        ] {
            if found != cause && !(what == "lines" && may_miss) {
                wrong.push(format!("{path}: {what}: {found}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(tried > 60, "{tried}");
}

fn report(rows: &[Row]) {
    let mut wrong = Vec::new();
    let mut right = [0; 3];
    println!("{:<44}{:<32}{:<32}log", "address", "transcript", "traffic");
    for row in rows {
        let lacks = |list: Lacks| list.iter().any(|(path, _)| *path == row.path);
        let traffic = row.traffic.as_deref().unwrap_or("-");
        let mark = |found: &str| format!("{} {found}", if found == row.cause { '+' } else { '!' });
        println!("{:<44}{:<32}{:<32}{}", row.path, mark(&row.transcript), mark(traffic), mark(&row.log));
        for (i, (what, found, may_miss)) in [
            ("transcript", row.transcript.as_str(), false),
            ("traffic", traffic, lacks(NOT_IN_TRAFFIC) || row.traffic.is_none()),
            ("log", row.log.as_str(), lacks(NOT_IN_LOG)),
        ]
        .into_iter()
        .enumerate()
        {
            right[i] += usize::from(found == row.cause);
            if found != row.cause && !may_miss {
                wrong.push(format!("{}: {what} is diagnosed as {found}", row.path));
            }
        }
    }
    println!(
        "{} addresses; right: transcript {}, traffic {}, log {}",
        rows.len(),
        right[0],
        right[1],
        right[2]
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rows.len() > 100);
}

/// tcpdump on the loopback interface.
struct Capture(std::process::Child);

impl Capture {
    fn start(lab: &Running, file: &Path) -> Capture {
        let port = lab.base.rsplit(':').next().unwrap();
        let mut child = Command::new("tcpdump")
            .args(["-i", "lo", "-U", "--immediate-mode", "-w"])
            .arg(file)
            .args(["tcp", "port", port])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It says when it listens.
        let mut line = [0; 16];
        let _ = std::io::Read::read(child.stderr.as_mut().unwrap(), &mut line);
        std::thread::sleep(Duration::from_millis(100));
        Capture(child)
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        std::thread::sleep(Duration::from_millis(150));
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

fn can_capture(place: &Path) -> bool {
    if !has("tcpdump") {
        return false;
    }
    let out = Command::new("timeout")
        .args(["1", "tcpdump", "-i", "lo", "-w"])
        .arg(place.join("try"))
        .stderr(Stdio::null())
        .status();
    out.is_ok_and(|s| s.code() == Some(124) || s.success()) && place.join("try").exists()
}
