//! The frames of a packet (RFC 9000, section 19).

use crate::wire::Wire;

/// A frame that tells something to those who only watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frame<'a> {
    Crypto { offset: u64, bytes: &'a [u8] },
    Stream { stream: u64, offset: u64, bytes: &'a [u8], end: bool },
    Reset { stream: u64, error: u64 },
    NewId(&'a [u8]),
    Close { application: bool, error: u64 },
    Other,
}

/// The frames of a packet, up to one that is not known.
pub(crate) fn frames(payload: &[u8]) -> impl Iterator<Item = Frame<'_>> {
    let mut wire = Wire(payload);
    std::iter::from_fn(move || {
        // PADDING makes up most of many packets.
        while let Some((0, rest)) = wire.0.split_first() {
            wire.0 = rest;
        }
        frame(&mut wire)
    })
}

/// Passes over so many numbers.
fn skip(w: &mut Wire<'_>, numbers: usize) -> Option<()> {
    (0..numbers).try_for_each(|_| w.varint().map(|_| ()))
}

fn frame<'a>(w: &mut Wire<'a>) -> Option<Frame<'a>> {
    let kind = w.varint()?;
    Some(match kind {
        // PING, HANDSHAKE_DONE, IMMEDIATE_ACK (draft-ietf-quic-ack-frequency).
        0x01 | 0x1e | 0x1f => Frame::Other,
        0x02 | 0x03 => {
            skip(w, 2)?;
            let ranges = w.varint()?;
            w.varint()?;
            for _ in 0..ranges {
                skip(w, 2)?;
            }
            if kind == 0x03 {
                skip(w, 3)?;
            }
            Frame::Other
        }
        0x04 => {
            let (stream, error) = (w.varint()?, w.varint()?);
            w.varint()?;
            Frame::Reset { stream, error }
        }
        0x06 => Frame::Crypto { offset: w.varint()?, bytes: w.sized()? },
        // NEW_TOKEN.
        0x07 => w.sized().map(|_| Frame::Other)?,
        0x08..=0x0f => {
            let stream = w.varint()?;
            let offset = if kind & 0x04 != 0 { w.varint()? } else { 0 };
            let bytes = if kind & 0x02 != 0 { w.sized()? } else { std::mem::take(&mut w.0) };
            Frame::Stream { stream, offset, bytes, end: kind & 0x01 != 0 }
        }
        // MAX_DATA, MAX_STREAMS, DATA_BLOCKED, STREAMS_BLOCKED, RETIRE_CONNECTION_ID, TIMESTAMP (draft-huitema-quic-ts).
        0x10 | 0x12..=0x14 | 0x16 | 0x17 | 0x19 | 0x02f5 => {
            w.varint()?;
            Frame::Other
        }
        // STOP_SENDING, MAX_STREAM_DATA, STREAM_DATA_BLOCKED.
        0x05 | 0x11 | 0x15 => {
            skip(w, 2)?;
            Frame::Other
        }
        0x18 => {
            skip(w, 2)?;
            let id = w.vector8()?.0;
            // The token of a stateless reset.
            w.take(16)?;
            Frame::NewId(id)
        }
        // PATH_CHALLENGE, PATH_RESPONSE.
        0x1a | 0x1b => w.take(8).map(|_| Frame::Other)?,
        0x1c | 0x1d => {
            let error = w.varint()?;
            if kind == 0x1c {
                w.varint()?;
            }
            w.sized()?;
            Frame::Close { application: kind == 0x1d, error }
        }
        // RESET_STREAM_AT (draft-ietf-quic-reliable-stream-reset): what comes before its last number is still delivered.
        0x24 => {
            skip(w, 4)?;
            Frame::Other
        }
        // DATAGRAM (RFC 9221).
        0x30 => {
            w.0 = &[];
            Frame::Other
        }
        0x31 => w.sized().map(|_| Frame::Other)?,
        // ACK_FREQUENCY (draft-ietf-quic-ack-frequency).
        0xaf => {
            skip(w, 4)?;
            Frame::Other
        }
        _ => return None,
    })
}
