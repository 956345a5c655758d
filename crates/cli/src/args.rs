//! The command line as clap reads it; contract: commands and flags only ever get more.

use clap::{Parser, Subcommand, ValueEnum};

/// Tells why a request got 401 Unauthorized.
#[derive(Debug, Parser)]
#[command(name = "why401", disable_help_subcommand = true, version, about, long_about = None, max_term_width = 100)]
#[command(
    after_help = "Exit status: 0 no fault found, 1 a fault or an attack, 2 the evidence could not be used."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    #[command(flatten)]
    pub(crate) evidence: Evidence,

    #[command(flatten)]
    pub(crate) output: Output,

    /// Write a row for each refused exchange, with its cause, to this file as well: FILE.parquet or FILE.ndjson
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<std::path::PathBuf>,
}

/// The commands beside the diagnosis itself.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Explain the causes: all of them, one by its name, or what a code means
    Explain {
        /// The name of a cause (no-credentials) or a code (401.3, 0x80244017, AH01617)
        #[arg(value_name = "CAUSE or CODE")]
        what: Option<String>,
    },
    /// Ask a live server, by the fewest requests that tell the causes apart, and diagnose what it says
    Probe(Box<crate::probe::args::Probe>),
    /// Run a program, record its own HTTP and HTTPS exchanges, diagnose them; its exit status is passed on
    Run(crate::record::args::Run),
    /// Take authentication fields apart: schemes, parameters, what is inside, what is wrong
    Decode {
        /// A field, `Name: value`; without any, each line of standard input is one
        #[arg(value_name = "FIELD")]
        fields: Vec<String>,
    },
    /// Serve every 401 there is, to test clients against and to learn from
    Lab(crate::lab::Lab),
    /// Authentication in front of a service, which records why it refused
    Gate(Box<crate::gate::Gate>),
    /// Pack the redacted evidence and the report for a service request
    Bundle(Box<Bundle>),
    /// Fold logs in pieces, on as many machines as there are, and report on the whole
    Shard(crate::shard::args::Shard),
    /// A local page for people who would rather look than type
    Serve(crate::serve::Serve),
}

/// What to pack, and where.
#[derive(Debug, clap::Args)]
pub(crate) struct Bundle {
    #[command(flatten)]
    pub(crate) evidence: Evidence,

    /// The file to write
    #[arg(short, long, value_name = "FILE.zip")]
    pub(crate) output: std::path::PathBuf,

    /// Replace IP and hardware addresses too
    #[arg(long)]
    pub(crate) mask_addresses: bool,
}

/// What to read.
#[derive(Debug, clap::Args)]
pub(crate) struct Evidence {
    /// Files (transcripts, HAR, captures, logs, pasted text), `-` for standard input, a code such as 401.3, or an
    /// http(s):// address to ask
    #[arg(value_name = "EVIDENCE")]
    pub(crate) evidence: Vec<std::ffi::OsString>,

    /// Read the evidence in this format instead of finding it by content
    #[arg(long, value_name = "FORMAT")]
    pub(crate) input: Option<String>,

    /// The Apache LogFormat or nginx log_format of the access logs
    #[arg(long, value_name = "TEXT")]
    pub(crate) log_format: Option<String>,

    /// Read the logs on as they are written, through their rotations, and name what is certain as it comes; an interrupt
    /// prints the whole
    #[arg(long, short = 'f')]
    pub(crate) follow: bool,

    /// A key log (SSLKEYLOGFILE) that decrypts the captures; may be given more than once
    #[arg(long, value_name = "FILE")]
    pub(crate) keys: Vec<std::path::PathBuf>,

    /// The keytab of a Kerberos service: its tickets are opened with it; may be given more than once
    #[arg(long, value_name = "FILE")]
    pub(crate) keytab: Vec<std::path::PathBuf>,

    /// A configuration (nginx, Apache, IIS, HAProxy, .netrc, .npmrc, config.json, settings.xml, kubeconfig ...) to hold the evidence against; may be given more than once
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Vec<std::path::PathBuf>,

    /// The user that the request was meant to be sent as
    #[arg(long, value_name = "NAME")]
    pub(crate) intended_user: Option<String>,

    /// The authentication scheme that was meant to be used
    #[arg(long, value_name = "SCHEME")]
    pub(crate) intended_scheme: Option<String>,

    #[command(flatten)]
    pub(crate) only: Only,

    /// The clock of the machine that the evidence comes from: the time it showed then (2026-11-22T17:16:14Z), or how far it
    /// is ahead of the true time (+90s, -5m, +1h30m)
    #[arg(long, value_name = "TIME or OFFSET", allow_hyphen_values = true)]
    pub(crate) clock: Option<crate::clock::Clock>,

    /// The time to take for the present, RFC 3339
    #[arg(long, value_name = "TIME", hide = true)]
    pub(crate) now: Option<jiff::Timestamp>,

    /// Show every finding in full
    #[arg(long)]
    pub(crate) all: bool,
}

/// How to print.
#[derive(Debug, clap::Args)]
pub(crate) struct Output {
    /// The form of the output
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", global = true)]
    pub(crate) format: Format,

    /// Show passwords, tokens and cookies instead of masking them
    #[arg(long, global = true)]
    pub(crate) show_secrets: bool,

    /// When to use colour
    #[arg(long, value_enum, default_value_t, value_name = "WHEN", global = true)]
    pub(crate) color: When,
}

/// The form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Default)]
pub(crate) enum Format {
    /// For people, on a terminal and on a pipe alike
    #[default]
    Text,
    /// One document for programs
    Json,
    /// For an issue or a ticket
    Markdown,
    /// A page of its own
    Html,
    /// A line for each refused exchange, with its cause, for programs
    Ndjson,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Default)]
pub(crate) enum When {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Args::command().debug_assert();
    }
}

/// Which requests are looked at.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Only {
    /// Look only at requests of logs from this time on (RFC 3339, or a date)
    #[arg(long, value_name = "TIME", value_parser = crate::filter::time)]
    pub(crate) since: Option<jiff::Timestamp>,

    /// Look only at requests of logs before this time
    #[arg(long, value_name = "TIME", value_parser = crate::filter::time)]
    pub(crate) until: Option<jiff::Timestamp>,

    /// Look only at requests under this account name
    #[arg(long, value_name = "NAME")]
    pub(crate) account: Option<String>,

    /// Look only at requests from this client address
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) client: Option<String>,

    /// Look only at requests for this path and those below it
    #[arg(long, value_name = "PATH")]
    pub(crate) resource: Option<String>,
}
