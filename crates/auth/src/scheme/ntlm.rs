//! NTLM messages (MS-NLMP section 2.2), as they stand in `NTLM` and inside `Negotiate`.

use crate::Secret;
use crate::problem::{Problem, ProblemKind};
use crate::syntax::slice;
use std::ops::Range;

/// The eight bytes every message begins with.
pub const SIGNATURE: &[u8] = b"NTLMSSP\0";

/// An NTLM message. Ranges of problems are relative to the message's own bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ntlm {
    /// Which of the three it is, with what it holds.
    pub message: Message,
    /// The negotiated flags (MS-NLMP section 2.2.2.5).
    pub flags: u32,
    /// The version of Windows, or what stands for one: major, minor, build.
    pub version: Option<(u8, u8, u16)>,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

/// The three messages of a handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Type 1, from the client.
    Negotiate {
        /// The client's domain, mostly empty.
        domain: String,
        /// The client's machine, mostly empty.
        workstation: String,
    },
    /// Type 2, from the server.
    Challenge(Challenge),
    /// Type 3, from the client.
    Authenticate(Authenticate),
    /// Another number.
    Unknown(u32),
}

/// A type 2 message (MS-NLMP section 2.2.1.2).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Challenge {
    /// The server's authentication realm: its domain, or its own name.
    pub target_name: String,
    /// Names and times of the server.
    pub target_info: TargetInfo,
}

/// A type 3 message (MS-NLMP section 2.2.1.3).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Authenticate {
    /// The user's domain.
    pub domain: String,
    /// The user; empty for an anonymous session.
    pub user: String,
    /// The client's machine.
    pub workstation: String,
    /// How long the answer to the challenge is: 24 bytes for NTLMv1, more for NTLMv2.
    pub nt_response_len: usize,
    /// Whether the answer is NTLMv2.
    pub is_v2: bool,
    /// Whether it is an anonymous session (MS-NLMP section 3.2.5.1.2).
    pub is_anonymous: bool,
    /// Whether a message integrity code is there.
    pub has_mic: bool,
    /// The names and times that the client answered with (NTLMv2 only).
    pub target_info: TargetInfo,
    /// The client's time in NTLMv2, in seconds since 1970.
    pub client_time: Option<i64>,
    /// The answer to the challenge.
    pub nt_response: Secret,
}

/// The AV pairs (MS-NLMP section 2.2.2.1).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TargetInfo {
    /// NetBIOS name of the server.
    pub computer: Option<String>,
    /// NetBIOS name of the domain.
    pub domain: Option<String>,
    /// DNS name of the server.
    pub dns_computer: Option<String>,
    /// DNS name of the domain.
    pub dns_domain: Option<String>,
    /// DNS name of the forest.
    pub dns_tree: Option<String>,
    /// The server's time, in seconds since 1970.
    pub time: Option<i64>,
    /// `MsvAvFlags`: 1 constrained, 2 a message integrity code is there, 4 the target name is not trusted.
    pub flags: Option<u32>,
    /// The service that the client wanted (`MsvAvTargetName`).
    pub target: Option<String>,
    /// Whether there is a channel binding, and whether it is more than zeros.
    pub channel_binding: Option<bool>,
}

/// The flags by their names (MS-NLMP section 2.2.2.5), lowest bit first.
const FLAGS: &[(u32, &str)] = &[
    (0x0000_0001, "UNICODE"),
    (0x0000_0002, "OEM"),
    (0x0000_0004, "REQUEST_TARGET"),
    (0x0000_0010, "SIGN"),
    (0x0000_0020, "SEAL"),
    (0x0000_0040, "DATAGRAM"),
    (0x0000_0080, "LM_KEY"),
    (0x0000_0200, "NTLM"),
    (0x0000_0800, "ANONYMOUS"),
    (0x0000_1000, "OEM_DOMAIN_SUPPLIED"),
    (0x0000_2000, "OEM_WORKSTATION_SUPPLIED"),
    (0x0000_8000, "ALWAYS_SIGN"),
    (0x0001_0000, "TARGET_TYPE_DOMAIN"),
    (0x0002_0000, "TARGET_TYPE_SERVER"),
    (0x0008_0000, "EXTENDED_SESSIONSECURITY"),
    (0x0010_0000, "IDENTIFY"),
    (0x0040_0000, "REQUEST_NON_NT_SESSION_KEY"),
    (0x0080_0000, "TARGET_INFO"),
    (0x0200_0000, "VERSION"),
    (0x2000_0000, "128"),
    (0x4000_0000, "KEY_EXCH"),
    (0x8000_0000, "56"),
];

impl Ntlm {
    /// The number of the message: 1, 2 or 3.
    pub fn number(&self) -> u32 {
        match &self.message {
            Message::Negotiate { .. } => 1,
            Message::Challenge(_) => 2,
            Message::Authenticate(_) => 3,
            Message::Unknown(n) => *n,
        }
    }

    /// The names of the flags that are set.
    pub fn flag_names(&self) -> Vec<&'static str> {
        FLAGS.iter().filter(|(bit, _)| self.flags & bit != 0).map(|(_, name)| *name).collect()
    }
}

/// Reads a message; `None` where the bytes do not begin as one.
pub fn read(bytes: &[u8]) -> Option<Ntlm> {
    bytes.strip_prefix(SIGNATURE)?;
    let mut r = Reader { bytes, problems: Vec::new() };
    let number = r.u32(8)?;
    let (flags_at, version_at) = match number {
        1 => (12, 32),
        2 => (20, 48),
        3 => (60, 64),
        _ => (usize::MAX, usize::MAX),
    };
    let flags = r.u32(flags_at).unwrap_or_default();
    let unicode = flags & 1 != 0;
    let message = match number {
        1 => Message::Negotiate {
            // Both are always in the machine's own code page (MS-NLMP section 2.2.1.1).
            domain: if flags & 0x1000 != 0 { r.text(16, false) } else { String::new() },
            workstation: if flags & 0x2000 != 0 { r.text(24, false) } else { String::new() },
        },
        2 => Message::Challenge(Challenge {
            target_name: r.text(12, unicode),
            target_info: target_info(r.field(40).map_or(&[], |f| slice(bytes, &f))),
        }),
        3 => Message::Authenticate(authenticate(&mut r, unicode, flags)),
        n => {
            r.problem(8..12, ProblemKind::Unknown, "the message type is none of 1, 2 and 3");
            Message::Unknown(n)
        }
    };
    let version = (flags & 0x0200_0000 != 0).then(|| r.version(version_at)).flatten();
    Some(Ntlm { message, flags, version, problems: r.problems })
}

fn authenticate(r: &mut Reader<'_>, unicode: bool, flags: u32) -> Authenticate {
    let bytes = r.bytes;
    let response = r.field(20).unwrap_or(0..0);
    let lm = r.field(12).unwrap_or(0..0);
    let nt = slice(bytes, &response);
    let is_v2 = nt.len() > 24;
    let user = r.text(36, unicode);
    let is_anonymous =
        flags & 0x800 != 0 || (user.is_empty() && nt.is_empty() && slice(bytes, &lm).iter().all(|b| *b == 0));
    let info = if is_v2 { target_info(nt.get(44..).unwrap_or_default()) } else { TargetInfo::default() };
    Authenticate {
        domain: r.text(28, unicode),
        workstation: r.text(44, unicode),
        nt_response_len: nt.len(),
        is_v2,
        is_anonymous,
        has_mic: info.flags.is_some_and(|f| f & 2 != 0),
        client_time: if is_v2 { nt.get(24..32).and_then(filetime) } else { None },
        target_info: info,
        nt_response: Secret::new(nt),
        user,
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn problem(&mut self, range: Range<usize>, kind: ProblemKind, what: &str) {
        self.problems.push(Problem::new(range, kind, what));
    }

    fn u16(&self, at: usize) -> Option<u16> {
        let bytes = self.bytes.get(at..at.checked_add(2)?)?;
        Some(u16::from_le_bytes(bytes.try_into().ok()?))
    }

    fn u32(&self, at: usize) -> Option<u32> {
        let bytes = self.bytes.get(at..at.checked_add(4)?)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    }

    fn version(&self, at: usize) -> Option<(u8, u8, u16)> {
        Some((*self.bytes.get(at)?, *self.bytes.get(at + 1)?, self.u16(at + 2)?))
    }

    /// A field of the header: length, room, offset of its content.
    fn field(&mut self, at: usize) -> Option<Range<usize>> {
        let len = usize::from(self.u16(at)?);
        let offset = usize::try_from(self.u32(at + 4)?).ok()?;
        let range = offset..offset.checked_add(len)?;
        if len > 0 && self.bytes.get(range.clone()).is_none() {
            self.problem(
                at..at + 8,
                ProblemKind::Truncated,
                "a part lies beyond the end: the message was cut off",
            );
            return None;
        }
        Some(range)
    }

    fn text(&mut self, at: usize, unicode: bool) -> String {
        let bytes = self.bytes;
        let content = self.field(at).map_or(&[][..], |f| slice(bytes, &f));
        if unicode { utf16(content) } else { content.iter().map(|b| char::from(*b)).collect() }
    }
}

fn utf16(bytes: &[u8]) -> String {
    let units = bytes
        .chunks_exact(2)
        .map(|c| u16::from_le_bytes([c.first().copied().unwrap_or(0), c.get(1).copied().unwrap_or(0)]));
    char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect()
}

/// A FILETIME (units of 100 ns since 1601) in seconds since 1970.
fn filetime(bytes: &[u8]) -> Option<i64> {
    let ticks = u64::from_le_bytes(bytes.try_into().ok()?);
    i64::try_from(ticks / 10_000_000).ok()?.checked_sub(11_644_473_600).filter(|_| ticks != 0)
}

fn target_info(mut bytes: &[u8]) -> TargetInfo {
    let mut info = TargetInfo::default();
    while let Some((head, rest)) = bytes.split_at_checked(4) {
        let word = |i: usize| {
            u16::from_le_bytes([head.get(i).copied().unwrap_or(0), head.get(i + 1).copied().unwrap_or(0)])
        };
        let (id, len) = (word(0), usize::from(word(2)));
        let Some((value, rest)) = rest.split_at_checked(len) else { break };
        match id {
            0 => break,
            1 => info.computer = Some(utf16(value)),
            2 => info.domain = Some(utf16(value)),
            3 => info.dns_computer = Some(utf16(value)),
            4 => info.dns_domain = Some(utf16(value)),
            5 => info.dns_tree = Some(utf16(value)),
            6 => info.flags = value.try_into().ok().map(u32::from_le_bytes),
            7 => info.time = filetime(value),
            9 => info.target = Some(utf16(value)),
            10 => info.channel_binding = Some(value.iter().any(|b| *b != 0)),
            _ => {}
        }
        bytes = rest;
    }
    info
}
