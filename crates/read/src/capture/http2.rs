//! HTTP/2 streams to pairs of request and response.

use super::exchanges::{Exchanges, Place};
use crate::http1::content::{Keep, is_page, worth_keeping};
use crate::http1::{Message, Pair, Side};
use std::collections::BTreeMap;
use why401_h2::{Event, Field, Watch};
use why401_http::{Body, FieldLine, Fields, Moment, Request, Response};
use why401_span::{Builder, Derived, Span};

/// More streams than this are not followed at one time; servers allow far fewer.
const MOST_STREAMS: usize = 1000;

/// A connection of HTTP/2 and its streams.
#[derive(Debug)]
pub(super) struct Http2 {
    watch: Watch,
    streams: Streams,
}

#[derive(Debug)]
struct Streams {
    place: Place,
    open: BTreeMap<u32, Stream>,
}

#[derive(Debug, Default)]
struct Stream {
    pair: Pair,
    request: Half,
    response: Half,
}

/// The body of one side of a stream.
#[derive(Debug, Default)]
struct Half {
    body: Keep,
    ended: bool,
}

impl Http2 {
    /// `upgraded` is the request by which an HTTP/1.1 connection became one of HTTP/2 (RFC 7540, section 3.2): its
    /// answer comes on stream 1.
    pub(super) fn new(place: Place, upgraded: Option<Message<Request>>) -> Self {
        let mut streams = Streams { place, open: BTreeMap::new() };
        if let Some(request) = upgraded {
            let pair = Pair { request: Some(request), response: None };
            let request = Half { ended: true, ..Half::default() };
            streams.open.insert(1, Stream { pair, request, ..Stream::default() });
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
        watch.bytes(h2_side(side), bytes, origin, &mut |event| streams.event(event, at, origin, to));
    }

    pub(super) fn gap(&mut self, side: Side, len: u64, to: &mut Exchanges<'_>) {
        let Http2 { watch, streams } = self;
        let nowhere = Span::new(to.source(), 0, 0);
        watch.gap(h2_side(side), len, &mut |event| streams.event(event, None, nowhere, to));
    }

    pub(super) fn finish(mut self, to: &mut Exchanges<'_>) {
        self.let_go(to);
    }

    /// Hands over what there is of all streams.
    pub(super) fn let_go(&mut self, to: &mut Exchanges<'_>) {
        while let Some((_, stream)) = self.streams.open.pop_first() {
            self.streams.give(stream, to);
        }
    }
}

impl Streams {
    fn event(&mut self, event: Event<'_>, at: Option<Moment>, origin: Span, to: &mut Exchanges<'_>) {
        match event {
            Event::Fields { from, stream, fields, whole, end, promised } => {
                let s = self.stream(stream, to);
                let is_request = promised || from == why401_h2::Side::Client;
                let half = if is_request { &mut s.request } else { &mut s.response };
                half.ended |= end;
                if is_request {
                    s.request_fields(fields, whole, at);
                } else if s.response_fields(fields, whole, at, end) {
                    s.limit(to.are_many());
                } else {
                    let what =
                        "an HTTP/2 response whose status refers to fields sent before the capture began";
                    to.problem(origin, what);
                }
                self.end_if_over(stream, to);
            }
            Event::Data { from, stream, bytes, origin, end } => {
                let half = self.half(from, stream, to);
                half.body.push(bytes, origin);
                half.ended |= end;
                self.end_if_over(stream, to);
            }
            Event::DataMissing { from, stream, end } => {
                let half = self.half(from, stream, to);
                half.body.miss();
                half.ended |= end;
                self.end_if_over(stream, to);
            }
            Event::Missing { from } => {
                for s in self.open.values_mut() {
                    let half = if from == why401_h2::Side::Client { &mut s.request } else { &mut s.response };
                    if !half.ended {
                        half.body.miss();
                    }
                }
            }
            Event::Reset { stream, .. } => {
                if let Some(stream) = self.open.remove(&stream) {
                    self.give(stream, to);
                }
            }
            Event::GoAway { .. } => {}
        }
    }

    fn stream(&mut self, number: u32, to: &mut Exchanges<'_>) -> &mut Stream {
        if self.open.len() >= MOST_STREAMS
            && !self.open.contains_key(&number)
            && let Some((_, oldest)) = self.open.pop_first()
        {
            self.give(oldest, to);
        }
        self.open.entry(number).or_default()
    }

    fn half(&mut self, from: why401_h2::Side, number: u32, to: &mut Exchanges<'_>) -> &mut Half {
        let stream = self.stream(number, to);
        match from {
            why401_h2::Side::Client => &mut stream.request,
            why401_h2::Side::Server => &mut stream.response,
        }
    }

    fn end_if_over(&mut self, number: u32, to: &mut Exchanges<'_>) {
        if self.open.get(&number).is_some_and(|s| s.request.ended && s.response.ended)
            && let Some(stream) = self.open.remove(&number)
        {
            self.give(stream, to);
        }
    }

    fn give(&self, stream: Stream, to: &mut Exchanges<'_>) {
        let Stream { mut pair, request, response } = stream;
        if let Some(m) = &mut pair.request {
            m.message.body = finished(request, &m.message.fields);
        }
        if let Some(m) = &mut pair.response {
            m.message.body = finished(response, &m.message.fields);
        }
        if pair.request.is_some() || pair.response.is_some() {
            to.pair(&self.place, pair);
        }
    }
}

fn finished(half: Half, fields: &Fields) -> Body {
    half.body.finish(fields, half.ended)
}

impl Stream {
    fn request_fields(&mut self, fields: Vec<Field>, whole: bool, at: Option<Moment>) {
        let (pseudo, fields) = apart(fields);
        if let Some(known) = &mut self.pair.request {
            known.message.fields.0.extend(fields);
            known.message.complete &= whole;
            return;
        }
        let part = |name: &str| pseudo.iter().find(|f| f.is(name)).map(|f| f.value.clone());
        let method = part(":method").unwrap_or_default();
        // RFC 9113, section 8.5: CONNECT has an authority alone.
        let target = part(":path").or_else(|| part(":authority")).unwrap_or_default();
        let mut line = Builder::new();
        line.push_part(&method, 0..method.len());
        line.push_synthetic(b" ");
        line.push_part(&target, 0..target.len());
        line.push_synthetic(b" HTTP/2");
        let authority = pseudo.iter().filter(|f| f.is(":authority")).cloned();
        let message = Request {
            line: line.finish(),
            method,
            target,
            version: "2".into(),
            scheme: part(":scheme").map(|s| s.to_text().into_owned()),
            fields: Fields(authority.chain(fields).collect()),
            complete: whole,
            ..Request::default()
        };
        self.pair.request = Some(Message { start: 0, end: 0, at, message });
    }

    /// Where there are very many answers, of a success only the front is kept.
    fn limit(&mut self, many: bool) {
        if let Some(m) = self.pair.response.as_ref().filter(|_| many) {
            let kind = m.message.fields.get("content-type");
            let page = kind.is_some_and(|f| is_page(f.value.as_bytes()));
            self.response.body.limit(worth_keeping(m.message.status, page));
        }
    }

    /// Says whether the fields could be used.
    fn response_fields(&mut self, fields: Vec<Field>, whole: bool, at: Option<Moment>, end: bool) -> bool {
        let (pseudo, fields) = apart(fields);
        if let Some(known) = &mut self.pair.response {
            known.message.fields.0.extend(fields);
            known.message.complete &= whole;
            return true;
        }
        let status = pseudo.iter().find(|f| f.is(":status")).map(|f| f.value.clone());
        let Some(status) = status else { return false };
        let Ok(code) = status.to_text().parse() else { return false };
        if (100..200).contains(&code) && !end {
            // Interim; the final answer follows.
            return true;
        }
        let mut line = Builder::new();
        line.push_synthetic(b"HTTP/2 ");
        line.push_part(&status, 0..status.len());
        let message = Response {
            line: line.finish(),
            status: code,
            version: "2".into(),
            fields: Fields(fields),
            complete: whole,
            ..Response::default()
        };
        self.pair.response = Some(Message { start: 0, end: 0, at, message });
        true
    }
}

/// Pseudo-fields and fields, as far as both name and value are known.
fn apart(fields: Vec<Field>) -> (Vec<FieldLine>, Vec<FieldLine>) {
    let known = fields.into_iter().filter_map(|f| Some(FieldLine { name: f.name?, value: f.value? }));
    known.partition(|f: &FieldLine| is_pseudo(&f.name))
}

fn is_pseudo(name: &Derived) -> bool {
    name.as_bytes().starts_with(b":")
}

fn h2_side(side: Side) -> why401_h2::Side {
    match side {
        Side::Client => why401_h2::Side::Client,
        Side::Server => why401_h2::Side::Server,
    }
}
