//! NTLM on the server's side (MS-NLMP): the type 2 message, and verifying an NTLMv2 answer.

use crate::{Refusal, equal};
use hmac::{Hmac, Mac};
use md4::{Digest, Md4};
use why401_auth::Secret;
use why401_auth::scheme::ntlm::Authenticate;

/// Unicode, request target, NTLM, always sign, target type server, extended session security, target info, 128, 56.
const FLAGS: u32 = 0xa08a_8205;

/// A type 2 message (MS-NLMP section 2.2.1.2) with the server's names. `now` is in seconds since 1970.
pub fn challenge(server_challenge: [u8; 8], computer: &str, dns: &str, now: i64) -> Vec<u8> {
    let target = utf16(computer);
    let mut info = Vec::new();
    // Section 2.2.2.1: computer (1), domain (2), their DNS names (3, 4), time (7), end (0).
    for (id, value) in
        [(1u16, utf16(computer)), (2, utf16(computer)), (3, utf16(dns)), (4, utf16(dns)), (7, filetime(now))]
    {
        info.extend_from_slice(&id.to_le_bytes());
        info.extend_from_slice(&(value.len() as u16).to_le_bytes());
        info.extend_from_slice(&value);
    }
    info.extend_from_slice(&[0; 4]);
    let mut message = b"NTLMSSP\0\x02\0\0\0".to_vec();
    field(&mut message, target.len(), 56);
    message.extend_from_slice(&FLAGS.to_le_bytes());
    message.extend_from_slice(&server_challenge);
    message.extend_from_slice(&[0; 8]);
    field(&mut message, info.len(), 56 + target.len());
    message.extend_from_slice(&[10, 0, 0x63, 0x45, 0, 0, 0, 15]);
    message.extend_from_slice(&target);
    message.extend_from_slice(&info);
    message
}

fn field(message: &mut Vec<u8>, length: usize, offset: usize) {
    for _ in 0..2 {
        message.extend_from_slice(&(length as u16).to_le_bytes());
    }
    message.extend_from_slice(&(offset as u32).to_le_bytes());
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// 100 nanoseconds since 1601 (MS-DTYP section 2.3.3).
fn filetime(now: i64) -> Vec<u8> {
    now.saturating_add(11_644_473_600).saturating_mul(10_000_000).to_le_bytes().to_vec()
}

/// Verifies the NTLMv2 answer of a type 3 message (MS-NLMP section 3.3.2).
///
/// # Errors
/// `wrong-password`, or `scheme-unsupported-by-client` for NTLMv1.
pub fn verify(given: &Authenticate, server_challenge: [u8; 8], password: &Secret) -> Result<(), Refusal> {
    let answer = given.nt_response.expose();
    let (Some(proof), Some(blob)) = (answer.get(..16), answer.get(16..)) else {
        return Refusal::err("wrong-password", "the message holds no answer");
    };
    if !given.is_v2 {
        return Refusal::err("scheme-unsupported-by-client", "the client answered with NTLMv1");
    }
    let hash = Md4::digest(utf16(&password.expose_text()));
    let who = utf16(&format!("{}{}", given.user.to_uppercase(), given.domain));
    let right = mac(&hash, &[&who]).and_then(|key| mac(&key, &[&server_challenge, blob]));
    match right.is_some_and(|right| equal(&right, proof)) {
        true => Ok(()),
        false => Refusal::err(
            "wrong-password",
            format!("the answer of {} is not that of the password", given.user),
        ),
    }
}

fn mac(key: &[u8], parts: &[&[u8]]) -> Option<Vec<u8>> {
    let mut mac = Hmac::<md5::Md5>::new_from_slice(key).ok()?;
    for part in parts {
        mac.update(part);
    }
    Some(mac.finalize().into_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use why401_auth::scheme::ntlm::{self, Message};

    /// MS-NLMP section 4.2.4: user "User", domain "Domain", password "Password".
    #[test]
    fn the_specification_s_example_verifies() {
        let blob = "0101000000000000 0000000000000000 aaaaaaaaaaaaaaaa 00000000\
                    02000c0044006f006d00610069006e0001000c0053006500720076006500720000000000 00000000";
        let proof = "68cd0ab851e51c96aabc927bebef6a1c";
        let bytes = |hex: &str| -> Vec<u8> {
            let hex: Vec<u8> = hex.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
            hex.chunks(2).map(|c| u8::from_str_radix(std::str::from_utf8(c).unwrap(), 16).unwrap()).collect()
        };
        let given = Authenticate {
            user: "User".into(),
            domain: "Domain".into(),
            is_v2: true,
            nt_response: Secret::new(bytes(&format!("{proof}{blob}"))),
            ..Authenticate::default()
        };
        let challenge = [1, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];
        assert_eq!(verify(&given, challenge, &Secret::new("Password")), Ok(()));
        assert_eq!(verify(&given, challenge, &Secret::new("password")).unwrap_err().cause, "wrong-password");
        assert_eq!(verify(&given, [0; 8], &Secret::new("Password")).unwrap_err().cause, "wrong-password");
    }

    #[test]
    fn the_challenge_can_be_read_again() {
        let read = ntlm::read(&challenge([7; 8], "LAB", "lab.example.com", 1_700_000_000)).unwrap();
        assert_eq!(read.problems, []);
        let Message::Challenge(read) = read.message else { panic!() };
        assert_eq!(read.target_info.dns_computer.as_deref(), Some("lab.example.com"));
        assert_eq!(read.target_info.time, Some(1_700_000_000));
    }
}
