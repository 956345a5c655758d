//! What a person sees, kept as files. `UPDATE_GOLDEN=1 cargo test -p why401-render` writes them anew.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use why401_render::{Layout, Secrets, Shown, text};
use why401_report::*;

/// An annotation of the bytes `marked` in a line that begins at `start`; `secret` is hidden.
fn note(
    source: &str,
    line: u32,
    start: u64,
    text: &str,
    marked: &str,
    secret: &str,
    says: &str,
) -> Annotation {
    let at = text.find(marked).unwrap();
    let hidden = text.find(secret).filter(|_| !secret.is_empty()).map(|i| i..i + secret.len());
    Annotation {
        source: source.into(),
        layer: None,
        start: start + at as u64,
        end: start + (at + marked.len()) as u64,
        line: Some(line),
        excerpt: Excerpt::new(text, at..at + marked.len(), hidden.into_iter().collect()),
        says: says.into(),
    }
}

fn finding(cause: &'static str, summary: &str) -> Finding {
    Finding {
        cause,
        verdict: Verdict::Fault,
        certainty: Certainty::Certain,
        party: Party::Caller,
        summary: summary.into(),
        count: 1,
        first: None,
        last: None,
        account: None,
        client: None,
        server: None,
        resource: None,
        series: Series::default(),
        sequence: Sequence::default(),
        exchanges: Vec::new(),
        evidence: Vec::new(),
        fixes: Vec::new(),
        also_possible: Vec::new(),
    }
}

fn redirect() -> Finding {
    let t = "session.txt";
    Finding {
        server: Some("www.example.com".into()),
        account: Some("alice".into()),
        resource: Some("/v2/things".into()),
        evidence: vec![
            note(
                t,
                6,
                300,
                "> Authorization: Basic YWxpY2U6aHVudGVyMg==",
                "Basic YWxpY2U6aHVudGVyMg==",
                "YWxpY2U6aHVudGVyMg==",
                "sent with the first request",
            ),
            note(
                t,
                11,
                420,
                "< Location: https://www.example.com/v2/things",
                "https://www.example.com/v2/things",
                "",
                "redirected to another host",
            ),
            note(t, 14, 520, "> GET /v2/things HTTP/2", "/v2/things", "", "no Authorization field any more"),
        ],
        fixes: vec![
            Fix {
                party: Party::Caller,
                action: "Ask the final address directly, so that no redirect is needed".into(),
                command: Some("curl -u alice https://www.example.com/v2/things".into()),
            },
            Fix { party: Party::Server, action: "Serve both names from one host".into(), command: None },
        ],
        also_possible: vec![AlsoPossible {
            cause: "no-credentials",
            settle: "whether the second request belongs to the same run of the program".into(),
        }],
        ..finding(
            "dropped-on-redirect",
            "api.example.com redirected to www.example.com, and curl did not send alice's credentials there",
        )
    }
}

fn attack(n: u64) -> Finding {
    Finding {
        verdict: Verdict::Attack,
        certainty: Certainty::Likely,
        party: Party::Server,
        count: 1200 / n,
        client: Some(format!("203.0.113.{n}")),
        first: Some(format!("2026-05-0{n}T10:18:50Z")),
        last: Some(format!("2026-05-0{n}T11:00:00.5Z")),
        evidence: vec![note(
            "access.log",
            n as u32,
            0,
            &format!(
                "203.0.113.{n} - admin [15/May/2026:03:18:50 -0700] \"POST /administrator/index.php?option=com_login&view=login&return=aW5kZXgucGhwP29wdGlvbj1jb21fY3BhbmVs HTTP/1.1\" 401 626 \"-\" \"Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36\""
            ),
            "401",
            "",
            "one of many tries",
        )],
        ..finding("password-guessing", "one address tried many names")
    }
}

fn hostile() -> Finding {
    let line = "日本 \u{1b}[31mX-Kéy\u{301}: \u{202e}abc\u{200b}def\tend\r";
    Finding {
        evidence: vec![
            note(
                "a\u{1b}]0;x\u{7}.txt",
                3,
                10,
                line,
                "abc\u{200b}def",
                "",
                "an invisible character\u{202e} in the key",
            ),
            note("a\u{1b}]0;x\u{7}.txt", 3, 10, line, "X-Kéy\u{301}", "", "a name outside ASCII"),
            note("a\u{1b}]0;x\u{7}.txt", 3, 10, line, "\r", "", "a carriage return"),
        ],
        ..finding("stray-characters", "an \u{1b}[2Jinvisible character came along")
    }
}

fn healthy() -> Finding {
    Finding {
        verdict: Verdict::Normal,
        party: Party::Nobody,
        count: 4,
        ..finding(
            "challenge-answered",
            "the 401 was the server asking; the client answered and got in with 200",
        )
    }
}

fn source() -> SourceReport {
    SourceReport {
        name: "session.txt".into(),
        format: "curl".into(),
        exchanges: 12,
        statuses: [(200, 10), (304, 2)].into(),
        problems: vec![Problem { offset: 90, line: Some(4), what: "this line is cut off".into() }],
        ..SourceReport::default()
    }
}

fn check(name: &str, findings: Vec<Finding>, layout: Layout) {
    let diagnosis = Diagnosis { sources: vec![source()], findings, overview: None };
    let got = text(&Shown::new(diagnosis, Secrets::Masked), layout);
    for line in got.lines().filter(|_| !layout.colour) {
        let command = line.trim_start().starts_with("curl ");
        assert!(command || unicode_width::UnicodeWidthStr::width(line) <= layout.width, "too wide: {line}");
    }
    let file = format!("{}/tests/golden/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&file, &got).unwrap();
    }
    let want = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(got, want, "{file} differs:\n{got}");
}

const NARROW: Layout = Layout { width: 80, colour: false, all: false };
const WIDE: Layout = Layout { width: 120, colour: false, all: false };

#[test]
fn one_fault() {
    check("one-80", vec![redirect()], NARROW);
    check("one-120", vec![redirect()], WIDE);
    check("one-colour", vec![redirect()], Layout { colour: true, ..NARROW });
}

#[test]
fn many_findings() {
    let all = || vec![redirect(), attack(1), attack(2), attack(3), attack(4), healthy()];
    check("many-80", all(), NARROW);
    check("many-120-all", all(), Layout { all: true, ..WIDE });
}

#[test]
fn nothing_to_mend() {
    check("healthy-80", vec![healthy()], NARROW);
    check("healthy-120", vec![healthy()], WIDE);
    check("none-80", Vec::new(), NARROW);
}

#[test]
fn hostile_evidence() {
    check("hostile-80", vec![hostile()], NARROW);
}
