//! The client's side of NTLM over HTTP (MS-NTHT, MS-NLMP): what is said first, and the answer to the server's challenge.

use hmac::{Hmac, Mac};
use md4::{Digest, Md4};
use why401_auth::{Challenge, Secret, base64};

/// OEM and request target, NTLM, always sign, extended session security (MS-NLMP section 2.2.2.5): what curl asks for.
const ASKED: u32 = 0x0008_8206;
/// Names in UTF-16.
const UNICODE: u32 = 1;
/// A version, a session key and signed or sealed messages: nothing of it follows here.
const NOT_DONE: u32 = 0x0200_0000 | 0x4000_0000 | 0x30;
/// The machine's name is nobody's business; curl says the same.
const WORKSTATION: &str = "WORKSTATION";

/// The type 1 message (MS-NLMP section 2.2.1.1), which names nobody.
pub(super) fn negotiate() -> Vec<u8> {
    let mut message = b"NTLMSSP\0\x01\0\0\0".to_vec();
    message.extend(ASKED.to_le_bytes());
    message.extend([0; 16]);
    message
}

/// What of a type 2 message (section 2.2.1.2) the answer needs.
pub(super) struct Asked {
    flags: u32,
    challenge: [u8; 8],
    target_info: Vec<u8>,
}

impl Asked {
    /// The message in a challenge of the NTLM scheme; `None` where there is none.
    pub(super) fn of(challenges: &[Challenge]) -> Option<Asked> {
        challenges.iter().filter(|c| c.is("ntlm")).find_map(|c| {
            let text = c.token68.as_ref()?.text.expose();
            Asked::read(base64::decode(text, 0..text.len(), base64::Alphabet::Standard).bytes.expose())
        })
    }

    fn read(message: &[u8]) -> Option<Asked> {
        message.strip_prefix(b"NTLMSSP\0\x02\0\0\0")?;
        let number = |at: usize| Some(u32::from_le_bytes(message.get(at..at + 4)?.try_into().ok()?));
        let challenge = message.get(24..32)?.try_into().ok()?;
        // Older servers end here, without names of theirs.
        let place = message.get(40..42).zip(number(44));
        let target_info = place.and_then(|(length, at)| {
            let length = usize::from(u16::from_le_bytes(length.try_into().ok()?));
            let at = usize::try_from(at).ok()?;
            Some(message.get(at..at.checked_add(length)?)?.to_vec())
        });
        Some(Asked { flags: number(20)?, challenge, target_info: target_info.unwrap_or_default() })
    }

    /// The server's time in 100 nanoseconds since 1601 (`MsvAvTimestamp`, section 2.2.2.1).
    fn time(&self) -> Option<[u8; 8]> {
        let mut rest = self.target_info.as_slice();
        loop {
            let ([a, b, c, d], after) = rest.split_first_chunk::<4>()?;
            let (id, length) = (u16::from_le_bytes([*a, *b]), u16::from_le_bytes([*c, *d]));
            let (value, after) = after.split_at_checked(usize::from(length))?;
            match id {
                0 => return None,
                7 => return value.try_into().ok(),
                _ => rest = after,
            }
        }
    }
}

/// 100 nanoseconds since 1601 (MS-DTYP section 2.3.3).
fn filetime(now: jiff::Timestamp) -> [u8; 8] {
    let since = now.as_microsecond().saturating_add(11_644_473_600_000_000);
    since.saturating_mul(10).to_le_bytes()
}

/// `DOMAIN\user` taken apart; `user@domain` is a name as a whole, whose domain the server knows.
fn parted(user: &str) -> (&str, &str) {
    user.split_once(['\\', '/']).unwrap_or(("", user))
}

/// The type 3 message (section 2.2.1.3) with the answer of NTLMv2 (section 3.3.2).
///
/// # Errors
/// Where a name is too long for it.
pub(super) fn authenticate(
    asked: &Asked,
    user: &str,
    password: &Secret,
    own_challenge: [u8; 8],
    now: jiff::Timestamp,
) -> Result<Vec<u8>, String> {
    let (domain, user) = parted(user);
    let time = asked.time();
    let key = key(domain, user, password);
    let nt = answer(&key, asked, own_challenge, time.unwrap_or(filetime(now)));
    // Section 3.1.5.1.2: a server that tells its time gets no answer of the older kind.
    let lm = match time {
        Some(_) => vec![0; 24],
        None => [mac(&key, &[&asked.challenge, &own_challenge]), own_challenge.to_vec()].concat(),
    };
    let name = |text: &str| -> Vec<u8> {
        match asked.flags & UNICODE {
            0 => text.as_bytes().to_vec(),
            _ => utf16(text),
        }
    };
    let parts = [lm, nt, name(domain), name(user), name(WORKSTATION), Vec::new()];
    let mut message = b"NTLMSSP\0\x03\0\0\0".to_vec();
    let mut at: u32 = 64;
    for part in &parts {
        let length = u16::try_from(part.len()).map_err(|_| "the user's name is too long for NTLM")?;
        message.extend(length.to_le_bytes());
        message.extend(length.to_le_bytes());
        message.extend(at.to_le_bytes());
        at += u32::from(length);
    }
    message.extend((asked.flags & !NOT_DONE).to_le_bytes());
    message.extend(parts.concat());
    Ok(message)
}

/// NTOWFv2 (section 3.3.2).
fn key(domain: &str, user: &str, password: &Secret) -> Vec<u8> {
    let hash = Md4::digest(utf16(&password.expose_text()));
    mac(&hash, &[&utf16(&format!("{}{domain}", user.to_uppercase()))])
}

/// The proof and what it is of: version, time, the client's challenge and the server's names (section 2.2.2.7).
fn answer(key: &[u8], asked: &Asked, own_challenge: [u8; 8], time: [u8; 8]) -> Vec<u8> {
    let mut told = vec![1, 1, 0, 0, 0, 0, 0, 0];
    told.extend(time);
    told.extend(own_challenge);
    told.extend([0; 4]);
    told.extend(&asked.target_info);
    told.extend([0; 4]);
    [mac(key, &[&asked.challenge, &told]), told].concat()
}

fn mac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    // A key of any length is one for HMAC (RFC 2104 section 2), so there is always a code.
    let Ok(mut mac) = Hmac::<md5::Md5>::new_from_slice(key) else { return Vec::new() };
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use why401_auth::scheme::ntlm::{self, Message};

    fn bytes(hex: &str) -> Vec<u8> {
        let hex: Vec<u8> = hex.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
        hex.chunks(2).map(|c| u8::from_str_radix(std::str::from_utf8(c).unwrap(), 16).unwrap()).collect()
    }

    /// A type 2 message with these names.
    fn asked(info: &str) -> Asked {
        let info = bytes(info);
        let mut message = b"NTLMSSP\0\x02\0\0\0".to_vec();
        message.extend([0, 0, 0, 0, 48, 0, 0, 0]);
        message.extend(0xa289_8205_u32.to_le_bytes());
        message.extend(bytes("0123456789abcdef 0000000000000000"));
        message.extend([info.len() as u8, 0, info.len() as u8, 0, 48, 0, 0, 0]);
        message.extend(info);
        Asked::read(&message).unwrap()
    }

    const NAMES: &str = "0200 0600 4c0041004200 0100 0600 530052005600";

    #[test]
    fn what_is_said_first_is_what_curl_says() {
        assert_eq!(base64::encode(&negotiate()), "TlRMTVNTUAABAAAABoIIAAAAAAAAAAAAAAAAAAAAAAA=");
    }

    /// MS-NLMP section 4.2.4: the keys and the answers of its example.
    #[test]
    fn the_specification_s_example_is_answered() {
        let key = key("Domain", "User", &Secret::new("Password"));
        assert_eq!(key, bytes("0c868a403bfd7a93a3001ef22ef02e3f"));
        let asked = asked("02000c0044006f006d00610069006e00 01000c00530065007200760065007200 00000000");
        let own = [0xaa; 8];
        let answer = answer(&key, &asked, own, [0; 8]);
        assert_eq!(answer[..16], bytes("68cd0ab851e51c96aabc927bebef6a1c"));
        let lm = mac(&key, &[&asked.challenge, &own]);
        assert_eq!(lm, bytes("86c35097ac9cec102554764a57cccc19"));
    }

    /// What curl 7.88 answers at this time with this challenge of its own.
    #[test]
    fn the_answer_is_the_one_that_curl_sends() {
        let asked = asked(&format!("{NAMES} 0700 0800 00c083ed8a49da01 00000000"));
        let own = bytes("4057c63789ea53d5").try_into().unwrap();
        let time = bytes("00ba650e547bdd01").try_into().unwrap();
        let answer = answer(&key("DOM", "User", &Secret::new("Password")), &asked, own, time);
        assert_eq!(answer[..16], bytes("e9668ff0982f951d564600d8027f9845"));
        assert_eq!(answer.len(), 84);
    }

    #[test]
    fn the_message_can_be_read_and_its_time_is_the_server_s() {
        let now = jiff::Timestamp::from_second(1_700_000_000).unwrap();
        let timed = asked(&format!("{NAMES} 0700 0800 00c083ed8a49da01 00000000"));
        let untimed = asked(&format!("{NAMES} 00000000"));
        for asked in [&timed, &untimed] {
            let message = authenticate(asked, "DOM\\User", &Secret::new("x"), [7; 8], now).unwrap();
            let read = ntlm::read(&message).unwrap();
            assert_eq!(read.problems, []);
            let Message::Authenticate(given) = read.message else { panic!("{:?}", read.message) };
            assert_eq!((given.domain.as_str(), given.user.as_str(), given.is_v2), ("DOM", "User", true));
            assert_eq!(given.workstation, WORKSTATION);
            if asked.time().is_none() {
                assert_eq!(given.client_time, Some(1_700_000_000));
            } else {
                assert_eq!(given.client_time, given.target_info.time);
                assert_eq!(message[64..88], [0; 24]);
            }
        }
        assert_eq!(parted("alice@example.com"), ("", "alice@example.com"));
        assert!(authenticate(&timed, &"x".repeat(40_000), &Secret::new("x"), [7; 8], now).is_err());
    }

    proptest! {
        #[test]
        fn no_challenge_is_too_strange(tail in proptest::collection::vec(any::<u8>(), 0..80)) {
            let message = [&b"NTLMSSP\0\x02\0\0\0"[..], &tail].concat();
            if let Some(asked) = Asked::read(&message) {
                let _ = authenticate(&asked, "a", &Secret::new("b"), [0; 8], jiff::Timestamp::UNIX_EPOCH);
            }
        }
    }
}
