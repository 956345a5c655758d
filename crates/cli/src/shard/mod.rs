//! `why401 shard`: a large log in pieces, on as many machines as there are, by whatever engine carries the rows.

pub(crate) mod args;
mod fold;
mod merge;
mod plan;
mod report;

use crate::args::Args;
use crate::{Status, output};
use args::{Shard, Step};
use std::io;

/// Does one step.
///
/// # Errors
/// Where nothing could be done.
pub(crate) fn run(args: &Args, shard: &Shard) -> Result<Status, String> {
    let mut words = Vec::new();
    let done = match &shard.step {
        Step::Plan(plan) => plan::run(plan, &mut words),
        Step::Fold => fold::run(&mut words),
        Step::Merge(states) => merge::run(states, &mut words),
        Step::Report(report) => return report::run(args, report),
    };
    words.iter().for_each(|word| output::complain(word));
    match done {
        // Something was left out, and what it was is told; the rest is whole.
        Ok(true) => Ok(Status::Fault),
        Ok(false) => Ok(Status::NoFault),
        // Whoever reads it may stop reading.
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(Status::NoFault),
        Err(e) => Err(e.to_string()),
    }
}

/// Bytes that are no evidence, in words.
fn invalid(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}
