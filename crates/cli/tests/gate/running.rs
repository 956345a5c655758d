//! A gate that runs as a program of its own, and an upstream that tells what reached it.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The program under test.
pub(crate) const WHY401: &str = env!("CARGO_BIN_EXE_why401");

/// htpasswd lines: alice has `{SHA}`, bob bcrypt with cost 4; both passwords are `secret`.
pub(crate) const USERS: &str = "alice:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\nbob:$2y$04$1GnB0X3wH5YrldSdssDnzOU0WMFXcCu60ndRxYSxxG5sSdFJFpJiG\n";

/// A running gate and its folder.
pub(crate) struct Gate {
    pub(crate) child: Child,
    pub(crate) folder: tempfile::TempDir,
    /// `http://127.0.0.1:PORT`, or `https://`.
    pub(crate) base: String,
}

/// A configuration with logs and the users; `rest` follows.
pub(crate) fn config(rest: &str) -> String {
    format!(
        "[log]\naccess = \"access.log\"\njson = \"gate.json\"\n[accounts]\nhtpasswd = \"users\"\ndatabase = \"accounts.jsonl\"\n{rest}"
    )
}

impl Gate {
    /// Starts a gate with this configuration on a free port.
    pub(crate) fn start(config: &str) -> Gate {
        Gate::start_in(tempfile::tempdir().unwrap(), config)
    }

    /// The same, in a folder that may hold more files.
    pub(crate) fn start_in(folder: tempfile::TempDir, config: &str) -> Gate {
        std::fs::write(folder.path().join("gate.toml"), config).unwrap();
        std::fs::write(folder.path().join("users"), USERS).unwrap();
        let (child, base) = launch(folder.path());
        Gate { child, folder, base }
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn authority(&self) -> &str {
        self.base.split_once("://").unwrap().1
    }

    /// The path of a file in its folder.
    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Sends bytes as they are and returns all that comes back until the gate closes.
    pub(crate) fn raw(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.authority()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        // The gate may refuse and close before all was sent.
        let _ = stream.write_all(request);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Runs curl with these arguments for a path; its transcript with `-v`.
    pub(crate) fn curl(&self, arguments: &[&str], path: &str) -> String {
        let out = Command::new("curl")
            .args(["-sS", "-v", "--max-time", "20"])
            .args(arguments)
            .arg(format!("{}{path}", self.base))
            .env_remove("http_proxy")
            .output()
            .unwrap();
        String::from_utf8_lossy(&[out.stderr, out.stdout].concat()).into_owned()
    }

    /// Runs `why401 gate` with its configuration.
    pub(crate) fn ask(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = Command::new(WHY401)
            .args(["gate", "--config", &self.path("gate.toml")])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    /// The lines of the JSON log, once there are so many.
    pub(crate) fn logged(&self, count: usize) -> Vec<Value> {
        let begun = Instant::now();
        loop {
            let text = std::fs::read_to_string(self.path("gate.json")).unwrap_or_default();
            let lines: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
            if lines.len() >= count {
                return lines;
            }
            assert!(begun.elapsed() < Duration::from_secs(10), "only {} lines: {text}", lines.len());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: &str) {
        assert!(
            Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success()
        );
    }

    /// Sends a signal and returns the exit status.
    pub(crate) fn end(&mut self, signal: &str) -> Option<i32> {
        self.signal(signal);
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(15) {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the gate does not end at {signal}");
    }

    /// Starts it again in its folder, after it has ended.
    pub(crate) fn again(&mut self) {
        let _ = self.child.wait();
        (self.child, self.base) = launch(self.folder.path());
    }
}

fn launch(folder: &Path) -> (Child, String) {
    let mut child = Command::new(WHY401)
        .args(["gate", "--listen", "127.0.0.1:0", "--config"])
        .arg(folder.join("gate.toml"))
        .env("XDG_STATE_HOME", folder.join("state"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let base = line.strip_prefix("listening on ").unwrap_or_else(|| panic!("{line:?}"));
    (child, base.trim().strip_suffix('/').unwrap().to_owned())
}

impl Drop for Gate {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The first fault or attack of a diagnosis, else its first finding.
pub(crate) fn named(document: &[u8]) -> String {
    let Ok(document) = serde_json::from_slice::<Value>(document) else { return "no diagnosis".to_owned() };
    let findings = document["findings"].as_array().unwrap();
    let acts = |f: &&Value| matches!(f["verdict"].as_str(), Some("fault" | "attack"));
    let first = findings.iter().find(acts).or(findings.first());
    first.map_or("none".to_owned(), |f| f["cause"].as_str().unwrap().to_owned())
}

/// What why401 names in these bytes.
pub(crate) fn diagnosed(evidence: &[u8]) -> String {
    let mut child = Command::new(WHY401)
        .args(["--format", "json", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(evidence).unwrap();
    named(&child.wait_with_output().unwrap().stdout)
}

/// An upstream that answers each request with the head that reached it and its content; chunked where the path says so.
pub(crate) fn upstream() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || while echo(stream.as_ref().unwrap()).is_some() {});
        }
    });
    format!("http://{address}")
}

fn echo(stream: &TcpStream) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length, mut chunked) = (String::new(), 0, false);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
        let lower = line.to_ascii_lowercase();
        if let Some(l) = lower.strip_prefix("content-length:") {
            length = l.trim().parse().unwrap();
        }
        chunked |= lower.starts_with("transfer-encoding: chunked");
        head.push_str(&line);
        if line == "\r\n" {
            break;
        }
    }
    let mut content = vec![0; length];
    reader.read_exact(&mut content).ok()?;
    while chunked {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let size = usize::from_str_radix(line.trim(), 16).unwrap();
        let mut piece = vec![0; size + 2];
        reader.read_exact(&mut piece).ok()?;
        content.extend_from_slice(&piece[..size]);
        chunked = size > 0;
    }
    let mut stream = stream;
    let body = [head.as_bytes(), b"content: ", &content].concat();
    let answer = if head.contains("/upgrade") {
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello".to_vec()
    } else if head.contains("/chunked") {
        let mut out = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        for piece in body.chunks(7) {
            out.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
            out.extend_from_slice(piece);
            out.extend_from_slice(b"\r\n");
        }
        [&out[..], b"0\r\n\r\n"].concat()
    } else {
        [format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes(), &body].concat()
    };
    stream.write_all(&answer).ok()?;
    if head.contains("/upgrade") {
        let mut buffer = [0; 1024];
        while let Ok(n) = stream.read(&mut buffer) {
            if n == 0 || stream.write_all(&buffer[..n].to_ascii_uppercase()).is_err() {
                break;
            }
        }
        return None;
    }
    Some(())
}
