//! Writes HTML so that what comes from evidence cannot become markup: markup is literal, all else is escaped.

use std::fmt::Write;

/// A document in the making.
#[derive(Default)]
pub(crate) struct Page(String);

impl Page {
    /// Markup. Only what stands in the source of this program can be given here.
    pub(crate) fn tag(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Any text, escaped; also for the inside of quoted attributes.
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            match c {
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '&' => self.0.push_str("&amp;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                c => self.0.push(c),
            }
        }
        self
    }

    /// Our own sentences: what stands between backquotes is code.
    pub(crate) fn prose(&mut self, text: &str) -> &mut Self {
        for (code, part) in crate::doc::inline(text) {
            match code {
                true => self.tag("<code>").text(part).tag("</code>"),
                false => self.dated(part),
            };
        }
        self
    }

    /// A text whose dates are not broken between lines.
    fn dated(&mut self, text: &str) -> &mut Self {
        // Nor is a time parted from its zone.
        let text = text.replace(" UTC", "\u{a0}UTC");
        for word in text.split_inclusive(' ') {
            let bare = word.trim_end();
            let begins = bare.as_bytes().get(..10).is_some_and(|date| {
                date.iter().enumerate().all(|(i, b)| match i {
                    4 | 7 => *b == b'-',
                    _ => b.is_ascii_digit(),
                })
            });
            match begins {
                true => self.tag("<span class=\"n\">").text(bare).tag("</span>"),
                false => self.text(bare),
            };
            self.text(word.get(bare.len()..).unwrap_or_default());
        }
        self
    }

    /// A whole number, in groups of three digits.
    pub(crate) fn count(&mut self, n: u64) -> &mut Self {
        self.text(&grouped(n))
    }

    /// A whole number as it is.
    pub(crate) fn number(&mut self, n: usize) -> &mut Self {
        let _ = write!(self.0, "{n}");
        self
    }

    /// A beginning of a tag with attributes that are lengths, in tenths; the tag stays open.
    pub(crate) fn shape(&mut self, start: &'static str, attributes: &[(&'static str, f64)]) -> &mut Self {
        self.0.push_str(start);
        for (name, value) in attributes {
            let tenths = (value * 10.0).round() / 10.0;
            let _ = write!(self.0, " {name}=\"{tenths}\"");
        }
        self
    }

    /// A time to read and, in the attribute, one for programs.
    pub(crate) fn time(&mut self, time: &str) -> &mut Self {
        self.tag("<time datetime=\"")
            .text(time)
            .tag("\">")
            .text(&crate::text::moment(time))
            .tag(" UTC</time>")
    }

    /// Another page's markup.
    pub(crate) fn page(&mut self, other: &Page) -> &mut Self {
        self.0.push_str(&other.0);
        self
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn finish(self) -> String {
        self.0
    }
}

/// `12 345`, with spaces that break no line.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) && digits.len() > 4 {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_not_broken_between_lines() {
        let mut page = Page::default();
        page.prose("since 2026-11-23 10:00 UTC, <b> 12-34 `a-b`");
        assert_eq!(
            page.finish(),
            "since <span class=\"n\">2026-11-23</span> 10:00\u{a0}UTC, &lt;b&gt; 12-34 <code>a-b</code>"
        );
    }

    #[test]
    fn nothing_of_the_evidence_is_markup() {
        let mut page = Page::default();
        page.tag("<p title=\"").text("\"><script>'&").tag("\">").count(1_234_567).shape("<r", &[("x", 1.26)]);
        assert_eq!(
            page.finish(),
            "<p title=\"&quot;&gt;&lt;script&gt;&#39;&amp;\">1\u{202f}234\u{202f}567<r x=\"1.3\""
        );
    }
}
