//! Keyed checksums by type: RFC 3961 section 5.4 with RFC 3962 (AES with SHA-1), RFC 8009 (AES with SHA-2) and RFC 4757
//! section 4 (HMAC-MD5).

use super::seal;

/// HMAC-MD5, which RFC 4757 calls KERB_CHECKSUM_HMAC_MD5.
pub(super) const HMAC_MD5: i32 = -138;

/// How many bytes a checksum of this type has; `None` where it is not known here.
pub(super) fn len(kind: i32) -> Option<usize> {
    match kind {
        15 | 16 => Some(12),
        HMAC_MD5 | 19 => Some(16),
        20 => Some(24),
        _ => None,
    }
}

/// The checksum type that belongs to an encryption type (the registry of RFC 3961 section 8, and RFC 8009 section 7).
pub(super) fn of_etype(etype: i64) -> Option<i32> {
    match etype {
        17 => Some(15),
        18 => Some(16),
        19 => Some(19),
        20 => Some(20),
        23 => Some(HMAC_MD5),
        _ => None,
    }
}

/// The checksum; `None` where the key is none for it.
pub(super) fn of(kind: i32, key: &[u8], usage: u32, bytes: &[u8]) -> Option<Vec<u8>> {
    let len = len(kind)?;
    let mut sum = match (kind, key.len()) {
        (15, 16) | (16, 32) => seal::sum_sha1(key, usage, bytes),
        (19, 16) | (20, 32) => seal::sum_sha2(key, usage, bytes),
        (HMAC_MD5, _) => seal::sum_md5(key, usage, bytes),
        _ => None,
    }?;
    sum.truncate(len);
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8009, appendix A: checksums of key usage 2.
    #[test]
    fn checksums_are_those_of_the_rfc() {
        let bytes = |hex: &str| -> Vec<u8> {
            hex.as_bytes()
                .chunks(2)
                .map(|d| u8::from_str_radix(std::str::from_utf8(d).unwrap(), 16).unwrap())
                .collect()
        };
        let message: Vec<u8> = (0..=20).collect();
        let short = bytes("3705D96080C17728A0E800EAB6E0D23C");
        assert_eq!(of(19, &short, 2, &message), Some(bytes("D78367186643D67B411CBA9139FC1DEE")));
        let long = bytes("6D404D37FAF79F9DF0D33568D320669800EB4836472EA8A026D16B7182460C52");
        let expected = bytes("45EE791567EEFCA37F4AC1E0222DE80D43C3BFA06699672A");
        assert_eq!(of(20, &long, 2, &message), Some(expected));
        assert_eq!((of(19, &long, 2, &message), of(1, &long, 2, &message)), (None, None));
    }
}
