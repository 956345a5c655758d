//! Messages in nginx's debug log (<https://nginx.org/en/docs/debugging_log.html>): it prints every field of a request
//! and the head of every answer, line by line, the lines of one connection joined by its number.

use crate::http1::head::{self, Start};
use std::collections::BTreeMap;
use why401_http::{Exchange, Peer, Request, Response, Shows, Statement};
use why401_span::{Derived, SourceId};

/// How many connections are kept open.
const OPEN: usize = 4096;

/// What a debug line was to an exchange.
pub(crate) enum Taken {
    /// Nothing: it is words.
    No,
    /// A part of one; another one may have ended before it.
    Yes(Option<Box<Exchange>>),
}

/// Puts exchanges together.
#[derive(Default)]
pub(crate) struct Debug {
    open: BTreeMap<u64, Exchange>,
}

impl Debug {
    /// Takes a line's words, if they are a part of a message on `connection`.
    pub(crate) fn take(&mut self, connection: u64, said: &Statement, source: SourceId) -> Taken {
        let text = &said.text;
        if let Some(line) = quoted(text, b"http request line: \"") {
            let ended = self.open.remove(&connection);
            let request = self.request(connection, said, source);
            if let Some(Start::Request { method, target, version }) = head::request_line(&line) {
                *request = Request { method, target, version, ..Request::default() };
            }
            request.line = line;
            request.complete = true;
            return Taken::Yes(ended.map(Box::new));
        }
        if let Some(line) = quoted(text, b"http header: \"") {
            let answered = self.open.get(&connection).is_some_and(|e| e.response.is_some());
            let ended = if answered { self.open.remove(&connection) } else { None };
            head::push_field(&mut self.request(connection, said, source).fields, &line);
            return Taken::Yes(ended.map(Box::new));
        }
        if text.as_bytes().starts_with(b"HTTP/")
            && let Some(response) = response(text)
        {
            let answered = self.open.get(&connection).is_some_and(|e| e.response.is_some());
            let ended = if answered { self.open.remove(&connection) } else { None };
            self.exchange(connection, said, source).response = Some(response);
            return Taken::Yes(ended.map(Box::new));
        }
        Taken::No
    }

    /// One that must end because too many are open.
    pub(crate) fn overflow(&mut self) -> Option<Exchange> {
        if self.open.len() > OPEN { self.open.pop_first().map(|(_, e)| e) } else { None }
    }

    /// Those that are still open.
    pub(crate) fn finish(&mut self) -> impl Iterator<Item = Exchange> + use<> {
        std::mem::take(&mut self.open).into_values()
    }

    fn exchange(&mut self, connection: u64, said: &Statement, source: SourceId) -> &mut Exchange {
        let client: Option<Peer> = said.client.clone();
        let exchange = self.open.entry(connection).or_insert_with(|| {
            let shows = Shows { body: false, every_request: false, ..Shows::EVERYTHING };
            let mut exchange = Exchange::new(source, 0, shows);
            exchange.time = said.time;
            exchange.connection = Some(connection);
            exchange
        });
        exchange.client = exchange.client.take().or(client);
        exchange
    }

    fn request(&mut self, connection: u64, said: &Statement, source: SourceId) -> &mut Request {
        self.exchange(connection, said, source).request.get_or_insert_with(Request::default)
    }
}

/// What stands between `start` and the quote at the end.
fn quoted(text: &Derived, start: &[u8]) -> Option<Derived> {
    let bytes = text.as_bytes();
    (bytes.starts_with(start) && bytes.ends_with(b"\"") && bytes.len() > start.len())
        .then(|| text.slice(start.len()..bytes.len() - 1))
}

fn response(text: &Derived) -> Option<Response> {
    let mut response = Response { complete: true, ..Response::default() };
    let mut start = 0;
    for (i, line) in text.as_bytes().split(|b| *b == b'\n').enumerate() {
        let end = start + line.len();
        let kept = start + line.trim_ascii_end().len();
        let line = text.slice(start..kept);
        start = end + 1;
        if i == 0 {
            let Some(Start::Response { version, status }) = head::status_line(&line) else { return None };
            (response.version, response.status, response.line) = (version, status, line);
        } else if !line.is_empty() {
            head::push_field(&mut response.fields, &line);
        }
    }
    Some(response)
}
