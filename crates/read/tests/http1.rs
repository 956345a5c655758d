//! Connections as a capture meets them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

use proptest::prelude::*;
use why401_read::http1::{Connection, Pair, Side};
use why401_span::{SourceId, Span};

fn span(start: usize) -> Span {
    Span::new(SourceId(0), start as u64, start as u64)
}

/// Feeds both directions in turn, cut into pieces of `step` bytes.
fn read(turns: &[(Side, &str)], step: usize) -> Vec<Pair> {
    let mut c = Connection::new();
    let mut offsets = [0, 1_000_000];
    for (side, text) in turns {
        for piece in text.as_bytes().chunks(step) {
            let at = &mut offsets[(*side == Side::Server) as usize];
            c.push(*side, piece, span(*at), None);
            *at += piece.len();
        }
    }
    c.finish();
    std::iter::from_fn(|| c.next_pair()).collect()
}

fn told(pairs: &[Pair]) -> Vec<String> {
    let one = |p: &Pair| {
        let q = p.request.as_ref().map_or("-".into(), |m| {
            let r = &m.message;
            format!(
                "{} {} {:?}{}",
                r.method(),
                r.target(),
                r.body.text(),
                if r.complete { "" } else { " cut" }
            )
        });
        let a = p.response.as_ref().map_or("-".into(), |m| {
            let whole = if m.message.body.complete { "" } else { " cut" };
            format!("{} {:?}{whole}", m.message.status, m.message.body.text())
        });
        format!("{q} => {a}")
    };
    pairs.iter().map(one).collect()
}

use Side::{Client, Server};

fn turns() -> Vec<(Side, &'static str)> {
    vec![
        (
            Client,
            "GET /a HTTP/1.1\r\nHost: x\r\n\r\nHEAD /b HTTP/1.1\r\n\r\nPOST /c HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
        ),
        (
            Server,
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nno!\r\n2\r\n\r\n\r\n0\r\nA: b\r\n\r\n",
        ),
        (Server, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"),
        (Client, "\r\nGET /d HTTP/1.1\n\n"),
        (Server, "HTTP/1.0 200 OK\n\nuntil close"),
    ]
}

#[test]
fn pipelining_interim_head_chunks_and_close_pair_at_every_cut() {
    let expected = [
        "GET /a \"\" => 401 \"no!\\r\\n\"",
        "HEAD /b \"\" => 200 \"\"",
        "POST /c \"abc\" => 204 \"\"",
        "GET /d \"\" => 200 \"until close\"",
    ];
    for step in [1, 2, 3, 7, 16, 1000] {
        let pairs = read(&turns(), step);
        assert_eq!(told(&pairs), expected, "pieces of {step}");
        let first = pairs[0].response.as_ref().unwrap();
        assert_eq!(first.message.fields.text("a").as_deref(), Some("b"), "trailer");
        assert_eq!(first.start, 25, "behind the interim response");
        let status = first.message.line.locate(9..12).unwrap();
        assert_eq!((status.span.start, status.exact), (1_000_034, true));
    }
}

#[test]
fn a_connection_joined_in_its_middle_is_read_from_the_next_message_on() {
    let pairs = read(
        &[
            (Server, "rest of a picture \0\x01\r\nmore\r\n"),
            (Client, "GET /x HTTP/1.1\r\n\r\n"),
            (Server, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"),
        ],
        9,
    );
    assert_eq!(told(&pairs), ["GET /x \"\" => 401 \"\""]);
}

#[test]
fn a_gap_is_told_and_costs_no_more_than_it_covers() {
    let mut c = Connection::new();
    c.push(Client, b"GET /a HTTP/1.1\r\n\r\n", span(0), None);
    c.push(Server, b"HTTP/1.1 401 No\r\nContent-Length: 10\r\n\r\nabc", span(0), None);
    c.gap(Server, 4);
    c.push(Server, b"xyz", span(50), None);
    c.push(Client, b"GET /b HTTP/1.1\r\nAuthoriz", span(20), None);
    c.gap(Client, 100);
    c.push(Server, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", span(60), None);
    c.finish();
    let pairs: Vec<_> = std::iter::from_fn(|| c.next_pair()).collect();
    assert_eq!(told(&pairs), ["GET /a \"\" => 401 \"abcxyz\" cut", "GET /b \"\" cut => 200 \"ok\""]);
}

#[test]
fn a_lost_answer_does_not_shift_the_ones_behind_it() {
    let mut c = Connection::new();
    c.push(Client, b"GET /a HTTP/1.1\r\n\r\n", span(0), None);
    c.gap(Server, 500);
    c.push(Client, b"GET /b HTTP/1.1\r\n\r\n", span(20), None);
    c.push(Server, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", span(600), None);
    c.finish();
    let pairs: Vec<_> = std::iter::from_fn(|| c.next_pair()).collect();
    assert_eq!(told(&pairs), ["GET /a \"\" => -", "GET /b \"\" => 200 \"\""]);
}

#[test]
fn a_tunnel_ends_http_and_a_refused_one_does_not() {
    let connect = b"CONNECT example.com:443 HTTP/1.1\r\n\r\n";
    let mut c = Connection::new();
    c.push(Client, connect, span(0), None);
    c.push(Server, b"HTTP/1.1 407 Proxy\r\nContent-Length: 2\r\n\r\nno", span(0), None);
    c.push(Client, connect, span(40), None);
    let granted = b"HTTP/1.1 200 OK\r\n\r\n\x16\x03\x01";
    assert_eq!(c.push(Server, granted, span(50), None), granted.len() - 3);
    assert!(c.is_raw());
    assert_eq!(c.push(Client, b"\x16\x03", span(90), None), 0);
    let statuses: Vec<_> =
        std::iter::from_fn(|| c.next_pair()).map(|p| p.response.unwrap().message.status).collect();
    assert_eq!(statuses, [407, 200]);
}

#[test]
fn an_answer_without_length_on_a_kept_connection_ends_where_the_next_begins() {
    let pairs = read(
        &[
            (Client, "GET /1 HTTP/1.1\r\n\r\n"),
            (Server, "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: NTLM\r\n\r\n"),
            (Client, "GET /2 HTTP/1.1\r\n\r\n"),
            (Server, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
        ],
        1000,
    );
    assert_eq!(told(&pairs), ["GET /1 \"\" => 401 \"\"", "GET /2 \"\" => 200 \"ok\""]);
}

#[test]
fn the_rest_of_a_wrapped_value_is_found() {
    let text = "GET / HTTP/1.1\r\nAuthorization: Basic QUFB\r\nQkJC\r\n\r\n";
    let pairs = read(&[(Client, text)], 5);
    let request = &pairs[0].request.as_ref().unwrap().message;
    assert_eq!(request.fields.get("").map(|f| f.text().into_owned()), Some("QkJC".to_owned()));
    assert!(request.complete);
}

proptest! {
    #[test]
    fn any_bytes_end_without_a_panic(
        turns in proptest::collection::vec((any::<bool>(), proptest::collection::vec(any::<u8>(), 0..200), 0_u64..3), 0..20)
    ) {
        let mut c = Connection::new();
        for (client, bytes, gap) in turns {
            let side = if client { Client } else { Server };
            c.push(side, &bytes, span(0), None);
            if gap > 1 { c.gap(side, gap - 2); }
        }
        c.finish();
        while c.next_pair().is_some() {}
    }

    #[test]
    fn pieces_of_messages_in_any_order_end_without_a_panic(
        turns in proptest::collection::vec((any::<bool>(), proptest::sample::select(vec![
            "GET / HTTP/1.1\r\n", "HTTP/1.1 401 X\r\n", "HTTP/1.1 101 X\r\n", "CONNECT a:1 HTTP/1.1\r\n", "Content-Length: 5\r\n",
            "Transfer-Encoding: chunked\r\n", "\r\n", "5\r\n", "0\r\n", "hello", " fold\r\n", "junk\r\n", "HTTP/1.1 100 C\r\n",
            "Content-Encoding: gzip\r\n", "\x1f", "ffffffffffffffff\r\n",
        ]), any::<bool>()), 0..40)
    ) {
        let mut c = Connection::new();
        let mut pairs = 0;
        for (client, text, end) in &turns {
            let side = if *client { Client } else { Server };
            c.push(side, text.as_bytes(), span(0), None);
            if *end && text.len() == 1 { c.end(side); }
        }
        c.finish();
        while c.next_pair().is_some() { pairs += 1; }
        prop_assert!(pairs <= turns.len());
    }
}
