//! `why401 lab`: arguments and files for the server in `why401-lab`.

use crate::Status;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// How the lab is run.
#[derive(Debug, clap::Args)]
pub(crate) struct Lab {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = why401_lab::LISTEN)]
    listen: std::net::SocketAddr,

    /// Append an access log in Apache's combined format; `-` is standard error
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,

    /// Append a log with the cause of each refusal, one JSON object a line; `-` is standard error
    #[arg(long, value_name = "FILE")]
    json_log: Option<PathBuf>,

    /// Append a log in the W3C format of IIS, with substatus and Win32 status; `-` is standard error
    #[arg(long, value_name = "FILE")]
    w3c_log: Option<PathBuf>,
}

/// Serves until SIGTERM or SIGINT.
#[allow(clippy::print_stdout, reason = "the address is the answer of this command")]
pub(crate) fn run(args: &Lab) -> Result<Status, String> {
    let options = why401_lab::Options {
        listen: Some(args.listen),
        log: args.log.as_deref().map(sink).transpose()?,
        json_log: args.json_log.as_deref().map(sink).transpose()?,
        w3c_log: args.w3c_log.as_deref().map(sink).transpose()?,
    };
    why401_lab::run(options, |address| {
        println!("listening on http://{address}/");
        let _ = std::io::stdout().flush();
    })?;
    Ok(Status::NoFault)
}

fn sink(path: &Path) -> Result<Box<dyn Write + Send>, String> {
    if path == Path::new("-") {
        return Ok(Box::new(std::io::stderr()));
    }
    let file = OpenOptions::new().append(true).create(true).open(path);
    file.map(|f| Box::new(f) as Box<dyn Write + Send>)
        .map_err(|e| format!("cannot write {}: {e}", path.display()))
}
