//! A trust store as Java reads it: the JKS format of `sun.security.provider.JavaKeyStore`.
//!
//! Source: the comment in OpenJDK's `JavaKeyStore.java`, `engineStore`. Certificates are not secret; the digest at the end
//! only guards against damage, with the password that every JDK's own store has.

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};

/// The password of the store.
pub(crate) const PASSWORD: &str = "changeit";

/// A store that trusts these certificates (in DER).
pub(crate) fn trust_store<'a>(certificates: impl ExactSizeIterator<Item = &'a [u8]>) -> Vec<u8> {
    let number = |n: usize| u32::try_from(n).unwrap_or_default().to_be_bytes();
    let mut out = vec![0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2];
    out.extend(number(certificates.len()));
    for (i, certificate) in certificates.enumerate() {
        // A trusted certificate: tag 2, its alias, when it was made.
        out.extend([0, 0, 0, 2]);
        text(&mut out, &format!("ca{i}"));
        out.extend([0; 8]);
        text(&mut out, "X.509");
        out.extend(number(certificate.len()));
        out.extend(certificate);
    }
    let mut digest = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    let password: Vec<u8> = PASSWORD.encode_utf16().flat_map(u16::to_be_bytes).collect();
    digest.update(&password);
    digest.update(b"Mighty Aphrodite");
    digest.update(&out);
    out.extend(digest.finish().as_ref());
    out
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend(u16::try_from(text.len()).unwrap_or_default().to_be_bytes());
    out.extend(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_has_its_head_its_entries_and_its_digest() {
        let store = trust_store([&b"abc"[..]].into_iter());
        assert_eq!(store[..12], [0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2, 0, 0, 0, 1]);
        assert_eq!(store.len(), 12 + 4 + 5 + 8 + 7 + 4 + 3 + 20);
    }
}
