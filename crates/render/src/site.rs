//! The catalogue as a static web site: an index and a page for each cause, of the text of `explain`. No script, nothing
//! loaded, every text escaped; it works from a folder.

use crate::Entry;
use crate::doc::{Block, blocks, inline};
use crate::html::escaped;
use crate::text::{party, verdict};
use std::collections::BTreeSet;
use std::fmt::Write;
use why401_report::Verdict;

const STYLE: &str = include_str!("site.css");

/// The site of a catalogue.
#[derive(Debug)]
pub struct Site<'a> {
    entries: &'a [Entry<'a>],
    names: BTreeSet<&'a str>,
}

impl<'a> Site<'a> {
    /// Of causes in the order of the catalogue, those of a group together.
    pub fn new(entries: &'a [Entry<'a>]) -> Site<'a> {
        Site { entries, names: entries.iter().map(|e| e.cause).collect() }
    }

    /// The pages with their file names, the index first.
    pub fn pages(&self) -> Vec<(String, String)> {
        let mut pages = vec![("index.html".to_owned(), self.index())];
        for (i, entry) in self.entries.iter().enumerate() {
            let before = i.checked_sub(1).and_then(|i| self.entries.get(i));
            pages.push((file_of(entry), self.page(entry, before, self.entries.get(i + 1))));
        }
        pages
    }

    fn index(&self) -> String {
        let groups: Vec<&[Entry<'_>]> = self.entries.chunk_by(|a, b| a.group == b.group).collect();
        let mut out = String::from(
            "<header><span class=\"home\">why401</span><h1>Why you got a 401</h1>\
             <p class=\"lead\">Every cause that why401 tells apart: what happened, how it is decided, who acts, and what \
             to do. The same text as <code>why401 explain</code>.</p><nav class=\"groups\">",
        );
        for (i, group) in groups.iter().enumerate() {
            let _ = write!(out, "<a href=\"#g{i}\">{}</a>", escaped(title(group)));
        }
        out.push_str("</nav></header><main>");
        for (i, group) in groups.iter().enumerate() {
            let _ =
                write!(out, "<section id=\"g{i}\"><h2>{}</h2><ul class=\"causes\">", escaped(title(group)));
            for entry in *group {
                let _ = write!(
                    out,
                    "<li><span>{}<a href=\"{}\">{}</a></span><span>",
                    mark(entry),
                    file_of(entry),
                    escaped(entry.cause)
                );
                self.line(entry.title, entry.cause, &mut out);
                // Colour alone tells some readers nothing.
                if entry.verdict != Verdict::Fault {
                    let _ = write!(out, " <span class=\"kind\">{}</span>", verdict(entry.verdict));
                }
                out.push_str("</span></li>");
            }
            out.push_str("</ul></section>");
        }
        out.push_str("</main>");
        document("Why you got a 401: the causes", &out)
    }

    fn page(&self, entry: &Entry<'_>, before: Option<&Entry<'_>>, after: Option<&Entry<'_>>) -> String {
        let mut out = format!(
            "<header><a class=\"home\" href=\"index.html\">why401</a><h1><code>{}</code></h1><p class=\"lead\">",
            escaped(entry.cause)
        );
        self.line(entry.title.trim(), entry.cause, &mut out);
        let group = self.entries.chunk_by(|a, b| a.group == b.group).position(|g| title(g) == entry.group);
        let _ = write!(
            out,
            "</p></header><main><dl class=\"facts\"><dt>Kind</dt><dd>{}{}</dd><dt>Group</dt>\
             <dd><a href=\"index.html#g{}\">{}</a></dd><dt>Who acts</dt><dd>{}</dd></dl>",
            mark(entry),
            verdict(entry.verdict),
            group.unwrap_or(0),
            escaped(entry.group),
            escaped(party(entry.party)),
        );
        // The sentence that it begins with stands at the head already.
        let body: Vec<Block> = blocks(entry.text).into_iter().skip(1).collect();
        self.body(&body, entry.cause, &mut out);
        out.push_str("<nav class=\"turn\">");
        let turn = |e: Option<&Entry<'_>>, before: &str, after: &str| match e {
            Some(e) => format!("<a href=\"{}\">{before}{}{after}</a>", file_of(e), escaped(e.cause)),
            None => "<span></span>".to_owned(),
        };
        out.push_str(&turn(before, "\u{2190} ", ""));
        out.push_str(&turn(after, "", " \u{2192}"));
        out.push_str("</nav></main>");
        document(&format!("{}: why you got a 401", entry.cause), &out)
    }

    fn body(&self, blocks: &[Block], own: &str, out: &mut String) {
        for run in blocks.chunk_by(|a, b| matches!((a, b), (Block::Item(_), Block::Item(_)))) {
            let list = matches!(run.first(), Some(Block::Item(_)));
            out.push_str(if list { "<ul>" } else { "" });
            for block in run {
                match block {
                    Block::Heading(text) => {
                        let _ = write!(out, "<h2>{}</h2>", escaped(text));
                    }
                    Block::Paragraph(text) => {
                        out.push_str("<p>");
                        self.line(text, own, out);
                        out.push_str("</p>");
                    }
                    Block::Item(text) => {
                        out.push_str("<li>");
                        self.line(text, own, out);
                        out.push_str("</li>");
                    }
                    Block::Code(lines) => {
                        let _ = write!(out, "<pre><code>{}</code></pre>", escaped(&lines.join("\n")));
                    }
                }
            }
            out.push_str(if list { "</ul>" } else { "" });
        }
    }

    /// A text with its code marked, and links at the names of other causes and at RFCs.
    fn line(&self, text: &str, own: &str, out: &mut String) {
        for (code, part) in inline(text) {
            if code {
                let _ = write!(out, "<code>{}</code>", escaped(part));
                continue;
            }
            let mut rest = part;
            while let Some((before, link, length)) = self.next_link(rest, own) {
                emphasised(rest.get(..before).unwrap_or_default(), out);
                let shown = rest.get(before..before + length).unwrap_or_default();
                let _ = write!(out, "<a href=\"{link}\">{}</a>", escaped(shown));
                rest = rest.get(before + length..).unwrap_or_default();
            }
            emphasised(rest, out);
        }
    }

    /// Where the next link stands, where it leads, and how long its text is.
    fn next_link(&self, text: &str, own: &str) -> Option<(usize, String, usize)> {
        let mut at = 0;
        for word in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric() && c != '-') {
            let bare = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            // A single word may be just that.
            if bare.contains('-') && bare != own && self.names.contains(bare) {
                return Some((at, format!("{bare}.html"), bare.len()));
            }
            if bare == "RFC"
                && let Some(found) = rfc(text.get(at..).unwrap_or_default())
            {
                return Some((at, found.0, found.1));
            }
            at += word.len();
        }
        None
    }
}

/// Text with what stands between asterisks emphasised: all the other Markdown there is.
fn emphasised(text: &str, out: &mut String) {
    if !text.matches('*').count().is_multiple_of(2) {
        out.push_str(&escaped(text));
        return;
    }
    for (i, piece) in text.split('*').enumerate() {
        if i > 0 {
            out.push_str(if i % 2 == 1 { "<em>" } else { "</em>" });
        }
        out.push_str(&escaped(piece));
    }
}

/// `RFC 9110 section 11.6.2`: its address and length.
fn rfc(text: &str) -> Option<(String, usize)> {
    let number = leading(text.strip_prefix("RFC ")?, |c| c.is_ascii_digit());
    if number.len() < 3 {
        return None;
    }
    let (mut link, mut length) = (format!("https://www.rfc-editor.org/rfc/rfc{number}"), 4 + number.len());
    if let Some(rest) = text.get(length..).and_then(|r| r.strip_prefix(" section ")) {
        let section = leading(rest, |c| c.is_ascii_digit() || c == '.').trim_end_matches('.');
        if !section.is_empty() {
            let _ = write!(link, "#section-{section}");
            length += " section ".len() + section.len();
        }
    }
    Some((link, length))
}

fn leading(text: &str, is: impl Fn(char) -> bool) -> &str {
    let end = text.find(|c| !is(c)).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

fn title<'a>(group: &[Entry<'a>]) -> &'a str {
    group.first().map_or("", |e| e.group)
}

fn file_of(entry: &Entry<'_>) -> String {
    format!("{}.html", entry.cause)
}

fn mark(entry: &Entry<'_>) -> String {
    format!("<span class=\"mark {}\"></span>", verdict(entry.verdict))
}

fn document(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{}</title><style>{STYLE}</style></head><body>{body}<footer>Made from the catalogue of why401 by \
         <code>cargo xtask site</code>.</footer></body></html>\n",
        escaped(title)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use why401_report::Party;

    fn entry<'a>(cause: &'a str, text: &'a str) -> Entry<'a> {
        let (group, title) = ("A <group>", "It's <so>.");
        Entry { cause, group, verdict: Verdict::Fault, party: Party::Caller, title, text }
    }

    #[test]
    fn causes_and_rfcs_are_links_and_texts_are_escaped() {
        let entries = [
            entry(
                "token-expired",
                "First.\n\n # More\n See clock-skew, `clock-skew`, RFC 9110 section 11.6.2. <b>&",
            ),
            entry("clock-skew", "First.\n\n - one\n - two *leaning*\n\n ```\n a < b\n ```\n"),
        ];
        let pages = Site::new(&entries).pages();
        let page =
            |name: &str| pages.iter().find(|(n, _)| n == name).map(|(_, p)| p.clone()).unwrap_or_default();
        let token = page("token-expired.html");
        assert!(token.contains(
            "<h2>More</h2><p>See <a href=\"clock-skew.html\">clock-skew</a>, <code>clock-skew</code>, \
             <a href=\"https://www.rfc-editor.org/rfc/rfc9110#section-11.6.2\">RFC 9110 section 11.6.2</a>. &lt;b&gt;&amp;</p>"
        ));
        assert!(
            page("clock-skew.html").contains(
                "<ul><li>one</li><li>two <em>leaning</em></li></ul><pre><code>a &lt; b</code></pre>"
            )
        );
        assert!(page("index.html").contains("A &lt;group&gt;</h2>"));
    }
}
