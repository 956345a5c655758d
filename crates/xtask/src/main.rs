//! What is made from the repository beside the program. `cargo xtask site OUT_DIR` writes the catalogue as a static
//! web site.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use why401_causes::{CATALOGUE, Meta};
use why401_render::{Entry, Site};

const USAGE: &str = "usage: cargo xtask site OUT_DIR";

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().skip(1).collect();
    let done = match args.as_slice() {
        [task, folder] if task == "site" => site(Path::new(folder)),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            let _ = writeln!(std::io::stderr(), "{why}");
            ExitCode::from(2)
        }
    }
}

/// Writes an index and a page for each cause; the same catalogue gives the same bytes.
fn site(folder: &Path) -> Result<(), String> {
    let entries: Vec<Entry<'_>> = CATALOGUE.iter().map(|c| entry(c.meta())).collect();
    std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    for (name, page) in Site::new(&entries).pages() {
        let file = folder.join(name);
        std::fs::write(&file, page).map_err(|e| format!("{}: {e}", file.display()))?;
    }
    Ok(())
}

fn entry(meta: &'static Meta) -> Entry<'static> {
    Entry {
        cause: meta.name,
        group: meta.group.title(),
        verdict: meta.verdict,
        party: meta.party,
        title: meta.title.trim(),
        text: meta.doc.trim(),
    }
}
