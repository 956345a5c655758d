//! The text that goes with a bundle: what a service desk asks for first.

use crate::archive::{Entry, LeftOut};
use std::fmt::Write;
use why401_report::{Diagnosis, Finding, Verdict};

/// So many findings are told.
const FINDINGS: usize = 10;

/// The covering text. `programs` are the clients with their versions, as far as the evidence names them.
pub(crate) fn text(d: &Diagnosis, programs: &[String], packed: &[Entry], left_out: &[LeftOut]) -> String {
    let mut out = String::from("Refused requests: what happened, and what is in this bundle\n\n");
    let told: Vec<&Finding> = d.findings.iter().filter(|f| f.verdict != Verdict::Normal).collect();
    if told.is_empty() {
        out.push_str("No fault was found in the evidence.\n");
    }
    for (number, f) in (1..).zip(told.iter().take(FINDINGS)) {
        finding(number, f, &mut out);
    }
    if told.len() > FINDINGS {
        let _ = writeln!(out, "{} more findings are in the report.\n", told.len() - FINDINGS);
    }
    if !programs.is_empty() {
        let _ = writeln!(out, "Clients and servers that name themselves: {}\n", programs.join("; "));
    }
    out.push_str("In this bundle\n");
    for e in packed {
        let _ = writeln!(out, "- {}: {}", e.path, e.what);
        for note in &e.notes {
            let _ = writeln!(out, "    {note}");
        }
    }
    if !left_out.is_empty() {
        out.push_str("\nLeft out, since it could not be redacted with certainty\n");
        for l in left_out {
            let _ = writeln!(out, "- {}: {}", l.name, l.why);
        }
    }
    out.push_str(
        "\nPasswords, tokens and cookies are replaced by others of the same length and kind, the same one always by the \
         same.\nDo not try them: they are made up. Content that is encrypted stayed so; no keys are packed.\n\
         manifest.json holds SHA-256 hashes of the originals and of what was packed.\n",
    );
    out
}

fn finding(number: usize, f: &Finding, out: &mut String) {
    let _ = writeln!(out, "{number}. {}", f.summary);
    let lines = [
        ("Account", f.account.clone()),
        ("Client address", f.client.clone()),
        ("Server", f.server.clone()),
        ("Resource", f.resource.clone()),
        ("Onset", f.first.as_deref().map(zoned)),
        ("Last seen", f.last.as_deref().map(zoned)),
        ("Refusals", Some(f.count.to_string())),
        ("Cause", Some(format!("{} ({})", f.cause, format!("{:?}", f.certainty).to_lowercase()))),
    ];
    for (name, value) in lines {
        if let Some(value) = value {
            let _ = writeln!(out, "   {:<15} {value}", format!("{name}:"));
        }
    }
    for fix in &f.fixes {
        let _ = writeln!(out, "   To do ({}): {}", format!("{:?}", fix.party).to_lowercase(), fix.action);
    }
    out.push('\n');
}

/// `2026-11-22 17:14:03 UTC` of an RFC 3339 time.
fn zoned(time: &str) -> String {
    match time.strip_suffix('Z') {
        Some(time) => format!("{} UTC", time.replacen('T', " ", 1)),
        None => time.to_owned(),
    }
}
