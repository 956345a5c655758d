//! Logs that are followed while they are written.

use crate::findings;
use serde_json::Value;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

#[test]
fn a_log_that_is_written_and_rotated_is_followed_until_an_interrupt() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("access.log");
    let add = |from: u32, status: u16| {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&path).unwrap();
        for minute in from..from + 10 {
            let user = if minute % 2 == 0 { "alice" } else { "bob" };
            let status = if user == "bob" { 200 } else { status };
            writeln!(file, "192.0.2.1 - {user} [22/Nov/2026:17:{minute:02}:00 +0000] \"GET /v1/orders HTTP/1.1\" {status} 9 \"-\" \"curl/8.5.0\"").unwrap();
        }
    };
    add(0, 200);
    let mut program = Command::new(env!("CARGO_BIN_EXE_why401"))
        .args(["--follow", "--format", "json"])
        .arg(&path)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let pause = || std::thread::sleep(std::time::Duration::from_millis(1500));
    pause();
    std::fs::rename(&path, folder.path().join("access.log.1")).unwrap();
    add(10, 401);
    pause();
    std::fs::copy(&path, folder.path().join("access.log.2")).unwrap();
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(0).unwrap();
    pause();
    add(20, 401);
    pause();
    assert!(program.try_wait().unwrap().is_none());
    assert!(Command::new("kill").args(["-INT", &program.id().to_string()]).status().unwrap().success());
    let out = program.wait_with_output().unwrap();
    assert_eq!(out.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(report["sources"][0]["exchanges"].as_u64(), Some(30));
    assert_eq!(
        findings(&report),
        [("credentials-changed".to_owned(), Some("alice".to_owned()), Some("192.0.2.1".to_owned()), 10)]
    );
    let none =
        Command::new(env!("CARGO_BIN_EXE_why401")).args(["--follow", "a.log", "b.log"]).output().unwrap();
    assert_eq!(none.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&none.stderr).contains("a.log: --follow takes log files"));
}

/// The program while it follows logs, and what it prints.
struct Following {
    program: std::process::Child,
    lines: std::sync::mpsc::Receiver<String>,
}

impl Following {
    fn new(logs: &[&Path]) -> Following {
        let mut program = Command::new(env!("CARGO_BIN_EXE_why401"))
            .arg("--follow")
            .args(logs)
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let out = std::io::BufReader::new(program.stdout.take().unwrap());
        let (give, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            std::io::BufRead::lines(out).map_while(Result::ok).try_for_each(|line| give.send(line))
        });
        Following { program, lines }
    }

    /// The next line; empty if there is none for long.
    fn next(&self) -> String {
        self.lines.recv_timeout(std::time::Duration::from_secs(30)).unwrap_or_default()
    }

    /// Interrupts it; what it prints then.
    fn end(mut self) -> String {
        assert!(self.program.try_wait().unwrap().is_none(), "it ended by itself");
        assert!(
            Command::new("kill").args(["-INT", &self.program.id().to_string()]).status().unwrap().success()
        );
        let end = self.program.wait_with_output().unwrap();
        // In a pipe nothing is drawn.
        assert!(end.stderr.is_empty(), "{}", String::from_utf8_lossy(&end.stderr));
        assert_eq!(end.status.code(), Some(1));
        self.lines.iter().collect::<Vec<_>>().join("\n")
    }
}

fn append(path: &Path, lines: &[String]) {
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(lines.concat().as_bytes()).unwrap();
}

#[test]
fn several_logs_are_followed_side_by_side_and_told_of_as_they_come() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one.log"), folder.path().join("two.log"));
    let lines = |client: &str, user: &str, minutes: std::ops::Range<u32>, status: u16| -> Vec<String> {
        let line = |minute| {
            format!(
                "{client} - {user} [22/Nov/2026:17:{minute:02}:00 +0000] \"GET /v1/orders HTTP/1.1\" {status} 9 \"-\" \"curl/8.5.0\"\n"
            )
        };
        minutes.map(line).collect()
    };
    append(&one, &lines("192.0.2.1", "alice", 0..10, 200));
    // Nothing has come yet to the other.
    append(&two, &[]);
    let following = Following::new(&[&one, &two]);
    std::thread::sleep(std::time::Duration::from_millis(1500));
    std::fs::rename(&one, folder.path().join("one.log.1")).unwrap();
    append(&one, &lines("192.0.2.1", "alice", 10..20, 403));
    // What is certain is told while the logs are read on, however little it is.
    let alice = following.next();
    append(&two, &lines("192.0.2.2", "bob", 0..10, 200));
    append(&two, &lines("192.0.2.2", "bob", 10..15, 403));
    let bob = following.next();
    let whole = following.end();
    for told in [alice, bob] {
        assert!(told.contains("Z forbidden: GET /v1/orders: "), "{told}");
    }
    assert!(whole.contains("  seen  15 times, "), "{whole}");
}

#[test]
fn an_error_log_that_is_followed_tells_more_of_the_access_log_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let (access, error) = (folder.path().join("access.log"), folder.path().join("error.log"));
    let request = |user: &str, status: u16| {
        format!(
            "192.0.2.1 - {user} [22/Nov/2026:17:15:13 +0000] \"GET /a HTTP/1.1\" {status} 9 \"-\" \"curl/8.5.0\"\n"
        )
    };
    append(&access, &[request("bob", 200)]);
    append(&error, &["2026/11/22 17:00:00 [notice] 1#1: start worker processes\n".to_owned()]);
    let following = Following::new(&[&access, &error]);
    append(&error, &["2026/11/22 17:15:13 [error] 1#1: *39 user \"alice\": password mismatch, client: 192.0.2.1, server: , request: \"GET /a HTTP/1.1\", host: \"example.com\"\n".to_owned()]);
    append(&access, &[request("alice", 401)]);
    let told = following.next();
    following.end();
    assert!(told.contains("Z wrong-password: GET /a: "), "{told}");
}
