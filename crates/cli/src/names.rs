//! What the names on the command line stand for: files, folders, patterns.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// A folder or pattern stands for so many files at most, and so deep folders are looked into: more were hardly meant.
pub(crate) const FILES: usize = 10_000;
const DEPTH: usize = 8;

/// Every file that is meant: a folder stands for the files in it, a pattern for the names that it fits. Anything else
/// stays as it is, a folder too that holds no file, or more than [`FILES`].
pub(crate) fn expand(names: &[OsString]) -> Vec<OsString> {
    let mut out = Vec::new();
    for name in names {
        let path = Path::new(name);
        let is_pattern = name.to_str().is_some_and(|n| n.contains(['*', '?'])) && !path.exists();
        if path.is_dir() {
            let mut files = Vec::new();
            below(path, 0, &mut files);
            if files.is_empty() || files.len() > FILES {
                files = vec![name.clone()];
            }
            out.append(&mut files);
        } else if let (true, Some(found)) = (is_pattern, matching(path)) {
            out.extend(found);
        } else {
            out.push(name.clone());
        }
    }
    out
}

fn below(folder: &Path, depth: usize, out: &mut Vec<OsString>) {
    for path in entries(folder) {
        if out.len() > FILES {
            return;
        }
        // A link to a folder above would never end.
        match std::fs::symlink_metadata(&path) {
            Ok(m) if m.is_dir() && depth < DEPTH => below(&path, depth + 1, out),
            Ok(m) if m.is_file() || (m.is_symlink() && path.is_file()) => out.push(path.into()),
            _ => {}
        }
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let read = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = read.map(|e| e.path()).collect();
    paths.sort();
    paths
}

/// The files that a pattern in the last part of a path fits; `None` where there are none.
fn matching(pattern: &Path) -> Option<Vec<OsString>> {
    let name = pattern.file_name()?.to_str()?;
    let folder = pattern.parent().filter(|p| !p.as_os_str().is_empty());
    let fits = |path: &PathBuf| {
        path.is_file() && path.file_name().and_then(OsStr::to_str).is_some_and(|n| fits(name, n))
    };
    let found: Vec<OsString> = entries(folder.unwrap_or(Path::new(".")))
        .into_iter()
        .filter(fits)
        .take(FILES)
        .map(|path| match folder {
            Some(_) => path.into_os_string(),
            None => path.file_name().map(OsStr::to_owned).unwrap_or_default(),
        })
        .collect();
    (!found.is_empty()).then_some(found)
}

/// Whether a name fits a pattern of `*` and `?`, in time that grows with their product at most.
fn fits(pattern: &str, name: &str) -> bool {
    let mut rows: Vec<bool> = vec![true];
    let name: Vec<char> = name.chars().collect();
    rows.resize(name.len() + 1, false);
    for p in pattern.chars() {
        let mut next = vec![p == '*' && rows.first() == Some(&true)];
        for (i, c) in name.iter().enumerate() {
            let before = rows.get(i).copied().unwrap_or(false);
            let fit = match p {
                '*' => rows.get(i + 1).copied().unwrap_or(false) || next.get(i).copied().unwrap_or(false),
                '?' => before,
                p => before && p == *c,
            };
            next.push(fit);
        }
        rows = next;
    }
    rows.last() == Some(&true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_as_in_a_shell() {
        for (pattern, name, want) in [
            ("access.log*", "access.log", true),
            ("access.log*", "access.log.2.gz", true),
            ("*.gz", "access.log.2.gz", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*.gz", "access.log", false),
            ("**a**", "bab", true),
        ] {
            assert_eq!(fits(pattern, name), want, "{pattern} {name}");
        }
    }

    #[test]
    fn folders_and_patterns_stand_for_their_files() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("old")).unwrap();
        for name in ["access.log", "access.log.1", "old/access.log.2"] {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        let count = |name: PathBuf| expand(&[name.into()]).len();
        assert_eq!(count(folder.path().to_owned()), 3);
        assert_eq!(count(folder.path().join("access.log*")), 2);
        // A folder without files is named as what it is.
        let empty = folder.path().join("empty");
        std::fs::create_dir(&empty).unwrap();
        assert_eq!(expand(&[empty.clone().into()]), [empty.into_os_string()]);
        // What is no file may be a code, or words.
        assert_eq!(expand(&["401.3".into(), "what * is this?".into()]).len(), 2);
    }
}
