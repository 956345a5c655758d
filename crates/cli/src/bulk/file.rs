//! Ranges of a file as whole lines.

use super::origin::Bytes;
use std::io;

/// So much is read beyond a range at once, to find the end of its last line.
const BEYOND: usize = 2 * 1024;
/// The most that is kept of one line.
pub(crate) const LONGEST: usize = 1024 * 1024;

/// The lines that begin in a range.
#[derive(Debug, Default)]
pub(crate) struct Block {
    /// Where the first of them begins.
    pub(crate) start: u64,
    /// Where the line behind the last one begins.
    pub(crate) end: u64,
    /// Of the buffer, what is whole lines.
    pub(crate) lines: std::ops::Range<usize>,
    /// The last line, if it is longer than any line should be: what is kept of it, and where that begins.
    pub(crate) long: Option<(Vec<u8>, u64)>,
}

/// Reads the lines that begin in `from..to` of a file of `size` bytes; `None` if no line begins there.
///
/// # Errors
/// Where the file cannot be read.
pub(crate) fn block(
    file: &Bytes<'_>,
    (from, to): (u64, u64),
    size: u64,
    buffer: &mut Vec<u8>,
) -> io::Result<Option<Block>> {
    let base = from.saturating_sub(1);
    let to = to.min(size);
    let room = usize::try_from(to - base).unwrap_or(usize::MAX).saturating_add(BEYOND);
    let mut filled = fill(file, base, size, buffer, 0, room)?;
    let within = usize::try_from(to - base).unwrap_or(usize::MAX).min(filled);
    let begin = match from {
        0 => 0,
        _ => {
            let head = buffer.get(..within.saturating_sub(1)).unwrap_or_default();
            let Some(at) = memchr::memchr(b'\n', head) else { return Ok(None) };
            at + 1
        }
    };
    if begin >= filled {
        return Ok(None);
    }
    let mut searched = within.saturating_sub(1);
    let start = base + begin as u64;
    loop {
        let rest = buffer.get(searched..filled).unwrap_or_default();
        if let Some(at) = memchr::memchr(b'\n', rest) {
            let end = searched + at + 1;
            return Ok(Some(Block { start, end: base + end as u64, lines: begin..end, long: None }));
        }
        let last = memchr::memrchr(b'\n', buffer.get(begin..filled).unwrap_or_default())
            .map_or(begin, |at| begin + at + 1);
        if filled - last > LONGEST {
            let (kept, kept_from, end) = long_line(file, base + last as u64, size)?;
            return Ok(Some(Block { start, end, lines: begin..last, long: Some((kept, kept_from)) }));
        }
        searched = filled;
        let more = fill(file, base, size, buffer, filled, filled + LONGEST)?;
        if more == filled {
            return Ok(Some(Block { start, end: base + filled as u64, lines: begin..filled, long: None }));
        }
        filled = more;
    }
}

/// Fills the buffer up to `room` bytes, or to the end of the file; how many there are.
fn fill(
    file: &Bytes<'_>,
    base: u64,
    size: u64,
    buffer: &mut Vec<u8>,
    mut filled: usize,
    room: usize,
) -> io::Result<usize> {
    let room = room.min(usize::try_from(size.saturating_sub(base)).unwrap_or(usize::MAX));
    if buffer.len() < room {
        buffer.resize(room, 0);
    }
    while filled < room {
        let Some(free) = buffer.get_mut(filled..room) else { break };
        match file.read_at(free, base + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}

/// The beginning of a very long line, without the NUL bytes before it; where that begins, and where the next line does.
fn long_line(file: &Bytes<'_>, start: u64, size: u64) -> io::Result<(Vec<u8>, u64, u64)> {
    let mut long = Long::default();
    let mut buffer = vec![0; LONGEST];
    let mut at = start;
    while at < size {
        let count = file.read_at(&mut buffer, at)?;
        let bytes = buffer.get(..count).unwrap_or_default();
        if bytes.is_empty() {
            break;
        }
        let end = memchr::memchr(b'\n', bytes);
        long.take(bytes.get(..end.unwrap_or(count)).unwrap_or_default());
        at += end.map_or(count, |end| end + 1) as u64;
        if end.is_some() {
            break;
        }
    }
    Ok((long.kept, start + long.skipped, at))
}

/// The beginning of a line that comes piece by piece.
#[derive(Debug, Default)]
pub(crate) struct Long {
    /// What is kept of it.
    pub(crate) kept: Vec<u8>,
    /// NUL bytes before it: rotation by copying leaves holes of them.
    pub(crate) skipped: u64,
}

impl Long {
    pub(crate) fn take(&mut self, piece: &[u8]) {
        let mut piece = piece;
        if self.kept.is_empty() {
            let nul = piece.iter().take_while(|b| **b == 0).count();
            self.skipped += nul as u64;
            piece = piece.get(nul..).unwrap_or_default();
        }
        let room = LONGEST.saturating_sub(self.kept.len()).min(piece.len());
        self.kept.extend_from_slice(piece.get(..room).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn every_line_is_in_one_block_however_the_file_is_cut() {
        let mut file = tempfile::tempfile().unwrap();
        let text: Vec<u8> = (0..400).flat_map(|i| format!("{}\n", "x".repeat(i % 37)).into_bytes()).collect();
        let text = [text, b"the end".to_vec()].concat();
        file.write_all(&text).unwrap();
        let bytes = Bytes::File(file);
        let size = text.len() as u64;
        for step in [1u64, 2, 7, 40, 1000, 100_000] {
            let (mut at, mut next, mut got) = (0, 0, Vec::new());
            while at < size {
                let mut buffer = Vec::new();
                if let Some(block) = block(&bytes, (at, at + step), size, &mut buffer).unwrap() {
                    assert_eq!(block.start, next);
                    got.extend_from_slice(&buffer[block.lines]);
                    next = block.end;
                }
                at += step;
            }
            assert!(got == text, "step {step}");
        }
    }

    #[test]
    fn of_an_enormous_line_the_beginning_is_kept_and_holes_are_passed_over() {
        let mut file = tempfile::tempfile().unwrap();
        let hole = vec![0; 3 * LONGEST];
        let long = vec![b'y'; 2 * LONGEST + 5];
        let text = [b"one\n", &hole[..], b"two\n", &long, b"\nthree\n"].concat();
        file.write_all(&text).unwrap();
        let bytes = Bytes::File(file);
        let mut found = Vec::new();
        let mut at = 0;
        while at < text.len() as u64 {
            let mut buffer = Vec::new();
            if let Some(b) = block(&bytes, (at, at + 300_000), text.len() as u64, &mut buffer).unwrap() {
                found.push(buffer[b.lines].to_vec());
                found.extend(b.long.map(|(kept, from)| {
                    assert_eq!(&text[from as usize..][..kept.len()], kept);
                    kept
                }));
            }
            at += 300_000;
        }
        let lengths: Vec<usize> = found.concat().split(|b| *b == b'\n').map(<[u8]>::len).collect();
        let whole = found.concat();
        assert!(whole.starts_with(b"one\ntwo") && whole.ends_with(b"three\n"), "{lengths:?}");
        assert!(!whole.contains(&0));
    }
}
