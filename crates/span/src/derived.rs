//! Bytes together with where they came from.

use crate::{LayerId, Span};
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

/// A buffer whose bytes know where in the evidence they stand.
///
/// A buffer is made of pieces in order. A piece is *exact* where every byte of it is a byte of the source, one to
/// one, and *enclosing* where the source holds another spelling of it (a JSON escape, base64, a compressed body).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Derived {
    bytes: Vec<u8>,
    pieces: Pieces,
}

/// The pieces in order. Most buffers have one, which is kept without memory of its own.
#[derive(Clone, Default, PartialEq, Eq)]
struct Pieces {
    first: Option<Piece>,
    more: Option<Box<More>>,
}

/// The pieces behind the first one.
#[derive(Clone, Default, PartialEq, Eq)]
struct More(Vec<Piece>);

impl Pieces {
    fn more(&self) -> &[Piece] {
        self.more.as_ref().map_or(&[], |more| &more.0)
    }

    fn get(&self, i: usize) -> Option<&Piece> {
        match i.checked_sub(1) {
            None => self.first.as_ref(),
            Some(i) => self.more().get(i),
        }
    }

    fn iter_mut(&mut self) -> impl Iterator<Item = &mut Piece> {
        self.first.iter_mut().chain(self.more.iter_mut().flat_map(|more| &mut more.0))
    }

    fn last(&self) -> Option<&Piece> {
        self.more().last().or(self.first.as_ref())
    }

    fn last_mut(&mut self) -> Option<&mut Piece> {
        let last = self.more.as_mut().and_then(|more| more.0.last_mut());
        last.or(self.first.as_mut())
    }

    fn push(&mut self, piece: Piece) {
        match self.first {
            None => self.first = Some(piece),
            Some(_) => self.more.get_or_insert_default().0.push(piece),
        }
    }

    /// The first piece that may touch `at`: a buffer of thousands of lines is sliced line by line.
    fn first_touching(&self, at: usize) -> usize {
        let before =
            self.more().partition_point(|p| p.at < at) + usize::from(self.first.is_some_and(|p| p.at < at));
        before.saturating_sub(1)
    }

    /// From this one on, by their numbers.
    fn from(&self, first: usize) -> impl Iterator<Item = (usize, &Piece)> {
        (first..).map_while(|i| Some((i, self.get(i)?)))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Piece {
    /// Where it begins in `bytes`; it ends where the next one begins.
    at: usize,
    origin: Option<Span>,
    exact: bool,
}

/// What [`Derived::locate`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Located {
    /// The bytes of the source.
    pub span: Span,
    /// Whether the span is those very bytes; otherwise it is the smallest known range that encloses them.
    pub exact: bool,
}

impl Derived {
    /// Bytes that stand in the evidence one to one, from `origin.start` on.
    pub fn exact(bytes: impl Into<Vec<u8>>, origin: Span) -> Self {
        let bytes = bytes.into();
        let end = origin.start + bytes.len() as u64;
        Derived::of_one_piece(bytes, Some(Span { end, ..origin }), true)
    }

    /// Bytes that the evidence spells otherwise, somewhere within `origin`.
    pub fn enclosed(bytes: impl Into<Vec<u8>>, origin: Span) -> Self {
        Derived::of_one_piece(bytes.into(), Some(origin), false)
    }

    /// Bytes that stand nowhere in the evidence (a field name that a log format implies).
    pub fn synthetic(bytes: impl Into<Vec<u8>>) -> Self {
        Derived::of_one_piece(bytes.into(), None, false)
    }

    fn of_one_piece(bytes: Vec<u8>, origin: Option<Span>, exact: bool) -> Derived {
        let pieces = Pieces { first: Some(Piece { at: 0, origin, exact }), more: None };
        Derived { bytes, pieces }
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes as text; what is not UTF-8 is shown as U+FFFD.
    pub fn to_text(&self) -> Cow<'_, str> {
        // Nearly all of it is UTF-8, which is found out sooner than what to replace.
        match std::str::from_utf8(&self.bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => String::from_utf8_lossy(&self.bytes),
        }
    }

    /// How many bytes it holds.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether it holds no byte.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// How many bytes of memory it takes beside itself: where many escapes stand, what is known of the places is more
    /// than the text.
    pub fn footprint(&self) -> usize {
        let more = |more: &More| size_of::<More>() + more.0.capacity() * size_of::<Piece>();
        self.bytes.capacity() + self.pieces.more.as_deref().map_or(0, more)
    }

    /// The same bytes and origins, of `range` only; out of range is cut off.
    pub fn slice(&self, range: Range<usize>) -> Derived {
        let mut b = Builder::new();
        b.push_part(self, range);
        b.finish()
    }

    /// Without spaces and tabs at both ends.
    pub fn trimmed(&self) -> Derived {
        let is_space = |c: &u8| *c == b' ' || *c == b'\t';
        let start = self.bytes.iter().position(|c| !is_space(c)).unwrap_or(self.bytes.len());
        let end = self.bytes.iter().rposition(|c| !is_space(c)).map_or(start, |i| i + 1);
        self.slice(start..end)
    }

    /// Other bytes in place of `range` of this buffer, enclosed by where that range stood: what decoding gives.
    pub fn decoded(&self, range: Range<usize>, bytes: impl Into<Vec<u8>>) -> Derived {
        match self.locate(range) {
            Some(at) => Derived::enclosed(bytes, at.span),
            None => Derived::synthetic(bytes),
        }
    }

    /// The same bytes, read from a layer: offsets that counted in the source itself count in `layer`.
    pub fn into_layer(mut self, layer: LayerId) -> Derived {
        for origin in self.pieces.iter_mut().filter_map(|p| p.origin.as_mut()) {
            origin.layer.get_or_insert(layer);
        }
        self
    }

    /// Where `range` of this buffer stands in the evidence; `None` if nowhere.
    ///
    /// Pieces of another source or layer than the first one's are left out of the answer.
    pub fn locate(&self, range: Range<usize>) -> Option<Located> {
        let mut found: Option<Located> = None;
        for (i, piece) in self.pieces.from(self.pieces.first_touching(range.start)) {
            if piece.at > range.end {
                break;
            }
            let piece_end = self.pieces.get(i + 1).map_or(self.bytes.len(), |p| p.at);
            let touches = (piece.at < range.end && range.start < piece_end)
                || (range.is_empty() && piece.at <= range.start && range.start <= piece_end);
            let (true, Some(origin)) = (touches, piece.origin) else { continue };
            let (span, exact) = if piece.exact {
                let from = range.start.max(piece.at) - piece.at;
                let to = range.end.min(piece_end).max(range.start.max(piece.at)) - piece.at;
                let line = self.line_within(piece, from, origin.line);
                let start = origin.start + from as u64;
                (Span { start, end: origin.start + to as u64, line, ..origin }, true)
            } else {
                (origin, false)
            };
            found = Some(match found {
                None => Located { span, exact },
                Some(f) if f.span.source == span.source && f.span.layer == span.layer => {
                    let touching = exact && f.exact && f.span.end == span.start;
                    Located {
                        span: Span {
                            start: f.span.start.min(span.start),
                            end: f.span.end.max(span.end),
                            ..f.span
                        },
                        exact: touching,
                    }
                }
                Some(f) => f,
            });
        }
        found
    }

    /// Where the whole buffer stands in the evidence.
    pub fn whole(&self) -> Option<Located> {
        self.locate(0..self.bytes.len())
    }

    fn line_within(&self, piece: &Piece, from: usize, line: u32) -> u32 {
        if line == 0 {
            return 0;
        }
        let before = self.bytes.get(piece.at..piece.at + from).unwrap_or_default();
        line.saturating_add(before.iter().filter(|c| **c == b'\n').count() as u32)
    }
}

/// Shows the bytes escaped, without origins. Not for output: nothing is masked.
impl fmt::Debug for Derived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.bytes.escape_ascii())
    }
}

impl PartialEq<str> for Derived {
    fn eq(&self, other: &str) -> bool {
        self.bytes == other.as_bytes()
    }
}

/// Puts a [`Derived`] together piece by piece.
#[derive(Debug, Default)]
pub struct Builder {
    out: Derived,
}

impl Builder {
    /// An empty buffer.
    pub fn new() -> Self {
        Builder::default()
    }

    /// Appends bytes that stand in the evidence one to one, from `origin.start` on.
    pub fn push_exact(&mut self, bytes: &[u8], origin: Span) {
        let end = origin.start + bytes.len() as u64;
        let continues = self.out.pieces.last().is_some_and(|p| {
            p.exact
                && p.origin.is_some_and(|o| {
                    o.source == origin.source
                        && o.layer == origin.layer
                        && o.start + (self.out.bytes.len() - p.at) as u64 == origin.start
                })
        });
        if !continues {
            self.push_piece(Some(Span { end, ..origin }), true);
        } else if let Some(o) = self.out.pieces.last_mut().and_then(|p| p.origin.as_mut()) {
            o.end = end;
        }
        self.out.bytes.extend_from_slice(bytes);
    }

    /// Appends bytes that the evidence spells otherwise, somewhere within `origin`.
    pub fn push_enclosed(&mut self, bytes: &[u8], origin: Span) {
        self.push_piece(Some(origin), false);
        self.out.bytes.extend_from_slice(bytes);
    }

    /// Appends bytes that stand nowhere in the evidence.
    pub fn push_synthetic(&mut self, bytes: &[u8]) {
        self.push_piece(None, false);
        self.out.bytes.extend_from_slice(bytes);
    }

    /// Appends a part of another buffer with its origins; out of range is cut off.
    pub fn push_part(&mut self, from: &Derived, range: Range<usize>) {
        let range = range.start.min(from.bytes.len())..range.end.min(from.bytes.len());
        for (i, piece) in from.pieces.from(from.pieces.first_touching(range.start)) {
            if piece.at >= range.end {
                break;
            }
            let piece_end = from.pieces.get(i + 1).map_or(from.bytes.len(), |p| p.at);
            let (start, end) = (range.start.max(piece.at), range.end.min(piece_end));
            if start >= end {
                continue;
            }
            let bytes = from.bytes.get(start..end).unwrap_or_default();
            match (piece.origin, piece.exact) {
                (Some(o), true) => {
                    let line = from.line_within(piece, start - piece.at, o.line);
                    let start = o.start + (start - piece.at) as u64;
                    self.push_exact(bytes, Span { start, end: start + bytes.len() as u64, line, ..o });
                }
                (Some(o), false) => self.push_enclosed(bytes, o),
                (None, _) => self.push_synthetic(bytes),
            }
        }
    }

    /// Makes room for so many further bytes.
    pub fn reserve(&mut self, bytes: usize) {
        self.out.bytes.reserve_exact(bytes);
    }

    /// The bytes so far.
    pub fn as_bytes(&self) -> &[u8] {
        &self.out.bytes
    }

    /// How many bytes there are so far.
    pub fn len(&self) -> usize {
        self.out.bytes.len()
    }

    /// Whether there is no byte yet.
    pub fn is_empty(&self) -> bool {
        self.out.bytes.is_empty()
    }

    /// How many bytes of memory it takes beside itself so far.
    pub fn footprint(&self) -> usize {
        self.out.footprint()
    }

    /// The buffer.
    pub fn finish(self) -> Derived {
        self.out
    }

    fn push_piece(&mut self, origin: Option<Span>, exact: bool) {
        self.out.pieces.push(Piece { at: self.out.bytes.len(), origin, exact });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SourceId;

    fn span(start: u64, end: u64) -> Span {
        Span::new(SourceId(0), start, end)
    }

    #[test]
    fn an_exact_part_is_found_byte_for_byte() {
        let d = Derived::exact("Authorization: Basic x", span(100, 122).on_line(3));
        let at = d.locate(15..20).unwrap();
        assert_eq!((at.span.start, at.span.end, at.span.line, at.exact), (115, 120, 3, true));
    }

    #[test]
    fn pieces_that_do_not_touch_give_the_enclosing_range() {
        let mut b = Builder::new();
        b.push_exact(b"Bearer ", span(10, 17));
        b.push_exact(b"token", span(40, 45));
        let at = b.finish().locate(3..9).unwrap();
        assert_eq!((at.span.start, at.span.end, at.exact), (13, 42, false));
    }

    #[test]
    fn pieces_that_touch_grow_together() {
        let mut b = Builder::new();
        b.push_exact(b"abc", span(10, 13));
        b.push_exact(b"def", span(13, 16));
        let d = b.finish();
        assert_eq!(d.whole().map(|l| (l.span.start, l.span.end, l.exact)), Some((10, 16, true)));
    }

    #[test]
    fn a_slice_of_a_slice_keeps_its_origin_and_line() {
        let d = Derived::exact("one\ntwo\nthree", span(0, 13).on_line(1));
        let three = d.slice(4..13).slice(4..9);
        assert_eq!(three.as_bytes(), b"three");
        let at = three.whole().unwrap();
        assert_eq!((at.span.start, at.span.end, at.span.line), (8, 13, 3));
    }

    #[test]
    fn decoding_points_at_the_encoded_bytes() {
        let d = Derived::exact("Basic QTpC", span(50, 60));
        let user_pass = d.decoded(6..10, "A:B");
        let at = user_pass.locate(0..1).unwrap();
        assert_eq!((at.span.start, at.span.end, at.exact), (56, 60, false));
    }

    #[test]
    fn a_layer_is_entered_once() {
        let d = Derived::exact("abc", span(0, 3)).into_layer(LayerId(4)).into_layer(LayerId(7));
        assert_eq!(d.whole().map(|l| (l.span.layer, l.span.end)), Some((Some(LayerId(4)), 3)));
    }

    #[test]
    fn synthetic_bytes_stand_nowhere() {
        assert_eq!(Derived::synthetic("x").whole(), None);
        assert_eq!(Derived::default().whole(), None);
        assert_eq!(Derived::exact("abc", span(0, 3)).slice(7..9).whole(), None);
    }
}
