//! Templates in the evidence, so that tokens and messages stay readable.

use sha2::{Digest, Sha256};
use why401_auth::base64::{encode, encode_url};

/// Fills in every `{{name: argument}}`; the values that are secret come back too.
pub(crate) fn fill(text: &str) -> (String, Vec<String>) {
    let (mut out, mut secrets, mut rest) = (String::new(), Vec::new(), text);
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let (inside, after) = split_end(after);
        // From the inside: a proof names the hash of a token.
        let (filled, within) = fill(inside.trim());
        secrets.extend(within);
        let value = value(&filled);
        if value.len() >= 16 && !inside.starts_with("sha256") {
            secrets.push(value.clone());
        }
        out.push_str(&value);
        rest = after;
    }
    out.push_str(rest);
    (out, secrets)
}

/// The end of a template: the first `}}` that closes as many braces as were opened within.
fn split_end(text: &str) -> (&str, &str) {
    let mut depth = 0;
    for (i, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            '}' => return (&text[..i], &text[i + 2..]),
            _ => {}
        }
    }
    panic!("a template without an end: {text}")
}

fn value(template: &str) -> String {
    let (name, argument) = template.split_once(':').map_or((template, ""), |(n, a)| (n, a.trim()));
    match name {
        "jwt" => jwt(argument),
        "jwe" => jwe(argument),
        "base64" => encode(&bytes(argument)),
        "base64url" => encode_url(&bytes(argument)),
        "sha256" => encode_url(&Sha256::digest(argument)),
        "sha256hex" => Sha256::digest(bytes(argument)).iter().map(|b| format!("{b:02x}")).collect(),
        "ntlm1" => encode(b"NTLMSSP\0\x01\0\0\0\x07\x82\x08\xa2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
        "ntlm2" => encode(&ntlm2()),
        "ntlm3" => encode(&ntlm3(argument)),
        "ap-req" => encode(&ap_req(argument)),
        "krb-error" => encode(&krb_error(argument)),
        "ap-rep" => encode(&gss(&[2, 0], &der(0x6f, &der(0x30, &der(0xa0, &der(0x02, &[5])))))),
        _ => panic!("no template is called {name:?}"),
    }
}

/// `{header} {claims}` or `{claims}`; `@2026-11-22T17:00:00Z` is that time in seconds, `~CUT` at the end cuts off.
fn jwt(argument: &str) -> String {
    let (header, claims) = objects(argument);
    let header = header.unwrap_or_else(|| r#"{"alg":"HS256","typ":"JWT"}"#.to_owned());
    let read: serde_json::Value = serde_json::from_str(&header).unwrap_or_else(|e| panic!("{e}: {header}"));
    let _: serde_json::Value = serde_json::from_str(&claims).unwrap_or_else(|e| panic!("{e}: {claims}"));
    let length = match read["alg"].as_str() {
        Some("none") => 0,
        Some("ES256" | "EdDSA" | "HS512") => 64,
        Some("RS256") => 256,
        _ => 32,
    };
    let seed = Sha256::digest(format!("{header}.{claims}"));
    let signature: Vec<u8> = seed.iter().copied().cycle().take(length).collect();
    format!("{}.{}.{}", encode_url(header.as_bytes()), encode_url(claims.as_bytes()), encode_url(&signature))
}

fn jwe(header: &str) -> String {
    let part =
        |n: usize| encode_url(&Sha256::digest(header).iter().copied().cycle().take(n).collect::<Vec<_>>());
    format!("{}..{}.{}.{}", encode_url(times(header).as_bytes()), part(12), part(80), part(16))
}

fn objects(argument: &str) -> (Option<String>, String) {
    let argument = times(argument);
    match argument.split_once("} {") {
        Some((header, claims)) => (Some(format!("{header}}}")), format!("{{{claims}")),
        None => (None, argument),
    }
}

fn times(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('@') {
        out.push_str(before);
        let time: Option<jiff::Timestamp> = after.get(..20).and_then(|t| t.parse().ok());
        match time {
            Some(time) => {
                out.push_str(&time.as_second().to_string());
                rest = &after[20..];
            }
            None => {
                out.push('@');
                rest = after;
            }
        }
    }
    out + rest
}

/// Text with `\n`, `\r`, `\t` and `\xNN`.
fn bytes(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&b, after)) = rest.split_first() {
        rest = after;
        if b != b'\\' {
            out.push(b);
            continue;
        }
        let (&kind, after) = rest.split_first().unwrap();
        rest = after;
        match kind {
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'x' => {
                out.push(u8::from_str_radix(std::str::from_utf8(&rest[..2]).unwrap(), 16).unwrap());
                rest = &rest[2..];
            }
            other => out.push(other),
        }
    }
    out
}

/// A type 2 message of the server SRV.
fn ntlm2() -> Vec<u8> {
    let mut m = b"NTLMSSP\0\x02\0\0\0".to_vec();
    m.extend_from_slice(&[6, 0, 6, 0, 48, 0, 0, 0]);
    m.extend_from_slice(&0xa289_8205u32.to_le_bytes());
    m.extend_from_slice(b"12345678\0\0\0\0\0\0\0\0");
    m.extend_from_slice(&[4, 0, 4, 0, 54, 0, 0, 0]);
    m.extend_from_slice(b"S\0R\0V\0\0\0\0\0");
    m
}

/// A type 3 message: `DOMAIN\user`, and `+binding` where it names a TLS connection.
fn ntlm3(argument: &str) -> Vec<u8> {
    let (who, binding) = argument.strip_suffix("+binding").map_or((argument, false), |w| (w.trim(), true));
    let (domain, user) = who.split_once('\\').unwrap_or(("", who));
    let utf16 = |t: &str| t.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let mut response = vec![7u8; 44];
    if binding {
        response.extend_from_slice(&[10, 0, 16, 0]);
        response.extend_from_slice(&[9; 16]);
    }
    response.extend_from_slice(&[0, 0, 0, 0]);
    let parts = [vec![0u8; 24], response, utf16(domain), utf16(user), utf16("WS"), Vec::new()];
    let mut m = b"NTLMSSP\0\x03\0\0\0".to_vec();
    let mut offset = 72u32;
    for part in &parts {
        m.extend_from_slice(&(part.len() as u16).to_le_bytes());
        m.extend_from_slice(&(part.len() as u16).to_le_bytes());
        m.extend_from_slice(&offset.to_le_bytes());
        offset += part.len() as u32;
    }
    m.extend_from_slice(&0xa288_8205u32.to_le_bytes());
    m.extend_from_slice(&[10, 0, 0x61, 0x4a, 0, 0, 0, 15]);
    m.extend(parts.concat());
    m
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match content.len() {
        n @ 0..=127 => out.push(n as u8),
        n => out.extend_from_slice(&[0x82, (n >> 8) as u8, n as u8]),
    }
    out.extend_from_slice(content);
    out
}

/// RFC 4121 section 4.1.
fn gss(id: &[u8], message: &[u8]) -> Vec<u8> {
    let oid = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02];
    der(0x60, &[&oid[..], id, message].concat())
}

/// An AP-REQ with a ticket for `HTTP/host@REALM`, key version 3, aes256.
fn ap_req(principal: &str) -> Vec<u8> {
    let (name, realm) = principal.split_once('@').unwrap_or((principal, "EXAMPLE.COM"));
    let string = |t: &str| der(0x1b, t.as_bytes());
    let number = |tag, n: u8| der(tag, &der(0x02, &[n]));
    let parts: Vec<u8> = name.split('/').flat_map(string).collect();
    let sname = der(0x30, &[number(0xa0, 2), der(0xa1, &der(0x30, &parts))].concat());
    let enc = der(0x30, &[number(0xa0, 18), number(0xa1, 3), der(0xa2, &der(0x04, &[5; 40]))].concat());
    let body = [number(0xa0, 5), der(0xa1, &string(realm)), der(0xa2, &sname), der(0xa3, &enc)].concat();
    let ticket = der(0x61, &der(0x30, &body));
    let flags = der(0xa2, &der(0x03, &[0, 0, 0, 0, 0]));
    let request = [number(0xa0, 5), number(0xa1, 14), flags, der(0xa3, &ticket)].concat();
    gss(&[1, 0], &der(0x6e, &der(0x30, &request)))
}

/// `37 2026-11-22T17:16:14Z`: the code, and the server's time.
fn krb_error(argument: &str) -> Vec<u8> {
    let (code, time) = argument.split_once(' ').unwrap_or((argument, "2026-11-22T17:16:14Z"));
    let stime: String = time.chars().filter(char::is_ascii_digit).collect::<String>() + "Z";
    let number = |tag, n: u8| der(tag, &der(0x02, &[n]));
    let body = [
        number(0xa0, 5),
        number(0xa1, 30),
        der(0xa4, &der(0x18, stime.as_bytes())),
        number(0xa5, 1),
        number(0xa6, code.parse().unwrap()),
        der(0xa9, &der(0x1b, b"EXAMPLE.COM")),
    ];
    gss(&[3, 0], &der(0x7e, &der(0x30, &body.concat())))
}
