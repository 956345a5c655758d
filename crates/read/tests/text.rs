//! Text of every kind, whole and broken.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

use proptest::prelude::*;
use std::time::{Duration, Instant};
use why401_http::{Exchange, FactKind, Speaker};
use why401_read::{Collected, read};
use why401_span::SourceId;

fn read_as(text: &[u8], format: Option<&str>) -> (String, Collected) {
    let mut sink = Collected::default();
    let name = read(SourceId(0), &mut &text[..], format, None, &[], &mut sink).unwrap().name;
    (name.to_owned(), sink)
}

fn text(text: &str) -> Collected {
    read_as(text.as_bytes(), Some("text")).1
}

/// Request line, credentials' scheme, status, body.
fn told(e: &Exchange) -> String {
    let request = e.request.as_ref().map_or("-".to_owned(), |r| {
        let credentials = r.fields.text("authorization").or_else(|| r.fields.text("proxy-authorization"));
        let scheme =
            credentials.map(|c| c.split(' ').next().unwrap_or_default().to_owned()).unwrap_or_default();
        format!("{} {} {scheme}", r.method(), r.target())
    });
    let response =
        e.response.as_ref().map_or("-".to_owned(), |r| format!("{} {:?}", r.status, r.body.text()));
    format!("{} => {response}", request.trim_end())
}

fn exchanges(c: &Collected) -> Vec<String> {
    c.exchanges.iter().map(told).collect()
}

#[test]
fn a_transcript_with_body_and_remarks_on_one_line() {
    let c = text(concat!(
        "$ curl -v -u alice:wrong https://example.com/a\n",
        "*   Trying 192.0.2.1:443...\n* Connected to example.com (192.0.2.1) port 443 (#0)\n",
        "* SSL connection using TLSv1.3 / TLS_AES_256_GCM_SHA384\n",
        "> GET /a HTTP/1.1\r\n> Host: example.com\r\n> Authorization: Basic YWxpY2U6d3Jvbmc=\r\n> \r\n",
        "< HTTP/1.1 401 Unauthorized\r\n< WWW-Authenticate: Basic realm=\"x\"\r\n< Content-Length: 12\r\n< \r\n",
        "{ [12 bytes data]\n{\"no\": true}* Connection #0 to host example.com left intact\n",
        "\nWhy is that? I am sure of my password.\n",
    ));
    assert_eq!(exchanges(&c), ["GET /a Basic => 401 \"{\\\"no\\\": true}\""]);
    let e = &c.exchanges[0];
    assert_eq!(e.request.as_ref().unwrap().scheme.as_deref(), Some("https"));
    assert!(e.shows.authorization && e.shows.every_request);
    assert_eq!(e.server.as_ref().unwrap().to_string(), "192.0.2.1:443");
    let person: Vec<_> = c.statements.iter().filter(|s| s.speaker == Speaker::Person).collect();
    assert_eq!(person.len(), 1, "{:?}", c.statements);
    assert!(
        matches!(&c.facts[0].kind, FactKind::Command { program, user: Some(u), .. } if program == "curl" && u == "alice")
    );
    assert!(c.statements.iter().filter(|s| s.speaker == Speaker::Client).all(|s| s.beside == Some(0)));
}

#[test]
fn connections_are_told_apart() {
    let one = |n: u32| {
        format!(
            "* Connected to h (192.0.2.1) port 80 (#{n})\n> GET /{n} HTTP/1.1\n>\n< HTTP/1.1 401 No\n< Content-Length: 0\n<\n"
        )
    };
    let again = "* Re-using existing connection #0 with host h\n> GET /again HTTP/1.1\n>\n< HTTP/1.1 200 OK\n< Content-Length: 0\n<\n";
    let c = text(&format!("{}{}{again}", one(0), one(1)));
    let connections: Vec<_> = c.exchanges.iter().map(|e| e.connection).collect();
    assert_eq!(connections, [Some(0), Some(1), Some(0)]);
}

#[test]
fn a_proxy_that_is_asked_first() {
    let c = text(concat!(
        "* Connected to proxy (192.0.2.9) port 3128 (#0)\n> CONNECT example.com:443 HTTP/1.1\n> Proxy-Authorization: Basic YTpi\n>\n",
        "< HTTP/1.1 200 Connection established\n<\n* Proxy replied 200 to CONNECT request\n* SSL connection using TLSv1.3\n",
        "> GET / HTTP/1.1\n> Host: example.com\n>\n< HTTP/1.1 401 Unauthorized\n< Content-Length: 0\n<\n",
    ));
    assert_eq!(exchanges(&c), ["CONNECT example.com:443 Basic => 200 \"\"", "GET / => 401 \"\""]);
    assert_eq!(c.exchanges[1].request.as_ref().unwrap().scheme.as_deref(), Some("https"));
}

#[test]
fn fields_behind_the_blank_line_are_body() {
    let c = text(
        "POST /x HTTP/1.1\nHost: h\n\nAuthorization: Basic YTpi\n\n{}\n\nHTTP/1.1 401 Unauthorized\nContent-Length: 0\n\n",
    );
    assert_eq!(exchanges(&c), ["POST /x => 401 \"\""]);
    assert!(c.exchanges[0].request.as_ref().unwrap().body.text().starts_with("Authorization: Basic"));
}

#[test]
fn messages_with_remarks_before_and_between() {
    let c = text(concat!(
        "First I log in:\n\nPOST /login HTTP/1.1\nHost: h\nContent-Length: 3\n\na=b\n\n",
        "HTTP/1.1 200 OK\nContent-Length: 2\n\nok\n\nThen I ask for my data and get this.\n\n",
        "GET /data HTTP/1.1\nHost: h\n\nHTTP/1.1 401 Unauthorized\nWWW-Authenticate: Bearer\n\n",
    ));
    assert_eq!(exchanges(&c), ["POST /login => 200 \"ok\"", "GET /data => 401 \"\""]);
    assert_eq!(c.statements.len(), 2);
    assert!(c.statements.iter().all(|s| s.speaker == Speaker::Person));
}

#[test]
fn utf_16_and_colours_are_read() {
    let plain = "\u{1b}[32mGET\u{1b}[39m /x HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer abc\r\n\r\nHTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n";
    let wide: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(plain.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    for bytes in [plain.as_bytes().to_vec(), wide] {
        let (name, c) = read_as(&bytes, None);
        assert_eq!((name.as_str(), exchanges(&c)), ("http", vec!["GET /x Bearer => 401 \"\"".to_owned()]));
    }
}

#[test]
fn a_command_and_what_it_printed() {
    let c = text(
        "$ curl -s -u r:r http://example.com:801/admin\n{\"message\":\"failed\"}\n$ curl -i -H 'X-Key: 1' http://example.com/\nHTTP/1.1 401 Unauthorized\nContent-Length: 0\n\n",
    );
    assert_eq!(
        exchanges(&c),
        ["GET /admin Basic => 0 \"{\\\"message\\\":\\\"failed\\\"}\"", "GET / => 401 \"\""]
    );
    assert_eq!(c.exchanges[1].request.as_ref().unwrap().fields.text("x-key").as_deref(), Some("1"));
}

#[test]
fn wget_with_debug_output_answers_the_challenge() {
    let request = |extra: &str| {
        format!(
            "---request begin---\nGET /b HTTP/1.1\nHost: h\n{extra}\n---request end---\nHTTP request sent, awaiting response... \n"
        )
    };
    let response = "---response begin---\nHTTP/1.1 401 Unauthorized\nWWW-Authenticate: Basic realm=\"M\"\nContent-Length: 3\n\n---response end---\n401 Unauthorized\nSkipping 3 bytes of body: [no\n] done.\n";
    let log = format!(
        "--2026-11-22 18:26:42--  http://h/b\nConnecting to h (h)|192.0.2.1|:80... connected.\n{}{response}Reusing existing connection to h:80.\n{}{response}",
        request(""),
        request("Authorization: Basic YTpi\n")
    );
    let (name, c) = read_as(log.as_bytes(), None);
    assert_eq!(name, "wget");
    assert_eq!(exchanges(&c), ["GET /b => 401 \"no\\n\"", "GET /b Basic => 401 \"no\\n\""]);
    assert_eq!((c.exchanges[0].connection, c.exchanges[1].connection), (Some(0), Some(0)));
    assert_eq!(c.exchanges[0].server.as_ref().unwrap().to_string(), "192.0.2.1:80");
}

#[test]
fn a_dump_of_a_trace_is_put_together() {
    let log = "== Info: Connected to h (192.0.2.1) port 80 (#0)\n=> Send header, 60 bytes (0x3c)\n0000: GET / HTTP/1.1\n0010: Host: h\n0019: Authorization: Bear\n002c: er abc\n0034: \n<= Recv header, 27 bytes (0x1b)\n0000: HTTP/1.1 401 Unauthorized\n<= Recv header, 2 bytes (0x2)\n0000: \n<= Recv data, 2 bytes (0x2)\n0000: no\n";
    let (name, c) = read_as(log.as_bytes(), None);
    assert_eq!(name, "curl");
    assert_eq!(exchanges(&c), ["GET / Bearer => 401 \"no\""]);
    assert_eq!(
        c.exchanges[0].request.as_ref().unwrap().fields.text("authorization").as_deref(),
        Some("Bearer abc")
    );
}

#[test]
fn pages_configuration_and_netrc_are_told_apart() {
    let c = text(concat!(
        "HTTP Error 401.3 - Unauthorized\nYou do not have permission to view this directory.\n\n",
        "I can open it as administrator.\n\n~/.netrc:\nmachine h login alice password pw\n\n",
        "# Caddyfile\nexample.com {\n  basicauth / a b\n\n}\n",
    ));
    let page = &c.statements[0];
    assert_eq!(
        (page.speaker, page.status, page.code.as_deref(), page.product),
        (Speaker::Page, Some(401), Some("401.3"), Some("iis"))
    );
    assert_eq!(c.statements[1].speaker, Speaker::Person);
    assert_eq!((c.statements[2].speaker, c.statements[2].product), (Speaker::Configuration, Some("caddy")));
    assert!(c.facts.iter().any(|f| matches!(&f.kind, FactKind::Netrc { machine: Some(m), .. } if m == "h")));
    assert!(c.facts.iter().any(|f| matches!(&f.kind, FactKind::Code(code) if code == "401.3")));
}

/// Lines of all dialects, good and broken.
const LINES: &[&str] = &[
    "$ curl -v -u a:b http://h/ \\",
    "> GET / HTTP/1.1",
    "> Host: h",
    ">",
    "< HTTP/1.1 401 Unauthorized",
    "< WWW-Authenticate: Basic",
    "<",
    "< Content-Length: 5",
    "{ [5 bytes data]",
    "* Connected to h (192.0.2.1) port 80 (#0)",
    "* Connection #0 to host h left intact",
    "* Issue another request to this URL: 'http://h/'",
    "hello* Closing connection 0",
    "GET /x HTTP/1.1",
    "POST /x HTTP/1.1",
    "HTTP/1.1 401 Unauthorized",
    "HTTP/2 200",
    "Content-Length: 3",
    "Transfer-Encoding: chunked",
    "Content-Encoding: gzip",
    "3",
    "abc",
    "0",
    "",
    " folded",
    "Authorization: Basic QUJD",
    "REVG",
    "---request begin---",
    "---request end---",
    "---response begin---",
    "---response end---",
    "HTTP request sent, awaiting response... 401 Unauthorized",
    "--2026-11-22 18:26:42--  http://h/x",
    "Skipping 3 bytes of body: [abc] done.",
    "== Info: x",
    "=> Send header, 5 bytes (0x5)",
    "0000: GET / HTTP/1.1",
    "0000: 47 45 54 ",
    "<= Recv header, 2 bytes (0x2)",
    "<= Recv data: x",
    "send: b'GET / HTTP/1.1\\r\\n\\r\\n'",
    "reply: 'HTTP/1.1 401 No\\r\\n'",
    "header: A: b",
    "send: b'\\x",
    "2015/04/26 15:31:16 [debug] 1#0: *41 http header: \"A: b\"",
    "2015/04/26 15:31:16 [debug] 1#0: *41 HTTP/1.1 401 No",
    " 14 0.1 10.1.4.20:5 10.1.4.31:80 GET / HTTP/1.1  Authorization: NTLM x",
    "10.1.4.31:80 10.1.4.20:5 HTTP/1.1 401 No",
    "machine h login a password",
    "server {",
    "  }",
    "<configuration>",
    "HTTP Error 401.3 - Unauthorized",
    "<html>",
    "</html>",
    "I tried it.",
    "2026-01-01 00:00:00 ERROR x 401",
    "   at x.y(z)",
    "PS C:\\> irm http://h",
    "\u{1b}[31m",
    "é€😀 401",
    "\0\0",
    "192.0.2.1 - - [22/Nov/2026:17:14:41 +0000] \"GET / HTTP/1.1\" 401 179",
    "http://a:b@h/",
    "0x80244017",
    "```",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn lines_of_all_dialects_in_any_order_are_read_to_the_end(
        picked in proptest::collection::vec((0..LINES.len(), 0..4_usize, any::<u8>()), 0..60), crlf in any::<bool>()
    ) {
        let mut all = Vec::new();
        for (line, broken, at) in picked {
            let mut line = LINES[line].as_bytes().to_vec();
            match broken {
                1 => line.truncate(at as usize % (line.len() + 1)),
                2 if !line.is_empty() => { let i = at as usize % line.len(); line[i] = at; }
                _ => {}
            }
            all.extend_from_slice(&line);
            all.extend_from_slice(if crlf { b"\r\n" } else { b"\n" });
        }
        let (_, c) = read_as(&all, Some("text"));
        let indexes: Vec<u64> = c.exchanges.iter().map(|e| e.index).collect();
        prop_assert_eq!(indexes, (0..c.exchanges.len() as u64).collect::<Vec<_>>());
    }

    #[test]
    fn any_bytes_are_read_to_the_end(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = read_as(&bytes, Some("text"));
    }
}

/// Reading twice as much takes about twice as long, whatever it is made of.
#[test]
fn no_line_makes_it_quadratic() {
    let mut slow = Vec::new();
    for line in LINES {
        let pair = |n: usize| {
            let bytes = format!("{line}\n").repeat(n);
            let start = Instant::now();
            let _ = read_as(bytes.as_bytes(), Some("text"));
            start.elapsed()
        };
        // A busy machine makes one run slow by accident; what is quadratic is slow every time.
        let runs: Vec<(Duration, Duration)> = (0..3).map(|_| (pair(50), pair(800))).collect();
        if runs.iter().all(|(small, large)| *large > Duration::from_millis(300) && *large > *small * 64) {
            slow.push(format!("{line}: {runs:?}"));
        }
    }
    assert!(slow.is_empty(), "{slow:#?}");
}
