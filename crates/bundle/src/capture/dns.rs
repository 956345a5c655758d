//! Whether a datagram is DNS and nothing else (RFC 1035 section 4): what only came by its port is no DNS.

/// Questions and answers of a message that tells where hosts are: addresses, names and options, whole, without a byte
/// more. Records of free text (TXT, NULL) and of kinds unknown here may hold anything.
pub(crate) fn is_dns(bytes: &[u8]) -> bool {
    message(bytes).is_some_and(|rest| rest.is_empty())
}

fn message(bytes: &[u8]) -> Option<&[u8]> {
    let (head, mut rest) = bytes.split_at_checked(12)?;
    let counts: Vec<u16> = head.as_chunks::<2>().0.iter().skip(2).map(|n| u16::from_be_bytes(*n)).collect();
    let (questions, records) = counts.split_first()?;
    for _ in 0..*questions {
        rest = name(rest)?.get(4..)?;
    }
    for _ in 0..records.iter().map(|n| u32::from(*n)).sum() {
        let (fields, behind) = name(rest)?.split_at_checked(10)?;
        let number = |at: usize| fields.get(at..)?.first_chunk::<2>().map(|n| u16::from_be_bytes(*n));
        let (kind, (data, behind)) = (number(0)?, behind.split_at_checked(usize::from(number(8)?))?);
        let is_known = match (kind, data) {
            // A, AAAA.
            (1, data) => data.len() == 4,
            (28, data) => data.len() == 16,
            // NS, CNAME, PTR; MX and SRV behind their numbers (RFC 2782); SOA.
            (2 | 5 | 12, data) => name(data)?.is_empty(),
            (15, [_, _, data @ ..]) | (33, [_, _, _, _, _, _, data @ ..]) => name(data)?.is_empty(),
            (6, data) => name(name(data)?)?.len() == 20,
            // OPT without options (RFC 6891): cookies are options.
            (41, data) => data.is_empty(),
            _ => false,
        };
        rest = behind;
        if !is_known {
            return None;
        }
    }
    Some(rest)
}

/// What stands behind a name of a host (section 4.1.4).
fn name(mut bytes: &[u8]) -> Option<&[u8]> {
    loop {
        match bytes {
            [0, rest @ ..] => return Some(rest),
            [0xc0..=0xff, _, rest @ ..] => return Some(rest),
            [len @ 1..=63, rest @ ..] => {
                let (label, rest) = rest.split_at_checked(usize::from(*len))?;
                if !label.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')) {
                    return None;
                }
                bytes = rest;
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUESTION: &[u8] = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x07example\x03com\0\0\x01\0\x01";
    const ANSWER: &[u8] = b"\x12\x34\x81\x80\0\x01\0\x01\0\0\0\0\x07example\x03com\0\0\x01\0\x01\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x01";

    #[test]
    fn dns_is_known_by_what_it_says_and_not_by_its_port() {
        assert!(is_dns(QUESTION) && is_dns(ANSWER));
        let text =
            [&ANSWER[..12], b"\x07example\x03com\0\0\x10\0\x01\xc0\x0c\0\x10\0\x01\0\0\0\x3c\0\x04\x03pw1"]
                .concat();
        for other in
            [&text, &[QUESTION, b"x"].concat(), b"password=hunter2canary".as_slice(), &ANSWER[..40], b""]
        {
            assert!(!is_dns(other), "{other:?}");
        }
    }
}
