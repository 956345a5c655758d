//! Finding others' vectors, which stay outside the repository.

use std::path::PathBuf;

/// A folder within `shared`, which lies beside the repository where it is present at all.
pub(crate) fn folder(path: &str) -> Option<PathBuf> {
    let mut dir = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    loop {
        let candidate = dir.join("shared").join(path);
        if candidate.exists() {
            return Some(candidate);
        }
        if !dir.pop() {
            eprintln!("skipped: no shared folder");
            return None;
        }
    }
}

/// The lines of a JSONL file.
pub(crate) fn json_lines(path: &std::path::Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().filter(|l| !l.trim().is_empty()).map(|l| serde_json::from_str(l).unwrap()).collect()
}
