//! A lab that runs as a program of its own, and what is done with it.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The program under test.
pub(crate) const WHY401: &str = env!("CARGO_BIN_EXE_why401");

/// A running lab.
pub(crate) struct Running {
    pub(crate) child: Child,
    /// `http://127.0.0.1:PORT`.
    pub(crate) base: String,
    /// How long it took until it was ready.
    pub(crate) start: Duration,
}

impl Running {
    /// Starts a lab with these arguments on a free port.
    pub(crate) fn start(arguments: &[&str]) -> Running {
        let begun = Instant::now();
        let mut child = Command::new(WHY401)
            .args(["lab", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let base = line.strip_prefix("listening on ").unwrap().trim().strip_suffix('/').unwrap().to_owned();
        assert!(base.starts_with("http://127.0.0.1:"), "{line}");
        Running { child, base, start: begun.elapsed() }
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn authority(&self) -> &str {
        self.base.strip_prefix("http://").unwrap()
    }

    /// Sends bytes as they are and returns all that comes back until the lab closes.
    pub(crate) fn raw(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.authority()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        // The lab may refuse and close before all was sent.
        let _ = stream.write_all(request);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// The index.
    pub(crate) fn index(&self) -> Vec<Value> {
        let answer = self.raw(b"GET /index.json HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n");
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    }

    /// Sends a signal and returns the exit status; panics if the lab does not end within five seconds.
    pub(crate) fn end(mut self, signal: &str) -> Option<i32> {
        assert!(
            Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success()
        );
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(5) {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the lab does not end at {signal}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether a program is there.
pub(crate) fn has(program: &str) -> bool {
    Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// What why401 names first in this evidence: the first fault or attack, else the first finding.
pub(crate) fn named(evidence: &Path, arguments: &[&str]) -> String {
    let out = Command::new(WHY401).args(["--format", "json"]).args(arguments).arg(evidence).output().unwrap();
    let Ok(document) = serde_json::from_slice::<Value>(&out.stdout) else {
        return format!("no diagnosis: {}", String::from_utf8_lossy(&out.stderr).trim());
    };
    let findings = document["findings"].as_array().unwrap();
    let acts = |f: &&Value| matches!(f["verdict"].as_str(), Some("fault" | "attack"));
    let first = findings.iter().find(acts).or(findings.first());
    first.map_or("none".to_owned(), |f| f["cause"].as_str().unwrap().to_owned())
}
