//! Large logs: a day of a hub, whole, cut, rotated and compressed; exact counts; bad input.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "in a test a panic is the report"
)]

use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

fn diagnose(args: &[&Path], options: &[&str]) -> Value {
    let out = Command::new(env!("CARGO_BIN_EXE_why401"))
        .args(["--format", "json"])
        .args(options)
        .args(args)
        .output()
        .unwrap();
    assert!(matches!(out.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}

struct Hub {
    log: String,
    statuses: BTreeMap<u16, u64>,
}

impl Hub {
    fn line(&mut self, client: &str, user: &str, second: u32, path: &str, status: u16, agent: &str) {
        let (h, m, s) = (second / 3600, second / 60 % 60, second % 60);
        *self.statuses.entry(status).or_default() += 1;
        writeln!(
            self.log,
            "{client} - {user} [22/Nov/2026:{h:02}:{m:02}:{s:02} +0000] \"POST {path} HTTP/1.1\" {status} 512 \"-\" \"{agent}\""
        )
        .unwrap();
    }

    /// A request as a client makes it that waits to be asked.
    fn handshake(&mut self, client: &str, user: &str, second: u32, path: &str, status: u16, agent: &str) {
        self.line(client, "-", second, path, 401, agent);
        self.line(client, user, second, path, status, agent);
    }

    /// Forty partners that submit all day; alice's password is changed at ten, bob's program replaced at noon, a
    /// stranger tries names in the afternoon, and for a quarter of an hour in the evening the directory is away.
    fn day() -> Hub {
        Hub::day_of(4)
    }

    /// The same with a submission each so many seconds.
    fn day_of(step: usize) -> Hub {
        let mut hub = Hub { log: String::new(), statuses: BTreeMap::new() };
        for second in (0..86_400).step_by(step) {
            let partner = second / step as u32 % 40;
            let (client, user) = (format!("192.0.2.{partner}"), format!("partner{partner}"));
            let path =
                format!("/hub/{}/submit", ["invoices", "orders", "stock"][(second / 160 % 3) as usize]);
            let away = (72_000..72_900).contains(&second);
            let status = if away { 503 } else { 201 };
            hub.handshake(&client, &user, second, &path, status, "Partner/2.0");
            if second % 60 == 0 && !away {
                let status = if second < 36_000 { 200 } else { 401 };
                hub.line("198.51.100.7", "alice", second, "/hub/stock/submit", status, "Importer/3.1");
                let (status, agent) =
                    if second < 43_200 { (200, "Sender/1.9") } else { (401, "Sender-NG/2.0") };
                // Another partner goes on with the program that bob had.
                hub.line("198.51.100.9", "dora", second, "/hub/orders/submit", 200, "Sender/1.9");
                hub.line("198.51.100.8", "bob", second, "/hub/orders/submit", status, agent);
            }
            if (50_000..50_800).contains(&second) {
                hub.line(
                    "203.0.113.9",
                    &format!("name{second}"),
                    second,
                    "/hub/orders/submit",
                    401,
                    "python-requests/2.31",
                );
            }
        }
        hub
    }

    fn of(&self, status: u16) -> u64 {
        self.statuses.get(&status).copied().unwrap_or_default()
    }
}

/// Cause, account, client and count of every finding, in order.
fn findings(report: &Value) -> Vec<(String, Option<String>, Option<String>, u64)> {
    let text = |v: &Value| v.as_str().map(str::to_owned);
    let all = report["findings"].as_array().unwrap().iter();
    let mut all: Vec<_> = all
        .map(|f| {
            (
                text(&f["cause"]).unwrap(),
                text(&f["account"]),
                text(&f["client"]),
                f["count"].as_u64().unwrap(),
            )
        })
        .collect();
    all.sort();
    all
}

fn check(hub: &Hub, report: &Value) {
    let count = |cause: &str| {
        let of = findings(report).into_iter().filter(|f| f.0 == cause);
        of.map(|f| f.3).sum::<u64>()
    };
    let got = findings(report);
    let mut causes: Vec<&str> = got.iter().map(|f| f.0.as_str()).collect();
    causes.dedup();
    let want = [
        "auth-backend-down",
        "challenge-answered",
        "client-changed",
        "credentials-changed",
        "password-guessing",
    ];
    assert_eq!(causes, want, "{got:#?}");
    let of_account =
        |cause: &str, account: &str| got.iter().any(|f| f.0 == cause && f.1.as_deref() == Some(account));
    assert!(of_account("credentials-changed", "alice") && of_account("client-changed", "bob"), "{got:#?}");
    let minutes = |from: u32| u64::from((86_400 - from) / 60 - 15);
    assert_eq!(count("credentials-changed"), minutes(36_000));
    assert_eq!(count("client-changed"), minutes(43_200));
    assert_eq!(count("password-guessing"), 200);
    // The challenge and the error behind it.
    assert_eq!(count("auth-backend-down"), 2 * hub.of(503));
    assert_eq!(count("challenge-answered"), hub.of(201));
}

#[test]
fn all_of_a_day_is_found_and_nothing_else() {
    let hub = Hub::day();
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("access.log");
    std::fs::write(&whole, &hub.log).unwrap();
    let report = diagnose(&[&whole], &[]);
    check(&hub, &report);
    let source = &report["sources"][0];
    let statuses: BTreeMap<u16, u64> = serde_json::from_value(source["statuses"].clone()).unwrap();
    assert_eq!(statuses, hub.statuses);
    assert_eq!(
        (source["first"].as_str(), source["last"].as_str()),
        (Some("2026-11-22T00:00:00Z"), Some("2026-11-22T23:59:56Z"))
    );
    let requests: u64 = hub.statuses.values().sum();
    assert_eq!(report["overview"]["requests"].as_u64(), Some(requests));
    // The same at a glance in a report.
    let (thousands, rest) = (requests / 1000, requests % 1000);
    for form in ["html", "markdown"] {
        let program = env!("CARGO_BIN_EXE_why401");
        let report = Command::new(program).args(["--format", form]).arg(&whole).output().unwrap().stdout;
        let report = String::from_utf8(report).unwrap();
        assert!(report.contains(&format!("{thousands},{rest:03} requests, ")), "{form}: {report}");
        assert_eq!(report.contains("Accounts with the most refusals"), form == "html", "{form}");
    }

    // The same day in pieces, compressed and named as rotation names them, found in a folder.
    let rotated = folder.path().join("rotated");
    std::fs::create_dir(&rotated).unwrap();
    let lines: Vec<&str> = hub.log.split_inclusive('\n').collect();
    let thirds: Vec<String> = lines.chunks(lines.len() / 3 + 1).map(<[&str]>::concat).collect();
    for (name, text, program) in [
        ("access.log.2", &thirds[0], "gzip"),
        ("access.log.1", &thirds[1], "bzip2"),
        ("access.log", &thirds[2], ""),
    ] {
        let path = rotated.join(name);
        std::fs::write(&path, text).unwrap();
        if !program.is_empty() {
            assert!(Command::new(program).arg(&path).status().unwrap().success());
        }
    }
    let pieces = diagnose(&[&rotated], &[]);
    check(&hub, &pieces);
    assert_eq!(findings(&pieces), findings(&report));

    // Only what is asked for.
    let alice = diagnose(&[&whole], &["--account", "alice"]);
    assert_eq!(findings(&alice).iter().map(|f| f.3).sum::<u64>(), 825);
    let before = diagnose(&[&whole], &["--until", "2026-11-22T10:00:00Z", "--client", "198.51.100.7"]);
    assert!(findings(&before).is_empty());
}

#[test]
fn an_error_log_beside_a_large_log_tells_of_the_same_refusals() {
    let hub = Hub::day();
    let folder = tempfile::tempdir().unwrap();
    let (access, error) = (folder.path().join("access.log"), folder.path().join("error.log"));
    std::fs::write(&access, &hub.log).unwrap();
    let mut words = String::new();
    for line in hub.log.lines().filter(|l| l.contains(" - alice [") && l.contains("\" 401 ")) {
        let (client, rest) = line.split_once(' ').unwrap();
        let time = rest.split(['[', ']']).nth(1).unwrap().get(12..20).unwrap();
        writeln!(
            words,
            "[Sun Nov 22 {time}.000001 2026] [auth_basic:error] [pid 1:tid 2] [client {client}:50000] AH01617: user alice: \
             authentication failure for \"/a\": Password Mismatch"
        )
        .unwrap();
    }
    assert!(words.lines().count() > 100);
    std::fs::write(&error, words).unwrap();
    let alone = diagnose(&[&access], &[]);
    let both = diagnose(&[&access, &error], &[]);
    let counts = |report: &Value| findings(report).iter().map(|f| f.3).sum::<u64>();
    assert_eq!(counts(&both), counts(&alone), "{:#?}", findings(&both));
    assert!(both["findings"].to_string().contains("AH01617"));
}

/// How many rows of a table have each cause.
fn causes(rows: impl Iterator<Item = Value>) -> BTreeMap<String, u64> {
    let mut causes = BTreeMap::new();
    for row in rows {
        *causes.entry(row["cause"].as_str().unwrap_or("none").to_owned()).or_default() +=
            row["count"].as_u64().unwrap();
    }
    causes
}

#[test]
fn every_refusal_of_a_large_log_is_a_row_with_its_cause() {
    let hub = Hub::day();
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("access.log");
    std::fs::write(&log, &hub.log).unwrap();
    let mut found = BTreeMap::new();
    for (cause, _, _, count) in findings(&diagnose(&[&log], &[])) {
        *found.entry(cause).or_default() += count;
    }
    let program = env!("CARGO_BIN_EXE_why401");
    let (rows, table) = (folder.path().join("rows.ndjson"), folder.path().join("rows.parquet"));
    let out =
        Command::new(program).args(["--format", "ndjson", "--out"]).args([&table, &log]).output().unwrap();
    assert_eq!(out.status.code(), Some(1), "{}", String::from_utf8_lossy(&out.stderr));
    let lines = |bytes: &[u8]| -> Vec<Value> {
        bytes
            .split(|b| *b == b'\n')
            .filter(|l| !l.is_empty())
            .map(|l| serde_json::from_slice(l).unwrap())
            .collect()
    };
    let told = lines(&out.stdout);
    assert_eq!(causes(told.iter().cloned()), found);
    let text: Vec<&str> = hub.log.lines().collect();
    for row in &told {
        let line = text[usize::try_from(row["line"].as_u64().unwrap()).unwrap() - 1];
        assert!(line.starts_with(row["client"].as_str().unwrap()), "{line} {row}");
        assert!(
            line.contains(&format!(" {} ", row["status"])) && line.contains(row["target"].as_str().unwrap()),
            "{line} {row}"
        );
    }
    let head = std::fs::read(&table).unwrap();
    assert!(head.starts_with(b"PAR1") && head.ends_with(b"PAR1"));

    // The same from a pipe, which is read once only, and beside the diagnosis.
    let out = Command::new(program).arg("--out").args([&rows, &log]).output().unwrap();
    assert!(String::from_utf8_lossy(&out.stdout).contains("credentials-changed"));
    assert_eq!(lines(&std::fs::read(&rows).unwrap()), told);
    let out = Command::new(program).args(["--out", "rows.csv"]).arg(&log).output().unwrap();
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&out.stderr).contains("FILE.parquet"));
}

#[test]
fn what_can_be_read_is_read() {
    let hub = Hub::day();
    let folder = tempfile::tempdir().unwrap();
    let half = hub.log.len() / 2;
    let half = half + hub.log[half..].find('\n').unwrap() + 1;
    let (before, after) = hub.log.split_at(half);
    let path = folder.path().join("access.log");
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(before.as_bytes()).unwrap();
    // A hole that rotation left, a line without end, a line that is none, words of the server, another format.
    file.write_all(&vec![0; 3_000_000]).unwrap();
    let noise = format!(
        "{}\n\u{1b}[31mnot a line\n2026/11/22 17:15:13 [error] 1#1: *3 user \"eve\": password mismatch, client: 192.0.2.77, server: x, request: \"GET /eve HTTP/1.1\"\n\
         www.example.com:443 192.0.2.99 - carol [22/Nov/2026:17:14:41 +0000] \"GET /\\x22 HTTP/1.1\" 200 1\n",
        "x".repeat(3_000_000)
    );
    file.write_all(format!("{}{noise}", &after[..after.find('\n').unwrap() + 1]).as_bytes()).unwrap();
    file.write_all(&after.as_bytes()[after.find('\n').unwrap() + 1..]).unwrap();
    drop(file);
    let report = diagnose(&[&path], &[]);
    let source = &report["sources"][0];
    assert_eq!(
        source["exchanges"].as_u64(),
        Some(hub.statuses.values().sum::<u64>() + 1),
        "{}",
        source["problems"]
    );
    assert_eq!(source["statuses"]["401"].as_u64(), Some(hub.of(401)));
    assert!(
        source["problems"]
            .as_array()
            .unwrap()
            .iter()
            .any(|p| p["what"].as_str().unwrap().contains("not a line"))
    );
    assert!(!report.to_string().contains("\\u001b"));

    // A gzip that was cut off.
    assert!(Command::new("gzip").arg(&path).status().unwrap().success());
    let gz = folder.path().join("access.log.gz");
    let bytes = std::fs::read(&gz).unwrap();
    std::fs::write(&gz, &bytes[..bytes.len() * 2 / 3]).unwrap();
    let report = diagnose(&[&gz], &[]);
    let source = &report["sources"][0];
    assert!(source["exchanges"].as_u64().unwrap() > 10_000);
    assert!(source["problems"].to_string().contains("cut off"), "{}", source["problems"]);
}

/// Cause, certainty, account, client, count, first and last of every finding.
fn told(report: &Value) -> Vec<String> {
    let all = report["findings"].as_array().unwrap().iter();
    let of = |f: &Value| {
        ["cause", "certainty", "account", "client", "count", "first", "last"]
            .map(|k| f[k].to_string())
            .join(" ")
    };
    let mut all: Vec<String> = all.map(of).collect();
    all.sort();
    all
}

#[test]
fn how_large_a_log_is_changes_no_finding() {
    let mut guessed = String::new();
    let mut methods = String::new();
    let mut addresses = String::new();
    let mut gate = String::new();
    for i in 0..4000u32 {
        let at = format!("22/Nov/2026:{:02}:{:02}:{:02} +0000", i / 360, i / 6 % 60, i % 6 * 10);
        let (user, status) = match i % 10 {
            0 => (format!("name{i}"), 401),
            _ => (format!("user{}", i % 13), 200),
        };
        let client = if i % 10 == 0 { 99 } else { i % 13 };
        writeln!(
            guessed,
            "192.0.2.{client} - {user} [{at}] \"GET /v1/orders HTTP/1.1\" {status} 1 \"-\" \"curl/8.5.0\""
        )
        .unwrap();
        let (method, path, status) = match i % 8 {
            0 => ("GET", "/v1/submit", 401),
            2 => ("POST", "/v1/orders", 200),
            _ => ("POST", "/v1/submit", 200),
        };
        writeln!(
            methods,
            "192.0.2.{0} - user{0} [{at}] \"{method} {path} HTTP/1.1\" {status} 1 \"-\" \"curl/8.5.0\"",
            i % 5
        )
        .unwrap();
        // One of them writes an address in capital letters; the right ones are in the midst of what it asks for.
        let (path, status) = match i % 8 {
            0 if i % 5 == 2 => ("/V1/Submit", 401),
            2..5 if (100..3900).contains(&i) => ("/v1/submit", 200),
            _ => ("/v1/orders", 200),
        };
        writeln!(
            addresses,
            "192.0.2.{0} - user{0} [{at}] \"POST {path} HTTP/1.1\" {status} 1 \"-\" \"curl/8.5.0\"",
            i % 5
        )
        .unwrap();
        let (cause, status) = match i % 20 {
            3 => ("wrong-method", 405),
            7 => ("wrong-address", 404),
            11 => ("rate-limited", 429),
            13 => ("wrong-password", 401),
            _ => ("", 200),
        };
        let named = if cause.is_empty() { String::new() } else { format!("\"cause\":\"{cause}\",") };
        let (h, m, s, who) = (i / 360, i / 6 % 60, i % 6 * 10, i % 3);
        writeln!(
            gate,
            "{{\"time\":\"2026-11-22T{h:02}:{m:02}:{s:02}Z\",\"logger\":\"why401\",{named}\"remote_addr\":\"192.0.2.{who}\",\"remote_user\":\"user{who}\",\"request_method\":\"POST\",\"request_uri\":\"/submit\",\"server_protocol\":\"HTTP/1.1\",\"status\":{status},\"http_referer\": \"-\" }}",
        )
        .unwrap();
    }
    let hub = Hub::day_of(40);
    let folder = tempfile::tempdir().unwrap();
    for (name, log) in [
        ("hub", &hub.log),
        ("guessed", &guessed),
        ("methods", &methods),
        ("addresses", &addresses),
        ("gate", &gate),
    ] {
        assert!(log.len() < 1024 * 1024, "{name}: {}", log.len());
        let small = folder.path().join(name);
        std::fs::write(&small, log).unwrap();
        // The same requests with a longer field that decides nothing.
        let referrer = format!(" \"https://hub.example.com/{}\" ", "x".repeat(300));
        let large = folder.path().join(format!("{name}.large"));
        std::fs::write(&large, log.replace(" \"-\" ", &referrer)).unwrap();
        assert!(std::fs::metadata(&large).unwrap().len() > 1024 * 1024);
        let (small, large) = (diagnose(&[&small], &[]), diagnose(&[&large], &[]));
        assert!(small["overview"].is_null() && large["overview"].is_object(), "{name}");
        assert!(!told(&small).is_empty());
        assert_eq!(told(&small), told(&large), "{name}");
    }
}

#[test]
fn a_large_log_from_a_pipe_is_read_as_one_from_a_file() {
    let hub = Hub::day();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("access.log");
    std::fs::write(&path, &hub.log).unwrap();
    let piped = |path: &Path| {
        let out = Command::new(env!("CARGO_BIN_EXE_why401"))
            .args(["--format", "json", "-"])
            .stdin(std::fs::File::open(path).unwrap())
            .output()
            .unwrap();
        serde_json::from_slice::<Value>(&out.stdout).unwrap()
    };
    let (file, pipe) = (diagnose(&[&path], &[]), piped(&path));
    assert_eq!(told(&pipe), told(&file));
    assert_eq!(pipe["sources"][0]["bytes"].as_u64(), Some(hub.log.len() as u64));
    assert_eq!(pipe["overview"], file["overview"]);
    assert!(Command::new("gzip").arg(&path).status().unwrap().success());
    let packed = piped(&folder.path().join("access.log.gz"));
    assert_eq!(told(&packed), told(&file));
}

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

/// The logs were written by HAProxy 2.6, lighttpd 1.4.69, Caddy 2.6 and Squid 5.7 of Debian 12 as they log by default: three
/// times without credentials, with alice's, and with a wrong password.
#[test]
fn logs_of_real_servers_are_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/logs");
    for (name, refused, cause) in [
        // It logs no user at all.
        ("haproxy", "401", "credentials-refused"),
        // It logs no user that it refuses.
        ("lighttpd", "401", "no-credentials"),
        ("caddy", "401", "evidence-redacted"),
        ("squid", "407", "proxy-authentication-required"),
    ] {
        let report = diagnose(&[&folder.join(format!("{name}.log"))], &[]);
        let source = &report["sources"][0];
        assert_eq!(
            (&source["statuses"]["200"], &source["statuses"][refused]),
            (&3.into(), &6.into()),
            "{name}"
        );
        assert_eq!(source["problems"].as_array().map(Vec::len), Some(0), "{name}");
        let causes: Vec<String> = findings(&report).into_iter().map(|f| f.0).collect();
        assert!(causes.contains(&cause.to_owned()), "{name}: {causes:?}");
        assert!(!causes.contains(&"empty-credentials".to_owned()), "{name}: {causes:?}");
    }
}

#[test]
fn names_that_imitate_lines_stay_names() {
    let mut log = String::new();
    for i in 0..60_000u32 {
        let user = if i % 100 == 0 {
            r#"x [22/Nov/2026:00:00:00 +0000] \"GET / HTTP/1.1\" 200 1"#.to_owned()
        } else {
            format!("user{}", i % 7)
        };
        let status = if i % 100 == 0 { 401 } else { 200 };
        writeln!(
            log,
            "192.0.2.1 - {user} [22/Nov/2026:{:02}:{:02}:00 +0000] \"GET /a%0a{} HTTP/1.1\" {status} 1 \"-\" \"curl/8.5.0\"",
            i / 2600,
            i / 44 % 60,
            i % 9
        )
        .unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("access.log");
    std::fs::write(&path, &log).unwrap();
    let report = diagnose(&[&path], &[]);
    assert_eq!(report["sources"][0]["statuses"]["401"].as_u64(), Some(600));
    assert_eq!(findings(&report).iter().map(|f| f.3).sum::<u64>(), 600);
}
