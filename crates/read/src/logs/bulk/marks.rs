//! Where the quotes, backslashes and line breaks of a block of lines stand, found in one pass.

use wide::u8x16;

/// So many bytes are looked at together.
const STEP: usize = 64;
/// So many places are written at a time, whether there are as many or not: that spares a guess at each.
const WRITTEN: usize = 4;

/// The places of the marks in a block, in order. `room` is used again from block to block.
pub(super) fn find<'r>(block: &[u8], room: &'r mut Vec<u32>) -> &'r [u32] {
    let (steps, rest) = block.as_chunks::<STEP>();
    let mut last = [0; STEP];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    let (mut found, mut base) = (0, 0);
    for step in steps.iter().chain([&last]) {
        let mut bits = bits_of(step);
        let count = bits.count_ones() as usize;
        if room.len() < found + STEP {
            room.resize((found + STEP) * 2, 0);
        }
        let free = room.get_mut(found..).unwrap_or_default();
        if let Some(first) = free.first_chunk_mut::<WRITTEN>() {
            for place in first {
                *place = base + bits.trailing_zeros();
                bits &= bits.wrapping_sub(1);
            }
        }
        for place in free.iter_mut().take(count).skip(WRITTEN) {
            *place = base + bits.trailing_zeros();
            bits &= bits.wrapping_sub(1);
        }
        found += count;
        base += STEP as u32;
    }
    room.get(..found).unwrap_or_default()
}

#[inline]
fn bits_of(bytes: &[u8; STEP]) -> u64 {
    let (quote, escape, feed) = (u8x16::splat(b'"'), u8x16::splat(b'\\'), u8x16::splat(b'\n'));
    let (parts, _) = bytes.as_chunks::<16>();
    parts.iter().rev().fold(0, |bits, part| {
        let part = u8x16::new(*part);
        let marks = part.simd_eq(quote) | part.simd_eq(escape) | part.simd_eq(feed);
        bits << 16 | u64::from(marks.to_bitmask())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn they_are_found_as_one_by_one(text in proptest::collection::vec(prop_oneof![Just(b'"'), Just(b'\\'), Just(b'\n'), any::<u8>()], 0..300)) {
            let mut room = Vec::new();
            let found: Vec<usize> = find(&text, &mut room).iter().map(|at| *at as usize).collect();
            let each = text.iter().enumerate().filter(|(_, b)| matches!(b, b'"' | b'\\' | b'\n')).map(|(i, _)| i);
            prop_assert_eq!(found, each.collect::<Vec<_>>());
        }
    }
}
