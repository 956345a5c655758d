//! The Huffman code of RFC 7541, appendix B.
//!
//! The code is canonical: among codes of equal length those of smaller symbols come first, so that the lengths alone
//! say it all.

use std::sync::LazyLock;

/// The length in bits of the code of each byte; the end of the string has 30.
#[rustfmt::skip]
const LENGTHS: [u8; 256] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
     6, 10, 10, 12, 13,  6,  8, 11, 10, 10,  8, 11,  8,  6,  6,  6,
     5,  5,  5,  6,  6,  6,  6,  6,  6,  6,  7,  8, 15,  6, 12, 10,
    13,  6,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,
     7,  7,  7,  7,  7,  7,  7,  7,  8,  7,  8, 13, 19, 13, 14,  6,
    15,  5,  6,  5,  6,  5,  6,  6,  6,  5,  7,  7,  6,  6,  6,  5,
     6,  7,  6,  5,  5,  6,  7,  7,  7,  7,  7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
];

/// All codes of one length.
struct Row {
    bits: u32,
    /// The first code of this length, and the first one behind the last, both as the highest of 32 bits.
    first: u64,
    end: u64,
    /// The bytes that they stand for.
    symbols: Vec<u8>,
}

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let mut rows = Vec::new();
    let mut next = 0u64;
    for bits in 5..=30u32 {
        let symbols: Vec<u8> =
            (0..=255u8).zip(LENGTHS).filter(|(_, len)| u32::from(*len) == bits).map(|(s, _)| s).collect();
        let end = next + ((symbols.len() as u64) << (32 - bits));
        if !symbols.is_empty() {
            rows.push(Row { bits, first: next, end, symbols });
        }
        next = end;
    }
    rows
});

/// Decodes a string in the Huffman code of HPACK and QPACK (RFC 7541, appendix B); `None` if it is not of this code.
pub fn decode(coded: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(coded.len() * 8 / 5);
    let (mut bits, mut count) = (0u64, 0u32);
    let mut coded = coded.iter();
    loop {
        while count <= 32
            && let Some(byte) = coded.next()
        {
            bits |= u64::from(*byte) << (56 - count);
            count += 8;
        }
        let high = bits >> 32;
        let row = ROWS.iter().find(|row| high < row.end);
        match row {
            Some(row) if row.bits <= count => {
                out.push(*row.symbols.get(((high - row.first) >> (32 - row.bits)) as usize)?);
                bits <<= row.bits;
                count -= row.bits;
            }
            // What is left is the front of the end's code: less than a byte of ones.
            _ => {
                let ones = count < 8 && bits == !(u64::MAX.checked_shr(count).unwrap_or(0));
                return ones.then_some(out);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_complete() {
        let sum: u64 = LENGTHS.iter().map(|len| 1u64 << (30 - len)).sum();
        assert_eq!(sum + 1, 1 << 30);
    }

    /// RFC 7541, appendix C.4 and C.6.
    #[test]
    fn the_examples_of_the_rfc() {
        let www = [0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff];
        assert_eq!(decode(&www).unwrap(), b"www.example.com");
        assert_eq!(decode(&[0xa8, 0xeb, 0x10, 0x64, 0x9c, 0xbf]).unwrap(), b"no-cache");
        let date = [
            0xd0, 0x7a, 0xbe, 0x94, 0x10, 0x54, 0xd4, 0x44, 0xa8, 0x20, 0x05, 0x95, 0x04, 0x0b, 0x81, 0x66,
            0xe0, 0x82, 0xa6, 0x2d, 0x1b, 0xff,
        ];
        assert_eq!(decode(&date).unwrap(), b"Mon, 21 Oct 2013 20:13:21 GMT");
        assert_eq!(decode(&[]).unwrap(), b"");
        assert_eq!(decode(&[0xff, 0xff, 0xff, 0xff]), None);
        assert_eq!(decode(&[0x00]), None);
    }
}
