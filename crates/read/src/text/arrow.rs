//! One line an exchange, as programs and people note them: `POST https://api.example.com/login -> 401 {"error":"…"}`.

use super::draft::Draft;
use super::lines::Line;
use super::out::{LINES, Out};
use super::{Dialect, Took};
use crate::http1::head;
use std::ops::Range;
use why401_http::{Body, Speaker, Statement};
use why401_span::Derived;

/// What stands between a request and its status.
const MARKS: [&str; 4] = [" -> ", " => ", " \u{2192} ", " --> "];

/// An exchange, until it is known which fields stand below it.
#[derive(Default)]
struct Arrow {
    noted: Option<Held>,
}

struct Held {
    statement: Statement,
    request: Draft,
    response: Draft,
    rest: Derived,
}

pub(super) fn begin(line: &Line, _next: Option<&Line>, _out: &mut Out<'_>) -> Option<Box<dyn Dialect>> {
    noted(&line.str()).map(|_| Box::<Arrow>::default() as Box<dyn Dialect>)
}

impl Dialect for Arrow {
    fn line(&mut self, line: &Line, _next: Option<&Line>, out: &mut Out<'_>) -> Took {
        let text = line.str();
        let Some(noted) = noted(&text) else {
            let field = line.text.trimmed();
            let Some(held) = self.noted.as_mut().filter(|_| is_answers(&field)) else { return Took::No };
            held.response.field(&field);
            return Took::Yes;
        };
        self.tell(out);
        let part = |range: Range<usize>| line.text.slice(range);
        self.noted = Some(Held {
            statement: out.words(Speaker::Client, line.text.trimmed()),
            request: Draft::request(part(noted.method.clone()), part(noted.target.clone()), ""),
            response: Draft::response(part(noted.status_at.clone()), noted.status),
            rest: part(noted.status_at.end..line.text.len()).trimmed(),
        });
        Took::Yes
    }

    fn end(&mut self, out: &mut Out<'_>) {
        self.tell(out);
    }
}

impl Arrow {
    fn tell(&mut self, out: &mut Out<'_>) {
        let Some(Held { mut statement, request, response, rest }) = self.noted.take() else { return };
        let mut exchange = out.new_exchange(LINES);
        exchange.shows.response_fields = response.fields.iter().next().is_some();
        exchange.shows.body = !rest.is_empty();
        exchange.request = request.into_request();
        let mut response = response.into_response().unwrap_or_default();
        response.body = Body { bytes: rest, complete: false };
        response.complete = false;
        exchange.response = Some(response);
        statement.beside = Some(out.index());
        out.exchange(exchange);
        out.say(statement);
    }
}

/// Whether a line is a field that answers have, and not a sentence with a colon.
fn is_answers(line: &Derived) -> bool {
    const NAMES: [&[u8]; 8] = [
        b"www-authenticate",
        b"proxy-authenticate",
        b"server",
        b"date",
        b"content-type",
        b"location",
        b"set-cookie",
        b"x-powered-by",
    ];
    let bytes = line.as_bytes();
    let name = memchr::memchr(b':', bytes).and_then(|colon| bytes.get(..colon));
    name.is_some_and(|name| NAMES.iter().any(|n| n.eq_ignore_ascii_case(name)))
}

/// Where a line notes a request and its status.
#[derive(Debug, PartialEq, Eq)]
struct Noted {
    method: Range<usize>,
    target: Range<usize>,
    status: u16,
    status_at: Range<usize>,
}

fn noted(text: &str) -> Option<Noted> {
    let (at, mark) = MARKS.iter().filter_map(|m| text.find(m).map(|at| (at, m.len()))).min()?;
    let behind = text.get(at + mark..)?;
    let words =
        behind.trim_start_matches("HTTP/1.1 ").trim_start_matches("HTTP/2 ").trim_start_matches("HTTP ");
    let begin = at + mark + (behind.len() - words.len());
    let digits = words.bytes().take_while(u8::is_ascii_digit).count();
    let status =
        words.get(..digits).filter(|d| d.len() == 3)?.parse().ok().filter(|s| (100..600).contains(s))?;
    let mut from = 0;
    let mut method: Option<Range<usize>> = None;
    for word in text.get(..at)?.split(' ') {
        let place = from..from + word.len();
        from = place.end + 1;
        if let Some(method) = &method
            && !word.is_empty()
        {
            let target = word.starts_with('/') || word.starts_with("http://") || word.starts_with("https://");
            let (method, target) = (method.clone(), target.then_some(place)?);
            return Some(Noted { method, target, status, status_at: begin..begin + digits });
        }
        // A command line has its own reader.
        if matches!(word, "curl" | "http" | "wget") {
            return None;
        }
        let named = word.len() >= 3 && head::is_method(word.as_bytes());
        method = method.or(named.then_some(place));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Collected;

    #[test]
    fn each_line_is_an_exchange() {
        let text = "10:02:11 DEBUG POST https://api.example.com/b/send chat=1 -> 200 {'ok': True}\n\
                    10:02:12 DEBUG GET  https://api.example.com/b/get {'offset': None} -> 401 {'ok': False}\n";
        let mut sink = Collected::default();
        crate::read(why401_span::SourceId(0), &mut text.as_bytes(), Some("text"), None, &[], &mut sink)
            .unwrap();
        let statuses: Vec<_> = sink.exchanges.iter().map(|e| e.status()).collect();
        assert_eq!(statuses, [Some(200), Some(401)]);
        let second = &sink.exchanges[1];
        assert_eq!(second.request.as_ref().unwrap().target.as_bytes(), b"https://api.example.com/b/get");
        assert_eq!(second.response.as_ref().unwrap().body.bytes.as_bytes(), b"{'ok': False}");
        assert!(!second.shows.authorization);
    }

    #[test]
    fn other_lines_note_nothing() {
        for text in [
            "fn get(x) -> 401",
            "curl -X POST https://api.example.com/ -> 401",
            "GET /a -> 4012",
            "GET the page -> 401",
            "a -> b",
            "The answer to GET /a is 401",
        ] {
            assert_eq!(noted(text), None, "{text}");
        }
    }
}
