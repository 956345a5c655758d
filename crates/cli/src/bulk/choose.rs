//! Which pieces of the evidence are logs that are read this way.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use why401_fold::{Part, Parts, Seed};
use why401_read::bulk::{Bulk, Filter};
use why401_read::{Coding, HEAD, Plain};
use why401_span::SourceId;

/// Logs that are smaller than this all together are read line by line.
pub(crate) const LARGE: u64 = 1024 * 1024;
/// How many times smaller a compressed log is taken to be: logs of machines repeat themselves.
const RATIO: u64 = 40;

/// A log that is read this way.
pub(crate) struct Log {
    /// Its number among the sources.
    pub(crate) id: SourceId,
    /// Where it lies; `None` for standard input.
    pub(crate) path: Option<PathBuf>,
    pub(crate) coding: Option<Coding>,
    /// Its bytes as they lie there.
    pub(crate) size: u64,
    pub(crate) bulk: Bulk,
    /// The first time in it, in milliseconds since 1970.
    first: Option<i64>,
}

/// Picks them, in order of time. None, if they are small. `piped` is the beginning of standard input.
pub(crate) fn choose(
    names: &[OsString],
    piped: Option<&[u8]>,
    input: Option<&str>,
    log_format: Option<&str>,
) -> Vec<Log> {
    let size = |name: &OsString| match (name == "-", piped) {
        (true, piped) => Some(piped?.len() as u64),
        (false, _) => Some(std::fs::metadata(name).ok().filter(std::fs::Metadata::is_file)?.len()),
    };
    let sizes: u64 = names.iter().filter_map(size).sum();
    if sizes.saturating_mul(RATIO) < LARGE {
        return Vec::new();
    }
    let mut logs: Vec<Log> = names
        .iter()
        .enumerate()
        .filter_map(|(number, name)| {
            let (id, size) = (SourceId(u32::try_from(number).ok()?), size(name)?);
            let path = (name != "-").then(|| Path::new(name));
            let head = match path {
                Some(path) => {
                    let mut head = Vec::new();
                    File::open(path).ok()?.take(HEAD as u64).read_to_end(&mut head).ok()?;
                    head
                }
                None => piped?.to_vec(),
            };
            look(id, path, head, size, (input, log_format))
        })
        .collect();
    let weigh = |log: &Log| if log.coding.is_some() { log.size.saturating_mul(RATIO) } else { log.size };
    if logs.iter().map(weigh).sum::<u64>() < LARGE {
        return Vec::new();
    }
    // Rotated sets: whatever their names, what began first comes first.
    logs.sort_by_key(|log| (log.first.is_none(), log.first, log.id));
    logs
}

fn look(
    id: SourceId,
    path: Option<&Path>,
    mut head: Vec<u8>,
    size: u64,
    (input, log_format): (Option<&str>, Option<&str>),
) -> Option<Log> {
    let coding = Coding::of(&head);
    if let Some(coding) = coding {
        let packed = std::mem::take(&mut head);
        let from: Box<dyn Read> = match path {
            Some(path) => Box::new(File::open(path).ok()?),
            None => Box::new(io::Cursor::new(packed)),
        };
        Plain::new(coding, from).ok()?.take(HEAD as u64).read_to_end(&mut head).ok()?;
        if Coding::of(&head).is_some() {
            return None;
        }
    }
    head.truncate(HEAD);
    let bulk = Bulk::of(&head, input, log_format)?;
    let first = first_time(&bulk, &head);
    Some(Log { id, path: path.map(Path::to_owned), coding, size, bulk, first })
}

/// The first time that the head of a log tells.
pub(crate) fn first_time(bulk: &Bulk, head: &[u8]) -> Option<i64> {
    let mut part = Part::new(Seed(0), 0, 0, false);
    bulk.scanner(&Filter::default()).block(head, 0, 0, false, &mut part);
    let mut parts = Parts::default();
    parts.insert(part);
    parts.finish().accounts.first().and_then(|a| a.first)
}
