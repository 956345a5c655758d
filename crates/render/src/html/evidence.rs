//! The evidence of a finding: its lines with the bytes marked, and what they say.

use super::page::Page;
use std::ops::Range;
use why401_report::Annotation;

/// So many characters of a line are shown before the first mark and behind the last one.
const AROUND: usize = 240;
/// So many characters of a line are shown at most.
const LONGEST: usize = 1600;

/// Each place once, its lines in order.
pub(crate) fn evidence(all: &[Annotation], page: &mut Page) {
    let mut sorted: Vec<&Annotation> = all.iter().collect();
    let place = |a: &Annotation| (a.source.clone(), a.layer.clone());
    let order: Vec<_> = all.iter().map(place).collect();
    sorted.sort_by_key(|a| (order.iter().position(|p| *p == place(a)), a.start, a.end));
    for of_source in sorted.chunk_by(|a, b| place(a) == place(b)) {
        let Some(first) = of_source.first() else { continue };
        page.tag("<figure class=\"evidence\"><figcaption><span class=\"file\">")
            .text(&first.source)
            .tag("</span>");
        if let Some(layer) = &first.layer {
            page.tag(" <span class=\"muted\">in ").text(layer).tag("</span>");
        }
        page.tag("</figcaption><ol class=\"lines\">");
        for line in of_source.chunk_by(|a, b| same_line(a, b)) {
            one_line(line, page);
        }
        page.tag("</ol></figure>");
    }
}

fn same_line(a: &Annotation, b: &Annotation) -> bool {
    a.line == b.line
        && a.excerpt.redacted() == b.excerpt.redacted()
        && (a.line.is_some() || a.start == b.start)
}

fn one_line(notes: &[&Annotation], page: &mut Page) {
    let Some(first) = notes.first() else { return };
    let text: Vec<char> = first.excerpt.redacted().chars().collect();
    let marks: Vec<Range<usize>> = notes.iter().map(|a| a.excerpt.mark_columns()).collect();
    page.tag("<li><span class=\"at\">");
    match first.line {
        Some(line) => page.tag("line ").number(line as usize),
        None => page.tag("byte ").text(&first.start.to_string()),
    };
    page.tag("</span><code class=\"line\">");
    marked(&text, &marks, page);
    page.tag("</code><ul class=\"says\">");
    for (number, note) in notes.iter().enumerate() {
        page.tag("<li>");
        if notes.len() > 1 {
            page.tag("<span class=\"key\">").number(number + 1).tag("</span> ");
        }
        page.text(&note.says).tag(" <span class=\"muted bytes\">bytes ");
        page.text(&note.start.to_string()).tag("–").text(&note.end.to_string()).tag("</span></li>");
    }
    page.tag("</ul></li>");
}

/// The text with its marks; what is far from any mark is left out.
fn marked(text: &[char], marks: &[Range<usize>], page: &mut Page) {
    let first = marks.iter().map(|m| m.start).min().unwrap_or(0);
    let last = marks.iter().map(|m| m.end).max().unwrap_or(text.len());
    let from = first.saturating_sub(AROUND);
    let to = (last + AROUND).min(text.len()).min(from + LONGEST);
    let mut cuts: Vec<usize> = marks.iter().flat_map(|m| [m.start, m.end]).chain([from, to]).collect();
    cuts.retain(|c| (from..=to).contains(c));
    cuts.sort_unstable();
    cuts.dedup();
    let numbered = marks.len() > 1;
    let empty = |at: usize, page: &mut Page| {
        if marks.iter().any(|m| m.is_empty() && m.start == at) {
            page.tag("<mark class=\"gap\" title=\"here\">‸</mark>");
        }
    };
    if from > 0 {
        page.tag("<span class=\"muted\">…</span>");
    }
    for (start, end) in cuts.iter().zip(cuts.iter().skip(1)) {
        empty(*start, page);
        let piece: String = text.get(*start..*end).unwrap_or_default().iter().collect();
        let here = |m: &Range<usize>| m.start <= *start && *end <= m.end && !m.is_empty();
        if !marks.iter().any(here) {
            page.text(&piece);
            continue;
        }
        page.tag("<mark>").text(&piece).tag("</mark>");
        for (number, _) in marks.iter().enumerate().filter(|(_, m)| numbered && here(m) && m.end == *end) {
            page.tag("<sup class=\"key\">").number(number + 1).tag("</sup>");
        }
    }
    if let Some(last) = cuts.last() {
        empty(*last, page);
    }
    if to < text.len() {
        page.tag("<span class=\"muted\">…</span>");
    }
}

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init, reason = "a list of one range is meant")]
mod tests {
    use super::*;

    fn shown(text: &str, marks: &[Range<usize>]) -> String {
        let mut page = Page::default();
        marked(&text.chars().collect::<Vec<_>>(), marks, &mut page);
        page.finish()
    }

    #[test]
    fn marks_that_overlap_or_are_empty_are_drawn() {
        assert_eq!(shown("a<b>c", &[1..4]), "a<mark>&lt;b&gt;</mark>c");
        let two = shown("abcdef", &[1..4, 2..5]);
        assert_eq!(
            two,
            "a<mark>b</mark><mark>cd</mark><sup class=\"key\">1</sup><mark>e</mark><sup class=\"key\">2</sup>f"
        );
        assert!(shown("ab", &[2..2]).starts_with("ab<mark class=\"gap\""));
        assert_eq!(shown("ab", &[7..9]), "ab");
    }

    #[test]
    fn a_long_line_is_shown_around_its_marks() {
        let line = "x".repeat(100_000);
        let html = shown(&line, &[50_000..50_003]);
        assert!(html.len() < 2000 && html.contains("<mark>xxx</mark>"));
        assert!(shown(&line, &[0..100_000]).len() < 2000);
    }
}
