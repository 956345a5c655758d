//! The diagnosis as Markdown, for an issue or a ticket.

use crate::text::{certainty, nothing_found, party, verdict, which};
use crate::{Shown, text};
use std::fmt::Write;
use why401_report::{Finding, Verdict};

/// So many findings are told in full: an issue takes no more than 65,536 characters.
const IN_FULL: usize = 6;
/// So many more are told in a line.
const IN_A_LINE: usize = 40;

/// The diagnosis as Markdown. What comes from evidence stands in code or has its signs escaped.
pub fn markdown(shown: &Shown) -> String {
    let mut out = String::new();
    if shown.findings().is_empty() {
        let _ = writeln!(out, "{}", escaped(&nothing_found(shown.sources())));
    }
    if let Some(overview) = shown.overview() {
        let _ = writeln!(out, "{}", escaped(&text::in_numbers(overview, shown.sources())));
    }
    for f in shown.findings().iter().take(IN_FULL) {
        finding(f, &mut out);
    }
    further(shown.findings(), &mut out);
    let problems: Vec<_> =
        shown.sources().iter().flat_map(|s| s.problems.iter().map(move |p| (s, p))).collect();
    if !problems.is_empty() {
        let _ = writeln!(out, "\n## Could not be read\n");
    }
    for (source, problem) in problems {
        let at = problem.line.map_or(format!("byte {}", problem.offset), |line| format!("line {line}"));
        let _ = writeln!(out, "- {}, {at}: {}", escaped(&source.name), escaped(&problem.what));
    }
    out.trim_start().to_owned()
}

fn further(all: &[Finding], out: &mut String) {
    if all.len() > IN_FULL {
        let _ = writeln!(out, "\n## Further findings\n");
    }
    for f in all.iter().skip(IN_FULL).take(IN_A_LINE) {
        let times = if f.count > 1 { format!(", {} times", f.count) } else { String::new() };
        let summary = escaped(f.summary.trim_end_matches('.'));
        let _ = writeln!(out, "- {}: {summary} (`{}`{times})", verdict(f.verdict), f.cause);
    }
    let rest = all.len().saturating_sub(IN_FULL + IN_A_LINE);
    if rest > 0 {
        let _ = writeln!(out, "- and {rest} more");
    }
}

fn finding(f: &Finding, out: &mut String) {
    let summary = escaped(f.summary.trim_end_matches('.'));
    let _ = writeln!(out, "\n## {}: {summary}\n", verdict(f.verdict));
    let _ = write!(out, "`{}`, {}", f.cause, certainty(f.certainty));
    if let Some(which) = which(f) {
        let _ = write!(out, ", {}", escaped(&which));
    }
    out.push('\n');
    if f.verdict == Verdict::Normal {
        return;
    }
    let rows = text::frames_plain(&f.evidence);
    if !rows.is_empty() {
        let fence = fence(&rows);
        let _ = writeln!(out, "\n{fence}text\n{}\n{fence}", rows.join("\n"));
    }
    let _ = writeln!(out, "\n**Who acts:** {}", party(f.party));
    if !f.fixes.is_empty() {
        let _ = writeln!(out, "\n**What to do**\n");
    }
    for (i, fix) in f.fixes.iter().enumerate() {
        let _ = writeln!(out, "{}. {}", i + 1, escaped(&fix.action));
        if let Some(command) = &fix.command {
            let fence = fence(std::slice::from_ref(command));
            let _ = writeln!(out, "\n   {fence}sh\n   {command}\n   {fence}");
        }
    }
    if !f.also_possible.is_empty() {
        let _ = writeln!(out, "\n**Could also be**, and what would settle it\n");
    }
    for a in &f.also_possible {
        let _ = writeln!(out, "- `{}`: {}", a.cause, escaped(&a.settle));
    }
}

/// A fence that no line closes (CommonMark section 4.5).
fn fence(lines: &[String]) -> String {
    let runs = lines.iter().flat_map(|l| l.split(|c| c != '`')).map(str::len);
    "`".repeat(runs.max().unwrap_or(0).max(2) + 1)
}

/// Text without meaning to Markdown or HTML (CommonMark section 2.4).
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|' | '~' | '!' | '$' => {
                out.push('\\');
                out.push(c);
            }
            // Neither a mention nor a link where tickets make some of bare text.
            '@' => out.push_str("&#64;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_evidence_is_markup() {
        assert_eq!(
            escaped("<b>*x*</b> [a](b) `c` @d"),
            "&lt;b&gt;\\*x\\*&lt;/b&gt; \\[a\\](b) \\`c\\` &#64;d"
        );
        assert_eq!(fence(&["a ``` b".to_owned()]), "````");
        assert_eq!(fence(&["a".to_owned()]), "```");
    }
}
