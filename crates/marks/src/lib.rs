//! Where the quotes, backslashes and line breaks of a block of lines stand, found in one pass.

#[cfg(target_arch = "x86_64")]
mod avx2;

use wide::u8x16;

/// So many bytes are looked at together.
const STEP: usize = 64;
/// So many places are written at a time, whether there are as many or not: that spares a guess at each.
const WRITTEN: usize = 4;

/// The places of the marks in a block of less than 4 GiB, in order. `room` is used again from block to block.
pub fn find<'r>(block: &[u8], room: &'r mut Vec<u32>) -> &'r [u32] {
    #[cfg(target_arch = "x86_64")]
    if let Some(found) = avx2::find(block, room) {
        return room.get(..found).unwrap_or_default();
    }
    let found = each(block, room, bits_of);
    room.get(..found).unwrap_or_default()
}

/// Writes the places into `room`; how many there are. `bits_of` gives a bit for each byte of a step that is a mark.
#[inline(always)]
fn each(block: &[u8], room: &mut Vec<u32>, bits_of: impl Fn(&[u8; STEP]) -> u64) -> usize {
    let (steps, rest) = block.as_chunks::<STEP>();
    let mut last = [0; STEP];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    let (mut found, mut base) = (0, 0);
    for step in steps {
        found = write(room, found, base, bits_of(step));
        base += STEP as u32;
    }
    write(room, found, base, bits_of(&last))
}

/// Writes the places of `bits`, counted from `base`, behind those that were found; how many there are now.
#[inline(always)]
fn write(room: &mut Vec<u32>, found: usize, base: u32, mut bits: u64) -> usize {
    let count = bits.count_ones() as usize;
    if room.len() < found + STEP {
        room.resize((found + STEP) * 2, 0);
    }
    let Some(free) = room.get_mut(found..).and_then(<[u32]>::first_chunk_mut::<STEP>) else { return found };
    let (first, others) = free.split_at_mut(WRITTEN);
    for place in first {
        *place = base + bits.trailing_zeros();
        bits &= bits.wrapping_sub(1);
    }
    for place in others {
        if bits == 0 {
            break;
        }
        *place = base + bits.trailing_zeros();
        bits &= bits.wrapping_sub(1);
    }
    found + count
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
            let one_by_one = text.iter().enumerate().filter(|(_, b)| matches!(b, b'"' | b'\\' | b'\n')).map(|(i, _)| i);
            let one_by_one: Vec<usize> = one_by_one.collect();
            let places = |found: &[u32]| found.iter().map(|at| *at as usize).collect::<Vec<_>>();
            let mut room = Vec::new();
            prop_assert_eq!(places(find(&text, &mut room)), &*one_by_one);
            let count = each(&text, &mut room, bits_of);
            prop_assert_eq!(places(room.get(..count).unwrap()), one_by_one);
        }
    }
}
