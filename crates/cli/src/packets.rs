//! Captures on two threads: one reads and puts the streams together, the other makes sense of what was said.

use crate::ahead::{Ahead, Made, read_piece};
use crate::args::Evidence;
use crate::evidence::{in_words, read_bytes, report};
use crate::tally::Tally;
use std::io::{self, Read};
use std::sync::Arc;
use why401_read::capture::{Heard, Hearing, Packets, Told, format_of, listen};
use why401_read::{KeyLog, Sink};
use why401_report::SourceReport;
use why401_span::SourceId;

/// Reads evidence ahead; where it is a capture, in two halves.
///
/// # Errors
/// Where nothing of it can be used: in words, why.
pub(crate) fn read(
    args: &Evidence,
    id: SourceId,
    mut from: impl Read + Send + 'static,
    pause: &mut dyn FnMut(),
    keys: &[Arc<KeyLog>],
    sink: &mut dyn Sink,
) -> Result<SourceReport, String> {
    let first = read_piece(&mut from, Vec::new()).map_err(|e| in_words(&e))?;
    let chosen = args.input.as_deref();
    let Some(format) = format_of(&first).filter(|format| chosen.is_none_or(|name| name == *format)) else {
        let all = io::Cursor::new(first).chain(from);
        return read_bytes(args, id, &mut Ahead::new(all, pause), keys, sink);
    };
    let mut tally = Tally::new(sink);
    let packets = Packets::new(id, &first, &mut tally);
    let made = Made::new(first_half(packets, first, from), pause);
    let mut two = Two { made, bytes: 0 };
    listen(id, keys, &mut two, &mut tally).map_err(|e| in_words(&e))?;
    let bytes = two.bytes;
    report(tally, format, bytes)
}

/// Reads a capture, of which the first piece was read, and takes it apart piece by piece.
fn first_half(
    packets: Packets,
    first: Vec<u8>,
    mut from: impl Read,
) -> impl FnMut(Told) -> Option<io::Result<Heard>> {
    let (mut first, mut packets, mut over) = (Some(first), Some(packets), false);
    move |mut used| {
        let room = used.take_piece();
        if !over {
            let piece = match first.take() {
                Some(first) => Ok(first),
                None => read_piece(&mut from, room),
            };
            match piece {
                Ok(piece) if piece.is_empty() => over = true,
                Ok(piece) => return packets.as_mut().map(|packets| Ok(packets.take(piece, used))),
                Err(e) => return packets.take().map(|_| Err(e)),
            }
        }
        let heard = packets.as_mut()?.end(used);
        if matches!(heard, Heard::End(..)) {
            packets = None;
        }
        Some(Ok(heard))
    }
}

/// What the first half gives to the second.
struct Two<'a> {
    made: Made<'a, io::Result<Heard>, Told>,
    bytes: u64,
}

impl Hearing for Two<'_> {
    fn next(&mut self) -> io::Result<Option<Heard>> {
        self.made.next().transpose()
    }

    fn done(&mut self, told: Told) {
        self.bytes += told.piece().len() as u64;
        self.made.give_back(told);
    }
}
