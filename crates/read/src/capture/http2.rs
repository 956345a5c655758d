//! HTTP/2 streams to pairs of request and response.

use super::exchanges::{Exchanges, Place};
use super::held::Weight;
use super::streams::{Section, Streams};
use crate::http1::{Message, Side};
use why401_h2::{Event, Watch};
use why401_http::{Moment, Request};
use why401_span::Span;

/// A connection of HTTP/2 and its streams.
#[derive(Debug)]
pub(super) struct Http2 {
    watch: Watch,
    streams: Streams,
}

impl Http2 {
    /// `upgraded` is the request by which an HTTP/1.1 connection became one of HTTP/2 (RFC 7540, section 3.2): its
    /// answer comes on stream 1.
    pub(super) fn new(place: Place, upgraded: Option<Message<Request>>) -> Self {
        let mut streams = Streams::new(place, "2");
        if let Some(request) = upgraded {
            streams.begun(1, request);
        }
        Http2 { watch: Watch::new(), streams }
    }

    pub(super) fn bytes(
        &mut self,
        side: Side,
        bytes: &[u8],
        origin: Span,
        at: Option<Moment>,
        to: &mut Exchanges<'_>,
    ) {
        let Http2 { watch, streams } = self;
        watch.bytes(h2_side(side), bytes, origin, &mut |e| event(streams, e, at, origin, to));
    }

    pub(super) fn gap(&mut self, side: Side, len: u64, to: &mut Exchanges<'_>) {
        let Http2 { watch, streams } = self;
        let nowhere = Span::new(to.source(), 0, 0);
        watch.gap(h2_side(side), len, &mut |e| event(streams, e, None, nowhere, to));
    }

    pub(super) fn weight(&self) -> Weight {
        const BASE: usize = 2 << 10;
        Weight { said: self.streams.footprint(), rest: BASE + self.watch.footprint() }
    }

    pub(super) fn finish(mut self, to: &mut Exchanges<'_>) {
        self.let_go(to);
    }

    /// Hands over what there is of all streams.
    pub(super) fn let_go(&mut self, to: &mut Exchanges<'_>) {
        self.streams.let_go(to);
    }
}

fn event(streams: &mut Streams, event: Event<'_>, at: Option<Moment>, origin: Span, to: &mut Exchanges<'_>) {
    match event {
        Event::Fields { from, stream, fields, whole, end, promised } => {
            let side = if promised { Side::Client } else { http_side(from) };
            let section = Section { fields, whole, end };
            streams.section(side, u64::from(stream), section, at, origin, to);
        }
        Event::Data { from, stream, bytes, origin, end } => {
            streams.data(http_side(from), u64::from(stream), bytes, origin, end, to);
        }
        Event::DataMissing { from, stream, end } => {
            streams.missing(http_side(from), u64::from(stream), end, to);
        }
        Event::Missing { from } => streams.missing_somewhere(http_side(from)),
        Event::Reset { stream, .. } => streams.reset(u64::from(stream), to),
        Event::GoAway { .. } => {}
    }
}

fn h2_side(side: Side) -> why401_h2::Side {
    match side {
        Side::Client => why401_h2::Side::Client,
        Side::Server => why401_h2::Side::Server,
    }
}

/// Who sent something, for the reader of any version.
pub(super) fn http_side(side: why401_h2::Side) -> Side {
    match side {
        why401_h2::Side::Client => Side::Client,
        why401_h2::Side::Server => Side::Server,
    }
}
