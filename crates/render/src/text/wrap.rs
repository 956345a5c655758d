//! Text broken into lines by the columns it takes on a terminal.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns of a text.
pub(crate) fn columns(text: &str) -> usize {
    text.width()
}

/// Columns of a character.
pub(crate) fn columns_of(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// Breaks a text between words into lines of at most `width` columns; a word that is longer (an address, to be copied)
/// has a line of its own.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    wrap_after(text, 0, width)
}

/// The same, with `used` columns of the first line taken already.
pub(crate) fn wrap_after(text: &str, used: usize, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut taken = used;
    for word in text.split_whitespace() {
        let wide = columns(word);
        let gap = usize::from(!line.is_empty());
        if taken + gap + wide > width && (gap > 0 || taken > 0) {
            lines.push(std::mem::take(&mut line));
            taken = 0;
        } else if gap > 0 {
            line.push(' ');
            taken += 1;
        }
        line.push_str(word);
        taken += wide;
    }
    lines.push(line);
    lines
}

/// The text cut to so many columns, with `…` in place of what is left out.
pub(crate) fn fit(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut taken = 0;
    for c in text.chars() {
        if taken + columns_of(c) + 1 > width {
            break;
        }
        taken += columns_of(c);
        out.push(c);
    }
    out + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_by_columns() {
        assert_eq!(wrap("aa bb cc", 5), ["aa bb", "cc"]);
        assert_eq!(wrap("日本 日本", 8), ["日本", "日本"]);
        assert_eq!(wrap("https://example.com/long x", 8), ["https://example.com/long", "x"]);
        assert_eq!(wrap_after("aa bb", 4, 6), ["aa", "bb"]);
        assert_eq!(wrap_after("aaa bb", 4, 6), ["", "aaa bb"]);
        assert_eq!(wrap("", 5), [""]);
    }

    #[test]
    fn what_does_not_fit_is_cut() {
        assert_eq!(fit("abcdef", 4), "abc…");
        assert_eq!(fit("日本語", 5), "日本…");
        assert_eq!(fit("abc", 3), "abc");
    }
}
