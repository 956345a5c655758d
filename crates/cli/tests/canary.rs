//! A canary password, token, cookie, signature and claim in every format of evidence, and in no output of any kind.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "in a test a panic is the report"
)]
#![allow(clippy::panic, reason = "in a test a panic is the report")]

mod evidence;

use evidence::{Piece, Planted, encode::forms, pipeline::outputs};
use std::io::Write;
use std::process::{Command, Output, Stdio};

const FORMS: [&str; 5] = ["json", "text", "markdown", "html", "ndjson"];

fn why401(args: &[&str], stdin: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_why401"))
        .args(args)
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
    output
}

/// What of the planted is in the output, in whatever writing.
fn leaks(planted: &Planted, output: &Output) -> Vec<String> {
    let both = [output.stdout.as_slice(), b"\n", output.stderr.as_slice()].concat();
    found(planted, &String::from_utf8_lossy(&both))
}

fn found(planted: &Planted, output: &str) -> Vec<String> {
    // HTML writes some signs as references.
    let plain = output.replace("&#35;", "#").replace("&#43;", "+").replace("&amp;", "&");
    let secrets = planted.all().into_iter().flat_map(forms).chain([planted.basic()]);
    let found = secrets.filter(|form| plain.contains(form.as_str()));
    found
        .map(|form| {
            let line = plain.lines().find(|l| l.contains(form.as_str())).unwrap_or_default();
            let at = line.find(form.as_str()).unwrap_or_default();
            let around: String = line.chars().skip(at.saturating_sub(60)).take(160).collect();
            format!("{form}: …{around}…")
        })
        .collect()
}

#[test]
fn no_output_of_any_kind_holds_what_was_planted() {
    let pieces = evidence::pieces();
    let mut complaints = Vec::new();
    let mut read = 0;
    for (Piece { name, bytes }, planted) in &pieces {
        let outputs = outputs(bytes, None).unwrap_or_else(|e| panic!("{name}: {e}"));
        read += usize::from(!outputs[1].contains("\"findings\":[]"));
        for (form, output) in ["text", "json", "markdown", "html"].iter().zip(&outputs) {
            let mut found = found(planted, output);
            found.truncate(1);
            if !found.is_empty() {
                complaints.push(format!("{name} as {form}: {found:#?}"));
            }
        }
    }
    assert!(
        complaints.is_empty(),
        "{} of {} pieces\n{}",
        complaints.len(),
        pieces.len(),
        complaints.join("\n")
    );
    // What is not understood gives nothing away: that would prove little.
    assert!(read * 10 > pieces.len() * 8, "findings in {read} of {} pieces", pieces.len());
}

#[test]
fn no_form_holds_what_all_the_evidence_together_holds() {
    let folder = tempfile::tempdir().unwrap();
    let pieces = evidence::pieces();
    let mut names = Vec::new();
    for (number, (piece, _)) in pieces.iter().enumerate() {
        let path = folder.path().join(number.to_string());
        std::fs::write(&path, &piece.bytes).unwrap();
        names.push(path.to_str().unwrap().to_owned());
    }
    let outputs = FORMS.map(|form| {
        let args = names.iter().map(String::as_str).chain(["--all", "--format", form]);
        why401(&args.collect::<Vec<_>>(), b"")
    });
    for (form, output) in FORMS.iter().zip(&outputs) {
        assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
        let shown = String::from_utf8_lossy(&output.stdout);
        for (piece, planted) in &pieces {
            for secret in planted.all().into_iter().chain([planted.basic().as_str()]) {
                assert!(!shown.contains(secret), "{} as {form}: {secret}", piece.name);
            }
        }
    }
}

#[test]
fn who_asks_sees_the_credentials_where_they_stand() {
    let basic = [
        "curl -v: basic",
        "trace-ascii: basic",
        "wget -d: basic",
        "http: basic",
        "har: basic",
        "pcap: basic",
        "pcapng: basic",
    ];
    for (piece, planted) in evidence::pieces().iter().filter(|(p, _)| basic.contains(&p.name.as_str())) {
        // A table has no fields to show.
        for form in FORMS.into_iter().filter(|form| *form != "ndjson") {
            let output = why401(&["--show-secrets", "--all", "--format", form], &piece.bytes);
            let shown = String::from_utf8_lossy(&output.stdout);
            assert!(shown.contains(&planted.basic()), "{} as {form}:\n{shown}", piece.name);
        }
    }
}

#[test]
fn decode_takes_apart_and_gives_nothing_away() {
    let p = Planted::new(7);
    let fields = [
        format!("Authorization: Basic {}", p.basic()),
        format!("Authorization: Bearer {}", p.jwt()),
        format!("Authorization: Bearer {}", p.token),
        format!("Authorization: Bearer Bearer {}", p.token),
        format!("Authorization: {}", p.token),
        format!(
            "Authorization: Digest username=\"alice\", realm=\"x\", nonce=\"n\", uri=\"/\", response=\"{}\"",
            p.digest
        ),
        format!(
            "Authorization: AWS4-HMAC-SHA256 Credential=A/20261122/eu/s3/aws4_request, SignedHeaders=host, Signature={}",
            p.signature
        ),
        format!("DPoP: {}", p.jwt()),
        format!("Cookie: sid={}", p.cookie),
        format!("Set-Cookie: sid={}; Path=/", p.cookie),
        format!("X-Api-Key: {}", p.token),
        format!("Proxy-Authorization: Basic {}", p.basic()),
        format!("authorization:bearer {}", p.token),
        p.jwt(),
        p.token.clone(),
        format!("Authorization: Basic alice:{}", p.password),
        format!("Authorization: OAuth oauth_token=\"{}\", oauth_signature=\"{}\"", p.token, p.signature),
    ];
    for field in &fields {
        for form in FORMS {
            let output = why401(&["decode", "--format", form, field], b"");
            let found = leaks(&p, &output);
            assert!(found.is_empty(), "{field} as {form}: {found:#?}");
        }
        let output = why401(&["decode", "--format", "json"], field.as_bytes());
        let found = leaks(&p, &output);
        assert!(found.is_empty(), "{field} on standard input: {found:#?}");
    }
}

/// What a line break cut off a secret, and a field that nobody knows.
#[test]
fn a_part_of_a_secret_and_a_secret_of_unknown_name_are_secrets() {
    let broken = b"> GET /a HTTP/1.1\n> Host: a.example\n> Authorization: Bearer Kz81mQ0Xw4\nTnBv77qs\n>\n< HTTP/1.1 401 Unauthorized\n< WWW-Authenticate: Bearer\n<\n";
    let unknown = b"GET /a HTTP/1.1\nHost: a.example\nX-Partner: TnBv77qsKz81mQ0Xw4\n\nHTTP/1.1 401 Unauthorized\nContent-Length: 0\n\n";
    for evidence in [broken.as_slice(), unknown] {
        for form in FORMS {
            let output = why401(&["--all", "--format", form], evidence);
            let shown = String::from_utf8_lossy(&output.stdout);
            assert!(!shown.contains("TnBv77qs") && !shown.contains("Kz81mQ0Xw4"), "as {form}:\n{shown}");
        }
    }
}
