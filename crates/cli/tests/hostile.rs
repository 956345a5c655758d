//! Hostile and broken evidence: a clear message, what can be read is read, status 2 only where nothing could be used.
#![allow(
    clippy::unwrap_used,
    clippy::string_slice,
    clippy::indexing_slicing,
    reason = "in a test a panic is the report"
)]

mod evidence;

use evidence::pipeline::outputs;
use flate2::{Compression, write::GzEncoder};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

const FINE: &str =
    "> GET /a HTTP/1.1\n> Host: h.example.com\n> \n< HTTP/1.1 200 OK\n< Content-Length: 0\n< \n";
const REFUSED: &str = "> GET /a HTTP/1.1\n> Host: h.example.com\n> \n< HTTP/1.1 401 Unauthorized\n\
< WWW-Authenticate: Basic realm=\"x\"\n< Content-Length: 0\n< \n";

/// Does the work for every item, on as many threads as the machine has processors.
fn each<T: Sync>(items: &[T], work: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(2, |n| n.get().min(8));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Relaxed)) {
                    work(item);
                }
            });
        }
    });
}

/// Runs the program with one gigabyte of memory and twenty seconds of a processor (of the clock would count what else
/// the machine does), and holds it to what is promised for any evidence.
fn why401(args: &[&str], stdin: &[u8]) -> Output {
    let mut child = Command::new("sh")
        .args(["-c", "ulimit -v 1048576; ulimit -t 20; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_why401")])
        .args(args)
        .env_remove("RUST_BACKTRACE")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let bytes = stdin.to_vec();
    let writer = std::thread::spawn(move || input.write_all(&bytes));
    let output = child.wait_with_output().unwrap();
    let _ = writer.join();
    let told = String::from_utf8_lossy(&output.stderr);
    let begins = String::from_utf8_lossy(&stdin[..stdin.len().min(60)]).into_owned();
    assert!(output.status.code().is_some_and(|c| c <= 2), "{args:?} {begins:?}: {} {told}", output.status);
    assert!(!told.contains("panicked"), "{args:?} {begins:?}: {told}");
    if output.status.code() == Some(2) {
        assert!(output.stdout.is_empty() && !told.trim().is_empty(), "{args:?} {begins:?}");
    } else {
        assert!(!output.stdout.is_empty(), "{args:?} {begins:?}");
    }
    output
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A folder that goes away.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Folder(tempfile::tempdir().unwrap())
    }
    fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

/// Bytes that look random and are the same each time (xorshift).
fn noise(count: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    };
    (0..count).map(|_| next()).collect()
}

#[test]
fn what_is_no_evidence_is_refused_with_a_message() {
    for (bytes, format) in
        [(vec![], None), (vec![0; 5000], None), (noise(100_000, 7), None), (FINE.into(), Some("nonsense"))]
    {
        let named = format.map(|f| ["--input", f]);
        let args = named.iter().flatten().copied().collect::<Vec<_>>();
        let output = why401(&args, &bytes);
        assert_eq!(output.status.code(), Some(2), "{:?}: {}", bytes.get(..9), out(&output));
        assert!(told(&output).starts_with("standard input: "), "{}", told(&output));
    }
}

#[test]
fn a_format_that_does_not_fit_does_no_harm() {
    let all = evidence::pieces();
    let some = ["curl -v: all", "har: all", "pcap: all", "iis", "combined"];
    let pieces = all.iter().map(|(p, _)| p).filter(|p| some.contains(&p.name.as_str()));
    let mut pairs = Vec::new();
    for (number, piece) in pieces.enumerate() {
        let formats = why401_read::FORMATS.iter().enumerate();
        pairs.extend(formats.filter(|(i, _)| i % 2 == number % 2).map(|(_, f)| (&piece.bytes, f.name)));
    }
    // Where it can be read at all, it is; else the message says as what it was tried.
    each(&pairs, |(bytes, format)| drop(outputs(&bytes[..bytes.len().min(8000)], Some(format))));
    each(&["pcap", "har", "access-log"], |format| {
        let output = why401(&["--input", format], &noise(5000, 3));
        assert_eq!(output.status.code(), Some(2), "{format}: {}", out(&output));
    });
}

#[test]
fn evidence_cut_off_anywhere_is_read_as_far_as_it_goes() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples");
    let mut all: Vec<(String, Vec<u8>)> = Vec::new();
    for entry in std::fs::read_dir(samples).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let mut bytes = std::fs::read(&path).unwrap();
            bytes.truncate(20_000);
            all.push((path.display().to_string(), bytes));
        }
    }
    assert!(!all.is_empty());
    let pieces = evidence::pieces().into_iter().map(|(p, _)| (p.name, p.bytes));
    all.extend(pieces.filter(|(name, _)| name.ends_with(": all")));
    let cuts: Vec<_> = all.iter().flat_map(|(_, bytes)| (0..6).map(move |cut| (bytes, cut))).collect();
    // Sizes that are no multiple of anything.
    each(&cuts, |(bytes, cut)| drop(outputs(&bytes[..bytes.len().min(20_000) * (cut * 37 + 5) / 199], None)));
    each(&all, |(name, bytes)| {
        let cut = outputs(&bytes[..bytes.len() * 9 / 10], None);
        assert!(cut.is_ok(), "{name}: {cut:?}");
    });
}

#[test]
fn evidence_damaged_anywhere_does_no_harm() {
    let mut damaged = Vec::new();
    for (number, (piece, _)) in evidence::pieces().into_iter().enumerate().filter(|(n, _)| n % 5 == 0) {
        let mut bytes = piece.bytes;
        bytes.truncate(8000);
        for (i, b) in noise(8 + number % 3 * 40, number as u64 * 977 + 99).chunks(4).enumerate() {
            let [a, b, c, d] = *b else { continue };
            let at = usize::from_le_bytes([a, b, i as u8, 0, 0, 0, 0, 0]) % bytes.len();
            bytes[at] = if d & 1 == 0 { c } else { bytes[at] ^ (1 << (c & 7)) };
        }
        damaged.push(bytes);
    }
    each(&damaged, |bytes| drop(outputs(bytes, None)));
}

#[test]
fn a_line_of_megabytes() {
    const SIZE: usize = 2 << 20;
    let long = |unit: &str, size: usize| unit.repeat(size / unit.len());
    let entry = |path: &str| {
        format!(
            "{{\"log\":{{\"entries\":[{{\"request\":{{\"url\":\"https://h/{path}\",\"method\":\"GET\",\"headers\":[]}},\"response\":{{\"status\":401,\"headers\":[]}}}}]}}}}"
        )
    };
    let field =
        |name: &str, value: &str| format!("> GET / HTTP/1.1\n> {name}: {value}\n> \n< HTTP/1.1 401 No\n< \n");
    let answer =
        |value: &str| format!("> GET / HTTP/1.1\n> \n< HTTP/1.1 401 No\n< WWW-Authenticate: {value}\n< \n");
    let many = long("> Authorization: Bearer a.b.c\n", SIZE / 16);
    let found = [
        long("x", SIZE) + "\n" + REFUSED,
        field("Authorization", &("Basic ".to_owned() + &long("A", SIZE / 4))),
        entry(&long("a", SIZE / 4)),
        answer(&long("Basic realm=\"x\", ", SIZE / 16)),
        format!("> GET / HTTP/1.1\n{many}> \n< HTTP/1.1 401 No\n< \n"),
    ];
    each(&found, |evidence| {
        let output = why401(&["--format", "json"], evidence.as_bytes());
        assert_eq!(output.status.code(), Some(1), "{:?}: {}", &evidence[..60], told(&output));
    });
    let units = [
        "Authorization: Basic ",
        "{\"a\":",
        "<b>",
        "401 Unauthorized ",
        "\\",
        "\"",
        "a=b&",
        "%41",
        "password ",
    ];
    each(&units, |unit| drop(why401(&["--format", "json"], long(unit, SIZE / 8).as_bytes())));
}

#[test]
fn json_nested_a_hundred_thousand_levels_deep() {
    let mut all = Vec::new();
    for (open, close) in [
        ("[", "]"),
        ("{\"a\":", "}"),
        ("{\"log\":{\"entries\":[", "]}}"),
        ("{\"request\":{\"headers\":[", "]}}"),
    ] {
        let nested = open.repeat(100_000) + "1" + &close.repeat(100_000);
        let body = format!("HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\n\r\n{nested}");
        let deep = format!(
            "{{\"log\":{{\"entries\":[{{\"request\":{{\"url\":\"https://h/\",\"method\":\"GET\",\"headers\":[{nested}"
        );
        let unclosed = open.repeat(100_000);
        all.extend([(unclosed, "har"), (nested.clone(), "json-log"), (body, "http"), (deep, "har")]);
    }
    // The stack of these threads is smaller than that of the program.
    each(&all, |(evidence, format)| {
        drop((outputs(evidence.as_bytes(), Some(format)), outputs(&evidence.as_bytes()[..50_000], None)))
    });
    let token = evidence::encode::base64url("{\"a\":".repeat(100_000).as_bytes());
    let decoded =
        why401(&["decode", "--format", "json"], format!("Authorization: Bearer e30.{token}.x").as_bytes());
    assert!(out(&decoded).contains("bearer"));
}

#[test]
fn utf_16_is_read() {
    let units = |text: &str, big: bool| -> Vec<u8> {
        text.encode_utf16().flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
    };
    for (mark, big) in [(true, false), (true, true), (false, false), (false, true)] {
        let text = if mark { format!("\u{feff}{REFUSED}") } else { REFUSED.to_owned() };
        let mut bytes = units(&text, big);
        assert_eq!(why401(&[], &bytes).status.code(), Some(1), "mark {mark}, big-endian {big}");
        bytes.truncate(bytes.len() - 41);
        why401(&[], &bytes);
    }
}

#[test]
fn a_bomb_does_not_go_off() {
    let gzip = |bytes: &[u8]| {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(bytes).unwrap();
        gzip.finish().unwrap()
    };
    // Members in a row are one file.
    let bomb = [gzip(FINE.as_bytes()), gzip(&[b'0'; 1 << 20]).repeat(150)].concat();
    let output = why401(&["--format", "json"], &bomb);
    assert!(out(&output).contains("times its size"), "{}", out(&output));
    // A bomb inside of a bomb, and one in the body of an answer.
    why401(&[], &gzip(&bomb));
    let mut answer =
        b"GET / HTTP/1.1\r\nHost: h\r\n\r\nHTTP/1.1 401 Unauthorized\r\nContent-Encoding: gzip\r\n\r\n"
            .to_vec();
    answer.extend(&bomb);
    why401(&[], &answer);
}

#[test]
fn what_deceives_a_terminal_or_a_page_is_escaped() {
    let evil = "\u{1b}[31mred\u{1b}]0;title\u{7}\u{9b}2J\u{202e}rtl\u{2066}iso\u{200f}\u{8}\u{0}\u{7f}<script>alert(1)</script><img src=x onerror=y>&quot;'\"`|[a](javascript:x)";
    let quoted = evil.replace('\\', "\\\\").replace('"', "\\\"");
    let user = evidence::encode::base64(format!("{evil}:x").as_bytes());
    let cases = [
        format!("> GET /{evil} HTTP/1.1\n> Host: {evil}\n> User-Agent: {evil}\n> Authorization: {evil} {evil}\n> \n< HTTP/1.1 401 {evil}\n< Server: {evil}\n< WWW-Authenticate: Basic realm=\"{evil}\"\n< X-{evil}: {evil}\n< \n{evil}\n"),
        format!("> GET /a HTTP/1.1\n> Host: h\n> Authorization: Basic {user}\n> \n< HTTP/1.1 401 No\n< WWW-Authenticate: Basic realm=\"x\"\n< \n"),
        format!("{{\"log\":{{\"creator\":{{\"name\":\"{quoted}\"}},\"entries\":[{{\"request\":{{\"url\":\"https://h/{quoted}\",\"method\":\"{quoted}\",\"headers\":[{{\"name\":\"Authorization\",\"value\":\"Bearer {quoted}\"}}]}},\"response\":{{\"status\":401,\"headers\":[{{\"name\":\"WWW-Authenticate\",\"value\":\"{quoted}\"}}],\"content\":{{\"text\":\"{quoted}\"}}}}}}]}}}}"),
        format!("192.0.2.7 - {} [22/Nov/2026:17:14:01 +0000] \"GET /{evil} HTTP/1.1\" 401 12 \"{evil}\" \"{evil}\"\n", evil.replace(' ', "")).repeat(5),
        format!("[Sun Nov 22 17:00:00.000000 2026] [auth_basic:error] [pid 1] [client 192.0.2.7:5] AH01617: user {evil}: authentication failure for \"/{evil}\": Password Mismatch\n"),
        format!("2026/11/22 17:00:00 [error] 12#12: *3 user \"{evil}\": password mismatch, client: {evil}, server: {evil}, request: \"GET /{evil} HTTP/1.1\", host: \"{evil}\"\n"),
        format!("401 Unauthorized {evil} invalid_token {evil} https://h/{evil}\n"),
    ];
    let folder = Folder::new();
    let numbered: Vec<_> = cases.iter().enumerate().collect();
    each(&numbered, |(number, case)| {
        let name = folder.file(&format!("{number}\u{1b}[31m\u{202e}<script>alert(1)<"), case.as_bytes());
        for form in ["text", "json", "markdown", "html"] {
            let output = why401(&["--all", "--format", form, &name], b"");
            let shown = out(&output) + &told(&output);
            let deceives = |c: char| {
                (c.is_control() && c != '\n')
                    || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            };
            let bad = shown.char_indices().find(|(_, c)| deceives(*c));
            let around: String = bad
                .map(|(i, _)| {
                    shown[..i].chars().rev().take(80).collect::<Vec<_>>().into_iter().rev().collect()
                })
                .unwrap_or_default();
            assert!(bad.is_none(), "{form}: {bad:?} behind {around:?}");
            if form == "html" {
                assert!(!shown.contains("<script>alert") && !shown.contains("<img src=x"), "{shown}");
            }
        }
        assert_ne!(why401(&[&name], b"").status.code(), Some(2));
    });
    for field in
        [format!("Authorization: Basic {user}"), format!("WWW-Authenticate: {evil} realm=\"{evil}\"")]
    {
        for form in ["text", "json", "markdown", "html"] {
            let shown = out(&why401(&["decode", "--format", form], field.as_bytes()));
            assert!(!shown.contains(['\u{1b}', '\u{202e}', '\u{9b}', '\u{7}']), "{form}: {shown:?}");
            assert!(form != "html" || !shown.contains("<script>alert"), "{shown}");
        }
    }
    // What the program complains of is safe, too.
    let complaint = told(&why401(&["/no/\u{1b}[31m\u{202e}such"], b""));
    assert!(!complaint.contains(['\u{1b}', '\u{202e}']), "{complaint:?}");
    // A file's name that looks like an option, as `why401 *` gives it; the value of one.
    for args in [vec!["--\u{1b}[31m\u{202e}\u{9b}"], vec!["--format", "\u{1b}[31m\u{202e}\u{9b}"]] {
        let refused = why401(&args, b"");
        let complaint = told(&refused);
        assert_eq!(refused.status.code(), Some(2));
        assert!(complaint.contains("[31m") && complaint.contains("\n\n"), "{complaint:?}");
        assert!(!complaint.contains(['\u{1b}', '\u{202e}', '\u{9b}']), "{complaint:?}");
    }
}

#[test]
fn what_cannot_be_had_is_named() {
    let folder = Folder::new();
    let fine = folder.file("fine.txt", FINE.as_bytes());
    let binary = folder.file("noise.bin", &noise(9000, 5));
    let empty = folder.file("empty.txt", b"");
    let place = folder.0.path().to_str().unwrap();
    let missing = format!("{place}/missing.har");
    let bare = format!("{place}/bare");
    std::fs::create_dir(&bare).unwrap();
    let mut unusable = vec![(&*bare, "folder"), (&missing, "no such file"), (&empty, "empty"), (&binary, "")];
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let locked = folder.file("locked.txt", FINE.as_bytes());
        std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o000)).unwrap();
        // Root may read anything.
        if std::fs::read(&locked).is_err() {
            unusable.push((Box::leak(locked.into_boxed_str()), "permission denied"));
        }
    }
    for (name, why) in &unusable {
        let output = why401(&[name], b"");
        assert_eq!(output.status.code(), Some(2), "{name}");
        assert!(told(&output).contains(name) && told(&output).contains(why), "{name}: {}", told(&output));
        // Among others it is noted, and the rest is diagnosed.
        let output = why401(&["--format", "json", name, &fine], b"");
        assert_eq!(output.status.code(), Some(0), "{name}: {}", told(&output));
        assert!(out(&output).contains(why), "{name}: {}", out(&output));
    }
    let all: Vec<&str> = unusable.iter().map(|(name, _)| *name).collect();
    let output = why401(&all, b"");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(told(&output).lines().count(), all.len(), "{}", told(&output));
}
