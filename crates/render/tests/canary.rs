//! A secret that the evidence holds is in no output of any kind, wherever a cause may have put it.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use proptest::prelude::*;
use why401_redact::SecretSet;
use why401_render::{Layout, Secrets, Shown, html, json, markdown, text};
use why401_report::*;

/// A diagnosis with the secret in every string, as a careless cause might write it.
fn careless(s: &str) -> Diagnosis {
    let some = |before: &str| Some(format!("{before}{s}"));
    let row = ExchangeRow {
        source: format!("a-{s}.txt"),
        client: some("c"),
        server: some("alice:"),
        method: some(""),
        target: some("/p?token="),
        user: some("u "),
        ..ExchangeRow::default()
    };
    let line = format!("> X-Custom: {s} tail");
    let note = Annotation {
        source: format!("a-{s}.txt"),
        layer: some("stream "),
        start: 3,
        end: 9,
        line: Some(1),
        excerpt: Excerpt::new(line, 2..10, Vec::new()),
        says: format!("decodes to {s}"),
    };
    let finding = |verdict| Finding {
        cause: "wrong-password",
        verdict,
        certainty: Certainty::Certain,
        party: Party::Caller,
        summary: format!("the server refused {s}"),
        count: 2,
        first: None,
        last: None,
        account: some(""),
        client: some("x"),
        server: some("https://alice:"),
        resource: some("/p?q="),
        series: Series::default(),
        sequence: Sequence {
            participants: vec![Participant { role: Role::Client, name: some("") }; 2],
            messages: vec![Message {
                to: 1,
                what: format!("GET /?{s}"),
                carries: vec![s.to_owned()],
                ..Message::default()
            }],
            left_out: 0,
        },
        exchanges: vec![row.clone()],
        evidence: vec![note.clone()],
        fixes: vec![Fix {
            party: Party::Server,
            action: format!("Use {s}"),
            command: Some(format!("curl -H 'X-Custom: {s}' -u alice:{s} https://h/")),
        }],
        also_possible: vec![AlsoPossible { cause: "unknown-user", settle: format!("try {s} again") }],
    };
    Diagnosis {
        overview: None,
        sources: vec![SourceReport {
            name: format!("a-{s}.txt"),
            format: "text".into(),
            problems: vec![Problem { offset: 1, line: None, what: format!("cannot read {s}") }],
            layers: vec![format!("stream {s}")],
            ..SourceReport::default()
        }],
        findings: [Verdict::Fault, Verdict::Attack, Verdict::Info, Verdict::Fault, Verdict::Normal]
            .map(finding)
            .to_vec(),
    }
}

fn outputs(diagnosis: Diagnosis) -> Vec<String> {
    let shown = Shown::new(diagnosis, Secrets::Masked);
    let layout = |width, colour| Layout { width, colour, all: true };
    vec![
        json(&shown, "why401").unwrap(),
        markdown(&shown),
        html(&shown),
        text(&shown, layout(40, false)),
        text(&shown, layout(100, true)),
        text(&shown, Layout::default()),
    ]
}

#[test]
fn long_names_make_no_long_report() {
    let long = |n: usize| format!("user{n}{}", "x".repeat(6000));
    let mut diagnosis = careless("x");
    let all: Vec<Finding> = diagnosis.findings.iter().cycle().take(400).cloned().collect();
    diagnosis.findings = all;
    for (n, finding) in diagnosis.findings.iter_mut().enumerate() {
        finding.account = Some(long(n));
        finding.summary = format!("the server refused {}", long(n));
        let row = ExchangeRow { user: Some(long(n)), target: Some(long(n)), ..ExchangeRow::default() };
        finding.exchanges = vec![row; 20];
    }
    let report = html(&Shown::new(diagnosis, Secrets::Masked));
    assert!(report.len() < 2_000_000 && report.contains("user300x"), "{} bytes", report.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_output_holds_a_secret(secret in "[A-Za-z0-9]{2}[A-Za-z0-9._~-]{6,60}[0-9]") {
        let mut set = SecretSet::default();
        set.field("Authorization", &format!("Bearer {secret}"));
        let mut diagnosis = careless(&secret);
        why401_redact::diagnosis(&mut diagnosis, &set);
        let debug = format!("{diagnosis:?}");
        prop_assert!(!debug.contains(&secret));
        for output in outputs(diagnosis) {
            prop_assert!(!output.contains(&secret), "{output}");
        }
    }

    #[test]
    fn no_page_holds_markup_of_the_evidence(text in "[a-z]{3}<(script|img src=x|/pre)>[a-z`]{0,5}") {
        let shown = Shown::new(careless(&text), Secrets::Masked);
        prop_assert!(!html(&shown).contains(&text));
    }

    #[test]
    fn no_output_holds_what_deceives(text in "\\PC{0,20}[\\x00-\\x1f\u{202e}\u{200b}\u{9b}<>\"'`|\\[*]{1,9}\\PC{0,20}") {
        for (i, output) in outputs(careless(&text)).into_iter().enumerate() {
            let bad = |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{200b}".contains(c);
            let painted = i == 4;
            prop_assert!(painted || !output.chars().any(bad), "{output:?}");
        }
    }
}
