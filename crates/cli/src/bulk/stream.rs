//! What comes as a stream, as blocks of whole lines.

use super::file::{LONGEST, Long};
use std::io::{self, Read};

/// So much is read at once.
const ROOM: usize = 1024 * 1024;

/// Cuts a stream into blocks of whole lines.
pub(crate) struct Blocks<R> {
    from: R,
    buffer: Vec<u8>,
    /// What was handed out last, to be dropped.
    given: usize,
    filled: usize,
    /// Where the buffer begins in the stream.
    offset: u64,
    ended: bool,
}

/// Whole lines, or what is kept of one very long line.
pub(crate) enum Lines<'a> {
    /// Lines, and where they begin.
    Whole(&'a [u8], u64),
    /// The beginning of a line, and where that begins.
    Long(Vec<u8>, u64),
}

impl<R: Read> Blocks<R> {
    pub(crate) fn new(from: R) -> Self {
        Blocks { from, buffer: vec![0; ROOM], given: 0, filled: 0, offset: 0, ended: false }
    }

    /// How far the stream was handed out, when asked after a block.
    pub(crate) fn position(&self) -> u64 {
        self.offset + self.given as u64
    }

    /// What it reads from.
    pub(crate) fn source(&self) -> &R {
        &self.from
    }

    /// The next block; `None` at the end.
    ///
    /// # Errors
    /// Where the stream cannot be read.
    pub(crate) fn next(&mut self) -> io::Result<Option<Lines<'_>>> {
        self.buffer.copy_within(self.given..self.filled, 0);
        self.filled -= self.given;
        self.offset += self.given as u64;
        self.given = 0;
        let mut searched = 0;
        loop {
            while !self.ended && self.filled < self.buffer.len() {
                self.fill()?;
            }
            let new = self.buffer.get(searched..self.filled).unwrap_or_default();
            if let Some(last) = memchr::memrchr(b'\n', new) {
                self.given = searched + last + 1;
                break;
            }
            if self.ended {
                self.given = self.filled;
                break;
            }
            if self.filled > LONGEST {
                return self.long().map(|(kept, offset)| Some(Lines::Long(kept, offset)));
            }
            searched = self.filled;
            self.buffer.resize(self.filled + ROOM, 0);
        }
        let lines = self.buffer.get(..self.given).unwrap_or_default();
        Ok((!lines.is_empty()).then_some(Lines::Whole(lines, self.offset)))
    }

    fn fill(&mut self) -> io::Result<()> {
        let Some(free) = self.buffer.get_mut(self.filled..) else { return Ok(()) };
        match self.from.read(free) {
            Ok(0) => self.ended = true,
            Ok(count) => self.filled += count,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
        Ok(())
    }

    /// Passes over a line without end that fills the buffer.
    fn long(&mut self) -> io::Result<(Vec<u8>, u64)> {
        let mut long = Long::default();
        let start = self.offset;
        loop {
            let bytes = self.buffer.get(..self.filled).unwrap_or_default();
            let end = memchr::memchr(b'\n', bytes);
            long.take(bytes.get(..end.unwrap_or(self.filled)).unwrap_or_default());
            if let Some(end) = end {
                self.given = end + 1;
                break;
            }
            self.offset += self.filled as u64;
            self.filled = 0;
            self.fill()?;
            if self.ended && self.filled == 0 {
                break;
            }
        }
        Ok((long.kept, start + long.skipped))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_lines_come_out_with_their_places() {
        let long = vec![b'z'; 3 * LONGEST];
        let text = [b"one\n", &vec![b'a'; ROOM + 9][..], b"\n", &long, b"\nlast"].concat();
        let mut blocks = Blocks::new(&text[..]);
        let (mut got, mut lines) = (Vec::new(), 0);
        while let Some(next) = blocks.next().unwrap() {
            match next {
                Lines::Whole(bytes, offset) => {
                    assert_eq!(&text[offset as usize..][..bytes.len()], bytes);
                    got.extend_from_slice(bytes);
                    lines += 1;
                }
                Lines::Long(kept, offset) => assert!(text[offset as usize..].starts_with(&kept)),
            }
        }
        assert!(got.starts_with(b"one\naaa") && got.ends_with(b"last") && lines >= 2);
        assert_eq!(blocks.position(), text.len() as u64);
    }
}
