//! Log lines that are JSON objects.

use super::escape;
use super::exchange::Origin;
use super::line::{Escape, Line, Logged, Name};
use super::part::{Column, Part};
use super::plan::named;
use super::products::{self, Keys};
use super::reader::Reading;
use super::time;
use memchr::memchr;
use why401_http::{Moment, Speaker, Statement};
use why401_span::{Builder, SourceId};

/// How deep objects are looked into, and how many values are.
const DEPTH: usize = 5;
const VALUES: usize = 400;

/// Fields whose values Caddy does not log.
const SECRET: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "set-cookie"];

/// Words in a JSON line: a message that may be a log line itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct Message<'a> {
    /// The message as spelt.
    pub(crate) text: &'a [u8],
    /// The error that a member of its own tells beside the message.
    error: Option<&'a [u8]>,
    pub(crate) time: Option<Moment>,
    level: Option<&'a [u8]>,
}

/// Takes a JSON line apart; `None` if it is none, or says neither what was asked and answered nor any words.
pub(crate) fn parse(line: &[u8]) -> Option<Reading<'_>> {
    let values = flatten(line)?;
    let has = |sign: &str| values.iter().any(|v| v.is_at(sign));
    let access = products::JSON
        .iter()
        .filter(|keys| keys.signs.iter().all(|sign| has(sign)))
        .find_map(|keys| access(&values, keys));
    match access {
        Some(line) => Some(Reading::Access(line)),
        None => message(&values).map(Reading::Inside),
    }
}

fn access<'a>(values: &[Value<'a>], format: &'static Keys) -> Option<Line<'a>> {
    let mut line = Line { escape: Escape::Json, product: format.product, ..Line::default() };
    for (key, part) in format.keys {
        for value in values {
            if let Some(prefix) = key.strip_suffix('*') {
                if let Some(name) = value.name_behind(prefix).filter(|_| value.is_first) {
                    put_field(&mut line, part.starts_with('>'), name, value.text);
                }
            } else if value.is_at(key) {
                put(&mut line, part, value.text);
            }
        }
    }
    let asked = [Part::Request, Part::Method, Part::Target].iter().any(|p| line.get(*p).is_some());
    (asked && line.status().is_some()).then_some(line)
}

fn put<'a>(line: &mut Line<'a>, part: &'static str, value: &'a [u8]) {
    match named(part) {
        // Of several names for one part, the first that has a value counts.
        Column::Part(part) if line.get(part).is_none_or(|v| v.is_empty() || v == b"-") => {
            line.set(part, value);
        }
        Column::RequestField(_) => {
            let name = Name::Implied(part.trim_start_matches('>'));
            line.fields.push(Logged { of_request: true, name, value });
        }
        _ => {}
    }
}

fn put_field<'a>(line: &mut Line<'a>, of_request: bool, name: &'a [u8], value: &'a [u8]) {
    let part = match name.to_ascii_lowercase().as_slice() {
        b"user-agent" => Part::Agent,
        b"referer" => Part::Referer,
        b"host" => Part::Host,
        _ => return line.fields.push(Logged { of_request, name: Name::Written(name), value }),
    };
    match of_request && line.get(part).is_none_or(<[u8]>::is_empty) {
        true => line.set(part, value),
        false if !of_request => line.fields.push(Logged { of_request, name: Name::Written(name), value }),
        false => {}
    }
}

fn message<'a>(values: &[Value<'a>]) -> Option<Message<'a>> {
    let first =
        |names: &[&str]| names.iter().find_map(|n| values.iter().find(|v| v.is_at(n)).map(|v| v.text));
    let text =
        first(&["message", "msg", "log", "MESSAGE", "textPayload", "event", "short_message", "error"])?;
    let error =
        first(&["error", "err", "error.message", "exception"]).filter(|e| *e != text && !e.is_empty());
    let stamp = first(&["time", "ts", "timestamp", "@timestamp", "__REALTIME_TIMESTAMP", "datetime", "date"]);
    Some(Message {
        text,
        error,
        time: stamp.and_then(|t| time::whole(t, false)),
        level: first(&["level", "severity", "lvl", "log.level", "levelname"]),
    })
}

impl Message<'_> {
    /// The statement that it is.
    pub(crate) fn statement(&self, source: SourceId, whole: &[u8], origin: &Origin<'_>) -> Statement {
        let part = |text| escape::undo(origin.cut(whole, text), Escape::Json, false);
        let text = match self.error {
            None => part(self.text),
            Some(error) => {
                let (message, error) = (part(self.text), part(error));
                let mut both = Builder::new();
                both.push_part(&message, 0..message.len());
                both.push_synthetic(b": ");
                both.push_part(&error, 0..error.len());
                both.finish()
            }
        };
        let mut statement = Statement::new(source, Speaker::ServerLog, text);
        statement.time = self.time;
        statement.level = self.level.map(|l| String::from_utf8_lossy(l).to_ascii_lowercase());
        statement
    }
}

/// A value and the keys that lead to it.
#[derive(Debug, Clone, Copy)]
struct Value<'a> {
    keys: [&'a [u8]; DEPTH],
    depth: usize,
    /// A string without its quotes, still escaped, or a number or literal.
    text: &'a [u8],
    /// Whether it is the first of its array, or in none.
    is_first: bool,
}

impl<'a> Value<'a> {
    fn path(&self) -> &[&'a [u8]] {
        self.keys.get(..self.depth).unwrap_or_default()
    }

    /// Whether it stands at this path of keys joined by dots; a key may itself have dots in it.
    fn is_at(&self, path: &str) -> bool {
        let mut rest = path.as_bytes();
        for (i, key) in self.path().iter().enumerate() {
            let Some(r) = rest.strip_prefix(*key) else { return false };
            rest = match r.strip_prefix(b".") {
                Some(r) if i + 1 < self.depth => r,
                _ if i + 1 == self.depth => r,
                _ => return false,
            };
        }
        rest.is_empty() && self.depth > 0
    }

    /// What follows `prefix` in its path: the last key, or the end of it.
    fn name_behind(&self, prefix: &str) -> Option<&'a [u8]> {
        let (last, parents) = self.path().split_last()?;
        let mut rest = prefix.as_bytes();
        for key in parents {
            rest = rest.strip_prefix(*key)?.strip_prefix(b".")?;
        }
        last.strip_prefix(rest).filter(|name| !name.is_empty())
    }
}

/// All values of a JSON object with their keys. Tolerant: reads as far as it is JSON; `None` if it is no object.
fn flatten(line: &[u8]) -> Option<Vec<Value<'_>>> {
    let mut values = Vec::new();
    let mut keys: [&[u8]; DEPTH] = [&[]; DEPTH];
    // One entry an open bracket: whether it is an object.
    let mut open: Vec<(bool, usize)> = Vec::new();
    let mut key: Option<&[u8]> = None;
    let mut rest = line.trim_ascii_start();
    if rest.first() != Some(&b'{') {
        return None;
    }
    while let Some((first, behind)) = rest.split_first() {
        if values.len() >= VALUES {
            break;
        }
        let depth = open.iter().filter(|(is_object, _)| *is_object).count();
        let in_array = open.last().is_some_and(|(is_object, _)| !is_object);
        match first {
            b'{' | b'[' => {
                if open.len() >= DEPTH * 2 {
                    break;
                }
                if let (Some(key), Some(slot)) =
                    (key.take(), depth.checked_sub(1).and_then(|d| keys.get_mut(d)))
                {
                    *slot = key;
                }
                open.push((*first == b'{', values.len()));
                rest = behind;
            }
            b'}' | b']' => {
                let since = open.pop().map(|(_, since)| since);
                key = None;
                // Caddy leaves out what is secret and not that it was there.
                let emptied = depth.checked_sub(1).and_then(|d| keys.get(d)).is_some_and(|name| {
                    SECRET.iter().any(|secret| name.eq_ignore_ascii_case(secret.as_bytes()))
                });
                let end = line.len() - behind.len();
                let text = line.get(end.saturating_sub(2)..end).filter(|text| *text == b"[]");
                if let (Some(text), true, true) = (text, emptied, since == Some(values.len())) {
                    values.push(Value { keys, depth, text, is_first: true });
                }
                rest = behind;
                if open.is_empty() {
                    break;
                }
            }
            b',' | b':' | b' ' | b'\t' | b'\r' | b'\n' => rest = behind,
            _ => {
                let (text, is_string, after) = scalar(rest)?;
                rest = after;
                if key.is_none() && !in_array && is_string {
                    key = Some(text);
                    continue;
                }
                let since = open.last().map_or(0, |(_, since)| *since);
                let is_first = !in_array || values.len() == since;
                if let Some(key) = key
                    && let Some(slot) = depth.checked_sub(1).and_then(|d| keys.get_mut(d))
                {
                    *slot = key;
                }
                if !in_array {
                    key = None;
                }
                if depth <= DEPTH && (is_string || text != b"null") {
                    values.push(Value { keys, depth, text, is_first });
                }
            }
        }
    }
    Some(values)
}

/// A string, number or literal at the front.
fn scalar(text: &[u8]) -> Option<(&[u8], bool, &[u8])> {
    let Some(inside) = text.strip_prefix(b"\"") else {
        let end = text.iter().position(|b| b",]} \t\r\n:\"[{".contains(b)).unwrap_or(text.len());
        return (end > 0).then(|| Some((text.get(..end)?, false, text.get(end..)?))).flatten();
    };
    let mut from = 0;
    loop {
        let quote = from + memchr(b'"', inside.get(from..)?)?;
        let slashes = inside.get(from..quote)?.iter().rev().take_while(|b| **b == b'\\').count();
        if slashes % 2 == 0 {
            return Some((inside.get(..quote)?, true, inside.get(quote + 1..)?));
        }
        from = quote + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line<'_> {
        match parse(text.as_bytes()) {
            Some(Reading::Access(line)) => line,
            _ => panic!("no access line: {text}"),
        }
    }

    #[test]
    fn caddys_nested_objects_and_arrays() {
        let l = line(
            r#"{"level":"info","ts":1716723830.5081363,"msg":"handled request","request":{"remote_ip":"10.5.1.1","client_ip":"192.0.2.1","proto":"HTTP/2.0","method":"GET","host":"example.com:400","uri":"/x?y","headers":{"X-Forwarded-For":["192.0.2.7","b"],"User-Agent":["UA"],"Authorization":["REDACTED"]}},"user_id":"","status":401,"resp_headers":{"Www-Authenticate":["Basic realm=\"x\""]}}"#,
        );
        assert_eq!((l.product, l.status()), (Some("caddy"), Some(401)));
        assert_eq!(l.get(Part::Client), Some(&b"192.0.2.1"[..]));
        assert_eq!(l.get(Part::Agent), Some(&b"UA"[..]));
        assert_eq!(l.get(Part::User), Some(&b""[..]));
        assert_eq!(l.fields.len(), 3);
        assert_eq!(l.moment().unwrap().at.to_string(), "2024-05-26T11:43:50.5081363Z");
    }

    #[test]
    fn traefik_cloudflare_and_the_usual_names() {
        let l = line(
            r#"{"ClientHost":"192.0.2.1","ClientUsername":"alice","DownstreamStatus":401,"RequestMethod":"GET","RequestPath":"/","request_User-Agent":"curl/8","StartUTC":"2026-11-22T17:14:41.1Z"}"#,
        );
        assert_eq!((l.product, l.get(Part::Agent)), (Some("traefik"), Some(&b"curl/8"[..])));
        let l = line(
            r#"{"ClientIP":"192.0.2.1","ClientRequestMethod":"GET","ClientRequestURI":"/a","EdgeResponseStatus":401,"EdgeStartTimestamp":1712790000100000000}"#,
        );
        assert_eq!((l.product, l.moment().is_some()), (Some("cloudflare"), true));
        let l = line(
            r#"{"@timestamp":"2026-11-22T17:14:41Z","http.request.method":"GET","url":{"path":"/a"},"http":{"response":{"status_code":401}},"user":{"name":"bob"}}"#,
        );
        assert_eq!((l.get(Part::User), l.status()), (Some(&b"bob"[..]), Some(401)));
    }

    #[test]
    fn words_and_wrapped_lines() {
        let Some(Reading::Inside(m)) =
            parse(br#"{"level":"error","msg":"token \"x\" expired","time":"2026-11-22T17:14:41Z"}"#)
        else {
            panic!()
        };
        assert_eq!((m.text, m.level), (&br#"token \"x\" expired"#[..], Some(&b"error"[..])));
    }

    #[test]
    fn broken_and_deep_objects_end_somewhere() {
        for text in ["{", "{\"a", "{\"a\":", "{}", "{\"a\":{\"b\":[[[[[[[[[[[[[[[[", "{\"a\":\"\\", "{]}{"] {
            assert!(parse(text.as_bytes()).is_none(), "{text}");
        }
    }
}
