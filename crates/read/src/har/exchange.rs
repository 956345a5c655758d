//! From an entry of a HAR to an exchange.

use super::entry::{Content, Entry, Message, joined};
use super::recorder::Recorder;
use crate::logs::moment;
use why401_http::{
    Address, BODY_EXCERPT, Body, Exchange, FieldLine, Peer, Request, Response, Shows, Speaker, Statement,
};
use why401_span::{Builder, Derived, SourceId};

/// The exchange, and what the recorder says went wrong with it. What the HAR shows is filled in later.
pub(crate) fn exchange(
    entry: Entry,
    source: SourceId,
    index: u64,
    recorder: Recorder,
) -> (Exchange, Option<Statement>) {
    let mut exchange = Exchange::new(source, index, Shows::LOG_LINE);
    exchange.time = moment(entry.started.as_bytes());
    let url = entry.request.as_ref().map(|r| r.url.to_text().into_owned()).unwrap_or_default();
    let address = Address::parse(&url);
    if !entry.server.is_empty() {
        let host = entry.server.trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = entry.server_port.or(address.as_ref().map(|a| a.port));
        exchange.server = Some(Peer { host, port });
    }
    if recorder.numbers_connections() && !entry.connection.is_empty() {
        exchange.connection = Some(connection(&entry.connection));
    }
    let complete = entry.complete;
    exchange.request = entry.request.map(|message| request(message, address, complete));
    let mut error = Derived::default();
    exchange.response = entry.response.map(|message| {
        error = message.error.clone();
        response(message)
    });
    let said = (!error.is_empty()).then(|| {
        let mut statement = Statement::new(source, Speaker::Client, error);
        statement.time = exchange.time;
        statement.beside = Some(index);
        statement
    });
    (exchange, said)
}

fn request(message: Message, address: Option<Address>, complete: bool) -> Request {
    let version = version(&message.version);
    let target = without_fragment(&message.url);
    let mut line = Builder::new();
    append(&mut line, &message.method);
    line.push_synthetic(b" ");
    append(&mut line, &target);
    append_version(&mut line, b" ", &message.version, &version);
    let mut fields = message.fields;
    if !fields.has("cookie") && !message.cookies.is_empty() {
        fields
            .0
            .push(FieldLine { name: Derived::synthetic("Cookie"), value: joined(&message.cookies, b"; ") });
    }
    Request {
        line: line.finish(),
        method: message.method,
        target,
        version,
        scheme: address.map(|a| a.scheme),
        fields,
        body: body(message.content),
        complete: complete && message.has_all_fields,
    }
}

fn response(message: Message) -> Response {
    let version = version(&message.version);
    let mut line = Builder::new();
    append_version(&mut line, b"", &message.version, &version);
    line.push_synthetic(b" ");
    append(&mut line, &message.status);
    if !message.reason.is_empty() {
        line.push_synthetic(b" ");
        append(&mut line, &message.reason);
    }
    // -1 is Playwright's and 0 the others' word for: there was none.
    let status = message.status.to_text().parse().ok().filter(|s| (100..1000).contains(s)).unwrap_or(0);
    let mut fields = message.fields;
    if !message.redirect.is_empty() && !fields.has("location") && (300..400).contains(&status) {
        fields.0.push(FieldLine { name: Derived::synthetic("Location"), value: message.redirect });
    }
    Response {
        line: line.finish(),
        status,
        version,
        fields,
        body: body(message.content),
        complete: message.has_all_fields && status != 0,
    }
}

fn body(content: Content) -> Body {
    let Some(text) = content.text else {
        let complete = content.size == Some(0);
        if content.params.is_empty() {
            return Body { bytes: Derived::default(), complete };
        }
        return Body { bytes: joined(&content.params, b"&"), complete: true };
    };
    let decoded = if content.encoding == "base64" {
        text.value.decoded(0..text.value.len(), base64(text.value.as_bytes()))
    } else {
        text.value
    };
    let complete = text.complete && decoded.len() <= BODY_EXCERPT;
    let bytes = if decoded.len() > BODY_EXCERPT { decoded.slice(0..BODY_EXCERPT) } else { decoded };
    Body { bytes, complete }
}

/// Reads base64 as far as it goes; bytes outside its alphabet are passed over.
fn base64(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0u32, 0);
    for b in text {
        let six = match b {
            b'A'..=b'Z' => b - b'A',
            b'a'..=b'z' => b - b'a' + 26,
            b'0'..=b'9' => b - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => break,
            _ => continue,
        };
        bits = bits << 6 | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    out
}

fn version(written: &Derived) -> String {
    let text = written.to_text().to_ascii_lowercase();
    let text = text.trim();
    match text.strip_prefix("http/").unwrap_or(text) {
        "h2" | "2" | "2.0" | "http2" | "h2c" => "2",
        "h3" | "3" | "3.0" | "quic" | "http3" => "3",
        "1.0" => "1.0",
        "1.1" => "1.1",
        _ => "",
    }
    .to_owned()
}

fn append_version(line: &mut Builder, before: &[u8], written: &Derived, version: &str) {
    if version.is_empty() {
        return;
    }
    line.push_synthetic(before);
    let shown = format!("HTTP/{version}");
    if *written == *shown.as_str() {
        return append(line, written);
    }
    match written.whole() {
        Some(at) => line.push_enclosed(shown.as_bytes(), at.span),
        None => line.push_synthetic(shown.as_bytes()),
    }
}

fn append(to: &mut Builder, part: &Derived) {
    to.push_part(part, 0..part.len());
}

fn without_fragment(url: &Derived) -> Derived {
    match url.as_bytes().iter().position(|b| *b == b'#') {
        Some(end) => url.slice(0..end),
        None => url.clone(),
    }
}

/// A number for a connection: its own if it is one, else one made of the text (FNV-1a).
fn connection(text: &str) -> u64 {
    text.parse().unwrap_or_else(|_| {
        text.bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash, b| (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_as_far_as_it_goes() {
        assert_eq!(base64(b"eyJhIjoxfQ=="), b"{\"a\":1}");
        assert_eq!(base64(b"eyJh\nIjox"), b"{\"a\":1");
        assert_eq!(base64(b""), b"");
    }

    #[test]
    fn versions_of_all_recorders() {
        for (written, want) in [
            ("HTTP/1.1", "1.1"),
            ("http/2.0", "2"),
            ("h2", "2"),
            ("HTTP/3", "3"),
            ("h3", "3"),
            ("unknown", ""),
            ("", ""),
        ] {
            assert_eq!(version(&Derived::synthetic(written)), want, "{written}");
        }
    }
}
