//! A reader that takes from the front of a packet and never indexes.

/// A stretch of a packet's bytes that stands in the capture in one piece.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    /// How many bytes it covers.
    pub(crate) len: usize,
    /// Offset of its first byte in the capture.
    pub(crate) at: u64,
}

/// Where the bytes stand: in one piece, or, behind IP fragments, in several.
#[derive(Debug, Clone, Copy)]
enum Origin<'a> {
    At(u64),
    Runs { runs: &'a [Run], skip: usize },
}

/// Bytes of a packet that know where they stand in the capture.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bytes<'a> {
    data: &'a [u8],
    origin: Origin<'a>,
}

impl<'a> Bytes<'a> {
    /// Bytes that stand in one piece from the offset `at` on.
    pub(crate) fn at(data: &'a [u8], at: u64) -> Self {
        Bytes { data, origin: Origin::At(at) }
    }

    /// Bytes put together of several runs.
    pub(crate) fn of_runs(data: &'a [u8], runs: &'a [Run]) -> Self {
        Bytes { data, origin: Origin::Runs { runs, skip: 0 } }
    }

    pub(crate) fn data(&self) -> &'a [u8] {
        self.data
    }

    pub(crate) fn len(&self) -> usize {
        self.data.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// Offset of the first byte in the capture.
    pub(crate) fn offset(&self) -> u64 {
        match self.origin {
            Origin::At(at) => at,
            Origin::Runs { runs, mut skip } => {
                for run in runs {
                    if skip < run.len {
                        return run.at + skip as u64;
                    }
                    skip -= run.len;
                }
                runs.last().map_or(0, |r| r.at + r.len as u64)
            }
        }
    }

    /// The byte at `i`, not taken.
    pub(crate) fn peek(&self, i: usize) -> Option<u8> {
        self.data.get(i).copied()
    }

    /// The 16-bit big-endian number at `i`, not taken.
    pub(crate) fn peek_u16(&self, i: usize) -> Option<u16> {
        Some(u16::from_be_bytes([self.peek(i)?, self.peek(i + 1)?]))
    }

    /// Drops `n` bytes from the front; `None` if there are fewer.
    pub(crate) fn skip(&mut self, n: usize) -> Option<()> {
        self.data = self.data.get(n..)?;
        self.origin = match self.origin {
            Origin::At(at) => Origin::At(at + n as u64),
            Origin::Runs { runs, skip } => Origin::Runs { runs, skip: skip + n },
        };
        Some(())
    }

    /// Takes `n` bytes from the front; `None` if there are fewer.
    pub(crate) fn take(&mut self, n: usize) -> Option<Bytes<'a>> {
        let taken = Bytes { data: self.data.get(..n)?, origin: self.origin };
        self.skip(n)?;
        Some(taken)
    }

    /// Takes `N` bytes from the front.
    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (front, _) = self.data.split_first_chunk::<N>()?;
        let front = *front;
        self.skip(N)?;
        Some(front)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array().map(|[b]| b)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// The first `n` bytes, or all if there are fewer.
    pub(crate) fn truncated(self, n: usize) -> Bytes<'a> {
        Bytes { data: self.data.get(..n).unwrap_or(self.data), ..self }
    }

    /// The bytes in pieces that each stand in the capture in one piece, with their offsets.
    pub(crate) fn runs(self) -> impl Iterator<Item = (&'a [u8], u64)> {
        let (runs, mut skip, mut whole) = match self.origin {
            Origin::At(at) => ([].as_slice(), 0, Some((self.data, at))),
            Origin::Runs { runs, skip } => (runs, skip, None),
        };
        let (mut runs, mut rest) = (runs.iter(), self.data);
        std::iter::from_fn(move || {
            if let Some(whole) = whole.take() {
                return Some(whole);
            }
            loop {
                let run = runs.next().filter(|_| !rest.is_empty())?;
                if skip >= run.len {
                    skip -= run.len;
                    continue;
                }
                let n = (run.len - skip).min(rest.len());
                let (piece, tail) = rest.split_at_checked(n)?;
                rest = tail;
                let at = run.at + skip as u64;
                skip = 0;
                return Some((piece, at));
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_cut_where_taking_began() {
        let runs = [Run { len: 3, at: 100 }, Run { len: 4, at: 200 }];
        let mut b = Bytes::of_runs(b"abcdefg", &runs);
        b.skip(2).unwrap();
        let all: Vec<_> = b.runs().collect();
        assert_eq!(all, [(&b"c"[..], 102), (&b"defg"[..], 200)]);
        b.skip(2).unwrap();
        assert_eq!(b.offset(), 201);
        assert_eq!(b.truncated(2).runs().collect::<Vec<_>>(), [(&b"ef"[..], 201)]);
    }

    #[test]
    fn too_much_is_not_taken() {
        let mut b = Bytes::at(b"abc", 7);
        assert!(b.take(4).is_none());
        assert_eq!((b.len(), b.offset()), (3, 7));
        assert_eq!(b.u16(), Some(0x6162));
        assert_eq!(b.offset(), 9);
    }
}
