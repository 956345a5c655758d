//! nginx's log at level debug, which shows the lines of messages: `http header: "Authorization: …"`.

use super::draft::Draft;
use super::lines::Line;
use super::out::{MESSAGES, Out};
use super::{Dialect, Took, log};
use why401_http::Moment;
use why401_span::Derived;

struct NginxDebug {
    /// What is known of each connection's open exchange.
    open: Vec<Open>,
    /// The connection whose response's head goes on in bare lines.
    responding: Option<u64>,
}

struct Open {
    connection: u64,
    time: Option<Moment>,
    request: Option<Draft>,
    response: Option<Draft>,
}

/// More connections are not followed at once.
const MOST_OPEN: usize = 256;

pub(super) fn begin(line: &Line, _next: Option<&Line>, _out: &mut Out<'_>) -> Option<Box<dyn Dialect>> {
    let (_, said) = debug_line(line)?;
    tells(&said).map(|_| Box::new(NginxDebug { open: Vec::new(), responding: None }) as Box<dyn Dialect>)
}

/// What a line tells of a message.
enum Tells {
    RequestLine(Derived),
    Field(Derived),
    Response(Derived),
}

fn tells(said: &Derived) -> Option<Tells> {
    let bytes = said.as_bytes();
    let quoted = |prefix: &str| {
        bytes.starts_with(prefix.as_bytes()).then(|| {
            // The value stands between the outer quotes as it came; quotes inside are not escaped.
            let from = prefix.len();
            let end = bytes.iter().rposition(|c| *c == b'"').unwrap_or(bytes.len()).max(from);
            said.slice(from..end)
        })
    };
    if let Some(line) = quoted("http request line: \"") {
        return Some(Tells::RequestLine(line));
    }
    if let Some(field) = quoted("http header: \"") {
        return Some(Tells::Field(field));
    }
    bytes.starts_with(b"HTTP/1.").then(|| Tells::Response(said.clone()))
}

/// `2015/04/26 15:31:16 [debug] 12378#0: *41 …`: the connection and the words.
fn debug_line(line: &Line) -> Option<(u64, Derived)> {
    let text = line.str();
    let at = text.find("[debug] ")?;
    let star = text.get(at..)?.find(": *")? + at + 3;
    let digits = text.get(star..)?.bytes().take_while(u8::is_ascii_digit).count();
    let connection = text.get(star..star + digits)?.parse().ok()?;
    (at < 40).then(|| (connection, line.text.slice(star + digits + 1..line.text.len())))
}

impl Dialect for NginxDebug {
    fn line(&mut self, line: &Line, _next: Option<&Line>, out: &mut Out<'_>) -> Took {
        let Some((connection, said)) = debug_line(line) else {
            return self.other(line, out);
        };
        self.responding = None;
        let time = log::statement(line, out).and_then(|s| s.time);
        match tells(&said) {
            Some(Tells::RequestLine(text)) => {
                self.give(connection, out);
                let open = self.open(connection, time, out);
                open.request = Draft::new(&text);
            }
            Some(Tells::Field(text)) => {
                if self.open.iter().any(|o| o.connection == connection && o.response.is_some()) {
                    self.give(connection, out);
                }
                let unknown = || Draft::request(Derived::default(), Derived::default(), "");
                self.open(connection, time, out).request.get_or_insert_with(unknown).field(&text);
            }
            Some(Tells::Response(text)) => {
                if self.open.iter().any(|o| o.connection == connection && o.response.is_some()) {
                    self.give(connection, out);
                }
                self.open(connection, time, out).response = Draft::new(&text);
                self.responding = Some(connection);
            }
            None => log_line(line, out),
        }
        Took::Yes
    }

    fn end(&mut self, out: &mut Out<'_>) {
        while let Some(connection) = self.open.first().map(|o| o.connection) {
            self.give(connection, out);
        }
    }
}

impl NginxDebug {
    fn other(&mut self, line: &Line, out: &mut Out<'_>) -> Took {
        if let Some(connection) = self.responding {
            let response =
                self.open.iter_mut().find(|o| o.connection == connection).and_then(|o| o.response.as_mut());
            if let Some(response) = response {
                if line.is_blank() {
                    response.head_done = true;
                    self.responding = None;
                } else {
                    response.field(&line.text);
                }
                return Took::Yes;
            }
        }
        if line.is_blank() {
            return Took::Yes;
        }
        if log::statement(line, out).is_none() {
            return Took::No;
        }
        log_line(line, out);
        Took::Yes
    }

    fn open(&mut self, connection: u64, time: Option<Moment>, out: &mut Out<'_>) -> &mut Open {
        let at = match self.open.iter().position(|o| o.connection == connection) {
            Some(at) => at,
            None => {
                if self.open.len() >= MOST_OPEN
                    && let Some(oldest) = self.open.first().map(|o| o.connection)
                {
                    self.give(oldest, out);
                }
                self.open.push(Open { connection, time, request: None, response: None });
                self.open.len() - 1
            }
        };
        // The index is that of an element just found or pushed.
        #[expect(clippy::indexing_slicing, reason = "the position was found above")]
        &mut self.open[at]
    }

    fn give(&mut self, connection: u64, out: &mut Out<'_>) {
        let Some(at) = self.open.iter().position(|o| o.connection == connection) else { return };
        let open = self.open.remove(at);
        let mut e = out.new_exchange(MESSAGES);
        e.time = open.time;
        e.connection = Some(open.connection);
        e.shows.body = false;
        e.shows.authorization = open.request.is_some();
        e.shows.cookies = open.request.is_some();
        e.shows.request_fields = open.request.is_some();
        e.request = open.request.and_then(|mut r| {
            if !r.line.is_empty() {
                r.end_head();
            }
            r.into_request()
        });
        e.response = open.response.and_then(Draft::into_response);
        out.exchange(e);
    }
}

fn log_line(line: &Line, out: &mut Out<'_>) {
    if let Some(statement) = log::statement(line, out) {
        out.say(statement);
    }
}

/// How well a head fits: nginx's debug lines of messages.
pub(super) fn fits(head: &[u8]) -> u8 {
    let debug = memchr::memmem::find(head, b" [debug] ").is_some();
    let shown = memchr::memmem::find(head, b" http header: \"").is_some();
    if debug && shown { 96 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_messages_are_told_from_the_rest() {
        let line = |t: &str| Line { text: Derived::synthetic(t), eol: Derived::default() };
        let (connection, said) =
            debug_line(&line(r#"2015/04/26 15:31:16 [debug] 1#0: *41 http header: "A: "b"""#)).unwrap();
        assert_eq!(connection, 41);
        assert!(matches!(tells(&said), Some(Tells::Field(f)) if f.to_text() == "A: \"b\""));
        assert!(debug_line(&line("2015/04/26 15:31:16 [error] 1#0: *41 x")).is_none());
    }
}
