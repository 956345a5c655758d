//! Colour, where it was asked for.

use anstyle::{AnsiColor, Style};
use why401_report::Verdict;

/// Paints, or leaves as it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint {
    /// Whether colour was asked for.
    pub(crate) colour: bool,
}

impl Paint {
    /// The text in a style.
    pub(crate) fn on(self, style: Style, text: &str) -> String {
        if self.colour && !text.is_empty() { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.on(Style::new().bold(), text)
    }

    /// Frames and line numbers.
    pub(crate) fn frame(self, text: &str) -> String {
        self.on(AnsiColor::BrightBlue.on_default().bold(), text)
    }

    /// Lines to run.
    pub(crate) fn command(self, text: &str) -> String {
        self.on(AnsiColor::Cyan.on_default(), text)
    }

    /// What matters less.
    pub(crate) fn dim(self, text: &str) -> String {
        self.on(Style::new().dimmed(), text)
    }

    /// A line with the code between its backquotes painted, the quotes kept so that it reads without colour.
    pub(crate) fn code(self, line: &str) -> String {
        if !self.colour {
            return line.to_owned();
        }
        let parts = crate::doc::inline(line);
        parts
            .map(|(code, text)| if code { self.command(&format!("`{text}`")) } else { text.to_owned() })
            .collect()
    }

    /// The colour of a verdict.
    pub(crate) fn verdict(self, verdict: Verdict, text: &str) -> String {
        self.on(style(verdict), text)
    }
}

fn style(verdict: Verdict) -> Style {
    let colour = match verdict {
        Verdict::Attack => AnsiColor::BrightMagenta,
        Verdict::Fault => AnsiColor::BrightRed,
        Verdict::Info => AnsiColor::BrightCyan,
        Verdict::Normal => AnsiColor::BrightGreen,
    };
    colour.on_default().bold()
}
