//! Captures made with real servers and clients on the loopback interface; skipped where that is not allowed.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "in a test a panic is the report")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use why401_http::{AskedCertificate, FactKind, Secured};
use why401_read::{Collected, KeyLog, read};
use why401_span::SourceId;

/// A process that ends with its owner.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn has(program: &str) -> bool {
    Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// A folder with a certificate authority, a server's and a client's certificate.
fn folder(name: &str) -> Option<PathBuf> {
    let folder = std::env::temp_dir().join(format!("why401-live-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem"])
        .args(["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
        .current_dir(&folder)
        .stderr(Stdio::null())
        .status();
    made.is_ok_and(|s| s.success()).then_some(folder)
}

/// Starts a program and waits until it prints a line that `ready` accepts.
fn start(command: &mut Command, on_stderr: bool, ready: impl Fn(&str) -> bool) -> Option<(Running, String)> {
    let command = command.stdin(Stdio::piped());
    let command = match on_stderr {
        true => command.stderr(Stdio::piped()).stdout(Stdio::null()),
        false => command.stdout(Stdio::piped()).stderr(Stdio::null()),
    };
    let mut child = command.spawn().ok()?;
    let output: Box<dyn std::io::Read + Send> = match on_stderr {
        true => Box::new(child.stderr.take()?),
        false => Box::new(child.stdout.take()?),
    };
    let running = Running(child);
    let mut lines = BufReader::new(output).lines();
    let line = lines.by_ref().map_while(Result::ok).find(|l| ready(l))?;
    // What follows is read so that the program does not stop.
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
    Some((running, line))
}

/// Captures what `client` does with a TLS server; gives the capture and its key log.
fn captured(folder: &Path, server: &[&str], client: impl Fn(&str)) -> Option<(Vec<u8>, Vec<u8>)> {
    let ready = |l: &str| l.starts_with("ACCEPT");
    let mut openssl = Command::new("openssl");
    openssl.args(["s_server", "-accept", "127.0.0.1:0", "-cert", "cert.pem", "-key", "key.pem"]);
    if !server.contains(&"-early_data") {
        openssl.arg("-www");
    }
    openssl.args(["-keylogfile", "keys.log"]).args(server).current_dir(folder);
    let _ = fs::remove_file(folder.join("keys.log"));
    let (server, line) = start(&mut openssl, false, ready)?;
    let port = line.rsplit(':').next()?.trim().to_owned();
    let mut tcpdump = Command::new("tcpdump");
    tcpdump.args([
        "-i",
        "lo",
        "-U",
        "--immediate-mode",
        "-s",
        "0",
        "-w",
        "capture.pcap",
        "tcp",
        "port",
        &port,
    ]);
    let (mut dump, _) = start(tcpdump.current_dir(folder), true, |l| l.contains("listening on"))?;
    client(&port);
    std::thread::sleep(std::time::Duration::from_millis(300));
    let _ = Command::new("kill").args(["-INT", &dump.0.id().to_string()]).status();
    let _ = dump.0.wait();
    drop(server);
    Some((fs::read(folder.join("capture.pcap")).ok()?, fs::read(folder.join("keys.log")).unwrap_or_default()))
}

fn collect(capture: &[u8], keys: &[Vec<u8>]) -> Collected {
    let keys: Vec<_> = keys.iter().map(|text| Arc::new(KeyLog::of(text))).collect();
    let mut collected = Collected::default();
    read(SourceId(0), &mut &*capture, None, None, &keys, &mut collected).unwrap();
    collected
}

fn secured(c: &Collected) -> Vec<&Secured> {
    let tls = c.facts.iter().filter_map(|f| match &f.kind {
        FactKind::Tls(s) => Some(s.as_ref()),
        _ => None,
    });
    tls.collect()
}

fn curl(folder: &Path, port: &str, args: &[&str]) {
    let url = format!("https://localhost:{port}/");
    let mut curl = Command::new("curl");
    curl.args(["-sk", "--max-time", "5", "-o", "/dev/null", "--http1.1", &url]).args(args);
    let _ = curl.current_dir(folder).status();
}

#[test]
fn every_suite_is_decrypted() {
    let Some(folder) = ["tcpdump", "curl"].iter().all(|p| has(p)).then(|| folder("suites")).flatten() else {
        return println!("skipped: no tcpdump, curl or openssl");
    };
    let tls12 = [
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-RSA-CHACHA20-POLY1305",
        "ECDHE-RSA-AES128-SHA",
        "ECDHE-RSA-AES256-SHA384",
        "AES256-SHA256",
        "DHE-RSA-AES128-CCM",
        "DHE-RSA-AES256-CCM8",
    ];
    let tls13 = [
        "TLS_AES_128_GCM_SHA256",
        "TLS_AES_256_GCM_SHA384",
        "TLS_CHACHA20_POLY1305_SHA256",
        "TLS_AES_128_CCM_SHA256",
        "TLS_AES_128_CCM_8_SHA256",
    ];
    let suites = tls12.iter().map(|s| ("-tls1_2", "-cipher", *s));
    for (version, option, suite) in suites.chain(tls13.iter().map(|s| ("-tls1_3", "-ciphersuites", *s))) {
        let arguments = match option {
            "-cipher" => vec!["--ciphers", suite, "--tls-max", "1.2"],
            _ => vec!["--tls13-ciphers", suite],
        };
        let strength = format!("{suite}:@SECLEVEL=0");
        let server = [version, option, if option == "-cipher" { &strength } else { suite }];
        let made = captured(&folder, &server, |port| curl(&folder, port, &arguments));
        let Some((capture, keys)) = made else { return println!("skipped: cannot capture here") };
        let found = collect(&capture, &[keys]);
        let tls = secured(&found);
        println!("{suite}: {} exchanges, {tls:?} {:?}", found.exchanges.len(), found.problems);
        assert_eq!(found.exchanges.len(), 1, "{suite}");
        assert_eq!(found.exchanges.iter().map(|e| e.status()).collect::<Vec<_>>(), [Some(200)], "{suite}");
        assert!(tls.iter().all(|t| t.unread.is_none() && t.alerts.is_empty()), "{suite}");
        assert!(tls.iter().all(|t| t.server_name.as_deref() == Some("localhost")), "{suite}");
        let names = tls.iter().filter_map(|t| t.server_certificate.as_ref()).flat_map(|c| &c.names);
        assert_eq!(names.collect::<Vec<_>>(), ["localhost"], "{suite}");
        let without = collect(&capture, &[]);
        assert!(without.exchanges.is_empty());
        assert!(without.problems.iter().any(|p| p.what.contains("localhost")), "{:?}", without.problems);
    }
    let _ = fs::remove_dir_all(folder);
}

#[test]
fn a_client_certificate_that_is_asked_for_and_not_given() {
    let Some(folder) = ["tcpdump", "curl"].iter().all(|p| has(p)).then(|| folder("client")).flatten() else {
        return println!("skipped: no tcpdump, curl or openssl");
    };
    for (version, with_keys) in [("-tls1_2", false), ("-tls1_2", true), ("-tls1_3", true)] {
        let server = [version, "-Verify", "1", "-verify_return_error"];
        let Some((capture, keys)) = captured(&folder, &server, |port| curl(&folder, port, &[])) else {
            return println!("skipped: cannot capture here");
        };
        let found = collect(&capture, &Vec::from_iter(with_keys.then_some(keys)));
        let tls = secured(&found);
        assert_eq!(tls.len(), 1);
        for t in tls {
            assert_eq!(t.client_certificate, AskedCertificate::NotGiven, "{version} {t:?}");
            assert!(t.alerts.iter().any(|(by_client, _)| !by_client), "{version} {t:?}");
        }
        println!("{version}: {:?}", found.facts.iter().map(|f| f.text.to_text()).collect::<Vec<_>>());
    }
    let _ = fs::remove_dir_all(folder);
}

/// `openssl s_client`, told these words one after the other.
fn s_client(folder: &Path, port: &str, args: &[&str], words: &[&str]) {
    let mut command = Command::new("openssl");
    command
        .args(["s_client", "-connect", &format!("127.0.0.1:{port}"), "-servername", "localhost"])
        .args(args);
    let (input, output) = (Stdio::piped(), Stdio::null());
    let child = command.current_dir(folder).stdin(input).stdout(output).stderr(Stdio::null()).spawn();
    let mut running = Running(child.unwrap());
    let mut input = running.0.stdin.take().unwrap();
    for word in words {
        std::thread::sleep(std::time::Duration::from_millis(700));
        let _ = input.write_all(word.as_bytes());
    }
    std::thread::sleep(std::time::Duration::from_millis(700));
}

const REQUEST: &str = "GET / HTTP/1.0\r\n\r\n";

#[test]
fn updated_keys_and_resumed_sessions_and_early_data() {
    let Some(folder) = has("tcpdump").then(|| folder("session")).flatten() else {
        return println!("skipped: no tcpdump or openssl");
    };
    let updated =
        captured(&folder, &["-tls1_3"], |port| s_client(&folder, port, &[], &["K\n", "k\n", REQUEST]));
    let Some((capture, keys)) = updated else { return println!("skipped: cannot capture here") };
    let found = collect(&capture, &[keys]);
    // This server does not answer once it has updated its own keys.
    let targets = found.exchanges.iter().filter_map(|e| Some(e.request.as_ref()?.target().into_owned()));
    assert_eq!(targets.collect::<Vec<_>>(), ["/"], "updated");
    for version in ["-tls1_2", "-tls1_3"] {
        let twice = |port: &str| {
            s_client(&folder, port, &[version, "-sess_out", "session.pem"], &[REQUEST]);
            s_client(&folder, port, &[version, "-sess_in", "session.pem"], &[REQUEST]);
        };
        let (capture, keys) = captured(&folder, &[version], twice).unwrap();
        let found = collect(&capture, &[keys]);
        assert_eq!(
            found.exchanges.iter().map(|e| e.status()).collect::<Vec<_>>(),
            [Some(200); 2],
            "{version}"
        );
        let certificates = secured(&found).iter().filter(|s| s.server_certificate.is_some()).count();
        assert_eq!(certificates, 1, "{version}: {:?}", secured(&found));
    }
    fs::write(folder.join("early"), REQUEST).unwrap();
    let twice = |port: &str| {
        s_client(&folder, port, &["-tls1_3", "-sess_out", "early.pem"], &["Q\n"]);
        s_client(
            &folder,
            port,
            &["-tls1_3", "-sess_in", "early.pem", "-early_data", "early"],
            &["HEAD / HTTP/1.0\r\n\r\n"],
        );
    };
    let (capture, keys) = captured(&folder, &["-tls1_3", "-early_data", "-naccept", "3"], twice).unwrap();
    let found = collect(&capture, &[keys]);
    let methods = found.exchanges.iter().filter_map(|e| Some(e.request.as_ref()?.method().into_owned()));
    assert_eq!(methods.collect::<Vec<_>>(), ["GET", "HEAD"]);
    let _ = fs::remove_dir_all(folder);
}
