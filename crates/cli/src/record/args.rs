//! The options of `why401 run`.

use std::ffi::OsString;
use std::path::PathBuf;

/// What to run, and what becomes of the recording.
#[derive(Debug, clap::Args)]
pub(crate) struct Run {
    /// Save what was recorded as a HAR, secrets included; only its owner may read the file
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,

    /// Write the diagnosis to this file instead of standard error
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,

    /// Let the program write its TLS keys there too (SSLKEYLOGFILE), for a capture made beside it
    #[arg(long, value_name = "FILE")]
    pub(crate) keylog: Option<PathBuf>,

    /// An authority to trust, in PEM, for servers that the program trusts by a setting of its own
    #[arg(long, value_name = "FILE")]
    pub(crate) cacert: Option<PathBuf>,

    /// A client certificate in PEM to show in the program's place
    #[arg(long, value_name = "FILE")]
    pub(crate) cert: Option<PathBuf>,

    /// The key of the client certificate in PEM, if it is not in the same file
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,

    /// The program and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}
