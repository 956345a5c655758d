//! Text of every kind: transcripts of clients, raw messages, and whatever else a person pastes.
//!
//! A source is read line by line. Each kind of block is a [`Dialect`]: the first that takes a line
//! keeps the lines that follow until it hands one back. So a transcript in the midst of prose is read as a
//! transcript, and the formats of this module differ in their names only.

mod arrow;
mod asked;
pub(crate) mod code;
mod command;
mod config;
mod curl;
mod draft;
mod escaped;
mod formats;
mod freb;
mod lines;
mod log;
mod margin;
mod nginx_debug;
mod object;
mod okhttp;
mod out;
mod output;
mod packet;
mod page;
mod panel;
mod printed;
mod procmon;
mod program;
mod prompt;
mod prose;
mod python;
mod raw;
mod shell;
mod summary;
mod trace;
mod transfer;
mod userinfo;
mod wget;
mod wire;
mod words;

pub use code::{address, code};
pub use config::configuration;
pub(crate) use formats::{CURL, HTTP, HTTPIE, NGINX_DEBUG, TEXT, WGET};
pub(crate) use freb::FREB;
pub(crate) use procmon::PROCMON;

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
    fn yields(&self) -> Yields {
        Yields::No
    }
}

/// Begins a block if the line (and the one behind it) look like it.
type Begin = fn(&Line, Option<&Line>, &mut Out<'_>) -> Option<Box<dyn Dialect>>;

/// Who may begin in the midst of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Yields {
    /// Nobody.
    No,
    /// What shows messages or is a command.
    ToMessages,
    /// Anybody.
    ToAll,
}

/// Kinds of blocks that show messages, the most particular first.
const MESSAGES: &[Begin] = &[
    curl::begin,
    trace::begin,
    wget::begin,
    python::begin,
    nginx_debug::begin,
    okhttp::begin,
    wire::begin,
    panel::begin,
    raw::begin,
    summary::begin,
    output::begin,
    printed::begin,
    arrow::begin,
];

/// Other kinds of blocks; what none begins with is prose.
const OTHERS: &[Begin] = &[object::begin, config::begin, page::begin];

/// Reads a text source to its end.
fn read(input: Input<'_>, sink: &mut dyn Sink) -> io::Result<()> {
    let lines = Lines::new(input.source, input.bytes)?;
    let mut lines = margin::Unquoted::new(lines, sink)?;
    let mut out = Out::new(input.source, sink);
    let mut current: Option<Box<dyn Dialect>> = None;
    let mut program = program::Program::default();
    let mut next = lines.next(out.sink)?.map(packet::unpacked);
    while let Some(line) = next {
        next = lines.next(out.sink)?.map(packet::unpacked);
        program.line(&line);
        current = one_line(current, &line, next.as_ref(), &mut out);
    }
    if let Some(mut dialect) = current {
        dialect.end(&mut out);
    }
    out.flush();
    program.end(&mut out);
    Ok(())
}

fn one_line(
    current: Option<Box<dyn Dialect>>,
    line: &Line,
    next: Option<&Line>,
    out: &mut Out<'_>,
) -> Option<Box<dyn Dialect>> {
    let Some(mut dialect) = current else { return Some(begin(line, next, out)) };
    let others = match dialect.yields() {
        Yields::No => None,
        Yields::ToMessages => MESSAGES.iter().find_map(|b| b(line, next, out)),
        Yields::ToAll => known(line, next, out),
    };
    if let Some(mut other) = others {
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
    let mut dialect = known(line, next, out).unwrap_or_else(|| Box::new(prose::Prose::default()));
    dialect.line(line, next, out);
    dialect
}

fn known(line: &Line, next: Option<&Line>, out: &mut Out<'_>) -> Option<Box<dyn Dialect>> {
    MESSAGES.iter().chain(OTHERS).find_map(|b| b(line, next, out))
}
