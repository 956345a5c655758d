//! A second reading of large logs, now that it is known what was found: every refusal, with what it was explained with.

use super::choose::Log;
use super::stream::{Blocks, Lines};
use super::work::Folded;
use jiff::Timestamp;
use std::io::{self, Read};
use why401_fold::{Alike, Claimed, Known, Rows, Seen, Take};
use why401_read::Plain;
use why401_read::bulk::{Filter, Scanner};
use why401_span::SourceId;

/// A refused request of a log; texts as they are spelt there.
pub(crate) struct Refused {
    pub(crate) source: SourceId,
    /// Which exchange of its source it is, from 0.
    pub(crate) index: u64,
    /// Its 1-based line.
    pub(crate) line: u32,
    pub(crate) time: Option<Timestamp>,
    pub(crate) client: Option<String>,
    pub(crate) host: Option<String>,
    pub(crate) method: Option<String>,
    /// The target without its query.
    pub(crate) path: Option<String>,
    pub(crate) status: Option<u16>,
    pub(crate) user: Option<String>,
}

/// Gives `out` every refusal, in order of time of the logs, with the number of those it was explained with.
///
/// # Errors
/// Where a log cannot be read, or `out` cannot go on.
pub(crate) fn each(
    logs: &[Log<'_>],
    folded: &Folded,
    filter: &Filter,
    out: &mut dyn FnMut(Refused, Option<u64>) -> io::Result<()>,
) -> io::Result<()> {
    let known = folded.told.known(folded.seed);
    let mut second = Second {
        rows: Rows::new(folded.seed),
        out: Out { known, to: out, failed: None },
        source: SourceId(0),
        index: 0,
    };
    for log in logs {
        (second.source, second.index) = (log.id, 0);
        let mut scanner = log.bulk.scanner(filter);
        let bytes = log.origin.open()?.into_reader();
        let from: Box<dyn Read + '_> = match log.coding {
            Some(coding) => Box::new(Plain::new(coding, bytes)?),
            None => bytes,
        };
        second.read(Blocks::new(from), &mut scanner)?;
    }
    let Second { rows, mut out, .. } = second;
    rows.finish(&mut |row, alike| out.give(row, alike));
    out.failed.map_or(Ok(()), Err)
}

/// Whoever gets the rows.
struct Out<'a> {
    known: Known,
    to: &'a mut dyn FnMut(Refused, Option<u64>) -> io::Result<()>,
    failed: Option<io::Error>,
}

impl Out<'_> {
    fn give(&mut self, row: Refused, alike: Alike) {
        if self.failed.is_none() {
            self.failed = (self.to)(row, self.known.group(&alike)).err();
        }
    }
}

struct Second<'a> {
    rows: Rows<Refused>,
    out: Out<'a>,
    source: SourceId,
    index: u64,
}

impl Second<'_> {
    fn read(&mut self, mut blocks: Blocks<Box<dyn Read + '_>>, scanner: &mut Scanner) -> io::Result<()> {
        let mut lines = 0u32;
        loop {
            let added = match blocks.next()? {
                None => return Ok(()),
                Some(Lines::Whole(text, offset)) => scanner.block(text, offset, lines, false, self).lines,
                Some(Lines::Long(kept, offset)) => {
                    scanner.block(kept.trim_ascii_end(), offset, lines, false, self).lines.max(1)
                }
            };
            lines = lines.saturating_add(added);
            if let Some(failed) = self.out.failed.take() {
                return Err(failed);
            }
        }
    }
}

impl Take for Second<'_> {
    fn take(&mut self, seen: &Seen<'_>, line: u32) {
        let (source, index) = (self.source, self.index);
        self.index += 1;
        let out = &mut self.out;
        self.rows.take(seen, || refused(seen, source, index, line), &mut |row, alike| out.give(row, alike));
    }

    fn odd(&mut self, _: &[u8], _: u64, _: u32) {}
}

fn refused(seen: &Seen<'_>, source: SourceId, index: u64, line: u32) -> Refused {
    let text = |bytes: &[u8]| (!bytes.is_empty()).then(|| String::from_utf8_lossy(bytes).into_owned());
    let user = match seen.user {
        Claimed::Name(name) => text(name).map(|name| why401_history::named(&name)),
        _ => None,
    };
    Refused {
        source,
        index,
        line,
        time: seen.time.and_then(|ms| Timestamp::from_millisecond(ms).ok()),
        client: text(seen.client),
        host: text(seen.host),
        method: text(seen.method),
        path: text(seen.path),
        status: (seen.status > 0).then_some(seen.status),
        user,
    }
}
