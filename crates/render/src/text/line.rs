//! One line of evidence: cut to the width around what matters, underlined, and labelled.

use super::wrap::{columns, columns_of, wrap};
use std::ops::Range;

/// Columns kept of the beginning of a cut line, so that the name of a field is seen.
const HEAD: usize = 24;
/// A label under its line has at least so many columns before it is moved to the left.
const LABEL: usize = 36;

/// A range of characters and what to say about it.
pub(crate) struct Mark<'a> {
    pub(crate) at: Range<usize>,
    pub(crate) says: &'a str,
}

/// The line as shown, and the rows under it.
pub(crate) struct Drawn {
    pub(crate) line: String,
    pub(crate) under: Vec<String>,
}

/// Draws a line in at most `width` columns.
pub(crate) fn draw(text: &str, marks: &[Mark<'_>], width: usize) -> Drawn {
    let cut = Cut::new(text, marks, width);
    let mut placed: Vec<(Range<usize>, Vec<&str>)> = Vec::new();
    for mark in marks {
        let at = cut.place(&mark.at);
        match placed.iter_mut().find(|(range, _)| *range == at) {
            Some((_, says)) => says.push(mark.says),
            None => placed.push((at, vec![mark.says])),
        }
    }
    placed.sort_by_key(|(at, _)| (at.start, at.end));
    let labelled: Vec<(Range<usize>, String)> =
        placed.into_iter().map(|(at, says)| (at, says.join("; "))).collect();
    Drawn { line: cut.line, under: rows(&labelled, width) }
}

/// A line with parts left out.
struct Cut {
    line: String,
    /// For each character of the whole text the column it begins at, and the end of the line.
    starts: Vec<usize>,
}

impl Cut {
    fn new(text: &str, marks: &[Mark<'_>], width: usize) -> Self {
        let wide: Vec<usize> = text.chars().map(columns_of).collect();
        let total: usize = wide.iter().sum();
        let kept = if total <= width { vec![0..wide.len()] } else { keep(marks, wide.len(), width) };
        let mut line = String::new();
        let mut starts = Vec::with_capacity(wide.len() + 1);
        let mut column = 0;
        let mut left_out = false;
        let mut kept = kept.into_iter().peekable();
        for (i, (c, columns)) in text.chars().zip(wide).enumerate() {
            while kept.next_if(|r| r.end <= i).is_some() {}
            let stays = kept.peek().is_some_and(|r| r.start <= i) && column + columns <= width;
            if stays {
                starts.push(column);
                line.push(c);
                column += columns;
                left_out = false;
            } else {
                if !left_out && column < width {
                    line.push('…');
                    column += 1;
                }
                starts.push(column.saturating_sub(1));
                left_out = true;
            }
        }
        starts.push(column);
        Cut { line, starts }
    }

    /// The columns of a range of characters, one at least.
    fn place(&self, at: &Range<usize>) -> Range<usize> {
        let column = |i: usize| self.starts.get(i).or(self.starts.last()).copied().unwrap_or(0);
        let start = column(at.start);
        start..column(at.end.max(at.start)).max(start + 1)
    }
}

/// Which characters of a line that is too long are kept: its beginning, and each mark with some of what is around it.
/// A mark that is too long itself keeps its beginning and its end.
fn keep(marks: &[Mark<'_>], length: usize, width: usize) -> Vec<Range<usize>> {
    let head = HEAD.min(width / 3);
    let each = width.saturating_sub(head + 2) / marks.len().max(1);
    let each = each.saturating_sub(2).max(4);
    let mut kept = vec![0..head];
    for Mark { at, .. } in marks {
        let marked = at.end.saturating_sub(at.start);
        if marked > each {
            let tail = each / 4;
            kept.push(at.start..at.start + each - tail);
            kept.push(at.end - tail..at.end);
        } else {
            let around = (each - marked) / 2;
            let start = at.start.saturating_sub(around);
            kept.push(start..(start + each).min(length));
        }
    }
    kept.sort_by_key(|r| r.start);
    // What overlaps is kept once.
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in kept {
        match joined.last_mut() {
            Some(last) if range.start <= last.end + 1 => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    // Columns left over fill the gaps, the last one first.
    let used: usize = joined.iter().map(|r| r.len() + 1).sum();
    let mut spare = width.saturating_sub(used);
    let limits: Vec<usize> = joined.iter().skip(1).map(|r| r.start).chain([length]).collect();
    for (range, limit) in joined.iter_mut().zip(limits).rev() {
        let more = spare.min(limit.saturating_sub(range.end));
        range.end += more;
        spare -= more;
    }
    joined
}

/// The underline and the labels: the rightmost label beside its carets if it fits, the others below, each on the line
/// of its mark.
fn rows(marks: &[(Range<usize>, String)], width: usize) -> Vec<String> {
    let mut underline = Row::default();
    marks.iter().for_each(|(at, _)| underline.put(at.start, &"^".repeat(at.len())));
    let mut rows = Vec::new();
    let mut waiting = marks;
    if let Some(((at, says), before)) = marks.split_last() {
        let clear = before.iter().all(|(other, _)| other.end < at.end);
        if clear && at.end + 1 + columns(says) <= width {
            underline.put(at.end + 1, says);
            waiting = before;
        }
    }
    rows.push(underline.text);
    let mut first = true;
    while let Some(((at, says), before)) = waiting.split_last() {
        let room = width.saturating_sub(at.start);
        let start = if room >= LABEL.min(columns(says)) {
            at.start
        } else {
            width.saturating_sub(LABEL.min(columns(says)))
        };
        let bars = |row: &mut Row| {
            before.iter().filter(|(b, _)| b.start < start).for_each(|(b, _)| row.put(b.start, "|"))
        };
        if first && waiting.len() < marks.len() {
            let mut row = Row::default();
            waiting.iter().for_each(|(b, _)| row.put(b.start, "|"));
            rows.push(row.text);
        }
        first = false;
        for part in wrap(says, width.saturating_sub(start).max(12)) {
            let mut row = Row::default();
            bars(&mut row);
            row.put(start, &part);
            rows.push(row.text);
        }
        waiting = before;
    }
    rows.retain(|r| !r.trim().is_empty());
    rows
}

/// A row that is filled from left to right, or written over where it has carets already.
#[derive(Default)]
struct Row {
    text: String,
}

impl Row {
    fn put(&mut self, column: usize, what: &str) {
        let have = columns(&self.text);
        if have <= column {
            self.text.push_str(&" ".repeat(column - have));
            self.text.push_str(what);
        } else {
            // Overlapping marks: only what goes beyond is added.
            self.text.extend(what.chars().skip(have - column));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(text: &str, marks: &[(Range<usize>, &str)], width: usize) -> String {
        let marks: Vec<Mark<'_>> = marks.iter().map(|(at, says)| Mark { at: at.clone(), says }).collect();
        let d = draw(text, &marks, width);
        format!("{}\n{}", d.line, d.under.join("\n"))
    }

    #[test]
    fn a_label_stands_at_the_caret() {
        assert_eq!(drawn("a: bcd e", &[(3..6, "here")], 40), "a: bcd e\n   ^^^ here");
        assert_eq!(drawn("日本: x", &[(4..5, "here")], 40), "日本: x\n      ^ here");
        assert_eq!(drawn("abc", &[(3..3, "missing")], 40), "abc\n   ^ missing");
    }

    #[test]
    fn several_labels_hang_under_their_marks() {
        assert_eq!(drawn("aaa bbb", &[(0..3, "one"), (4..7, "two")], 40), "aaa bbb\n^^^ ^^^ two\n|\none");
        assert_eq!(drawn("aaa", &[(0..3, "one"), (0..3, "two")], 40), "aaa\n^^^ one; two");
    }

    #[test]
    fn a_label_without_room_goes_below() {
        assert_eq!(
            drawn("0123456789 mark", &[(11..15, "a label of several words")], 30),
            "0123456789 mark\n           ^^^^\n      a label of several words"
        );
    }

    #[test]
    fn a_long_line_is_cut_around_the_mark() {
        let text = format!("Authorization: {} mark {}", "x".repeat(100), "y".repeat(100));
        let shown = drawn(&text, &[(116..120, "here")], 60);
        let mut lines = shown.lines();
        let (line, under) = (lines.next().unwrap(), lines.next().unwrap());
        assert!(line.starts_with("Authorization: ") && line.contains('…') && columns(line) <= 60, "{line}");
        let caret = under.find('^').unwrap();
        assert_eq!(line.chars().skip(caret).take(4).collect::<String>(), "mark");
    }

    #[test]
    fn a_long_mark_keeps_both_ends() {
        let text = format!("Authorization: Bearer S{}E", "•".repeat(900));
        let shown = drawn(&text, &[(22..924, "this token")], 70);
        let line = shown.lines().next().unwrap();
        assert!(line.contains("Bearer S•") && line.ends_with("•E"), "{line}");
        assert!(shown.lines().all(|l| columns(l) <= 70), "{shown}");
    }
}
