//! The diagnosis for people on a terminal: verdict, evidence, who acts, what to do, what else it could be.

mod frame;
mod line;
mod overview;
mod paint;
mod table;
mod words;
mod wrap;

use crate::Shown;
use frame::frames;
pub(crate) use overview::{in_numbers, left_out};
pub(crate) use paint::Paint;
use why401_report::{Annotation, Certainty, Finding, Fix, SourceReport, Verdict};
pub(crate) use words::{certainty, moment, nothing_found, party, party_name, verdict, which};
use wrap::wrap_after;
pub(crate) use wrap::{columns, wrap};

/// How to lay out.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// Columns of the terminal; 100 where there is none.
    pub width: usize,
    /// Whether to use colour.
    pub colour: bool,
    /// Whether to show every finding in full.
    pub all: bool,
}

impl Default for Layout {
    fn default() -> Self {
        Layout { width: 100, colour: false, all: false }
    }
}

impl Layout {
    /// The width within sense.
    pub(crate) fn bounded(self) -> usize {
        self.width.clamp(NARROWEST, WIDEST)
    }
}

/// The evidence laid out without colour, for a medium that has no width of its own.
pub(crate) fn frames_plain(evidence: &[Annotation]) -> Vec<String> {
    let rows = frames(evidence, Verdict::Fault, Layout::default().width, Paint { colour: false });
    rows.into_iter().map(|row| row.trim_end().to_owned()).collect()
}

/// So many findings are shown in full, unless all are asked for.
const IN_FULL: usize = 3;
/// So many healthy handshakes are told one by one.
const HEALTHY: usize = 3;
/// So many problems of the sources are told one by one.
const PROBLEMS: usize = 5;
/// Under this width a layout makes no sense.
const NARROWEST: usize = 40;
/// Longer lines are hard to read.
const WIDEST: usize = 140;

/// The diagnosis as text, ending in a line break.
pub fn text(shown: &Shown, layout: Layout) -> String {
    let width = layout.bounded();
    let page = Page { width, paint: Paint { colour: layout.colour }, all: layout.all };
    let (healthy, told): (Vec<&Finding>, Vec<&Finding>) =
        shown.findings().iter().partition(|f| f.verdict == Verdict::Normal);
    let mut out = Vec::new();
    if shown.findings().is_empty() {
        out.extend(page.paragraph("", &words::nothing_found(shown.sources()), 0));
    }
    if let Some(overview) = shown.overview() {
        out.extend(overview::overview(overview, shown.sources(), shown.findings(), width, page.paint));
        out.push(String::new());
    }
    page.told(&told, &mut out);
    page.healthy(&healthy, !told.is_empty(), &mut out);
    page.problems(shown.sources(), &mut out);
    if let Some(first) = told.first() {
        let more = format!("more about a cause: why401 explain {}", first.cause);
        out.extend([String::new(), page.paint.dim(&more)]);
    }
    let mut text = String::new();
    for line in out {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Width and colour.
struct Page {
    width: usize,
    paint: Paint,
    all: bool,
}

impl Page {
    /// Everything but healthy handshakes.
    fn told(&self, findings: &[&Finding], out: &mut Vec<String>) {
        let in_full = if self.all { findings.len() } else { IN_FULL };
        if findings.len() > in_full || findings.len() > IN_FULL {
            out.extend(table::table(findings, self.width, self.paint));
            out.push(String::new());
        }
        for (i, finding) in findings.iter().take(in_full).enumerate() {
            if i > 0 {
                out.push(String::new());
            }
            self.finding(finding, out);
        }
        let rest = findings.len().saturating_sub(in_full);
        if rest > 0 {
            let are = if rest == 1 { "finding is" } else { "findings are" };
            let hint = format!("{rest} more {are} in the table above; --all shows everything in full");
            out.extend([String::new(), self.paint.dim(&hint)]);
        }
    }

    fn healthy(&self, findings: &[&Finding], after_others: bool, out: &mut Vec<String>) {
        let shown = if self.all { findings.len() } else { HEALTHY };
        if after_others && !findings.is_empty() {
            out.push(String::new());
        }
        findings.iter().take(shown).for_each(|f| self.headline(f, out));
        let rest: u64 = findings.iter().skip(shown).map(|f| f.count).sum();
        if rest > 0 {
            out.push(format!("{}: {rest} more, all healthy", self.paint.verdict(Verdict::Normal, "normal")));
        }
    }

    fn finding(&self, f: &Finding, out: &mut Vec<String>) {
        self.headline(f, out);
        out.extend(frames(&f.evidence, f.verdict, self.width, self.paint));
        if let Some(which) = words::which(f) {
            self.section("seen", &which, out);
        }
        if f.verdict != Verdict::Normal && f.verdict != Verdict::Info || !f.fixes.is_empty() {
            self.section("who", words::party(f.party), out);
        }
        for (i, fix) in f.fixes.iter().enumerate() {
            self.fix(f, fix, i == 0, out);
        }
        self.also(f, out);
    }

    /// `fault: what happened [cause] certain`.
    fn headline(&self, f: &Finding, out: &mut Vec<String>) {
        let verdict = words::verdict(f.verdict);
        let indent = columns(verdict) + 2;
        let times = if f.verdict == Verdict::Normal && f.count > 1 {
            format!(" ({} times)", f.count)
        } else {
            String::new()
        };
        let sure = match (f.verdict, f.certainty) {
            // Nobody has to act: the line stays short.
            (Verdict::Normal, Certainty::Certain) => String::new(),
            (_, certainty) => format!(" {}", words::certainty(certainty)),
        };
        let tail = format!("{times} [{}]{sure}", f.cause);
        let whole = format!("{}{tail}", f.summary.trim_end_matches('.'));
        let mut lines = wrap_after(&whole, indent, self.width).into_iter();
        let first = lines.next().unwrap_or_default();
        let bold = |line: &str| match line.rfind(" [") {
            _ if !line.contains(&format!("[{}]", f.cause)) => self.paint.bold(line),
            Some(i) => format!(
                "{}{}",
                self.paint.bold(line.get(..i).unwrap_or_default()),
                line.get(i..).unwrap_or_default()
            ),
            None => line.to_owned(),
        };
        out.push(format!("{}: {}", self.paint.verdict(f.verdict, verdict), bold(&first)));
        out.extend(
            wrap(&lines.collect::<Vec<_>>().join(" "), self.width - indent)
                .into_iter()
                .filter(|l| !l.is_empty())
                .map(|l| format!("{}{}", " ".repeat(indent), bold(&l))),
        );
    }

    fn fix(&self, f: &Finding, fix: &Fix, first: bool, out: &mut Vec<String>) {
        let by =
            if fix.party == f.party { String::new() } else { format!("({}) ", words::party_name(fix.party)) };
        let (bullet, blank) = if f.fixes.len() > 1 { ("- ", "  ") } else { ("", "") };
        let text = format!("{by}{}", fix.action);
        let room = self.width - words::LABEL - bullet.len();
        for (i, line) in wrap(&text, room).into_iter().enumerate() {
            let lead = if i == 0 { bullet } else { blank };
            let label = if first && i == 0 { "do" } else { "" };
            out.push(format!("{}{lead}{line}", self.label(label)));
        }
        if let Some(command) = &fix.command {
            // Never broken: it is there to be copied.
            let indent = " ".repeat(words::LABEL + 2 + bullet.len());
            out.push(format!("{indent}{}", self.paint.command(command)));
        }
    }

    fn also(&self, f: &Finding, out: &mut Vec<String>) {
        let name = f.also_possible.iter().map(|a| columns(a.cause)).max().unwrap_or(0);
        for (i, other) in f.also_possible.iter().enumerate() {
            let label = if i == 0 { "maybe" } else { "" };
            let settle = other.settle.trim_end_matches('.');
            let hang = words::LABEL + name + 2;
            if self.width < hang + 24 {
                self.section(label, &format!("{}: {settle}", other.cause), out);
                continue;
            }
            let lines = wrap(settle, self.width - hang);
            let mut lines = lines.iter();
            let first = lines.next().map(String::as_str).unwrap_or_default();
            out.push(format!("{}{:name$}  {first}", self.label(label), other.cause));
            out.extend(lines.map(|l| format!("{}{l}", " ".repeat(hang))));
        }
    }

    fn problems(&self, sources: &[SourceReport], out: &mut Vec<String>) {
        let all: Vec<_> = sources.iter().flat_map(|s| s.problems.iter().map(move |p| (s, p))).collect();
        if all.is_empty() {
            return;
        }
        let (places, shown) = (all.len(), if self.all { all.len() } else { PROBLEMS });
        let places = if places == 1 { "one place".to_owned() } else { format!("{places} places") };
        out.push(String::new());
        // Of a server that was asked, nothing was to be read.
        let asked = all.iter().all(|(s, _)| s.format == "probe");
        let what = match (asked, all.len()) {
            (true, 1) => "one thing was not done".to_owned(),
            (true, n) => format!("{n} things were not done"),
            (false, _) => format!("{places} could not be read"),
        };
        out.push(format!("{}: {what}", self.paint.bold("note")));
        for (source, problem) in all.iter().take(shown) {
            let at = match (problem.line, source.format.as_str()) {
                (Some(line), _) => format!("{}:{line}", source.name),
                (None, "unread" | "probe") => source.name.clone(),
                (None, _) => format!("{}, byte {}", source.name, problem.offset),
            };
            out.extend(self.paragraph("  ", &format!("{at}: {}", problem.what), 2));
        }
        if all.len() > shown {
            out.push(format!("  and {} more", all.len() - shown));
        }
    }

    /// A label in the margin and text beside it.
    fn section(&self, label: &str, text: &str, out: &mut Vec<String>) {
        let room = self.width - words::LABEL;
        for (i, line) in wrap(text, room).into_iter().enumerate() {
            out.push(format!("{}{line}", self.label(if i == 0 { label } else { "" })));
        }
    }

    fn label(&self, label: &str) -> String {
        let padded = format!("  {label:<width$}", width = words::LABEL - 2);
        if label.is_empty() { padded } else { self.paint.bold(&padded) }
    }

    fn paragraph(&self, first: &str, text: &str, indent: usize) -> Vec<String> {
        let lines = wrap(text, self.width - indent - columns(first));
        let blank = " ".repeat(columns(first) + indent);
        let lead = |i: usize| if i == 0 { first } else { blank.as_str() };
        lines.into_iter().enumerate().map(|(i, l)| format!("{}{l}", lead(i))).collect()
    }
}
