//! Writes the seeds: the evidence that the tests plant secrets in, and conversations made here, one folder a target.
//! Run from this folder.

use std::fs;

#[path = "../../crates/cli/tests/evidence/mod.rs"]
mod evidence;

fn main() -> std::io::Result<()> {
    let mut diagnose = 0;
    for (number, (piece, planted)) in evidence::pieces().into_iter().enumerate() {
        let (kind, rest) = piece.name.split_once(": ").unwrap_or((piece.name.as_str(), ""));
        let target = match kind {
            "curl -v" | "trace-ascii" => "curl",
            "wget -d" => "wget",
            "HTTPie" => "httpie",
            "http" | "har" | "pcap" | "pcapng" | "iis" => kind,
            "combined" | "common" => "access_log",
            "nginx error" | "apache error" => "error_log",
            "nginx debug" => "nginx_debug",
            "json log" | "caddy log" => "json_log",
            _ => "text",
        };
        // All of them in one make slow seeds.
        if rest == "all" || piece.bytes.len() > 8000 {
            continue;
        }
        let mut targets = vec![target, "detect"];
        if number % 5 == 0 {
            targets.extend(["redact", "knowledge", "compressed"]);
        }
        if target == "pcap" {
            fs::create_dir_all("corpus/links")?;
            fs::write(format!("corpus/links/seed-{number:03}"), packets(&piece.bytes))?;
        }
        if target == "text" || number % 9 == 0 {
            targets.push("diagnose");
            diagnose += 1;
        }
        for folder in targets.into_iter().filter(|f| *f != "detect" || number % 9 == 0) {
            fs::create_dir_all(format!("corpus/{folder}"))?;
            fs::write(format!("corpus/{folder}/seed-{number:03}"), &piece.bytes)?;
        }
        if number < 30 {
            fs::create_dir_all("corpus/codec")?;
            fs::write(format!("corpus/codec/seed-{number:03}"), planted.jwt())?;
            for (line, text) in String::from_utf8_lossy(&piece.bytes).lines().enumerate() {
                let value =
                    text.trim_start_matches(['>', '<', ' ']).split_once(": ").map(|(_, v)| v.to_owned());
                if let Some(value) = value.filter(|v| v.len() > 12) {
                    fs::write(format!("corpus/codec/seed-{number:03}-{line}"), value)?;
                }
            }
        }
    }
    for (target, seeds) in [("tls", tls()), ("http2", http2())] {
        fs::create_dir_all(format!("corpus/{target}"))?;
        for (number, seed) in seeds.iter().enumerate() {
            fs::write(format!("corpus/{target}/seed-{number:03}"), seed)?;
        }
    }
    println!("{diagnose} seeds from end to end");
    Ok(())
}

/// The packets of a capture, as the target `links` takes them: on Ethernet, each with its length before it.
fn packets(pcap: &[u8]) -> Vec<u8> {
    let mut seed = vec![0, 16];
    let mut rest = pcap.get(24..).unwrap_or_default();
    while let Some((head, behind)) = rest.split_first_chunk::<16>() {
        let len = u32::from_le_bytes([head[8], head[9], head[10], head[11]]) as usize;
        let Some((packet, behind)) = behind.split_at_checked(len.min(2047)) else { break };
        seed.extend((packet.len() as u16).to_le_bytes());
        seed.extend(packet);
        rest = behind;
    }
    seed
}

/// Pieces of one conversation, as [`why401_fuzz::pieces`] takes them.
fn conversation(pieces: &[(bool, &[u8])]) -> Vec<u8> {
    let piece = |(client, bytes): &(bool, &[u8])| {
        let parts = bytes.chunks(255).map(|b| [&[u8::from(!client), b.len() as u8], b].concat());
        parts.collect::<Vec<_>>().concat()
    };
    pieces.iter().map(piece).collect::<Vec<_>>().concat()
}

/// ClientHello, ServerHello, then what claims to be encrypted; an alert; a certificate (RFC 8446 section 4).
fn tls() -> Vec<Vec<u8>> {
    let vector = |bytes: &[u8]| [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat();
    let record = |kind: u8, body: &[u8]| [&[kind, 3, 3][..], &vector(body)].concat();
    let message = |kind: u8, body: &[u8]| record(22, &[&[kind, 0][..], &vector(body)].concat());
    let name = [&[0][..], &vector(b"example.com")].concat();
    let extensions = [&[0, 0][..], &vector(&vector(&name)), &[0, 43, 0, 5, 4, 3, 4, 3, 3]].concat();
    let client = [&[3, 3][..], &[7; 32], &[0, 0, 2, 0x13, 1, 1, 0], &vector(&extensions)].concat();
    let server = |suite: u16, more: &[u8]| {
        [&[3, 3][..], &[9; 32], &[0], &suite.to_be_bytes(), &[0], &vector(more)].concat()
    };
    let (hello, sealed) = (message(1, &client), record(23, &[5; 60]));
    let modern = message(2, &server(0x1301, &[0, 43, 0, 2, 3, 4]));
    let older = message(2, &server(0xc02f, &[]));
    let asks = message(13, &[1, 1, 0, 2, 4, 3, 0, 0]);
    let given = message(11, &[0, 0, 6, 0, 0, 3, 0x30, 1, 0]);
    let changes = record(20, &[1]);
    vec![
        conversation(&[(true, &hello), (false, &modern), (false, &sealed), (true, &sealed)]),
        conversation(&[
            (true, &hello),
            (false, &older),
            (false, &asks),
            (true, &given),
            (true, &changes),
            (true, &sealed),
        ]),
        conversation(&[(true, &hello), (false, &record(21, &[2, 116]))]),
    ]
}

/// Settings, a request and its answer (the blocks are RFC 7541's, appendices C.4 and C.6), a body, the end.
fn http2() -> Vec<Vec<u8>> {
    let frame = |kind: u8, flags: u8, stream: u8, body: &[u8]| {
        [&[0, 0, body.len() as u8, kind, flags, 0, 0, 0, stream][..], body].concat()
    };
    let asked: &[u8] = b"\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff";
    let again: &[u8] = b"\x82\x86\x84\xbe\x58\x86\xa8\xeb\x10\x64\x9c\xbf";
    let answer: &[u8] = b"\x48\x82\x64\x02\x58\x85\xae\xc3\x77\x1a\x4b\x61\x96\xd0\x7a\xbe\x94\x10\x54\xd4\x44\xa8\x20\x05\x95\x04\x0b\x81\x66\xe0\x82\xa6\x2d\x1b\xff";
    let client = [
        frame(4, 0, 0, &[0, 1, 0, 0, 0, 0]),
        frame(1, 5, 1, asked),
        frame(1, 1, 3, again),
        frame(9, 4, 3, b"\x40\x01a\x01b"),
    ]
    .concat();
    let server = [
        frame(4, 1, 0, &[]),
        frame(1, 4, 1, answer),
        frame(0, 9, 1, b"\x02hello\0\0"),
        frame(3, 0, 3, &[0, 0, 0, 8]),
        frame(7, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 0]),
    ]
    .concat();
    vec![conversation(&[(true, &client), (false, &server)])]
}
