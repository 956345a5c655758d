//! A QUIC connection watched from outside.

mod open;

use super::assembly::Assembly;
use super::frames::{Frame, frames};
use super::packet::{LONGEST_ID, Long, Packet, QuicDestination, next};
use super::protect::initial;
use super::streams::{Piece, Streams};
use super::traffic::{Budget, Traffic};
use super::version::{Kind, Version};
use crate::keylog::KeyLog;
use crate::suite::Suite;
use crate::{Alert, Handshake, Side, Watch};

/// What happened on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuicEvent<'a> {
    /// The next bytes of a stream.
    Data {
        /// Who sent them.
        from: Side,
        /// On which stream.
        stream: u64,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// So many bytes of a stream (0: an unknown number) are missing here.
    Missing {
        /// Who sent them.
        from: Side,
        /// On which stream.
        stream: u64,
        /// How many.
        len: u64,
    },
    /// A side of a stream is over.
    End {
        /// Whose.
        from: Side,
        /// Which stream.
        stream: u64,
    },
    /// A side of a stream was given up by its sender (RESET_STREAM).
    Reset {
        /// Whose.
        from: Side,
        /// Which stream.
        stream: u64,
        /// Why, by the application's own numbers.
        error: u64,
    },
}

/// What goes on at one level of encryption.
#[derive(Default)]
struct Level {
    keys: Option<Traffic>,
    /// The largest packet number, which the next one is told by.
    largest: Option<u64>,
    crypto: Assembly,
}

/// One side of the connection.
#[derive(Default)]
struct Sender {
    /// The connection IDs that it gave the other side to send to.
    ids: Vec<Vec<u8>>,
    initial: Level,
    handshake: Level,
    /// 0-RTT and 1-RTT packets are numbered together.
    application: Level,
    early: Option<Traffic>,
    streams: Streams,
}

/// A QUIC connection watched from outside.
pub struct QuicConnection {
    version: &'static Version,
    /// Reads the handshake, which TLS carries on in frames of QUIC's.
    tls: Watch,
    senders: [Sender; 2],
    /// IDs that were not told of yet.
    new_ids: Vec<(Side, Vec<u8>)>,
    /// What 0-RTT packets said, until the server says whether it takes them.
    early: Vec<Vec<u8>>,
    /// Of a ClientHello of which parts are missing, the front was taken.
    front_taken: bool,
    /// How long the IDs are that were last sent to, by who sends.
    id_len: [Option<usize>; 2],
    budget: Budget,
    closed: bool,
    scratch: Vec<u8>,
}

/// More connection IDs are not remembered; few sides give more than eight.
const MOST_IDS: usize = 64;
/// More is not kept of messages that wait for their parts.
const MOST_CRYPTO: usize = 256 << 10;
/// Packets of early data that are kept.
const MOST_EARLY: usize = 64;
const MOST_ALERTS: usize = 32;
/// Errors of TLS among those of QUIC (RFC 9001, section 4.8).
const CRYPTO_ERRORS: std::ops::RangeInclusive<u64> = 0x100..=0x1ff;

impl QuicConnection {
    /// The connection that a client begins with this datagram; `None` if it does not begin one. The datagram has to be
    /// handed over as well.
    pub fn begun_by(datagram: &[u8]) -> Option<QuicConnection> {
        let mut rest = datagram;
        let Packet::Long(packet) = next(&mut rest)? else { return None };
        (packet.kind == Kind::Initial).then_some(())?;
        let mut connection = QuicConnection {
            version: packet.version,
            tls: Watch::new(),
            senders: Default::default(),
            new_ids: Vec::new(),
            early: Vec::new(),
            front_taken: false,
            id_len: [None; 2],
            budget: Budget::default(),
            closed: false,
            scratch: Vec::new(),
        };
        connection.keys_of(packet.version, packet.destination)?;
        let level = &mut connection.sender(Side::Client).initial;
        let (keys, mut largest) = (level.keys.as_mut()?, None);
        keys.open(packet.header, packet.sealed, &mut largest, &mut Budget::default(), &mut Vec::new())?;
        Some(connection)
    }

    /// What is known of the connection so far.
    pub fn handshake(&self) -> &Handshake {
        self.tls.handshake()
    }

    /// Whether a side said that it is over.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// About how many bytes of memory is taken by what waits for missing bytes on streams.
    pub fn waiting_footprint(&self) -> usize {
        self.senders.iter().map(|sender| sender.streams.held()).sum()
    }

    /// About how many bytes of memory is taken by what is kept beyond keys and streams: of the handshake, and early data.
    pub fn footprint(&self) -> usize {
        let levels =
            |s: &Sender| s.initial.crypto.held() + s.handshake.crypto.held() + s.application.crypto.held();
        let early = self.early.iter().map(Vec::capacity).sum::<usize>();
        self.senders.iter().map(levels).sum::<usize>()
            + early
            + self.scratch.capacity()
            + self.tls.footprint()
    }

    /// The connection IDs that each side gave the other to send to, since this was last asked.
    pub fn new_ids(&mut self) -> Vec<(Side, Vec<u8>)> {
        std::mem::take(&mut self.new_ids)
    }

    /// Whether this side gave the other such an ID to send to, or a client sent to it first.
    pub fn is_for(&self, side: Side, destination: QuicDestination<'_>) -> bool {
        let ids = self.senders.get(index(side)).map(|s| s.ids.as_slice()).unwrap_or_default();
        ids.iter().any(|known| match destination {
            QuicDestination::Id(id) => known == id,
            QuicDestination::Front(front) => front.starts_with(known),
        })
    }

    /// Whether the server was not heard yet, so that its client may begin once more.
    pub fn is_unanswered(&self) -> bool {
        self.tls.handshake().version.is_none()
    }

    /// Takes a datagram in.
    pub fn datagram(
        &mut self,
        from: Side,
        datagram: &[u8],
        keys: &KeyLog,
        out: &mut dyn FnMut(QuicEvent<'_>),
    ) {
        let mut rest = datagram;
        let mut text = std::mem::take(&mut self.scratch);
        while let Some(packet) = next(&mut rest) {
            match packet {
                Packet::Long(packet) => self.long(from, packet, keys, &mut text, out),
                Packet::Short(packet) => self.short(from, packet, keys, &mut text, out),
            }
        }
        self.scratch = text;
    }

    /// Nothing more will come: hands over what waits for bytes that are missing.
    pub fn finish(&mut self, out: &mut dyn FnMut(QuicEvent<'_>)) {
        for from in [Side::Client, Side::Server] {
            self.sender(from).streams.finish(&mut |stream, piece| out(event(from, stream, piece)));
        }
    }

    fn sender(&mut self, side: Side) -> &mut Sender {
        let [client, server] = &mut self.senders;
        if side == Side::Client { client } else { server }
    }

    /// The keys of Initial packets are those that follow from this ID.
    fn keys_of(&mut self, version: &'static Version, id: &[u8]) -> Option<()> {
        let suite = Suite::of(crate::quic::protect::INITIAL_SUITE)?;
        for side in [Side::Client, Side::Server] {
            let (mask, seal) = initial(version, id, side)?;
            self.sender(side).initial.keys = Some(Traffic::of(mask, seal, suite, version));
        }
        self.learn_id(Side::Server, id);
        Some(())
    }

    fn learn_id(&mut self, of: Side, id: &[u8]) {
        let ids = &mut self.sender(of).ids;
        if id.len() <= LONGEST_ID && !ids.iter().any(|known| known == id) {
            if ids.len() >= MOST_IDS {
                ids.remove(0);
            }
            ids.push(id.to_vec());
            self.new_ids.push((of, id.to_vec()));
        }
    }

    /// What a packet says; `kind` stands for 1-RTT packets as well, where it is `ZeroRtt`.
    fn frames(&mut self, from: Side, kind: Kind, text: &[u8], out: &mut dyn FnMut(QuicEvent<'_>)) {
        for frame in frames(text) {
            match frame {
                Frame::Crypto { offset, bytes } => self.crypto(from, kind, offset, bytes),
                Frame::Stream { stream, offset, bytes, end } if kind == Kind::ZeroRtt => {
                    let streams = &mut self.sender(from).streams;
                    streams.frame(stream, offset, bytes, end, &mut |s, piece| out(event(from, s, piece)));
                }
                Frame::Reset { stream, error }
                    if kind == Kind::ZeroRtt && self.sender(from).streams.reset(stream) =>
                {
                    out(QuicEvent::Reset { from, stream, error });
                }
                Frame::NewId(id) => self.learn_id(from, id),
                Frame::Close { application, error } => {
                    self.closed = true;
                    let alerts = &mut self.tls.handshake_mut().alerts;
                    if !application && CRYPTO_ERRORS.contains(&error) && alerts.len() < MOST_ALERTS {
                        let alert = Alert { from, description: Some(error as u8), fatal: true };
                        // It is repeated until the other side is silent.
                        if !alerts.contains(&alert) {
                            alerts.push(alert);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn crypto(&mut self, from: Side, kind: Kind, offset: u64, bytes: &[u8]) {
        let QuicConnection { tls, senders: [client, server], front_taken, .. } = self;
        let sender = if from == Side::Client { client } else { server };
        let level = match kind {
            Kind::Initial if *front_taken && from == Side::Client => return,
            Kind::Initial => &mut sender.initial,
            Kind::Handshake => &mut sender.handshake,
            // Tickets for later connections.
            Kind::ZeroRtt | Kind::Retry => return,
        };
        if level.crypto.held() + bytes.len() <= MOST_CRYPTO {
            level.crypto.push(offset, bytes, false, &mut |bytes| tls.carried(from, bytes));
        }
    }
}

fn index(side: Side) -> usize {
    usize::from(side == Side::Server)
}

fn event(from: Side, stream: u64, piece: Piece<'_>) -> QuicEvent<'_> {
    match piece {
        Piece::Bytes(bytes) => QuicEvent::Data { from, stream, bytes },
        Piece::Missing(len) => QuicEvent::Missing { from, stream, len },
        Piece::End => QuicEvent::End { from, stream },
    }
}

impl std::fmt::Debug for QuicConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QuicConnection").field("handshake", self.handshake()).finish_non_exhaustive()
    }
}
