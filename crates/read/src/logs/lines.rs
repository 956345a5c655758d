//! Lines of any length in bounded memory, each with its place.

use memchr::memchr;
use std::io::{self, BufRead};

/// How much of a line is kept; the rest of a longer one is passed over.
pub(crate) const LONGEST: usize = 1024 * 1024;

/// A line without its line break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Raw<'a> {
    /// Its bytes, at most [`LONGEST`].
    pub(crate) bytes: &'a [u8],
    /// Offset of its first byte.
    pub(crate) offset: u64,
    /// Its 1-based number.
    pub(crate) number: u32,
    /// How long it really is, if bytes were passed over.
    pub(crate) cut_from: Option<u64>,
}

/// Takes a source apart into lines; hands out the reader's own buffer wherever a line lies in it whole.
pub(crate) struct Lines<'r> {
    input: &'r mut dyn BufRead,
    kept: Vec<u8>,
    offset: u64,
    number: u32,
    /// Bytes of the reader's buffer that the line handed out last occupies.
    lent: usize,
}

impl<'r> Lines<'r> {
    /// Begins at the start of a source.
    pub(crate) fn new(input: &'r mut dyn BufRead) -> Self {
        Lines::behind(input, (0, 0))
    }

    /// Begins behind a line, at this offset and behind the line of this number.
    pub(crate) fn behind(input: &'r mut dyn BufRead, (offset, number): (u64, u32)) -> Self {
        Lines { input, kept: Vec::new(), offset, number, lent: 0 }
    }

    /// Where the line that was handed out last ends, and its number. It is done with, so that others can read on.
    pub(crate) fn place(&mut self) -> (u64, u32) {
        self.input.consume(std::mem::take(&mut self.lent));
        (self.offset, self.number)
    }

    /// The next line; `None` at the end. CR LF and LF end a line, and so does the end of the source. Where the source
    /// says between two lines that nothing comes for now ([`io::ErrorKind::WouldBlock`]), so does this, and may be asked
    /// again.
    pub(crate) fn next(&mut self) -> io::Result<Option<Raw<'_>>> {
        self.input.consume(std::mem::take(&mut self.lent));
        let offset = self.offset;
        let buffered = self.input.fill_buf()?;
        if buffered.is_empty() {
            return Ok(None);
        }
        self.number = self.number.saturating_add(1);
        let whole = memchr(b'\n', buffered).filter(|end| *end <= LONGEST);
        let Some(end) = whole else { return self.gather(offset).map(Some) };
        self.lent = end + 1;
        self.offset += self.lent as u64;
        // Asked again, for the borrow of the first answer must not outlive the branch; nothing is read anew.
        let bytes = self.input.fill_buf()?.get(..end).unwrap_or_default();
        Ok(Some(Raw { bytes: without_cr(bytes), offset, number: self.number, cut_from: None }))
    }

    /// A line that is not in the buffer whole.
    fn gather(&mut self, offset: u64) -> io::Result<Raw<'_>> {
        self.kept.clear();
        loop {
            let buffered = match self.input.fill_buf() {
                // The rest of the line is waited for.
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => continue,
                buffered => buffered?,
            };
            if buffered.is_empty() {
                break;
            }
            let end = memchr(b'\n', buffered);
            let part = buffered.get(..end.unwrap_or(buffered.len())).unwrap_or_default();
            let room = LONGEST - self.kept.len();
            self.kept.extend_from_slice(part.get(..room.min(part.len())).unwrap_or_default());
            let taken = part.len() + usize::from(end.is_some());
            self.offset += taken as u64;
            self.input.consume(taken);
            if end.is_some() {
                break;
            }
        }
        let length = self.offset - offset;
        let cut_from = (length > LONGEST as u64 + 2).then_some(length);
        Ok(Raw { bytes: without_cr(&self.kept), offset, number: self.number, cut_from })
    }
}

fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The lines of the head of a source, for sniffers; the last one may be cut off.
pub(crate) fn of(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    head.split(|b| *b == b'\n').map(without_cr)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    fn all(text: &[u8], buffer: usize) -> Vec<(Vec<u8>, u64, u32, Option<u64>)> {
        let mut input = BufReader::with_capacity(buffer, text);
        let mut lines = Lines::new(&mut input);
        let mut out = Vec::new();
        while let Some(l) = lines.next().unwrap() {
            out.push((l.bytes.to_vec(), l.offset, l.number, l.cut_from));
        }
        out
    }

    #[test]
    fn lines_keep_their_places_whatever_the_buffer() {
        for buffer in [1, 3, 64] {
            let got = all(b"one\r\n\ntwo\nthree", buffer);
            let places: Vec<_> = got.iter().map(|(b, o, n, _)| (b.as_slice(), *o, *n)).collect();
            let want: [(&[u8], u64, u32); 4] =
                [(b"one", 0, 1), (b"", 5, 2), (b"two", 6, 3), (b"three", 10, 4)];
            assert_eq!(places, want);
        }
    }

    /// Gives pieces; an empty one is a pause.
    struct Pauses(Vec<&'static [u8]>);

    impl io::Read for Pauses {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            match (!self.0.is_empty()).then(|| self.0.remove(0)) {
                Some([]) => Err(io::ErrorKind::WouldBlock.into()),
                Some(mut piece) => piece.read(into),
                None => Ok(0),
            }
        }
    }

    #[test]
    fn a_pause_between_lines_is_told_and_one_within_a_line_is_waited_for() {
        let mut input = BufReader::new(Pauses(vec![b"one\n", b"", b"tw", b"", b"o\n"]));
        let mut lines = Lines::new(&mut input);
        let mut next = || lines.next().map(|l| l.map(|l| (l.bytes.to_vec(), l.offset))).map_err(|e| e.kind());
        assert_eq!(next(), Ok(Some((b"one".to_vec(), 0))));
        assert_eq!(next(), Err(io::ErrorKind::WouldBlock));
        assert_eq!(next(), Ok(Some((b"two".to_vec(), 4))));
        assert_eq!(next(), Ok(None));
    }

    #[test]
    fn an_enormous_line_is_cut_and_the_next_one_is_whole() {
        let mut text = vec![b'x'; LONGEST + 500];
        text.extend_from_slice(b"\nnext\n");
        let got = all(&text, 4096);
        assert_eq!(got[0].0.len(), LONGEST);
        assert_eq!(got[0].3, Some(LONGEST as u64 + 501));
        assert_eq!((got[1].0.as_slice(), got[1].1, got[1].3), (&b"next"[..], LONGEST as u64 + 501, None));
    }
}
