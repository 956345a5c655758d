//! The arguments of `why401 shard`.

use std::ffi::OsString;
use std::path::PathBuf;

/// What to do with the pieces.
#[derive(Debug, clap::Args)]
pub(crate) struct Shard {
    #[command(subcommand)]
    pub(crate) step: Step,
}

/// The steps, in this order.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Step {
    /// Cut logs into splits: a row each on standard output, as JSON lines or Arrow
    Plan(Plan),
    /// Fold the splits on standard input (JSON lines or Arrow); partial states as Arrow on standard output, sealed with the
    /// key in WHY401_STATES_KEY (32 random characters or more), which merge and report need as well
    Fold,
    /// Merge states (Arrow) of each site and lot of clients; states as Arrow on standard output
    Merge(States),
    /// Report on the merged states of all lots, as `why401 LOG...` would
    Report(Report),
}

/// How to cut.
#[derive(Debug, clap::Args)]
pub(crate) struct Plan {
    /// Logs, folders and patterns; the workers must find them under the same names. `-`: rows of Arrow on standard input,
    /// with the path, the size and the first bytes (head) of each
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<OsString>,

    /// What the logs belong to; states of different sites are not merged
    #[arg(long, value_name = "NAME", default_value = "")]
    pub(crate) site: String,

    /// Plain logs are cut into equal ranges of at most so many bytes (K, M and G are understood); compressed ones are not
    /// cut
    #[arg(long, value_name = "SIZE", default_value = "256M", value_parser = size)]
    pub(crate) split_size: u64,

    /// Into so many lots clients are shared out, each to be merged by itself
    #[arg(long, value_name = "COUNT", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub(crate) lots: u32,

    /// Print a stream of Arrow in place of JSON lines
    #[arg(long)]
    pub(crate) arrow: bool,

    /// Read the logs in this format instead of finding it by content
    #[arg(long, value_name = "FORMAT")]
    pub(crate) input: Option<String>,

    /// The Apache LogFormat or nginx log_format of the logs
    #[arg(long, value_name = "TEXT")]
    pub(crate) log_format: Option<String>,

    #[command(flatten)]
    pub(crate) only: crate::args::Only,
}

/// Which states.
#[derive(Debug, clap::Args)]
pub(crate) struct States {
    /// Files of states; without any, standard input
    #[arg(value_name = "STATES")]
    pub(crate) files: Vec<PathBuf>,
}

/// Which states to report on.
#[derive(Debug, clap::Args)]
pub(crate) struct Report {
    #[command(flatten)]
    pub(crate) states: States,

    /// The site to report on, where there are states of several
    #[arg(long, value_name = "NAME")]
    pub(crate) site: Option<String>,
}

/// `262144`, `256K`, `128M`, `1G`.
fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(['K', 'M', 'G']);
    let factor = match text.get(digits.len()..) {
        Some("") => Some(1),
        Some("K") => Some(1 << 10),
        Some("M") => Some(1 << 20),
        Some("G") => Some(1 << 30),
        _ => None,
    };
    let size = digits.parse::<u64>().ok().zip(factor).and_then(|(n, factor)| n.checked_mul(factor));
    size.filter(|n| *n >= 4096).ok_or_else(|| "a size is wanted, such as 256M; not less than 4K".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_taken_as_people_write_them() {
        for (text, want) in [("256M", 256 << 20), ("1G", 1 << 30), ("64K", 65_536), ("5000", 5000)] {
            assert_eq!(size(text), Ok(want));
        }
        for wrong in ["", "M", "1MM", "1T", "12", "-1K", "99999999999999G"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
