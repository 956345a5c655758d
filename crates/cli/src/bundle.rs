//! Packs redacted evidence and report for a service request.

use crate::args::Bundle;
use crate::{Status, diagnose, evidence, names, output};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufWriter, Read};
use std::path::Path;
use why401_bundle::{Masker, Options, Piece, Reports, pack};
use why401_history::Case;
use why401_redact::SecretSet;
use why401_render::{Secrets, Shown};

/// So many programs are named in the covering text.
const PROGRAMS: usize = 8;

/// Reads, diagnoses, packs.
///
/// # Errors
/// Where no evidence could be used, or the file cannot be written.
pub(crate) fn run(bundle: &Bundle) -> Result<Status, String> {
    if evidence::is_absent(&bundle.evidence) {
        return Err("bundle wants evidence: why401 bundle EVIDENCE... -o case.zip".to_owned());
    }
    let given = given(bundle)?;
    let stdin = given.iter().find(|(name, _)| name == "-").map_or(&[][..], |(_, bytes)| bytes);
    let diagnose::Explained { case, diagnosis, secrets, .. } = diagnose::of(&bundle.evidence, &mut &*stdin)?;
    let reports = reports(&case, diagnosis, &secrets)?;
    let sources = reports.diagnosis.sources.iter().zip(&given);
    let pieces: Vec<Piece<'_>> = sources
        .map(|(source, (_, bytes))| Piece { name: &source.name, format: &source.format, bytes })
        .collect();
    let out = &bundle.output;
    let problem = |e: io::Error| format!("{}: {}", out.display(), evidence::in_words(&e));
    let file = File::create(out).map_err(problem)?;
    let options = Options { mask_addresses: bundle.mask_addresses };
    let mut masker = Masker::new(&secrets);
    let manifest = pack(BufWriter::new(file), output::TOOL, &reports, &pieces, options, &mut masker);
    let manifest = manifest.map_err(problem)?;
    let mut told = format!("{}: {} files\n", out.display(), manifest.packed.len() + 1);
    for entry in &manifest.packed {
        told.push_str(&format!("  {}\n", entry.path));
        entry.notes.iter().for_each(|note| told.push_str(&format!("      {note}\n")));
    }
    for left in &manifest.left_out {
        told.push_str(&format!("left out: {}: {}\n", left.name, left.why));
    }
    output::print(&why401_render::visible(&told).replace('␊', "\n"));
    Ok(diagnose::status(&reports.diagnosis))
}

/// Name and bytes of everything that was given, in the order of the sources.
fn given(bundle: &Bundle) -> Result<Vec<(std::ffi::OsString, Vec<u8>)>, String> {
    let evidence = &bundle.evidence;
    let expanded = names::expand(&evidence.evidence);
    let mut names: Vec<&OsStr> = expanded.iter().map(AsRef::as_ref).collect();
    if names.is_empty() {
        names.push(OsStr::new("-"));
    }
    names.extend(evidence.config.iter().map(|path| path.as_os_str()));
    let bytes = |name: &OsStr| {
        let mut bytes = Vec::new();
        if name == "-" {
            io::stdin().lock().read_to_end(&mut bytes)?;
        } else if Path::new(name).is_file() {
            File::open(name)?.read_to_end(&mut bytes)?;
        } else {
            bytes.extend_from_slice(name.to_string_lossy().as_bytes());
        }
        Ok(bytes)
    };
    let named = |name: &&OsStr| match bytes(name) {
        Ok(bytes) => Ok(((*name).to_owned(), bytes)),
        Err(e) => Err(format!("{}: {}", name.display(), evidence::in_words(&e))),
    };
    names.iter().map(named).collect()
}

/// The diagnosis as it may be shown, and its forms.
pub(crate) fn reports(
    case: &Case,
    mut diagnosis: why401_report::Diagnosis,
    secrets: &SecretSet,
) -> Result<Reports, String> {
    why401_redact::diagnosis(&mut diagnosis, secrets);
    let shown = Shown::new(diagnosis, Secrets::Masked);
    let html = why401_render::html(&shown);
    let markdown = why401_render::markdown(&shown);
    let json = why401_render::json(&shown, output::TOOL).map_err(|e| e.to_string())?;
    let programs = programs(case, secrets);
    Ok(Reports { diagnosis: shown.into_inner(), html, markdown, json, programs })
}

/// Clients and servers with their versions, as they name themselves in `User-Agent` and `Server`.
fn programs(case: &Case, secrets: &SecretSet) -> Vec<String> {
    let mut names = BTreeSet::new();
    for attempt in &case.attempts {
        let fields = [attempt.request_field("user-agent"), attempt.response_field("server")];
        for field in fields.into_iter().flatten() {
            let name: String = field.text().chars().take(120).collect();
            if !name.trim().is_empty() && names.len() < PROGRAMS {
                names.insert(why401_render::visible(&secrets.scrub(name.trim())));
            }
        }
    }
    names.into_iter().collect()
}
