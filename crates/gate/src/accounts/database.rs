//! The gate's own database of accounts: one JSON object a line, rewritten as a whole and put in place by a rename, so that a
//! reader sees the old one or the new one. For thousands of accounts that is a few milliseconds; it needs no library in C.

use crate::files;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::Duration;

/// An account as it is stored.
#[derive(Debug, Clone, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Record {
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) passwords: Vec<Stored>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) digests: Vec<Digest>,
    /// SHA-256 of API keys, hexadecimal.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) keys: Vec<String>,
    /// SHA-256 of client certificates, hexadecimal.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) certificates: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) groups: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) disabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires: Option<jiff::Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unlocked: Option<jiff::Timestamp>,
}

/// A stored password.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stored {
    pub(crate) hash: String,
    /// Until when it is valid beside a newer one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) until: Option<jiff::Timestamp>,
}

/// What Digest stores.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(crate) struct Digest {
    pub(crate) realm: String,
    pub(crate) algorithm: String,
    pub(crate) hash: String,
}

/// Reads the database; one that does not exist yet is empty.
///
/// # Errors
/// What cannot be read, and in which line.
pub(crate) fn load(path: &Path) -> Result<Vec<Record>, String> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(format!("cannot read {}: {e}", path.display())),
    };
    let read = |(number, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|e| format!("{}:{number}: {e}", path.display()))
    };
    (1..).zip(text.lines()).filter(|(_, l)| !l.trim().is_empty()).map(read).collect()
}

/// How long a change waits for another's.
const LOCKED: Duration = Duration::from_secs(3);

/// Changes the database under a lock, durably.
///
/// # Errors
/// What hindered it, or what `change` says; nothing is changed then.
pub(crate) fn change<T>(
    path: &Path,
    change: impl FnOnce(&mut Vec<Record>) -> Result<T, String>,
) -> Result<T, String> {
    let _lock = files::lock(&path.with_extension("lock"), LOCKED)?;
    let mut records = load(path)?;
    let result = change(&mut records)?;
    let mut text = String::new();
    for record in &records {
        text.push_str(&serde_json::to_string(record).map_err(|e| e.to_string())?);
        text.push('\n');
    }
    files::replace(path, text.as_bytes())?;
    Ok(result)
}

/// The record of that name; made where there is none and `make` is set.
pub(crate) fn record<'a>(records: &'a mut Vec<Record>, name: &str, make: bool) -> Option<&'a mut Record> {
    if make && !records.iter().any(|r| r.name == name) {
        records.push(Record { name: name.to_owned(), ..Record::default() });
    }
    records.iter_mut().find(|r| r.name == name)
}

/// A SHA-256 from hexadecimal digits, with or without colons.
pub(crate) fn print_of(text: &str) -> Option<super::Print> {
    let digits: Vec<u32> =
        text.chars().filter(|c| *c != ':').map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    let bytes = digits.chunks(2).map(|p| match p {
        [high, low] => Some((high * 16 + low) as u8),
        _ => None,
    });
    bytes.collect::<Option<Vec<u8>>>()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_changed_is_there_afterwards_and_a_mistake_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accounts.jsonl");
        assert_eq!(load(&path), Ok(vec![]));
        change(&path, |records| {
            record(records, "alice", true).map(|r| r.disabled = true).ok_or(String::new())
        })
        .unwrap();
        let failed = change(&path, |records| {
            records.clear();
            Err::<(), _>("no".to_owned())
        });
        assert_eq!(failed, Err("no".to_owned()));
        let found = load(&path).unwrap();
        assert_eq!((found.len(), found[0].name.as_str(), found[0].disabled), (1, "alice", true));
        std::fs::write(&path, "{\"name\":\"a\"}\n{\"nam\":1}\n").unwrap();
        assert!(load(&path).unwrap_err().contains(":2: unknown field"));
    }
}
