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

/// The requests of a capture ask hosts that are addresses, and one address stands in two packets.
#[test]
fn addresses_that_are_cut_in_two_are_replaced_too() {
    let p = Planted::new(3);
    let request = format!(
        "GET /a HTTP/1.1\r\nHost: 192.0.2.77:8080\r\nX-Name: J\u{fc}rgen\r\nAuthorization: Basic {}\r\n\r\n",
        p.basic()
    );
    let request = request.replace('\u{fc}', "\u{1}");
    let request: Vec<u8> = request.bytes().map(|b| if b == 1 { 0xfc } else { b }).collect();
    let response =
        b"HTTP/1.1 401 Unauthorized\r\nContent-Type: application/octet-stream\r\nContent-Length: 999\r\n\r\n";
    let response = [response.as_slice(), &[7; 999]].concat();
    for cut in [1400, 31, 1] {
        let bytes = capture(&request, &response, cut);
        let (files, _) = bundle("from-192.0.2.77.pcap", &bytes, Options { mask_addresses: true }).unwrap();
        for (path, packed) in &files {
            assert!(
                !path.contains("192.0.2.77") && !String::from_utf8_lossy(packed).contains("192.0.2.77"),
                "{path}"
            );
        }
        let (path, kept) = files.iter().find(|(path, _)| path.starts_with("evidence/")).unwrap();
        let said = String::from_utf8_lossy(&evidence::packets::contents(kept)).into_owned();
        let host = said.split("Host: ").nth(1).and_then(|rest| rest.split(':').next()).unwrap();
        assert!(!said.contains("192.0.2.77") && host.len() == "192.0.2.77".len(), "{said}");
        assert!(path.contains(host), "the same one by the same: {path} {host}");
    }
    let text = "> GET / HTTP/1.1\r\n> Host: 192.0.2.77\r\n> \r\n< HTTP/1.1 401 Unauthorized\r\n< \r\n";
    let wide: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let (files, _) = bundle("wide", &wide, Options { mask_addresses: true }).unwrap();
    let (_, kept) = files.iter().find(|(path, _)| path.starts_with("evidence/")).unwrap();
    let narrow: Vec<u8> = kept.iter().copied().filter(|b| *b != 0).collect();
    assert_eq!(kept.len(), wide.len());
    assert!(!String::from_utf8_lossy(&narrow).contains("192.0.2.77"));
}

/// What is compressed in a way that the redaction cannot open is left out, whatever the reader can open.
#[test]
fn what_stays_compressed_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let p = Planted::new(4);
    let text = format!(
        "> GET / HTTP/1.1\n> Host: h\n> Authorization: Basic {}\n> \n< HTTP/1.1 401 Unauthorized\n< \n",
        p.basic()
    );
    let many: String = (0..4000).map(|i| format!("{i} {}\n", (i * 7919) % 104_729)).collect();
    let plain = folder.path().join("transcript.txt");
    std::fs::write(&plain, format!("{text}{many}")).unwrap();
    for (program, end) in [("bzip2", "bz2"), ("xz", "xz")] {
        let made = std::process::Command::new(program).args(["-k", "-c"]).arg(&plain).output();
        let Ok(made) = made else {
            println!("skipped: no {program}");
            continue;
        };
        let (packed, zip) =
            (folder.path().join(format!("transcript.txt.{end}")), folder.path().join("case.zip"));
        std::fs::write(&packed, &made.stdout).unwrap();
        let out = std::process::Command::new(env!("CARGO_BIN_EXE_why401"))
            .args(["bundle".as_ref(), packed.as_os_str(), "-o".as_ref(), zip.as_os_str()])
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&out.stdout);
        assert!(
            out.status.code().is_some_and(|status| status < 2) && told.contains("left out: transcript.txt"),
            "{told}"
        );
        assert!(!told.contains("evidence/"), "{told}");
    }
}

/// A folder stands for the files in it, in the order in which they are read.
#[test]
fn the_files_of_a_folder_are_packed_each_as_itself() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    std::fs::create_dir(&logs).unwrap();
    let line = |user: &str| {
        format!(
            "192.0.2.1 - {user} [22/Nov/2026:10:00:00 +0000] \"GET /{user} HTTP/1.1\" 401 1 \"-\" \"x\"\n"
        )
    };
    for user in ["alice", "bob"] {
        std::fs::write(logs.join(format!("{user}.log")), line(user).repeat(3)).unwrap();
    }
    let zip = folder.path().join("case.zip");
    let status = std::process::Command::new(env!("CARGO_BIN_EXE_why401"))
        .args(["bundle".as_ref(), logs.as_os_str(), "-o".as_ref(), zip.as_os_str()])
        .output()
        .unwrap();
    assert!(
        status.status.code().is_some_and(|status| status < 2),
        "{}",
        String::from_utf8_lossy(&status.stderr)
    );
    let mut zip = zip::ZipArchive::new(std::fs::File::open(zip).unwrap()).unwrap();
    for (path, user) in [("evidence/01-alice.log", "alice"), ("evidence/02-bob.log", "bob")] {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut zip.by_name(path).unwrap(), &mut text).unwrap();
        assert_eq!(text, line(user).repeat(3), "{path}");
    }
}
