//! The streams of a connection that carries many messages at one time, to pairs of request and response.

use super::exchanges::{Exchanges, Place};
use crate::http1::content::{Keep, is_page, worth_keeping};
use crate::http1::{Message, Pair, Side};
use std::collections::BTreeMap;
use why401_h2::Field;
use why401_http::{Body, FieldLine, Fields, Moment, Request, Response};
use why401_span::{Builder, Derived, Span};

/// More streams than this are not followed at one time; servers allow far fewer.
const MOST_STREAMS: usize = 1000;

/// What each takes in memory beside what is said on it: its place in the tree, the request's method, target and version.
const STREAM: usize = size_of::<Stream>() + 512;

/// The streams of a connection.
#[derive(Debug)]
pub(super) struct Streams {
    pub(super) place: Place,
    /// The version of HTTP, as it stands behind `HTTP/`.
    version: &'static str,
    // Boxed: the tree takes room for several at once, and connections may be very many.
    open: BTreeMap<u64, Box<Stream>>,
    /// About how many bytes of memory they take.
    held: usize,
}

/// Fields of a message, or its trailers.
pub(super) struct Section {
    pub(super) fields: Vec<Field>,
    /// Whether all of them are known.
    pub(super) whole: bool,
    /// Whether its side of the stream ends with them.
    pub(super) end: bool,
}

#[derive(Debug, Default)]
struct Stream {
    pair: Pair,
    request: Half,
    response: Half,
    /// About how many bytes of memory it takes.
    held: usize,
}

/// The body of one side of a stream.
#[derive(Debug, Default)]
struct Half {
    body: Keep,
    ended: bool,
}

impl Streams {
    pub(super) fn new(place: Place, version: &'static str) -> Streams {
        Streams { place, version, open: BTreeMap::new(), held: 0 }
    }

    /// About how many bytes of memory is taken by what was said and not handed over yet.
    pub(super) fn footprint(&self) -> usize {
        self.held
    }

    /// A stream whose request came otherwise.
    pub(super) fn begun(&mut self, number: u64, request: Message<Request>) {
        let pair = Pair { request: Some(request), response: None };
        let request = Half { ended: true, ..Half::default() };
        self.open.insert(number, Box::new(Stream { pair, request, ..Stream::default() }));
    }

    pub(super) fn section(
        &mut self,
        side: Side,
        number: u64,
        section: Section,
        at: Option<Moment>,
        origin: Span,
        to: &mut Exchanges<'_>,
    ) {
        let Section { fields, whole, end } = section;
        let version = self.version;
        let cost = cost(&fields);
        self.held += cost;
        let s = self.stream(number, to);
        s.held += cost;
        let half = if side == Side::Client { &mut s.request } else { &mut s.response };
        half.ended |= end;
        if side == Side::Client {
            s.request_fields(fields, whole, at, version);
        } else if s.response_fields(fields, whole, at, end, version) {
            s.limit(to.are_many());
        } else {
            let what = format!(
                "an HTTP/{version} response whose status refers to fields that were not captured, or were sent before the \
                 capture began"
            );
            to.problem(origin, &what);
        }
        self.end_if_over(number, to);
    }

    pub(super) fn data(
        &mut self,
        side: Side,
        number: u64,
        bytes: &[u8],
        origin: Span,
        end: bool,
        to: &mut Exchanges<'_>,
    ) {
        let half = self.half(side, number, to);
        let before = half.body.footprint();
        half.body.push(bytes, origin);
        half.ended |= end;
        let more = half.body.footprint() - before;
        self.held += more;
        if let Some(stream) = self.open.get_mut(&number) {
            stream.held += more;
        }
        self.end_if_over(number, to);
    }

    /// Bytes of a stream are missing here.
    pub(super) fn missing(&mut self, side: Side, number: u64, end: bool, to: &mut Exchanges<'_>) {
        let half = self.half(side, number, to);
        half.body.miss();
        half.ended |= end;
        self.end_if_over(number, to);
    }

    /// Something of what a side says is missing here, on any stream.
    pub(super) fn missing_somewhere(&mut self, side: Side) {
        for s in self.open.values_mut() {
            let half = if side == Side::Client { &mut s.request } else { &mut s.response };
            if !half.ended {
                half.body.miss();
            }
        }
    }

    /// A side of a stream is over.
    pub(super) fn end(&mut self, side: Side, number: u64, to: &mut Exchanges<'_>) {
        if self.open.contains_key(&number) {
            self.half(side, number, to).ended = true;
            self.end_if_over(number, to);
        }
    }

    /// A side of a stream ends before all was said.
    pub(super) fn cut(&mut self, side: Side, number: u64, to: &mut Exchanges<'_>) {
        if self.open.contains_key(&number) {
            self.missing(side, number, true, to);
        }
    }

    /// A stream is over, whatever was said on it.
    pub(super) fn reset(&mut self, number: u64, to: &mut Exchanges<'_>) {
        if let Some(stream) = self.open.remove(&number) {
            self.give(stream, to);
        }
    }

    /// Hands over what there is of all streams.
    pub(super) fn let_go(&mut self, to: &mut Exchanges<'_>) {
        while let Some((_, stream)) = self.open.pop_first() {
            self.give(stream, to);
        }
        self.open = BTreeMap::new();
    }

    fn stream(&mut self, number: u64, to: &mut Exchanges<'_>) -> &mut Stream {
        if self.open.len() >= MOST_STREAMS
            && !self.open.contains_key(&number)
            && let Some((_, oldest)) = self.open.pop_first()
        {
            self.give(oldest, to);
        }
        let held = &mut self.held;
        self.open.entry(number).or_insert_with(|| {
            *held += STREAM;
            Box::new(Stream { held: STREAM, ..Stream::default() })
        })
    }

    fn half(&mut self, side: Side, number: u64, to: &mut Exchanges<'_>) -> &mut Half {
        let stream = self.stream(number, to);
        match side {
            Side::Client => &mut stream.request,
            Side::Server => &mut stream.response,
        }
    }

    fn end_if_over(&mut self, number: u64, to: &mut Exchanges<'_>) {
        if self.open.get(&number).is_some_and(|s| s.request.ended && s.response.ended) {
            self.reset(number, to);
        }
    }

    fn give(&mut self, stream: Box<Stream>, to: &mut Exchanges<'_>) {
        let Stream { mut pair, request, response, held } = *stream;
        self.held -= held;
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

/// About how many bytes of memory fields take.
fn cost(fields: &[Field]) -> usize {
    let part = |part: &Option<Derived>| part.as_ref().map_or(0, Derived::footprint);
    fields.iter().map(|f| part(&f.name) + part(&f.value) + size_of::<Field>()).sum()
}

fn finished(half: Half, fields: &Fields) -> Body {
    half.body.finish(fields, half.ended)
}

impl Stream {
    fn request_fields(&mut self, fields: Vec<Field>, whole: bool, at: Option<Moment>, version: &'static str) {
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
        line.push_synthetic(b" HTTP/");
        line.push_synthetic(version.as_bytes());
        let authority = pseudo.iter().filter(|f| f.is(":authority")).cloned();
        let message = Request {
            line: line.finish(),
            method,
            target,
            version: version.into(),
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
    fn response_fields(
        &mut self,
        fields: Vec<Field>,
        whole: bool,
        at: Option<Moment>,
        end: bool,
        version: &'static str,
    ) -> bool {
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
        line.push_synthetic(b"HTTP/");
        line.push_synthetic(version.as_bytes());
        line.push_synthetic(b" ");
        line.push_part(&status, 0..status.len());
        let message = Response {
            line: line.finish(),
            status: code,
            version: version.into(),
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
