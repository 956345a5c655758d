//! Security identifiers ([MS-DTYP] section 2.4.2).

use super::ndr::Ndr;

/// An identifier, as `S-1-5-21-1-2-3-1104`.
pub(super) fn read(from: &mut Ndr<'_>) -> Option<String> {
    let &[revision, count, a, b, c, d, e, f] = from.take(8)? else { return None };
    // More than 15 numbers no identifier has.
    (count <= 15).then_some(())?;
    let authority = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
    // Decimal up to 32 bits, hexadecimal above ([MS-DTYP] section 2.4.2.1).
    let mut text = match u32::try_from(authority) {
        Ok(short) => format!("S-{revision}-{short}"),
        Err(_) => format!("S-{revision}-0x{authority:012X}"),
    };
    for _ in 0..count {
        text.push_str(&format!("-{}", from.long()?));
    }
    Some(text)
}

/// The same as NDR has it: the count of its numbers stands in front once more.
pub(super) fn in_ndr(from: &mut Ndr<'_>) -> Option<String> {
    from.long()?;
    read(from)
}
