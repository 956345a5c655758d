//! Logs in pieces: whatever the plan, the order and the repetitions, the answer of one machine; bad input.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "in a test a panic is the report"
)]

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The key of the states.
const KEY: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

fn why401(folder: &Path, args: &[&str], input: &[u8]) -> Output {
    with_key(KEY, folder, args, input)
}

/// Without a key where it is empty.
fn with_key(key: &str, folder: &Path, args: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_why401"))
        .args(args)
        .env("WHY401_STATES_KEY", key)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let out = child.wait_with_output().unwrap();
    writer.join().unwrap();
    out
}

/// What a step prints, given on to the next one.
fn step(folder: &Path, args: &[&str], input: &[u8]) -> Vec<u8> {
    let out = why401(folder, &[&["shard"], args].concat(), input);
    assert_eq!(out.status.code(), Some(0), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
    out.stdout
}

fn said(out: &Output) -> String {
    String::from_utf8_lossy(&out.stderr).into_owned()
}

/// A number that is the same in every run.
fn chance(state: &mut u64, of: u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) % of
}

/// Accounts that fare differently, handshakes everywhere, somebody who guesses names.
fn log(lines: u32, day: u32, chances: &mut u64) -> String {
    let mut log = String::new();
    for i in 0..lines {
        let (h, m, s) = (i / 1800 % 24, i / 30 % 60, i % 30 * 2);
        let at = format!("{day:02}/Nov/2026:{h:02}:{m:02}:{s:02} +0000");
        let client = chance(chances, 90);
        let (path, agent) = (chance(chances, 40), client % 7);
        let mut line = |client: u64, user: &str, status: u16| {
            writeln!(
                log,
                "192.0.2.{client} - {user} [{at}] \"POST /v1/orders/{path} HTTP/1.1\" {status} 77 \"-\" \"Importer/{agent}\""
            )
            .unwrap();
        };
        match chance(chances, 20) {
            0..5 => {
                line(client, "-", 401);
                line(client, &format!("user{client}"), 201);
            }
            5 => line(client, &format!("user{client}"), if i > lines / 2 && client < 9 { 401 } else { 200 }),
            6 => line(200, &format!("name{}", chance(chances, 30)), 401),
            7 => line(client, &format!("user{client}"), if chance(chances, 9) == 0 { 503 } else { 200 }),
            8 if i % 50 == 0 => log.push_str("what nobody understands\n"),
            _ => line(client, &format!("user{client}"), 200),
        }
    }
    log
}

/// Three logs, one of them compressed, given in another order than that of time.
fn logs(folder: &Path) -> [&'static str; 3] {
    let mut chances = 5;
    let mut last = log(6000, 24, &mut chances);
    last.truncate(last.len() - 1);
    std::fs::write(folder.join("new.log"), last).unwrap();
    std::fs::write(folder.join("old.log"), with_secrets(&log(9000, 22, &mut chances))).unwrap();
    std::fs::write(folder.join("middle.log"), with_secrets(&log(4000, 23, &mut chances))).unwrap();
    assert!(Command::new("gzip").arg(folder.join("middle.log")).status().unwrap().success());
    ["new.log", "old.log", "middle.log.gz"]
}

fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split_inclusive(|b| *b == b'\n').collect()
}

/// A secret that is told apart from all others, and known by its beginning.
fn secret(i: usize) -> String {
    format!("cAnary{}q{}Zx7wPq3LmN8vKd5T", i % 41, i % 7)
}

/// Secrets where logs have them, in the requests of a log that is otherwise as [`log`] makes it.
fn with_secrets(log: &str) -> String {
    let mut out = String::new();
    for (i, line) in log.lines().enumerate() {
        let secret = secret(i);
        let escaped: String = secret.bytes().map(|b| format!("%{b:02X}")).collect();
        let basic = why401_auth::base64::encode(format!("alice:{secret}").as_bytes());
        let queries = [
            format!("?access_token={secret}"),
            format!("?a=1&api_key={secret}&password=kurz{}", i % 9),
            format!("?sig={secret}&se=2026-11-22"),
            format!("?X-Amz-Date=20261122T000000Z&X-Amz-Signature={secret}"),
            format!("?token={escaped}&b=2"),
            format!("?auth=Basic%20{basic}"),
            format!("/bot123456789:AAE8xq{secret}VmJlqFQPLiuiyLHZMzrH/me"),
            // Where nothing tells that it is one but another line.
            format!("/keys/{secret}"),
            format!("/of-kurz{}", i % 9),
        ];
        let referers = [
            format!("https://alice:{secret}@h.example.com/?token={secret}"),
            format!("https://h.example.com/back?code={secret}&state=7"),
        ];
        let line = match i % 3 {
            _ if line.starts_with("what") => {
                format!("2026/11/22 00:00:00 [error] 7#7: refused, Authorization: Bearer {secret}")
            }
            0 => line.replacen("\"-\" \"Imp", &format!("\"{}\" \"Imp", referers[i % 2]), 1),
            // Cut off: no request.
            1 if i % 500 == 1 => format!("192.0.2.9 - - [22/Nov \"GET /?access_token={secret}"),
            _ => line.replacen(" HTTP/1.1\"", &format!("{} HTTP/1.1\"", queries[i % queries.len()]), 1),
        };
        out.push_str(&line);
        out.push('\n');
    }
    out
}

/// As JSON, with fields of the requests.
fn json_with_secrets(lines: u32) -> String {
    let mut out = String::new();
    for i in 0..lines {
        let secret = secret(i as usize);
        let user = &"alice"[..2 + i as usize % 3];
        let basic = why401_auth::base64::encode(format!("{user}:{secret}").as_bytes());
        let field = match i % 3 {
            0 => format!("\"Authorization\":\"Bearer {secret}\""),
            1 => format!("\"Authorization\":\"Basic {basic}\""),
            _ => format!("\"Cookie\":\"theme=dark; sessionid={secret}\""),
        };
        let (m, s, client) = (i / 60 % 60, i % 60, i % 50);
        let (user, status) = match i % 4 {
            0 => ("-".to_owned(), 401),
            _ => (format!("user{client}"), if client == 7 { 401 } else { 200 }),
        };
        writeln!(
            out,
            "{{\"time\":\"2026-11-24T{:02}:{m:02}:{s:02}Z\",\"remote_addr\":\"192.0.2.{client}\",\"remote_user\":\"{user}\",\"request_method\":\"GET\",\"request_uri\":\"/v1/items/{}?api_key={secret}\",\"status\":{status},\"request_headers\":{{{field}}}}}",
            i / 3600,
            i % 20,
        )
        .unwrap();
    }
    out
}

/// Of a secret, in whatever writing: as it is, percent-encoded, and in base64.
fn finds_secret(bytes: &[u8]) -> Option<String> {
    let spelt = ["cAnary", "%63%41%6E%61", "%63%41%6e%61", "Y0FuYXJ5", "NBbmFye", "jQW5hcn"];
    let at = spelt.iter().find_map(|s| bytes.windows(s.len()).position(|w| w == s.as_bytes()))?;
    let from = &bytes[at.saturating_sub(60)..];
    Some(String::from_utf8_lossy(&from[..from.len().min(160)]).into_owned())
}

#[test]
fn no_secret_reaches_a_state_and_the_report_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("a.log"), with_secrets(&log(3000, 22, &mut 22))).unwrap();
    std::fs::write(folder.join("b.log"), with_secrets(&log(3000, 23, &mut 23))).unwrap();
    std::fs::write(folder.join("c.log"), json_with_secrets(6000)).unwrap();
    let logs = ["a.log", "b.log", "c.log"];
    let whole = |format: &str| why401(folder, &[&["--format", format], &logs[..]].concat(), b"").stdout;
    let clean = |what: &str, bytes: &[u8]| assert_eq!(finds_secret(bytes), None, "{what}");
    let plan = step(folder, &[&["plan", "--split-size", "300K", "--lots", "2"], &logs[..]].concat(), b"");
    let mut states = Vec::new();
    for split in lines(&plan) {
        let fold = why401(folder, &["shard", "fold"], split);
        clean("fold", &fold.stdout);
        clean("words of fold", &fold.stderr);
        states.extend(fold.stdout);
    }
    let merged = why401(folder, &["shard", "merge"], &states);
    clean("merge", &merged.stdout);
    clean("words of merge", &merged.stderr);
    // Nor anything else of a line: what is short and stands where nothing tells that it is a secret, say.
    for word in [&b"kurz"[..], b"orders", b"192.0.2."] {
        for states in [&states, &merged.stdout] {
            assert!(!states.windows(word.len()).any(|w| w == word), "{}", String::from_utf8_lossy(word));
        }
    }
    // Again changes nothing.
    let again = step(folder, &["merge"], &[&merged.stdout[..], &merged.stdout].concat());
    for format in ["json", "text", "markdown", "html"] {
        let whole = whole(format);
        for merged in [&merged.stdout, &again] {
            let report = why401(folder, &["shard", "report", "--format", format], merged);
            clean(format, &report.stdout);
            clean(format, &report.stderr);
            assert!(report.stdout == whole, "{format}: the report differs: {}", said(&report));
        }
    }
    // Who asks for secrets gets them, here as on one machine.
    let shown = why401(folder, &[&["--show-secrets", "--format", "json"], &logs[..]].concat(), b"").stdout;
    let report = why401(folder, &["shard", "report", "--show-secrets", "--format", "json"], &again);
    assert!(report.stdout == shown && finds_secret(&shown).is_some());
}

#[test]
fn states_are_for_who_has_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let logs = logs(folder);
    let whole = why401(folder, &[&["--format", "json"], &logs[..]].concat(), b"").stdout;
    let plan = step(folder, &[&["plan", "--lots", "2"], &logs[..]].concat(), b"");
    let sealed = step(folder, &["fold"], &plan);
    let refused = |key: &str, args: &[&str], input: &[u8], word: &str| {
        let out = with_key(key, folder, &[&["shard"], args].concat(), input);
        assert_eq!(
            (out.status.code(), finds_secret(&out.stdout)),
            (Some(2), None),
            "{args:?}: {}",
            said(&out)
        );
        assert!(said(&out).contains(word), "{args:?}: {}", said(&out));
    };
    for step in [&["fold"][..], &["merge"]] {
        refused("", step, if step == ["fold"] { &plan } else { &sealed }, "there is no key to seal them");
        refused("too short", step, b"", "is shorter than 32 characters");
    }
    refused("", &["report"], &sealed, "is sealed, and there is no key to open it: set WHY401_STATES_KEY");
    let other = KEY.replace('0', "1");
    for step in ["merge", "report"] {
        refused(&other, &[step], &sealed, "standard input, state 1: was sealed with another key");
    }
    // Who wants them as they are says so; nobody needs a key then.
    let open = with_key("", folder, &["shard", "fold", "--show-secrets"], &plan).stdout;
    assert!(finds_secret(&open).is_some() && finds_secret(&sealed).is_none());
    let merged = with_key("", folder, &["shard", "merge", "--show-secrets"], &open).stdout;
    for states in [&open, &merged] {
        let report = with_key("", folder, &["shard", "report", "--format", "json"], states);
        assert!(report.stdout == whole, "{}", said(&report));
    }
    // What was open is sealed by who merges it with a key.
    let merged = step(folder, &["merge"], &open);
    assert!(finds_secret(&merged).is_none());
    assert!(why401(folder, &["shard", "report", "--format", "json"], &merged).stdout == whole);
}

#[test]
fn an_address_of_a_log_is_told_without_its_password() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let split = br#"{"source":0,"number":0,"path":"https://alice:cAnary1q1Zx7wPq3LmN8vKd5T@h.example.com/a.log","start":0,"end":9,"size":9,"codec":"plain","plan":"{\"seed\":7,\"lots\":1}"}"#;
    let fold = why401(folder, &["shard", "fold"], split);
    assert!(said(&fold).contains("h.example.com/a.log, bytes 0 to 9"), "{}", said(&fold));
    let report = why401(folder, &["shard", "report"], &fold.stdout);
    assert!(said(&report).contains("h.example.com/a.log"), "{}", said(&report));
    for bytes in [&fold.stdout, &fold.stderr, &report.stdout, &report.stderr] {
        assert_eq!(finds_secret(bytes), None);
    }
}

#[test]
fn any_plan_and_any_order_give_the_bytes_of_one_machine() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let logs = logs(folder);
    let whole = why401(folder, &[&["--format", "json"], &logs[..]].concat(), b"");
    assert_eq!(whole.status.code(), Some(1), "{}", said(&whole));
    let mut chances = 11;
    for (size, lots, per_task) in [("4M", 1, 9), ("300K", 4, 2), ("70K", 3, 1), ("64K", 16, 5)] {
        let lots = lots.to_string();
        let plan = step(folder, &[&["plan", "--split-size", size, "--lots", &lots], &logs[..]].concat(), b"");
        let mut splits = lines(&plan);
        // Any order.
        for at in (1..splits.len()).rev() {
            splits.swap(at, chance(&mut chances, at as u64 + 1) as usize);
        }
        // The first split of each task comes twice.
        let fold = |task: &[&[u8]]| step(folder, &["fold"], &[task, &task[..1]].concat().concat());
        let mut states: Vec<Vec<u8>> = splits.chunks(per_task).map(fold).collect();
        let again = states.iter().step_by(3).cloned().collect::<Vec<_>>().concat();
        // In pairs, until there is one left.
        while states.len() > 1 {
            let one = states.swap_remove(chance(&mut chances, states.len() as u64) as usize);
            let other = states.swap_remove(chance(&mut chances, states.len() as u64) as usize);
            states.push(step(folder, &["merge"], &[one, other].concat()));
        }
        // And every third task has run twice.
        let states = [step(folder, &["merge"], &[states.concat(), again].concat())];
        // What touches was glued: of three logs nothing is left but one stretch for each lot.
        let merged = states.concat();
        let count = merged.windows(12).filter(|w| *w == b"why401 state").count();
        assert_eq!(count.to_string(), lots, "{size}");
        std::fs::write(folder.join("merged"), merged).unwrap();
        let report = why401(folder, &["shard", "report", "--format", "json", "merged"], b"");
        assert_eq!(report.status.code(), Some(1), "{}", said(&report));
        assert!(report.stdout == whole.stdout, "{size}: the report differs");
    }
}

#[test]
fn options_of_the_plan_hold_for_all() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let logs = logs(folder);
    let options = ["--since", "2026-11-22T02:00:00Z", "--client", "192.0.2.5"];
    let whole = why401(folder, &[&["--format", "json"], &options[..], &logs[..]].concat(), b"");
    let plan = [&["plan", "--arrow", "--split-size", "200K"], &options[..], &logs[..]].concat();
    let states = step(folder, &["fold"], &step(folder, &plan, b""));
    let report = why401(folder, &["shard", "report", "--format", "json"], &states);
    assert!(report.stdout == whole.stdout, "{}", said(&report));
}

#[test]
fn columns_that_a_head_names_are_known_to_all() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut log = "#Software: Microsoft Internet Information Services 10.0\n#Fields: date time c-ip cs-username cs-method cs-uri-stem sc-status sc-substatus sc-win32-status cs(User-Agent)\n".to_owned();
    for i in 0..30_000u32 {
        let (user, status) = if i % 9 == 0 { ("alice", "401 1 2148074252") } else { ("bob", "200 0 0") };
        writeln!(
            log,
            "2026-11-22 {:02}:{:02}:{:02} 192.0.2.{} {user} GET /a/{} {status} Agent",
            i / 3600,
            i / 60 % 60,
            i % 60,
            i % 5,
            i % 3
        )
        .unwrap();
    }
    std::fs::write(folder.join("iis.log"), log).unwrap();
    let whole = why401(folder, &["--format", "json", "iis.log"], b"");
    assert!(String::from_utf8_lossy(&whole.stdout).contains("\"overview\""));
    let plan = step(folder, &["plan", "--split-size", "100K", "iis.log"], b"");
    assert_eq!(lines(&plan).len(), 1, "what depends on its head is not cut");
    let merged = step(folder, &["merge"], &step(folder, &["fold"], &plan));
    let report = why401(folder, &["shard", "report", "--format", "json"], &merged);
    assert!(report.stdout == whole.stdout, "{}", said(&report));
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let logs = logs(folder);
    let out = why401(folder, &["shard", "plan", "--split-size", "300K", logs[0], "absent.log", logs[1]], b"");
    assert_eq!(out.status.code(), Some(1));
    assert!(said(&out).contains("absent.log: no such file"), "{}", said(&out));
    // One log is gone and one is shorter by the time that they are read.
    std::fs::remove_file(folder.join(logs[0])).unwrap();
    let old = std::fs::read(folder.join(logs[1])).unwrap();
    std::fs::write(folder.join(logs[1]), &old[..old.len() - 1000]).unwrap();
    let fold = why401(folder, &["shard", "fold"], &out.stdout);
    assert_eq!(fold.status.code(), Some(1));
    let words = said(&fold);
    for part in [
        "new.log, bytes 0 to ",
        "old.log, bytes ",
        "fewer than when it was planned",
        "absent.log, bytes 0 to 0: ",
    ] {
        assert!(words.contains(part), "{part}: {words}");
    }
    let report = why401(folder, &["shard", "report", "--format", "json"], &fold.stdout);
    assert_eq!(report.status.code(), Some(1), "{}", said(&report));
    let json: serde_json::Value = serde_json::from_slice(&report.stdout).unwrap();
    let sources = json["sources"].as_array().unwrap();
    let told: Vec<(&str, &str, usize)> = sources
        .iter()
        .map(|s| {
            (
                s["name"].as_str().unwrap(),
                s["format"].as_str().unwrap(),
                s["problems"].as_array().unwrap().len(),
            )
        })
        .collect();
    assert_eq!(told[0], ("new.log", "unread", 1));
    assert_eq!(told[1], ("absent.log", "unread", 1));
    assert_eq!((told[2].0, told[2].1), ("old.log", "access-log"));
    assert!(sources[2]["exchanges"].as_u64().unwrap() > 3000);
    assert!(sources[2]["problems"].to_string().contains("fewer than when it was planned"));
}

#[test]
fn a_split_that_nobody_folded_is_missed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let logs = logs(folder);
    let plan = step(folder, &["plan", "--split-size", "300K", logs[1]], b"");
    let mut splits = lines(&plan);
    assert!(splits.len() > 2);
    splits.remove(1);
    let report =
        why401(folder, &["shard", "report", "--format", "json"], &step(folder, &["fold"], &splits.concat()));
    assert!(
        said(&report).contains("old.log: bytes ") && said(&report).contains("was not folded"),
        "{}",
        said(&report)
    );
    let report: serde_json::Value = serde_json::from_slice(&report.stdout).unwrap();
    assert!(report["sources"][0]["problems"].to_string().contains("was not folded"), "{}", report["sources"]);
}

#[test]
fn what_is_no_state_of_this_plan_is_refused_with_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let logs = logs(folder);
    let states = || {
        let plan = step(folder, &["plan", "--lots", "2", logs[0]], b"");
        step(folder, &["fold"], &plan)
    };
    let (one, other) = (states(), states());
    let refused = |input: &[u8], word: &str| {
        for name in ["merge", "report"] {
            let out = why401(folder, &["shard", name], input);
            assert_eq!(out.status.code(), Some(2), "{word}: {}", said(&out));
            assert!(said(&out).contains(word), "{word}: {}", said(&out));
        }
    };
    refused(&[&one[..], &other].concat(), "states of different plans cannot be merged");
    let at = one.windows(12).position(|w| w == b"why401 state").unwrap();
    let mut newer = one.clone();
    newer[at + 12] = 9;
    refused(&newer, "is a state of version 9, and this why401 reads version 4");
    // States of version 1 held lines as they are, those of version 2 other keys.
    newer[at + 12] = 1;
    refused(&newer, "is a state of version 1, and this why401 reads version 4");
    let mut damaged = one.clone();
    damaged[at + 13..at + 40].fill(0xff);
    refused(&damaged, "damaged");
    refused(&one[..one.len() / 2], "");
    refused(b"{\"no\": \"arrow\"}", "");
    for (input, word) in
        [(&b"{}\n"[..], "line 1 is no split"), (b"\xff\xff\xff\xff\xff\xff\xff\x7f", ""), (b"x", "")]
    {
        let out = why401(folder, &["shard", "fold"], input);
        assert_eq!(out.status.code(), Some(2), "{}", said(&out));
        assert!(said(&out).contains(word));
    }
    let nothing = why401(folder, &["shard", "report"], b"");
    assert_eq!((nothing.status.code(), nothing.stdout.len()), (Some(2), 0));
    let lot = step(folder, &["merge"], &one);
    let path: PathBuf = folder.join("merged");
    std::fs::write(&path, lot).unwrap();
    assert_eq!(why401(folder, &["shard", "report", "merged"], b"").status.code(), Some(1));
}
