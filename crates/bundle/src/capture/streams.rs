//! TCP segments put in order, judged as streams, and written back: retransmissions become what their first sending is.

use super::layers::{Content, Layers};
use super::{Addresses, Tally, http};
use crate::{Masker, opaque};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::Range;

/// A stream is not longer: sequence numbers far apart are of different connections.
const LONGEST: i64 = 1 << 30;

/// One direction of one connection.
#[derive(Default)]
struct Stream {
    /// The sequence number that offset 0 has.
    base: u32,
    /// Offset and place of each segment, in order of the file.
    segments: Vec<(i64, Range<usize>)>,
    /// Offset of the latest, which the next one is near to.
    latest: i64,
}

type Flow = (SocketAddr, SocketAddr);

/// Redacts the contents of all TCP connections in place.
/// Addresses are replaced in what they say too, where that is wanted.
pub(crate) fn redact(
    layers: &[Layers],
    file: &mut [u8],
    masker: &mut Masker<'_>,
    mut addresses: Option<&mut Addresses>,
    tally: &mut Tally,
) {
    let mut streams: BTreeMap<(Flow, u32), Stream> = BTreeMap::new();
    let mut lives: BTreeMap<Flow, u32> = BTreeMap::new();
    for layer in layers {
        let Content::Tcp { from, to, seq, syn, payload } = &layer.content else { continue };
        let flow = (*from, *to);
        let life = lives.entry(flow).or_insert(0);
        if *syn {
            // A port may be used again.
            let known = streams.get(&(flow, *life)).is_some_and(|s| s.base == seq.wrapping_add(1));
            if !known && streams.contains_key(&(flow, *life)) {
                *life += 1;
            }
            streams.entry((flow, *life)).or_insert_with(|| Stream::beginning(seq.wrapping_add(1)));
        }
        if !payload.is_empty() {
            let start = if *syn { seq.wrapping_add(1) } else { *seq };
            streams
                .entry((flow, *life))
                .or_insert_with(|| Stream::beginning(start))
                .add(start, payload.clone());
        }
    }
    for (((from, to), _), stream) in streams {
        let ports = [from.port(), to.port()];
        stream.redact(file, Judge::new(ports, masker, addresses.as_deref_mut(), tally));
    }
}

impl Stream {
    fn beginning(base: u32) -> Self {
        Stream { base, ..Stream::default() }
    }

    fn add(&mut self, seq: u32, at: Range<usize>) {
        // The number nearest to the latest one: sequence numbers wrap.
        let near = seq.wrapping_sub(self.base).wrapping_sub(self.latest as u32) as i32;
        let offset = self.latest + i64::from(near);
        if offset.abs() < LONGEST {
            self.latest = self.latest.max(offset);
        }
        self.segments.push((offset, at));
    }

    fn redact(mut self, file: &mut [u8], mut judge: Judge<'_, '_>) {
        let places = self.segments.clone();
        self.segments.sort_by_key(|(offset, _)| *offset);
        let mut pieces: Vec<(i64, Vec<u8>)> = Vec::new();
        for (offset, at) in &self.segments {
            let bytes = file.get(at.clone()).unwrap_or_default();
            match pieces.last_mut() {
                Some((start, piece)) if *offset <= *start + piece.len() as i64 => {
                    let known = (*start + piece.len() as i64 - offset) as usize;
                    piece.extend_from_slice(bytes.get(known..).unwrap_or_default());
                }
                _ => pieces.push((*offset, bytes.to_vec())),
            }
        }
        for (_, piece) in &mut pieces {
            *piece = judge.piece(piece);
        }
        for (offset, at) in places {
            let index = pieces.partition_point(|(start, _)| *start <= offset);
            let Some((start, piece)) = index.checked_sub(1).and_then(|i| pieces.get(i)) else { continue };
            let from = (offset - start) as usize;
            let judged = piece.get(from..from + at.len()).unwrap_or_default();
            if let Some(bytes) = file.get_mut(at) {
                // What of a segment is in no piece does not exist; nothing of it may stay.
                bytes.fill(0);
                bytes.iter_mut().zip(judged).for_each(|(b, j)| *b = *j);
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Unknown,
    Tls,
    Other,
}

struct Judge<'j, 'm> {
    kerberos: bool,
    kind: Kind,
    masker: &'j mut Masker<'m>,
    addresses: Option<&'j mut Addresses>,
    tally: &'j mut Tally,
}

impl<'j, 'm> Judge<'j, 'm> {
    fn new(
        ports: [u16; 2],
        masker: &'j mut Masker<'m>,
        addresses: Option<&'j mut Addresses>,
        tally: &'j mut Tally,
    ) -> Self {
        Judge { kerberos: ports.contains(&88), kind: Kind::Unknown, masker, addresses, tally }
    }

    /// A stretch of a stream without holes.
    fn piece(&mut self, bytes: &[u8]) -> Vec<u8> {
        if self.kerberos {
            return kerberos(bytes);
        }
        // Behind a hole in TLS stands TLS.
        if self.kind == Kind::Tls {
            return bytes.to_vec();
        }
        if is_tls(bytes) {
            self.kind = Kind::Tls;
            return bytes.to_vec();
        }
        self.kind = Kind::Other;
        let mut judged = http::redacted(bytes, self.masker, self.tally);
        debug_assert_eq!(judged.len(), bytes.len());
        // An address may stand in two packets.
        if let Some(addresses) = &mut self.addresses {
            judged = addresses.in_bytes(&judged);
        }
        judged.resize(bytes.len(), 0);
        judged
    }
}

/// Whether TLS records begin here (RFC 8446 section 5.1): as many as there are whole must follow each other.
pub(crate) fn is_tls(mut bytes: &[u8]) -> bool {
    let mut records = 0;
    while let [kind, 3, minor, high, low, ..] = bytes {
        let len = usize::from(*high) << 8 | usize::from(*low);
        if !matches!(kind, 20..=24) || *minor > 4 || len == 0 || len > 16_384 + 2048 {
            return false;
        }
        records += 1;
        bytes = bytes.get(5 + len..).unwrap_or_default();
    }
    records > 0 && bytes.len() < 5
}

/// Kerberos over TCP: messages behind their length (RFC 4120 section 7.2.2).
fn kerberos(bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let mut at = 0;
    while let Some(length) = out.get(at..at + 4) {
        let length = length.iter().fold(0usize, |n, b| n << 8 | usize::from(*b));
        let end = (at + 4).saturating_add(length).min(out.len());
        opaque::blank(out.get_mut(at + 4..end).unwrap_or_default(), 0);
        at = end;
    }
    out.get_mut(at..).unwrap_or_default().fill(0);
    out
}
