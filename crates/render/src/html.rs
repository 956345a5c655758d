//! The diagnosis as a page of its own: no script, nothing loaded, every text escaped.

use crate::Shown;
use crate::text::{certainty, frames_plain, nothing_found, party, verdict, which};
use std::fmt::Write;
use why401_report::{Finding, Verdict};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
pre{overflow-x:auto;padding:.75rem;background:#8881;border-radius:.4rem}\
.attack,.fault{color:#c22}.info{color:#07a}.normal{color:#282}small{opacity:.75}";

/// The diagnosis as an HTML document.
pub fn html(shown: &Shown) -> String {
    let mut body = String::new();
    if shown.findings().is_empty() {
        let _ = write!(body, "<p>{}</p>", escaped(&nothing_found(shown.sources())));
    }
    shown.findings().iter().for_each(|f| finding(f, &mut body));
    let problems: Vec<_> =
        shown.sources().iter().flat_map(|s| s.problems.iter().map(move |p| (s, p))).collect();
    if !problems.is_empty() {
        body.push_str("<h2>Could not be read</h2><ul>");
        for (source, problem) in problems {
            let at = problem.line.map_or(format!("byte {}", problem.offset), |line| format!("line {line}"));
            let _ = write!(body, "<li>{}, {at}: {}</li>", escaped(&source.name), escaped(&problem.what));
        }
        body.push_str("</ul>");
    }
    page("why401", &body)
}

/// Text as a page, its lines kept.
pub fn html_of_text(title: &str, text: &str) -> String {
    page(title, &format!("<pre>{}</pre>", escaped(text)))
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{}</title><style>{STYLE}</style></head>\
         <body>{body}</body></html>\n",
        escaped(title)
    )
}

fn finding(f: &Finding, out: &mut String) {
    let verdict_name = verdict(f.verdict);
    let summary = escaped(f.summary.trim_end_matches('.'));
    let _ = write!(
        out,
        "<section><h2><span class=\"{verdict_name}\">{verdict_name}</span>: {summary}</h2><p><small><code>{}</code>, {}",
        escaped(f.cause),
        certainty(f.certainty)
    );
    if let Some(which) = which(f) {
        let _ = write!(out, ", {}", escaped(&which));
    }
    out.push_str("</small></p>");
    if f.verdict != Verdict::Normal {
        details(f, out);
    }
    out.push_str("</section>");
}

fn details(f: &Finding, out: &mut String) {
    let rows = frames_plain(&f.evidence);
    if !rows.is_empty() {
        let _ = write!(out, "<pre>{}</pre>", escaped(&rows.join("\n")));
    }
    let _ = write!(out, "<p><b>Who acts:</b> {}</p>", escaped(party(f.party)));
    if !f.fixes.is_empty() {
        out.push_str("<p><b>What to do</b></p><ol>");
        for fix in &f.fixes {
            let _ = write!(out, "<li>{}", escaped(&fix.action));
            if let Some(command) = &fix.command {
                let _ = write!(out, "<pre>{}</pre>", escaped(command));
            }
            out.push_str("</li>");
        }
        out.push_str("</ol>");
    }
    if !f.also_possible.is_empty() {
        out.push_str("<p><b>Could also be</b>, and what would settle it</p><ul>");
        for a in &f.also_possible {
            let _ = write!(out, "<li><code>{}</code>: {}</li>", escaped(a.cause), escaped(&a.settle));
        }
        out.push_str("</ul>");
    }
}

/// Text without meaning to HTML, in content and in quoted attributes.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
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
        assert_eq!(escaped("<script>'\"&"), "&lt;script&gt;&#39;&quot;&amp;");
        assert!(html_of_text("<t>", "<x>").contains("<pre>&lt;x&gt;</pre>"));
    }
}
