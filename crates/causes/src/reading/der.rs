//! DER (ITU-T X.690) as far as Kerberos messages need it.

/// A tag with its content and what follows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tlv<'a> {
    pub(crate) tag: u8,
    pub(crate) content: &'a [u8],
    pub(crate) rest: &'a [u8],
}

/// Reads the element that `bytes` begin with. One that is cut off has the content that is there.
pub(crate) fn read(bytes: &[u8]) -> Option<Tlv<'_>> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0usize, |n, d| n.saturating_mul(256).saturating_add(usize::from(*d))), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length).unwrap_or((rest, &[]));
    Some(Tlv { tag, content, rest })
}

/// The elements that stand one after the other in `bytes`.
pub(crate) fn elements(mut bytes: &[u8]) -> impl Iterator<Item = Tlv<'_>> {
    std::iter::from_fn(move || {
        let element = read(bytes)?;
        bytes = element.rest;
        Some(element)
    })
}

/// The content of the first element of that tag among those in `bytes`.
pub(crate) fn find(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    elements(bytes).find(|e| e.tag == tag).map(|e| e.content)
}

/// The content of the one element that `bytes` hold.
pub(crate) fn inner(bytes: &[u8]) -> Option<&[u8]> {
    read(bytes).map(|e| e.content)
}

/// A small INTEGER, given its content.
pub(crate) fn integer(content: &[u8]) -> Option<u32> {
    (content.len() <= 5)
        .then(|| content.iter().fold(0u64, |n, d| n << 8 | u64::from(*d)))
        .and_then(|n| n.try_into().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_read_and_what_is_cut_off_ends_where_it_ends() {
        let bytes = [0x30, 0x06, 0x02, 0x01, 0x25, 0x02, 0x01, 0x07];
        let sequence = inner(&bytes).unwrap();
        assert_eq!(elements(sequence).filter_map(|e| integer(e.content)).collect::<Vec<_>>(), [0x25, 7]);
        assert_eq!(inner(&[0x30, 0x82, 0xff, 0xff, 1, 2]), Some(&[1u8, 2][..]));
        assert!(read(&[0x30]).is_none() && read(&[0x30, 0x88]).is_none() && read(&[0x30, 0x84, 1]).is_none());
    }
}
