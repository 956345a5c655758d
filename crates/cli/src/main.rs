//! The command line of `why401`: arguments in, evidence read, diagnosis rendered, exit status out.
//!
//! Exit status: 0 no fault found, 1 a fault or an attack, 2 the evidence or the command line could not be used.

mod ahead;
mod args;
mod bulk;
mod bundle;
mod clock;
mod context;
mod decode;
mod diagnose;
mod evidence;
mod explain;
mod filter;
mod follow;
mod followed;
mod gate;
mod glance;
mod keys;
mod lab;
mod live;
mod names;
mod output;
mod packets;
mod probe;
mod record;
mod screen;
mod secrets;
mod serve;
mod shard;
mod table;
mod tally;

use args::Command;
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        // It repeats arguments as they are, and a file's name may look like an option.
        Err(complaint) if complaint.use_stderr() => {
            output::complain(&complaint.to_string());
            return ExitCode::from(Status::Unusable as u8);
        }
        Err(help) => help.exit(),
    };
    match run(&args) {
        Ok(status) => ExitCode::from(status),
        Err(message) => {
            output::complain(&message);
            ExitCode::from(Status::Unusable as u8)
        }
    }
}

/// What the exit status tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    NoFault = 0,
    Fault = 1,
    Unusable = 2,
}

fn run(args: &args::Args) -> Result<u8, String> {
    let status = match &args.command {
        // The exit status is that of what is run.
        Some(Command::Run(what)) => return record::run(args, what),
        None => diagnose::run(args),
        Some(Command::Explain { what }) => explain::run(args, what.as_deref()),
        Some(Command::Probe(probe)) => probe::run(args, probe),
        Some(Command::Decode { fields }) => decode::run(args, fields),
        Some(Command::Lab(options)) => lab::run(options),
        Some(Command::Gate(options)) => gate::run(args, options),
        Some(Command::Bundle(bundle)) => bundle::run(bundle),
        Some(Command::Shard(shard)) => shard::run(args, shard),
        Some(Command::Serve(options)) => serve::run(options),
    };
    status.map(|s| s as u8)
}
