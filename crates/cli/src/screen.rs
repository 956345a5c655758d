//! What a terminal shows while logs are followed: findings as they come, and below them the last minutes at a glance. A
//! pipe gets the findings alone.

use crate::live::Live;
use crate::output;
use std::cell::RefCell;
use std::io::{self, IsTerminal};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// It is looked and drawn no more often than this.
const EVERY: Duration = Duration::from_secs(1);
/// The width of a terminal that does not tell.
const WIDTH: usize = 80;

/// What is shown, if anything.
pub(crate) struct Screen {
    live: Option<Rc<RefCell<Live>>>,
    /// Whether standard error can be drawn on.
    draws: bool,
    /// How many rows of the glance are on the screen.
    rows: usize,
    /// When to look next: looking takes time, and shall take little of it.
    look_at: Instant,
}

impl Screen {
    pub(crate) fn new(live: Option<Rc<RefCell<Live>>>) -> Screen {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        let draws = live.is_some() && io::stderr().is_terminal() && !dumb;
        if let (true, Some(live)) = (draws, &live) {
            live.borrow_mut().begin_glance();
        }
        Screen { live, draws, rows: 0, look_at: Instant::now() + EVERY }
    }

    /// Nothing came for a while.
    pub(crate) fn pause(&mut self) {
        let Some(live) = self.live.clone() else { return };
        let told = live.borrow_mut().look();
        self.tell(&told);
        if Instant::now() >= self.look_at {
            self.draw(&live);
        }
    }

    /// Something came.
    pub(crate) fn more(&mut self) {
        let now = Instant::now();
        if now < self.look_at {
            return;
        }
        let Some(live) = self.live.clone() else { return };
        // Where little comes, the latest can be told of as well.
        let mut told = live.borrow_mut().look();
        told.extend(live.borrow_mut().look_back());
        self.tell(&told);
        self.draw(&live);
        self.look_at = self.look_at.max(Instant::now() + EVERY + 4 * now.elapsed());
    }

    fn tell(&mut self, findings: &[String]) {
        if findings.is_empty() {
            return;
        }
        self.clear();
        findings.iter().for_each(|line| output::print(&format!("{line}\n")));
        // The glance went with it: it comes back as soon as it may.
        if let (true, Some(live)) = (self.draws, &self.live) {
            live.borrow_mut().renew_glance();
        }
    }

    fn draw(&mut self, live: &RefCell<Live>) {
        let now = Instant::now();
        let Some(rows) = self.draws.then(|| live.borrow_mut().glance()).flatten() else { return };
        self.clear();
        let width = terminal_size::terminal_size().map_or(WIDTH, |(width, _)| usize::from(width.0));
        let text: String = rows.iter().map(|row| format!("{}\n", cut(row, width))).collect();
        output::print_aside(&text);
        self.rows = rows.len();
        self.look_at = Instant::now() + EVERY + 4 * now.elapsed();
    }

    /// Takes the glance off the screen.
    pub(crate) fn clear(&mut self) {
        if self.rows > 0 {
            output::print_aside(&format!("\r\x1b[{}A\x1b[J", self.rows));
            self.rows = 0;
        }
    }
}

/// As much of a row as is narrower than the screen: a row that is broken could not be taken away. What is not ASCII may be
/// two columns wide.
fn cut(row: &str, width: usize) -> &str {
    let mut columns = 0;
    let wide = row.char_indices().find(|(_, c)| {
        columns += if c.is_ascii() { 1 } else { 2 };
        columns >= width
    });
    wide.and_then(|(at, _)| row.get(..at)).unwrap_or(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_narrower_than_the_screen() {
        assert_eq!(cut("alice 3", 8), "alice 3");
        assert_eq!(cut("alice 3", 7), "alice ");
        assert_eq!(cut("日本", 4), "日");
        assert_eq!(cut("alice", 0), "");
    }
}
