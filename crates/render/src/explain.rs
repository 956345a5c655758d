//! The catalogue of causes: all of them, or one.

use crate::Layout;
use crate::doc::{Block, blocks};
use crate::text::{Paint, columns, verdict, wrap};
use serde::Serialize;
use why401_report::{Party, Verdict};

/// A cause of the catalogue, as `explain` shows it.
#[derive(Debug, Clone, Serialize)]
pub struct Entry<'a> {
    /// Its name.
    pub cause: &'a str,
    /// Title of the group it stands in.
    pub group: &'a str,
    /// What kind of thing it is.
    pub verdict: Verdict,
    /// Who usually acts.
    pub party: Party,
    /// One sentence.
    pub title: &'a str,
    /// All that is to be said about it: Markdown, beginning with the sentence.
    pub text: &'a str,
}

/// What a code says: a status with substatus, an error number, the code of a log line.
#[derive(Debug, Clone, Serialize)]
pub struct CodeMeaning<'a> {
    /// The code.
    pub code: &'a str,
    /// The cause it speaks for.
    pub cause: &'a str,
    /// Whether it proves it.
    pub proves: bool,
    /// Who says it.
    pub product: &'a str,
    /// What the reader should know.
    pub note: Option<&'a str>,
    /// Causes that it leaves open.
    pub also: &'a [String],
    /// Where this is written.
    pub source: &'a str,
}

/// All causes, by group, a line each.
pub fn explain_list(entries: &[Entry<'_>], layout: Layout) -> String {
    let (width, paint) = (layout.bounded(), Paint { colour: layout.colour });
    let name = entries.iter().map(|e| columns(e.cause)).max().unwrap_or(0);
    let mut out = String::new();
    for group in entries.chunk_by(|a, b| a.group == b.group) {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&paint.bold(group.first().map_or("", |e| e.group)));
        out.push('\n');
        for e in group {
            let hang = name + 4;
            let mut lines = wrap(e.title.trim(), width.saturating_sub(hang).max(20)).into_iter();
            let first = lines.next().unwrap_or_default();
            let padded = format!("{:name$}", e.cause);
            out.push_str(&format!("  {}  {first}\n", paint.verdict(e.verdict, &padded)));
            lines.for_each(|l| out.push_str(&format!("{}{l}\n", " ".repeat(hang))));
        }
    }
    out
}

/// One cause with everything that is to be said about it.
pub fn explain_one(entry: &Entry<'_>, layout: Layout) -> String {
    let (width, paint) = (layout.bounded(), Paint { colour: layout.colour });
    let kind = paint.verdict(entry.verdict, verdict(entry.verdict));
    let mut out = format!("{} ({kind})\n", paint.bold(entry.cause));
    let mut before: Option<Block> = None;
    for block in blocks(entry.text) {
        let close = match (&before, &block) {
            (Some(Block::Heading(_)), _) => true,
            (Some(Block::Item(_)), now) => matches!(now, Block::Item(_)),
            _ => false,
        };
        if !close {
            out.push('\n');
        }
        match &block {
            Block::Heading(text) => out.push_str(&paint.bold(text)),
            Block::Paragraph(text) => push_lines(&mut out, "", &wrap(text, width), paint),
            Block::Item(text) => push_lines(&mut out, "- ", &wrap(text, width.saturating_sub(2)), paint),
            Block::Code(lines) => {
                let lines: Vec<String> = lines.iter().map(|l| format!("    {}", paint.command(l))).collect();
                out.push_str(&lines.join("\n"));
            }
        }
        out.push('\n');
        before = Some(block);
    }
    out
}

fn push_lines(out: &mut String, lead: &str, lines: &[String], paint: Paint) {
    for (i, line) in lines.iter().enumerate() {
        if i > 0 {
            out.push('\n');
            out.push_str(&" ".repeat(lead.len()));
        } else {
            out.push_str(lead);
        }
        out.push_str(&paint.code(line));
    }
}

/// What a code means, a paragraph for each who says it.
pub fn explain_code(meanings: &[CodeMeaning<'_>], layout: Layout) -> String {
    let (width, paint) = (layout.bounded(), Paint { colour: layout.colour });
    let mut out = String::new();
    for m in meanings {
        let how = if m.proves { "means" } else { "speaks for" };
        out.push_str(&format!("{} from {} {how} {}\n", paint.bold(m.code), m.product, paint.bold(m.cause)));
        let also = match m.also {
            [] => String::new(),
            open => format!("It leaves open: {}.", open.join(", ")),
        };
        let text = [m.note.unwrap_or_default(), &also].join(" ");
        for line in wrap(text.trim(), width.saturating_sub(2)).iter().filter(|l| !l.is_empty()) {
            out.push_str(&format!("  {line}\n"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: Entry<'static> = Entry {
        cause: "no-credentials",
        group: "Nothing reached the server",
        verdict: Verdict::Fault,
        party: Party::Caller,
        title: " The request carries no credentials.",
        text: " The request carries no credentials.\n\n # What happened\n The server wants some.\n\n # What to do\n Send `-u`:\n\n ```\n curl -u alice https://example.com/\n ```\n",
    };

    #[test]
    fn one_cause_in_sections() {
        let text = explain_one(&ENTRY, Layout { width: 60, ..Layout::default() });
        assert_eq!(
            text,
            "no-credentials (fault)\n\n\
             The request carries no credentials.\n\nWhat happened\nThe server wants some.\n\n\
             What to do\nSend `-u`:\n\n    curl -u alice https://example.com/\n"
        );
    }

    #[test]
    fn all_causes_by_group() {
        let text = explain_list(&[ENTRY], Layout { width: 50, ..Layout::default() });
        assert_eq!(
            text,
            "Nothing reached the server\n  no-credentials  The request carries no\n                  credentials.\n"
        );
    }
}
