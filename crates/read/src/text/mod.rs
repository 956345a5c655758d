//! Text of every kind: transcripts of clients, raw messages, and whatever else a person pastes.
//!
//! A source is read line by line. Each kind of block is a [`Dialect`]: the first in [`DIALECTS`] that takes a line
//! keeps the lines that follow until it hands one back. So a transcript in the midst of prose is read as a
//! transcript, and the formats of this module differ in their names only.

mod asked;
pub(crate) mod code;
mod command;
mod curl;
mod draft;
mod formats;
mod lines;
mod log;
mod out;
mod output;
mod prose;
mod raw;
mod shell;
mod transfer;
mod words;

pub use code::{address, code};
pub(crate) use formats::{CURL, HTTP, HTTPIE, TEXT, WGET};

use crate::{Input, Sink};
use lines::{Line, Lines};
use out::Out;
use std::io;

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Took {
    /// It belongs to this block.
    Yes,
    /// It does not, and the block is over.
    No,
}

/// Reads the lines of one kind of block.
trait Dialect {
    /// Takes a line or hands it back.
    fn line(&mut self, line: &Line, next: Option<&Line>, out: &mut Out<'_>) -> Took;

    /// The block is over.
    fn end(&mut self, out: &mut Out<'_>);

    /// Whether another dialect may take the next line, since this one takes anything.
    fn yields(&self) -> bool {
        false
    }
}

/// Begins a block if the line (and the one behind it) look like it.
type Begin = fn(&Line, Option<&Line>, &mut Out<'_>) -> Option<Box<dyn Dialect>>;

/// All kinds of blocks, the most particular first; what none of them begins with is prose.
const DIALECTS: &[Begin] = &[curl::begin, raw::begin, output::begin];

/// Reads a text source to its end.
fn read(input: Input<'_>, sink: &mut dyn Sink) -> io::Result<()> {
    let mut lines = Lines::new(input.source, input.bytes)?;
    let mut out = Out::new(input.source, sink);
    let mut current: Option<Box<dyn Dialect>> = None;
    let mut next = lines.next(out.sink)?;
    while let Some(line) = next {
        next = lines.next(out.sink)?;
        current = one_line(current, &line, next.as_ref(), &mut out);
    }
    if let Some(mut dialect) = current {
        dialect.end(&mut out);
    }
    out.flush();
    Ok(())
}

fn one_line(
    current: Option<Box<dyn Dialect>>,
    line: &Line,
    next: Option<&Line>,
    out: &mut Out<'_>,
) -> Option<Box<dyn Dialect>> {
    let Some(mut dialect) = current else { return Some(begin(line, next, out)) };
    if dialect.yields()
        && let Some(mut other) = DIALECTS.iter().find_map(|b| b(line, next, out))
    {
        dialect.end(out);
        other.line(line, next, out);
        return Some(other);
    }
    match dialect.line(line, next, out) {
        Took::Yes => Some(dialect),
        Took::No => {
            dialect.end(out);
            Some(begin(line, next, out))
        }
    }
}

/// What begins with a line takes it.
fn begin(line: &Line, next: Option<&Line>, out: &mut Out<'_>) -> Box<dyn Dialect> {
    let found = DIALECTS.iter().find_map(|b| b(line, next, out));
    let mut dialect = found.unwrap_or_else(|| Box::new(prose::Prose::default()));
    dialect.line(line, next, out);
    dialect
}
