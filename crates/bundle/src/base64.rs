//! Base64 that is written again exactly as it stood: its alphabet and its padding are kept.

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The bytes; `None` where writing them again would not give the same text.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let bare = text.trim_end_matches('=');
    let mut out = Vec::with_capacity(bare.len() / 4 * 3 + 3);
    let (mut bits, mut held) = (0u32, 0u32);
    for c in bare.bytes() {
        let six = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        (bits, held) = ((bits << 6 | u32::from(six)) & 0xffff, held + 6);
        if held >= 8 {
            held -= 8;
            out.push((bits >> held & 0xff) as u8);
        }
    }
    (encode_like(&out, text) == text).then_some(out)
}

/// The bytes in base64, in the alphabet and with the padding of `model`.
pub(crate) fn encode_like(bytes: &[u8], model: &str) -> String {
    let url = model.contains(['-', '_']);
    let mut out = String::with_capacity(model.len());
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().chain([0, 0].iter()).take(3).fold(0u32, |w, b| w << 8 | u32::from(*b));
        for i in 0..=chunk.len() {
            let six = word >> (18 - 6 * i) & 0x3f;
            let c = STANDARD.get(six as usize).map_or('A', |b| char::from(*b));
            out.push(match c {
                '+' if url => '-',
                '/' if url => '_',
                c => c,
            });
        }
    }
    out.extend(std::iter::repeat_n('=', model.len() - model.trim_end_matches('=').len()));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_decoded_is_written_again_as_it_stood() {
        for text in ["Zm8=", "Zm8", "-_-_", "+/+/", ""] {
            assert_eq!(decode(text).map(|b| encode_like(&b, text)).as_deref(), Some(text));
        }
        // Bits behind the last byte, two alphabets at once, no base64.
        for text in ["Zm9=", "+-+-", "a b"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
