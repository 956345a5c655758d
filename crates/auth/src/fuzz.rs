//! Entries for fuzzers: plain functions of bytes, which must neither panic nor take more than linear time.

use crate::scheme::service_key::{self, pac};
use crate::scheme::{kerberos, ntlm, sigv4, spnego};
use crate::{cookie, decode, message_signatures, review, token};

/// Everything that reads the value of a field.
pub fn fields(data: &[u8]) {
    for name in [
        "WWW-Authenticate",
        "Authorization",
        "Authentication-Info",
        "DPoP",
        "Signature",
        "Signature-Input",
        "Set-Cookie",
        "X-Api-Key",
    ] {
        let decoded = decode::decode(name, data, data.first().is_some_and(|b| b & 1 == 1));
        std::hint::black_box(decoded.to_text());
    }
    std::hint::black_box(review::of(data));
}

/// Everything that reads decoded messages.
pub fn messages(data: &[u8]) {
    std::hint::black_box((ntlm::read(data), spnego::read(data), kerberos::read(data)));
}

/// Everything that reads tokens, targets and cookies.
pub fn tokens(data: &[u8]) {
    std::hint::black_box((token::read(data, 0..data.len()), token::dpop::read(data), sigv4::of_target(data)));
    std::hint::black_box((cookie::cookies(data), cookie::set_cookie(data)));
    std::hint::black_box((message_signatures::signature(data), message_signatures::signature_input(data)));
}

/// A PAC, which stands behind the seal of a ticket, and the keytab whose keys are held against its signature.
pub fn pac(keytab: &[u8], data: &[u8]) {
    let keys = service_key::read(keytab).unwrap_or_default();
    std::hint::black_box(pac::read(data, &keys.iter().collect::<Vec<_>>()));
}
