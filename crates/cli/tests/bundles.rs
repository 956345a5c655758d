//! A bundle of every format holds none of the secrets planted in the evidence, in whatever encoding, and the redacted
//! evidence still tells the same cause.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    clippy::print_stdout,
    reason = "in a test a panic is the report"
)]

mod evidence;

use evidence::encode::forms;
use evidence::pipeline::{bundle, diagnosed};
use evidence::{Piece, Planted};
use why401_bundle::Options;
use why401_report::{Diagnosis, Verdict};

/// The first of what was planted that is in the bytes, in whatever writing, in UTF-8 or UTF-16.
fn leak(planted: &Planted, bytes: &[u8]) -> Option<String> {
    let narrow: Vec<u8> = bytes.iter().copied().filter(|b| *b != 0).collect();
    let texts = [String::from_utf8_lossy(bytes), String::from_utf8_lossy(&narrow)];
    let secrets: Vec<String> =
        planted.all().into_iter().flat_map(forms).chain([planted.basic(), planted.jwt()]).collect();
    texts.iter().find_map(|text| {
        let form = secrets.iter().find(|form| text.contains(form.as_str()))?;
        let at = text.find(form.as_str()).unwrap();
        let before: String =
            text[..at].chars().rev().take(50).collect::<Vec<_>>().into_iter().rev().collect();
        Some(format!("{form} behind {before:?}"))
    })
}

fn cause(d: &Diagnosis) -> String {
    let told = d.findings.iter().find(|f| matches!(f.verdict, Verdict::Fault | Verdict::Attack));
    told.or(d.findings.first()).map_or("none".into(), |f| f.cause.to_owned())
}

/// Checks all pieces; `same` is the share (in a hundred) whose cause must stay.
fn check(pieces: &[(Piece, Planted)], options: Options, same: usize) {
    let (mut complaints, mut changed, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
    for (Piece { name, bytes }, planted) in pieces {
        let (files, manifest) = bundle("given", bytes, options).unwrap_or_else(|e| panic!("{name}: {e}"));
        for (path, packed) in &files {
            if let Some(found) = leak(planted, packed) {
                complaints.push(format!("{name}: {path}: {found}"));
            }
        }
        match files.iter().find(|(path, _)| path.starts_with("evidence/")) {
            None => left_out.push(format!("{name}: {}", manifest.left_out[0].why)),
            Some((_, packed)) => {
                let before = cause(&diagnosed(bytes, None).unwrap().1);
                let after = diagnosed(packed, None).map_or_else(|e| e, |(_, d)| cause(&d));
                if before != after {
                    changed.push(format!("{name}: {before} became {after}"));
                }
            }
        }
    }
    let kept = pieces.len() - left_out.len();
    println!("{} pieces, {kept} kept, {} with another cause", pieces.len(), changed.len());
    println!("{}\n{}", left_out.join("\n"), changed.join("\n"));
    assert!(complaints.is_empty(), "{} leaks\n{}", complaints.len(), complaints.join("\n"));
    // What is left out gives nothing away: that would prove little.
    assert!(kept * 10 >= pieces.len() * 9, "{kept} of {} kept\n{}", pieces.len(), left_out.join("\n"));
    assert!((kept - changed.len()) * 100 >= kept * same, "{}", changed.join("\n"));
}

#[test]
fn no_bundle_holds_what_was_planted() {
    check(&evidence::pieces(), Options::default(), 95);
}

/// What one connection carries, packet by packet, as `cut` cuts it.
fn capture(request: &[u8], response: &[u8], cut: usize) -> Vec<u8> {
    evidence::packets::pcap_cut(&[(request.to_vec(), response.to_vec())], cut)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut out, bytes).unwrap();
    out.finish().unwrap()
}

#[test]
fn secrets_that_hide_in_a_capture_are_found() {
    let p = Planted::new(1);
    let (token, password, cookie) = (&p.token, &p.password, &p.cookie);
    let request = format!(
        "GET /a HTTP/1.1\r\nHost: h\r\nAuthorization: Basic {}\r\nCookie: sid={cookie}\r\n\r\n",
        p.basic()
    );
    let json = format!("{{\"access_token\":\"{token}\",\"password\":\"{password}\"}}");
    let head = "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nWWW-Authenticate: Basic realm=\"x\"\r\n";
    let with = |more: &str, body: &[u8]| [head.as_bytes(), more.as_bytes(), b"\r\n", body].concat();
    let chunked: Vec<u8> = json
        .as_bytes()
        .chunks(7)
        .flat_map(|part| [format!("{:x}\r\n", part.len()).as_bytes(), part, b"\r\n"].concat())
        .chain(*b"0\r\n\r\n")
        .collect();
    let packed = gzip(json.as_bytes());
    let wide: Vec<u8> = json.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let length = |body: &[u8]| format!("Content-Length: {}\r\n", body.len());
    let responses = [
        ("plain", with(&length(json.as_bytes()), json.as_bytes())),
        ("chunked", with("Transfer-Encoding: chunked\r\n", &chunked)),
        ("gzip", with(&format!("Content-Encoding: gzip\r\n{}", length(&packed)), &packed)),
        ("gzip not declared", with(&length(&packed), &packed)),
        ("utf-16", with(&length(&wide), &wide)),
        ("until the end", with("", json.as_bytes())),
        ("no http", [json.as_bytes(), &wide].concat()),
    ];
    for (name, response) in &responses {
        for cut in [1400, 100, 9, 1] {
            for mask_addresses in [false, true] {
                let bytes = capture(request.as_bytes(), response, cut);
                let (files, manifest) = bundle("c.pcap", &bytes, Options { mask_addresses }).unwrap();
                assert!(manifest.left_out.is_empty(), "{name} {cut}: {:?}", manifest.left_out);
                let kept = &files.iter().find(|(path, _)| path.starts_with("evidence/")).unwrap().1;
                assert_eq!(kept.len(), bytes.len());
                let streams: Vec<u8> = evidence::packets::contents(kept);
                for bytes in [kept, &streams] {
                    assert_eq!(leak(&p, bytes), None, "{name} in parts of {cut}");
                    assert!(!bytes.windows(packed.len()).any(|w| w == packed), "{name}: compressed");
                }
                let after = diagnosed(kept, None).unwrap().1;
                assert_eq!(
                    after.findings.len(),
                    diagnosed(&bytes, None).unwrap().1.findings.len(),
                    "{name} {cut}"
                );
                if mask_addresses {
                    assert!(!files.iter().any(|(_, f)| String::from_utf8_lossy(f).contains("192.0.2.")));
                    assert!(!kept.windows(4).any(|w| w == [192, 0, 2, 7] || w == [192, 0, 2, 1]));
                }
            }
        }
    }
}

#[test]
fn compressed_and_wide_files_are_redacted_inside() {
    let p = Planted::new(2);
    let text = format!(
        "> GET / HTTP/1.1\n> Host: h\n> Authorization: Bearer {}\n> \n< HTTP/1.1 401 Unauthorized\n< \n",
        p.jwt()
    );
    let encoded =
        evidence::encode::base64(&text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>());
    let wide: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let in_text = format!(
        "{text}powershell -EncodedCommand {encoded}\nlog: {}\n",
        evidence::encode::base64(&gzip(text.as_bytes()))
    );
    for (name, bytes) in
        [("gzip", gzip(text.as_bytes())), ("utf-16", wide), ("in text", in_text.into_bytes())]
    {
        let (files, _) = bundle("given", &bytes, Options::default()).unwrap();
        for (path, packed) in &files {
            assert_eq!(leak(&p, packed), None, "{name}: {path}");
            assert!(!String::from_utf8_lossy(packed).contains(&encoded[..60]), "{name}: {path}");
        }
    }
}

#[test]
fn key_logs_are_never_packed() {
    let bytes = format!("CLIENT_RANDOM {} {}\n", "ab".repeat(32), "cd".repeat(48));
    let secrets = why401_redact::SecretSet::default();
    let piece = why401_bundle::Piece { name: "keys.log", format: "key-log", bytes: bytes.as_bytes() };
    let mut masker = why401_bundle::Masker::new(&secrets);
    let mut addresses = why401_bundle::Addresses::default();
    assert!(why401_bundle::redact(&piece, Options::default(), &mut masker, &mut addresses).is_err());
}
