//! Counts of Digest nonces (RFC 7616 section 3.4: `nc` rises). Requests of one client may overtake each other, so a window of
//! 64 counts below the highest is taken, each once.

use super::MOST;
use std::collections::HashMap;

/// Counts seen with each nonce.
#[derive(Debug, Default)]
pub(crate) struct Replays {
    seen: HashMap<String, Window>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    highest: u32,
    /// The counts at and below the highest, bit 0 the highest itself.
    bits: u64,
    forget_at: u64,
}

/// What a count is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    /// Not seen before.
    New,
    /// Seen before, or too far below the highest.
    Old,
}

impl Replays {
    /// Takes a count.
    pub(crate) fn take(&mut self, nonce: &str, count: u32, lasts: i64, now: u64) -> Count {
        if self.seen.len() >= MOST && !self.seen.contains_key(nonce) {
            self.seen.retain(|_, w| w.forget_at > now);
            if self.seen.len() >= MOST {
                // What cannot be remembered cannot be told from a replay: the client asks for a new nonce.
                return Count::Old;
            }
        }
        let forget_at = now + u64::try_from(lasts).unwrap_or(0).saturating_add(1) * 1000;
        let window = self.seen.entry(nonce.to_owned()).or_insert(Window { highest: 0, bits: 0, forget_at });
        if count > window.highest {
            let step = count - window.highest;
            window.bits = if step < 64 { window.bits << step | 1 } else { 1 };
            window.highest = count;
            return Count::New;
        }
        let behind = window.highest - count;
        if count == 0 || behind >= 64 || window.bits & (1 << behind) != 0 {
            return Count::Old;
        }
        window.bits |= 1 << behind;
        Count::New
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_count_is_taken_once() {
        let mut replays = Replays::default();
        let mut take = |count| replays.take("n", count, 300, 0);
        for (count, expected) in [
            (1, Count::New),
            (1, Count::Old),
            (3, Count::New),
            (2, Count::New),
            (2, Count::Old),
            (0, Count::Old),
            (200, Count::New),
            (137, Count::New),
            (136, Count::Old),
            (3, Count::Old),
            (u32::MAX, Count::New),
        ] {
            assert_eq!(take(count), expected, "{count}");
        }
    }
}
