//! What the fuzz targets call.

use why401_read::Collected;
use why401_span::SourceId;

#[allow(dead_code, reason = "it takes a part of the command line's modules")]
#[path = "../../crates/cli/tests/evidence/pipeline.rs"]
mod pipeline;

/// Reads `data` in the format of that name; every part of what comes out must resolve into the evidence.
pub fn reader(format: &str, data: &[u8]) {
    let mut sink = Collected::default();
    let _ = why401_read::read(SourceId(0), &mut &*data, Some(format), None, &[], &mut sink);
    check(&sink, data.len());
}

/// Reads `data` in the format that fits.
pub fn any_reader(data: &[u8]) {
    let mut sink = Collected::default();
    let _ = why401_read::read(SourceId(0), &mut &*data, None, None, &[], &mut sink);
    check(&sink, data.len());
}

fn check(sink: &Collected, length: usize) {
    // So much memory as the evidence, times a constant: nothing multiplies.
    assert!(sink.exchanges.len() <= length && sink.problems.len() <= length + 1);
    for exchange in &sink.exchanges {
        let Some(request) = &exchange.request else { continue };
        for field in request.fields.iter() {
            if let Some(at) = field.value.whole().filter(|at| at.span.layer.is_none()) {
                assert!(at.span.start <= at.span.end && at.span.end <= length as u64, "{:?}", at.span);
            }
        }
    }
}

/// Secrets that the seeds hold; where the evidence has one whole in a place that a reader knows, no output has it.
const CANARIES: [&str; 3] = ["Pw9#canary+4711", "tokCanaryx8842QzW71k", "c00kieCanary9317yTr"];

/// Diagnoses `data` behind a fixed exchange that plants the secrets.
pub fn end_to_end(data: &[u8]) {
    let planted = format!(
        "> GET /a?access_token={} HTTP/1.1\n> Host: h.example.com\n> Authorization: Bearer {}\n> Cookie: sid={}\n> X-Api-Key: {}\n> \n< HTTP/1.1 401 Unauthorized\n< WWW-Authenticate: Bearer error=\"invalid_token\"\n< \n",
        CANARIES[1], CANARIES[1], CANARIES[2], CANARIES[0]
    );
    let _ = pipeline::outputs(data, None);
    let evidence = [planted.as_bytes(), data].concat();
    let Ok(outputs) = pipeline::outputs(&evidence, Some("curl")) else { return };
    for (number, output) in outputs.iter().enumerate() {
        for canary in CANARIES {
            assert!(!output.contains(canary), "output {number} holds {canary}");
        }
        let deceives = |c: char| {
            (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        assert!(!output.contains(deceives), "output {number} holds a control character");
    }
}

/// What two parties say, as a watcher between them sees it: `data` is a row of pieces, each with a byte that says whose it
/// is and whether it is missing, and one that says how long it is.
pub fn pieces(data: &[u8]) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = data;
    std::iter::from_fn(move || {
        let (&[how, len], behind) = rest.split_first_chunk()?;
        let len = usize::from(len) << (how >> 6);
        let (bytes, behind) = behind.split_at_checked(len).unwrap_or((behind, &[]));
        let start = data.len() - rest.len() + 2;
        rest = behind;
        Some(Piece { client: how & 1 == 0, missing: how & 2 != 0, start, bytes })
    })
}

/// A piece of what one party says.
pub struct Piece<'a> {
    /// Whether the client says it.
    pub client: bool,
    /// Whether the watcher did not see it.
    pub missing: bool,
    /// Where in the whole it begins.
    pub start: usize,
    /// The bytes.
    pub bytes: &'a [u8],
}

/// A capture of the packets in `data`, each with its length before it, on the link that the first byte chooses.
pub fn packets(data: &[u8]) {
    // Ethernet, PPP, raw IP (two numbers), 802.11 with and without radiotap, Cisco HDLC, null, loop, Linux cooked (two
    // versions), IPv4, IPv6, PPP over Ethernet, USB, and one that nobody reads (tcpdump.org/linktypes.html).
    const LINKS: [u32; 16] = [1, 9, 101, 12, 105, 127, 104, 0, 108, 113, 276, 228, 229, 51, 220, 147];
    let Some((&[link, time], mut rest)) = data.split_first_chunk() else { return };
    let link = LINKS.get(usize::from(link) % LINKS.len()).copied().unwrap_or(1);
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4, 0x0004_0002, 0, 0, 0x4_0000, link] {
        file.extend(u32::to_le_bytes(word));
    }
    let mut number = 0;
    while let Some((&[len, more], behind)) = rest.split_first_chunk() {
        let len = usize::from(len) | usize::from(more & 7) << 8;
        let (packet, behind) = behind.split_at_checked(len).unwrap_or((behind, &[]));
        rest = behind;
        number += 1;
        let cut = u32::from(more >> 5);
        for word in [number * u32::from(time) / 16, number, packet.len() as u32, packet.len() as u32 + cut] {
            file.extend(u32::to_le_bytes(word));
        }
        file.extend(packet);
    }
    reader("pcap", &file);
    let _ = why401_capture::read(
        &file,
        SourceId(0),
        why401_capture::Limits { collected: 4096, ..Default::default() },
    );
}

/// Reads `data` as the inside of compressed evidence, and compressed: no coding may change what is read.
pub fn compressed(data: &[u8]) {
    use std::io::Write;
    for magic in [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3][..], &[0x28, 0xb5, 0x2f, 0xfd]] {
        exchanges_in(&[magic, data].concat());
    }
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let Ok(gzip) = gzip.write_all(data).and_then(|()| gzip.finish()) else { return };
    let plain = exchanges_in(data);
    let inside = exchanges_in(&gzip);
    // Bytes that are compressed themselves are opened twice at most.
    if plain.is_some() && !data.starts_with(&[0x1f, 0x8b]) && !data.starts_with(&[0x28, 0xb5]) {
        assert_eq!(plain, inside, "compressed evidence is read otherwise");
    }
    let _ = why401_capture::read(&gzip, SourceId(0), why401_capture::Limits::default());
}

fn exchanges_in(data: &[u8]) -> Option<usize> {
    let mut sink = Collected::default();
    let format = why401_read::read(SourceId(0), &mut &*data, None, None, &[], &mut sink);
    format.ok().map(|_| sink.exchanges.len())
}

/// Reads `data` as a state, as what follows the head of one, and as rows of states; what is read is merged and told.
pub fn state(data: &[u8]) {
    use why401_shard::{Merge, Plan, State, columns, whole};
    let head = State { plan: Plan { lots: 1, ..Plan::default() }.to_text(), ..State::default() };
    let mut head = head.into_bytes();
    // Behind the plan: the lot, logs, faults and parts, of which there are none.
    head.truncate(head.len() - 4);
    let mut merge = Merge::default();
    for bytes in [data, &[&head, data].concat()] {
        let Ok(state) = State::from_bytes(bytes, None) else { continue };
        let again = State::from_bytes(bytes, None).map(State::into_bytes);
        let twice = again.clone().and_then(|bytes| State::from_bytes(&bytes, None)).map(State::into_bytes);
        assert_eq!(again, twice, "a state is written otherwise than it was read");
        let _ = merge.take(state);
    }
    if let Ok(whole) = whole(merge.drain()) {
        whole.told.wanted();
    }
    let _ = columns::read_states(data, |bytes| {
        let _ = State::from_bytes(bytes, None);
        Ok(())
    });
    let _ = columns::read_splits(data, |_| Ok(()));
}
