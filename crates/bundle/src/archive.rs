//! The bundle as a zip file.

use crate::{Kept, Masker, Options, Piece, capture, covering, piece};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::io::{self, Seek, Write};
use why401_report::Diagnosis;
use zip::write::{SimpleFileOptions, ZipWriter};

/// The diagnosis, as data and in the forms that are packed; already redacted.
pub struct Reports {
    /// As data, for the covering text.
    pub diagnosis: Diagnosis,
    /// As a page.
    pub html: String,
    /// As Markdown.
    pub markdown: String,
    /// As JSON.
    pub json: String,
    /// Clients and servers with their versions, as they name themselves.
    pub programs: Vec<String>,
}

/// What is in a bundle and what is not.
#[derive(Debug, Default, Serialize)]
pub struct Manifest {
    /// Name and version of the program that packed it.
    pub tool: String,
    /// What was packed.
    pub packed: Vec<Entry>,
    /// What was not.
    pub left_out: Vec<LeftOut>,
}

/// A file in the bundle.
#[derive(Debug, Serialize)]
pub struct Entry {
    /// Its path.
    pub path: String,
    /// What it is.
    pub what: String,
    /// Its SHA-256.
    pub sha256: String,
    /// The original's name, for evidence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original: Option<String>,
    /// The original's SHA-256, so that its owner can tell which one it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original_sha256: Option<String>,
    /// What was done to it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Evidence that is not in the bundle.
#[derive(Debug, Serialize)]
pub struct LeftOut {
    /// Its name.
    pub name: String,
    /// Its SHA-256.
    pub original_sha256: String,
    /// Why.
    pub why: String,
}

/// Packs a bundle into `out` and returns what is in it. `tool` is name and version of the program.
///
/// # Errors
/// Where `out` cannot be written.
pub fn pack(
    out: impl Write + Seek,
    tool: &str,
    reports: &Reports,
    pieces: &[Piece<'_>],
    options: Options,
    masker: &mut Masker<'_>,
) -> io::Result<Manifest> {
    let mut zip = ZipWriter::new(out);
    let mut manifest = Manifest { tool: tool.to_owned(), ..Manifest::default() };
    let mut addresses = capture::Addresses::default();
    let mut evidence = Vec::new();
    for (number, piece) in (1..).zip(pieces) {
        let original_sha256 = sha256(piece.bytes);
        let mut name = name_of(piece, masker);
        if options.mask_addresses {
            name = addresses.in_text(&name);
        }
        match piece::redact(piece, options, masker, &mut addresses) {
            Ok(Kept { bytes, notes }) => {
                let path = format!("evidence/{number:02}-{}", file_name(&name, piece.format));
                evidence.push((path.clone(), bytes));
                let sha256 = evidence.last().map(|(_, b)| sha256(b)).unwrap_or_default();
                manifest.packed.push(Entry {
                    path,
                    what: format!("{} of {name}, redacted", piece.format),
                    sha256,
                    original: Some(name),
                    original_sha256: Some(original_sha256),
                    notes,
                });
            }
            Err(why) => manifest.left_out.push(LeftOut { name, original_sha256, why }),
        }
    }
    let mut masked =
        |text: &str| if options.mask_addresses { addresses.in_text(text) } else { text.to_owned() };
    let reports_packed = [
        ("report.html", "the report, for a browser", masked(&reports.html)),
        ("report.md", "the report, for a ticket", masked(&reports.markdown)),
        ("report.json", "the report, for programs", masked(&reports.json)),
    ];
    let mut entries: Vec<Entry> = Vec::new();
    for (path, what, text) in &reports_packed {
        entries.push(entry(path, what, text.as_bytes()));
    }
    entries.append(&mut manifest.packed);
    let covering =
        masked(&covering::text(&reports.diagnosis, &reports.programs, &entries, &manifest.left_out));
    entries.insert(0, entry("covering.txt", "this text", covering.as_bytes()));
    manifest.packed = entries;
    put(&mut zip, "covering.txt", covering.as_bytes())?;
    for (path, _, text) in &reports_packed {
        put(&mut zip, path, text.as_bytes())?;
    }
    for (path, bytes) in &evidence {
        put(&mut zip, path, bytes)?;
    }
    put(&mut zip, "manifest.json", &serde_json::to_vec_pretty(&manifest)?)?;
    zip.finish()?.flush()?;
    Ok(manifest)
}

fn put(zip: &mut ZipWriter<impl Write + Seek>, path: &str, bytes: &[u8]) -> io::Result<()> {
    zip.start_file(path, SimpleFileOptions::default())?;
    zip.write_all(bytes)
}

fn entry(path: &str, what: &str, bytes: &[u8]) -> Entry {
    let (path, what) = (path.to_owned(), what.to_owned());
    Entry { path, what, sha256: sha256(bytes), original: None, original_sha256: None, notes: Vec::new() }
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// The piece's name as it may be told: a name can hold a secret too.
fn name_of(piece: &Piece<'_>, masker: &mut Masker<'_>) -> String {
    masker.text(base(piece.name))
}

fn base(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}

/// A name that is safe everywhere and ends as its format wants.
fn file_name(name: &str, format: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let base = name.trim_end_matches(".gz");
    let stem: String = base.chars().map(|c| if safe(c) { c } else { '-' }).take(60).collect();
    let stem = stem.trim_matches(['.', '-']);
    let (end, stem) = match format {
        "pcap" => (".pcap", stem.trim_end_matches(".cap").trim_end_matches(".pcap")),
        "pcapng" => (".pcapng", stem.trim_end_matches(".pcapng")),
        "har" => (".har", stem.trim_end_matches(".har")),
        _ if stem.contains('.') => ("", stem),
        _ => (".txt", stem),
    };
    // Long names of random letters may be tokens.
    let stem =
        if stem.is_empty() || !why401_redact::secrets_in_text(stem).is_empty() { "evidence" } else { stem };
    format!("{stem}{end}")
}
