//! What stands before every line and is no part of it: the `>` of a quotation in a mail or a comment (RFC 3676 section
//! 4.5, CommonMark section 5.1), the blanks of an indented listing.

use super::lines::{Line, Lines};
use crate::Sink;
use crate::http1::head;
use std::collections::VecDeque;
use std::io;

/// So many lines tell whether there is a margin, and so many bytes.
const LOOK: usize = 64;
const LOOK_BYTES: usize = 64 * 1024;
/// Quotations of quotations; deeper ones are read as they are.
const DEPTH: usize = 5;

/// Lines without their margins; each still knows where it stands.
pub(super) struct Unquoted<'a> {
    lines: Lines<'a>,
    /// Read, and not looked at yet.
    read: VecDeque<Line>,
    /// Looked at.
    ready: VecDeque<Line>,
    /// The blanks that all lines begin with.
    indent: usize,
    /// How deep the quotation is that goes on.
    depth: Option<usize>,
}

impl<'a> Unquoted<'a> {
    /// Looks at the first lines for the blanks that all begin with.
    pub(super) fn new(mut lines: Lines<'a>, sink: &mut dyn Sink) -> io::Result<Self> {
        let mut read: VecDeque<Line> = VecDeque::new();
        while has_room(read.len(), read.iter())
            && let Some(line) = lines.next(sink)?
        {
            read.push_back(line);
        }
        let indent = read.iter().filter(|line| !line.is_blank()).map(Line::indent).min();
        Ok(Unquoted { lines, read, ready: VecDeque::new(), indent: indent.unwrap_or(0), depth: None })
    }

    /// The next line; `None` at the end.
    pub(super) fn next(&mut self, sink: &mut dyn Sink) -> io::Result<Option<Line>> {
        if self.ready.is_empty() {
            self.look(sink)?;
        }
        Ok(self.ready.pop_front())
    }

    /// Takes a line, and what is quoted with it.
    fn look(&mut self, sink: &mut dyn Sink) -> io::Result<()> {
        let mut run: Vec<Line> = Vec::new();
        while has_room(run.len(), run.iter())
            && let Some(line) = self.indented(sink)?
        {
            let Some(_) = unquoted(&line) else {
                self.quotation(run);
                self.depth = None;
                self.ready.push_back(line);
                return Ok(());
            };
            run.push(line);
        }
        self.quotation(run);
        Ok(())
    }

    fn indented(&mut self, sink: &mut dyn Sink) -> io::Result<Option<Line>> {
        let line = match self.read.pop_front() {
            Some(line) => Some(line),
            None => self.lines.next(sink)?,
        };
        Ok(line.map(|line| line.from(line.indent().min(self.indent))))
    }

    /// Lines that all begin with a mark.
    fn quotation(&mut self, mut run: Vec<Line>) {
        let depth = *self.depth.get_or_insert_with(|| depth(&run));
        for _ in 0..depth {
            run = run.iter().map(|line| unquoted(line).unwrap_or_else(|| line.clone())).collect();
        }
        self.ready.extend(run);
    }
}

/// Whether more lines are looked at beside these.
fn has_room<'l>(count: usize, lines: impl Iterator<Item = &'l Line>) -> bool {
    count < LOOK && lines.map(|line| line.bytes().len()).sum::<usize>() < LOOK_BYTES
}

/// The line behind its mark, and behind the blank that follows the mark.
fn unquoted(line: &Line) -> Option<Line> {
    let rest = line.bytes().strip_prefix(b">")?;
    Some(line.from(if rest.starts_with(b" ") { 2 } else { 1 }))
}

/// How many marks lines have that are no part of them.
fn depth(run: &[Line]) -> usize {
    let mut inner: Vec<Line> = run.to_vec();
    (0..DEPTH)
        .find(|_| {
            let all: Option<Vec<Line>> = inner.iter().map(unquoted).collect();
            match all.filter(|lines| is_quotation(lines)) {
                Some(lines) => {
                    inner = lines;
                    false
                }
                None => true,
            }
        })
        .unwrap_or(DEPTH)
}

/// Whether lines that all begin with a mark are somebody's quotation: one may stand behind a prompt, and curl marks the
/// lines of a request so.
fn is_quotation(lines: &[Line]) -> bool {
    let mut said = lines.iter().filter(|line| !line.is_blank()).map(Line::bytes);
    let Some(first) = said.next() else { return false };
    let answer = |line: &[u8]| line.starts_with(b"HTTP/") || line.starts_with(b"< ");
    let request = head::surely_starts(first.trim_ascii_end()) && !first.starts_with(b"HTTP/");
    let mut more = said.peekable();
    more.peek().is_some() && (!request || more.any(answer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Collected;
    use why401_span::SourceId;

    fn read(text: &str) -> Vec<String> {
        let (mut input, mut sink) = (text.as_bytes(), Collected::default());
        let lines = Lines::new(SourceId(0), &mut input).unwrap();
        let mut lines = Unquoted::new(lines, &mut sink).unwrap();
        std::iter::from_fn(|| lines.next(&mut sink).unwrap()).map(|line| line.str().into_owned()).collect()
    }

    #[test]
    fn a_quotation_is_read_without_its_marks() {
        assert_eq!(
            read("He wrote:\n> > * one\n> >\n> > two\nbye\n"),
            ["He wrote:", "* one", "", "two", "bye"]
        );
        assert_eq!(read(">GET / HTTP/1.1\n>\n>HTTP/1.1 401 No\n"), ["GET / HTTP/1.1", "", "HTTP/1.1 401 No"]);
        let long = "> word\n".repeat(3 * LOOK + 1);
        assert!(read(&long).iter().all(|line| line == "word"));
    }

    #[test]
    fn what_curl_sends_and_what_follows_a_prompt_stay_as_they_are() {
        let sent = "> GET / HTTP/1.1\n> Host: example.com\n>\n";
        assert_eq!(read(sent), ["> GET / HTTP/1.1", "> Host: example.com", ">"]);
        assert_eq!(read("> npm install\nnpm ERR! 401\n"), ["> npm install", "npm ERR! 401"]);
        assert_eq!(read(">\n>\n"), [">", ">"]);
    }

    #[test]
    fn a_transcript_in_a_quotation_keeps_the_marks_of_curl() {
        assert_eq!(
            read("> * Trying\n> > GET / HTTP/1.1\n> < HTTP/1.1 401 No\n"),
            ["* Trying", "> GET / HTTP/1.1", "< HTTP/1.1 401 No"]
        );
    }

    #[test]
    fn the_indent_of_all_lines_goes_and_that_of_some_stays() {
        assert_eq!(read("    a:\n\n      b: c\n"), ["a:", "", "  b: c"]);
        assert_eq!(read("a\n  b\n"), ["a", "  b"]);
    }
}
