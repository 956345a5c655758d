//! Evidence in, diagnosis out.

use crate::args::Args;
use crate::{Status, evidence, output};
use clap::CommandFactory;
use why401_read::Collected;
use why401_report::{Diagnosis, Verdict};

/// Reads, diagnoses and prints.
///
/// # Errors
/// Where no evidence could be used; where none is given, the error is the short help.
pub(crate) fn run(args: &Args) -> Result<Status, String> {
    if evidence::is_absent(&args.evidence) {
        return Err(Args::command().render_help().to_string());
    }
    let mut sink = Collected::default();
    let sources = evidence::read_all(&args.evidence, &mut sink)?;
    let diagnosis = Diagnosis { sources, findings: Vec::new() };
    let faulty = diagnosis.findings.iter().any(|f| matches!(f.verdict, Verdict::Fault | Verdict::Attack));
    output::diagnosis(args, diagnosis)?;
    Ok(if faulty { Status::Fault } else { Status::NoFault })
}
