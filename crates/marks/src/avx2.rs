//! For processors with AVX2, as nearly all of the last ten years have: half as many steps, and what counts bits is one.

use super::{STEP, each};
use std::arch::x86_64::{
    _mm256_cmpeq_epi8, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set_epi64x, _mm256_set1_epi8,
};

/// Writes the places into `room`; how many there are. `None` where the processor cannot do this.
pub(crate) fn find(block: &[u8], room: &mut Vec<u32>) -> Option<usize> {
    let can = is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("popcnt");
    // SAFETY: `fastest` demands nothing but these three features, and the processor was just asked for all of them.
    #[allow(unsafe_code, reason = "the one way to call what is compiled for some processors only")]
    can.then(|| unsafe { fastest(block, room) })
}

#[target_feature(enable = "avx2,bmi1,popcnt")]
fn fastest(block: &[u8], room: &mut Vec<u32>) -> usize {
    each(block, room, |step| bits_of(step))
}

// What is handed to functions of the standard library, such as those of iterators, is not compiled for this processor.
#[target_feature(enable = "avx2")]
#[inline]
fn bits_of(bytes: &[u8; STEP]) -> u64 {
    let ([low, high], _) = bytes.as_chunks::<32>() else { return 0 };
    u64::from(bits_of_half(low)) | u64::from(bits_of_half(high)) << 32
}

#[target_feature(enable = "avx2")]
#[inline]
fn bits_of_half(bytes: &[u8; 32]) -> u32 {
    let ([a, b, c, d], _) = bytes.as_chunks::<8>() else { return 0 };
    let word = i64::from_le_bytes;
    // One load, once it is compiled.
    let bytes = _mm256_set_epi64x(word(*d), word(*c), word(*b), word(*a));
    let quotes = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(b'"'.cast_signed()));
    let escapes = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(b'\\'.cast_signed()));
    let feeds = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(b'\n'.cast_signed()));
    _mm256_movemask_epi8(_mm256_or_si256(_mm256_or_si256(quotes, escapes), feeds)).cast_unsigned()
}
