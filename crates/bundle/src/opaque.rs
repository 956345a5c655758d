//! NTLM and SPNEGO tokens: names and flags stay, proofs and tickets go.

/// What every NTLM message begins with (MS-NLMP section 2.2.1).
const NTLM: &[u8] = b"NTLMSSP\0";
/// DER nested deeper is none of these.
const DEEPEST: u8 = 24;

/// The token without what proves knowledge of a secret; `None` where it is neither NTLM nor DER.
pub(crate) fn masked(token: &[u8]) -> Option<Vec<u8>> {
    let mut out = token.to_vec();
    if out.starts_with(NTLM) {
        ntlm(&mut out);
        return Some(out);
    }
    let der = matches!(out.first(), Some(0x60 | 0xa0 | 0xa1 | 0x6e | 0x6f | 0x30))
        && elements(&out)
        && out.len() > 16;
    der.then(|| {
        blank(&mut out, 0);
        out
    })
}

/// Whether the bytes are DER elements from the first to the last.
pub(crate) fn elements(mut bytes: &[u8]) -> bool {
    while !bytes.is_empty() {
        match element(bytes) {
            Some((_, header, len)) => bytes = bytes.get(header + len..).unwrap_or_default(),
            None => return false,
        }
    }
    true
}

/// Tag, length of the header and of the contents (X.690 section 8.1).
fn element(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let (&tag, &first) = (bytes.first()?, bytes.get(1)?);
    let (header, len) = match first {
        0..=0x7f => (2, usize::from(first)),
        0x81..=0x84 => {
            let count = usize::from(first & 0x7f);
            let len = bytes.get(2..2 + count)?.iter().fold(0usize, |n, b| n << 8 | usize::from(*b));
            (2 + count, len)
        }
        _ => return None,
    };
    (header.checked_add(len)? <= bytes.len()).then_some((tag, header, len))
}

/// Fills every OCTET STRING that is no token itself with zeros, and what cannot be taken apart.
pub(crate) fn blank(mut bytes: &mut [u8], depth: u8) {
    while !bytes.is_empty() {
        // Behind the mechanism's OID stands the kind of a Kerberos token (RFC 4121 section 4.1).
        if matches!(bytes, [1..=3, 0, 0x60..=0x7f, ..]) {
            bytes = bytes.get_mut(2..).unwrap_or_default();
        }
        let Some((tag, header, len)) = element(bytes).filter(|_| depth < DEEPEST) else {
            return bytes.fill(0);
        };
        let (this, rest) = bytes.split_at_mut(header + len);
        let contents = this.get_mut(header..).unwrap_or_default();
        let again = matches!(contents.first(), Some(0x60 | 0x6e | 0x6f | 0x7e | 0x30 | 0xa0 | 0xa1));
        match tag {
            0x04 if contents.starts_with(NTLM) => ntlm(contents),
            0x04 if again && elements(contents) => blank(contents, depth + 1),
            0x04 => contents.fill(0),
            tag if tag & 0x20 != 0 => blank(contents, depth + 1),
            _ => {}
        }
        bytes = rest;
    }
}

/// Zeros for the answers to the challenge, the session key and the MIC of a type 3 message (MS-NLMP section 2.2.1.3).
fn ntlm(message: &mut [u8]) {
    let kind = message.get(8).copied();
    match kind {
        Some(1 | 2) => return,
        Some(3) => {}
        _ => return message.get_mut(8..).unwrap_or_default().fill(0),
    }
    let field = |message: &[u8], at: usize| {
        let len = message
            .get(at..at + 2)
            .map_or(0, |b| b.iter().rev().fold(0usize, |n, b| n << 8 | usize::from(*b)));
        let start = message
            .get(at + 4..at + 8)
            .map_or(0, |b| b.iter().rev().fold(0usize, |n, b| n << 8 | usize::from(*b)));
        (start, len)
    };
    let (lm, nt, key) = (field(message, 12), field(message, 20), field(message, 52));
    let payload = [12, 20, 28, 36, 44].iter().map(|at| field(message, *at).0).filter(|s| *s > 0).min();
    let mut hide = |start: usize, len: usize| {
        let end = start.saturating_add(len).min(message.len());
        message.get_mut(start.min(end)..end).unwrap_or_default().fill(0);
    };
    hide(lm.0, lm.1);
    hide(key.0, key.1);
    if nt.1 > 44 {
        // NTLMv2: proof and client challenge go; times and names of the server stay (section 2.2.2.7).
        hide(nt.0, 16);
        hide(nt.0 + 32, 8);
    } else {
        hide(nt.0, nt.1);
    }
    if payload.is_none_or(|p| p >= 88) {
        hide(72, 16);
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "in a test a panic is the report")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn type_3() -> Vec<u8> {
        let mut m = NTLM.to_vec();
        m.extend(3u32.to_le_bytes());
        let (lm, nt) = (vec![0x11; 24], vec![0x22; 80]);
        for (len, at) in [(24u16, 98u32), (80, 122), (0, 88), (10, 88), (0, 98), (0, 202)] {
            m.extend(len.to_le_bytes());
            m.extend(len.to_le_bytes());
            m.extend(at.to_le_bytes());
        }
        m.extend([0; 12]);
        m.extend([0x33; 16]);
        m.extend(b"a\0l\0i\0c\0e\0");
        m.extend(lm);
        m.extend(nt);
        m
    }

    #[test]
    fn proofs_go_and_names_stay() {
        let made = masked(&type_3()).unwrap_or_default();
        assert_eq!(made.len(), type_3().len());
        assert!(!made.contains(&0x11) && !made.contains(&0x33));
        assert!(made.windows(10).any(|w| w == b"a\0l\0i\0c\0e\0"));
        assert_eq!(made.iter().filter(|b| **b == 0x22).count(), 80 - 16 - 8);
    }

    #[test]
    fn tickets_go_and_object_identifiers_stay() {
        let mut token = vec![0x60, 0x20, 0x06, 0x06, 0x2b, 6, 1, 5, 5, 2, 0xa0, 0x16, 0x30, 0x14, 0x04, 0x12];
        token.extend([0x55; 18]);
        let made = masked(&token).unwrap_or_default();
        assert!(made.starts_with(&token[..16]) && made[16..].iter().all(|b| *b == 0));
        assert_eq!(masked(b"just some text, nothing else"), None);
    }

    proptest! {
        #[test]
        fn hostile_tokens_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..300), kind in 0..3) {
            let front: &[u8] = match kind { 0 => b"NTLMSSP\0\x03\0\0\0", 1 => &[0x60, 0x82], _ => &[] };
            let token = [front, &bytes].concat();
            if let Some(made) = masked(&token) {
                prop_assert_eq!(made.len(), token.len());
            }
        }
    }
}
