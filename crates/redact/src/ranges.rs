//! Ranges of secrets, collected in any order.

use std::ops::Range;

/// Collects ranges; gives them back sorted and apart.
#[derive(Default)]
pub(crate) struct Ranges(Vec<Range<usize>>);

impl Ranges {
    pub(crate) fn add(&mut self, range: Range<usize>) {
        if range.start < range.end {
            self.0.push(range);
        }
    }

    /// Adds ranges that were counted from `base` on.
    pub(crate) fn add_all(&mut self, base: usize, ranges: impl IntoIterator<Item = Range<usize>>) {
        ranges.into_iter().for_each(|r| self.add(base + r.start..base + r.end));
    }

    pub(crate) fn finish(mut self) -> Vec<Range<usize>> {
        self.0.sort_by_key(|r| r.start);
        self.0.dedup_by(|next, before| {
            let overlaps = next.start <= before.end;
            if overlaps {
                before.end = before.end.max(next.end);
            }
            overlaps
        });
        self.0
    }
}

/// The part of `text` from `at` on; empty where there is none.
pub(crate) fn from(text: &str, at: usize) -> &str {
    text.get(at..).unwrap_or_default()
}

/// The part of `text` in a range; empty where there is none.
pub(crate) fn part(text: &str, range: Range<usize>) -> &str {
    text.get(range).unwrap_or_default()
}

/// Offset of the first character from `at` on of which `stop` says so, else the end.
pub(crate) fn find(text: &str, at: usize, stop: impl Fn(char) -> bool) -> usize {
    from(text, at).find(stop).map_or(text.len(), |i| at + i)
}

/// Offset of the first character from `at` on that is no space or tab.
pub(crate) fn skip_blanks(text: &str, at: usize) -> usize {
    find(text, at, |c| c != ' ' && c != '\t')
}

/// The range without white space at its ends.
pub(crate) fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let inner = part(text, range.clone());
    let start = range.start + (inner.len() - inner.trim_start().len());
    start..start + inner.trim().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_come_sorted_and_apart() {
        let mut r = Ranges::default();
        [5..7, 1..3, 2..4, 9..9, 7..8].into_iter().for_each(|x| r.add(x));
        assert_eq!(r.finish(), [1..4, 5..8]);
    }
}
