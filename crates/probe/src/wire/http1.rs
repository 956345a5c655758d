//! A request of HTTP/1.1 (RFC 9112) as bytes.

use super::dial::Sending;

/// The bytes of a request. `absolute` writes the whole address into the request line, as a proxy wants it (section
/// 3.2.2).
pub(super) fn bytes(s: &Sending, absolute: bool) -> Vec<u8> {
    let target =
        if absolute { format!("{}://{}{}", s.scheme, s.authority, s.target) } else { s.target.clone() };
    let mut out = format!("{} {target} HTTP/1.1\r\n", s.method).into_bytes();
    let mut field = |name: &str, value: &[u8]| {
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b": ");
        // A line break in a value would begin a field of its own.
        out.extend(value.iter().map(|b| if matches!(b, b'\r' | b'\n' | 0) { b' ' } else { *b }));
        out.extend_from_slice(b"\r\n");
    };
    if !s.fields.iter().any(|(n, _)| n.eq_ignore_ascii_case("host")) {
        field("Host", s.authority.as_bytes());
    }
    for (name, value) in &s.fields {
        field(name, value);
    }
    let takes_content = matches!(s.method.as_str(), "POST" | "PUT" | "PATCH");
    if !s.body.is_empty() || takes_content {
        field("Content-Length", s.body.len().to_string().as_bytes());
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(&s.body);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_break_begins_no_field_of_its_own() {
        let s = Sending {
            method: "POST".to_owned(),
            scheme: "http".to_owned(),
            authority: "h:81".to_owned(),
            target: "/a".to_owned(),
            fields: vec![("X-A".to_owned(), b"1\r\nX-B: 2".to_vec())],
            body: b"{}".to_vec(),
        };
        let text = String::from_utf8(bytes(&s, true)).unwrap();
        assert_eq!(
            text,
            "POST http://h:81/a HTTP/1.1\r\nHost: h:81\r\nX-A: 1  X-B: 2\r\nContent-Length: 2\r\n\r\n{}"
        );
    }
}
