//! How much there was when.

use crate::wire::{In, Malformed, Wire, wire};

/// So many buckets at most; then two become one, as often as need be.
const MOST: usize = 4096;

/// What was in a stretch of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bucket {
    /// Requests.
    pub seen: u64,
    /// Answers that refuse.
    pub refused: u64,
}

/// Buckets of equal width, a power of two of seconds: the narrowest for which they do not become too many. That does
/// not depend on the order in which they were filled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chart {
    /// The width of a bucket is two to this power, in seconds.
    scale: u32,
    /// In order of time.
    buckets: Vec<(i64, Bucket)>,
    /// The bucket in hand: requests of one time come together. Where it is, and from when to when in milliseconds.
    at: i64,
    span: (i64, i64),
    hand: Bucket,
}

wire!(Bucket { seen, refused });

/// With nothing in hand.
impl Wire for Chart {
    fn put(&self, out: &mut Vec<u8>) {
        let settled = self.clone().settled();
        settled.scale.put(out);
        settled.buckets.put(out);
    }
    fn get(from: &mut In<'_>) -> Result<Self, Malformed> {
        let (scale, buckets) = <(u32, Vec<(i64, Bucket)>)>::get(from)?;
        let ordered = buckets.is_sorted_by(|a, b| a.0 < b.0);
        let fits = scale < 64 && buckets.len() <= MOST && ordered;
        if fits { Ok(Chart { scale, buckets, ..Chart::default() }) } else { Err(Malformed) }
    }
}

impl Bucket {
    fn absorb(&mut self, other: Bucket) {
        self.seen += other.seen;
        self.refused += other.refused;
    }
}

impl Chart {
    #[inline]
    pub(crate) fn add(&mut self, ms: i64, refused: bool) {
        if !(self.span.0..self.span.1).contains(&ms) {
            self.turn_to(ms);
        }
        self.hand.seen += 1;
        self.hand.refused += u64::from(refused);
    }

    /// Takes the bucket of a time in hand.
    #[inline(never)]
    fn turn_to(&mut self, ms: i64) {
        self.lay();
        self.at = ms.div_euclid(1000) >> self.scale;
        let begins = |at: i64| at.saturating_mul(1 << self.scale).saturating_mul(1000);
        self.span = (begins(self.at), begins(self.at + 1));
    }

    fn lay(&mut self) {
        let hand = std::mem::take(&mut self.hand);
        if hand.seen > 0 {
            // Most logs are in order of time: then it is the last one, or one behind that.
            match self.buckets.binary_search_by_key(&self.at, |(at, _)| *at) {
                Ok(nth) => self.buckets.iter_mut().skip(nth).take(1).for_each(|(_, own)| own.absorb(hand)),
                Err(nth) => self.buckets.insert(nth, (self.at, hand)),
            }
        }
        while self.buckets.len() > MOST {
            self.coarsen(self.scale + 1);
        }
    }

    fn coarsen(&mut self, scale: u32) {
        let by = scale.saturating_sub(self.scale).min(63);
        if by > 0 {
            self.scale += by;
            self.buckets.iter_mut().for_each(|(at, _)| *at >>= by);
            sum(&mut self.buckets);
        }
    }

    pub(crate) fn absorb(&mut self, mut other: Chart) {
        self.lay();
        other.lay();
        let scale = self.scale.max(other.scale);
        self.coarsen(scale);
        other.coarsen(scale);
        self.buckets.append(&mut other.buckets);
        // Two runs that are in order are put in order quickly.
        self.buckets.sort_by_key(|(at, _)| *at);
        sum(&mut self.buckets);
        self.lay();
    }

    /// Nothing in hand any more.
    pub(crate) fn settled(mut self) -> Chart {
        self.lay();
        (self.at, self.span) = (0, (0, 0));
        self
    }

    /// The buckets that hold anything: their first second since 1970 and what is in them.
    pub fn buckets(&self) -> impl Iterator<Item = (i64, Bucket)> + '_ {
        self.buckets.iter().map(|(at, bucket)| (at << self.scale, *bucket))
    }

    /// The width of a bucket in seconds.
    pub fn width(&self) -> i64 {
        1i64.checked_shl(self.scale).unwrap_or(i64::MAX)
    }
}

/// Those of one time become one; they are in order.
fn sum(buckets: &mut Vec<(i64, Bucket)>) {
    buckets.dedup_by(|(at, next), (before, bucket)| {
        let same = at == before;
        if same {
            bucket.absorb(*next);
        }
        same
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_cuts_do_not_matter() {
        let seconds: Vec<i64> = (0..20_000i64).map(|i| (i * 7919) % 100_003).collect();
        let chart = |part: &[i64]| {
            let mut chart = Chart::default();
            part.iter().for_each(|s| chart.add(*s * 1000 + *s % 1000, s % 3 == 0));
            chart
        };
        let whole = chart(&seconds).settled();
        let (a, b) = seconds.split_at(700);
        let mut glued = chart(b);
        glued.absorb(chart(a));
        assert_eq!(glued.settled(), whole);
        assert!(whole.buckets().count() <= MOST && whole.width() == 32);
        assert_eq!(whole.buckets().map(|(_, b)| b.seen).sum::<u64>(), 20_000);
    }
}
