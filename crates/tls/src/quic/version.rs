//! Versions of QUIC: how their packets are told apart and what their keys are called.

/// A version of QUIC.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Version {
    number: u32,
    /// The type of an Initial packet; those of 0-RTT, Handshake and Retry packets follow it.
    initial: u8,
    /// The first secrets follow from it and the client's first connection ID.
    pub(crate) salt: [u8; 20],
    pub(crate) key: &'static [u8],
    pub(crate) iv: &'static [u8],
    pub(crate) header_protection: &'static [u8],
    pub(crate) key_update: &'static [u8],
}

/// What a packet with a long header is for (RFC 9000, section 17.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Initial,
    ZeroRtt,
    Handshake,
    Retry,
}

/// RFC 9001, sections 5.1, 5.2 and 6.1.
pub(crate) const VERSION_1: Version = Version {
    number: 1,
    initial: 0,
    salt: [
        0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc,
        0xbb, 0x7f, 0x0a,
    ],
    key: b"quic key",
    iv: b"quic iv",
    header_protection: b"quic hp",
    key_update: b"quic ku",
};

/// RFC 9369, section 3.
pub(crate) const VERSION_2: Version = Version {
    number: 0x6b33_43cf,
    initial: 1,
    salt: [
        0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9,
        0xbd, 0x2e, 0xd9,
    ],
    key: b"quicv2 key",
    iv: b"quicv2 iv",
    header_protection: b"quicv2 hp",
    key_update: b"quicv2 ku",
};

impl Version {
    /// The version of this number, if it is read here.
    pub(crate) fn of(number: u32) -> Option<&'static Version> {
        [&VERSION_1, &VERSION_2].into_iter().find(|v| v.number == number)
    }

    #[cfg(any(test, feature = "forge"))]
    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    /// What a packet with this first byte is for. The bits are not protected.
    pub(crate) fn kind(&self, first: u8) -> Kind {
        match (first >> 4 & 3).wrapping_sub(self.initial) & 3 {
            0 => Kind::Initial,
            1 => Kind::ZeroRtt,
            2 => Kind::Handshake,
            _ => Kind::Retry,
        }
    }

    #[cfg(any(test, feature = "forge"))]
    pub(crate) fn first(&self, kind: Kind) -> u8 {
        0xc0 | ((kind as u8 + self.initial) & 3) << 4
    }
}
