//! `why401 shard`: a large log in pieces, on as many machines as there are, by whatever engine carries the rows.

pub(crate) mod args;
mod fold;
mod key;
mod merge;
mod plan;
mod report;

use crate::args::Args;
use crate::{Status, output};
use args::{Shard, Step};
use std::io;
use why401_shard::{Key, Row, State, columns};

/// Does one step.
///
/// # Errors
/// Where nothing could be done.
pub(crate) fn run(args: &Args, shard: &Shard) -> Result<Status, String> {
    let mut words = Vec::new();
    let show = args.output.show_secrets;
    let done = match &shard.step {
        Step::Plan(plan) => plan::run(plan, &mut words),
        Step::Fold => fold::run(key::to_seal(show)?, &mut words),
        Step::Merge(states) => merge::run(states, key::to_seal(show)?, &mut words),
        Step::Report(report) => return report::run(args, report),
    };
    words.iter().for_each(|word| complain(args, word));
    match done {
        // Something was left out, and what it was is told; the rest is whole.
        Ok(true) => Ok(Status::Fault),
        Ok(false) => Ok(Status::NoFault),
        // Whoever reads it may stop reading.
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(Status::NoFault),
        Err(e) => Err(e.to_string()),
    }
}

/// Tells it without secrets: an address of a log may hold one.
fn complain(args: &Args, what: &str) {
    let hidden = match args.output.show_secrets {
        true => Vec::new(),
        false => why401_redact::secrets_in_text(what),
    };
    output::complain(&why401_span::mask(what, |at| hidden.iter().any(|r| r.contains(&at))));
}

fn write<W: io::Write>(state: State, key: Option<&Key>, out: &mut columns::States<W>) -> io::Result<()> {
    let row = Row::of(state, key).map_err(|e| io::Error::other(e.to_string()))?;
    out.write(&row)
}

/// Bytes that are no evidence, in words.
fn invalid(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}
