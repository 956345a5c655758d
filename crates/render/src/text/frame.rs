//! The evidence of a finding: each source once, its lines in order, what matters underlined.

use super::line::{Drawn, Mark, draw};
use super::paint::Paint;
use super::wrap::{columns, fit};
use why401_report::{Annotation, Verdict};

/// Annotations of one source, in order.
struct Group<'a> {
    source: &'a str,
    layer: Option<&'a str>,
    all: Vec<&'a Annotation>,
}

/// The evidence in lines of at most `width` columns.
pub(crate) fn frames(evidence: &[Annotation], verdict: Verdict, width: usize, paint: Paint) -> Vec<String> {
    let numbers = evidence.iter().filter_map(|a| a.line).max().map_or(1, |n| n.to_string().len());
    let mut out = Vec::new();
    for group in groups(evidence) {
        group.draw(numbers, verdict, width, paint, &mut out);
    }
    if !out.is_empty() {
        out.push(paint.frame(&format!("{} |", " ".repeat(numbers + 1))));
    }
    out
}

fn groups(evidence: &[Annotation]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for a in evidence {
        let layer = a.layer.as_deref();
        match groups.iter_mut().find(|g| g.source == a.source && g.layer == layer) {
            Some(group) => group.all.push(a),
            None => groups.push(Group { source: &a.source, layer, all: vec![a] }),
        }
    }
    groups.iter_mut().for_each(|g| g.all.sort_by_key(|a| (a.start, a.end)));
    groups
}

impl Group<'_> {
    fn draw(&self, numbers: usize, verdict: Verdict, width: usize, paint: Paint, out: &mut Vec<String>) {
        let margin = " ".repeat(numbers + 1);
        let bar = paint.frame(&format!("{margin} |"));
        let room = width.saturating_sub(numbers + 4).max(20);
        let place = fit(&self.place(), width.saturating_sub(numbers + 5).max(20));
        out.push(format!("{}{}", paint.frame(&format!("{margin}--> ")), place));
        out.push(bar.clone());
        let mut before: Option<Option<u32>> = None;
        for same in self.all.chunk_by(|a, b| one_line(a, b)) {
            let Some(first) = same.first() else { continue };
            let follows = match (before, first.line) {
                (None, _) => true,
                (Some(Some(n)), Some(next)) => next <= n.saturating_add(1),
                _ => false,
            };
            if !follows {
                out.push(paint.frame(&format!("{margin}...")));
            }
            before = Some(first.line);
            let number = first.line.map(|n| n.to_string()).unwrap_or_default();
            let gutter = paint.frame(&format!(" {number:>numbers$} |"));
            let Drawn { line, under } = drawn(same, room);
            out.push(format!("{gutter} {line}").trim_end().to_owned());
            out.extend(under.iter().map(|row| format!("{bar} {}", paint.verdict(verdict, row))));
        }
    }

    fn place(&self) -> String {
        let mut place = self.source.to_owned();
        if let Some(layer) = self.layer {
            place = format!("{place}, {layer}");
        }
        match self.all.first() {
            Some(Annotation { line: Some(line), .. }) => format!("{place}:{line}"),
            Some(Annotation { start, .. }) => format!("{place}, byte {start}"),
            None => place,
        }
    }
}

/// Whether two annotations are about one line.
fn one_line(a: &Annotation, b: &Annotation) -> bool {
    a.line == b.line
        && a.excerpt.redacted() == b.excerpt.redacted()
        && (a.line.is_some() || a.start == b.start)
}

/// Draws the annotations of one line. The text ends before its line break; a mark that is the line break itself, or the
/// white space at the end, stays.
fn drawn(same: &[&Annotation], room: usize) -> Drawn {
    let text = same.first().map(|a| a.excerpt.redacted()).unwrap_or_default();
    let marks: Vec<Mark<'_>> =
        same.iter().map(|a| Mark { at: a.excerpt.mark_columns(), says: &a.says }).collect();
    let end = marks.iter().map(|m| m.at.end).max().unwrap_or(0);
    let length = text.chars().count();
    let bare = text.trim_end_matches(['␍', '␊', ' ']).chars().count();
    let kept: String = text.chars().take(if end > bare { length } else { bare }).collect();
    debug_assert!(columns(&kept) <= columns(&text));
    draw(&kept, &marks, room)
}
