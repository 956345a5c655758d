//! The diagnosis as a page of its own: no script, nothing loaded, every text escaped.

mod charts;
mod diagram;
mod evidence;
mod finding;
mod page;

use crate::Shown;
use crate::text::{nothing_found, party, verdict};
use page::Page;
use why401_report::{Finding, SourceReport, Verdict};

/// The style sheet of the report, for who puts [`html_body`] into a page of their own. In the report itself a browser lays a
/// finding out when it comes near the view (CSS Containment, content-visibility), so that a long report opens sooner; it
/// still finds, reaches by keyboard and copies what stands there, and paper has all of it.
pub const STYLE: &str = include_str!("style.css");

/// So many findings are told in full, so that a report over very many stays small.
const IN_FULL: usize = 25;
/// So many more are told in a line.
const IN_A_LINE: usize = 300;
/// So many problems of the sources are told.
const PROBLEMS: usize = 50;

/// The diagnosis as an HTML document.
pub fn html(shown: &Shown) -> String {
    let title = match shown.findings().first() {
        Some(f) => format!("{}: {}", finding::verdict_word(f.verdict), f.summary.trim_end_matches('.')),
        None => "no refusal found".to_owned(),
    };
    let mut body = Page::default();
    body.tag("<a class=\"skip\" href=\"#findings\">Skip to the findings</a><header><p class=\"brand\"><b>why401</b> report</p></header><main>");
    report(shown, &mut body);
    body.tag("</main>");
    document(&format!("{title} · why401"), &body)
}

/// What stands in the body of [`html`], without the name of the program.
pub fn html_body(shown: &Shown) -> String {
    let mut body = Page::default();
    report(shown, &mut body);
    body.finish()
}

/// Text as a page, its lines kept.
pub fn html_of_text(title: &str, text: &str) -> String {
    let mut body = Page::default();
    body.tag("<header><p class=\"brand\"><b>why401</b></p></header><main><h1 class=\"hidden\">")
        .text(title)
        .tag("</h1><pre class=\"plain\">");
    body.text(text).tag("</pre></main>");
    document(title, &body)
}

/// Text without meaning to HTML, in content and in quoted attributes.
pub(crate) fn escaped(text: &str) -> String {
    let mut page = Page::default();
    page.text(text);
    page.finish()
}

fn document(title: &str, body: &Page) -> String {
    let mut page = Page::default();
    page.tag("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
    page.tag("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">");
    page.tag("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    page.tag("<meta name=\"color-scheme\" content=\"light dark\"><meta name=\"referrer\" content=\"no-referrer\"><title>");
    page.text(title).tag("</title><style>").tag(STYLE).tag("</style></head><body>").page(body);
    page.tag("</body></html>\n");
    page.finish()
}

fn report(shown: &Shown, page: &mut Page) {
    let all: Vec<(usize, &Finding)> = (1..).zip(shown.findings()).collect();
    headline(shown, page);
    page.tag("<div id=\"findings\">");
    charts::charts(shown, &all, page);
    if all.len() > 1 {
        contents(&all, page);
    }
    for (number, f) in all.iter().take(IN_FULL) {
        finding::finding(*number, all.len() == 1, f, page);
    }
    page.tag("</div><section class=\"read\" aria-label=\"What was read\">");
    sources(shown.sources(), page);
    page.tag("<p class=\"muted\">Made by why401 ").tag(env!("CARGO_PKG_VERSION"));
    page.tag(". Passwords, tokens and cookies are masked. Times are in UTC.</p></section>");
}

/// The verdict in a sentence and who has to act.
fn headline(shown: &Shown, page: &mut Page) {
    let Some(first) = shown.findings().first() else {
        page.tag("<section class=\"headline info\" aria-label=\"Verdict\"><p class=\"badge\"><span class=\"verdict\">Nothing found</span></p><h1>");
        page.text(&finding::capital(&nothing_found(shown.sources()))).tag("</h1></section>");
        return;
    };
    page.tag("<section class=\"headline ").tag(verdict(first.verdict)).tag("\" aria-label=\"Verdict\">");
    finding::badge(first, page);
    page.tag("<h1>").prose(&finding::summary(first)).tag("</h1>");
    if first.verdict != Verdict::Normal {
        page.tag("<p class=\"acts-line\">Who has to act: <b>").tag(party(first.party)).tag("</b></p>");
        let fix = first.fixes.iter().find(|fix| fix.party == first.party).or(first.fixes.first());
        if let Some(fix) = fix {
            page.tag("<p class=\"lead\">").prose(&fix.action).tag("</p>");
        }
    } else {
        page.tag("<p class=\"acts-line\">Nobody has to act.</p>");
    }
    let others = shown.findings().len().saturating_sub(1);
    if others > 0 {
        page.tag("<p class=\"muted\">").count(others as u64);
        page.tag(if others == 1 { " more finding below." } else { " more findings below." }).tag("</p>");
    }
    page.tag("</section>");
}

/// Every finding in a line, with a link to those that are told in full.
fn contents(all: &[(usize, &Finding)], page: &mut Page) {
    page.tag("<nav class=\"contents\" aria-label=\"Findings\"><h2>Findings</h2><ol>");
    for (number, f) in all.iter().take(IN_FULL + IN_A_LINE) {
        page.tag("<li class=\"").tag(verdict(f.verdict)).tag("\"");
        finding::known_by(f, page);
        page.tag("><span class=\"verdict\">");
        page.tag(finding::sign(f.verdict))
            .tag("<span class=\"hidden\">")
            .tag(finding::verdict_word(f.verdict));
        page.tag(": </span></span>");
        if *number <= IN_FULL {
            page.tag("<a href=\"#finding-").number(*number).tag("\">");
        }
        let summary = diagram::shortened(&finding::summary(f), finding::LONGEST);
        page.prose(&summary).tag(if *number <= IN_FULL { "</a>" } else { "" });
        if f.count > 1 {
            page.tag(" <span class=\"n\">").count(f.count).tag("×</span>");
        }
        page.tag("</li>");
    }
    page.tag("</ol>");
    let rest = all.len().saturating_sub(IN_FULL + IN_A_LINE);
    if rest > 0 {
        let count = all.iter().skip(IN_FULL + IN_A_LINE).map(|(_, f)| f.count).sum();
        page.tag("<p class=\"muted\">").count(rest as u64).tag(" more findings with ").count(count);
        page.tag(" exchanges are in the JSON only.</p>");
    }
    page.tag("</nav>");
}

/// What was read, and what could not be.
fn sources(all: &[SourceReport], page: &mut Page) {
    if all.is_empty() {
        return;
    }
    page.tag("<h2>What was read</h2><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Sources\"><table class=\"rows\"><thead><tr><th scope=\"col\">Source</th><th scope=\"col\">Format</th><th scope=\"col\">Bytes</th><th scope=\"col\">Exchanges</th><th scope=\"col\">Statuses</th></tr></thead><tbody>");
    for s in all {
        page.tag("<tr><td class=\"path\">")
            .text(&s.name)
            .tag("</td><td>")
            .text(&s.format)
            .tag("</td><td>")
            .count(s.bytes);
        page.tag("</td><td>").count(s.exchanges).tag("</td><td>");
        for (i, (status, count)) in s.statuses.iter().enumerate() {
            page.tag(if i > 0 { ", " } else { "" }).number(usize::from(*status)).tag(": ").count(*count);
        }
        page.tag("</td></tr>");
    }
    page.tag("</tbody></table></div>");
    let problems: Vec<_> = all.iter().flat_map(|s| s.problems.iter().map(move |p| (s, p))).collect();
    if problems.is_empty() {
        return;
    }
    page.tag("<h2>Could not be read</h2><ul>");
    for (source, problem) in problems.iter().take(PROBLEMS) {
        page.tag("<li>").text(&source.name);
        match problem.line {
            Some(line) => page.tag(", line ").number(line as usize),
            None => page.tag(", byte ").text(&problem.offset.to_string()),
        };
        page.tag(": ").text(&problem.what).tag("</li>");
    }
    let rest = problems.len().saturating_sub(PROBLEMS);
    if rest > 0 {
        page.tag("<li>").count(rest as u64).tag(" more</li>");
    }
    page.tag("</ul>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_keeps_its_signs() {
        assert_eq!(escaped("<script>'\"&"), "&lt;script&gt;&#39;&quot;&amp;");
        assert!(html_of_text("<t>", "<x>").contains("<pre class=\"plain\">&lt;x&gt;</pre>"));
    }
}
