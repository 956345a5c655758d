//! A line of evidence ready to be shown.

use std::ops::Range;

/// A line of evidence with the part that matters and the parts that nobody may see.
///
/// Ranges are byte offsets into `text` on character boundaries. `Debug` shows the redacted text.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Excerpt {
    text: String,
    mark: Range<usize>,
    secrets: Vec<Range<usize>>,
}

impl Excerpt {
    /// Makes one; ranges that do not fit are moved to the nearest character boundary.
    pub fn new(text: impl Into<String>, mark: Range<usize>, secrets: Vec<Range<usize>>) -> Self {
        let text = text.into();
        let snap = |r: Range<usize>| {
            let start = floor(&text, r.start);
            start..ceil(&text, r.end).max(start)
        };
        let mark = snap(mark);
        let secrets = secrets.into_iter().map(snap).collect();
        Excerpt { text, mark, secrets }
    }

    /// With these ranges masked too.
    #[must_use]
    pub fn hiding(mut self, secrets: impl IntoIterator<Item = Range<usize>>) -> Self {
        self.hide(secrets);
        self
    }

    /// The bytes that matter, as a range of either text.
    ///
    /// Masking keeps the number of characters, not of bytes, so ask [`Excerpt::mark_columns`] for a layout.
    pub fn mark(&self) -> Range<usize> {
        self.mark.clone()
    }

    /// The part that matters, counted in characters.
    pub fn mark_columns(&self) -> Range<usize> {
        let column = |at: usize| self.text.get(..at).map_or(0, |s| s.chars().count());
        column(self.mark.start)..column(self.mark.end)
    }

    /// The text with each character of a secret shown as `•`.
    pub fn redacted(&self) -> String {
        why401_span::mask(&self.text, |i| self.secrets.iter().any(|r| r.contains(&i)))
    }

    /// The text as it is. Only for who asked by flag to see secrets.
    pub fn unredacted(&self) -> &str {
        &self.text
    }

    /// The ranges that are masked.
    pub fn secrets(&self) -> &[Range<usize>] {
        &self.secrets
    }

    /// Masks these ranges too.
    pub fn hide(&mut self, more: impl IntoIterator<Item = Range<usize>>) {
        let all = more.into_iter().map(|r| floor(&self.text, r.start)..ceil(&self.text, r.end));
        self.secrets.extend(all);
    }
}

impl std::fmt::Debug for Excerpt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Excerpt").field("text", &self.redacted()).field("mark", &self.mark).finish()
    }
}

fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0)
}

fn ceil(text: &str, at: usize) -> usize {
    (at.min(text.len())..=text.len()).find(|i| text.is_char_boundary(*i)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_masked_and_the_mark_stays_in_its_columns() {
        let e = Excerpt::new("Basic QTpC", 6..10, vec![6..10]);
        assert_eq!(e.redacted(), "Basic ••••");
        assert_eq!(e.mark_columns(), 6..10);
        assert!(!format!("{e:?}").contains("QTpC"));
    }

    #[test]
    fn ranges_within_a_character_are_widened() {
        let e = Excerpt::new("pä:ß", 2..3, vec![5..99]);
        assert_eq!(e.mark(), 1..3);
        assert_eq!(e.redacted(), "pä:•");
    }
}
