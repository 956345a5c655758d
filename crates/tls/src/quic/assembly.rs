//! Bytes that came in pieces, put in order.

use std::collections::BTreeMap;

/// One stream of one side, as far as it was delivered.
#[derive(Debug, Default)]
pub(crate) struct Assembly {
    next: u64,
    /// What waits for something before it, by offset.
    waiting: BTreeMap<u64, Vec<u8>>,
    held: usize,
    end: Option<u64>,
}

/// What each piece that waits costs beside its bytes.
const COST: usize = 64;

impl Assembly {
    /// Takes a piece, and hands over what is in order; says how many bytes more (or fewer) it holds now.
    pub(crate) fn push(&mut self, offset: u64, bytes: &[u8], end: bool, out: &mut dyn FnMut(&[u8])) -> isize {
        let before = self.held;
        let behind = offset.saturating_add(bytes.len() as u64);
        if end {
            self.end = Some(behind);
        }
        if offset > self.next {
            let known = self.waiting.get(&offset).map_or(0, Vec::len);
            if known < bytes.len() {
                self.held += bytes.len() - known + if known == 0 { COST } else { 0 };
                self.waiting.insert(offset, bytes.to_vec());
            }
            return self.held as isize - before as isize;
        }
        self.deliver(offset, bytes, out);
        self.deliver_waiting(out);
        self.held as isize - before as isize
    }

    fn deliver(&mut self, offset: u64, bytes: &[u8], out: &mut dyn FnMut(&[u8])) {
        let known = usize::try_from(self.next - offset).unwrap_or(usize::MAX);
        let fresh = bytes.get(known..).unwrap_or_default();
        if !fresh.is_empty() {
            self.next += fresh.len() as u64;
            out(fresh);
        }
    }

    fn deliver_waiting(&mut self, out: &mut dyn FnMut(&[u8])) {
        while let Some(first) = self.waiting.first_entry().filter(|first| *first.key() <= self.next) {
            let (offset, bytes) = first.remove_entry();
            self.held -= bytes.len() + COST;
            self.deliver(offset, &bytes, out);
        }
    }

    /// Whether something waits for bytes before it.
    pub(crate) fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// How many bytes it holds.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    /// Whether all of it was delivered.
    pub(crate) fn is_over(&self) -> bool {
        self.end.is_some_and(|end| end <= self.next)
    }

    /// Gives the bytes up that the first waiting piece waits for: how many are missing (0: nothing was). What follows
    /// them can be had by `resume`.
    pub(crate) fn skip(&mut self) -> u64 {
        let first = self.waiting.first_key_value().map(|(offset, _)| *offset);
        let Some(first) = first.or(self.end).filter(|first| *first > self.next) else { return 0 };
        let missing = first - self.next;
        self.next = first;
        missing
    }

    /// Hands over what is in order behind what was skipped.
    pub(crate) fn resume(&mut self, out: &mut dyn FnMut(&[u8])) {
        self.deliver_waiting(out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_given_up_is_told() {
        let mut a = Assembly::default();
        let mut got = Vec::new();
        a.push(0, b"ab", false, &mut |b| got.extend_from_slice(b));
        a.push(5, b"fg", true, &mut |b| got.extend_from_slice(b));
        assert!(a.waits() && !a.is_over() && a.held() == 2 + COST);
        assert_eq!(a.skip(), 3);
        a.resume(&mut |b| got.extend_from_slice(b));
        assert_eq!(got, b"abfg");
        assert!(a.is_over() && a.held() == 0);
        // What comes late is not delivered again.
        a.push(2, b"cde", false, &mut |_| panic!());
    }

    #[test]
    fn an_end_behind_missing_bytes_is_reached() {
        let mut a = Assembly::default();
        a.push(4, b"", true, &mut |_| panic!());
        assert!(!a.is_over());
        assert_eq!(a.skip(), 4);
        assert!(a.is_over());
        assert_eq!(a.skip(), 0);
    }

    proptest! {
        #[test]
        fn in_any_order_the_same_bytes_come_out(
            pieces in proptest::collection::vec((0usize..200, 1usize..60), 1..40),
            order in any::<u64>(),
        ) {
            let whole: Vec<u8> = (0..=255).collect();
            let mut pieces = [pieces, (0..26).map(|i| (i * 10, 10)).collect()].concat();
            pieces.sort_by_key(|(at, len)| (*at as u64 ^ order).wrapping_mul(*len as u64 | 1 | order));
            let mut a = Assembly::default();
            let (mut got, mut held) = (Vec::new(), 0);
            for (at, len) in pieces {
                let bytes = &whole[at..(at + len).min(256)];
                held += a.push(at as u64, bytes, at + len >= 256, &mut |b| got.extend_from_slice(b));
            }
            prop_assert_eq!(got, whole);
            prop_assert!(a.is_over() && held == 0 && a.held() == 0);
        }
    }
}
