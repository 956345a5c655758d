//! Fields as a program prints them, a dictionary on one line: `print(r.request.headers)`, `Response headers: {'Server': …}`.

use super::draft::Draft;
use super::lines::Line;
use super::out::{MESSAGES, Out};
use super::{Dialect, Took, escaped, prose};
use crate::http1::head;
use why401_http::{FieldLine, Shows};
use why401_span::Derived;

/// Lines between the fields of the request and those of the answer.
const BETWEEN: usize = 4;
/// More fields of one dictionary are not kept.
const MOST: usize = 200;

#[derive(Default)]
struct Printed {
    request: Option<Vec<FieldLine>>,
    response: Option<Vec<FieldLine>>,
    /// Whether the request's fields are those that were sent, and not those that the program had set until then.
    sent: bool,
    place: Derived,
    between: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Request { sent: bool },
    Response,
}

pub(super) fn begin(line: &Line, _next: Option<&Line>, _out: &mut Out<'_>) -> Option<Box<dyn Dialect>> {
    dictionary(line).map(|_| Box::new(Printed::default()) as Box<dyn Dialect>)
}

impl Dialect for Printed {
    fn line(&mut self, line: &Line, _next: Option<&Line>, out: &mut Out<'_>) -> Took {
        match dictionary(line) {
            Some((side, fields)) => {
                let again = match side {
                    Side::Request { .. } => self.request.is_some() || self.response.is_some(),
                    Side::Response => self.response.is_some(),
                };
                if again {
                    return Took::No;
                }
                self.place = line.text.clone();
                self.between = 0;
                match side {
                    Side::Request { sent } => (self.request, self.sent) = (Some(fields), sent),
                    Side::Response => self.response = Some(fields),
                }
            }
            None if self.response.is_some() || self.between >= BETWEEN => return Took::No,
            None => {
                self.between += 1;
                prose::say(line, out);
            }
        }
        Took::Yes
    }

    fn end(&mut self, out: &mut Out<'_>) {
        let asks = |f: &FieldLine| f.is("www-authenticate") || f.is("proxy-authenticate");
        let asked = self.response.iter().flatten().any(asks);
        let status = out.told.status.take().or(asked.then_some(401));
        let told = out.told.request.take();
        let asked_for = self.request.is_some() || told.is_some();
        let (method, target) = told.unwrap_or_else(|| ("GET".to_owned(), "/".to_owned()));
        let whole = 0..self.place.len();
        let text = |s: String| self.place.decoded(whole.clone(), s);
        let has = |name: &str| self.request.iter().flatten().any(|f| f.is(name));
        let shows = Shows {
            authorization: self.sent || has("authorization"),
            cookies: self.sent || has("cookie"),
            request_fields: self.sent,
            response_fields: self.response.is_some(),
            body: false,
            ..MESSAGES
        };
        let mut exchange = out.new_exchange(shows);
        let mut request = Draft::request(text(method), text(target), "");
        request.fields.0 = self.request.take().unwrap_or_default();
        request.head_done = shows.authorization;
        exchange.request = request.into_request().filter(|_| asked_for);
        if let Some(status) = status {
            let mut response = Draft::response(text(status.to_string()), status);
            response.head_done = self.response.is_some();
            response.fields.0 = self.response.take().unwrap_or_default();
            exchange.response = response.into_response();
        }
        out.exchange(exchange);
    }
}

/// The fields of the dictionary that a line ends with, and whose they are.
fn dictionary(line: &Line) -> Option<(Side, Vec<FieldLine>)> {
    let bytes = line.bytes();
    let open = memchr::memchr(b'{', bytes)?;
    let end = bytes.trim_ascii_end().len();
    let closed = bytes.get(..end).is_some_and(|b| b.ends_with(b"}") || b.ends_with(b"})"));
    if !closed || open > 160 {
        return None;
    }
    let fields = pairs(&line.text, open + 1)?;
    let known = |name: &str| fields.iter().any(|f| f.is(name));
    let label = String::from_utf8_lossy(bytes.get(..open)?).to_ascii_lowercase();
    let response =
        ["server", "date", "www-authenticate", "x-powered-by", "set-cookie"].iter().any(|n| known(n));
    let request =
        ["user-agent", "accept", "host", "authorization", "accept-encoding"].iter().any(|n| known(n));
    // Without a label, the fields themselves must tell.
    let usual =
        ["server", "date", "www-authenticate", "set-cookie", "content-type", "content-length", "connection"];
    let answer = usual.iter().filter(|n| known(n)).count();
    let side = match () {
        () if label.contains("response") && response => Side::Response,
        () if label.contains("request") && (request || known("content-type")) => {
            Side::Request { sent: label.contains("request.headers") || label.contains("req.headers") }
        }
        () if answer >= 2 && !request => Side::Response,
        () if request && !response && known("user-agent") && fields.len() >= 2 => {
            Side::Request { sent: false }
        }
        () => return None,
    };
    Some((side, fields))
}

/// `'Name': 'value', …` from there to the brace; `None` if it is anything else.
fn pairs(text: &Derived, from: usize) -> Option<Vec<FieldLine>> {
    let bytes = text.as_bytes();
    let mut fields = Vec::new();
    let mut at = from;
    let skip = |mut at: usize, also: &[u8]| {
        while bytes.get(at).is_some_and(|c| c.is_ascii_whitespace() || also.contains(c)) {
            at += 1;
        }
        at
    };
    loop {
        at = skip(at, b",");
        if bytes.get(at) == Some(&b'}') {
            return Some(fields).filter(|f: &Vec<FieldLine>| !f.is_empty());
        }
        let (name, after) = string(text, at)?;
        at = skip(after, b"");
        if bytes.get(at) != Some(&b':') || !name.as_bytes().iter().all(|c| head::is_token(*c)) {
            return None;
        }
        at = skip(at + 1, b"");
        let (value, after) = match string(text, at) {
            Some(found) => found,
            // A number, None.
            None => {
                let len =
                    bytes.get(at..)?.iter().take_while(|c| c.is_ascii_alphanumeric() || **c == b'.').count();
                if len == 0 {
                    return None;
                }
                (text.slice(at..at + len), at + len)
            }
        };
        at = after;
        fields.push(FieldLine { name, value });
        if fields.len() >= MOST {
            return None;
        }
    }
}

/// A string, Python's prefixes before it.
fn string(text: &Derived, at: usize) -> Option<(Derived, usize)> {
    let bytes = text.as_bytes();
    let prefix = usize::from(matches!(bytes.get(at), Some(b'u' | b'b')));
    let quote = bytes.get(at + prefix)?;
    matches!(quote, b'\'' | b'"').then(|| escaped::string(text, at + prefix)).flatten()
}

#[cfg(test)]
mod tests {
    use crate::Collected;
    use why401_http::Exchange;

    fn read(text: &str) -> Vec<Exchange> {
        let mut sink = Collected::default();
        crate::read(why401_span::SourceId(0), &mut text.as_bytes(), Some("text"), None, &[], &mut sink)
            .unwrap();
        sink.exchanges
    }

    #[test]
    fn printed_dictionaries_are_a_request_and_its_answer() {
        let all = read(
            "Status code: 401\nRequest headers: {'User-Agent': 'x', 'Authorization': u'NTLM TlRM'}\nResponse headers: {'Server': 'IIS', 'WWW-Authenticate': 'NTLM'}\n",
        );
        let e = &all[0];
        assert_eq!((all.len(), e.status(), e.shows.authorization), (1, Some(401), true));
        assert_eq!(e.request.as_ref().unwrap().fields.text("authorization").as_deref(), Some("NTLM TlRM"));
        assert_eq!(e.response.as_ref().unwrap().fields.text("www-authenticate").as_deref(), Some("NTLM"));
    }

    #[test]
    fn what_was_sent_is_told_from_what_was_set() {
        let set = read(
            "debug: PROPFIND https://e.example/x\ndebug: {'User-Agent': 'v', 'Depth': '0'}\ndebug: 401\ndebug: {'Date': 'x', 'Www-Authenticate': 'Digest realm=\"r\"'}\n",
        );
        assert_eq!((set.len(), set[0].shows.authorization, set[0].status()), (1, false, Some(401)));
        assert_eq!(set[0].request.as_ref().unwrap().method(), "PROPFIND");
        let sent =
            read("<Response [401]>\nr.request.headers = {\"User-Agent\": \"v\", \"Accept\": \"*/*\"}\n");
        assert_eq!((sent.len(), sent[0].shows.authorization, sent[0].status()), (1, true, Some(401)));
    }

    #[test]
    fn other_braces_are_no_fields() {
        for text in [
            "{'a': 'b'}",
            "headers = {'Server'}",
            "{",
            "{}",
            "x {'Date': {'Server': 'b'}}",
            "{\"level\":\"error\",\"date\":\"x\"}",
        ] {
            assert!(read(text).is_empty(), "{text}");
        }
    }
}
