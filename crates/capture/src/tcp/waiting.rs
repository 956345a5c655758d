//! Parts of a stream that cannot be handed over yet.

use crate::sink::Time;
use std::collections::BTreeMap;

/// A part of a stream as a packet brought it.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) what: What,
    pub(crate) time: Option<Time>,
    /// The position that its sender had received of the other direction.
    pub(crate) needs: i64,
}

#[derive(Debug)]
pub(crate) enum What {
    /// Bytes, and where they stand in the capture.
    Bytes(Box<[u8]>, u64),
    /// So many bytes of the packet were not captured.
    Cut(u64),
}

/// What a node of the tree costs beside its bytes, roughly.
const OVERHEAD: usize = 128;

impl Chunk {
    pub(crate) fn len(&self) -> i64 {
        match &self.what {
            What::Bytes(bytes, _) => bytes.len() as i64,
            What::Cut(n) => *n as i64,
        }
    }

    fn cost(&self) -> usize {
        match &self.what {
            What::Bytes(bytes, _) => bytes.len() + OVERHEAD,
            What::Cut(_) => OVERHEAD,
        }
    }

    fn part(&self, from: usize, to: usize) -> Chunk {
        let what = match &self.what {
            What::Bytes(bytes, at) => {
                What::Bytes(bytes.get(from..to).unwrap_or_default().into(), at + from as u64)
            }
            What::Cut(_) => What::Cut((to - from) as u64),
        };
        Chunk { what, ..*self }
    }
}

/// Chunks by position, none of which overlap.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    chunks: BTreeMap<i64, Chunk>,
    pub(crate) cost: usize,
}

impl Waiting {
    pub(crate) fn first(&self) -> Option<(i64, &Chunk)> {
        self.chunks.first_key_value().map(|(at, chunk)| (*at, chunk))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    pub(crate) fn take_first(&mut self) -> Option<(i64, Chunk)> {
        let (at, chunk) = self.chunks.pop_first()?;
        self.cost -= chunk.cost();
        Some((at, chunk))
    }

    /// Keeps what of the chunk, from `from` on, is not there yet: the first one counts. Says whether it agrees with
    /// what is there.
    pub(crate) fn keep(&mut self, position: i64, mut from: i64, chunk: &Chunk) -> bool {
        let end = position + chunk.len();
        let mut agrees = true;
        while from < end {
            let before = self.chunks.range(..=from).next_back();
            if let Some((at, known)) = before.filter(|(at, known)| *at + known.len() > from) {
                agrees &= agree((*at, known), (position, chunk));
                from = at + known.len();
                continue;
            }
            let next = self.chunks.range(from..).next().map_or(end, |(at, _)| (*at).min(end));
            let part = chunk.part((from - position) as usize, (next - position) as usize);
            self.cost += part.cost();
            self.chunks.insert(from, part);
            from = next;
        }
        agrees
    }
}

/// Whether two chunks hold the same bytes where they overlap.
fn agree(a: (i64, &Chunk), b: (i64, &Chunk)) -> bool {
    let (What::Bytes(a_bytes, _), What::Bytes(b_bytes, _)) = (&a.1.what, &b.1.what) else { return true };
    let from = a.0.max(b.0);
    let to = (a.0 + a.1.len()).min(b.0 + b.1.len());
    let part = |at: i64| (from - at) as usize..(to - at).max(from - at) as usize;
    a_bytes.get(part(a.0)) == b_bytes.get(part(b.0))
}
