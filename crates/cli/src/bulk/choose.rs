//! Which pieces of the evidence are logs that are read this way.

use super::origin::Origin;
use std::io::{self, Read};
use why401_fold::{Part, Parts, Seed};
use why401_read::bulk::{Bulk, Filter};
use why401_read::{Coding, HEAD, Plain};
use why401_span::SourceId;

/// Logs that are smaller than this all together are read line by line.
pub(crate) const LARGE: u64 = 1024 * 1024;
/// How many times smaller a compressed log is taken to be: logs of machines repeat themselves.
const RATIO: u64 = 40;

/// A log that is read this way.
pub(crate) struct Log<'a> {
    /// Its number among the sources.
    pub(crate) id: SourceId,
    /// Where its bytes are.
    pub(crate) origin: Origin<'a>,
    pub(crate) coding: Option<Coding>,
    /// Its bytes as they lie there.
    pub(crate) size: u64,
    pub(crate) bulk: Bulk,
    /// The first time in it, in milliseconds since 1970.
    first: Option<i64>,
}

impl Log<'_> {
    /// One that was read on another machine.
    pub(crate) fn elsewhere(id: SourceId, coding: Option<Coding>, size: u64, bulk: Bulk) -> Log<'static> {
        Log { id, origin: Origin::Elsewhere, coding, size, bulk, first: None }
    }

    /// Its place among others. Rotated sets: whatever their names, what began first comes first.
    pub(crate) fn place(&self) -> (bool, Option<i64>, SourceId) {
        (self.first.is_none(), self.first, self.id)
    }

    /// Whether it can be read from several places at once.
    pub(crate) fn is_divisible(&self) -> bool {
        !self.is_piped() && self.coding.is_none() && self.bulk.is_divisible()
    }

    /// Whether it can be read once only.
    pub(crate) fn is_piped(&self) -> bool {
        matches!(self.origin, Origin::Pipe)
    }
}

/// Picks them among what is given, in order of time. None, if they are small. `piped` is the beginning of standard input.
pub(crate) fn choose<'a>(
    given: impl IntoIterator<Item = (SourceId, Origin<'a>)>,
    piped: Option<&[u8]>,
    input: Option<&str>,
    log_format: Option<&str>,
) -> Vec<Log<'a>> {
    let size = |origin: &Origin<'_>| match origin {
        Origin::File(path) => Some(std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?.len()),
        Origin::Memory(bytes) => Some(bytes.len() as u64),
        Origin::Upload(part) => Some(part.size()),
        Origin::Pipe => Some(piped?.len() as u64),
        Origin::Elsewhere => None,
    };
    let sized = given.into_iter().filter_map(|(id, origin)| Some((id, size(&origin)?, origin)));
    let sized: Vec<(SourceId, u64, Origin<'a>)> = sized.collect();
    if sized.iter().map(|(_, size, _)| size).sum::<u64>().saturating_mul(RATIO) < LARGE {
        return Vec::new();
    }
    let looked = sized.into_iter().filter_map(|(id, size, origin)| {
        let head = match origin.open() {
            Ok(bytes) => read_head(bytes.into_reader())?,
            Err(_) => piped?.to_vec(),
        };
        look(id, origin, head, size, (input, log_format))
    });
    let mut logs: Vec<Log<'a>> = looked.collect();
    let weigh = |log: &Log<'_>| if log.coding.is_some() { log.size.saturating_mul(RATIO) } else { log.size };
    if logs.iter().map(weigh).sum::<u64>() < LARGE {
        return Vec::new();
    }
    logs.sort_by_key(Log::place);
    logs
}

/// Looks at a log by its head, however small it is. `None` where it cannot be read this way.
pub(crate) fn look_at<'a>(
    id: SourceId,
    origin: Origin<'a>,
    size: u64,
    formats: (Option<&str>, Option<&str>),
) -> io::Result<Option<Log<'a>>> {
    let mut head = Vec::new();
    origin.open()?.into_reader().take(HEAD as u64).read_to_end(&mut head)?;
    Ok(look(id, origin, head, size, formats))
}

fn read_head(from: impl Read) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    from.take(HEAD as u64).read_to_end(&mut head).ok()?;
    Some(head)
}

fn look<'a>(
    id: SourceId,
    origin: Origin<'a>,
    mut head: Vec<u8>,
    size: u64,
    (input, log_format): (Option<&str>, Option<&str>),
) -> Option<Log<'a>> {
    let coding = Coding::of(&head);
    if let Some(coding) = coding {
        let packed = std::mem::take(&mut head);
        let from: Box<dyn Read + '_> = match origin.open() {
            Ok(bytes) => bytes.into_reader(),
            Err(_) => Box::new(io::Cursor::new(packed)),
        };
        head = read_head(Plain::new(coding, from).ok()?)?;
        if Coding::of(&head).is_some() {
            return None;
        }
    }
    head.truncate(HEAD);
    let bulk = Bulk::of(&head, input, log_format)?;
    let first = first_time(&bulk, &head);
    Some(Log { id, origin, coding, size, bulk, first })
}

/// The first time that the head of a log tells.
pub(crate) fn first_time(bulk: &Bulk, head: &[u8]) -> Option<i64> {
    let mut part = Part::new(Seed(0), 0, 0, false);
    bulk.scanner(&Filter::default()).block(head, 0, 0, false, &mut part);
    let mut parts = Parts::default();
    parts.insert(part);
    parts.finish().accounts.first().and_then(|a| a.first)
}

/// Why a log is not read this way.
pub(crate) const UNFIT: &str = "is no access log that can be folded: read it with `why401` itself";

/// The name of how a log is compressed.
pub(crate) fn codec(coding: Option<Coding>) -> &'static str {
    let named = Coding::NAMED.iter().find(|(_, of)| Some(*of) == coding);
    named.map_or("plain", |(name, _)| name)
}

/// What that name stands for.
pub(crate) fn coding(codec: &str) -> Option<Coding> {
    Coding::NAMED.iter().find(|(name, _)| *name == codec).map(|(_, of)| *of)
}
