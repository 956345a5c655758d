//! An HTTP/3 connection watched from outside.

use crate::sender::{Sender, Told};
use crate::{Field, Side};
use why401_span::Span;

/// What happened on a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event<'a> {
    /// Fields: of a request or response, or trailers.
    Fields {
        /// Who sent them.
        from: Side,
        /// On which stream; of what a server pushes, [`PUSHED`](crate::PUSHED) and the number of the push.
        stream: u64,
        /// The fields in order.
        fields: Vec<Field>,
        /// Whether the whole section was read and every field in it is known.
        whole: bool,
        /// Whether it is a request that the server promises to answer unasked.
        promised: bool,
    },
    /// Bytes of a body.
    Data {
        /// Who sent them.
        from: Side,
        /// On which stream.
        stream: u64,
        /// The bytes.
        bytes: &'a [u8],
        /// Where the first one stands.
        origin: Span,
    },
    /// Bytes of a stream are missing here: of a body, or whole frames.
    Missing {
        /// Who sent them.
        from: Side,
        /// On which stream.
        stream: u64,
    },
    /// A side of a stream is over.
    End {
        /// Whose.
        from: Side,
        /// Which stream.
        stream: u64,
    },
    /// A side of a stream was given up.
    Reset {
        /// Whose.
        from: Side,
        /// Which stream.
        stream: u64,
        /// Why (RFC 9114, section 8.1).
        error: u64,
    },
    /// The sender will end the connection (GOAWAY).
    GoAway {
        /// Who.
        from: Side,
        /// What it will not answer any more: this stream or push and all behind it.
        first: u64,
    },
}

/// An HTTP/3 connection watched from outside.
#[derive(Debug)]
pub struct Watch {
    client: Sender,
    server: Sender,
}

impl Default for Watch {
    fn default() -> Self {
        Watch::new()
    }
}

impl Watch {
    /// A connection of which nothing was seen yet.
    pub fn new() -> Self {
        Watch { client: Sender::new(Side::Client), server: Sender::new(Side::Server) }
    }

    /// About how many bytes of memory is taken by what waits and by frames that are not whole; and by what fields refer to.
    pub fn footprints(&self) -> (usize, usize) {
        let ((a, b), (c, d)) = (self.client.footprints(), self.server.footprints());
        (a + c, b + d)
    }

    /// The next bytes of one side of a stream, of which the first stands at `origin.start`.
    pub fn bytes(
        &mut self,
        from: Side,
        stream: u64,
        bytes: &[u8],
        origin: Span,
        out: &mut dyn FnMut(Event<'_>),
    ) {
        let told = self.sender(from).bytes(stream, bytes, origin, out);
        self.told(from, told, out);
        self.sender(from).unblock(out);
    }

    /// Bytes of one side of a stream are missing here (0: an unknown number).
    pub fn gap(&mut self, from: Side, stream: u64, len: u64, out: &mut dyn FnMut(Event<'_>)) {
        let told = self.sender(from).gap(stream, len, out);
        self.told(from, told, out);
        self.sender(from).unblock(out);
    }

    /// One side of a stream is over.
    pub fn end(&mut self, from: Side, stream: u64, out: &mut dyn FnMut(Event<'_>)) {
        self.sender(from).end(stream, out);
    }

    /// One side of a stream was given up.
    pub fn reset(&mut self, from: Side, stream: u64, error: u64, out: &mut dyn FnMut(Event<'_>)) {
        self.sender(from).reset(stream, error, out);
    }

    /// Nothing more will come: what is blocked is read as far as it is known.
    pub fn finish(&mut self, out: &mut dyn FnMut(Event<'_>)) {
        self.client.let_go(out);
        self.server.let_go(out);
    }

    fn sender(&mut self, side: Side) -> &mut Sender {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    /// What one side says of the dynamic table that it allows is for the other to use.
    fn told(&mut self, from: Side, told: Option<Told>, out: &mut dyn FnMut(Event<'_>)) {
        let other = match from {
            Side::Client => &mut self.server,
            Side::Server => &mut self.client,
        };
        if let Some(told) = told {
            other.told(told);
            other.unblock(out);
        }
    }
}

/// The name of an error code (RFC 9114, section 8.1; RFC 9204, section 6).
pub fn error_name(error: u64) -> Option<&'static str> {
    const FIRST: u64 = 0x100;
    const NAMES: [&str; 17] = [
        "H3_NO_ERROR",
        "H3_GENERAL_PROTOCOL_ERROR",
        "H3_INTERNAL_ERROR",
        "H3_STREAM_CREATION_ERROR",
        "H3_CLOSED_CRITICAL_STREAM",
        "H3_FRAME_UNEXPECTED",
        "H3_FRAME_ERROR",
        "H3_EXCESSIVE_LOAD",
        "H3_ID_ERROR",
        "H3_SETTINGS_ERROR",
        "H3_MISSING_SETTINGS",
        "H3_REQUEST_REJECTED",
        "H3_REQUEST_CANCELLED",
        "H3_REQUEST_INCOMPLETE",
        "H3_MESSAGE_ERROR",
        "H3_CONNECT_ERROR",
        "H3_VERSION_FALLBACK",
    ];
    match error {
        0x200 => Some("QPACK_DECOMPRESSION_FAILED"),
        0x201 => Some("QPACK_ENCODER_STREAM_ERROR"),
        0x202 => Some("QPACK_DECODER_STREAM_ERROR"),
        _ => NAMES.get(usize::try_from(error.checked_sub(FIRST)?).ok()?).copied(),
    }
}
