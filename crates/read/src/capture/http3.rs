//! A connection of HTTP/3: what is said on its streams, to pairs of request and response.

use super::exchanges::{Exchanges, Place, moment};
use super::held::Weight;
use super::http2::http_side;
use super::secure::{KEYS_DO_NOT_FIT, tell, worth_telling};
use super::streams::{Section, Streams};
use super::unread::Protocol;
use crate::http1::Side;
use why401_capture::{Datagram, Direction};
use why401_h3::{Event, Watch};
use why401_http::Moment;
use why401_span::Span;
use why401_tls::{Handshake, QuicConnection, QuicEvent};

/// A connection of QUIC, and HTTP/3 inside.
#[derive(Debug)]
pub(super) struct Http3 {
    quic: QuicConnection,
    inside: Inside,
    /// The packet that began it.
    begun: (Span, Option<Moment>),
    /// The packet that brought the latest thing worth telling.
    telling: Option<Span>,
    /// Datagrams of which the capture has only the front.
    cut: u64,
}

/// What is said inside.
#[derive(Debug)]
struct Inside {
    watch: Watch,
    streams: Streams,
    /// What each side said, as far as it was decrypted: all its streams, in the order in which they are read.
    said: [Option<Span>; 2],
    /// How often bytes of a stream were missing.
    gaps: u64,
}

const NO_KEYS: &str = "there are no keys for it";
const CUT: &str = "the capture has only the fronts of its packets, which cannot be decrypted (tcpdump -s 0 keeps them whole)";

impl Http3 {
    pub(super) fn new(place: Place, quic: QuicConnection, d: &Datagram<'_>) -> Self {
        let streams = Streams::new(Place { encrypted: true, ..place }, "3");
        let inside = Inside { watch: Watch::new(), streams, said: [None; 2], gaps: 0 };
        let begun = (d.span, d.time.and_then(moment));
        Http3 { quic, inside, begun, telling: None, cut: 0 }
    }

    pub(super) fn quic(&self) -> &QuicConnection {
        &self.quic
    }

    pub(super) fn quic_mut(&mut self) -> &mut QuicConnection {
        &mut self.quic
    }

    /// Takes a datagram in; says whether something in it could be read.
    pub(super) fn datagram(
        &mut self,
        from: why401_tls::Side,
        d: &Datagram<'_>,
        to: &mut Exchanges<'_>,
    ) -> bool {
        let keys = std::rc::Rc::clone(&to.keys);
        let at = d.time.and_then(moment);
        let Http3 { quic, inside, .. } = self;
        let (opened, telling) = (quic.handshake().opened, worth_telling(quic.handshake()));
        let http3 = may_be_http3(quic.handshake());
        quic.datagram(from, d.bytes, &keys, &mut |event| {
            if http3 {
                inside.event(event, at, to);
            }
        });
        if worth_telling(quic.handshake()) != telling {
            self.telling = Some(d.span);
        }
        self.cut += u64::from(d.missing > 0);
        if self.quic.is_closed() {
            self.let_go(to);
        }
        self.quic.handshake().opened > opened
    }

    /// How much it holds.
    pub(super) fn weight(&self) -> Weight {
        // With keys of three levels in both directions.
        const BASE: usize = 6 << 10;
        let Inside { watch, streams, .. } = &self.inside;
        let (waits, table) = watch.footprints();
        let said = self.quic.waiting_footprint() + waits + streams.footprint();
        Weight { said, rest: BASE + table + self.quic.footprint() }
    }

    /// Hands over what there is of all streams.
    pub(super) fn let_go(&mut self, to: &mut Exchanges<'_>) {
        let Http3 { quic, inside, .. } = self;
        quic.finish(&mut |event| inside.event(event, None, to));
        let Inside { watch, streams, .. } = inside;
        let nowhere = Span::new(to.source(), 0, 0);
        watch.finish(&mut |event| tell_event(streams, event, None, nowhere, to));
        streams.let_go(to);
    }

    pub(super) fn finish(mut self, to: &mut Exchanges<'_>) {
        self.let_go(to);
        let handshake = self.quic.handshake();
        if !may_be_http3(handshake) {
            return;
        }
        let place = &self.inside.streams.place;
        if self.inside.gaps > 0 {
            let what = format!(
                "{} gaps in what was said over HTTP/3 with {}: packets are missing in the capture, and messages that miss \
                 bytes are used as far as they go",
                self.inside.gaps, place.server
            );
            to.problem(self.begun.0, &what);
        }
        let unread = self.unread(to.keys.is_empty());
        let mut handshake = handshake.clone();
        if unread == Some(NO_KEYS) {
            handshake.lack_keys();
        }
        let unread = unread.map(str::to_owned);
        tell(&handshake, place, self.begun, self.telling, unread, Protocol::Http3, to);
    }

    /// Why nothing inside could be read, if that is so.
    fn unread(&self, without_keys: bool) -> Option<&'static str> {
        let handshake = self.quic.handshake();
        if handshake.opened > 0 {
            return None;
        }
        if handshake.lacks_keys() || without_keys {
            return Some(NO_KEYS);
        }
        if self.cut > 0 {
            return Some(CUT);
        }
        (handshake.unopened > 0).then_some(KEYS_DO_NOT_FIT)
    }
}

/// Other protocols run over QUIC as well: DNS, SMB.
fn may_be_http3(handshake: &Handshake) -> bool {
    let chosen = handshake.alpn.as_slice();
    let names = if chosen.is_empty() { &handshake.alpn_offered } else { chosen };
    names.is_empty() || names.iter().any(|name| name.starts_with("h3"))
}

impl Inside {
    fn event(&mut self, event: QuicEvent<'_>, at: Option<Moment>, to: &mut Exchanges<'_>) {
        let Inside { watch, streams, said, gaps } = self;
        let nowhere = Span::new(to.source(), 0, 0);
        match event {
            QuicEvent::Data { from, stream, bytes } => {
                let (said, direction) = match (from, said) {
                    (why401_tls::Side::Client, [client, _]) => (client, Direction::ToServer),
                    (why401_tls::Side::Server, [_, server]) => (server, Direction::ToClient),
                };
                let before =
                    said.get_or_insert_with(|| to.layer(|| streams.place.layer_name("quic", direction)));
                let origin = Span { start: before.end, end: before.end + bytes.len() as u64, ..*before };
                before.end = origin.end;
                let told = &mut |event: Event<'_>| tell_event(streams, event, at, origin, to);
                watch.bytes(h3_side(from), stream, bytes, origin, told);
            }
            QuicEvent::Missing { from, stream, len } => {
                *gaps += 1;
                let told = &mut |event: Event<'_>| tell_event(streams, event, at, nowhere, to);
                watch.gap(h3_side(from), stream, len, told);
            }
            QuicEvent::End { from, stream } => {
                let told = &mut |event: Event<'_>| tell_event(streams, event, at, nowhere, to);
                watch.end(h3_side(from), stream, told);
            }
            QuicEvent::Reset { from, stream, error } => {
                let told = &mut |event: Event<'_>| tell_event(streams, event, at, nowhere, to);
                watch.reset(h3_side(from), stream, error, told);
            }
        }
    }
}

fn tell_event(
    streams: &mut Streams,
    event: Event<'_>,
    at: Option<Moment>,
    origin: Span,
    to: &mut Exchanges<'_>,
) {
    match event {
        Event::Fields { from, stream, fields, whole, promised } => {
            let side = if promised { Side::Client } else { http_side(from) };
            // Nothing follows a promised request on its side.
            streams.section(side, stream, Section { fields, whole, end: promised }, at, origin, to);
        }
        Event::Data { from, stream, bytes, origin } => {
            streams.data(http_side(from), stream, bytes, origin, false, to);
        }
        Event::Missing { from, stream } => streams.missing(http_side(from), stream, false, to),
        Event::End { from, stream } => streams.end(http_side(from), stream, to),
        // Each side of a stream is given up by itself: a server that has answered may do without the rest of the request.
        Event::Reset { from, stream, .. } => streams.cut(http_side(from), stream, to),
        Event::GoAway { .. } => {}
    }
}

fn h3_side(side: why401_tls::Side) -> why401_h3::Side {
    match side {
        why401_tls::Side::Client => why401_h3::Side::Client,
        why401_tls::Side::Server => why401_h3::Side::Server,
    }
}
